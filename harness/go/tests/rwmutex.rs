//! `sync.RWMutex` against its documentation and its counters.

mod common;

use bohr_go::{RWMutex, go};
use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, join, observe, when_blocked};
use common::{DEADLOCK, RACE, check};

#[test]
fn readers_share_and_a_writer_is_alone() {
    /// How many are inside at most.
    fn most_inside(write: bool) {
        let mu = RWMutex::new("mu");
        let inside = Obj::create("inside", "inside", (0, 0));
        let visit = move |write| {
            if write {
                mu.lock()
            } else {
                mu.rlock()
            };
            inside.op("enter", Access::Write).run(|(now, most), _| {
                *now += 1;
                *most = (*most).max(*now);
            });
            inside.op("leave", Access::Write).run(|(now, _), _| *now -= 1);
            if write {
                mu.unlock()
            } else {
                mu.runlock()
            };
        };
        go("a", move || visit(false));
        go("b", move || visit(write));
        at_rest(move || observe(inside.peek(|(_, most)| *most)));
    }
    check(|| most_inside(false), &["1", "2"]);
    check(|| most_inside(true), &["1"]);
}

#[test]
fn a_pending_writer_keeps_new_readers_out() {
    // The recursive read lock: it works unless a writer comes in between.
    check(
        || {
            let mu = RWMutex::new("mu");
            mu.rlock();
            go("writer", move || {
                mu.lock();
                mu.unlock();
            });
            mu.rlock();
            mu.runlock();
            mu.runlock();
        },
        &["", DEADLOCK],
    );
}

#[test]
fn readers_that_queued_go_before_the_next_writer() {
    // Main holds the lock; `reader` queues; main unlocks and wants it again. It can have it before the
    // reader has come, but not before a reader that had queued.
    check(
        || {
            let (mu, log) = (RWMutex::new("mu"), Obj::create("log", "log", String::new()));
            let write = move |what: &'static str| log.op("log", Access::Write).run(|l, _| l.push_str(what));
            mu.lock();
            let reader = go("reader", move || {
                let waited = !mu.try_rlock();
                if waited {
                    mu.rlock();
                }
                write("r");
                mu.runlock();
            });
            mu.unlock();
            mu.lock();
            write("w");
            mu.unlock();
            join(reader);
            observe(log.peek(Clone::clone));
        },
        &["rw", "wr"],
    );
    check(
        || {
            // `log` says that the reader is in the queue: nothing but its second step is left to it.
            when_blocked(Blocked::Allowed);
            let mu = RWMutex::new("mu");
            let order = Obj::create("order", "order", String::new());
            mu.lock();
            go("reader", move || {
                mu.rlock();
                order.op("r", Access::Write).run(|o, _| o.push('r'));
            });
            go("writer", move || {
                bohr_kernel::sleep_until(1);
                mu.unlock();
                mu.lock();
                order.op("w", Access::Write).run(|o, _| o.push('w'));
            });
            at_rest(move || observe(order.peek(Clone::clone)));
        },
        // The reader queued at time 0 and never leaves: the writer stays out.
        &["r"],
    );
}

#[test]
fn trying() {
    check(
        || {
            let mu = RWMutex::new("mu");
            observe(mu.try_lock());
            observe(mu.try_lock());
            observe(mu.try_rlock());
            mu.unlock();
            observe(mu.try_rlock());
            observe(mu.try_rlock());
            observe(mu.try_lock());
            mu.runlock();
            mu.runlock();
            observe(mu.try_lock());
        },
        &["true false false true true false true"],
    );
    // Of two that try at once both can fail: one at a reader, the other at the one that tries.
    check(
        || {
            let (mu, won) = (RWMutex::new("mu"), Obj::create("won", "won", 0));
            mu.rlock();
            go("a", move || {
                if mu.try_lock() {
                    won.op("won", Access::Write).run(|w, _| *w += 1);
                }
            });
            mu.runlock();
            if mu.try_lock() {
                won.op("won", Access::Write).run(|w, _| *w += 1);
            }
            at_rest(move || observe(won.peek(|w| *w)));
        },
        &["0", "1"],
    );
}

#[test]
fn misuse_has_gos_words() {
    check(|| RWMutex::new("mu").runlock(), &["fatal error: sync: RUnlock of unlocked RWMutex"]);
    check(|| RWMutex::new("mu").unlock(), &["fatal error: sync: Unlock of unlocked RWMutex"]);
    check(
        || {
            let mu = RWMutex::new("mu");
            mu.lock();
            mu.runlock();
        },
        &["fatal error: sync: RUnlock of unlocked RWMutex"],
    );
    check(
        || {
            let mu = RWMutex::new("mu");
            mu.rlock();
            mu.unlock();
        },
        &["fatal error: sync: Unlock of unlocked RWMutex"],
    );
    // An RUnlock too many takes the place of another reader's, and nobody notices: the writer is alone
    // with a reader.
    check(
        || {
            let mu = RWMutex::new("mu");
            mu.rlock();
            mu.runlock();
            mu.rlock();
            go("wrong", move || mu.runlock());
            mu.lock();
            observe("writes beside a reader");
        },
        &["writes beside a reader"],
    );
}

#[test]
fn blocked_goroutines_show_gos_reasons() {
    type Lock = fn(RWMutex);
    fn stuck(holder: Lock, blocked: &'static [(&'static str, Lock)]) {
        when_blocked(Blocked::GoNoLeaks);
        let mu = RWMutex::new("mu");
        holder(mu);
        for (at, (name, lock)) in blocked.iter().enumerate() {
            go(*name, move || {
                bohr_kernel::sleep_until(at as u64 + 1);
                lock(mu);
            });
        }
    }
    const READ: Lock = |mu| mu.rlock();
    const WRITE: Lock = |mu| mu.lock();
    let prefix = "leak: still blocked after main ended: ";
    let leak = |who: &str| format!("{prefix}{who}");
    check(|| stuck(READ, &[("w", WRITE)]), &[&leak("w [sync.RWMutex.Lock]")]);
    check(|| stuck(WRITE, &[("r", READ)]), &[&leak("r [sync.RWMutex.RLock]")]);
    check(|| stuck(WRITE, &[("w", WRITE)]), &[&leak("w [sync.Mutex.Lock]")]);
    check(
        || stuck(READ, &[("w", WRITE), ("v", WRITE), ("r", READ)]),
        &[&leak("w [sync.RWMutex.Lock], v [sync.Mutex.Lock], r [sync.RWMutex.RLock]")],
    );
}

#[test]
fn order() {
    fn two(first: bool, second: bool, write_in_both: bool) {
        let (mu, x) = (RWMutex::new("mu"), Var::new("x", 0));
        for (name, write_lock, write) in [("a", first, true), ("b", second, write_in_both)] {
            go(name, move || {
                if write_lock {
                    mu.lock()
                } else {
                    mu.rlock()
                };
                if write {
                    x.set(1)
                } else {
                    _ = x.get()
                };
                if write_lock {
                    mu.unlock()
                } else {
                    mu.runlock()
                };
            });
        }
    }
    check(|| two(true, true, true), &[""]);
    check(|| two(true, false, true), &[""]);
    check(|| two(true, false, false), &[""]);
    // Writing under a read lock: no edge from reader to reader.
    check(|| two(false, false, true), &[RACE]);
    check(|| two(false, false, false), &[RACE]);
}
