//! `context`.

mod common;

use bohr_go::context::{Context, Error};
use bohr_go::time::sleep;
use bohr_go::{Select, go};
use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, join, now, observe, sleep_until, when_blocked};
use common::{DEADLOCK, RACE, check};
use std::time::Duration;

const NS: Duration = Duration::from_nanos(1);

fn err(context: Context) -> String {
    context.err().map_or("nil".into(), |e| e.to_string())
}

#[test]
fn cancelling_goes_down_and_not_up() {
    check(
        || {
            let root = Context::background();
            let (parent, _) = root.with_cancel("parent");
            let (middle, cancel) = parent.with_value("key", 7).with_cancel("middle");
            let (child, _) = middle.with_cancel("child");
            observe(err(child));
            cancel.cancel();
            cancel.cancel();
            child.done().recv();
            let late = middle.with_cancel("late").0;
            for context in [root, parent, middle, child, late] {
                observe(err(context));
            }
            observe(format!("{:?} {:?}", child.value::<i32>("key"), child.value::<i32>("other")));
        },
        &["nil nil nil context canceled context canceled context canceled Some(7) None"],
    );
    check(|| _ = Context::background().done().recv(), &[DEADLOCK]);
    check(|| observe(Context::background().done().is_nil()), &["true"]);
}

#[test]
fn the_cause_is_the_first() {
    check(
        || {
            let (context, cancel) = Context::background().with_cancel_cause("c");
            let (child, other) = context.with_cancel_cause("child");
            observe(format!("{:?}", context.cause()));
            cancel.cancel("why");
            cancel.cancel("again");
            other.cancel("later");
            observe(format!("{:?} {:?} {}", context.cause(), child.cause(), err(child)));
            let (plain, cancel) = Context::background().with_cancel("plain");
            cancel.cancel();
            observe(format!("{:?}", plain.cause()));
        },
        &["None Some(\"why\") Some(\"why\") context canceled Some(\"context canceled\")"],
    );
}

#[test]
fn a_deadline_is_met() {
    check(
        || {
            let (context, _) = Context::background().with_timeout("c", 5 * NS);
            let (child, _) = context.with_timeout("later", 9 * NS);
            observe(format!("{:?} {:?}", context.deadline(), child.deadline()));
            child.done().recv();
            observe(now());
            observe(err(child));
            observe(context.err() == Some(Error::DeadlineExceeded));
        },
        &["Some(5) Some(5) 5 context deadline exceeded true"],
    );
    check(
        || {
            let (context, cancel) = Context::background().with_timeout("c", 5 * NS);
            cancel.cancel();
            sleep(9 * NS);
            observe(err(context));
        },
        &["context canceled"],
    );
    check(
        || {
            let (context, _) = Context::background().with_timeout("c", Duration::ZERO);
            observe(err(context));
            let (context, _) = Context::background().with_deadline("c", 0);
            observe(err(context));
        },
        &["context deadline exceeded context deadline exceeded"],
    );
    // Cancelled at the very time: either.
    check(
        || {
            let (context, cancel) = Context::background().with_timeout("c", 5 * NS);
            sleep(5 * NS);
            cancel.cancel();
            observe(err(context));
        },
        &["context canceled", "context deadline exceeded"],
    );
}

#[test]
fn the_child_is_done_after_the_parent_and_before_cancel_returns() {
    check(
        || {
            let (parent, cancel) = Context::background().with_cancel("parent");
            let (child, _) = parent.with_cancel("child");
            let watcher = go("watcher", move || {
                parent.done().recv();
                observe(err(child));
            });
            cancel.cancel();
            let done = err(child);
            join(watcher);
            observe(done);
        },
        &["nil context canceled", "context canceled context canceled"],
    );
    // Also for a second call that comes while the first is at it.
    check(
        || {
            let (parent, cancel) = Context::background().with_cancel("parent");
            let (child, _) = parent.with_cancel("child");
            go("first", move || cancel.cancel());
            cancel.cancel();
            observe(err(child));
        },
        &["context canceled"],
    );
    // Children are cancelled in any order.
    check(
        || {
            let (parent, cancel) = Context::background().with_cancel("parent");
            let ((a, _), (b, _)) = (parent.with_cancel("a"), parent.with_cancel("b"));
            let watcher = go("watcher", move || {
                a.done().recv();
                observe(err(b));
            });
            cancel.cancel();
            join(watcher);
        },
        &["nil", "context canceled"],
    );
}

#[test]
fn a_function_runs_once_done_unless_it_is_stopped() {
    /// Whether stopping did, and how often the function ran.
    fn runs(cancel_first: bool, stop: bool) {
        let runs = Obj::create("runs", "runs", 0);
        let (context, cancel) = Context::background().with_cancel("c");
        if cancel_first {
            cancel.cancel();
        }
        let f = context.after_func("f", move || runs.op("run", Access::Write).run(|r, _| *r += 1));
        if stop {
            observe(f.stop());
            observe(f.stop());
        }
        cancel.cancel();
        at_rest(move || observe(runs.peek(|r| *r)));
    }
    check(|| runs(false, false), &["1"]);
    check(|| runs(true, false), &["1"]);
    check(|| runs(false, true), &["true false 0"]);
    check(|| runs(true, true), &["false false 1"]);
    check(
        || {
            let runs = Obj::create("runs", "runs", 0);
            let (context, cancel) = Context::background().with_cancel("c");
            let f = context.after_func("f", move || runs.op("run", Access::Write).run(|r, _| *r += 1));
            go("canceller", move || cancel.cancel());
            let stopped = f.stop();
            at_rest(move || observe(format!("{stopped} {}", runs.peek(|r| *r))));
        },
        &["true 0", "false 1"],
    );
}

#[test]
fn done_is_a_case_of_a_select() {
    check(
        || {
            let (context, cancel) = Context::background().with_cancel("c");
            let work = bohr_go::Chan::<i32>::new("work", 0);
            go("canceller", move || cancel.cancel());
            observe(Select::new().recv(&work, |_| "work").recv(&context.done(), |_| "done").run());
        },
        &["done"],
    );
}

#[test]
fn blocked_goroutines_show_gos_reason() {
    check(
        || {
            when_blocked(Blocked::GoNoLeaks);
            let (context, _) = Context::background().with_cancel("c");
            go("stuck", move || _ = context.done().recv());
        },
        &["leak: still blocked after main ended: stuck [chan receive]"],
    );
}

#[test]
fn cancelling_is_ordered_before_what_observes_it() {
    fn observed(by: fn(Context) -> bool) {
        let (context, cancel) = Context::background().with_cancel("c");
        let (child, _) = context.with_cancel("child");
        let x = Var::new("x", 0);
        go("canceller", move || {
            x.set(1);
            cancel.cancel();
        });
        if by(child) {
            x.set(2);
        }
    }
    check(|| observed(|c| c.done().recv().is_none()), &[""]);
    check(|| observed(|c| c.err().is_some()), &[""]);
    check(|| observed(|c| c.cause().is_some()), &[""]);
    check(|| observed(|c| c.err().is_none()), &["", RACE]);
    check(
        || {
            let (context, cancel) = Context::background().with_cancel("c");
            let x = Var::new("x", 0);
            context.after_func("f", move || x.set(2));
            x.set(1);
            sleep_until(1);
            cancel.cancel();
        },
        &[""],
    );
    check(
        || {
            let (context, cancel) = Context::background().with_cancel("c");
            let x = Var::new("x", 0);
            context.after_func("f", move || x.set(2));
            cancel.cancel();
            x.set(1);
        },
        &[RACE],
    );
}
