//! From a failing schedule to a token that does it again.

mod toy;

use bohr_explore::campaign::{Budget, campaign};
use bohr_explore::cell::{Coverage, Effort, judge};
use bohr_explore::driver::{Driver, RANDOMIZED};
use bohr_explore::replay::replay;
use bohr_explore::search::{rerun, search};
use bohr_explore::shrink::{Failing, shrink};
use bohr_explore::strategy::Bounds;
use bohr_explore::token::Token;
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Outcome, RunConfig, choices_of};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use toy::Toy;

fn first_failure(driver: Driver, seed: u64, workload: &str) -> Outcome {
    let program = Toy.program("buggy", workload).expect("the toy has it");
    let shown = campaign(driver, &program, RunConfig::default(), seed, &Budget::first_failure(1_000));
    let found = shown.found.first().expect("a lost update is easy to find");
    rerun(&program, RunConfig::default(), choices_of(&found.decisions))
}

fn token(outcome: &Outcome, workload: &str) -> Token {
    Token::new(("toy", "buggy", workload), RunConfig::default(), outcome, &outcome.findings[0])
}

#[test]
fn every_driver_finds_it_and_its_token_replays_to_the_same_run() {
    for driver in RANDOMIZED.into_iter().chain([Driver::Dfs]) {
        for seed in 0..20 {
            let failing = first_failure(driver, seed, "2+1");
            let text = token(&failing, "2+1").to_string();
            assert!(text.len() <= 120, "{text}");
            let again = replay(&Toy, &text.parse().expect("just written")).expect("the toy has it");
            assert_eq!(again.drift, None, "{driver} {seed}");
            assert_eq!(again.finding.as_ref(), failing.findings.first());
            assert_eq!(again.outcome.trace, failing.trace);
        }
    }
}

#[test]
fn a_token_of_another_program_is_not_passed_off_as_its_failure() {
    let failing = first_failure(Driver::Random, 1, "2+0");
    let mut token = token(&failing, "2+0");
    token.variant = "fixed".into();
    let again = replay(&Toy, &token).expect("the toy has it");
    assert_eq!(again.finding, None);
    let drift = again.drift.expect("it is another program");
    assert!(drift.same_for < drift.differs_by);
    assert!(drift.now[0].contains("lock"), "{drift:?}");
}

#[test]
fn shrinking_gives_one_preemption_two_workers_and_a_proof() {
    for seed in 0..10 {
        let failing = first_failure(Driver::Random, seed, "3+2");
        let failing = Failing {
            scenario: &Toy,
            variant: "buggy",
            workload: "3+2",
            config: RunConfig::default(),
            finding: &failing.findings[0],
            decisions: &failing.decisions,
            preemptions: failing.preemptions,
            steps: failing.steps,
        };
        let shrunk = shrink(&failing, 100_000, &Arc::default()).expect("the toy has it");
        assert_eq!((shrunk.workload.as_str(), shrunk.preemptions, shrunk.steps), ("2+0", 1, 4));
        assert!(shrunk.fewest_proved && shrunk.shortest_proved);
    }
}

/// Schedules of n tasks with k steps each: (nk)! / (k!)^n.
#[test]
fn plain_search_visits_every_schedule_once_and_caching_every_outcome() {
    for (workload, schedules) in [("2+0", 6), ("2+1", 30), ("3+0", 90)] {
        let program = Toy.program("buggy", workload).expect("the toy has it");
        let visited: Rc<RefCell<Vec<Vec<u32>>>> = Rc::default();
        let sink = {
            let visited = visited.clone();
            move |outcome: Outcome| {
                visited.borrow_mut().push(choices_of(&outcome.decisions));
                true
            }
        };
        let exhausted = search(&program, RunConfig::default(), Bounds::default(), sink);
        assert!(exhausted.all);
        assert_eq!(exhausted.complete, schedules, "{workload}");
        let mut distinct = visited.borrow().clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len() as u64, schedules);
        let cached = Bounds { cache: true, ..Bounds::default() };
        let pruned = search(&program, RunConfig::default(), cached, |_| true);
        assert!(pruned.all && pruned.complete < schedules);
    }
}

#[test]
fn the_verdict_of_a_cell_says_what_it_rests_on() {
    let effort = Effort {
        drivers: RANDOMIZED.to_vec(),
        seeds: 5,
        seed: 1,
        schedules: 500,
        search_runs: 10_000,
        until: None,
        stop: Arc::default(),
    };
    let buggy = judge(&Toy, "buggy", "2+0", &effort).expect("the toy has it");
    assert_eq!(buggy.surprise(), None);
    assert!(buggy.hardness.iter().all(|h| h.found == 5));
    let fixed = judge(&Toy, "fixed", "2+0", &effort).expect("the toy has it");
    assert_eq!(fixed.surprise(), None);
    assert!(matches!(fixed.coverage, Coverage::Exhausted { .. }));
    let sampled = Effort { search_runs: 0, ..effort };
    let fixed = judge(&Toy, "fixed", "2+0", &sampled).expect("the toy has it");
    assert_eq!(fixed.coverage, Coverage::Sampled { schedules: RANDOMIZED.len() as u64 * 5 * 500 });
}

#[test]
fn what_os_threads_find_becomes_a_schedule() {
    // Two threads that start at different times seldom overlap: 20,000 trials found it every time tried;
    // if none does, there is nothing to check.
    let program = Toy.program("buggy", "3+0").expect("the toy has it");
    let shown = campaign(Driver::Stress, &program, RunConfig::default(), 1, &Budget::first_failure(20_000));
    let Some(found) = shown.found.first() else { return };
    let again = rerun(&program, RunConfig::default(), choices_of(&found.decisions));
    assert!(again.findings.iter().any(|f| f.same_failure(&found.finding)));
}
