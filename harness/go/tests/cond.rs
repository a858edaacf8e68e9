//! `sync.Cond` against its documentation.

mod common;

use bohr_go::{Cond, Edges, Locker, Mutex, RLocker, RWMutex, go};
use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, observe, sleep_until, when_blocked};
use common::{DEADLOCK, RACE, check};

#[test]
fn a_condition_is_waited_for() {
    fn handed_over<L: Locker + Send + 'static>(lock: L) {
        let (cond, ready) = (Cond::new("cond", lock), Obj::create("ready", "ready", false));
        go("a", move || {
            ready.op("set", Access::Write).run(|r, _| *r = true);
            cond.lock.lock();
            cond.broadcast();
            cond.lock.unlock();
        });
        cond.lock.lock();
        while !ready.op("look", Access::Read).run(|r, _| *r) {
            cond.wait();
        }
        cond.lock.unlock();
        observe("ready");
    }
    check(|| handed_over(Mutex::new("mu")), &["ready"]);
    check(|| handed_over(RWMutex::new("mu")), &["ready"]);
    // Under a read lock the signal can come between the look and the wait.
    check(|| handed_over(RLocker(RWMutex::new("mu"))), &["ready", DEADLOCK]);
}

#[test]
fn a_signal_that_nobody_waits_for_is_lost() {
    check(
        || {
            let cond = Cond::new("cond", Mutex::new("mu"));
            cond.signal();
            cond.broadcast();
            cond.lock.lock();
            cond.wait();
        },
        &[DEADLOCK],
    );
    // Between the unlock and the sleep there is no gap: the ticket is already taken.
    check(
        || {
            let cond = Cond::new("cond", Mutex::new("mu"));
            cond.lock.lock();
            go("a", move || {
                cond.lock.lock();
                cond.signal();
                cond.lock.unlock();
            });
            cond.wait();
            observe("woken");
        },
        &["woken"],
    );
}

#[test]
fn who_has_waited_longest_is_woken_first() {
    /// Two wait, one after the other; then both calls come.
    fn woken(wake: fn(Cond<Mutex>)) {
        when_blocked(Blocked::Allowed);
        let (cond, log) = (Cond::new("cond", Mutex::new("mu")), Obj::create("log", "log", String::new()));
        for (at, name) in [(1, "a"), (2, "b")] {
            go(name, move || {
                sleep_until(at);
                cond.lock.lock();
                cond.wait();
                log.op("log", Access::Write).run(|l, _| l.push_str(name));
                cond.lock.unlock();
            });
        }
        sleep_until(3);
        wake(cond);
        at_rest(move || observe(log.peek(Clone::clone)));
    }
    check(|| woken(|_| {}), &[""]);
    check(|| woken(|cond| cond.signal()), &["a"]);
    // Both are awake: who gets the lock first is open.
    check(|| woken(|cond| cond.broadcast()), &["ab", "ba"]);
    check(
        || {
            woken(|cond| {
                cond.signal();
                sleep_until(4);
                cond.signal();
            });
        },
        &["ab"],
    );
}

#[test]
fn misuse_has_gos_words() {
    check(|| Cond::new("cond", Mutex::new("mu")).wait(), &["fatal error: sync: unlock of unlocked mutex"]);
    check(
        || {
            when_blocked(Blocked::GoNoLeaks);
            let cond = Cond::new("cond", Mutex::new("mu"));
            go("stuck", move || {
                cond.lock.lock();
                cond.wait();
            });
        },
        &["leak: still blocked after main ended: stuck [sync.Cond.Wait]"],
    );
}

#[test]
fn a_signal_orders_before_the_wait_it_ends_but_not_for_the_detector() {
    fn without_the_lock(edges: Edges, early: bool) {
        let cond = Cond::with_edges("cond", Mutex::new("mu"), edges);
        let x = Var::new("x", 0);
        go("a", move || {
            sleep_until(1);
            if early {
                x.set(1);
            }
            cond.signal();
            if !early {
                x.set(1);
            }
        });
        cond.lock.lock();
        cond.wait();
        x.set(2);
        cond.lock.unlock();
    }
    check(|| without_the_lock(Edges::Spec, true), &[""]);
    check(|| without_the_lock(Edges::Spec, false), &[RACE]);
    check(|| without_the_lock(Edges::Detector, true), &[RACE]);
}
