//! `bohr prove`: every schedule of a form, up to the order of operations that commute, or one that fails.

mod checkpoint;
mod one;
pub mod shard;

use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::judging::Kept;
use crate::output::{Look, Output};
use crate::progress::Progress;
use crate::store::Store;
use crate::target::{self, Subject};
use crate::words::{counted, quoted};
use bohr_kernel::scenario::Expected;
pub use one::By;
use one::{Covered, Limits};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What came of a proof.
struct Proved {
    subject: Subject,
    covered: Covered,
    found: Option<Kept>,
    /// Where to go on, if it is not at its end.
    checkpoint: Option<PathBuf>,
}

/// Runs the command.
pub fn prove(args: &args::Prove, out: &mut Output) -> Result<Done, Error> {
    if let Some(shard) = args.shard {
        return shard::prove(args, shard, out);
    }
    let subjects = subjects(&args.target, args.class.as_deref())?;
    let stop = interrupt::flag();
    let store = Store::open(&args.folder.out);
    let progress = Progress::new(subjects.len());
    let limits = Limits::of(args, args.by, &stop);
    let mut proved = Vec::new();
    for subject in subjects {
        let one = one::prove(subject, &limits, args.resume, &store, &progress)?;
        progress.above(|| if out.json { Ok(()) } else { print(&one, out) })?;
        progress.done();
        proved.push(one);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    progress.clear();
    conclude(&proved, &stop, &store, out)
}

/// What all proofs come to.
fn conclude(proved: &[Proved], stop: &AtomicBool, store: &Store, out: &mut Output) -> Result<Done, Error> {
    if out.json {
        out.json("prove", Json { proofs: proved.iter().map(json).collect() })?;
    }
    if let Some(failed) = store.failed() {
        return Err(failed);
    }
    Ok(match (stop.load(Ordering::Relaxed), proved.iter().all(as_expected)) {
        (true, _) => Done::Interrupted,
        (false, true) => Done::AsExpected,
        (false, false) => Done::Surprise,
    })
}

/// Without a workload the smallest ones.
fn subjects(target: &str, class: Option<&str>) -> Result<Vec<Subject>, Error> {
    target::of_form(target, class, || match target::scenario(target.trim_end_matches('/')) {
        Ok(scenario) => {
            let example = scenario.info().name;
            let advice = format!("say of which form, such as {example}/fixed");
            Error::Input(format!("{target:?} is a scenario: {advice}"))
        }
        Err(unknown) => unknown,
    })
}

/// A proof where the form holds, and a finding where it does not.
fn as_expected(proved: &Proved) -> bool {
    let expected = proved.subject.scenario.expected(proved.subject.variant.name, &proved.subject.workload);
    match (&proved.found, expected) {
        (Some(found), Some(Expected::Fails(violations))) => {
            violations.iter().any(|v| found.finding.oracle.as_deref() == Some(v.oracle))
        }
        (Some(_), Some(Expected::Holds) | None) | (None, Some(Expected::Fails(_))) => false,
        (None, Some(Expected::Holds) | None) => proved.covered.all(),
    }
}

fn print(proved: &Proved, out: &mut Output) -> Result<(), Error> {
    let path = proved.subject.path();
    if let Some(found) = &proved.found {
        let look = if as_expected(proved) { Look::Plain } else { Look::Bad };
        let observed = if proved.subject.only_observes() { " (only observed)" } else { "" };
        out.styled(look, &format!("{path}: {}{observed}", found.finding.headline()))?;
        if let Some(again) = &found.again {
            out.line(format!("  bohr replay {}", again.token))?;
        }
    } else if proved.covered.all() {
        out.styled(Look::Good, &format!("{path}: proved{}, no finding", covered(&proved.covered)))?;
    } else {
        let executions = counted(proved.covered.executions(), "execution");
        out.line(format!("{path}: not exhausted: bound reached after {executions}, no finding"))?;
        if let Some(file) = &proved.checkpoint {
            out.line(format!("  kept in {}; with --resume it goes on from there", quoted(file)))?;
        }
    }
    Ok(())
}

/// What was covered, in words.
fn covered(covered: &Covered) -> String {
    match covered {
        Covered::Traces(explored) => format!(
            ": {}, {}",
            counted(explored.executions, "execution"),
            counted(explored.traces, "distinct trace")
        ),
        Covered::States { exhausted, preemptions } => {
            let within = preemptions
                .map(|n| format!(" up to {}", counted(n.into(), "preemption")))
                .unwrap_or_default();
            let executions = counted(exhausted.complete, "execution");
            format!("{within}: {executions}, {}", counted(exhausted.states, "distinct state"))
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    proofs: Vec<ProofJson<'a>>,
}

#[derive(Serialize)]
struct ProofJson<'a> {
    scenario: &'a str,
    variant: &'a str,
    workload: &'a str,
    proved: bool,
    as_expected: bool,
    #[serde(flatten)]
    covered: &'a Covered,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<&'a Path>,
}

fn json(proved: &Proved) -> ProofJson<'_> {
    ProofJson {
        scenario: proved.subject.scenario.info().name,
        variant: proved.subject.variant.name,
        workload: &proved.subject.workload,
        proved: proved.covered.all() && proved.found.is_none(),
        as_expected: as_expected(proved),
        covered: &proved.covered,
        finding: proved.found.as_ref().map(|f| f.finding.headline()),
        token: proved.found.as_ref().and_then(|f| f.again.as_ref()).map(|a| a.token.as_str()),
        checkpoint: proved.checkpoint.as_deref(),
    }
}
