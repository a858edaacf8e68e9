//! `bohr live`: a bug as real processes on real files, with nobody scheduling them.

use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::output::{self, Output, cell};
use crate::target;
use crate::words::counted;
use kata_deploy_config::live::{Live, LiveReport, live_worker};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The scenario that has a live mode.
const LIVE: &str = "kata-deploy-config";

/// The editor's delays are scaled with this: short rounds, and still wide windows.
const SCALE: f64 = 0.1;

/// A form that runs, and what it showed.
struct Form {
    variant: &'static str,
    must_fail: bool,
    report: LiveReport,
}

impl Form {
    /// Nothing if it had no time for a single round, which says nothing.
    fn as_expected(&self) -> Option<bool> {
        let fails = !self.report.findings.is_empty();
        (fails || self.report.rounds > 0).then_some(fails == self.must_fail)
    }
}

/// Plays a process of the modelled system, if this program was started for that by itself.
pub fn worker() -> Option<ExitCode> {
    // The status of a process that exited is below 256.
    live_worker().map(|status| ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX)))
}

/// Runs the command.
pub fn live(args: &args::Live, out: &mut Output) -> Result<Done, Error> {
    let name = target::scenario(&args.scenario)?.info().name;
    if name != LIVE {
        return Err(Error::Input(format!(
            "{name} has no live mode: it is no bug of processes; {LIVE} has one"
        )));
    }
    let stop = interrupt::flag();
    let forms: Vec<Form> = [("buggy", true), ("fixed", false)]
        .into_iter()
        .map(|(variant, must_fail)| Ok(Form { variant, must_fail, report: rounds(args, variant, &stop)? }))
        .collect::<Result<_, Error>>()?;
    if out.json {
        out.json("live", json(name, &forms))?;
    } else {
        print(name, args, &forms, out)?;
    }
    Ok(match (stop.load(Ordering::Relaxed), forms.iter().any(|f| f.as_expected() == Some(false))) {
        (true, _) => Done::Interrupted,
        (false, true) => Done::Surprise,
        (false, false) => Done::AsExpected,
    })
}

fn rounds(args: &args::Live, variant: &'static str, stop: &Arc<AtomicBool>) -> Result<LiveReport, Error> {
    let failed = |what: &str, e: std::io::Error| Error::Input(format!("failed to {what}: {e}"));
    let dir = tempfile::tempdir().map_err(|e| failed("make a temporary directory", e))?;
    let live = Live {
        program: std::env::current_exe().map_err(|e| failed("find this program's own file", e))?,
        args: Vec::new(),
        dir: dir.path().to_owned(),
        variant: variant.to_owned(),
        rounds: args.rounds,
        scale: SCALE,
        until: Instant::now() + args.time,
        stop: stop.clone(),
    };
    kata_deploy_config::live::live(&live).map_err(|e| failed(&format!("run {variant} as processes"), e))
}

fn print(name: &str, args: &args::Live, forms: &[Form], out: &mut Output) -> Result<(), Error> {
    let most = counted(args.rounds.into(), "round");
    out.line(format!("{name} as real processes on real files, up to {most} for each form"))?;
    out.line("")?;
    let titles = ["form", "rounds", "corrupt at the end", "loads meanwhile", "violated", "expected"];
    let mut rows = vec![output::header(&titles)];
    rows.extend(forms.iter().map(|form| {
        let report = &form.report;
        vec![
            cell(form.variant),
            cell(report.rounds.to_string()),
            cell(report.corrupt.to_string()),
            cell(report.polls.to_string()),
            cell(violated(report)),
            cell(match form.as_expected() {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "unfinished",
            }),
        ]
    }));
    out.table(&rows)?;
    for form in forms {
        // The first of each kind: later ones follow from it.
        let mut seen = Vec::new();
        for finding in &form.report.findings {
            if seen.contains(&finding.oracle) {
                continue;
            }
            if seen.is_empty() {
                out.line("")?;
                out.line(format!("What {} did:", form.variant))?;
            }
            seen.push(finding.oracle);
            let (at, bytes) = (finding.after.as_secs_f64(), finding.config.len());
            out.line(format!(
                "  round {}, {at:.2} s, {}: {} (config.toml has {})",
                finding.round,
                finding.oracle,
                finding.text.trim(),
                counted(bytes as u64, "byte")
            ))?;
            finding.exits.iter().try_for_each(|exit| out.line(format!("    {exit}")))?;
        }
    }
    Ok(())
}

fn violated(report: &LiveReport) -> String {
    let counts = report.counts();
    let each = counts.iter().map(|(oracle, times)| format!("{oracle} ({times})"));
    if counts.is_empty() { "nothing".to_owned() } else { each.collect::<Vec<_>>().join(", ") }
}

#[derive(Serialize)]
struct Json<'a> {
    scenario: &'a str,
    forms: Vec<FormJson<'a>>,
}

#[derive(Serialize)]
struct FormJson<'a> {
    variant: &'static str,
    rounds: u32,
    corrupt: u32,
    loads: u64,
    violated: BTreeMap<&'static str, usize>,
    as_expected: Option<bool>,
    findings: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    round: u32,
    milliseconds: u128,
    oracle: &'static str,
    text: &'a str,
    exits: &'a [String],
}

fn json<'a>(scenario: &'a str, forms: &'a [Form]) -> Json<'a> {
    let form = |form: &'a Form| FormJson {
        variant: form.variant,
        rounds: form.report.rounds,
        corrupt: form.report.corrupt,
        loads: form.report.polls,
        violated: form.report.counts(),
        as_expected: form.as_expected(),
        findings: form
            .report
            .findings
            .iter()
            .map(|f| FindingJson {
                round: f.round,
                milliseconds: f.after.as_millis(),
                oracle: f.oracle,
                text: &f.text,
                exits: &f.exits,
            })
            .collect(),
    };
    Json { scenario, forms: forms.iter().map(form).collect() }
}
