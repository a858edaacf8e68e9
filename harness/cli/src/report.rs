//! `bohr report`: one folder a bug, with the report as a page, Markdown, text, JSON and a picture, and an index.
//!
//! The same program writes the same bytes: fixed seeds and numbers of schedules, and no clock.

mod files;
mod sources;

use self::files::{Fate, Page, State};
use crate::args;
use crate::case::beside_fixed;
use crate::exit::{Done, Error};
use crate::judging::{Judged, judge_all, oracles, verdict};
use crate::output::{Look, Output};
use crate::progress::Progress;
use crate::run::{base, efforts, examples};
use crate::target::{self, Subject};
use crate::words::quoted;
use crate::{interrupt, scenarios};
use bohr_explore::campaign::{Budget, Shown, campaign, name_of};
use bohr_explore::cell::Coverage;
use bohr_explore::driver::{Driver, RANDOMIZED};
use bohr_explore::jobs::run_all;
use bohr_explore::stats::{median, median_interval, rule_of_three, wilson};
use bohr_explore::unseen::Traces;
use bohr_kernel::RunConfig;
use bohr_kernel::scenario::{AnyScenario, Expected, Role};
use bohr_report::model::{DriverRow, HoldsRow, Median, Proof, Share, VariantRow};
use bohr_report::{BugReport, Case, index, json, markdown, page, picture, report, text};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

/// The most runs to shrink one case.
const SHRINK_RUNS: u64 = 50_000;
/// How hard the bug is to find is measured from so many seeds, with so many schedules each.
const SEEDS: u64 = 20;
const SCHEDULES: u64 = 500;
/// The width of the text form.
const WIDTH: usize = 110;

#[derive(Serialize)]
struct Json {
    stale: bool,
    reports: Vec<Fate>,
}

/// Runs the command.
pub fn report(args: &args::Report, out: &mut Output) -> Result<Done, Error> {
    let chosen: Vec<&'static dyn AnyScenario> = match args.scenarios.as_slice() {
        [] => scenarios::ALL.to_vec(),
        names => names.iter().map(|name| target::scenario(name)).collect::<Result<_, _>>()?,
    };
    let failed = |path: &Path, e: io::Error| {
        Error::Input(format!("failed to write {path:?}: {e}; give another folder with --out"))
    };
    let stop = interrupt::flag();
    let mut pages = Vec::new();
    let mut fates = Vec::new();
    let mut bugs = Vec::new();
    for scenario in &chosen {
        let folder = args.out.join(scenario.info().name);
        if !args.check {
            // Before the work, which takes a while.
            fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
        }
        let bug = bug(*scenario, args.jobs.number(), &stop)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(Done::Interrupted);
        }
        let files = of_bug(&bug).map(|(name, text)| Page { file: folder.join(name), text });
        fates.extend(settle(&files, args.check).map_err(|(file, e)| failed(&file, e))?);
        pages.extend(files);
        bugs.push(bug);
    }
    if args.scenarios.is_empty() {
        let files = index::files(&bugs).map(|(name, text)| Page { file: args.out.join(name), text });
        fates.extend(settle(&files, args.check).map_err(|(file, e)| failed(&file, e))?);
        pages.extend(files);
        // A folder that cannot be listed holds no page either, which has been said.
        fates.extend(files::unreferenced(&args.out, &pages).unwrap_or_default());
    }
    let stale = fates.iter().any(|fate| !fate.state.is_good());
    if out.json {
        out.json("report", Json { stale, reports: fates })?;
    } else {
        print(&fates, out)?;
    }
    Ok(if stale { Done::Surprise } else { Done::AsExpected })
}

