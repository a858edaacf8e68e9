//! `sync.WaitGroup`.

use crate::panics::{panic_at, recover};
use crate::{Edges, go};
use bohr_kernel::{Access, Clock, Name, Obj, Shadow, TaskId};
use std::panic::Location;

/// A counter that goroutines wait for, as `sync.WaitGroup` (sync/waitgroup.go).
///
/// An `Add` that brings the counter to 0 while somebody waits, and a `Wait` that has to sleep, are two
/// steps each, between which others may come. A sleeping `Wait` is woken by a permit that is addressed
/// to nobody: a `Wait` of the next round can take it.
///
/// Panics: `sync: negative WaitGroup counter`; `sync: WaitGroup misuse: Add called concurrently with
/// Wait`; `sync: WaitGroup is reused before previous Wait has returned`.
#[derive(Copy, Clone, Debug)]
pub struct WaitGroup(Obj<State>);

struct State {
    counter: i32,
    waiters: u32,
    /// Permits of the semaphore.
    permits: u32,
    clock: Clock,
    edges: Edges,
    /// What the detector takes `Add` for reading and the first `Wait` for writing.
    shadow: Shadow,
    name: Name,
}

const NEGATIVE: &str = "sync: negative WaitGroup counter";
const MISUSE: &str = "sync: WaitGroup misuse: Add called concurrently with Wait";
const REUSED: &str = "sync: WaitGroup is reused before previous Wait has returned";

impl WaitGroup {
    /// One whose counter is 0.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        Self::with_edges(name, Edges::Spec)
    }

    /// One with the given edges. The detector reports an `Add` that starts a round and the first `Wait`
    /// of a round as a data race if nothing orders them.
    #[track_caller]
    pub fn with_edges(name: impl Into<Name>, edges: Edges) -> Self {
        let name = name.into();
        let state = State {
            counter: 0,
            waiters: 0,
            permits: 0,
            clock: Clock::new(),
            edges,
            shadow: Shadow::default(),
            name: name.clone(),
        };
        WaitGroup(Obj::create("sync.WaitGroup", name, state))
    }

    /// Adds to the counter, and wakes those who wait when it becomes 0.
    #[track_caller]
    pub fn add(&self, delta: i32) {
        self.change("Add", delta);
    }

    /// Takes 1 off the counter.
    #[track_caller]
    pub fn done(&self) {
        self.change("Done", -1);
    }

    /// Waits until the counter is 0. Blocked goroutines show `sync.WaitGroup.Wait`.
    #[track_caller]
    pub fn wait(&self) {
        let zero = self.0.op("Wait", Access::Write).run(|s, cx| {
            cx.note(|| format!("counter {}", s.counter));
            if s.counter == 0 {
                cx.acquire(&s.clock);
                return true;
            }
            s.waiters += 1;
            if s.edges == Edges::Detector && s.waiters == 1 {
                cx.plain_write(&mut s.shadow, &s.name);
            }
            false
        });
        if zero {
            return;
        }
        let reused = self.0.op("Wait", Access::Write).when(|s, _| s.permits > 0).run(|s, cx| {
            s.permits -= 1;
            cx.note(|| format!("woken, counter {}, {} waiters", s.counter, s.waiters));
            cx.acquire(&s.clock);
            s.counter != 0 || s.waiters != 0
        });
        if reused {
            panic_at(REUSED, Location::caller());
        }
    }

    /// Runs `f` in a goroutine that the group waits for: `WaitGroup.Go`. If `f` panics the process dies
    /// of it, and `Done` is not called.
    #[track_caller]
    pub fn go(&self, name: impl Into<Name>, f: impl FnOnce() + Send + 'static) -> TaskId {
        self.add(1);
        let group = *self;
        go(name, move || match recover(f) {
            Ok(()) => group.done(),
            Err(panic) => panic.repanic(),
        })
    }

    #[track_caller]
    fn change(&self, label: &'static str, delta: i32) {
        let site = Location::caller();
        let to_wake = self.0.op(label, Access::Write).run(|s, cx| {
            if delta < 0 {
                cx.release_merge(&mut s.clock);
            }
            s.counter = s.counter.wrapping_add(delta);
            cx.note(|| format!("counter {}", s.counter));
            let starts = delta > 0 && s.counter == delta;
            if s.edges == Edges::Detector && starts {
                cx.plain_read(&mut s.shadow, &s.name);
            }
            if s.counter < 0 {
                Err(NEGATIVE)
            } else if s.waiters != 0 && starts {
                Err(MISUSE)
            } else {
                Ok(if s.counter == 0 { s.waiters } else { 0 })
            }
        });
        let to_wake = to_wake.unwrap_or_else(|text| panic_at(text, site));
        if to_wake == 0 {
            return;
        }
        let changed = self.0.op(label, Access::Write).run(|s, cx| {
            if s.counter != 0 || s.waiters != to_wake {
                return true;
            }
            s.waiters = 0;
            s.permits += to_wake;
            cx.note(|| format!("wakes {to_wake}"));
            false
        });
        if changed {
            panic_at(MISUSE, site);
        }
    }
}
