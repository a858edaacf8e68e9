//! What the forms differ in: the queue, one rule of the controller's handlers, and the test.

use crate::workload::PodName;
use crate::world::{Api, Cell, Counters, Event, Key, Pod, Step, Uid, Work, WorkId};
use bohr_kernel::Guard;

/// One form of `TimedWorkerQueue`. Each function is one critical section of the queue's lock.
pub trait Queue: 'static {
    /// The key has the pod's uid in it.
    const KEY_HAS_UID: bool = false;

    /// A worker's first step looks into the queue.
    const CLAIMS: bool = false;

    /// One loop does all work, instead of a goroutine for each.
    const LOOP: bool = false;

    /// `UpdateWork`.
    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow;

    /// `CancelWork`: true if the work will not be done.
    fn cancel_work(step: &mut Step<'_, '_>, key: Key, path: Path) -> bool;

    /// The first step of a worker: whether it goes on.
    fn begin(step: &mut Step<'_, '_>, key: Key, id: WorkId) -> bool {
        let (_, _, _) = (step, key, id);
        true
    }

    /// The last step of a worker.
    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId);
}

/// A queue that is another one but for some parts: what it does not say is as there.
pub trait Change: 'static {
    /// The other one.
    type From: Queue;

    /// See [`Queue::KEY_HAS_UID`].
    const KEY_HAS_UID: bool = Self::From::KEY_HAS_UID;

    /// See [`Queue::CLAIMS`].
    const CLAIMS: bool = Self::From::CLAIMS;

    /// See [`Queue::LOOP`].
    const LOOP: bool = Self::From::LOOP;

    /// See [`Queue::update_work`].
    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        Self::From::update_work(step, work)
    }

    /// See [`Queue::cancel_work`].
    fn cancel_work(step: &mut Step<'_, '_>, key: Key, path: Path) -> bool {
        Self::From::cancel_work(step, key, path)
    }

    /// See [`Queue::begin`].
    fn begin(step: &mut Step<'_, '_>, key: Key, id: WorkId) -> bool {
        Self::From::begin(step, key, id)
    }

    /// See [`Queue::finish`].
    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        Self::From::finish(step, key, id);
    }
}

impl<C: Change> Queue for C {
    const KEY_HAS_UID: bool = <C as Change>::KEY_HAS_UID;
    const CLAIMS: bool = <C as Change>::CLAIMS;
    const LOOP: bool = <C as Change>::LOOP;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        <C as Change>::update_work(step, work)
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, path: Path) -> bool {
        <C as Change>::cancel_work(step, key, path)
    }

    fn begin(step: &mut Step<'_, '_>, key: Key, id: WorkId) -> bool {
        <C as Change>::begin(step, key, id)
    }

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        <C as Change>::finish(step, key, id);
    }
}

/// How an update goes on.
#[derive(Copy, Clone, Debug)]
pub enum Flow {
    /// It is done.
    Done,
    /// The lock is given up, and there is a second section.
    Unlocked(Rest),
}

/// The second section of an update.
#[derive(Copy, Clone, Debug)]
pub struct Rest {
    /// The section.
    pub section: fn(&mut Step<'_, '_>, Work, Option<WorkId>),
    /// What the first one has already created.
    pub created: Option<WorkId>,
}

/// What a cancel is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// C: the pod was evaluated and is to stay.
    Evaluated,
    /// D: the pod was deleted.
    Deleted,
}

/// One form of the controller's handlers.
pub trait Controller: 'static {
    /// The slice handler is registered before the first claims and pods were handled.
    const SLICES_EARLY: bool = false;

    /// Consumers are looked up in the pods that were handled, not in the informer's cache.
    const OWN_PODS: bool = false;

    /// True if an updated pod need not be evaluated again.
    fn unchanged(old: &Pod, new: &Pod) -> bool;
}