/// The files of one bug's folder.
fn of_bug(bug: &BugReport) -> [(&'static str, String); 5] {
    let blocks = report::bug(bug);
    let json = json::Report::of(bug);
    let picture = json.cases.first().map(picture::file).unwrap_or_default();
    [
        ("report.md", markdown::render(&blocks)),
        ("report.txt", text::render(&blocks, WIDTH)),
        ("report.json", json.to_file()),
        ("report.html", page::html(bug, &json)),
        (report::PICTURE, picture),
    ]
}

/// Writes pages, or only looks whether they are as they should be.
fn settle(pages: &[Page], check: bool) -> Result<Vec<Fate>, (PathBuf, io::Error)> {
    let settle = |page: &Page| match check {
        true => Ok(files::check(page)),
        false => files::write(page).map_err(|e| (page.file.clone(), e)),
    };
    pages.iter().map(settle).collect()
}

fn print(fates: &[Fate], out: &mut Output) -> Result<(), Error> {
    for Fate { file, state, because } in fates {
        let file = quoted(file);
        let because = because.as_deref().unwrap_or_default();
        match state {
            State::Written => out.line(format!("wrote {file}"))?,
            State::Unchanged => out.line(format!("{file} is up to date"))?,
            State::Stale => {
                out.styled(Look::Bad, &format!("{file} is stale: {because}; `bohr report` writes it anew"))?;
            }
            State::Unreferenced => {
                out.styled(Look::Bad, &format!("{file} is of no use: {because}; remove it"))?;
            }
        }
    }
    Ok(())
}

/// All that there is to say about a bug.
fn bug(scenario: &'static dyn AnyScenario, jobs: usize, stop: &Arc<AtomicBool>) -> Result<BugReport, Error> {
    let subjects = shown(target::subjects(&[scenario.info().name.to_owned()], |_| true)?);
    let progress = Arc::new(Progress::new(subjects.len()));
    let base = base(stop);
    let judged = judge_all(&subjects, |s| efforts(None, None, &base, s), jobs, None, &progress);
    progress.clear();
    let mut cases: Vec<_> = examples(&judged, jobs, SHRINK_RUNS, stop)?.into_iter().map(|e| e.case).collect();
    // The report is about what the users saw: first what they reported, a crash before a race that nobody was told of,
    // and the simplest first.
    let reported = |c: &Case| c.finding.oracle.as_deref() == Some(scenario.info().reported);
    cases.sort_by_key(|c| {
        let crash = c.finding.kind.ends_the_run();
        (!reported(c), !crash, scenario.has_faults(&c.workload), c.preemptions, c.trace.steps.len())
    });
    let beside = |case: Case| match subjects.iter().find(|s| s.variant.name == case.variant) {
        Some(subject) => beside_fixed(subject, case),
        None => Ok(case),
    };
    let cases = cases.into_iter().map(beside).collect::<Result<Vec<_>, _>>()?;
    let (sources, forms) = sources::sources(scenario, &cases)?;
    let hardness = match cases.first() {
        Some(case) => hardness(&subjects, case, jobs, stop)?,
        None => Vec::new(),
    };
    Ok(BugReport {
        info: scenario.info().into(),
        oracles: scenario.oracles().iter().map(Into::into).collect(),
        variants: judged
            .chunk_by(|a, b| a.subject.variant.name == b.subject.variant.name)
            .map(variant)
            .collect(),
        cases,
        hardness,
        holds: judged.iter().filter_map(|j| holds(j, stop).transpose()).collect::<Result<_, _>>()?,
        sources,
        forms: Some(forms),
    })
}

/// Larger workloads are for `bohr run`: here every line is something to read. Unless only they show
/// something that is wrong with a variant.
fn shown(subjects: Vec<Subject>) -> Vec<Subject> {
    let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
    let (small, large): (Vec<_>, Vec<_>) = subjects.iter().partition(|s| s.thorough);
    for subject in small {
        known.extend(violations(subject).into_iter().map(|v| (subject.variant.name, v)));
    }
    let mut needed = BTreeSet::new();
    for subject in large.into_iter().filter(|s| !s.only_observes()) {
        for oracle in violations(subject) {
            if known.insert((subject.variant.name, oracle)) {
                needed.insert(subject.path());
            }
        }
    }
    subjects.into_iter().filter(|s| s.thorough || needed.contains(&s.path())).collect()
}

/// The oracles that the variant is expected to violate on the workload.
fn violations(subject: &Subject) -> Vec<&'static str> {
    let expected = subject.scenario.expected(subject.variant.name, &subject.workload);
    expected.iter().flat_map(Expected::oracles).collect()
}

fn variant(group: &[Judged]) -> VariantRow {
    let variant = group[0].subject.variant;
    let (violated, observed) = oracles(group);
    let owned = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect();
    VariantRow {
        name: variant.name.to_owned(),
        role: variant.role,
        summary: variant.summary.to_owned(),
        verdict: verdict(group),
        violated: owned(violated),
        observed: owned(observed),
    }
}

