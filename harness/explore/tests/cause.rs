//! What decides whether a schedule fails, on programs of which a person can say it.

use bohr_explore::cause::{Cause, Decides, cause};
use bohr_explore::search::{rerun, shortest};
use bohr_explore::strategy::Bounds;
use bohr_kernel::{
    Access, Blocked, Obj, Outcome, Program, RunConfig, Step, Trace, Var, at_rest, choose, join, sleep_until,
    spawn, violated, when_blocked,
};
use std::fmt::Write;

const BUDGET: u64 = 2_000;
const CONFIG: RunConfig = RunConfig {
    record: true,
    keep_going: false,
    max_steps: 200,
    identify: false,
    eager_time: false,
    log: false,
};

/// The shortest of the failing runs with the fewest preemptions, that is what shrinking gives.
fn failing(program: &Program, config: RunConfig, text: &str) -> Outcome {
    let text = text.to_owned();
    let is_it = move |run: &Outcome| run.findings.iter().any(|f| f.text.contains(&text)).then_some(());
    let least = (0..6).find_map(|preemptions| {
        let bounds = Bounds { preemptions: Some(preemptions), cache: true, ..Bounds::default() };
        shortest(program, config, bounds, is_it.clone(), || true).0
    });
    least.expect("the program fails").0
}

/// The cause of the first failure that is found, in words, and the passing schedule, as its steps.
fn explained(program: impl Fn() + Send + Sync + 'static) -> String {
    explained_with(CONFIG, "", program)
}

fn explained_with(config: RunConfig, text: &str, program: impl Fn() + Send + Sync + 'static) -> String {
    let program = Program::new(program);
    let failing = failing(&program, config, text);
    let finding = failing.findings.iter().find(|f| f.text.contains(text)).expect("it was looked for");
    let found = cause(&program, config, finding, &failing.decisions, BUDGET).expect("it fails again");
    in_words(&found, failing.trace.as_ref().expect("it was recorded"))
}

fn in_words(cause: &Cause, failing: &Trace) -> String {
    let passing = cause.passing.as_ref();
    let words = match &cause.decides {
        Decides::Order(pair) => {
            let passing = passing.expect("a pair is shown by a passing schedule");
            let first = step(failing, pair.first);
            let second = step(passing.trace(), pair.first_in_passing);
            match pair.second {
                Some(at) => assert_eq!(step(failing, at), second, "it is the same operation in both"),
                None => assert!(pair.first_in_passing >= pair.first),
            }
            let object = &failing.objects[pair.object.0 as usize].name;
            let reached = if pair.second.is_some() { "" } else { ", which is not reached" };
            format!("{first} before {second}{reached} (on {object})")
        }
        Decides::Value(value) => {
            let where_ = value.step.map_or_else(|| "at the start".into(), |at| step(failing, at));
            format!("{} of {} chosen in {where_}, and not {}", value.chosen, value.of, value.instead)
        }
        Decides::Race(first, second) => format!("{} with {}", step(failing, *first), step(failing, *second)),
        Decides::Nothing => "no schedule passes".into(),
        Decides::Unknown => "unknown".into(),
    };
    let mut text = words;
    if let Some(passing) = passing {
        assert!(passing.outcome.findings.is_empty(), "a passing schedule shows nothing");
        let steps = passing.trace().steps.iter().filter(|s| !s.at_rest);
        let steps: Vec<String> = steps.map(|s| in_short(passing.trace(), s)).collect();
        write!(text, "; passes: {}", steps.join(", ")).expect("a string takes all");
        write!(text, "; differs from step {}", passing.first_difference + 1).expect("a string takes all");
    }
    text
}

fn step(trace: &Trace, at: u32) -> String {
    in_short(trace, &trace.steps[at as usize])
}

fn in_short(trace: &Trace, step: &Step) -> String {
    format!("{} {}", trace.tasks[step.task.0 as usize].name, step.label)
}

fn lock(mu: Obj<bool>, label: &'static str) {
    mu.op(label, Access::Write).when(|held, _| !held).run(|held, _| *held = true);
}

fn unlock(mu: Obj<bool>, label: &'static str) {
    mu.op(label, Access::Write).run(|held, _| *held = false);
}

