//! Probabilistic concurrency testing.

use super::random::{Policy, Rng};
use bohr_kernel::{Kernel, Point, TaskId};

/// Burckhardt, Kothari, Musuvathi & Nagarakatte, "A randomized scheduler with probabilistic guarantees of
/// finding bugs" (ASPLOS 2010): tasks have random priorities, the highest enabled one runs, and at `depth` - 1
/// random points the task that ran last falls below all others.
///
/// As in shuttle, and unlike the paper, points are drawn from the choices of the longest run so far, a first run
/// without points finds out how many there are, and a later point always lowers further than an earlier one. And
/// unlike both, some later runs have no points either: where to be preempted ends a run early, as by a crash,
/// runs with points would never show how long one can be.
#[derive(Clone, Debug)]
pub struct Pct {
    rng: Rng,
    depth: usize,
    /// By task id; the highest runs. Grows as tasks show up.
    priorities: Vec<u64>,
    /// The priority that the next task to be lowered gets.
    lowest: u64,
    points: Vec<u32>,
    choices: u32,
    most_choices: u32,
    first: bool,
}

/// One in so many runs has no points.
const WITHOUT_POINTS: u32 = 8;

/// What drawn priorities are above and lowered ones below.
const DRAWN: u64 = 1 << 63;

impl Pct {
    /// The schedules of a seed.
    ///
    /// # Panics
    /// If `depth` is 0.
    pub fn new(seed: u64, depth: usize) -> Self {
        assert!(depth > 0, "a bug needs at least one thing to happen");
        Pct {
            rng: Rng::new(seed),
            depth,
            priorities: Vec::new(),
            lowest: DRAWN,
            points: Vec::new(),
            choices: 0,
            most_choices: 0,
            first: true,
        }
    }

    fn priority(&mut self, task: TaskId) -> u64 {
        let task = task.0 as usize;
        while self.priorities.len() <= task {
            // 63 random bits: with a hundred tasks, two are alike once in 10^15 runs.
            let drawn =
                if self.first { u64::MAX - self.priorities.len() as u64 } else { self.rng.next() | DRAWN };
            self.priorities.push(drawn);
        }
        self.priorities[task]
    }

    /// Draws distinct points from 1 on, since before the first choice nothing has run that could be lowered
    /// (Floyd's sampling: Bentley, "A sample of brilliance", CACM 1987).
    fn draw_points(&mut self) {
        self.points.clear();
        let range = self.most_choices.saturating_sub(1);
        let wanted = range.min(u32::try_from(self.depth - 1).unwrap_or(u32::MAX));
        for last in range - wanted..range {
            let drawn = 1 + self.rng.below(last + 1);
            let point = if self.points.contains(&drawn) { 1 + last } else { drawn };
            self.points.push(point);
        }
    }
}

impl Policy for Pct {
    fn begin(&mut self) {
        self.first = self.most_choices == 0;
        self.priorities.clear();
        self.lowest = DRAWN;
        self.choices = 0;
        self.draw_points();
        if self.rng.below(WITHOUT_POINTS) == 0 {
            self.points.clear();
        }
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> u32 {
        let Point::Task { enabled, .. } = point else { return self.rng.below(point.alternatives()) };
        if self.points.contains(&self.choices) {
            self.priority(kernel.last());
            self.lowest -= 1;
            self.priorities[kernel.last().0 as usize] = self.lowest;
        }
        self.choices += 1;
        self.most_choices = self.most_choices.max(self.choices);
        let highest = enabled.iter().copied().max_by_key(|task| self.priority(*task));
        highest.and_then(|task| point.choice_of(task)).expect("some task is enabled")
    }
}

#[cfg(test)]
mod tests {
    use super::Pct;
    use std::collections::BTreeSet;

    #[test]
    fn points_are_distinct_and_every_pair_is_drawn() {
        let mut pct = Pct::new(1, 3);
        let mut drawn = BTreeSet::new();
        pct.most_choices = 5;
        for _ in 0..1_000 {
            pct.draw_points();
            pct.points.sort_unstable();
            drawn.insert(pct.points.clone());
        }
        // Of 6 pairs, one is missed by a thousand draws once in 10^78 seeds.
        let pairs = (1..=4).flat_map(|a| (a + 1..=4).map(move |b| vec![a, b]));
        assert_eq!(drawn, pairs.collect());
    }

    #[test]
    fn there_are_no_more_points_than_choices() {
        for most_choices in 0..4 {
            let mut pct = Pct::new(1, 9);
            pct.most_choices = most_choices;
            pct.draw_points();
            assert_eq!(pct.points.len() as u32, most_choices.saturating_sub(1));
        }
    }
}
