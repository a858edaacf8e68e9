//! What happens before what in a run, by vector clocks over its steps.

use super::Sabotage;
use super::run::{Op, Run};
use bohr_kernel::{Access, Footprint};
use smallvec::SmallVec;

/// For each task, how many of its steps are known.
pub(super) type Clock = SmallVec<[u32; 8]>;

/// The happens-before order of the steps read so far: the least that has the order of each task, of
/// steps that conflict, of a spawn and what it spawned, of what a task did and who joins it, and in which every
/// move of virtual time comes after all before it and before all after it.
pub(super) struct Order<'r> {
    pub(super) run: &'r Run,
    sabotage: Option<Sabotage>,
    clocks: Vec<Clock>,
    /// Of each step, its number among those of its task, from 1.
    nth: Vec<u32>,
    /// By object, the steps that touched it.
    touched: Vec<Vec<(usize, Access)>>,
    /// By task, its last step.
    last: SmallVec<[Option<usize>; 8]>,
    /// What happened before virtual time last moved.
    moved: Clock,
}

impl<'r> Order<'r> {
    pub(super) fn new(run: &'r Run, sabotage: Option<Sabotage>) -> Self {
        Order {
            run,
            sabotage,
            clocks: Vec::with_capacity(run.steps.len()),
            nth: Vec::with_capacity(run.steps.len()),
            touched: Vec::new(),
            last: SmallVec::new(),
            moved: Clock::new(),
        }
    }

    /// Adds the next step. Gives the steps that it conflicts with directly, none of them before another: with
    /// each it races.
    pub(super) fn add(&mut self) -> SmallVec<[usize; 4]> {
        let step = self.clocks.len();
        if self.run.steps[step].after_move {
            self.moved = self.last.iter().map(|last| last.map_or(0, |step| self.nth[step])).collect();
        }
        let op = self.run.op(step);
        let rivals = self.rivals(op);
        let mut clock = self.clock_of(op, &rivals);
        let task = op.task.0 as usize;
        self.last.resize(self.last.len().max(task + 1), None);
        let nth = self.last[task].map_or(0, |step| self.nth[step]) + 1;
        clock.resize(clock.len().max(task + 1), 0);
        clock[task] = nth;
        self.last[task] = Some(step);
        self.nth.push(nth);
        self.clocks.push(clock);
        for (object, access) in &op.objects {
            let at = object.0 as usize;
            self.touched.resize_with(self.touched.len().max(at + 1), Vec::new);
            self.touched[at].push((step, *access));
        }
        rivals
    }

    /// The steps that an operation, done now, would conflict with directly, none of them before another.
    pub(super) fn rivals(&self, op: &Op) -> SmallVec<[usize; 4]> {
        let origin = self.clock_of(op, &[]);
        let mut rivals: SmallVec<[usize; 4]> = SmallVec::new();
        for (object, access) in &op.objects {
            let touched = self.touched.get(object.0 as usize).map_or(&[][..], Vec::as_slice);
            for (step, other) in touched.iter().rev() {
                let unordered = !self.knows(&origin, *step) && !rivals.contains(step);
                if unordered && self.conflict(*other, *access) {
                    rivals.push(*step);
                }
                // Everything earlier is before a write.
                if *other == Access::Write {
                    break;
                }
            }
        }
        let hidden = |step: usize, by: usize| by != step && self.knows(&self.clocks[by], step);
        let shown = rivals.iter().copied().filter(|step| !rivals.iter().any(|by| hidden(*step, *by)));
        shown.collect()
    }

    /// The clock of an operation that is done now, without itself.
    pub(super) fn clock_of(&self, op: &Op, rivals: &[usize]) -> Clock {
        let joined = op.joins.and_then(|task| self.last.get(task.0 as usize).copied().flatten());
        let mut clock = self.moved.clone();
        for step in op.since.into_iter().chain(joined).chain(rivals.iter().copied()) {
            join(&mut clock, &self.clocks[step]);
        }
        clock
    }

    /// True if `first` happens before `second`, or is it.
    pub(super) fn before(&self, first: usize, second: usize) -> bool {
        self.knows(&self.clocks[second], first)
    }

    fn knows(&self, clock: &Clock, step: usize) -> bool {
        let task = self.run.op(step).task.0 as usize;
        clock.get(task).is_some_and(|known| *known >= self.nth[step])
    }

    /// The number of a step among those of its task, from 1.
    pub(super) fn nth(&self, step: usize) -> u32 {
        self.nth[step]
    }

    pub(super) fn clock(&self, step: usize) -> &Clock {
        &self.clocks[step]
    }

    fn conflict(&self, first: Access, second: Access) -> bool {
        let dropped = self.sabotage == Some(Sabotage::Dependency);
        first.conflicts(second) && !(dropped && (first, second) == (Access::Read, Access::Write))
    }
}

fn join(clock: &mut Clock, other: &Clock) {
    clock.resize(clock.len().max(other.len()), 0);
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

/// True if the order of two operations that touch these can matter.
pub(super) fn conflicts(a: &Footprint, b: &Footprint) -> bool {
    a.iter().any(|(object, access)| b.iter().any(|(other, how)| object == other && access.conflicts(*how)))
}
