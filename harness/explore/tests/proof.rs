//! Proofs on several threads and with breaks show what they show in one go.

use bohr_explore::programs::Small;
use bohr_explore::proof::{NotWhole, Proof, Share, Then, Unusable};
use bohr_explore::search::rerun;
use bohr_explore::strategy::{Explored, Limits};
use bohr_kernel::{Access, Finding, Obj, Outcome, Program, RunConfig, at_rest, observe, spawn, violated};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const LIMITS: Limits = Limits { runs: None, traces: true };

/// What the runs of a proof have shown; those that a finding stopped can show other states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    findings: BTreeSet<String>,
    states: BTreeSet<String>,
}

type Shared = Arc<Mutex<Shown>>;

/// Adds what a run has shown; then false, once in `every` runs.
fn note(shown: &Shared, every: Option<u64>) -> impl Fn(&Outcome) -> bool + Send + Sync + 'static {
    let (shown, count) = (Arc::clone(shown), Mutex::new(0));
    move |outcome: &Outcome| {
        let mut shown = shown.lock().unwrap();
        shown.findings.extend(outcome.findings.iter().map(Finding::headline));
        shown.states.extend(outcome.observed.iter().cloned());
        let mut count = count.lock().unwrap();
        *count += 1;
        every.is_none_or(|every| *count % every != 0)
    }
}

fn prove(small: &Small, choices: usize, jobs: usize) -> (Explored, Shown) {
    let shown = Shared::default();
    let mut proof = Proof::new("small", &small.config(), choices);
    let explored = proof.go_on(&small.program(), small.config(), LIMITS, jobs, note(&shown, None));
    (explored, shown.lock().unwrap().clone())
}

/// Programs that it takes no long to prove.
fn programs() -> impl Iterator<Item = Small> {
    let limits = Limits { runs: Some(300), traces: false };
    (1..).map(Small::nth).filter(move |small| {
        Proof::new("small", &small.config(), 0)
            .go_on(&small.program(), small.config(), limits, 1, |_| true)
            .all
    })
}