/// The run is `a load, b load, b store, a store`. What lost the update is that `a` read before `b` wrote. (That
/// `b` read before `a` wrote would do as well, but `b store` came between.)
#[test]
fn a_lost_update_is_a_read_before_a_write() {
    let program = || {
        let counter = Obj::create("counter", "hits", 0);
        for name in ["a", "b"] {
            spawn(name, move || {
                let seen = counter.op("load", Access::Read).run(|c, _| *c);
                counter.op("store", Access::Write).run(move |c, _| *c = seen + 1);
            });
        }
        at_rest(move || {
            if counter.peek(|c| *c) != 2 {
                violated("SUM", "an update was lost");
            }
        });
    };
    assert_eq!(
        explained(program),
        "a load before b store (on hits); passes: b load, b store, a load, a store; differs from step 1"
    );
}

/// Two counters, of which only the second is read and written in two steps. That the first is touched in
/// between is no part of the cause.
#[test]
fn what_else_is_shared_is_no_part_of_the_cause() {
    let program = || {
        let first = Obj::create("counter", "first", 0);
        let second = Obj::create("counter", "second", 0);
        for name in ["a", "b"] {
            spawn(name, move || {
                first.op("add", Access::Write).run(|c, _| *c += 1);
                let seen = second.op("load", Access::Read).run(|c, _| *c);
                first.op("add again", Access::Write).run(|c, _| *c += 1);
                second.op("store", Access::Write).run(move |c, _| *c = seen + 1);
            });
        }
        at_rest(move || {
            if second.peek(|c| *c) != 2 {
                violated("SUM", "an update was lost");
            }
        });
    };
    let found = explained(program);
    assert!(found.starts_with("b load before a store (on second); "), "{found}");
}

/// A pointer is checked, cleared by another, and used.
#[test]
fn a_nil_dereference_is_a_clearing_before_a_use() {
    let program = || {
        let conn = Obj::create("*Conn", "conn", true);
        spawn("user", move || {
            if conn.op("check", Access::Read).run(|there, _| *there) {
                conn.op("use", Access::Read).run(|there, cx| {
                    if !*there {
                        cx.panic("nil pointer dereference");
                    }
                });
            }
        });
        spawn("closer", move || conn.op("clear", Access::Write).run(|there, _| *there = false));
    };
    assert_eq!(
        explained(program),
        "closer clear before user use (on conn); passes: user check, user use, closer clear; differs from step 2"
    );
}

/// Who dies has not been reached by what would have saved it: an operation that the failing run ends before.
#[test]
fn the_second_operation_may_not_be_reached() {
    let program = || {
        let latch = Obj::create("latch", "latch", 0);
        spawn("server", move || latch.op("arm", Access::Write).run(|n, _| *n += 1));
        spawn("client", move || {
            latch.op("trip", Access::Write).run(|n, cx| {
                *n -= 1;
                if *n < 0 {
                    cx.panic("negative counter");
                }
            });
        });
    };
    assert_eq!(
        explained(program),
        "client trip before server arm, which is not reached (on latch); passes: server arm, client trip; \
         differs from step 1"
    );
}

#[test]
fn a_deadlock_by_the_order_of_locks_is_a_lock_before_a_lock() {
    let program = || {
        let (x, y) = (Obj::create("Mutex", "x", false), Obj::create("Mutex", "y", false));
        let a = spawn("a", move || {
            lock(x, "lock x");
            lock(y, "lock y");
            unlock(y, "unlock y");
            unlock(x, "unlock x");
        });
        let b = spawn("b", move || {
            lock(y, "lock y");
            lock(x, "lock x");
            unlock(x, "unlock x");
            unlock(y, "unlock y");
        });
        join(a);
        join(b);
    };
    assert_eq!(
        explained(program),
        "b lock y before a lock y, which is not reached (on y); passes: a lock x, a lock y, a unlock y, \
         b lock y, a unlock x, main join, b lock x, b unlock x, b unlock y, main join; differs from step 2"
    );
}

/// A task that is left behind because the one that would have woken it looked too early.
#[test]
fn a_leak_is_a_look_before_a_wait() {
    let program = || {
        when_blocked(Blocked::GoNoLeaks);
        let waiting = Obj::create("flag", "waiting", false);
        let signal = Obj::create("chan", "signal", false);
        spawn("sleeper", move || {
            waiting.op("register", Access::Write).run(|w, _| *w = true);
            signal.op("receive", Access::Write).when(|sent, _| *sent).run(|_, _| {});
        });
        spawn("waker", move || {
            if waiting.op("look", Access::Read).run(|w, _| *w) {
                signal.op("send", Access::Write).run(|sent, _| *sent = true);
            }
        });
    };
    assert_eq!(
        explained(program),
        "waker look before sleeper register (on waiting); passes: sleeper register, waker look, waker send, \
         sleeper receive; differs from step 1"
    );
}

