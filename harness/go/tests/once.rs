//! `sync.Once` and its functions.

mod common;

use bohr_go::{Once, OnceFunc, OnceValue, go, panic, recover};
use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, observe, when_blocked};
use common::{DEADLOCK, RACE, check};

#[test]
fn it_runs_once_and_everybody_waits_for_its_end() {
    check(
        || {
            let (once, runs) = (Once::new("once"), Obj::create("runs", "runs", 0));
            let run = move || {
                once.do_once(|| {
                    let seen = runs.op("load", Access::Read).run(|r, _| *r);
                    runs.op("store", Access::Write).run(|r, _| *r = seen + 1);
                });
                runs.op("load", Access::Read).run(|r, _| *r)
            };
            let a = go("a", move || assert_eq!(run(), 1));
            assert_eq!(run(), 1);
            bohr_kernel::join(a);
            observe(run());
        },
        &["1"],
    );
}

#[test]
fn calling_it_from_within_blocks_for_ever() {
    check(
        || {
            let once = Once::new("once");
            once.do_once(|| once.do_once(|| {}));
        },
        &[DEADLOCK],
    );
    check(
        || {
            when_blocked(Blocked::GoNoLeaks);
            let once = Once::new("once");
            go("stuck", move || once.do_once(|| once.do_once(|| {})));
        },
        &["leak: still blocked after main ended: stuck [sync.Mutex.Lock]"],
    );
}

#[test]
fn a_panic_counts_as_run() {
    check(
        || {
            let once = Once::new("once");
            observe(recover(|| once.do_once(|| panic("boom"))).is_err());
            once.do_once(|| observe("again"));
            observe("quiet");
        },
        &["true quiet"],
    );
}

#[test]
fn a_function_gives_its_value_or_panic_to_every_call() {
    check(
        || {
            let value = OnceValue::new("value", || {
                observe("called");
                7
            });
            observe(value.call());
            observe(value.call());
        },
        &["called 7 7"],
    );
    check(
        || {
            let function = OnceFunc::new("function", || panic("boom"));
            for _ in 0..3 {
                let Err(panic) = recover(|| function.call()) else { continue };
                observe(panic.message());
            }
        },
        &["boom [recovered, repanicked] boom boom"],
    );
    check(
        || {
            let x = Var::new("x", 0);
            let value = OnceValue::new("value", move || x.set(1));
            go("a", move || value.call());
            value.call();
            at_rest(move || observe(x.peek()));
        },
        &["1"],
    );
}

#[test]
fn its_end_is_ordered_before_every_return_and_nothing_else_is() {
    check(
        || {
            let (once, x) = (Once::new("once"), Var::new("x", 0));
            go("a", move || once.do_once(|| x.set(1)));
            once.do_once(|| x.set(1));
            x.get();
        },
        &[""],
    );
    check(
        || {
            let (once, x) = (Once::new("once"), Var::new("x", 0));
            go("a", move || {
                once.do_once(|| {});
                x.set(1);
            });
            once.do_once(|| {});
            x.set(2);
        },
        &[RACE],
    );
}
