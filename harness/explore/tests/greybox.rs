//! Greybox fuzzing of schedules.

mod toy;

use bohr_explore::campaign::{Budget, campaign};
use bohr_explore::driver::Driver;
use bohr_explore::engine::{FastEngine, ShuttleEngine};
use bohr_explore::fuzz::Fuzzer;
use bohr_explore::search::rerun;
use bohr_explore::strategy::{Greybox, Sampling, Seen};
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Access, Decision, Engine, Obj, Outcome, Program, RunConfig, choices_of, spawn, violated};
use std::cell::RefCell;
use std::rc::Rc;
use toy::Toy;

/// The choices of each run, and what was seen in the end.
fn runs(engine: &dyn Engine, program: &Program, seed: u64, schedules: u64) -> (Vec<Vec<Decision>>, Seen) {
    let runs: Rc<RefCell<Vec<Vec<Decision>>>> = Rc::default();
    let sink = {
        let runs = runs.clone();
        move |outcome: Outcome| {
            runs.borrow_mut().push(outcome.decisions);
            true
        }
    };
    let fuzzing = Rc::new(RefCell::new(Sampling::new(Greybox::new(seed), schedules, sink)));
    engine.explore(program, RunConfig::default(), fuzzing.clone());
    let seen = Rc::into_inner(fuzzing).unwrap().into_inner().into_policy().seen();
    (runs.take(), seen)
}

#[test]
fn the_same_seed_gives_the_same_schedules_on_every_engine() {
    let program = Toy.program("buggy", "3+2").unwrap();
    let first = runs(&FastEngine, &program, 1, 300);
    assert_eq!(first, runs(&FastEngine, &program, 1, 300));
    assert_eq!(first, runs(&ShuttleEngine, &program, 1, 300));
    assert_ne!(first.0, runs(&FastEngine, &program, 2, 300).0);
}

#[test]
fn breaks_change_nothing() {
    let fuzzed = |turns: &[u64]| {
        let mut fuzzer = Fuzzer::new(Toy.program("buggy", "3+2").unwrap(), RunConfig::default(), 1);
        turns.iter().for_each(|turn| fuzzer.go_on(*turn, || true, |_| {}));
        let shown = fuzzer.shown();
        let found: Vec<_> = shown.found.iter().map(|f| (f.decisions.clone(), f.schedule, f.times)).collect();
        (shown.schedules, shown.failing, found, fuzzer.seen())
    };
    assert_eq!(fuzzed(&[400]), fuzzed(&[1, 99, 300]));
}

#[test]
fn what_it_finds_is_a_schedule() {
    let program = Toy.program("buggy", "2+0").unwrap();
    for seed in 1..=20 {
        let shown =
            campaign(Driver::Greybox, &program, RunConfig::default(), seed, &Budget::first_failure(100));
        let found = &shown.found[0];
        let choices = choices_of(&found.decisions);
        let again = rerun(&program, RunConfig::default(), choices);
        assert!(again.findings.iter().any(|f| f.same_failure(&found.finding)), "seed {seed}");
    }
    let fixed = Toy.program("fixed", "2+0").unwrap();
    let shown = campaign(Driver::Greybox, &fixed, RunConfig::default(), 1, &Budget::all(2_000));
    assert_eq!((shown.schedules, shown.failing), (2_000, 0));
}

/// Each load must come right after the store with its number; else the loading task gives up.
fn stairs() -> Program {
    const STORES: [&str; 10] = [
        "store a", "store b", "store c", "store d", "store e", "store f", "store g", "store h", "store i",
        "store j",
    ];
    const LOADS: [&str; 10] =
        ["load a", "load b", "load c", "load d", "load e", "load f", "load g", "load h", "load i", "load j"];
    Program::new(|| {
        let x = Obj::create("cell", "x", 0usize);
        spawn("stores", move || {
            for (n, label) in STORES.into_iter().enumerate() {
                x.op(label, Access::Write).run(move |x, _| *x = n + 1);
            }
        });
        spawn("loads", move || {
            for (n, label) in LOADS.into_iter().enumerate() {
                if x.op(label, Access::Read).run(|x, _| *x) != n + 1 {
                    return;
                }
            }
            violated("TOP", "the top is reached");
        });
    })
}

#[test]
fn what_is_fed_back_leads_up_the_stairs() {
    const SCHEDULES: u64 = 20_000;
    let reached = |greybox: fn(u64) -> Greybox, seed| {
        let reached = Rc::new(RefCell::new(false));
        let sink = {
            let reached = reached.clone();
            move |outcome: Outcome| {
                *reached.borrow_mut() |= !outcome.findings.is_empty();
                outcome.findings.is_empty()
            }
        };
        let fuzzing = Sampling::new(greybox(seed), SCHEDULES, sink);
        FastEngine.explore(&stairs(), RunConfig::default(), Rc::new(RefCell::new(fuzzing)));
        reached.take()
    };
    // By chance it takes 20 right choices in a row in a random walk, which every fourth schedule is: without what is
    // fed back, 100,000 schedules get there once in 40 times. With it, the slowest of 20 seeds took 10,108.
    for seed in 1..=5 {
        assert!(reached(Greybox::new, seed), "seed {seed} does not get there");
        assert!(!reached(Greybox::blind, seed), "seed {seed} gets there by chance");
    }
}

#[test]
fn waiting_by_trying_again_is_no_livelock() {
    let program = Program::new(|| {
        let answer = Obj::create("cell", "answer", 0u32);
        spawn("asks", move || while answer.op("look", Access::Read).run(|a, _| *a) < 2 {});
        for _ in 0..2 {
            spawn("answers", move || answer.op("answer", Access::Write).run(|a, _| *a += 1));
        }
    });
    let shown = campaign(Driver::Greybox, &program, RunConfig::default(), 1, &Budget::all(1_000));
    assert_eq!((shown.failing, shown.schedules), (0, 1_000), "{:?}", shown.found);
}
