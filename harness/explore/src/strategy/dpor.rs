//! Dynamic partial-order reduction: one run for each way in which operations that conflict can be ordered.
//!
//! The algorithm is source-DPOR (Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction",
//! POPL 2014; "Source Sets: A Foundation for Optimal Dynamic Partial Order Reduction", JACM 2017), with
//! sleep sets. No two complete runs are the same up to the order of operations that do not conflict; some
//! runs are given up because all that they could still do has been explored (they are *blocked by sleep sets*,
//! which the optimal algorithm avoids).
//!
//! What differs from the papers:
//!
//! - Operations have guards: see `races`.
//! - A value that a task [chooses](bohr_kernel::choose) is explored in every way and is otherwise part of the
//!   step that it is chosen in or after.
//! - Virtual time that moves because nothing else can comes after all before it and before all after it. In
//!   eager mode time is an object like any other.
//! - A step that stops the run, because it shows a finding, keeps all others from running. Whatever could
//!   have run instead of it is tried as well, and the step itself sleeps meanwhile: so each finding that a
//!   schedule can show is shown, but not beside every state that the other tasks can be in by then. Findings
//!   at rest depend on the last state alone.
//! - A run that goes over [`RunConfig::max_steps`](bohr_kernel::RunConfig::max_steps) ends there. That is a
//!   finding, but what other findings the rest would have shown is not known.
//!
//! There is no preemption bound. Under one, a race is not enough to find all schedules within it, and more
//! choices have to be tried, conservatively (Coons, Musuvathi, McKinley, "Bounded Partial-Order Reduction",
//! OOPSLA 2013). Use [`Dfs`](super::Dfs) with its cache for that.

mod flips;
mod order;
mod progress;
mod races;
mod run;
mod stack;

use bohr_kernel::{Kernel, Outcome, Point, Strategy};
pub(crate) use flips::{Flip, Op, Place, flips, ran};
pub use progress::Progress;
use races::races;
use run::{End, Run, Tasks};
use serde::{Deserialize, Serialize};
use stack::{Level, TaskLevel};

/// When an exploration ends early, and what it keeps.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Stop after this many runs, those before a break included.
    pub runs: Option<u64>,
    /// Count the distinct traces by their [hash](Outcome::trace_hash), for which runs have to
    /// [identify](bohr_kernel::RunConfig::identify) themselves.
    pub traces: bool,
}

/// How an exploration ended.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// True if every schedule has been covered.
    pub all: bool,
    /// The number of runs that went to their end, no two of them the same up to the order of operations
    /// that do not conflict (but see `traces`).
    pub executions: u64,
    /// The number of runs that were given up because all that they could still do had been explored.
    pub sleep_blocked: u64,
    /// The number of distinct traces among the executions, if they were to be counted. It is the number
    /// of executions, but for eager time: there it depends on a value that a task chooses whether its step looks
    /// at the clock, and a step that slept with one value wakes with all.
    pub traces: u64,
}

/// A deliberate error in the reduction, for the test that such errors are found.
#[doc(hidden)]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A write after a read does not conflict with it.
    Dependency,
    /// Who is asleep never wakes up.
    Sleep,
    /// Operations that are disabled race with nothing.
    Backtrack,
}

/// Source-DPOR. Runs must be [logged](bohr_kernel::RunConfig::log).
pub struct Dpor<F> {
    limits: Limits,
    sabotage: Option<Sabotage>,
    progress: Progress,
    depth: usize,
    /// Where the present run was given up: after so many steps, where these could go on.
    given_up: Option<(usize, Tasks)>,
    /// The present run was left to a part.
    left: bool,
    stopped: bool,
    sink: F,
}

impl<F: FnMut(Outcome) -> bool> Dpor<F> {
    /// An exploration that hands every execution to `sink` and stops when that says false. A run that was
    /// given up is handed over too if it shows a finding; it is [marked](Outcome::abandoned).
    pub fn new(limits: Limits, sink: F) -> Self {
        Self::resume(Progress::default(), limits, sink)
    }

