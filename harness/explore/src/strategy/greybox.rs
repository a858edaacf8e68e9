//! Greybox fuzzing of schedules.

mod base;
mod corpus;
mod features;
mod flow;
mod names;
mod steer;
#[cfg(test)]
mod tests;
mod watch;

use super::random::{Policy, Rng};
use base::Base;
use bohr_kernel::{Kernel, Outcome, Point, TaskId};
use corpus::{Corpus, Plan};
pub use features::Features;
use steer::Steer;
use watch::Watch;

/// Wolff, Shi, Duck, Mathur & Roychoudhury, "Greybox fuzzing for concurrency testing" (ASPLOS 2024). What is fed back
/// from a run is which write each operation read from, both known by their lines in the source and by what sort of
/// task did them. A schedule that shows a pair for the first time is kept, as a few constraints: these pairs are to
/// show, those are not. New schedules are made by changing the constraints of old ones, the rare ones first, and a
/// scheduler lets tasks wait so that the constraints come true.
///
/// It deviates from the paper:
/// - Fed back are also which operation a write came after that had read what it overwrites, because a crash or a
///   kill reads nothing; which values were drawn; and rare pairs that show in one run for the first time.
/// - Constraints are also made of operations that were seen at one object and never yet as a pair. The ones seen and
///   tried least are tried first.
/// - Schedules are chosen by tournaments and not by their energy, so that no constant has to be found.
/// - Some runs begin like one that was kept: its first choices, up to a random place.
/// - Where the constraints leave a choice, priorities that change at few points decide, as in PCT (ASPLOS 2010), and in
///   every fourth run a random walk, instead of POS.
#[derive(Debug)]
pub struct Greybox {
    rng: Rng,
    watch: Watch,
    corpus: Corpus,
    base: Base,
    plan: Plan,
    steer: Steer,
    /// How many of the plan's first choices have been made.
    followed: usize,
    /// The tasks that nothing keeps from going on.
    candidates: Vec<TaskId>,
    last_new: u64,
    blind: bool,
}

/// How much of a program has been seen.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Seen {
    /// The schedules run.
    pub schedules: u64,
    /// The distinct pairs: an operation and the write that it read from, a write and what read before it, an
    /// operation and the value drawn after it.
    pub pairs: usize,
    /// The schedules that are kept, to make others of.
    pub kept: usize,
    /// The number of the schedule that was the last to show a new pair, from 1; 0 if there is none.
    pub last_new: u64,
}

impl Greybox {
    /// The schedules of a seed.
    pub fn new(seed: u64) -> Self {
        Greybox {
            rng: Rng::new(seed),
            watch: Watch::default(),
            corpus: Corpus::default(),
            base: Base::default(),
            plan: Plan::default(),
            steer: Steer::default(),
            followed: 0,
            candidates: Vec::new(),
            last_new: 0,
            blind: false,
        }
    }

    /// One that makes no use of what it sees, to tell what that is worth.
    #[doc(hidden)]
    pub fn blind(seed: u64) -> Self {
        Greybox { blind: true, ..Greybox::new(seed) }
    }

    /// How much it has seen.
    pub fn seen(&self) -> Seen {
        let flows = &self.watch.flows;
        let (schedules, pairs) = (flows.runs(), flows.all().len());
        Seen { schedules, pairs, kept: self.corpus.len(), last_new: self.last_new }
    }

    fn choose_task(&mut self, kernel: &Kernel, enabled: &[TaskId]) -> TaskId {
        let Greybox { rng, watch, base, steer, candidates, .. } = self;
        if steer.idle() {
            return base.choose(enabled, rng);
        }
        candidates.clear();
        for &task in enabled {
            watch.look_at(kernel, task);
            if !steer.waits(watch, task, watch.pending(task)) {
                candidates.push(task);
            }
        }
        steer.asked();
        base.choose(if candidates.is_empty() { enabled } else { candidates }, rng)
    }
}

impl Policy for Greybox {
    fn begin(&mut self) {
        if !self.blind {
            self.plan = self.corpus.next(&self.watch, &mut self.rng);
        }
        self.watch.begin_run();
        self.base.begin_run(&mut self.rng);
        self.steer = Steer::new(&self.plan.constraints);
        self.followed = 0;
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> u32 {
        let given = self.plan.prefix.get(self.followed).map(|choice| (*choice).min(point.alternatives() - 1));
        self.followed += 1;
        match point {
            Point::Value { of } => {
                let by = self.watch.did(kernel.current());
                let wanted = given.or_else(|| self.steer.value(by, *of, &mut self.rng));
                let value = wanted.unwrap_or_else(|| self.rng.below(*of));
                self.watch.draws(by, value);
                value
            }
            Point::Task { enabled, .. } => {
                self.base.count(kernel, &mut self.rng);
                let task = match given {
                    Some(choice) => point.task(choice),
                    None => self.choose_task(kernel, enabled),
                };
                point.choice_of(task).expect("only enabled tasks are candidates")
            }
        }
    }

    fn sees_steps(&self) -> bool {
        true
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        self.watch.look_at(kernel, task);
        self.steer.runs(&self.watch, task, self.watch.pending(task));
        self.watch.step(task);
    }

    fn end(&mut self, outcome: &Outcome) {
        let choices = outcome.decisions.iter().map(|d| d.chosen);
        let flows = &self.watch.flows;
        if self.corpus.judge(&self.plan.constraints, choices, flows, &mut self.rng) {
            self.last_new = flows.runs();
        }
    }
}
