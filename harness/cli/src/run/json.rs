//! What `bohr run` has shown, for programs. The same seed gives the same bytes: no times in it.

use super::{Example, Ran};
use crate::exit::Error;
use crate::judging::{Judged, Kept};
use crate::output::Output;
use crate::words::{Assessment, assess};
use bohr_explore::campaign::{Hardness, Share};
use bohr_explore::cell::{Cell, Coverage};
use bohr_kernel::scenario::Role;
use bohr_report::Cause;
use bohr_report::model::Fewest;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Serialize)]
struct Json<'a> {
    seed: u64,
    seeds: u64,
    interrupted: bool,
    out_of_time: bool,
    surprises: usize,
    cells: Vec<CellJson<'a>>,
    examples: Vec<ExampleJson<'a>>,
}

#[derive(Serialize)]
struct CellJson<'a> {
    scenario: &'a str,
    variant: &'a str,
    role: Role,
    workload: &'a str,
    /// Failures here do not count against the form.
    only_observes: bool,
    /// Missing if the work ended before its turn came.
    #[serde(flatten)]
    verdict: Option<VerdictJson<'a>>,
    found: Vec<KeptJson<'a>>,
}

#[derive(Serialize)]
struct VerdictJson<'a> {
    violated: Vec<&'a str>,
    expected: Option<Vec<&'a str>>,
    assessment: Assessment,
    coverage: Coverage,
    complete: bool,
    hardness: Vec<HardnessJson>,
}

#[derive(Serialize)]
struct HardnessJson {
    driver: String,
    seeds: u64,
    found: u64,
    median: Option<u64>,
    interval: Option<(u64, u64)>,
    schedules: u64,
    /// By oracle: from how many seeds it was violated, and the median number of schedules until then.
    oracles: BTreeMap<String, (u64, u64)>,
    /// What each member of a portfolio had in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shares: Vec<Share>,
    /// What it has seen, where no failure was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    traces: Option<TracesJson>,
}

#[derive(Serialize)]
struct TracesJson {
    distinct: u64,
    /// An estimate of the chance that the next schedule is a new one.
    unseen: f64,
}

#[derive(Serialize)]
struct KeptJson<'a> {
    headline: String,
    oracle: Option<&'a str>,
    schedule: u64,
    token: Option<&'a str>,
    preemptions: Option<u32>,
    steps: Option<u32>,
    file: Option<&'a Path>,
}

#[derive(Serialize)]
struct ExampleJson<'a> {
    scenario: &'a str,
    variant: &'a str,
    workload: &'a str,
    headline: String,
    oracle: Option<&'a str>,
    workloads: u64,
    token: &'a str,
    preemptions: u32,
    fewest_proved: bool,
    /// The cause, in words.
    cause: String,
}

/// Prints it all.
pub fn print(ran: &Ran, out: &mut Output) -> Result<(), Error> {
    let json = Json {
        seed: ran.seeds.0,
        seeds: ran.seeds.1,
        interrupted: ran.interrupted,
        out_of_time: ran.timed_out,
        surprises: ran.surprises().count(),
        cells: ran.judged.iter().map(cell).collect(),
        examples: ran.examples.iter().map(example).collect(),
    };
    Ok(out.json("run", json)?)
}

fn cell(judged: &Judged) -> CellJson<'_> {
    CellJson {
        scenario: judged.subject.scenario.info().name,
        variant: judged.subject.variant.name,
        role: judged.subject.variant.role,
        workload: &judged.subject.workload,
        only_observes: judged.subject.only_observes(),
        verdict: judged.cell.as_ref().map(verdict),
        found: judged.found.iter().map(kept).collect(),
    }
}

fn verdict(cell: &Cell) -> VerdictJson<'_> {
    VerdictJson {
        violated: cell.oracles().into_iter().collect(),
        expected: cell.expected.as_ref().map(|expected| expected.oracles().collect()),
        assessment: assess(cell),
        coverage: cell.coverage,
        complete: cell.complete,
        hardness: cell.hardness.iter().map(hardness).collect(),
    }
}

fn hardness(h: &Hardness) -> HardnessJson {
    HardnessJson {
        driver: h.driver.to_string(),
        seeds: h.seeds,
        found: h.found,
        median: h.median,
        interval: h.interval,
        schedules: h.schedules,
        oracles: h.oracles.clone(),
        shares: h.shares.clone(),
        traces: (h.traces.schedules() > 0)
            .then(|| TracesJson { distinct: h.traces.distinct(), unseen: h.traces.unseen() }),
    }
}

fn kept(kept: &Kept) -> KeptJson<'_> {
    let again = kept.again.as_ref();
    KeptJson {
        headline: kept.finding.headline(),
        oracle: kept.finding.oracle.as_deref(),
        schedule: kept.schedule,
        token: again.map(|a| a.token.as_str()),
        preemptions: again.map(|a| a.preemptions),
        steps: again.map(|a| a.steps),
        file: kept.file.as_deref(),
    }
}

fn example(example: &Example) -> ExampleJson<'_> {
    let case = &example.case;
    ExampleJson {
        scenario: &case.scenario,
        variant: &case.variant,
        workload: &case.workload,
        headline: case.finding.headline(),
        oracle: case.finding.oracle.as_deref(),
        workloads: example.workloads,
        token: &case.token,
        preemptions: case.preemptions,
        fewest_proved: matches!(case.fewest, Fewest::Proved { .. }),
        cause: Cause::of(case).sentence.to_string(),
    }
}
