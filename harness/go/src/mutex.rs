//! `sync.Mutex`.

use bohr_kernel::{Access, Clock, MultiOp, Name, Obj};

/// A mutual exclusion lock, as `sync.Mutex` (sync/mutex.go, internal/sync/mutex.go).
///
/// It belongs to no goroutine: any may unlock it. Whoever comes first after an unlock gets it, waiting
/// or just arriving; Go hands it over in order only to those who have waited for a millisecond.
#[derive(Copy, Clone, Debug)]
pub struct Mutex(Obj<State>);

struct State {
    locked: bool,
    /// A `TryLock` may fail for no reason.
    weak: bool,
    clock: Clock,
}

impl Mutex {
    /// An unlocked mutex.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        Self::create(name, false)
    }

    /// An unlocked mutex whose [`try_lock`](Mutex::try_lock) may fail although it is unlocked, as the
    /// kernel chooses. The memory model allows that, and Go's does it when another goroutine changes
    /// its state in the same moment; it doubles the schedules to explore.
    #[track_caller]
    pub fn with_weak_try_lock(name: impl Into<Name>) -> Self {
        Self::create(name, true)
    }

    #[track_caller]
    fn create(name: impl Into<Name>, weak: bool) -> Self {
        Mutex(Obj::create("sync.Mutex", name, State { locked: false, weak, clock: Clock::new() }))
    }

    /// Locks it, once it is unlocked. Blocked goroutines show `sync.Mutex.Lock`.
    #[track_caller]
    pub fn lock(&self) {
        self.0.op("Lock", Access::Write).when(|m, _| !m.locked).run(|m, cx| {
            m.locked = true;
            cx.acquire(&m.clock);
            cx.own(self.0);
            cx.note(|| "locked");
        });
    }

    /// Locks it if it is unlocked, and says whether it did. Failing orders nothing.
    #[track_caller]
    pub fn try_lock(&self) -> bool {
        MultiOp::new("TryLock").touch(self.0, Access::Write).run_choosing(
            |objects, _| {
                let m = objects.get(self.0);
                if m.weak && !m.locked { 2 } else { 1 }
            },
            |objects, cx, fails| {
                let m = objects.get_mut(self.0);
                if m.locked || fails == 1 {
                    cx.note(|| if m.locked { "held: false" } else { "false for no reason" });
                    return false;
                }
                m.locked = true;
                cx.acquire(&m.clock);
                cx.own(self.0);
                cx.note(|| "locked: true");
                true
            },
        )
    }

    /// Unlocks it, whoever locked it.
    ///
    /// Fatal: `sync: unlock of unlocked mutex`.
    #[track_caller]
    pub fn unlock(&self) {
        self.0.op("Unlock", Access::Write).run(|m, cx| {
            if !m.locked {
                cx.fatal("sync: unlock of unlocked mutex");
                return;
            }
            m.locked = false;
            cx.release(&mut m.clock);
            cx.disown(self.0);
            cx.note(|| "unlocked");
        });
    }
}
