//! What the edits begin with: files as the harness writes them.

use crate::{sample, scenarios};
use bohr_explore::input::{Input, Target};
use bohr_explore::programs::Small;
use bohr_explore::proof::Proof;
use bohr_explore::search::rerun;
use bohr_explore::strategy::Limits;
use bohr_kernel::RunConfig;
use bohr_report::model::{
    BugInfo, DriverRow, Fewest, HoldsRow, Median, OracleRow, Proof as Proved, Share, VariantRow,
};
use bohr_report::stored::Stored;
use bohr_report::{BugReport, Case};
use serde_json::Value;
use std::sync::LazyLock;

/// The name of the proof.
pub const PROOF: &str = "a small program";

static CASE: LazyLock<Case> = LazyLock::new(case);
static FINDING: LazyLock<Value> = LazyLock::new(|| value(&Stored::new(CASE.clone())));
static REPORT: LazyLock<Value> = LazyLock::new(|| value(&whole_report()));
static STORED_PROOF: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&half_a_proof().to_json()).expect("it is JSON"));

/// A stored finding.
pub fn finding() -> &'static Value {
    &FINDING
}

/// A report.
pub fn report() -> &'static Value {
    &REPORT
}

/// A stored proof.
pub fn proof() -> &'static Value {
    &STORED_PROOF
}

/// How the proof's program is run.
pub fn config() -> RunConfig {
    RunConfig::default()
}

fn value(of: &impl serde::Serialize) -> Value {
    // By way of text, as numbers look different before they are written.
    let text = serde_json::to_string(of).expect("it can be written");
    serde_json::from_str(&text).expect("it was written as JSON")
}

/// The first failing run of a scenario's buggy form that pseudo-random bytes lead to.
fn case() -> Case {
    let scenario = scenarios::ALL[0];
    let variant = scenario.variants()[0].name;
    let target = Target::new(scenario, variant).expect("the variant is the scenario's own");
    let failing = (0..1_000).find_map(|n| {
        let input = Input::decode(&target, &sample(n, 64))?;
        let (finding, token) = input.token(&target).ok()??;
        Some((input.workload, finding, token))
    });
    let (workload, finding, token) = failing.expect("the buggy form fails often");
    let program = scenario.program(variant, &workload).expect("the scenario has made it");
    let outcome = rerun(&program, token.config(), token.choices.clone());
    Case {
        scenario: scenario.info().name.to_owned(),
        variant: variant.to_owned(),
        workload,
        finding,
        trace: outcome.trace.expect("it was recorded"),
        token: token.to_string(),
        preemptions: outcome.preemptions,
        fewest: Fewest::NotProved { reason: "nobody looked".to_owned() },
        decisive: None,
        fixed: None,
    }
}

fn whole_report() -> BugReport {
    let scenario = scenarios::ALL[0];
    let variant = scenario.variants()[0];
    let share = Share { hits: 1, of: 3, low: 0.061_490_315_276, high: 0.792_345_4 };
    BugReport {
        info: BugInfo::from(scenario.info()),
        oracles: scenario.oracles().iter().map(OracleRow::from).collect(),
        variants: vec![VariantRow {
            name: variant.name.to_owned(),
            role: variant.role,
            summary: variant.summary.to_owned(),
            verdict: "fails".to_owned(),
            violated: vec!["O1".to_owned()],
            observed: Vec::new(),
        }],
        cases: vec![CASE.clone()],
        hardness: vec![DriverRow {
            driver: "random".to_owned(),
            seeds: 20,
            found: 20,
            first_failure: Some(Median { median: 2.5, low: 1.0, high: None }),
            failing: Some(share),
            firsts: vec![1, 4],
            budget: 500,
        }],
        holds: vec![
            HoldsRow {
                variant: "fixed".to_owned(),
                class: "burst".to_owned(),
                proof: Proved::NotRefuted { schedules: 9, traces: 3, unseen: 1.0 / 3.0, upper: 1.0 / 3.0 },
            },
            HoldsRow {
                variant: "fixed".to_owned(),
                class: "close".to_owned(),
                proof: Proved::Exhausted { schedules: 9 },
            },
        ],
        sources: Vec::new(),
        forms: None,
    }
}

/// A proof of the first small program that does not end within five runs, and has found something.
fn half_a_proof() -> Proof {
    let limits = Limits { runs: Some(5), traces: true };
    let halves = (0..1_000).filter_map(|n| {
        let program = Small::nth(n).program();
        let mut proof = Proof::new(PROOF, &config(), 2);
        let explored = proof.go_on(&program, config(), limits, 1, |_| true);
        (!explored.all && explored.executions >= 5).then_some(proof)
    });
    halves.into_iter().next().expect("most do not end so soon")
}
