//! Depth-first search over all schedules.

use bohr_kernel::{Kernel, Outcome, Point, Strategy};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What a search leaves out.
#[derive(Copy, Clone, Debug, Default)]
pub struct Bounds {
    /// No schedule with more preemptions than this (context bounding; Musuvathi & Qadeer, "Iterative
    /// Context Bounding for Systematic Testing of Multithreaded Programs", PLDI 2007).
    pub preemptions: Option<u32>,
    /// Stop after this many runs.
    pub runs: Option<u64>,
    /// Visit a state once: give a run up where an earlier one was in a state reached by the same
    /// operations, up to the order of those that commute (happens-before caching; see
    /// [`Kernel::state_hash`]).
    pub cache: bool,
    /// Visit it again where it is reached in fewer steps, so that no shortest run is left out.
    pub shortest: bool,
}

/// How a search goes on after a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// It ends.
    Stop,
    /// It goes on.
    GoOn,
    /// It goes on with runs of fewer steps than this; others are given up (branch and bound).
    OnlyShorter(u32),
}

impl From<bool> for After {
    /// True to go on.
    fn from(on: bool) -> Self {
        if on { After::GoOn } else { After::Stop }
    }
}

/// Depth-first search: every run takes the last choice of the one before that has an alternative left.
pub struct Dfs<F> {
    bounds: Bounds,
    path: Vec<Level>,
    depth: usize,
    /// The fewest preemptions and steps with which each state was reached.
    seen: HashMap<u64, (u32, u32)>,
    shorter_than: u32,
    /// How many runs began, and how many of them went to their end.
    runs: u64,
    complete: u64,
    finished: bool,
    stopped: bool,
    sink: F,
}

/// How a search ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// True if every schedule within the bounds has been covered.
    pub all: bool,
    /// The number of runs, those given up at a known state included.
    pub runs: u64,
    /// The number of runs that went to their end.
    pub complete: u64,
    /// The number of distinct states at choices; 0 unless the search kept them.
    pub states: u64,
}

struct Level {
    chosen: u32,
    of: u32,
}

impl<A: Into<After>, F: FnMut(Outcome) -> A> Dfs<F> {
    /// A search that hands every complete run to `sink` and goes on as that says.
    pub fn new(bounds: Bounds, sink: F) -> Self {
        Dfs {
            bounds,
            path: Vec::new(),
            depth: 0,
            seen: HashMap::new(),
            shorter_than: u32::MAX,
            runs: 0,
            complete: 0,
            finished: false,
            stopped: false,
            sink,
        }
    }

    /// How far the search got.
    pub fn exhausted(&self) -> Exhausted {
        Exhausted {
            all: self.finished && !self.stopped,
            runs: self.runs,
            complete: self.complete,
            states: self.seen.len() as u64,
        }
    }

    fn backtrack(&mut self) {
        while let Some(last) = self.path.last_mut() {
            if last.chosen + 1 < last.of {
                last.chosen += 1;
                return;
            }
            self.path.pop();
        }
        self.finished = true;
    }

    /// Alternatives within the bound: all, or only staying once the preemptions are used up.
    fn allowed(&self, kernel: &Kernel, point: &Point<'_>) -> u32 {
        let preemptible = matches!(point, Point::Task { current: Some(_), .. });
        let spent = self.bounds.preemptions.is_some_and(|bound| kernel.preemptions() >= bound);
        if preemptible && spent { 1 } else { point.alternatives() }
    }

    /// True if an earlier run was here with no fewer preemptions left.
    fn known(&mut self, kernel: &Kernel, point: &Point<'_>) -> bool {
        if !self.bounds.cache {
            return false;
        }
        let place = match point {
            Point::Task { current, .. } if self.bounds.preemptions.is_some() => {
                current.map_or(1, |t| u64::from(t.0) + 2)
            }
            Point::Task { .. } => 0,
            Point::Value { of } => u64::from(*of) << 32,
        };
        let state = kernel.state_hash() ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let preemptions = if self.bounds.preemptions.is_some() { kernel.preemptions() } else { 0 };
        let steps = if self.bounds.shortest { kernel.steps() } else { 0 };
        match self.seen.entry(state) {
            Entry::Occupied(before) if before.get().0 <= preemptions && before.get().1 <= steps => true,
            entry => {
                entry.insert_entry((preemptions, steps));
                false
            }
        }
    }
}

impl<A: Into<After>, F: FnMut(Outcome) -> A + 'static> Strategy for Dfs<F> {
    fn begin(&mut self) -> bool {
        if self.finished || self.stopped {
            return false;
        }
        if self.bounds.runs.is_some_and(|most| self.runs >= most) {
            self.stopped = true;
            return false;
        }
        self.runs += 1;
        self.depth = 0;
        true
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        if self.depth == self.path.len() {
            if kernel.steps() >= self.shorter_than || self.known(kernel, point) {
                return None;
            }
            self.path.push(Level { chosen: 0, of: self.allowed(kernel, point) });
        }
        self.depth += 1;
        Some(self.path[self.depth - 1].chosen)
    }

    fn end(&mut self, outcome: Outcome) {
        self.backtrack();
        if !outcome.abandoned {
            self.complete += 1;
            match (self.sink)(outcome).into() {
                After::Stop => self.stopped = true,
                After::GoOn => {}
                After::OnlyShorter(steps) => self.shorter_than = steps,
            }
        }
    }
}
