//! Wrong forms of the queue, each a change of the right one.

use crate::fixed::{self, new_entry};
use crate::queue::{Change, Flow, Path, Queue, Rest};
use crate::world::{Key, Step, Timer, Work, WorkId, Worker};
use bohr_go::Nilable;

type Fixed = fixed::Queue;

/// The worker of the entry that is there, if it runs.
fn running(step: &mut Step<'_, '_>, key: Key) -> Option<Worker> {
    let entry = step.entry(key)?;
    Some(*entry.worker.get()).filter(|worker| worker.timer == Timer::Running)
}

/// Starts or arms, and overwrites what is there.
fn replace(step: &mut Step<'_, '_>, work: Work) {
    let entry = new_entry(step, &work);
    step.store(work.key, entry);
}

/// A worker that ends removes whatever entry is there.
pub struct RefNoToken;

impl Change for RefNoToken {
    type From = Fixed;

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        step.remove_finished(key, id);
    }
}

/// A worker does not claim its entry before it acts.
pub struct RefNoClaim;

impl Change for RefNoClaim {
    type From = Fixed;

    const CLAIMS: bool = false;

    fn begin(_: &mut Step<'_, '_>, _: Key, _: WorkId) -> bool {
        true
    }
}

/// An update does not compare the uid.
pub struct RefIgnoreUid;

impl Change for RefIgnoreUid {
    type From = Fixed;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            let worker = *entry.worker.get();
            if worker.timer == Timer::Running || worker.fire_at == work.fire_at {
                return Flow::Done;
            }
            step.stop(entry.owner);
        }
        replace(step, work);
        Flow::Done
    }
}

/// Work that runs is started once more.
pub struct RefReplaceRunning;

impl Change for RefReplaceRunning {
    type From = Fixed;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if running(step, work.key).is_none() {
            return Fixed::update_work(step, work);
        }
        replace(step, work);
        Flow::Done
    }
}

/// An update never changes armed work.
pub struct RefDropAll;

impl Change for RefDropAll {
    type From = Fixed;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if step.entry(work.key).is_some() && running(step, work.key).is_none() {
            return Flow::Done;
        }
        Fixed::update_work(step, work)
    }
}

/// Cancelling running work counts as a success too; its entry is kept.
pub struct RefCancelTrueRunning;

impl Change for RefCancelTrueRunning {
    type From = Fixed;

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, path: Path) -> bool {
        let runs = running(step, key).is_some() && path == Path::Evaluated;
        Fixed::cancel_work(step, key, path) || runs
    }
}

/// A worker that ends leaves the map alone.
pub struct RefNoDeleteAtFinish;

impl Change for RefNoDeleteAtFinish {
    type From = Fixed;

    fn finish(_: &mut Step<'_, '_>, _: Key, _: WorkId) {}
}

/// Whether the work runs is looked at in a critical section of its own; the next one takes for granted
/// that it does not.
pub struct RefCheckOutsideLock;

impl Change for RefCheckOutsideLock {
    type From = Fixed;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        match running(step, work.key) {
            Some(worker) if worker.uid == work.uid => Flow::Done,
            Some(_) => {
                replace(step, work);
                Flow::Done
            }
            None => Flow::Unlocked(Rest { section: Self::update, created: None }),
        }
    }
}

impl RefCheckOutsideLock {
    fn update(step: &mut Step<'_, '_>, work: Work, _: Option<WorkId>) {
        if running(step, work.key).is_some() {
            // The timer that this section wants to stop.
            Nilable::<WorkId>::nil().get();
        }
        Fixed::update_work(step, work);
    }
}

/// The lock is given up between the checks and the creation of the new worker.
pub struct RefLockGap;

impl Change for RefLockGap {
    type From = Fixed;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            let worker = *entry.worker.get();
            let armed = worker.timer == Timer::Armed;
            if worker.uid == work.uid && (!armed || worker.fire_at == work.fire_at) {
                return Flow::Done;
            }
            if armed {
                step.stop(entry.owner);
            }
        }
        Flow::Unlocked(Rest { section: Self::create, created: None })
    }
}

impl RefLockGap {
    fn create(step: &mut Step<'_, '_>, work: Work, _: Option<WorkId>) {
        replace(step, work);
    }
}
