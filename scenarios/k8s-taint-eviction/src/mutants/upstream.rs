//! Wrong forms of the queue, each a change of upstream's.

use crate::queue::{Change, Flow, Path, Queue, Rest};
use crate::world::{Entry, Key, Step, Timer, Work, WorkId};
use crate::{buggy, upstream_fix};
use bohr_go::Nilable;

type Upstream = upstream_fix::Queue;

/// Work in progress is started once more, and its entry overwritten.
pub struct ReplaceRunning;

impl Change for ReplaceRunning {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key).filter(|entry| !entry.worker.is_nil()) {
            if entry.worker.get().fire_at == work.fire_at {
                return Flow::Done;
            }
            step.stop(entry.owner);
        }
        let entry = step.create_worker(&work);
        step.store(work.key, entry);
        Flow::Done
    }
}

/// The entry of work in progress is a dummy without a timer, which is stopped like any other.
pub struct Placeholder;

impl Change for Placeholder {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            if entry.worker.get().fire_at == work.fire_at {
                return Flow::Done;
            }
            Self::stop(step, entry);
        }
        let mut entry = step.create_worker(&work);
        if entry.worker.is_nil() {
            entry = Entry::new(entry.owner, &work, Timer::Nil);
        }
        step.store(work.key, entry);
        Flow::Done
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        let Some(entry) = step.entry(key) else { return false };
        Self::stop(step, entry);
        step.remove(key);
        true
    }
}

impl Placeholder {
    fn stop(step: &mut Step<'_, '_>, entry: Entry) {
        let timer = if entry.worker.get().timer == Timer::Nil { None } else { Some(entry.owner) };
        step.stop(*Nilable::from(timer).get());
    }
}

/// As [`Placeholder`], with a timer that has already fired.
pub struct ZeroTimer;

impl Change for ZeroTimer {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            if entry.worker.get().fire_at == work.fire_at {
                return Flow::Done;
            }
            step.stop(entry.owner);
        }
        let mut entry = step.create_worker(&work);
        if entry.worker.is_nil() {
            entry = Entry::new(entry.owner, &work, Timer::Armed);
        }
        step.store(work.key, entry);
        Flow::Done
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        let Some(entry) = step.entry(key) else { return false };
        step.stop(entry.owner);
        step.remove(key);
        true
    }
}

/// A worker that ends stores nil instead of removing its entry: the queue before PR #129577.
pub struct KeepNilAfterFinish;

impl Change for KeepNilAfterFinish {
    type From = Upstream;

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        step.store(key, Entry { owner: id, worker: Nilable::nil() });
    }
}

/// A worker that ends leaves the map alone.
pub struct NoDeleteAtFinish;

impl Change for NoDeleteAtFinish {
    type From = Upstream;

    fn finish(_: &mut Step<'_, '_>, _: Key, _: WorkId) {}
}

/// The worker of a new key is created before the lock is taken for its entry.
pub struct StartBeforeInsert;

impl Change for StartBeforeInsert {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if step.entry(work.key).is_some() {
            return Upstream::update_work(step, work);
        }
        let created = step.create_worker(&work).owner;
        Flow::Unlocked(Rest { section: Self::insert, created: Some(created) })
    }
}

impl StartBeforeInsert {
    fn insert(step: &mut Step<'_, '_>, work: Work, created: Option<WorkId>) {
        let owner = created.expect("the first section has created the worker");
        let entry = if work.fire_at <= work.now {
            Entry { owner, worker: Nilable::nil() }
        } else {
            Entry::new(owner, &work, Timer::Armed)
        };
        step.store(work.key, entry);
    }
}

/// An update changes no entry that is there: `AddWork`.
pub struct DropAll;

impl Change for DropAll {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if step.entry(work.key).is_some() {
            return Flow::Done;
        }
        Upstream::update_work(step, work)
    }
}

/// Cancelling work in progress counts as a success too.
pub struct CancelTrueRunning;

