//! Vector clocks: which step happened before which.
//!
//! Mattern, "Virtual Time and Global States of Distributed Systems" (1989). Only *synchronisation*
//! moves these clocks: an action [acquires](crate::Cx::acquire) and [releases](crate::Cx::release)
//! through a [`Clock`] in its object's state. The order in which the scheduler happened to run two
//! steps leaves no mark here, which is what lets a data race be seen in a run where the accesses
//! were far apart.

use crate::TaskId;
use smallvec::SmallVec;

/// A vector clock: for each task, how many of its release intervals are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock(SmallVec<[u32; 8]>);

/// One release interval of one task: FastTrack's "epoch" (Flanagan & Freund, PLDI 2009).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) task: TaskId,
    pub(crate) time: u32,
}

impl Clock {
    /// The clock that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns all that `other` knows.
    pub fn join(&mut self, other: &Clock) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Forgets everything and copies `other`, without allocating for up to eight tasks.
    pub(crate) fn assign(&mut self, other: &Clock) {
        self.0.clear();
        self.0.extend_from_slice(&other.0);
    }

    pub(crate) fn tick(&mut self, task: TaskId) {
        if self.0.len() <= task.index() {
            self.0.resize(task.index() + 1, 0);
        }
        self.0[task.index()] += 1;
    }

    pub(crate) fn epoch(&self, task: TaskId) -> Epoch {
        Epoch { task, time: self.time(task) }
    }

    /// True if what happened in `epoch` happened before whatever has this clock.
    pub(crate) fn knows(&self, epoch: Epoch) -> bool {
        epoch.time <= self.time(epoch.task)
    }

    fn time(&self, task: TaskId) -> u32 {
        self.0.get(task.index()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_known_only_after_the_acquire() {
        let (a, b) = (TaskId(0), TaskId(1));
        let (mut ca, mut cb, mut lock) = (Clock::new(), Clock::new(), Clock::new());
        ca.tick(a);
        cb.tick(b);
        let write = ca.epoch(a);
        lock.assign(&ca);
        ca.tick(a);
        let late = ca.epoch(a);
        assert!(!cb.knows(write));
        cb.join(&lock);
        assert!(cb.knows(write));
        assert!(!cb.knows(late), "what came after the release stays unordered");
    }
}
