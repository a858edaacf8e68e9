//! A report for programs, and the data of its page.
//!
//! The format is versioned, and `docs/report.schema.json` describes it. Runs are written so that they stay small at
//! thousands of steps: what steps have in common stands once, in [`Run::operations`], and everything else is an
//! index. All indices count from 0.

mod run;

use crate::cause::Cause;
use crate::document::{Span, Text};
use crate::model::{BugReport, Case, Decisive, Fewest, Proof};
use crate::names::split_site;
use crate::report::command;
pub use run::{Blocked, Edge, EdgeKind, Object, Operation, Run, RunKind, Step, Task, Undone, passing};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// The version of the format. It changes when a reader of the version before would misread it.
pub const VERSION: u32 = 1;

/// All that there is to say about one bug.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// The version of the format: 1.
    pub version: u32,
    /// What the bug is.
    pub bug: Bug,
    /// The invariants that were checked.
    pub oracles: Vec<Oracle>,
    /// The forms of the program, each with its verdict.
    pub variants: Vec<Variant>,
    /// Failing runs, the one that the report is about first.
    pub cases: Vec<FailingCase>,
    /// How hard the bug was to find.
    pub drivers: Vec<Driver>,
    /// What is known about the forms that did not fail.
    pub holds: Vec<Holds>,
    /// The source files that the runs name.
    pub sources: Vec<Source>,
}

/// What a bug is and where it was reported.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Bug {
    /// The scenario's name.
    pub scenario: String,
    /// The system.
    pub system: String,
    /// The bug in one line.
    pub title: String,
    /// What a user of the system saw.
    pub symptom: String,
    /// Why.
    pub cause: String,
    /// What the fix does.
    pub fix: String,
    /// Upstream's issue and pull requests.
    pub references: Vec<Reference>,
}

/// Something upstream.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Reference {
    /// What it is: `report`, `fix`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// An invariant that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Oracle {
    /// Its id.
    pub id: String,
    /// When it is checked, in words.
    pub when: String,
    /// What must hold.
    pub claim: String,
}

/// A form of the program and what was found out about it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it is there for: `buggy`, `fixed`, `upstream fix`, `wrong fix`, `control`.
    pub role: String,
    /// What it is, or what it changes.
    pub summary: String,
    /// The verdict, in words.
    pub verdict: String,
    /// The oracles that it was seen to violate.
    pub violated: Vec<String>,
    /// The oracles that it was seen to violate on workloads that only observe.
    pub observed: Vec<String>,
}

/// A failing run, what it fails by, and the runs beside it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FailingCase {
    /// The form that was run.
    pub variant: String,
    /// The workload, as it is written in a token.
    pub workload: String,
    /// What went wrong, as the real system would print it.
    pub headline: String,
    /// What sort of thing that is: `panic`, `fatal error`, `data race`, `deadlock`, `leak`, `oracle violated`.
    pub kind: String,
    /// The oracle that speaks.
    pub oracle: Option<String>,
    /// The task in which it showed, if it showed in one.
    pub task: Option<u32>,
    /// The command that does it again.
    pub command: String,
    /// The number of preemptions.
    pub preemptions: u32,
    /// True if it was proved that no schedule with fewer preemptions fails this way.
    pub fewest_proved: bool,
    /// What decides: `order`, `value`, `race`, `nothing` or `unknown`. Nothing if that was not tried.
    pub decided_by: Option<String>,
    /// The cause in a sentence.
    pub cause: Vec<Words>,
    /// The failing run first; then the nearest that passes, and what the fixed form does, if there are such.
    pub runs: Vec<Run>,
}

/// A stretch of running text.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Words {
    /// The words.
    pub text: String,
    /// True if they are out of a program.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub code: bool,
}

/// How hard the bug was to find for one driver.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Driver {
    /// The driver, and what it looked for.
    pub name: String,
    /// How many seeds were tried.
    pub seeds: u64,
    /// How many of them found the bug.
    pub found: u64,
    /// The most schedules that a seed had.
    pub budget: u64,
    /// For each seed that found it the number of schedules until the first failure, ascending.
    pub firsts: Vec<u64>,
    /// How many schedules failed, of how many; nothing for a driver whose schedules are no sample.
    pub failing: Option<Share>,
}

/// A share with its 95 % Wilson interval.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Share {
    /// How many were counted.
    pub hits: u64,
    /// Out of how many.
    pub of: u64,
    /// The lower end of the interval, as a fraction.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What is known about a form that did not fail on a workload.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Holds {
    /// The form.
    pub variant: String,
    /// The workload.
    pub workload: String,
    /// True if every schedule was covered.
    pub proved: bool,
    /// How many schedules were run.
    pub schedules: u64,
    /// If it is not proved, the upper bound of the failing share at 95 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_below: Option<f64>,
}

