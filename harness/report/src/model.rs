//! What a report is made from: plain data, filled in by whoever ran the campaign.

use bohr_kernel::scenario::{Info, Oracle, Role, When};
use bohr_kernel::{Finding, Trace};
use serde::{Deserialize, Serialize};

/// All that there is to say about one bug.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BugReport {
    /// What the bug is.
    pub info: BugInfo,
    /// The invariants that were checked.
    pub oracles: Vec<OracleRow>,
    /// The forms of the program, each with its verdict.
    pub variants: Vec<VariantRow>,
    /// Failing runs, the one that the report is about first.
    pub cases: Vec<Case>,
    /// How hard the bug was to find.
    pub hardness: Vec<DriverRow>,
    /// What is known about the forms that did not fail.
    pub holds: Vec<HoldsRow>,
    /// The source files that the cases name.
    #[serde(default)]
    pub sources: Vec<SourceFile>,
    /// The files of the buggy and the fixed form, among the sources.
    #[serde(default)]
    pub forms: Option<Forms>,
}

/// A source file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its path from the workspace on, as traces have it.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// Two files that differ as the bug's fix does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forms {
    /// The path of the buggy form.
    pub buggy: String,
    /// The path of the fixed form.
    pub fixed: String,
}

/// What a bug is and where it was reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BugInfo {
    /// The scenario's name.
    pub name: String,
    /// The system.
    pub system: String,
    /// The bug in one line.
    pub title: String,
    /// What a user of the system saw.
    pub symptom: String,
    /// Why, in a sentence or two.
    pub cause: String,
    /// What the fix does.
    pub fix: String,
    /// Upstream's issue and pull requests.
    pub references: Vec<ReferenceRow>,
}

/// Something upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceRow {
    /// What it is: `report`, `fix`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// An invariant that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OracleRow {
    /// Its id.
    pub id: String,
    /// When it is checked, in words.
    pub when: String,
    /// What must hold.
    pub claim: String,
}

/// A form of the program and what was found out about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantRow {
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// What it is, or what it changes.
    pub summary: String,
    /// The verdict, in words: `fails: O1, O3`, `holds`.
    pub verdict: String,
    /// The oracles that it was seen to violate.
    #[serde(default)]
    pub violated: Vec<String>,
    /// The oracles that it was seen to violate on workloads that only observe.
    #[serde(default)]
    pub observed: Vec<String>,
}

/// A failing run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The scenario's name.
    pub scenario: String,
    /// The form that was run.
    pub variant: String,
    /// The workload, as it is written in a token.
    pub workload: String,
    /// What went wrong.
    pub finding: Finding,
    /// The recorded run, up to the finding or beyond.
    pub trace: Trace,
    /// What reproduces the run.
    pub token: String,
    /// The number of preemptions in the run.
    pub preemptions: u32,
    /// Whether that is the fewest.
    pub fewest: Fewest,
    /// What was shown to decide, if that was tried.
    pub decisive: Option<Decisive>,
    /// What the fixed form does under this schedule, if that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Fixed>,
}

/// The fixed form under the schedule of a failing run, as far as it can follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed {
    /// The form.
    pub variant: String,
    /// The headlines of what failed all the same.
    pub findings: Vec<String>,
    /// The run.
    pub trace: Trace,
}

/// Whether a failing run has the fewest preemptions that this failure needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fewest {
    /// Every schedule with fewer was covered, and none failed.
    Proved {
        /// How many runs that took.
        runs: u64,
    },
    /// It is not known.
    NotProved {
        /// Why not, as a clause: `the search with 1 preemption was cut off after 10,000 runs`.
        reason: String,
    },
}