/// The critical section is not closed when the other comes: its end is what is waited for in vain, and that is
/// several operations away.
#[test]
fn what_is_missing_may_be_several_operations_away() {
    let program = || {
        let entry = Obj::create("queue", "entry", "none");
        spawn("updater", move || {
            entry.op("start", Access::Write).run(|e, _| *e = "busy");
            spawn("worker", move || {
                entry.op("look", Access::Read).run(|_, _| {});
                entry.op("look again", Access::Read).run(|_, _| {});
                entry.op("finish", Access::Write).run(|e, _| *e = "none");
            });
            entry.op("update", Access::Write).run(|e, cx| {
                if *e == "busy" {
                    cx.panic("nil");
                }
            });
        });
    };
    assert_eq!(
        explained(program),
        "updater update before worker finish, which is not reached (on entry); passes: updater start, \
         worker look, worker look again, worker finish, updater update; differs from step 2"
    );
}

/// Armed only after much else. That the two who write `log` keep their order rules out that `a` is simply put off
/// while `b` goes on.
#[test]
fn what_is_not_reached_is_found_behind_what_must_stay_as_it_was() {
    let program = Program::new(|| {
        let (armed, log) = (Obj::create("flag", "armed", false), Obj::create("log", "log", 0));
        let write = move || log.op("write", Access::Write).run(|l, _| *l += 1);
        spawn("a", move || {
            let armed = armed.op("look", Access::Read).run(|armed, _| *armed);
            log.op("use", Access::Add).run(move |_, cx| {
                if !armed {
                    cx.panic("not armed");
                }
            });
        });
        spawn("b", move || {
            write();
            write();
            armed.op("arm", Access::Write).run(|armed, _| *armed = true);
        });
        spawn("c", write);
    });
    // a looks; b writes; c writes; b writes; a fails.
    let failing = rerun(&program, CONFIG, vec![0, 1, 2, 1, 1]);
    let found = cause(&program, CONFIG, &failing.findings[0], &failing.decisions, BUDGET);
    assert_eq!(
        in_words(&found.expect("it fails again"), failing.trace.as_ref().expect("it was recorded")),
        "a look before b arm, which is not reached (on armed); passes: b write, c write, b write, b arm, a look, \
         a use; differs from step 1"
    );
}

/// Two flips pass. Without the flag `b` does something else altogether; with the other mode it does what it did, and
/// that is nearer.
#[test]
fn the_nearest_that_passes_is_taken() {
    let program = Program::new(|| {
        let (mode, flag) = (Obj::create("mode", "mode", 0), Obj::create("flag", "flag", None));
        let work = Obj::create("work", "work", 0);
        spawn("a", move || {
            let seen = mode.op("read mode", Access::Read).run(|m, _| *m);
            flag.op("raise", Access::Write).run(move |f, _| *f = Some(seen));
        });
        spawn("b", move || {
            let Some(seen) = flag.op("look", Access::Read).run(|f, _| *f) else { return };
            work.op("begin", Access::Write).run(|w, _| *w += 1);
            work.op("work", Access::Write).run(|w, _| *w += 1);
            work.op("use", Access::Write).run(move |_, cx| {
                if seen == 0 {
                    cx.panic("old mode");
                }
            });
        });
        spawn("c", move || mode.op("write mode", Access::Write).run(|m, _| *m = 1));
    });
    // a reads the mode, c writes it, a goes on, and then b.
    let failing = rerun(&program, CONFIG, vec![0, 2]);
    let found = cause(&program, CONFIG, &failing.findings[0], &failing.decisions, BUDGET);
    let words = in_words(&found.expect("it fails again"), failing.trace.as_ref().expect("it was recorded"));
    assert!(words.starts_with("a read mode before c write mode (on mode); "), "{words}");
}

/// Of two that are equally near, the one that differs last.
#[test]
fn of_equals_the_last_is_taken() {
    let program = || {
        let [x, y] = ["x", "y"].map(|name| Obj::create("flag", name, false));
        spawn("a", move || {
            x.op("set x", Access::Write).run(|x, _| *x = true);
            y.op("set y", Access::Write).run(|y, _| *y = true);
        });
        spawn("b", move || {
            let seen = x.op("look at x", Access::Read).run(|x, _| *x);
            y.op("look at y", Access::Read).run(move |y, cx| {
                if seen && *y {
                    cx.panic("both");
                }
            });
        });
    };
    let found = explained(program);
    assert!(found.starts_with("a set y before b look at y (on y); "), "{found}");
}

