//! Loom as a second opinion: what it takes, what it finds, and what it cannot run.

use bohr_explore::engine::{DoesNotFit, LoomEngine, LoomExplored};
use bohr_explore::search::{prove, rerun};
use bohr_explore::strategy::Limits;
use bohr_kernel::{
    Access, Finding, Obj, Outcome, Program, RunConfig, choices_of, choose, observe, sleep_until, spawn,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// What loom shows of a program, in how many executions.
fn by_loom(program: &Program, executions: Option<u64>) -> Result<(LoomExplored, Vec<Outcome>), DoesNotFit> {
    let shown: Rc<RefCell<Vec<Outcome>>> = Rc::default();
    let sink = {
        let shown = shown.clone();
        move |outcome| {
            shown.borrow_mut().push(outcome);
            true
        }
    };
    let explored = LoomEngine.explore(program, RunConfig::default(), executions, sink)?;
    Ok((explored, shown.take()))
}

fn add(counter: Obj<u32>) {
    let seen = counter.op("load", Access::Read).run(|x, _| *x);
    counter.op("store", Access::Write).run(move |x, _| *x = seen + 1);
}

/// Tasks that each add one to a counter under a lock.
fn critical_sections(tasks: u32) -> Program {
    Program::new(move || {
        let lock = Obj::create("mutex", "m", false);
        let counter = Obj::create("cell", "x", 0);
        for task in 0..tasks {
            spawn(format!("t{task}"), move || {
                lock.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
                counter.op("add", Access::Write).run(|x, _| *x += 1);
                lock.op("unlock", Access::Write).run(|held, _| *held = false);
            });
        }
    })
}

#[test]
fn loom_covers_critical_sections_in_more_executions_than_there_are_orders() {
    for (tasks, orders, executions) in [(1, 1, 1), (2, 2, 7), (3, 6, 498)] {
        let program = critical_sections(tasks);
        let (explored, outcomes) = by_loom(&program, None).expect("few tasks fit");
        assert_eq!(explored, LoomExplored { all: true, executions }, "{tasks} tasks");
        assert_eq!(outcomes.len() as u64, executions);
        let proof = prove(&program, RunConfig::default(), Limits::default(), |_| true);
        assert_eq!((proof.executions, proof.sleep_blocked), (orders, 0), "{tasks} tasks");
    }
}

#[test]
fn what_loom_finds_is_a_schedule() {
    let program = Program::new(|| {
        let counter = Obj::create("cell", "x", 0);
        let adders = ["a", "b"].map(|name| spawn(name, move || add(counter)));
        adders.into_iter().for_each(bohr_kernel::join);
        if counter.peek(|x| *x) != 2 {
            bohr_kernel::violated("SUM", "an update was lost");
        }
    });
    let (explored, outcomes) = by_loom(&program, None).expect("three tasks fit");
    assert!(explored.all);
    let failing = outcomes.iter().find(|o| !o.findings.is_empty()).expect("there is a lost update");
    let choices = choices_of(&failing.decisions);
    let again = rerun(&program, RunConfig::default(), choices);
    let headlines = |o: &Outcome| o.findings.iter().map(Finding::headline).collect::<Vec<_>>();
    assert_eq!(headlines(&again), headlines(failing));
    assert_eq!(again.steps, failing.steps);
}

#[test]
fn loom_takes_every_value_and_time_moves_when_nothing_else_can() {
    let program = Program::new(|| {
        let x = Obj::create("cell", "x", 0);
        spawn("late", move || {
            sleep_until(5);
            let seen = x.op("load", Access::Read).run(|x, _| *x);
            observe(format_args!("{seen} at {}", bohr_kernel::now()));
        });
        let value = choose(3);
        x.op("store", Access::Write).run(move |x, _| *x = value);
    });
    let (explored, outcomes) = by_loom(&program, None).expect("two tasks fit");
    assert!(explored.all);
    let seen: BTreeSet<String> = outcomes.into_iter().flat_map(|o| o.observed).collect();
    assert_eq!(seen, ["0 at 5", "1 at 5", "2 at 5"].map(str::to_owned).into());
}

#[test]
fn what_loom_cannot_run_is_refused_in_words() {
    let (explored, _) =
        by_loom(&critical_sections(4), Some(10)).expect("five tasks fit, the main task is one");
    assert_eq!(explored, LoomExplored { all: false, executions: 10 });
    let refused = by_loom(&critical_sections(5), None).expect_err("six do not");
    assert_eq!(refused.to_string(), "6 tasks, and loom has threads for 5");
    let eager = RunConfig { eager_time: true, ..RunConfig::default() };
    let refused = LoomEngine.explore(&critical_sections(1), eager, None, |_| true).expect_err("so is this");
    assert_eq!(refused.to_string(), "time moves by choice, which loom cannot do");
}

#[test]
fn a_run_too_long_for_loom_counts_as_not_covered() {
    let program = Program::new(|| {
        let x = Obj::create("cell", "x", 0);
        (0..10_000).for_each(|_| add(x));
    });
    let (explored, outcomes) = by_loom(&program, None).expect("one task fits");
    assert_eq!((explored, outcomes.len()), (LoomExplored { all: false, executions: 0 }, 0));
}

#[test]
fn a_run_over_the_bound_is_found() {
    let config = RunConfig { max_steps: 10, ..RunConfig::default() };
    let found = Rc::new(RefCell::new(BTreeSet::new()));
    let sink = {
        let found = found.clone();
        move |outcome: Outcome| {
            found.borrow_mut().extend(outcome.findings.iter().map(Finding::headline));
            true
        }
    };
    let program = Program::new(|| {
        let [x, y] = ["x", "y"].map(|name| Obj::create("cell", name, 0));
        spawn("ends it", move || {
            x.op("die", Access::Write).run(|_, cx| cx.panic("the other end"));
        });
        loop {
            add(y);
        }
    });
    let explored = LoomEngine.explore(&program, config, None, sink).expect("two tasks fit");
    assert!(explored.all);
    assert_eq!(found.borrow().len(), 2, "{found:?}");
}
