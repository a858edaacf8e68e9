//! What decides where no constraint does.

use crate::strategy::random::Rng;
use bohr_kernel::{Kernel, TaskId};

/// One run in so many is a uniform random walk: where tasks must take turns often, priorities hardly ever do it.
const WALKS: u32 = 4;
/// The most tasks that fall below all others in a run, as in PCT for a bug depth of 4.
const MOST_FALLS: u32 = 3;
/// A task that was chosen so often in a row may wait for another by trying again and again: it falls.
const MOST_IN_A_ROW: u32 = 1_000;
/// What drawn priorities are above and lowered ones below.
const DRAWN: u64 = 1 << 63;

/// Mostly random priorities that change at a few points, as in [`Pct`](crate::strategy::Pct); sometimes a random
/// walk. Unlike there, the number of points is drawn for each run, and the length from which they are drawn
/// forgets: after one run that went round in circles, points would otherwise never come again.
#[derive(Debug, Default)]
pub(super) struct Base {
    walks: bool,
    /// By task id; the highest goes on.
    priorities: Vec<u64>,
    /// The priority that the next task to fall gets.
    lowest: u64,
    points: Vec<u32>,
    choices: u32,
    /// Who was chosen last, and how often in a row.
    in_a_row: (Option<TaskId>, u32),
    /// About how many choices the longest of the latest runs had.
    most_choices: u32,
}

impl Base {
    pub(super) fn begin_run(&mut self, rng: &mut Rng) {
        self.most_choices = (self.most_choices - self.most_choices / 64).max(self.choices);
        self.choices = 0;
        self.in_a_row = (None, 0);
        self.walks = rng.below(WALKS) == 0;
        self.priorities.clear();
        self.lowest = DRAWN;
        self.points.clear();
        if !self.walks {
            let falls = rng.below(MOST_FALLS + 1);
            self.points.extend((0..falls).map(|_| rng.below(self.most_choices.max(1))));
        }
    }

    /// A choice is due, whoever makes it.
    pub(super) fn count(&mut self, kernel: &Kernel, rng: &mut Rng) {
        if self.points.contains(&self.choices) {
            self.fall(kernel.last(), rng);
        }
        self.choices += 1;
    }

    /// One of the candidates, of which there must be one.
    pub(super) fn choose(&mut self, candidates: &[TaskId], rng: &mut Rng) -> TaskId {
        if self.walks {
            return candidates[rng.below(candidates.len() as u32) as usize];
        }
        let highest = candidates.iter().copied().max_by_key(|task| self.priority(*task, rng));
        let task = highest.expect("there is a candidate");
        let (last, times) = self.in_a_row;
        self.in_a_row = (Some(task), if last == Some(task) { times + 1 } else { 1 });
        if self.in_a_row.1 == MOST_IN_A_ROW {
            self.fall(task, rng);
            self.in_a_row = (None, 0);
        }
        task
    }

    fn fall(&mut self, task: TaskId, rng: &mut Rng) {
        self.priority(task, rng);
        self.lowest -= 1;
        self.priorities[task.0 as usize] = self.lowest;
    }

    fn priority(&mut self, task: TaskId, rng: &mut Rng) -> u64 {
        let place = task.0 as usize;
        while self.priorities.len() <= place {
            self.priorities.push(rng.next() | DRAWN);
        }
        self.priorities[place]
    }
}