#[test]
fn splitting_changes_nothing_that_counts() {
    for small in programs().take(100) {
        let (whole, shown) = prove(&small, 0, 1);
        for choices in [1, 2, 5, 100] {
            let (split, split_shown) = prove(&small, choices, 1);
            assert!(split.all);
            assert_eq!(shown, split_shown, "{small}, split after {choices} choices");
            // What runs are stopped in between of what others do is not the same for every order of trying.
            let stops =
                |shown: &Shown| shown.findings.iter().any(|f| !f.contains("leak") && !f.contains("deadlock"));
            if !stops(&shown) && !small.eager_time {
                assert_eq!(whole.executions, split.executions, "{small}, split after {choices} choices");
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for small in programs().take(50) {
        for choices in [1, 3] {
            assert_eq!(
                prove(&small, choices, 1),
                prove(&small, choices, 3),
                "{small}, after {choices} choices"
            );
        }
    }
}

#[test]
fn a_proof_can_be_stored_and_gone_on_with() {
    for small in programs().take(50) {
        for choices in [0, 2] {
            let whole = prove(&small, choices, 1);
            let shown = Shared::default();
            let config = small.config();
            let mut text = Proof::new("small", &config, choices).to_json();
            let mut breaks = 0;
            let explored = loop {
                let mut proof = Proof::from_json(&text, "small", &config).unwrap();
                let explored = proof.go_on(&small.program(), config, LIMITS, 2, note(&shown, Some(3)));
                text = proof.to_json();
                if explored.all {
                    break explored;
                }
                breaks += 1;
            };
            assert!(breaks >= explored.executions / 10, "{breaks} breaks in {explored:?}");
            assert_eq!((explored, shown.lock().unwrap().clone()), whole, "{small}, after {choices} choices");
        }
    }
}

#[test]
fn the_runs_after_a_break_are_those_that_would_have_come() {
    let program = Program::new(|| {
        let x = Obj::create("cell", "x", 0);
        (0..3).for_each(|_| {
            spawn("writer", move || (0..2).for_each(|_| x.op("write", Access::Write).run(|x, _| *x += 1)));
        });
    });
    let config = RunConfig::default();
    let schedules = |every: Option<u64>| {
        let schedules: Arc<Mutex<Vec<_>>> = Arc::default();
        let mut proof = Proof::new("writers", &config, 0);
        loop {
            let (all, count) = (Arc::clone(&schedules), Mutex::new(0));
            let sink = move |outcome: &Outcome| {
                all.lock().unwrap().push(outcome.decisions.clone());
                *count.lock().unwrap() += 1;
                every.is_none_or(|every| *count.lock().unwrap() % every != 0)
            };
            if proof.go_on(&program, config, LIMITS, 1, sink).all {
                return schedules.lock().unwrap().clone();
            }
            proof = Proof::from_json(&proof.to_json(), "writers", &config).unwrap();
        }
    };
    // 6 writes, two each: 6! / 2^3.
    assert_eq!(schedules(None).len(), 90);
    assert_eq!(schedules(None), schedules(Some(7)));
}

/// Three tasks write their numbers, twice each. All that begins with 2 is wrong, and 1 3 3 2 2 1.
fn numbers() -> Program {
    Program::new(|| {
        let x = Obj::create("list", "x", Vec::new());
        for n in 1..=3 {
            let push = move || x.op("push", Access::Write).run(move |x, _| x.push(n));
            spawn("writer", move || (0..2).for_each(|_| push()));
        }
        at_rest(move || {
            let x = x.peek(Clone::clone);
            observe(format!("{x:?}"));
            if x[0] == 2 || x == [1, 3, 3, 2, 2, 1] {
                violated("ORDER", format!("{x:?}"));
            }
        });
    })
}

#[test]
fn what_is_found_first_depends_neither_on_threads_nor_on_breaks() {
    let config = RunConfig::default();
    let first = |jobs: usize, breaks: bool| {
        let mut proof = Proof::new("numbers", &config, 1);
        let later = Arc::new(AtomicBool::new(jobs == 1));
        while !proof.over() {
            let later = Arc::clone(&later);
            let sink = move |outcome: &Outcome| {
                if outcome.observed[0].starts_with("[2") {
                    later.store(true, Ordering::SeqCst);
                }
                // With several threads the earlier part waits until the later one has found something.
                while outcome.observed[0].starts_with("[1") && !later.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                match outcome.findings.is_empty() {
                    false => Then::Found,
                    true if breaks && later.load(Ordering::SeqCst) => Then::Stop,
                    true => Then::GoOn,
                }
            };
            proof.go_on(&numbers(), config, LIMITS, jobs, sink);
            proof = Proof::from_json(&proof.to_json(), "numbers", &config).unwrap();
        }
        let shown = rerun(&numbers(), config, proof.found().unwrap().to_vec());
        (shown.observed[0].clone(), proof.explored().executions)
    };
    let found = first(1, false);
    assert_eq!(found.0, "[1, 3, 3, 2, 2, 1]");
    assert!(found.1 > 1, "not at once");
    for (jobs, breaks) in [(2, false), (1, true), (2, true)] {
        assert_eq!(first(jobs, breaks), found, "{jobs} jobs, breaks {breaks}");
    }
}

#[test]
fn a_proof_of_something_else_is_refused() {
    let config = RunConfig::default();
    let text = Proof::new("one", &config, 0).to_json();
    let refused = |text: &str, name, config| Proof::from_json(text, name, config).unwrap_err();
    assert!(matches!(refused(&text, "two", &config), Unusable::OfAnother { .. }));
    let keeps_going = RunConfig { keep_going: true, ..config };
    assert!(matches!(refused(&text, "one", &keeps_going), Unusable::OfAnother { .. }));
    let newer = text.replace("\"version\":2", "\"version\":3");
    assert!(matches!(refused(&newer, "one", &config), Unusable::Version(3)));
    assert!(matches!(refused(&text[1..], "one", &config), Unusable::Malformed(_)));
}

/// An edited or damaged proof was once taken for what it said: that it was over, or, if it named a part that is not there, as a
/// panic.
#[test]
fn an_altered_proof_is_refused() {
    let config = RunConfig::default();
    let text = Proof::new("one", &config, 0).to_json();
    for (what, instead) in [
        (r#""finished":false"#, r#""finished":true"#),
        (r#""executions":0"#, r#""executions":7"#),
        (r#""found":null"#, r#""found":[3,[0]]"#),
    ] {
        let altered = text.replacen(what, instead, 1);
        assert_ne!(altered, text);
        assert!(matches!(Proof::from_json(&altered, "one", &config), Err(Unusable::Damaged)), "{altered}");
    }
    // With a checksum that fits.
    let whole: Proof =
        serde_json::from_value(serde_json::json!({ "of": "", "parts": [], "found": [3, [0]] })).unwrap();
    assert!(matches!(Proof::from_json(&whole.to_json(), "one", &config), Err(Unusable::Damaged)));
}

/// Whoever edits a program and goes on with its proof was once met by a panic.
#[test]
fn a_proof_of_a_program_that_has_changed_says_so() {
    let limits = Limits { runs: Some(3), ..LIMITS };
    let mut tried = 0;
    let all: Vec<Small> = programs().take(200).collect();
    for pair in all.windows(2) {
        let config = pair[0].config();
        let mut proof = Proof::new("small", &config, 0);
        if proof.go_on(&pair[0].program(), config, limits, 1, |_| true).all {
            continue;
        }
        assert!(!proof.changed());
        let mut same = proof.clone();
        same.go_on(&pair[0].program(), config, LIMITS, 1, |_| true);
        assert!(!same.changed(), "it is the same program");
        // Another that looks the same up to here cannot be told.
        let explored = proof.go_on(&pair[1].program(), config, LIMITS, 1, |_| true);
        if proof.changed() {
            tried += 1;
            assert!(!explored.all, "it proves nothing");
        }
    }
    assert!(tried > 20, "{tried} of them were told apart");
}

#[test]
fn a_limit_ends_a_proof_before_its_end() {
    let small = programs().find(|small| prove(small, 0, 1).0.executions > 5).unwrap();
    let mut proof = Proof::new("small", &small.config(), 0);
    let limits = Limits { runs: Some(3), ..LIMITS };
    let explored = proof.go_on(&small.program(), small.config(), limits, 1, |_| true);
    assert!(!explored.all);
    assert_eq!(explored.executions + explored.sleep_blocked, 3);
}

/// The shares of a proof, each done for itself and with breaks, and put together in another order.
fn in_shares(
    (program, config): (&Program, RunConfig),
    choices: usize,
    of: usize,
    refutes: bool,
) -> (Proof, Shown) {
    let shown = Shared::default();
    let share = |index: usize| {
        let mut text = Proof::share("small", &config, choices, Share { index, of }).to_json();
        loop {
            let mut proof = Proof::from_json(&text, "small", &config).unwrap();
            let note = note(&shown, Some(7));
            let sink = move |outcome: &Outcome| match (note(outcome), outcome.findings.is_empty()) {
                (_, false) if refutes => Then::Found,
                (goes_on, _) => Then::from(goes_on),
            };
            proof.go_on(program, config, LIMITS, 1 + index % 2, sink);
            text = proof.to_json();
            if proof.over() {
                return proof;
            }
        }
    };
    let merged = Proof::merged(&(0..of).rev().map(share).collect::<Vec<_>>()).unwrap();
    (merged, shown.lock().unwrap().clone())
}

#[test]
fn shares_come_together_to_what_one_shows() {
    for small in programs().take(40) {
        for choices in [1, 3] {
            let whole = prove(&small, choices, 1);
            for of in [1, 2, 3, 50] {
                let (merged, shown) = in_shares((&small.program(), small.config()), choices, of, false);
                assert_eq!((merged.explored(), shown), whole, "{small}, {of} shares after {choices} choices");
                assert!(merged.over());
            }
        }
    }
}

#[test]
fn what_is_found_first_does_not_depend_on_the_shares() {
    let config = RunConfig::default();
    let mut whole = Proof::new("small", &config, 1);
    let found = |outcome: &Outcome| if outcome.findings.is_empty() { Then::GoOn } else { Then::Found };
    whole.go_on(&numbers(), config, LIMITS, 1, found);
    for of in [1, 2, 3, 5] {
        let (merged, _) = in_shares((&numbers(), config), 1, of, true);
        assert_eq!(merged.found(), whole.found(), "{of}");
        assert!(merged.found().is_some() && merged.over());
        assert_eq!(merged.explored(), whole.explored(), "{of}");
    }
}

#[test]
fn what_are_not_the_shares_of_one_proof_is_refused() {
    let config = RunConfig::default();
    let share = |name: &str, index, program: &Program| {
        let mut proof = Proof::share(name, &config, 1, Share { index, of: 2 });
        proof.go_on(program, config, LIMITS, 1, |_| true);
        proof
    };
    let [first, second] = [0, 1].map(|index| share("one", index, &numbers()));
    let refused = |shares: &[&Proof]| {
        let shares: Vec<Proof> = shares.iter().map(|&proof| proof.clone()).collect();
        Proof::merged(&shares).unwrap_err()
    };
    assert_eq!(refused(&[]), NotWhole::Share { index: 0, of: 1, times: 0 });
    assert_eq!(refused(&[&first]), NotWhole::Share { index: 0, of: 1, times: 0 });
    assert_eq!(refused(&[&first, &first]), NotWhole::Share { index: 0, of: 2, times: 2 });
    assert_eq!(refused(&[&second, &second]), NotWhole::Share { index: 0, of: 2, times: 0 });
    assert!(matches!(refused(&[&first, &share("two", 1, &numbers())]), NotWhole::Of(..)));
    let other = Program::new(|| observe("nothing"));
    assert!(matches!(refused(&[&first, &share("one", 1, &other)]), NotWhole::Top(_)));
}