/// One form of the test.
pub trait Tester: 'static {
    /// The second wait lists the events.
    const LISTS_EVENTS: bool = false;

    /// Sleeps after the second wait.
    const SLEEPS: bool = false;

    /// Looks whether all stays as it is.
    const SETTLES: bool = true;

    /// A wait that times out is no failure.
    const IGNORES_TIMEOUT: bool = false;

    /// What the second wait is for.
    fn evicted(api: &Api, pods: u8) -> bool;

    /// What must be so, and stay so.
    fn expected(counters: &Counters, metric: u8, api: &Api, pods: u8) -> bool {
        counters.patches == pods && counters.deletes == pods && metric == pods && one_event_each(api, pods)
    }
}

/// One form of everything, as plain functions: the actors are the same code for all forms.
#[derive(Copy, Clone)]
pub struct Form {
    /// See [`Queue::KEY_HAS_UID`].
    pub key_has_uid: bool,
    /// See [`Queue::CLAIMS`].
    pub claims: bool,
    /// See [`Queue::LOOP`].
    pub work_loop: bool,
    /// See [`Queue::update_work`].
    pub update_work: fn(&mut Step<'_, '_>, Work) -> Flow,
    /// See [`Queue::cancel_work`].
    pub cancel_work: fn(&mut Step<'_, '_>, Key, Path) -> bool,
    /// See [`Queue::begin`].
    pub begin: fn(&mut Step<'_, '_>, Key, WorkId) -> bool,
    /// See [`Queue::finish`].
    pub finish: fn(&mut Step<'_, '_>, Key, WorkId),
    /// See [`Controller::SLICES_EARLY`].
    pub slices_early: bool,
    /// See [`Controller::OWN_PODS`].
    pub own_pods: bool,
    /// See [`Controller::unchanged`].
    pub unchanged: fn(&Pod, &Pod) -> bool,
    /// See [`Tester::SLEEPS`].
    pub sleeps: bool,
    /// See [`Tester::SETTLES`].
    pub settles: bool,
    /// See [`Tester::IGNORES_TIMEOUT`].
    pub ignores_timeout: bool,
    /// See [`Tester::evicted`].
    pub evicted: fn(&Api, u8) -> bool,
    /// True if the second wait can see what it waits for, which a list can only while the API server's
    /// lock is free.
    pub sees_evicted: Guard<Cell<Api>>,
    /// See [`Tester::expected`].
    pub expected: fn(&Counters, u8, &Api, u8) -> bool,
}

impl Form {
    /// Puts a form together.
    pub fn of<Q: Queue, C: Controller, T: Tester>() -> Self {
        Form {
            key_has_uid: Q::KEY_HAS_UID,
            claims: Q::CLAIMS,
            work_loop: Q::LOOP,
            update_work: Q::update_work,
            cancel_work: Q::cancel_work,
            begin: Q::begin,
            finish: Q::finish,
            slices_early: C::SLICES_EARLY,
            own_pods: C::OWN_PODS,
            unchanged: C::unchanged,
            sleeps: T::SLEEPS,
            settles: T::SETTLES,
            ignores_timeout: T::IGNORES_TIMEOUT,
            evicted: T::evicted,
            sees_evicted: |api, pods| !(T::LISTS_EVENTS && api.locked) && T::evicted(api, pods as u8),
            expected: T::expected,
        }
    }

    /// The queue's key of a pod.
    pub fn key(&self, name: PodName, uid: Uid) -> Key {
        (name, if self.key_has_uid { uid } else { 0 })
    }
}

/// True if the events are exactly one "Marking for deletion" for each pod.
pub fn one_event_each(api: &Api, pods: u8) -> bool {
    api.events.len() == usize::from(pods)
        && each_pod(pods, |uid| api.events.get(&Event::Marking(uid)) == Some(&1))
}

/// True if there is at least one "Marking for deletion" for each pod.
pub fn an_event_each(api: &Api, pods: u8) -> bool {
    each_pod(pods, |uid| api.events.contains_key(&Event::Marking(uid)))
}

fn each_pod(pods: u8, holds: impl FnMut(Uid) -> bool) -> bool {
    [PodName::A, PodName::B].iter().take(usize::from(pods)).map(|name| name.uid()).all(holds)
}
