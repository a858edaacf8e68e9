//! Uniform random walk.

use super::census::Census;
use super::random::{Policy, Rng};
use bohr_kernel::{Kernel, Point, TaskId};

/// Zhao, Wolff, Mathur & Roychoudhury, "Selectively uniform concurrency testing" (ASPLOS 2025), section 3: the
/// chance of a task to run next is in proportion to the operations that it has left, those of children counted
/// that it has yet to spawn. If every task always does the same number of operations and none ever waits,
/// all schedules are equally likely.
///
/// How many operations a task does is their mean over the runs so far, and not, as in the paper, their
/// number in the first run. The first run is a random walk.
#[derive(Clone, Debug)]
pub struct Urw {
    rng: Rng,
    census: Census<Counted>,
}

#[derive(Clone, Debug, Default)]
struct Counted {
    runs: u64,
    operations: u64,
}

impl Urw {
    /// The schedules of a seed.
    pub fn new(seed: u64) -> Self {
        Urw { rng: Rng::salted(seed, "urw"), census: Census::new() }
    }

    fn note_births(&mut self, kernel: &Kernel) {
        while let Some(birth) = self.census.note_birth(kernel) {
            birth.known.runs += 1;
        }
    }
}

impl Policy for Urw {
    fn begin(&mut self) {
        self.census.begin(|known| known.operations.div_ceil(known.runs.max(1)));
    }

    fn sees_steps(&self) -> bool {
        true
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        self.note_births(kernel);
        self.census.known(task).1.operations += 1;
        self.census.had_one(task);
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> u32 {
        let Point::Task { enabled, .. } = point else { return self.rng.below(point.alternatives()) };
        self.note_births(kernel);
        // A task that is enabled has one left, whatever was expected.
        let drawn = self.rng.weighted(enabled.iter().map(|task| self.census.left(*task).max(1)));
        drawn.and_then(|place| point.choice_of(enabled[place])).expect("some task is enabled")
    }
}
