//! `select`.

mod common;

use bohr_go::time::{Timer, after};
use bohr_go::{Chan, Select, go};
use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, join, observe, sleep_until, when_blocked};
use common::{DEADLOCK, RACE, check};
use std::time::Duration;

const NS: Duration = Duration::from_nanos(1);

/// Receives from one of two.
fn either(a: Chan<i32>, b: Chan<i32>) -> String {
    Select::new().recv(&a, |v| format!("a{v:?}")).recv(&b, |v| format!("b{v:?}")).run()
}

fn two() -> (Chan<i32>, Chan<i32>) {
    (Chan::new("a", 1), Chan::new("b", 1))
}

#[test]
fn one_of_the_ready_cases_is_chosen() {
    check(
        || {
            let (a, b) = two();
            a.send(1);
            b.send(2);
            observe(either(a, b));
            observe(either(a, b));
        },
        &["aSome(1) bSome(2)", "bSome(2) aSome(1)"],
    );
    check(
        || {
            let (a, b) = two();
            b.send(2);
            observe(either(a, b));
            a.close();
            observe(either(a, b));
        },
        &["bSome(2) aNone"],
    );
    check(
        || {
            let (a, b) = two();
            a.send(1);
            let sent = Select::new().send(&a, 3, || "a").send(&b, 3, || "b").run();
            observe(sent);
            observe(b.len());
        },
        &["b 1"],
    );
}

#[test]
fn default_is_taken_only_if_nothing_is_ready() {
    let tried = |a: Chan<i32>| Select::new().recv(&a, |_| "a").default(|| "default").run();
    check(
        move || {
            let (a, b) = two();
            observe(tried(a));
            a.send(1);
            observe(tried(a));
            observe(tried(Chan::nil()));
            let both = Select::new().recv(&a, |_| "a").send(&b, 1, || "b").default(|| "default");
            observe(both.run());
            observe(Select::new().default(|| "alone").run());
        },
        &["default a default b alone"],
    );
}

#[test]
fn nil_channels_are_never_ready() {
    check(
        || {
            let (a, _) = two();
            a.send(1);
            observe(either(a, Chan::nil()));
        },
        &["aSome(1)"],
    );
    check(|| _ = either(Chan::nil(), Chan::nil()), &[DEADLOCK]);
}

#[test]
fn sending_on_a_closed_channel_is_ready_and_panics() {
    check(
        || {
            let (a, b) = two();
            a.close();
            b.send(1);
            Select::new().send(&a, 1, || ()).recv(&b, |_| ()).run();
        },
        &["", "panic: send on closed channel"],
    );
    // Also if it is closed while the select waits.
    check(
        || {
            let (a, b) = (Chan::new("a", 0), Chan::<i32>::new("b", 0));
            go("closer", move || a.close());
            Select::new().send(&a, 1, || ()).recv(&b, |_| ()).run();
        },
        &["panic: send on closed channel"],
    );
}

#[test]
fn who_serves_a_waiting_select_chooses_its_case() {
    // Both sends try: whichever is first finds the waiting select, and then the other does not.
    check(
        || {
            let (a, b) = (Chan::new("a", 0), Chan::new("b", 0));
            let served = Obj::create("served", "served", String::new());
            for (name, ch) in [("a", a), ("b", b)] {
                go(name, move || {
                    sleep_until(1);
                    if ch.try_send(1).is_ok() {
                        served.op("log", Access::Write).run(|s, _| s.push_str(name));
                    }
                });
            }
            let got = either(a, b);
            at_rest(move || observe(format!("{got} {}", served.peek(Clone::clone))));
        },
        &["aSome(1) a", "bSome(1) b"],
    );
    // The same without waiting for each other: a select that comes late finds nobody, since both only
    // try.
    check(
        || {
            when_blocked(Blocked::Allowed);
            let (a, b) = (Chan::new("a", 0), Chan::new("b", 0));
            go("a", move || _ = a.try_send(1));
            go("b", move || _ = b.try_send(1));
            at_rest(|| observe("quiet"));
            let got = either(a, b);
            observe(got);
        },
        &["aSome(1) quiet", "bSome(1) quiet", "quiet"],
    );
    // Both are sent by one goroutine, first to `a`: the waiting select has `a` and not `b`.
    check(
        || {
            let (a, b) = two();
            go("sender", move || {
                sleep_until(1);
                a.send(1);
                b.send(2);
            });
            observe(either(a, b));
        },
        &["aSome(1)"],
    );
    // If the select may be late, both can be there.
    check(
        || {
            let (a, b) = two();
            go("sender", move || {
                a.send(1);
                b.send(2);
            });
            observe(either(a, b));
        },
        &["aSome(1)", "bSome(2)"],
    );
}

