//! `sync.Cond`.

use crate::{Edges, Mutex, RWMutex};
use bohr_kernel::{Access, Clock, Name, Obj};
use std::collections::BTreeMap;

/// What a [`Cond`] unlocks while it waits: `sync.Locker`.
pub trait Locker: Copy {
    /// Locks.
    fn lock(&self);
    /// Unlocks.
    fn unlock(&self);
}

impl Locker for Mutex {
    #[track_caller]
    fn lock(&self) {
        self.lock();
    }
    #[track_caller]
    fn unlock(&self) {
        self.unlock();
    }
}

impl Locker for RWMutex {
    #[track_caller]
    fn lock(&self) {
        self.lock();
    }
    #[track_caller]
    fn unlock(&self) {
        self.unlock();
    }
}

/// The read side of a lock: `RWMutex.RLocker`.
#[derive(Copy, Clone, Debug)]
pub struct RLocker(pub RWMutex);

impl Locker for RLocker {
    #[track_caller]
    fn lock(&self) {
        self.0.rlock();
    }
    #[track_caller]
    fn unlock(&self) {
        self.0.runlock();
    }
}

/// A condition variable, as `sync.Cond` (sync/cond.go, runtime/sema.go).
///
/// Waiters take tickets and are woken in the order of these. Nobody wakes without a signal, and a
/// signal that nobody waits for is lost.
#[derive(Copy, Clone, Debug)]
pub struct Cond<L> {
    state: Obj<State>,
    /// The lock to hold while the condition is looked at: Go's field `L`.
    pub lock: L,
}

struct State {
    /// The next ticket.
    wait: u64,
    /// Tickets below this one have been woken.
    notify: u64,
    edges: Edges,
    /// What was known to who woke a ticket.
    wakers: BTreeMap<u64, Clock>,
}

impl<L: Locker> Cond<L> {
    /// One that nobody waits for.
    #[track_caller]
    pub fn new(name: impl Into<Name>, lock: L) -> Self {
        Self::with_edges(name, lock, Edges::Spec)
    }

    /// One with the given edges. By its documentation a signal is ordered before the end of the wait
    /// that it ends; the detector knows nothing of it, so that signalling without the lock can be
    /// reported as a data race.
    #[track_caller]
    pub fn with_edges(name: impl Into<Name>, lock: L, edges: Edges) -> Self {
        let state = State { wait: 0, notify: 0, edges, wakers: BTreeMap::new() };
        Cond { state: Obj::create("sync.Cond", name, state), lock }
    }

    /// Unlocks, waits for a signal, and locks. Blocked goroutines show `sync.Cond.Wait`.
    ///
    /// Fatal if the lock is not held: `sync: unlock of unlocked mutex`.
    #[track_caller]
    pub fn wait(&self) {
        let ticket = self.state.op("Wait: take a ticket", Access::Write).run(|c, cx| {
            c.wait += 1;
            cx.note(|| format!("ticket {}", c.wait - 1));
            c.wait - 1
        });
        self.lock.unlock();
        let sleep = self.state.op("Wait", Access::Write).when_with(|c, ticket| ticket < c.notify, ticket);
        sleep.run(|c, cx| {
            if let Some(clock) = c.wakers.remove(&ticket) {
                cx.acquire(&clock);
            }
        });
        self.lock.lock();
    }

    /// Wakes the one who has waited longest, if anybody waits.
    #[track_caller]
    pub fn signal(&self) {
        self.wake("Signal", 1);
    }

    /// Wakes everybody who waits.
    #[track_caller]
    pub fn broadcast(&self) {
        self.wake("Broadcast", u64::MAX);
    }

    #[track_caller]
    fn wake(&self, label: &'static str, most: u64) {
        self.state.op(label, Access::Write).run(|c, cx| {
            let woken = c.notify..c.notify + most.min(c.wait - c.notify);
            cx.note(|| format!("wakes {}", woken.end - woken.start));
            c.notify = woken.end;
            if c.edges == Edges::Spec {
                let mut clock = Clock::new();
                cx.release(&mut clock);
                c.wakers.extend(woken.map(|ticket| (ticket, clock.clone())));
            }
        });
    }
}
