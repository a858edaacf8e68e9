//! `errgroup`.

mod common;

use bohr_go::context::Context;
use bohr_go::errgroup::Group;
use bohr_go::{panic, recover};
use bohr_kernel::{Access, Obj, Var, at_rest, observe};
use common::{RACE, check};

#[test]
fn wait_gives_the_first_error() {
    check(
        || {
            let group = Group::new("g");
            group.go("a", || Err("a".into()));
            group.go("b", || Err("b".into()));
            group.go("c", || Ok(()));
            observe(format!("{:?}", group.wait()));
        },
        &["Err(\"a\")", "Err(\"b\")"],
    );
    check(|| observe(format!("{:?}", Group::new("g").wait())), &["Ok(())"]);
}

#[test]
fn the_first_error_cancels() {
    check(
        || {
            let (group, context) = Group::with_context("g", Context::background());
            group.go("waits", move || {
                context.done().recv();
                Err("late".into())
            });
            group.go("fails", || Err("first".into()));
            observe(format!("{:?} {:?}", group.wait(), context.cause()));
        },
        &["Err(\"first\") Some(\"first\")"],
    );
    check(
        || {
            let (group, context) = Group::with_context("g", Context::background());
            group.go("fine", || Ok(()));
            observe(format!("{:?} {:?}", group.wait(), context.cause()));
        },
        &["Ok(()) Some(\"context canceled\")"],
    );
}

#[test]
fn a_limit_bounds_those_at_work() {
    fn most(limit: usize) {
        let (group, inside) = (Group::new("g"), Obj::create("inside", "inside", (0, 0)));
        group.set_limit(limit);
        for name in ["a", "b"] {
            group.go(name, move || {
                inside.op("enter", Access::Write).run(|(now, most), _| {
                    *now += 1;
                    *most = (*most).max(*now);
                });
                inside.op("leave", Access::Write).run(|(now, _), _| *now -= 1);
                Ok(())
            });
        }
        at_rest(move || observe(inside.peek(|(_, most)| *most)));
    }
    check(|| most(1), &["1"]);
    check(|| most(2), &["1", "2"]);
    check(
        || {
            let (group, hold) = (Group::new("g"), bohr_go::Mutex::new("hold"));
            group.set_limit(1);
            hold.lock();
            observe(group.try_go("a", move || {
                hold.lock();
                Ok(())
            }));
            observe(group.try_go("b", || Ok(())));
            let changed = recover(|| group.set_limit(2)).map_err(|p| p.message().to_owned());
            observe(changed.err().unwrap_or_default());
            hold.unlock();
            observe(group.wait().is_ok());
        },
        &["true false errgroup: modify limit while 1 goroutines in the group are still active true"],
    );
}

#[test]
fn a_panic_ends_the_process() {
    check(
        || {
            let group = Group::new("g");
            group.go("a", || panic("boom"));
        },
        &["panic: boom"],
    );
}

#[test]
fn the_work_is_ordered_before_wait() {
    fn after(waits: bool) {
        let (group, x) = (Group::new("g"), Var::new("x", 0));
        group.go("a", move || {
            x.set(1);
            Ok(())
        });
        if waits {
            let _ = group.wait();
        }
        x.set(2);
    }
    check(|| after(true), &[""]);
    check(|| after(false), &[RACE]);
}
