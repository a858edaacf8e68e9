//! `bohr report`: one folder a bug, with the report as Markdown and as text.
//!
//! The same program writes the same bytes: fixed seeds and numbers of schedules, and no clock.

use crate::args;
use crate::exit::{Done, Error};
use crate::judging::{Judged, judge_all};
use crate::output::{Look, Output};
use crate::progress::Progress;
use crate::run::examples;
use crate::target::{self, Subject};
use crate::words::quoted;
use crate::{interrupt, scenarios};
use bohr_explore::campaign::{Budget, Hardness, campaign};
use bohr_explore::cell::{Cell, Coverage, Effort};
use bohr_explore::driver::{Driver, RANDOMIZED};
use bohr_explore::jobs::run_all;
use bohr_explore::stats::rule_of_three;
use bohr_kernel::RunConfig;
use bohr_kernel::scenario::{AnyScenario, Role};
use bohr_report::model::{DriverRow, HoldsRow, Median, Proof, Share, VariantRow};
use bohr_report::{BugReport, markdown, report, text};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

/// The most runs of one exhaustive search.
const SEARCH_RUNS: u64 = 100_000;
/// The most runs for each number of preemptions when a case is shrunk.
const SHRINK_RUNS: u64 = 50_000;
/// How hard the bug is to find is measured from so many seeds, with so many schedules each.
const SEEDS: u64 = 20;
const SCHEDULES: u64 = 500;
/// The width of the text form.
const WIDTH: usize = 110;

#[derive(Serialize)]
struct Json {
    stale: bool,
    reports: Vec<ReportJson>,
}

#[derive(Serialize)]
struct ReportJson {
    file: PathBuf,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Written,
    Unchanged,
    Stale,
}

/// Runs the command.
pub fn report(args: &args::Report, out: &mut Output) -> Result<Done, Error> {
    let chosen: Vec<&'static dyn AnyScenario> = match args.scenarios.as_slice() {
        [] => scenarios::ALL.to_vec(),
        names => names.iter().map(|name| target::scenario(name)).collect::<Result<_, _>>()?,
    };
    let stop = interrupt::flag();
    let mut reports = Vec::new();
    for scenario in chosen {
        let blocks = report::bug(&bug(scenario, args.jobs.number(), &stop)?);
        if stop.load(Ordering::Relaxed) {
            return Ok(Done::Interrupted);
        }
        let folder = args.out.join(scenario.info().name);
        for (name, bytes) in
            [("report.md", markdown::render(&blocks)), ("report.txt", text::render(&blocks, WIDTH))]
        {
            let file = folder.join(name);
            reports.push(if args.check { check(file, &bytes) } else { write(file, &bytes)? });
        }
    }
    let stale = reports.iter().any(|r| r.state == State::Stale);
    if out.json {
        out.json("report", Json { stale, reports })?;
    } else {
        print(&reports, out)?;
    }
    Ok(if stale { Done::Surprise } else { Done::AsExpected })
}

fn print(reports: &[ReportJson], out: &mut Output) -> Result<(), Error> {
    for ReportJson { file, state, because } in reports {
        let file = quoted(file);
        match (state, because) {
            (State::Written, _) => out.line(format!("wrote {file}"))?,
            (State::Unchanged, _) => out.line(format!("{file} is up to date"))?,
            (State::Stale, because) => {
                let because = because.as_deref().unwrap_or_default();
                out.styled(Look::Bad, &format!("{file} is stale: {because}; `bohr report` writes it anew"))?;
            }
        }
    }
    Ok(())
}

fn write(file: PathBuf, bytes: &str) -> Result<ReportJson, Error> {
    if fs::read_to_string(&file).is_ok_and(|old| old == bytes) {
        return Ok(ReportJson { file, state: State::Unchanged, because: None });
    }
    let put = |path: &Path| -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::write(path, bytes)
    };
    put(&file).map_err(|e| {
        Error::Input(format!("failed to write {file:?}: {e}; give another folder with --out"))
    })?;
    Ok(ReportJson { file, state: State::Written, because: None })
}

fn check(file: PathBuf, bytes: &str) -> ReportJson {
    let because = match fs::read_to_string(&file) {
        Ok(old) if old == bytes => return ReportJson { file, state: State::Unchanged, because: None },
        Ok(old) => difference(&old, bytes),
        Err(e) => format!("failed to read it: {e}"),
    };
    ReportJson { file, state: State::Stale, because: Some(because) }
}

/// The first line that differs.
fn difference(old: &str, new: &str) -> String {
    let mut news = new.lines();
    let mut olds = old.lines();
    let mut line = 0;
    loop {
        line += 1;
        match (olds.next(), news.next()) {
            (None, None) => return "only its line ends differ".to_owned(),
            (old, new) if old != new => {
                let end = "the end of the file";
                let (old, new) = (old.unwrap_or(end).trim(), new.unwrap_or(end).trim());
                return format!("line {line} is\n  {old}\nand should be\n  {new}\n");
            }
            _ => {}
        }
    }
}

