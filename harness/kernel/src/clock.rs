//! Vector clocks: which step happened before which.
//!
//! Mattern, "Virtual Time and Global States of Distributed Systems" (1989). Only *synchronisation*
//! moves these clocks: an action [acquires](crate::Cx::acquire) and [releases](crate::Cx::release)
//! through a [`Clock`] in its object's state. The order in which the scheduler happened to run two
//! steps leaves no mark here, which is what lets a data race be seen in a run where the accesses
//! were far apart.

use crate::TaskId;

/// A vector clock: for each task, how many of its release intervals are known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Clock {
    // Most programs have no more tasks, and eight numbers are learned by one instruction.
    first: [u32; FIRST],
    /// Those of the tasks behind the first, as far as they are not 0 anyway.
    rest: Vec<u32>,
}

const FIRST: usize = 8;

impl Clone for Clock {
    fn clone(&self) -> Self {
        // Spares the call that cloning an empty vector is.
        let rest = if self.rest.is_empty() { Vec::new() } else { self.rest.clone() };
        Clock { first: self.first, rest }
    }

    fn clone_from(&mut self, other: &Self) {
        self.first = other.first;
        if !(self.rest.is_empty() && other.rest.is_empty()) {
            self.rest.clone_from(&other.rest);
        }
    }
}

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
    #[inline]
    pub fn join(&mut self, other: &Clock) {
        for (mine, theirs) in self.first.iter_mut().zip(&other.first) {
            *mine = (*mine).max(*theirs);
        }
        if !other.rest.is_empty() {
            self.reach(other.rest.len());
            for (mine, theirs) in self.rest.iter_mut().zip(&other.rest) {
                *mine = (*mine).max(*theirs);
            }
        }
    }

    #[inline]
    pub(crate) fn tick(&mut self, task: TaskId) {
        match self.first.get_mut(task.index()) {
            Some(time) => *time += 1,
            None => {
                let place = task.index() - FIRST;
                self.reach(place + 1);
                self.rest[place] += 1;
            }
        }
    }

    #[cold]
    fn reach(&mut self, rest: usize) {
        self.rest.resize(self.rest.len().max(rest), 0);
    }

    pub(crate) fn epoch(&self, task: TaskId) -> Epoch {
        Epoch { task, time: self.time(task) }
    }

    /// True if what happened in `epoch` happened before whatever has this clock.
    pub(crate) fn knows(&self, epoch: Epoch) -> bool {
        epoch.time <= self.time(epoch.task)
    }

    #[inline]
    fn time(&self, task: TaskId) -> u32 {
        let rest = || self.rest.get(task.index() - FIRST).copied().unwrap_or(0);
        self.first.get(task.index()).copied().unwrap_or_else(rest)
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
        lock.clone_from(&ca);
        ca.tick(a);
        let late = ca.epoch(a);
        assert!(!cb.knows(write));
        cb.join(&lock);
        assert!(cb.knows(write));
        assert!(!cb.knows(late), "what came after the release stays unordered");
    }
    #[test]
    fn tasks_behind_the_first_are_known_too() {
        let (near, far) = (TaskId(1), TaskId(20));
        let (mut a, mut b) = (Clock::new(), Clock::new());
        a.tick(far);
        b.tick(near);
        b.tick(far);
        b.tick(far);
        let (early, late) = (a.epoch(far), b.epoch(far));
        assert!(b.knows(early) && !a.knows(late) && !Clock::new().knows(early));
        let mut joined = a.clone();
        joined.join(&b);
        assert_eq!(joined, b);
        joined.clone_from(&a);
        assert_eq!(joined, a);
    }
}
