//! Partial order sampling.

use super::random::{Policy, Rng};
use bohr_kernel::{Kernel, Point, TaskId};

/// Yuan, Yang & Gu, "Partial order aware concurrency sampling" (CAV 2018), section 4: every operation has a
/// random priority, and the highest of the enabled ones runs. Those that conflict with it get a new one, since
/// else an operation that has lost once would lose against all that come later, too.
///
/// An operation that waits for its guard is on the board as well, and counts among those that conflict.
#[derive(Clone, Debug)]
pub struct Pos {
    rng: Rng,
    /// Of what each task has published, by task id; not drawn yet if 0.
    priorities: Vec<u64>,
}

/// Drawn priorities are above.
const NOT_DRAWN: u64 = 0;

impl Pos {
    /// The schedules of a seed.
    pub fn new(seed: u64) -> Self {
        Pos { rng: Rng::salted(seed, "pos"), priorities: Vec::new() }
    }

    fn priority(&mut self, task: TaskId) -> u64 {
        let task = task.0 as usize;
        if self.priorities.len() <= task {
            self.priorities.resize(task + 1, NOT_DRAWN);
        }
        let priority = &mut self.priorities[task];
        if *priority == NOT_DRAWN {
            *priority = self.rng.next() | 1;
        }
        *priority
    }
}

impl Policy for Pos {
    fn begin(&mut self) {
        self.priorities.clear();
    }

    fn sees_steps(&self) -> bool {
        true
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        let Some(runs) = kernel.published(task) else { return };
        for (other, priority) in (0..).map(TaskId).zip(&mut self.priorities) {
            // Also of the task itself: its next operation is another one.
            let redrawn = *priority != NOT_DRAWN && kernel.published(other).is_none_or(|o| o.conflicts(runs));
            if redrawn || other == task {
                *priority = NOT_DRAWN;
            }
        }
    }

    fn choose(&mut self, _: &Kernel, point: &Point<'_>) -> u32 {
        let Point::Task { enabled, .. } = point else { return self.rng.below(point.alternatives()) };
        let highest = enabled.iter().copied().max_by_key(|task| self.priority(*task));
        highest.and_then(|task| point.choice_of(task)).expect("some task is enabled")
    }
}