/// All that there is to say about a bug.
fn bug(scenario: &'static dyn AnyScenario, jobs: usize, stop: &Arc<AtomicBool>) -> Result<BugReport, Error> {
    let subjects = target::subjects(&[scenario.info().name.to_owned()], |_| true)?;
    let progress = Arc::new(Progress::new(subjects.len()));
    let effort = Effort {
        drivers: Vec::new(),
        seeds: 0,
        seed: 1,
        schedules: 0,
        search_runs: SEARCH_RUNS,
        until: None,
        stop: stop.clone(),
    };
    let judged = judge_all(&subjects, |_| vec![effort.clone()], jobs, None, &progress);
    progress.clear();
    let mut cases: Vec<_> = examples(&judged, jobs, SHRINK_RUNS, stop)?.into_iter().map(|e| e.case).collect();
    // The report is about what the users saw: a crash before a race that nobody was told of, and the
    // simplest first.
    cases.sort_by_key(|c| (!c.finding.kind.ends_the_run(), c.preemptions, c.trace.steps.len()));
    let hardest = cases.first().map(|case| case.variant.clone());
    let measured = subjects.iter().find(|s| Some(s.variant.name) == hardest.as_deref());
    Ok(BugReport {
        info: scenario.info().into(),
        oracles: scenario.oracles().iter().map(Into::into).collect(),
        variants: judged
            .chunk_by(|a, b| a.subject.variant.name == b.subject.variant.name)
            .map(variant)
            .collect(),
        cases,
        hardness: measured.map(|subject| hardness(subject, jobs, stop)).transpose()?.unwrap_or_default(),
        holds: judged.iter().filter_map(holds).collect(),
    })
}

fn variant(group: &[Judged]) -> VariantRow {
    let variant = group[0].subject.variant;
    let cells = group.iter().filter_map(|j| j.cell.as_ref());
    let oracles: BTreeSet<&str> = cells.flat_map(Cell::oracles).collect();
    VariantRow {
        name: variant.name.to_owned(),
        role: variant.role,
        summary: variant.summary.to_owned(),
        verdict: match oracles.is_empty() {
            true => "holds".to_owned(),
            false => format!("fails: {}", Vec::from_iter(oracles).join(", ")),
        },
    }
}

/// What is known about forms that are meant to hold everywhere; others hold on a workload only because
/// that cannot show what is wrong with them.
fn holds(judged: &Judged) -> Option<HoldsRow> {
    let role = judged.subject.variant.role;
    let cell = judged.cell.as_ref().filter(|c| c.violated.is_empty())?;
    let proof = match cell.coverage {
        Coverage::Exhausted { schedules } => Proof::Exhausted { schedules },
        Coverage::Bounded { schedules, .. } | Coverage::Sampled { schedules } => {
            Proof::NotRefuted { schedules, upper: rule_of_three(schedules) }
        }
    };
    let meant = matches!(role, Role::Fixed | Role::UpstreamFix);
    meant.then(|| HoldsRow {
        variant: judged.subject.variant.name.to_owned(),
        class: judged.subject.workload.clone(),
        proof,
    })
}

/// How hard the bug is to find on one workload, by drivers whose schedules depend on the seed alone.
fn hardness(subject: &Subject, jobs: usize, stop: &Arc<AtomicBool>) -> Result<Vec<DriverRow>, Error> {
    let program = subject.program()?;
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let budget = Budget { stop: stop.clone(), ..Budget::all(SCHEDULES) };
    let measure = |driver: &Driver| {
        let seeds: Vec<_> =
            (1..=SEEDS).map(|seed| campaign(*driver, &program, config, seed, &budget)).collect();
        row(&Hardness::of(*driver, &seeds))
    };
    Ok(run_all(&RANDOMIZED, jobs, measure, |_, _| {}))
}

fn row(h: &Hardness) -> DriverRow {
    let share = h.failing_share();
    // Seeds that found nothing count as beyond the budget: a median needs more than half of them.
    let enough = 2 * h.found > h.seeds;
    let all = h.found == h.seeds;
    let first = h.median.zip(h.interval).filter(|_| enough);
    DriverRow {
        driver: h.driver.to_string(),
        seeds: h.seeds,
        found: h.found,
        first_failure: first.map(|(median, (low, high))| Median {
            median: median as f64,
            low: low as f64,
            high: all.then_some(high as f64),
        }),
        failing: Some(Share { hits: h.failing, of: h.schedules, low: share.low, high: share.high }),
    }
}
