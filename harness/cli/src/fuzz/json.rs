//! What `bohr fuzz` has shown, for programs. The same seed and number of schedules give the same bytes: no times
//! in it.

use super::{Fuzzed, Outcome};
use crate::exit::Error;
use crate::judging::Kept;
use crate::output::Output;
use crate::words::Assessment;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Json<'a> {
    seed: u64,
    seeds: u64,
    interrupted: bool,
    out_of_time: bool,
    surprises: usize,
    subjects: Vec<SubjectJson<'a>>,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    scenario: &'a str,
    variant: &'a str,
    workload: &'a str,
    seed: u64,
    assessment: &'a Assessment,
    schedules: u64,
    failing: u64,
    first_failure: Option<u64>,
    /// Distinct pairs of operations that follow one another.
    pairs: usize,
    /// The schedule that was the last to show a new one.
    last_new_pair: Option<u64>,
    /// The schedules that others are made of.
    kept: usize,
    found: Vec<FoundJson<'a>>,
}

#[derive(Serialize)]
struct FoundJson<'a> {
    headline: String,
    oracle: Option<&'a str>,
    schedule: u64,
    token: Option<&'a str>,
    file: Option<&'a Path>,
}

/// Prints it all.
pub fn print(fuzzed: &Fuzzed, out: &mut Output) -> Result<(), Error> {
    let json = Json {
        seed: fuzzed.seeds.0,
        seeds: fuzzed.seeds.1,
        interrupted: fuzzed.interrupted,
        out_of_time: fuzzed.timed_out,
        surprises: fuzzed.surprises().count(),
        subjects: fuzzed.on.iter().map(subject).collect(),
    };
    Ok(out.json("fuzz", json)?)
}

fn subject(outcome: &Outcome) -> SubjectJson<'_> {
    let Outcome { subject, seed, shown, seen, found, assessment } = outcome;
    SubjectJson {
        scenario: subject.scenario.info().name,
        variant: subject.variant.name,
        workload: &subject.workload,
        seed: *seed,
        assessment,
        schedules: shown.schedules,
        failing: shown.failing,
        first_failure: shown.first,
        pairs: seen.pairs,
        last_new_pair: (seen.last_new > 0).then_some(seen.last_new),
        kept: seen.kept,
        found: found.iter().map(kept).collect(),
    }
}

fn kept(kept: &Kept) -> FoundJson<'_> {
    FoundJson {
        headline: kept.finding.headline(),
        oracle: kept.finding.oracle.as_deref(),
        schedule: kept.schedule,
        token: kept.again.as_ref().map(|again| again.token.as_str()),
        file: kept.file.as_deref(),
    }
}