impl Change for CancelTrueRunning {
    type From = Upstream;

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, path: Path) -> bool {
        let known = step.entry(key).is_some();
        Upstream::cancel_work(step, key, path);
        known
    }
}

/// The nil check has a critical section of its own, before the old code's.
pub struct CheckOutsideLock;

impl Change for CheckOutsideLock {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if step.entry(work.key).is_some_and(|entry| entry.worker.is_nil()) {
            return Flow::Done;
        }
        Flow::Unlocked(Rest { section: Self::update, created: None })
    }
}

impl CheckOutsideLock {
    fn update(step: &mut Step<'_, '_>, work: Work, _: Option<WorkId>) {
        buggy::Queue::update_work(step, work);
    }
}

/// The lock is given up between the checks and the creation of the new worker.
pub struct LockGap;

impl Change for LockGap {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            if entry.worker.is_nil() || entry.worker.get().fire_at == work.fire_at {
                return Flow::Done;
            }
            step.stop(entry.owner);
        }
        Flow::Unlocked(Rest { section: Self::create, created: None })
    }
}

impl LockGap {
    fn create(step: &mut Step<'_, '_>, work: Work, _: Option<WorkId>) {
        let entry = step.create_worker(&work);
        step.store(work.key, entry);
    }
}

/// The panic is recovered around the old update, which leaves the lock locked.
pub struct RecoverLeak;

impl Change for RecoverLeak {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        let updated = bohr_go::recover(|| buggy::Queue::update_work(step, work));
        updated.unwrap_or_else(|_| {
            step.leave_queue_locked();
            Flow::Done
        })
    }
}

/// The panic is recovered around the old update, and the lock released: as good as upstream's check.
pub struct RecoverUnlock;

impl Change for RecoverUnlock {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        let updated = bohr_go::recover(|| buggy::Queue::update_work(step, work));
        updated.unwrap_or(Flow::Done)
    }
}

/// Entries have a token and a uid, as PR #141568 proposes: a worker that ends removes only its own, and an
/// update for another uid replaces the entry.
pub struct TokenUid;

impl Change for TokenUid {
    type From = Upstream;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        Self::update(step, work, |step, id| step.stop(id))
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        Self::cancel(step, key, |step, id| step.stop(id))
    }

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        if step.entry(key).is_some_and(|entry| entry.owner == id) {
            step.remove_finished(key, id);
        }
    }
}

impl TokenUid {
    fn update(step: &mut Step<'_, '_>, work: Work, stop: fn(&mut Step<'_, '_>, WorkId)) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            let worker = *entry.worker.get();
            let running = worker.timer == Timer::Running;
            if worker.uid == work.uid && (running || worker.fire_at == work.fire_at) {
                return Flow::Done;
            }
            if !running {
                stop(step, entry.owner);
            }
        }
        let entry = crate::fixed::new_entry(step, &work);
        step.store(work.key, entry);
        Flow::Done
    }

    fn cancel(step: &mut Step<'_, '_>, key: Key, stop: fn(&mut Step<'_, '_>, WorkId)) -> bool {
        let Some(entry) = step.entry(key) else { return false };
        let armed = entry.worker.get().timer == Timer::Armed;
        if armed {
            stop(step, entry.owner);
        }
        step.remove(key);
        armed
    }
}

/// As [`TokenUid`], and stopping sets a flag that a worker's first step tests (PR #134945).
pub struct TokenUidFlag;

impl Change for TokenUidFlag {
    type From = TokenUid;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        TokenUid::update(step, work, Self::stop)
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        TokenUid::cancel(step, key, Self::stop)
    }

    fn begin(step: &mut Step<'_, '_>, _: Key, id: WorkId) -> bool {
        !step.time().cancelled.contains(&id)
    }
}

impl TokenUidFlag {
    fn stop(step: &mut Step<'_, '_>, id: WorkId) {
        step.stop(id);
        if step.time().timers.contains_key(&id) {
            step.time().cancelled.insert(id);
        }
    }
}