/// Neither order of the two accesses is better than the other.
#[test]
fn of_a_data_race_the_two_accesses_are_the_cause() {
    let program = || {
        let x = Var::new("x", 0);
        spawn("writer", move || x.set(1));
        spawn("reader", move || {
            x.get();
        });
    };
    assert_eq!(explained(program), "writer write with reader read");
}

#[test]
fn a_chosen_value_can_decide() {
    let program = || {
        let disk = Obj::create("disk", "disk", 0);
        spawn("writer", move || {
            disk.op("open", Access::Write).run(|_, _| {});
            let full = choose(3) == 1;
            disk.op("write", Access::Write).run(move |d, cx| {
                *d += 1;
                if full {
                    cx.panic("no space left on device");
                }
            });
        });
        spawn("other", move || disk.op("sync", Access::Read).run(|_, _| {}));
    };
    assert_eq!(
        explained(program),
        "1 of 3 chosen in writer open, and not 0; passes: writer open, writer write, other sync; \
         differs from step 3"
    );
}

#[test]
fn a_failure_of_every_schedule_has_no_order_that_decides() {
    let program = || {
        let x = Obj::create("x", "x", 0);
        for name in ["a", "b"] {
            spawn(name, move || x.op("add", Access::Write).run(|x, _| *x += 1));
        }
        at_rest(move || {
            if x.peek(|x| *x) != 3 {
                violated("SUM", "there should be three");
            }
        });
    };
    assert_eq!(explained(program), "no schedule passes");
}

/// The nearest flip, of `close` and `use`, shows another failure: what is used is then half closed. That is no
/// pass. What decides is further back.
#[test]
fn another_failure_is_not_a_pass() {
    let program = || {
        let state = Obj::create("state", "state", "open");
        spawn("owner", move || {
            state.op("half-close", Access::Write).run(|s, _| *s = "half closed");
            state.op("close", Access::Write).run(|s, _| *s = "closed");
        });
        spawn("user", move || {
            state.op("use", Access::Read).run(|s, cx| {
                if *s != "open" {
                    cx.panic(format!("used while {s}"));
                }
            });
        });
    };
    assert_eq!(
        explained_with(CONFIG, "while closed", program),
        "owner half-close before user use (on state); passes: user use, owner half-close, owner close; \
         differs from step 1"
    );
}

/// Three bugs in one: without the first, a data race and what is found at the end are left. The first has its pair all
/// the same.
#[test]
fn a_run_without_the_failure_may_end_in_another() {
    let program = || {
        let (busy, count) = (Obj::create("flag", "busy", false), Var::new("count", 0));
        spawn("owner", move || {
            busy.op("begin", Access::Write).run(|b, _| *b = true);
            busy.op("finish", Access::Write).run(|b, _| *b = false);
            count.set(1);
        });
        spawn("user", move || {
            busy.op("use", Access::Read).run(|b, cx| {
                if *b {
                    cx.fatal("used while busy");
                }
            });
            count.set(2);
        });
        at_rest(|| violated("TIDY", "nobody tidied up"));
    };
    let program = Program::new(program);
    let failing = failing(&program, CONFIG, "used while busy");
    let found = cause(&program, CONFIG, &failing.findings[0], &failing.decisions, BUDGET);
    let found = found.expect("it fails again");
    let Decides::Order(pair) = &found.decides else { panic!("{found:?}") };
    let passing = found.passing.as_ref().expect("a pair has one");
    let trace = failing.trace.as_ref().expect("it was recorded");
    assert_eq!(step(trace, pair.first), "user use");
    assert_eq!(step(passing.trace(), pair.first_in_passing), "owner finish");
    assert_eq!(passing.but.as_ref().expect("it is always violated").text, "nobody tidied up");
}

/// What is chosen only because of the other order is chosen as the run needs it.
#[test]
fn values_that_the_failing_run_did_not_choose_are_free() {
    let program = || {
        let disk = Obj::create("disk", "disk", 0);
        spawn("power", move || {
            let written = disk.op("loss", Access::Write).run(|d, _| *d);
            let kept = if written > 0 { choose(2) } else { 0 };
            disk.op("look", Access::Write).run(move |_, cx| {
                if kept == 0 {
                    cx.panic("nothing is left");
                }
            });
        });
        spawn("writer", move || disk.op("write", Access::Write).run(|d, _| *d += 1));
    };
    assert_eq!(
        explained(program),
        "power loss before writer write, which is not reached (on disk); passes: writer write, power loss, \
         power look; differs from step 1"
    );
}