/// What decides whether a run fails, as was found out by running the schedules next to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decisive {
    /// The order of two conflicting operations: with only these in the other order, the run passes.
    Order {
        /// The index of the step that came first in the failing run.
        first: u32,
        /// The index, in the failing run, of the step that came second; nothing if the run ended before it.
        second: Option<u32>,
        /// Where the second comes first: the index of its step there.
        first_in_passing: u32,
        /// The name of what both touch.
        object: String,
        /// The nearest run that passes.
        passing: Passing,
    },
    /// A value that a task chose: with another, the run passes.
    Value {
        /// The index of the step in which it was chosen, or after which; nothing if its task had not done
        /// any.
        step: Option<u32>,
        /// What was chosen.
        chosen: u32,
        /// The number of values that there were to choose from.
        of: u32,
        /// What has to be chosen instead.
        instead: u32,
        /// The nearest run that passes.
        passing: Passing,
    },
    /// Nothing orders the two accesses of a data race: either order is the race.
    Race {
        /// The index of the step of the access that came first.
        first: u32,
        /// The index of the other's step.
        second: u32,
    },
    /// Nothing decides: no schedule passes.
    Nothing {
        /// How many runs cover all schedules.
        runs: u64,
        /// How many of these show another failure.
        other: u64,
    },
    /// It is not known: no run that differs in one place passes.
    Unknown {
        /// How many were tried.
        runs: u64,
        /// How many of these show another failure.
        other: u64,
        /// The nearest run that passes, if any was found.
        passing: Option<Passing>,
    },
}

/// A run that passes, or that at least goes on to its end without the failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passing {
    /// The index of the first step that is not the same as in the failing run.
    pub first_difference: u32,
    /// The other failure that it has, in the words of its headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub but: Option<String>,
    /// The run.
    pub trace: Trace,
}

/// How hard the bug was to find for one driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriverRow {
    /// The driver's name.
    pub driver: String,
    /// How many seeds were tried.
    pub seeds: u64,
    /// How many of them found the bug within their budget.
    pub found: u64,
    /// The number of schedules until the first failure, the failing one counted; nothing if fewer
    /// than half of the seeds found one.
    pub first_failure: Option<Median>,
    /// The share of schedules that fail; nothing for a driver whose schedules are no sample.
    pub failing: Option<Share>,
    /// For each seed that found the bug the number of schedules until the first failure, ascending.
    #[serde(default)]
    pub firsts: Vec<u64>,
    /// The most schedules that a seed had.
    #[serde(default)]
    pub budget: u64,
}

/// A median with its 95 % interval.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Median {
    /// The median.
    pub median: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end; nothing if it lies beyond the budget.
    pub high: Option<f64>,
}

/// A share with its 95 % Wilson interval.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How many were counted.
    pub hits: u64,
    /// Out of how many.
    pub of: u64,
    /// The lower end of the interval, as a fraction.
    pub low: f64,
    /// The upper end, as a fraction.
    pub high: f64,
}

/// What is known about a form that did not fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldsRow {
    /// The form.
    pub variant: String,
    /// The workload class.
    pub class: String,
    /// How it is known.
    pub proof: Proof,
}

/// How it is known that a form holds.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Every schedule of the workload was covered.
    Exhausted {
        /// How many runs that took.
        schedules: u64,
    },
    /// No schedule that was drawn failed.
    NotRefuted {
        /// How many were drawn.
        schedules: u64,
        /// How many distinct ones, up to the order of operations that do not conflict.
        traces: u64,
        /// An estimate of the chance that the next one drawn is none of these (Good-Turing).
        unseen: f64,
        /// The upper bound of the failing share at 95 %: 3/N.
        upper: f64,
    },
}

impl From<&Info> for BugInfo {
    fn from(info: &Info) -> Self {
        let references = info.references.iter().map(|r| ReferenceRow {
            what: r.what.to_owned(),
            name: r.name.to_owned(),
            url: r.url.to_owned(),
        });
        BugInfo {
            name: info.name.to_owned(),
            system: info.system.to_owned(),
            title: info.title.to_owned(),
            symptom: info.symptom.to_owned(),
            cause: info.cause.to_owned(),
            fix: info.fix.to_owned(),
            references: references.collect(),
        }
    }
}

impl From<&Oracle> for OracleRow {
    fn from(oracle: &Oracle) -> Self {
        let when = match oracle.when {
            When::Safety => "as it happens",
            When::AtRest => "when all is quiet",
            When::Liveness => "when nothing can move",
        };
        OracleRow { id: oracle.id.to_owned(), when: when.to_owned(), claim: oracle.claim.to_owned() }
    }
}
