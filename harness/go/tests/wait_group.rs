//! `sync.WaitGroup` against its documentation and its steps.

mod common;

use bohr_go::{Edges, WaitGroup, go, panic};
use bohr_kernel::{Blocked, Var, join, observe, sleep_until, when_blocked};
use common::{DEADLOCK, RACE, check};

const NEGATIVE: &str = "panic: sync: negative WaitGroup counter";
const MISUSE: &str = "panic: sync: WaitGroup misuse: Add called concurrently with Wait";
const REUSED: &str = "panic: sync: WaitGroup is reused before previous Wait has returned";

#[test]
fn wait_waits_for_all() {
    check(
        || {
            let (wg, x, y) = (WaitGroup::new("wg"), Var::new("x", 0), Var::new("y", 0));
            wg.wait();
            wg.add(2);
            go("a", move || {
                x.set(1);
                wg.done();
            });
            go("b", move || {
                y.set(1);
                wg.done();
            });
            wg.wait();
            observe(x.get() + y.get());
        },
        &["2"],
    );
    check(
        || {
            let (wg, x) = (WaitGroup::new("wg"), Var::new("x", 0));
            wg.go("a", move || x.set(1));
            wg.wait();
            observe(x.get());
        },
        &["1"],
    );
}

#[test]
fn two_waiters_and_another_round() {
    check(
        || {
            let wg = WaitGroup::new("wg");
            wg.add(1);
            let a = go("a", move || wg.wait());
            go("b", move || wg.done());
            wg.wait();
            join(a);
            wg.add(1);
            wg.done();
            wg.wait();
            observe("through");
        },
        &["through"],
    );
}

#[test]
fn misuse_has_gos_words() {
    check(|| WaitGroup::new("wg").done(), &[NEGATIVE]);
    check(
        || {
            let wg = WaitGroup::new("wg");
            wg.add(1);
            wg.wait();
        },
        &[DEADLOCK],
    );
    // `Add` from 0 beside `Wait`: it may come before (main waits), or after.
    check(
        || {
            let wg = WaitGroup::new("wg");
            go("a", move || {
                wg.add(1);
                wg.done();
            });
            wg.wait();
            observe("through");
        },
        &["through"],
    );
    // The next round begins before the waiter has left the last: in time, before its `Wait` (which then
    // waits for the second round), or between its waking and its look; or between the two steps of the
    // `Done` that wakes it.
    check(
        || {
            let wg = WaitGroup::new("wg");
            wg.add(1);
            let last = go("last", move || wg.done());
            go("next", move || {
                wg.add(1);
                wg.done();
            });
            wg.wait();
            join(last);
            observe("through");
        },
        &["through", MISUSE, REUSED],
    );
    // If whoever adds between the two steps of `Done` recovers from its panic, `Done` panics at the
    // second: nobody else ends the round that was begun.
    check(
        || {
            let wg = WaitGroup::new("wg");
            wg.add(1);
            go("last", move || wg.done());
            go("next", move || _ = bohr_go::recover(|| wg.add(1)));
            wg.wait();
            observe("through");
        },
        &["through", DEADLOCK, REUSED, MISUSE],
    );
    // A wake-up that is addressed to nobody: the second round's `Wait` takes the permit of the first's.
    check(
        || {
            let wg = WaitGroup::new("wg");
            wg.add(1);
            go("first", move || {
                sleep_until(1);
                wg.wait();
            });
            sleep_until(2);
            wg.done();
            wg.add(1);
            wg.wait();
        },
        // Unless the first gets through before the second round begins, which nobody ends, either waiter
        // finds the counter at 1 when it takes the permit.
        &[REUSED, DEADLOCK],
    );
}

#[test]
fn a_panic_under_go_is_printed_again_and_not_done() {
    check(
        || {
            when_blocked(Blocked::Allowed);
            let wg = WaitGroup::new("wg");
            wg.go("a", || panic("boom"));
            wg.wait();
            bohr_kernel::violated("oracle", "wait returned");
        },
        &["panic: boom [recovered, repanicked]"],
    );
}

#[test]
fn blocked_goroutines_show_gos_reason() {
    check(
        || {
            when_blocked(Blocked::GoNoLeaks);
            let wg = WaitGroup::new("wg");
            wg.add(1);
            go("stuck", move || wg.wait());
        },
        &["leak: still blocked after main ended: stuck [sync.WaitGroup.Wait]"],
    );
}

#[test]
fn done_orders_before_wait_and_add_does_not() {
    check(
        || {
            let (wg, x) = (WaitGroup::new("wg"), Var::new("x", 0));
            wg.add(1);
            go("a", move || {
                wg.done();
                x.set(1);
            });
            wg.wait();
            x.set(2);
        },
        &[RACE],
    );
    check(
        || {
            let (wg, x) = (WaitGroup::new("wg"), Var::new("x", 0));
            wg.add(1);
            let a = go("a", move || {
                x.set(1);
                wg.add(1);
            });
            join(a);
            // Joining orders; a third goroutine that only waits does not know of it.
            wg.add(-2);
            wg.wait();
            x.set(2);
        },
        &[""],
    );
    check(
        || {
            // `Add` releases nothing: whoever waits learns only what `Done` knew.
            let (wg, x) = (WaitGroup::new("wg"), Var::new("x", 0));
            wg.add(1);
            go("a", move || {
                x.set(1);
                wg.add(1);
                wg.add(1);
            });
            go("b", move || {
                sleep_until(1);
                wg.add(-3);
            });
            sleep_until(2);
            wg.wait();
            x.set(2);
        },
        &[RACE],
    );
}

#[test]
fn the_detector_reports_an_add_beside_a_wait() {
    fn beside(edges: Edges) {
        let wg = WaitGroup::with_edges("x", edges);
        go("a", move || {
            wg.add(1);
            wg.done();
        });
        wg.wait();
    }
    check(|| beside(Edges::Spec), &[""]);
    // Only in runs in which the `Wait` has to sleep: otherwise it writes nothing.
    check(|| beside(Edges::Detector), &["", RACE]);
}
