//! `sync.Mutex` against its documentation.

mod common;

use bohr_go::{Mutex, go};
use bohr_kernel::{Blocked, Var, at_rest, join, observe, when_blocked};
use common::{DEADLOCK, RACE, check};

#[test]
fn what_a_lock_protects_is_not_lost() {
    check(
        || {
            let (mu, x) = (Mutex::new("mu"), Var::new("x", 0));
            let worker = move || {
                mu.lock();
                x.set(x.get() + 1);
                mu.unlock();
            };
            go("a", worker);
            go("b", worker);
            at_rest(move || observe(x.peek()));
        },
        &["2"],
    );
}

#[test]
fn any_goroutine_may_unlock() {
    check(
        || {
            let mu = Mutex::new("mu");
            mu.lock();
            go("other", move || mu.unlock());
            mu.lock();
            observe("locked again");
        },
        &["locked again"],
    );
}

#[test]
fn who_comes_last_may_be_first() {
    // Main unlocks and locks again while `a` waits: either gets it.
    check(
        || {
            let (mu, first) = (Mutex::new("mu"), Var::new("first", "nobody"));
            let claim = move |who| {
                mu.lock();
                if first.get() == "nobody" {
                    first.set(who);
                }
                mu.unlock();
            };
            mu.lock();
            go("a", move || claim("a"));
            mu.unlock();
            claim("main");
            at_rest(move || observe(first.peek()));
        },
        &["a", "main"],
    );
}

#[test]
fn trying_fails_while_it_is_held() {
    check(
        || {
            let mu = Mutex::new("mu");
            observe(mu.try_lock());
            observe(mu.try_lock());
            mu.unlock();
            observe(mu.try_lock());
        },
        &["true false true"],
    );
    // By the memory model it may fail for no reason.
    check(|| observe(Mutex::with_weak_try_lock("mu").try_lock()), &["true", "false"]);
}

#[test]
fn misuse_has_gos_words() {
    check(|| Mutex::new("mu").unlock(), &["fatal error: sync: unlock of unlocked mutex"]);
    check(
        || {
            let mu = Mutex::new("mu");
            mu.lock();
            mu.lock();
        },
        &[DEADLOCK],
    );
    check(
        || {
            when_blocked(Blocked::GoNoLeaks);
            let mu = Mutex::new("mu");
            mu.lock();
            go("stuck", move || mu.lock());
        },
        &["leak: still blocked after main ended: stuck [sync.Mutex.Lock]"],
    );
}

#[test]
fn unlock_orders_before_the_next_lock_and_nothing_else() {
    fn two(locks: [bool; 2]) {
        let (mu, x) = (Mutex::new("mu"), Var::new("x", 0));
        for (name, locks) in [("a", locks[0]), ("b", locks[1])] {
            go(name, move || {
                if locks {
                    mu.lock();
                }
                x.set(1);
                if locks {
                    mu.unlock();
                }
            });
        }
    }
    check(|| two([true, true]), &[""]);
    check(|| two([true, false]), &[RACE]);
    check(
        || {
            // What a goroutine does after its unlock is not ordered before the next lock: if main has the
            // lock first there is no race.
            let (mu, x) = (Mutex::new("mu"), Var::new("x", 0));
            let a = go("a", move || {
                mu.lock();
                mu.unlock();
                x.set(1);
            });
            mu.lock();
            x.set(2);
            mu.unlock();
            join(a);
        },
        &["", RACE],
    );
    check(
        || {
            // A failed TryLock orders nothing, a successful one does.
            let (mu, x) = (Mutex::new("mu"), Var::new("x", 0));
            mu.lock();
            go("a", move || {
                if mu.try_lock() {
                    x.set(2);
                }
            });
            x.set(1);
            mu.unlock();
        },
        &[""],
    );
    check(
        || {
            let (mu, x) = (Mutex::new("mu"), Var::new("x", 0));
            mu.lock();
            go("a", move || {
                if !mu.try_lock() {
                    x.set(2);
                }
            });
            x.set(1);
            mu.unlock();
        },
        // `a` finds it unlocked in the schedules in which it is late.
        &["", RACE],
    );
}
