//! What was found out, in the formats of other programs.
//!
//! A [`Campaign`] is what `bohr run` has shown: [JUnit XML](junit) for what shows test results,
//! [SARIF](sarif) for what shows findings in source code, and a [job summary](summary) for whoever looks at the job
//! that ran it. One failing run can be SARIF too, and a [log for ShiViz](shiviz).
//!
//! None of them holds a time, so that the same campaign gives the same bytes.

pub mod junit;
pub mod sarif;
pub mod shiviz;
pub mod summary;

use crate::model::{BugInfo, Case, OracleRow};
use bohr_kernel::scenario::Role;

/// The verdicts that a command has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    /// The command, as it would be typed.
    pub command: String,
    /// Why not all of it was done, in words: `interrupted`.
    pub ended: Option<String>,
    /// What was run, by scenario.
    pub scenarios: Vec<Tested>,
}

/// A scenario, and what was found out about its forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// What the bug is.
    pub info: BugInfo,
    /// The invariants that were checked.
    pub oracles: Vec<OracleRow>,
    /// The verdicts, those on one form side by side.
    pub verdicts: Vec<Verdict>,
    /// The failing runs that can be shown step by step.
    pub failures: Vec<Failure>,
}

/// The verdict of a form on a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The form.
    pub variant: String,
    /// What it is there for.
    pub role: Role,
    /// The workload, as it is written in a token.
    pub workload: String,
    /// Whether failures on this workload do not count against the form.
    pub only_observes: bool,
    /// The oracles that were violated.
    pub violated: Vec<String>,
    /// The oracles that are to be violated; nothing if no verdict is stated.
    pub expected: Option<Vec<String>>,
    /// How the two compare.
    pub standing: Standing,
    /// What the verdict rests on, in words.
    pub checked: String,
    /// The distinct failures.
    pub seen: Vec<Seen>,
    /// Where the form's first operation stands; wanted only where a verdict is to be shown without a failing run.
    pub begins: Option<bohr_kernel::Site>,
}

/// How a verdict compares with the stated one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the stated one.
    Expected,
    /// It fails as stated, as far as schedules that were only sampled can tell.
    Partly(String),
    /// None is stated.
    Unstated,
    /// There is no verdict, for this reason.
    NotJudged(String),
    /// It is another one, for this reason.
    Surprise(String),
}

/// A failure that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The line that the real system would print first.
    pub headline: String,
    /// The oracle that speaks, if the scenario has one for it.
    pub oracle: Option<String>,
    /// Whether the form is to fail so.
    pub expected: bool,
    /// What reproduces it; nothing if it is not a schedule.
    pub token: Option<String>,
}

/// A failing run, with all its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The run.
    pub case: Case,
    /// Whether the form is to fail so.
    pub expected: bool,
    /// On how many workloads the form fails so.
    pub workloads: u64,
}

impl Campaign {
    fn verdicts(&self) -> impl Iterator<Item = (&Tested, &Verdict)> {
        self.scenarios.iter().flat_map(|tested| tested.verdicts.iter().map(move |verdict| (tested, verdict)))
    }

    /// The verdicts that are not as stated, and why.
    fn surprises(&self) -> impl Iterator<Item = (&Tested, &Verdict, &str)> {
        self.verdicts().filter_map(|(tested, verdict)| match &verdict.standing {
            Standing::Surprise(why) => Some((tested, verdict, why.as_str())),
            _ => None,
        })
    }
}

impl Tested {
    /// `SCENARIO/VARIANT/WORKLOAD`
    fn path(&self, verdict: &Verdict) -> String {
        format!("{}/{}/{}", self.info.name, verdict.variant, verdict.workload)
    }
}

impl Verdict {
    /// `holds`, `fails: O1, O3`
    fn in_words(&self) -> String {
        match self.standing {
            Standing::NotJudged(_) => "not judged".to_owned(),
            _ => outcome(&self.violated),
        }
    }

    /// The same for what is stated.
    fn expected_in_words(&self) -> String {
        self.expected.as_deref().map_or_else(|| "nothing".to_owned(), outcome)
    }
}

impl Seen {
    /// The command that reproduces it, or why there is none.
    fn again(&self) -> String {
        let order = "cannot be replayed: the order of the threads is not a schedule";
        self.token.as_deref().map_or_else(|| order.to_owned(), crate::report::replay_command)
    }
}

fn outcome(violated: &[String]) -> String {
    if violated.is_empty() { "holds".to_owned() } else { format!("fails: {}", violated.join(", ")) }
}
