//! The one sentence, on programs made to be told apart by it.

use crate::support::programs::{self, Mutex};
use crate::support::{decided, failing, failing_with, snapshot};
use bohr_kernel::{Access, Blocked, Obj, RunConfig, Var, at_rest, choose, spawn, violated, when_blocked};
use bohr_report::model::Decisive;
use bohr_report::schedule::{Folding, Schedule};
use bohr_report::{Case, Cause, report, text};

/// The sentence, without the places, which change with every edit of these files.
fn sentence(case: &Case) -> String {
    let words = Cause::of(case).sentence.to_string();
    let words = words.split(' ').map(|word| match word.split_once(".rs:") {
        Some((file, line)) => {
            let bracket = if file.starts_with('(') { "(" } else { "" };
            format!("{bracket}PLACE{}", line.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn check(program: impl Fn() + Send + Sync + 'static, expected: &str) {
    assert_eq!(sentence(&failing("program", program)), expected);
}

#[test]
fn three_tasks_can_wait_in_a_ring() {
    let ring = || {
        let locks = ["x", "y", "z"].map(Mutex::new);
        let ready = Obj::create("barrier", "ready", 0);
        for n in 0..3 {
            spawn(["a", "b", "c"][n], move || {
                locks[n].lock();
                ready.op("arrive", Access::Add).run(|r, _| *r += 1);
                ready.op("wait", Access::Read).when(|r, _| *r == 3).run(|_, _| {});
                locks[(n + 1) % 3].lock();
            });
        }
        when_blocked(Blocked::GoNoLeaks);
    };
    check(
        ring,
        "Main has ended, and a waits for y (sync.Mutex.Lock, PLACE), which b has held since step 3 (PLACE); \
         b waits for z (sync.Mutex.Lock, PLACE), which c has held since step 5 (PLACE); \
         c waits for x (sync.Mutex.Lock, PLACE), which a has held since step 1 (PLACE): \
         a cycle, in which each waits for the next.",
    );
}

#[test]
fn a_task_can_wait_for_nobody_at_all() {
    check(
        || {
            let c = Obj::create("chan", "jobs", false);
            c.op("receive", Access::Write).reason("chan receive").when(|sent, _| *sent).run(|_, _| {});
        },
        "main waits for jobs (chan receive, PLACE); nothing is left that could run.",
    );
}

#[test]
fn two_writes_of_tasks_with_one_name_are_told_apart() {
    check(
        || {
            let x = Var::new("x", 0);
            spawn("worker", move || x.set(1));
            spawn("worker", move || x.set(2));
        },
        "worker (T1) writes x (step 1, PLACE) and worker (T2) writes it too (step 2, PLACE), \
         and nothing that both did in between says which comes first: they may happen at once.",
    );
}

#[test]
fn a_failure_without_rivals_says_so() {
    check(
        || {
            let x = Obj::create("x", "x", ());
            spawn("a", move || x.op("divide", Access::Read).run(|(), cx| cx.panic("by zero")));
        },
        "Last came a's x.divide (step 1, PLACE), which failed; \
         no other task had done anything before that bears on it.",
    );
}

#[test]
fn a_pattern_of_two_tasks_is_found() {
    check(
        || {
            let turn = Obj::create("turn", "turn", 0);
            for n in 0..2 {
                spawn(["a", "b"][n as usize], move || {
                    loop {
                        let mine = turn.op("take", Access::Write);
                        mine.when_with(|turn, n| *turn == n, n).run(|turn, _| *turn = 1 - *turn);
                    }
                });
            }
        },
        "The run was cut off after 200 steps, and it ends with 100 rounds of a's turn.take (step 199, PLACE) \
         and b's turn.take (step 200, PLACE): a livelock, or a bound that is too low.",
    );
}

fn check_decided(program: impl Fn() + Send + Sync + 'static, expected: &str) {
    assert_eq!(sentence(&decided("program", program)), expected);
}

#[test]
fn two_steps_that_decide_are_named() {
    check_decided(
        programs::oracle,
        "a's hits.load (step 1, PLACE: 0) came before b's hits.store (step 3, PLACE: 0 -> 1); \
         with these two in the other order the run passes, and differs from step 1 on.",
    );
}

#[test]
fn an_operation_that_decides_by_not_being_reached_is_named() {
    check_decided(
        programs::fatal,
        "servicediscovery's lastLogged check flag (step 3, PLACE: flag is 1) came before \
         submariner's lastLogged lower flag (PLACE), which this run does not reach; \
         with that first the run passes, and differs from step 3 on.",
    );
}

#[test]
fn a_deadlock_has_its_cycle_and_what_decides() {
    check_decided(
        programs::deadlock,
        "transfer waits for audit (sync.Mutex.Lock, PLACE), which report has held since step 2 (PLACE); \
         report waits for accounts (sync.Mutex.Lock, PLACE), which transfer has held since step 1 (PLACE): \
         each waits for the other; blocked behind it: main (join, PLACE); \
         report's audit.Lock (step 2, PLACE: locked) came before transfer's audit.Lock (PLACE), which this run \
         does not reach; with that first the run passes, and differs from step 2 on.",
    );
}

#[test]
fn a_value_that_decides_is_named() {
    check_decided(
        || {
            let disk = Obj::create("disk", "disk", ());
            disk.op("open", Access::Write).run(|(), _| {});
            let full = choose(2) == 0;
            disk.op("write", Access::Write).run(move |(), cx| {
                if full {
                    cx.panic("no space left on device");
                }
            });
        },
        "The value 0 was chosen of 2 at main's disk.open (step 1, PLACE); \
         with 1 the run passes, and differs from step 3 on.",
    );
}

#[test]
fn that_nothing_decides_is_said() {
    check_decided(
        programs::self_deadlock,
        "main waits for mu (sync.Mutex.Lock, PLACE), which it has held itself since step 1 (PLACE); \
         no order decides: no schedule passes (all are covered, in 1 run).",
    );
    check_decided(
        || {
            let x = Obj::create("x", "x", 0);
            for (n, name) in ["a", "b"].into_iter().enumerate() {
                spawn(name, move || x.op("set", Access::Write).run(move |x, _| *x = n));
            }
            at_rest(move || violated("LAST", format!("the last was {}", x.peek(|x| *x))));
        },
        "When all was quiet, oracle LAST was violated (checked at PLACE); \
         no order decides: no schedule passes (all are covered, in 5 runs, of which 4 end in another failure).",
    );
}

#[test]
fn what_decides_and_is_not_reached_has_a_line_of_its_own() {
    for (name, program) in [("fatal", programs::fatal as fn()), ("deadlock", programs::deadlock)] {
        let case = decided(name, program);
        snapshot(&format!("decided_{name}"), &text::render(&report::case(&case), 100));
    }
}

#[test]
fn a_pair_that_is_not_in_the_trace_says_nothing() {
    let mut case = decided("oracle", programs::oracle);
    let Some(Decisive::Order { first, .. }) = &mut case.decisive else { panic!("{:?}", case.decisive) };
    *first = 99;
    assert!(!sentence(&case).contains("the other order"));
}

#[test]
fn a_run_that_went_on_is_shown_up_to_the_finding() {
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let case = failing_with(config, "data_race", || {
        let x = Var::new("x", 0);
        spawn("a", move || x.set(1));
        spawn("b", move || {
            x.set(2);
            x.get();
        });
    });
    let schedule = Schedule::of(&case, &Cause::of(&case), Folding::default());
    let text = text::render_schedule(&schedule, 80);
    assert_eq!(case.trace.steps.len(), 3);
    assert!(text.contains("x.write (1 -> 2)") && !text.contains("x.read"), "{text}");
    assert!(text.trim_end().trim_end_matches(['─', ' ']).ends_with("the run went on for 1 step"), "{text}");
}
