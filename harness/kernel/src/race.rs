//! Data races by happens-before, as FastTrack finds them.
//!
//! Flanagan & Freund, "FastTrack: Efficient and Precise Dynamic Race Detection" (PLDI 2009). The
//! paper keeps one epoch for the last reads while they are ordered and a vector once they are not;
//! here the reads since the last write are a short list from which ordered ones drop out, which is
//! the same set and also remembers *where* each access was, for the report.

use crate::clock::Epoch;
use crate::{Clock, TaskId};
use smallvec::SmallVec;
use std::panic::Location;

/// Shadow state of one plain memory location.
#[derive(Debug, Default)]
pub struct Shadow {
    write: Option<Access>,
    reads: SmallVec<[Access; 2]>,
}

#[derive(Copy, Clone, Debug)]
pub(crate) struct Access {
    pub(crate) epoch: Epoch,
    pub(crate) write: bool,
    pub(crate) site: &'static Location<'static>,
    pub(crate) step: u32,
}

impl Shadow {
    /// Records an access and gives the earlier conflicting access that it is not ordered after.
    pub(crate) fn access(
        &mut self,
        task: TaskId,
        clock: &Clock,
        write: bool,
        site: &'static Location<'static>,
        step: u32,
    ) -> Option<Access> {
        let access = Access { epoch: clock.epoch(task), write, site, step };
        let unordered = |a: &&Access| !clock.knows(a.epoch);
        let racing_write = self.write.as_ref().filter(unordered).copied();
        if write {
            let racing = racing_write.or_else(|| self.reads.iter().find(unordered).copied());
            self.reads.clear();
            self.write = Some(access);
            racing
        } else {
            self.reads.retain(|a| !clock.knows(a.epoch));
            self.reads.push(access);
            racing_write
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks() -> (Clock, Clock) {
        let (mut a, mut b) = (Clock::new(), Clock::new());
        a.tick(TaskId(0));
        b.tick(TaskId(1));
        (a, b)
    }

    fn races(first_write: bool, second_write: bool, ordered: bool) -> bool {
        let (mut a, mut b) = clocks();
        let here = Location::caller();
        let mut shadow = Shadow::default();
        assert!(shadow.access(TaskId(0), &a, first_write, here, 0).is_none());
        if ordered {
            b.join(&a);
            a.tick(TaskId(0));
        }
        shadow.access(TaskId(1), &b, second_write, here, 1).is_some()
    }

    #[test]
    fn two_accesses_race_unless_both_read_or_one_is_ordered_after_the_other() {
        assert!(races(true, true, false));
        assert!(races(true, false, false));
        assert!(races(false, true, false));
        assert!(!races(false, false, false));
        for (first, second) in [(true, true), (true, false), (false, true)] {
            assert!(!races(first, second, true));
        }
    }

    #[test]
    fn an_old_read_is_remembered_behind_a_newer_one() {
        let (a, b) = clocks();
        let mut c = Clock::new();
        c.tick(TaskId(2));
        c.join(&b);
        let here = Location::caller();
        let mut shadow = Shadow::default();
        shadow.access(TaskId(0), &a, false, here, 0);
        shadow.access(TaskId(1), &b, false, here, 1);
        let racing = shadow.access(TaskId(2), &c, true, here, 2).map(|r| r.epoch.task);
        assert_eq!(racing, Some(TaskId(0)), "the write is ordered after T1's read, not after T0's");
    }
}