/// Where each neighbour fails in another way and all schedules can be run, it is said that none passes.
#[test]
fn a_program_that_only_fails_otherwise_has_no_passing_schedule() {
    let program = Program::new(|| {
        let x = Obj::create("x", "x", 0);
        for (n, name) in ["a", "b"].into_iter().enumerate() {
            spawn(name, move || x.op("set", Access::Write).run(move |x, _| *x = n));
        }
        at_rest(move || violated("LAST", format!("the last was {}", x.peek(|x| *x))));
    });
    let failing = failing(&program, CONFIG, "the last was 1");
    let found = cause(&program, CONFIG, &failing.findings[0], &failing.decisions, BUDGET);
    let found = found.expect("it fails again");
    assert_eq!(found.decides, Decides::Nothing);
    assert!(found.passing.is_none() && found.other > 0 && found.other < found.runs, "{found:?}");
}

/// A budget that is too small says nothing, and is kept.
#[test]
fn without_runs_nothing_is_known() {
    let program = Program::new(|| {
        let x = Obj::create("x", "x", 0);
        for name in ["a", "b", "c"] {
            spawn(name, move || x.op("add", Access::Write).run(|x, _| *x += 1));
        }
        at_rest(|| violated("NEVER", "always"));
    });
    let failing = failing(&program, CONFIG, "");
    for budget in 0..5 {
        let found = cause(&program, CONFIG, &failing.findings[0], &failing.decisions, budget);
        let found = found.expect("it fails again");
        assert_eq!((found.decides, found.runs), (Decides::Unknown, budget));
    }
}

/// Both readers have to come later, so no single change passes; but some schedule does.
#[test]
fn a_schedule_that_passes_may_be_further_away() {
    let program = Program::new(|| {
        let places = ["x", "y"].map(|name| Obj::create("place", name, 0));
        let seen = Obj::create("seen", "seen", 0);
        for (n, place) in places.into_iter().enumerate() {
            spawn(["reader x", "reader y"][n], move || {
                let value = place.op("read", Access::Read).run(|p, _| *p);
                seen.op("count", Access::Add).run(move |s, _| *s += value);
            });
        }
        for (n, place) in places.into_iter().enumerate() {
            spawn(["writer x", "writer y"][n], move || place.op("write", Access::Write).run(|p, _| *p = 1));
        }
        at_rest(move || {
            if seen.peek(|s| *s) < 2 {
                violated("BOTH", "not both were seen");
            }
        });
    });
    // Without any choice, tasks run one after another.
    let failing = rerun(&program, CONFIG, Vec::new());
    let found = cause(&program, CONFIG, &failing.findings[0], &failing.decisions, BUDGET);
    let found = found.expect("it fails again");
    assert_eq!(found.decides, Decides::Unknown);
    assert!(found.passing.is_some_and(|passing| passing.outcome.findings.is_empty()));
}

/// A deadline is virtual time: nobody moves it, so it has no part in a pair.
#[test]
fn what_time_orders_cannot_come_in_the_other_order() {
    let program = || {
        let lease = Obj::create("lease", "lease", "old");
        spawn("renewer", move || {
            sleep_until(20);
            lease.op("renew", Access::Write).run(|l, _| *l = "new");
        });
        spawn("reader", move || {
            sleep_until(10);
            if lease.op("read", Access::Read).run(|l, _| *l) == "old" {
                violated("FRESH", "a read saw a lease that had run out");
            }
        });
    };
    assert_eq!(explained(program), "no schedule passes");
}

#[test]
fn a_schedule_that_does_not_fail_has_no_cause() {
    let program = Program::new(|| {
        let x = Obj::create("x", "x", 0);
        spawn("a", move || x.op("set", Access::Write).run(|x, _| *x = 1));
        spawn("b", move || {
            x.op("look", Access::Read).run(|x, cx| {
                if *x == 1 {
                    cx.panic("set");
                }
            });
        });
    });
    let failing = failing(&program, CONFIG, "set");
    let mut other = failing.findings[0].clone();
    other.text = "another".into();
    assert!(cause(&program, CONFIG, &other, &failing.decisions, BUDGET).is_none());
}
