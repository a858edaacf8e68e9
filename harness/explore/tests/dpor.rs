//! How many runs a program needs, by hand: one for each way to order its conflicting operations.

use bohr_explore::search::{outcomes, prove};
use bohr_explore::strategy::Limits;
use bohr_kernel::{
    Access, Finding, Obj, Outcome, Program, RunConfig, choose, join, observe, sleep_until, spawn,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// The executions of a program, and the runs that were given up.
fn runs(program: impl Fn() + Send + Sync + 'static) -> (u64, u64) {
    runs_with(RunConfig::default(), program)
}

fn runs_with(config: RunConfig, program: impl Fn() + Send + Sync + 'static) -> (u64, u64) {
    let explored =
        prove(&Program::new(program), config, Limits { traces: true, ..Limits::default() }, |_| true);
    assert!(explored.all);
    assert_eq!(explored.traces, explored.executions, "no two executions are the same");
    (explored.executions, explored.sleep_blocked)
}

fn object() -> Obj<u32> {
    Obj::create("object", "x", 0)
}

fn read(x: Obj<u32>) {
    x.op("read", Access::Read).run(|_, _| {});
}

fn write(x: Obj<u32>) {
    x.op("write", Access::Write).run(|x, _| *x += 1);
}

fn add(x: Obj<u32>) {
    x.op("add", Access::Add).run(|x, _| *x += 1);
}

fn lock(x: Obj<u32>) {
    x.op("lock", Access::Write).when(|x, _| *x == 0).run(|x, _| *x = 1);
}

fn unlock(x: Obj<u32>) {
    x.op("unlock", Access::Write).run(|x, _| *x = 0);
}

#[test]
fn writers_of_different_objects_need_one_run() {
    let program = || {
        for _ in 0..4 {
            let x = object();
            spawn("writer", move || (0..3).for_each(|_| write(x)));
        }
    };
    assert_eq!(runs(program), (1, 0));
}

#[test]
fn ghost_state_that_steps_touch_makes_their_order_matter() {
    let program = || {
        let ghost = Obj::create("ghost", "g", Vec::new());
        for n in 0..2 {
            let x = object();
            spawn("writer", move || {
                write(x);
                let first = ghost.touch(|ghost| {
                    ghost.push(n);
                    ghost[0]
                });
                observe(format!("{n} saw {first}"));
            });
        }
    };
    assert_eq!(runs(program), (2, 0));
    // The search by state tells the two orders apart as well.
    assert_eq!(outcomes(program).len(), 2);
}

#[test]
fn a_reader_is_before_or_after_a_writer() {
    for readers in 1..=4 {
        let program = move || {
            let x = object();
            (0..readers).for_each(|_| {
                spawn("reader", move || read(x));
            });
            spawn("writer", move || write(x));
        };
        // Readers do not conflict: what counts is on which side of the write each is.
        assert_eq!(runs(program).0, 1 << readers, "{readers} readers");
    }
}

#[test]
fn writers_of_one_object_come_in_every_order() {
    for (writers, orders) in [(1, 1), (2, 2), (3, 6), (4, 24)] {
        let program = move || {
            let x = object();
            (0..writers).for_each(|_| {
                spawn("writer", move || write(x));
            });
        };
        assert_eq!(runs(program), (orders, 0), "{writers}! orders");
    }
}

#[test]
fn two_writers_with_several_writes_interleave() {
    let program = || {
        let x = object();
        spawn("a", move || (0..3).for_each(|_| write(x)));
        spawn("b", move || (0..2).for_each(|_| write(x)));
    };
    // Where the two of b are among five: 5 over 2.
    assert_eq!(runs(program).0, 10);
}

#[test]
fn adding_commutes_with_adding_and_not_with_looking() {
    let adders = |looks: bool| {
        move || {
            let x = object();
            (0..3).for_each(|_| {
                spawn("adder", move || add(x));
            });
            if looks {
                spawn("reader", move || read(x));
            }
        }
    };
    assert_eq!(runs(adders(false)), (1, 0));
    // Which of the three were added before the look: 2^3.
    assert_eq!(runs(adders(true)).0, 8);
}

#[test]
fn critical_sections_come_in_every_order() {
    for (tasks, orders) in [(2, 2), (3, 6), (4, 24)] {
        let program = move || {
            let x = object();
            let section = move || {
                lock(x);
                unlock(x);
            };
            (0..tasks).for_each(|_| {
                spawn("task", section);
            });
        };
        // A section is one piece: nobody can come between a lock and its unlock.
        assert_eq!(runs(program), (orders, 0), "{tasks}! orders");
    }
}

#[test]
fn what_is_done_before_a_lock_makes_no_difference() {
    let program = || {
        let x = object();
        (0..3).for_each(|_| {
            let own = object();
            spawn("task", move || {
                write(own);
                lock(x);
                unlock(x);
            });
        });
    };
    // 3! orders of the sections, as without the writes.
    assert_eq!(runs(program).0, 6);
}

#[test]
fn who_never_gets_the_lock_could_have_had_it() {
    let program = || {
        let x = object();
        spawn("a", move || lock(x));
        spawn("b", move || lock(x));
    };
    assert_eq!(runs(program), (2, 0));
}

#[test]
fn an_operation_on_two_objects_conflicts_on_either() {
    let program = || {
        let (x, y) = (object(), object());
        spawn("both", move || {
            let both = bohr_kernel::MultiOp::new("both").touch(x, Access::Write).touch(y, Access::Write);
            both.run(|_, _| {});
        });
        spawn("x", move || write(x));
        spawn("y", move || write(y));
    };
    // The two writes do not conflict, and each is before or after: 2 * 2.
    assert_eq!(runs(program).0, 4);
}

#[test]
fn every_value_is_explored_beside_every_order() {
    let program = || {
        let x = object();
        spawn("a", move || {
            choose(3);
            write(x);
        });
        spawn("b", move || write(x));
    };
    // Three values, two orders.
    assert_eq!(runs(program).0, 6);
}

#[test]
fn joining_waits_for_one_task_and_sees_no_other() {
    let program = || {
        let tasks: Vec<_> = (0..3).map(|_| object()).map(|x| spawn("task", move || write(x))).collect();
        tasks.into_iter().for_each(join);
    };
    // Nobody sees who ends first.
    assert_eq!(runs(program), (1, 0));
}

#[test]
fn a_child_comes_after_what_led_to_it() {
    let program = || {
        let x = object();
        spawn("parent", move || {
            write(x);
            spawn("child", move || write(x));
            write(x);
        });
    };
    // The first write is before both others, which come in either order.
    assert_eq!(runs(program).0, 2);
}

#[test]
fn virtual_time_moves_after_all_that_can_happen_before() {
    let program = || {
        let x = object();
        spawn("early", move || write(x));
        spawn("late", move || {
            sleep_until(10);
            write(x);
        });
    };
    assert_eq!(runs(program), (1, 0));
    // In eager mode time may move first, but nobody looks at the clock but the sleeper: two orders of the writes.
    assert_eq!(runs_with(RunConfig { eager_time: true, ..RunConfig::default() }, program).0, 2);
}

/// The headlines of what a program can show.
fn shows(config: RunConfig, program: impl Fn() + Send + Sync + 'static) -> Vec<String> {
    let shown: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let sink = {
        let shown = shown.clone();
        move |outcome: Outcome| {
            shown.borrow_mut().extend(outcome.findings.iter().map(Finding::headline));
            true
        }
    };
    assert!(prove(&Program::new(program), config, Limits::default(), sink).all);
    shown.take().into_iter().collect()
}

fn panics(x: Obj<u32>, text: &'static str) {
    x.op("panic", Access::Write).run(|_, cx| cx.panic(text));
}

#[test]
fn a_panic_does_not_hide_another() {
    let program = || {
        let (x, y) = (object(), object());
        spawn("a", move || panics(x, "a"));
        spawn("b", move || {
            write(y);
            panics(y, "b");
        });
    };
    // They touch nothing in common, and whichever comes first is the last.
    assert_eq!(shows(RunConfig::default(), program), ["panic: a", "panic: b"]);
    // a's panic alone; then, while that sleeps, b's write and panic.
    assert_eq!(runs(program), (2, 0));
}

#[test]
fn a_task_that_is_killed_is_killed_before_or_after_each_operation() {
    let program = || {
        let victim = object();
        let task = spawn("victim", move || (0..3).for_each(|_| write(victim)));
        let kill = move || {
            bohr_kernel::MultiOp::new("kill")
                .touch(victim, Access::Write)
                .run(|objects, cx| cx.kill(objects, task));
        };
        spawn("killer", kill);
    };
    // After 0, 1, 2 or all 3 of its writes.
    assert_eq!(runs(program).0, 4);
}

#[test]
fn a_panic_that_is_forced_hides_nothing() {
    let program = || {
        let x = object();
        spawn("locks", move || {
            lock(x);
            panics(x, "with the lock");
        });
        spawn("waits", move || {
            lock(x);
            panics(x, "first");
        });
    };
    assert_eq!(shows(RunConfig::default(), program), ["panic: first", "panic: with the lock"]);
}

#[test]
fn what_is_found_on_the_way_counts_although_the_run_is_given_up() {
    let program = || {
        let (x, y) = (object(), object());
        spawn("a", move || panics(x, "a"));
        spawn("b", move || {
            y.op("violate", Access::Write).run(|_, cx| cx.violated("oracle", "seen"));
        });
    };
    // a's panic alone; then b's violation, after which there is only a's panic, which sleeps.
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    assert_eq!(runs_with(config, program), (1, 1));
    assert_eq!(shows(config, program), ["oracle violated: seen", "panic: a"]);
}

#[test]
fn additions_that_commute_can_still_be_done_in_the_order_that_somebody_waits_for() {
    let program = || {
        let x = object();
        spawn("one", move || add(x));
        spawn("two", move || x.op("add two", Access::Add).run(|x, _| *x += 2));
        spawn("waits", move || x.op("wait", Access::Read).when(|x, _| *x == 2).run(|_, _| {}));
    };
    // Two are there only if two is added first, and then one after the wait or before; both are there in the
    // end, and nobody waits for three.
    assert_eq!(runs(program).0, 2);
}

#[test]
fn what_is_disabled_after_one_value_races_as_if_it_were_the_only_one() {
    let program = || {
        let (x, y) = (object(), object());
        spawn("holds", move || lock(x));
        spawn("chooses", move || {
            read(y);
            if choose(2) == 1 {
                lock(x);
            }
        });
    };
    // Value 0: the other lock alone. Value 1: either lock first.
    assert_eq!(runs(program).0, 3);
}