/// What is known about a form that is meant to hold everywhere; others hold on a workload only because
/// that cannot show what is wrong with them.
fn holds(judged: &Judged, stop: &Arc<AtomicBool>) -> Result<Option<HoldsRow>, Error> {
    let subject = &judged.subject;
    let meant = matches!(subject.variant.role, Role::Fixed | Role::UpstreamFix);
    let Some(cell) = judged.cell.as_ref().filter(|c| meant && c.violated.is_empty()) else { return Ok(None) };
    let proof = match cell.coverage {
        Coverage::Exhausted { schedules } => Some(Proof::Exhausted { schedules }),
        // A search that was cut off is no sample: draw one.
        Coverage::Bounded { .. } | Coverage::Sampled { .. } => {
            let drawn = campaigns(Driver::Portfolio, subject, true, stop)?;
            let schedules = drawn.iter().map(|seed| seed.schedules).sum();
            let failed = drawn.iter().any(|seed| seed.failing > 0);
            let seen = Traces::sum(drawn.iter().map(|seed| &seed.traces));
            (!failed).then(|| Proof::NotRefuted {
                schedules,
                traces: seen.distinct(),
                unseen: seen.unseen(),
                upper: rule_of_three(schedules),
            })
        }
    };
    let variant = subject.variant.name.to_owned();
    Ok(proof.map(|proof| HoldsRow { variant, class: subject.workload.clone(), proof }))
}

/// How hard the failure of a case is to find on the first workload of its variant, by drivers whose
/// schedules depend on the seed alone.
fn hardness(
    subjects: &[Subject],
    case: &Case,
    jobs: usize,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<DriverRow>, Error> {
    let Some(subject) = subjects.iter().find(|s| s.variant.name == case.variant) else {
        return Ok(Vec::new());
    };
    let oracle = name_of(&case.finding);
    let measure = |driver: &Driver| {
        let seeds = campaigns(*driver, subject, false, stop)?;
        Ok(row(format!("{driver} ({oracle} on {})", subject.workload), &oracle, &seeds))
    };
    run_all(&RANDOMIZED, jobs, measure, |_, _| {}).into_iter().collect()
}

fn campaigns(
    driver: Driver,
    subject: &Subject,
    identify: bool,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<Shown>, Error> {
    let program = subject.program()?;
    let config = RunConfig { keep_going: true, identify, ..RunConfig::default() };
    let budget = Budget { stop: stop.clone(), ..Budget::all(SCHEDULES) };
    Ok((1..=SEEDS).map(|seed| campaign(driver, &program, config, seed, &budget)).collect())
}

/// Counts only one oracle: a run goes on after a race that nobody is told of, and may still crash.
fn row(driver: String, oracle: &str, seeds: &[Shown]) -> DriverRow {
    let showing = |seed: &Shown| -> Vec<(u64, u64)> {
        let found = seed.found.iter().filter(|f| name_of(&f.finding) == oracle);
        found.map(|f| (f.schedule, f.times)).collect()
    };
    let mut firsts: Vec<u64> =
        seeds.iter().filter_map(|seed| showing(seed).iter().map(|(first, _)| *first).min()).collect();
    firsts.sort_unstable();
    let hits = seeds.iter().flat_map(showing).map(|(_, times)| times).sum();
    let of = seeds.iter().map(|seed| seed.schedules).sum();
    let share = wilson(hits, of);
    // Seeds that found nothing count as beyond the budget: a median needs more than half of them.
    let enough = 2 * firsts.len() > seeds.len();
    let all = firsts.len() == seeds.len();
    let first = median(&firsts).zip(median_interval(&firsts)).filter(|_| enough);
    DriverRow {
        driver,
        seeds: seeds.len() as u64,
        found: firsts.len() as u64,
        first_failure: first.map(|(median, (low, high))| Median {
            median: median as f64,
            low: low as f64,
            high: all.then_some(high as f64),
        }),
        failing: Some(Share { hits, of, low: share.low, high: share.high }),
        firsts,
        budget: SCHEDULES,
    }
}