    /// Goes on with an exploration of the same program.
    pub fn resume(progress: Progress, limits: Limits, sink: F) -> Self {
        Dpor { limits, sabotage: None, progress, depth: 0, given_up: None, left: false, stopped: false, sink }
    }

    /// As [`Dpor::new`], but wrong.
    #[doc(hidden)]
    pub fn sabotaged(limits: Limits, sabotage: Sabotage, sink: F) -> Self {
        Dpor { sabotage: Some(sabotage), ..Self::new(limits, sink) }
    }

    /// How far the exploration got.
    pub fn explored(&self) -> Explored {
        Progress::sum(std::slice::from_ref(&self.progress))
    }

    /// How far the exploration got, to go on with.
    pub fn into_progress(self) -> Progress {
        self.progress
    }

    /// The level for a choice that no run has met before. Nothing if the run need not go on.
    fn open(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<Level> {
        let step = kernel.steps() as usize;
        let Point::Task { enabled, current } = point else {
            return Some(Level::Value { step, chosen: 0, of: point.alternatives() });
        };
        let stack = &self.progress.stack;
        let never_wakes = self.never_wakes();
        let level = TaskLevel::below(stack.last_task(), kernel.log(), step, enabled, *current, never_wakes);
        let splits = self.progress.split_at.map(|most| stack.task_levels() < most);
        let level = match (level, splits) {
            (Some(mut level), Some(true)) => {
                level.want_all();
                Some(level)
            }
            (Some(_), Some(false)) => {
                self.progress.leave();
                self.left = true;
                None
            }
            (level, _) => level,
        };
        if level.is_none() {
            self.given_up = Some((step, enabled.iter().copied().collect()));
        }
        level.map(Level::Task)
    }

    fn never_wakes(&self) -> bool {
        self.sabotage == Some(Sabotage::Sleep)
    }

    /// Learns from a run what else to try.
    fn learn(&mut self, run: &Run) {
        let stack = &mut self.progress.stack;
        stack.learn(run);
        for race in races(run, stack.known_steps, self.sabotage) {
            stack.want_one_of(race.step, &race.initials);
        }
        if run.end == End::Stopped
            && let Some(last) = run.steps.len().checked_sub(1)
        {
            stack.want_each(last);
        }
    }
}

impl<F: FnMut(Outcome) -> bool + 'static> Strategy for Dpor<F> {
    fn begin(&mut self) -> bool {
        self.stopped |= self.limits.runs.is_some_and(|most| self.progress.runs() >= most);
        self.depth = 0;
        !self.stopped && !self.progress.finished
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        if self.depth == self.progress.stack.levels.len() {
            let level = self.open(kernel, point)?;
            self.progress.stack.levels.push(level);
        }
        self.depth += 1;
        let choice = match (&self.progress.stack.levels[self.depth - 1], point) {
            (Level::Value { chosen, of, .. }, Point::Value { of: now }) if of == now => Some(*chosen),
            (Level::Task(level), Point::Task { enabled, .. }) if level.was_reached_with(enabled) => {
                point.choice_of(level.chosen)
            }
            _ => None,
        };
        self.progress.changed |= choice.is_none();
        choice
    }

    fn end(&mut self, mut outcome: Outcome) {
        // What the same choices lead to is the same, if it is the same program.
        self.progress.changed |= self.depth < self.progress.stack.levels.len();
        if self.progress.changed {
            self.stopped = true;
            return;
        }
        if !outcome.abandoned
            && let Some(level) = self.progress.stack.last_task()
        {
            self.given_up = level.sleep_after(&outcome.log, self.never_wakes()).err();
        }
        let given_up = self.given_up.take();
        outcome.abandoned = given_up.is_some();
        let run = Run::read(&outcome.log, given_up);
        self.learn(&run);
        self.progress.finished = !self.progress.stack.advance();
        if std::mem::take(&mut self.left) {
            return;
        }
        if outcome.abandoned {
            self.progress.sleep_blocked += 1;
        } else {
            self.progress.executions += 1;
            if self.limits.traces {
                self.progress.traces.insert(outcome.trace_hash);
            }
        }
        if !outcome.abandoned || !outcome.findings.is_empty() {
            self.stopped |= !(self.sink)(outcome);
        }
    }
}