/// A source file.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Source {
    /// Its path from the workspace on.
    pub file: String,
    /// What is in it.
    pub text: String,
}

impl Report {
    /// The report on a bug.
    pub fn of(report: &BugReport) -> Report {
        let info = &report.info;
        let references = info.references.iter().map(|r| Reference {
            what: r.what.clone(),
            name: r.name.clone(),
            url: r.url.clone(),
        });
        let oracles = report.oracles.iter().map(|o| Oracle {
            id: o.id.clone(),
            when: o.when.clone(),
            claim: o.claim.clone(),
        });
        let variants = report.variants.iter().map(|v| Variant {
            name: v.name.clone(),
            role: v.role.to_string(),
            summary: v.summary.clone(),
            verdict: v.verdict.clone(),
            violated: v.violated.clone(),
            observed: v.observed.clone(),
        });
        let drivers = report.hardness.iter().map(|d| Driver {
            name: d.driver.clone(),
            seeds: d.seeds,
            found: d.found,
            budget: d.budget,
            firsts: d.firsts.clone(),
            failing: d.failing.map(|s| Share { hits: s.hits, of: s.of, low: s.low, high: s.high }),
        });
        let holds = report.holds.iter().map(|h| {
            let (proved, schedules, failing_below) = match h.proof {
                Proof::Exhausted { schedules } => (true, schedules, None),
                Proof::NotRefuted { schedules, upper, .. } => (false, schedules, Some(upper)),
            };
            let (variant, workload) = (h.variant.clone(), h.class.clone());
            Holds { variant, workload, proved, schedules, failing_below }
        });
        let sources = report.sources.iter().map(|s| Source { file: s.file.clone(), text: s.text.clone() });
        Report {
            version: VERSION,
            bug: Bug {
                scenario: info.name.clone(),
                system: info.system.clone(),
                title: info.title.clone(),
                symptom: info.symptom.clone(),
                cause: info.cause.clone(),
                fix: info.fix.clone(),
                references: references.collect(),
            },
            oracles: oracles.collect(),
            variants: variants.collect(),
            cases: report.cases.iter().map(FailingCase::of).collect(),
            drivers: drivers.collect(),
            holds: holds.collect(),
            sources: sources.collect(),
        }
    }

    /// The report as a file, a value a line, so that two versions of it can be compared.
    ///
    /// # Panics
    /// Never: all keys are strings.
    pub fn to_file(&self) -> String {
        serde_json::to_string_pretty(self).expect("all keys are strings") + "\n"
    }

    /// The JSON Schema of the format, as a file.
    ///
    /// # Panics
    /// Never: all keys are strings.
    pub fn schema() -> String {
        let mut schema = schemars::schema_for!(Report);
        schema.insert("title".into(), "Bohr's report on a bug".into());
        serde_json::to_string_pretty(&schema).expect("all keys are strings") + "\n"
    }
}

impl FailingCase {
    fn of(case: &Case) -> FailingCase {
        let cause = Cause::of(case);
        let decided_by = case.decisive.as_ref().map(|decisive| match decisive {
            Decisive::Order { .. } => "order",
            Decisive::Value { .. } => "value",
            Decisive::Race { .. } => "race",
            Decisive::Nothing { .. } => "nothing",
            Decisive::Unknown { .. } => "unknown",
        });
        FailingCase {
            variant: case.variant.clone(),
            workload: case.workload.clone(),
            headline: case.finding.headline(),
            kind: case.finding.kind.to_string(),
            oracle: case.finding.oracle.clone(),
            task: case.finding.task.map(|t| t.0),
            command: command(case),
            preemptions: case.preemptions,
            fewest_proved: matches!(case.fewest, Fewest::Proved { .. }),
            decided_by: decided_by.map(str::to_owned),
            cause: words(&cause.sentence),
            runs: run::runs(case, &cause),
        }
    }
}

fn words(text: &Text) -> Vec<Words> {
    let word = |span: &Span| match span {
        Span::Code(code) => Words { text: code.clone(), code: true },
        Span::Plain(text) | Span::Strong(text) | Span::Link { text, .. } => {
            Words { text: text.clone(), code: false }
        }
    };
    text.0.iter().map(word).collect()
}

/// Every source line's file that the runs of a case name, in full.
pub fn files(case: &Case) -> impl Iterator<Item = String> {
    let mut sites: Vec<_> = run::traces(case).flat_map(|t| t.steps.iter().map(|s| &s.site)).collect();
    sites.extend(run::traces(case).flat_map(|t| t.undone.iter().map(|u| &u.site)));
    sites.extend(&case.finding.site);
    let files: BTreeSet<_> = sites.into_iter().map(|site| split_site(site).0).collect();
    files.into_iter()
}
