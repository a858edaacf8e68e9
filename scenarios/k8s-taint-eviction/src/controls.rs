//! Other correct forms of the queue. That the oracles pass them shows that they are not simply strict.

use crate::fixed;
use crate::queue::{Flow, Path, Queue};
use crate::world::{Entry, Key, Step, Timer, Work, WorkId};

type Fixed = fixed::Queue;

/// Work that is started at once counts as still to come until it claims its entry, so that a cancel may
/// yet win.
pub struct RefPending;

impl Queue for RefPending {
    const CLAIMS: bool = true;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        let before = step.entry(work.key).map(|entry| entry.owner);
        let flow = Fixed::update_work(step, work);
        if let Some(entry) = step.entry(work.key).filter(|entry| Some(entry.owner) != before) {
            step.store(work.key, entry.with(Timer::Armed));
        }
        flow
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, path: Path) -> bool {
        Fixed::cancel_work(step, key, path)
    }

    fn begin(step: &mut Step<'_, '_>, key: Key, id: WorkId) -> bool {
        Fixed::begin(step, key, id)
    }

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        Fixed::finish(step, key, id);
    }
}

/// The deletion of the pod leaves the entry of running work alone, too.
pub struct RefKeepOnDelete;

impl Queue for RefKeepOnDelete {
    const CLAIMS: bool = true;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        Fixed::update_work(step, work)
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        Fixed::cancel_work(step, key, Path::Evaluated)
    }

    fn begin(step: &mut Step<'_, '_>, key: Key, id: WorkId) -> bool {
        Fixed::begin(step, key, id)
    }

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        Fixed::finish(step, key, id);
    }
}

/// As since Kubernetes 1.35: a map from name *and* uid, and one loop that takes due work from it and marks
/// it running under the same lock.
pub struct SingleLoop;

impl Queue for SingleLoop {
    const KEY_HAS_UID: bool = true;
    const LOOP: bool = true;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        match step.entry(work.key) {
            Some(entry) if entry.worker.get().timer == Timer::Armed => {
                step.rearm(entry.owner, work.fire_at);
                step.store(work.key, Entry::new(entry.owner, &work, Timer::Armed));
            }
            Some(_) => {}
            None => {
                let entry = Entry::new(step.arm(&work), &work, Timer::Armed);
                step.store(work.key, entry);
            }
        }
        Flow::Done
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        Fixed::cancel_work(step, key, Path::Evaluated)
    }

    fn begin(step: &mut Step<'_, '_>, key: Key, id: WorkId) -> bool {
        Fixed::begin(step, key, id)
    }

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        Fixed::finish(step, key, id);
    }
}