#[test]
fn a_served_select_leaves_the_other_queues() {
    check(
        || {
            let (a, b) = (Chan::new("a", 0), Chan::new("b", 0));
            let waiting = go("waiting", move || _ = either(a, b));
            sleep_until(1);
            a.send(1);
            // Nobody waits at `b` any more, be the select awake or not yet.
            observe(b.try_send(2).is_ok());
            join(waiting);
            observe(b.try_send(2).is_ok());
        },
        &["false false"],
    );
    // Two selects meet: one sends what the other receives.
    check(
        || {
            let (a, b) = (Chan::new("a", 0), Chan::new("b", 0));
            go("other", move || Select::new().send(&a, 1, || ()).send(&b, 2, || ()).run());
            observe(either(a, b));
        },
        &["aSome(1)", "bSome(2)"],
    );
    // A goroutine does not serve itself.
    check(
        || {
            let a = Chan::new("a", 0);
            Select::new().send(&a, 1, || ()).recv(&a, |_| ()).run();
        },
        &[DEADLOCK],
    );
}

#[test]
fn blocked_goroutines_show_gos_reasons() {
    fn stuck(f: fn()) {
        when_blocked(Blocked::GoNoLeaks);
        go("stuck", f);
    }
    let leak = |reason: &str| format!("leak: still blocked after main ended: stuck [{reason}]");
    check(|| stuck(|| _ = either(two().0, two().1)), &[&leak("select")]);
    check(|| stuck(|| Select::new().run()), &[&leak("select (no cases)")]);
    check(|| stuck(|| _ = either(Chan::nil(), Chan::nil())), &[&leak("select")]);
    // With one case it is compiled to the plain operation.
    check(|| stuck(|| Select::new().recv(&two().0, |_| ()).run()), &[&leak("chan receive")]);
    check(|| stuck(|| Select::new().send(&Chan::nil(), 1, || ()).run()), &[&leak("chan send (nil chan)")]);
    check(|| stuck(|| Select::new().send(&Chan::new("full", 0), 1, || ()).run()), &[&leak("chan send")]);
}

#[test]
fn timers_are_cases_too() {
    check(
        || {
            let (a, _) = two();
            let got =
                Select::new().recv(&a, |_| "a".into()).timer(&after(5 * NS), |at| format!("timeout at {at}"));
            observe(got.run());
        },
        &["timeout at 5"],
    );
    check(
        || {
            let (a, _) = two();
            go("sender", move || {
                sleep_until(3);
                a.send(1);
            });
            observe(Select::new().recv(&a, |_| "a").timer(&after(5 * NS), |_| "timeout").run());
        },
        &["a"],
    );
    // At the same time: either.
    check(
        || {
            let (a, _) = two();
            go("sender", move || {
                sleep_until(5);
                a.send(1);
            });
            observe(Select::new().recv(&a, |_| "a").timer(&after(5 * NS), |_| "timeout").run());
        },
        &["a", "timeout"],
    );
    // The earlier of two; either if they are equally early.
    let which = |second| {
        let (a, b) = (after(5 * NS), after(second));
        Select::new().timer(&a, |_| "first").timer(&b, |_| "second").run()
    };
    check(move || observe(which(6 * NS)), &["first"]);
    check(move || observe(which(5 * NS)), &["first", "second"]);
    // One that is reset while the select waits.
    check(
        || {
            let (a, _) = two();
            let timer = Timer::new("timer", 5 * NS);
            go("resetter", move || {
                sleep_until(3);
                timer.reset(10 * NS);
            });
            observe(Select::new().recv(&a, |_| 0).timer(&timer, |at| at).run());
        },
        &["13"],
    );
}

#[test]
fn a_case_orders_like_the_operation() {
    check(
        || {
            let ((a, b), x) = (two(), Var::new("x", 0));
            go("sender", move || {
                x.set(1);
                b.send(1);
            });
            either(a, b);
            x.set(2);
        },
        &[""],
    );
    // What the select did before it is ordered before the end of the send, without a buffer.
    check(
        || {
            let (a, b, x) = (Chan::new("a", 0), Chan::new("b", 0), Var::new("x", 0));
            go("sender", move || {
                b.send(1);
                x.set(1);
            });
            x.set(2);
            either(a, b);
        },
        &[""],
    );
    check(
        || {
            let ((a, b), x) = (two(), Var::new("x", 0));
            go("sender", move || {
                b.send(1);
                x.set(1);
            });
            x.set(2);
            either(a, b);
        },
        &[RACE],
    );
    // `default` orders nothing.
    check(
        || {
            let ((a, _), x) = (two(), Var::new("x", 0));
            go("sender", move || {
                x.set(1);
                a.send(1);
            });
            if Select::new().recv(&a, |_| false).default(|| true).run() {
                x.set(2);
            }
        },
        &["", RACE],
    );
}

#[test]
fn a_lone_channel_is_in_no_select_over_several() {
    check(
        || {
            let (lone, other) = (Chan::lone("lone", 1), Chan::new("other", 1));
            lone.send(1);
            observe(Select::new().recv(&lone, |_| "one").default(|| "none").run());
            observe(either(lone, other));
        },
        &["error in the scenario's own code: a lone channel takes part in no select over several"],
    );
}

/// The cases once joined the channel's queue as they were listed, so that the second was never served to one that waits.
#[test]
fn of_two_cases_that_wait_at_one_channel_either_is_served() {
    check(
        || {
            let ch = Chan::<u32>::new("ch", 0);
            go("select", move || {
                observe(Select::new().recv(&ch, |_| "first").recv(&ch, |_| "second").run());
            });
            // It finds somebody who waits, or nobody.
            observe(ch.try_send(1).is_ok());
        },
        &["false", "true first", "true second"],
    );
}
