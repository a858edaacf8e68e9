//! Other correct forms of the queue. That the oracles pass them shows that they are not simply strict.

use crate::fixed;
use crate::queue::{Change, Flow, Path, Queue};
use crate::world::{Entry, Key, Step, Timer, Work};

type Fixed = fixed::Queue;

/// Work that is started at once counts as still to come until it claims its entry, so that a cancel may
/// yet win.
pub struct RefPending;

impl Change for RefPending {
    type From = Fixed;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        let before = step.entry(work.key).map(|entry| entry.owner);
        let flow = Fixed::update_work(step, work);
        if let Some(entry) = step.entry(work.key).filter(|entry| Some(entry.owner) != before) {
            step.store(work.key, entry.with(Timer::Armed));
        }
        flow
    }
}

/// The deletion of the pod leaves the entry of running work alone, too.
pub struct RefKeepOnDelete;

impl Change for RefKeepOnDelete {
    type From = Fixed;

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        Fixed::cancel_work(step, key, Path::Evaluated)
    }
}

/// As since Kubernetes 1.35: a map from name *and* uid, and one loop that takes due work from it and marks
/// it running under the same lock.
pub struct SingleLoop;

impl Change for SingleLoop {
    type From = Fixed;

    const KEY_HAS_UID: bool = true;
    const CLAIMS: bool = false;
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
}
