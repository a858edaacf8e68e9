//! `bohr run`: the verdict of every variant, and whether it is the expected one.

mod json;
pub mod shard;
mod text;

use crate::args;
use crate::case::{case, smallest};
use crate::exit::{Done, Error};
use crate::exports::Found;
use crate::interrupt;
use crate::judging::{Judged, Kept, Way, judge_all};
use crate::output::Output;
use crate::progress::Progress;
use crate::shard::Campaign;
use crate::store::Store;
use crate::target::{self, Subject};
use crate::words::{Assessment, assess};
use bohr_explore::cell::{Cell, Effort};
use bohr_explore::driver::{Driver, RANDOMIZED};
use bohr_explore::jobs::run_all;
use bohr_kernel::scenario::{Expected, Role};
use bohr_report::Case;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A campaign runs from so many seeds, with at most so many schedules each.
const SEEDS: u64 = 20;
const SCHEDULES: u64 = 50;
/// The same where one driver has only to show that a failure is there.
const FEW_SCHEDULES: u64 = 10;
/// The most runs of one exhaustive search.
const SEARCH_RUNS: u64 = 4_000;
/// The same on a workload that is not among the smallest.
const LARGE_SEARCH_RUNS: u64 = 1_500;
/// The most where a search is asked for.
const DEEP_SEARCH_RUNS: u64 = 100_000;
/// The most executions of loom.
const LOOM_EXECUTIONS: u64 = 100_000;
/// The most runs to shrink one example.
const SHRINK_RUNS: u64 = 10_000;

/// Everything that a run has shown.
pub struct Ran {
    /// The first seed and how many.
    seeds: (u64, u64),
    /// Every variant on every workload that was asked for.
    judged: Vec<Judged>,
    /// What the buggy forms did, once each, shrunk.
    examples: Vec<Example>,
    /// How they came about.
    by: By,
    /// Whether the user ended it early.
    interrupted: bool,
    /// Whether it ran out of its time.
    timed_out: bool,
}

/// Who found the verdicts.
enum By {
    /// This program, just now, in so much time.
    Now(Duration),
    /// So many shards.
    Shards(usize),
}

/// A way in which a buggy form fails.
pub struct Example {
    /// The shrunk run.
    pub case: Case,
    /// On how many workloads it fails so.
    pub workloads: u64,
}

/// Runs the command.
pub fn run(args: &args::Run, out: &mut Output) -> Result<Done, Error> {
    args.exports.check(out.json)?;
    if let Some(shard) = args.shard {
        return shard::run(args, shard, out);
    }
    let subjects = target::subjects(&args.targets, |_| true)?;
    let stop = interrupt::flag();
    let began = Instant::now();
    let until = args.time.and_then(|time| Instant::now().checked_add(time));
    let base = Effort { seed: args.seed, until, ..base(&stop) };
    let store = Arc::new(Store::open(&args.folder.out));
    let progress = Arc::new(Progress::new(subjects.len()));
    let judged = judge_all(
        &subjects,
        |s| efforts(args.driver, args.schedules, &base, s),
        args.jobs.number(),
        Some(&store),
        &progress,
    );
    progress.clear();
    let by = By::Now(began.elapsed());
    let exporting = Exporting { exports: &args.exports, command: campaign(args).to_string() };
    conclude((args.seed, judged, by), base.until, args.jobs.number(), &store, &stop, &exporting, out)
}

/// The command, with all that its results depend on.
fn campaign(args: &args::Run) -> Campaign {
    Campaign::Run {
        targets: args.targets.clone(),
        seed: args.seed,
        schedules: args.schedules,
        driver: args.driver,
    }
}

/// What is to be exported, and what of.
struct Exporting<'a> {
    exports: &'a args::Exports,
    command: String,
}

/// Shrinks an example of each failure, and prints it all.
fn conclude(
    (seed, judged, by): (u64, Vec<Judged>, By),
    until: Option<Instant>,
    jobs: usize,
    store: &Store,
    stop: &Arc<AtomicBool>,
    Exporting { exports, command }: &Exporting<'_>,
    out: &mut Output,
) -> Result<Done, Error> {
    let examples = examples(&judged, jobs, SHRINK_RUNS, stop)?;
    examples.iter().for_each(|example| drop(store.keep(&example.case)));
    let ran = Ran {
        seeds: (seed, SEEDS),
        judged,
        examples,
        by,
        interrupted: stop.load(Ordering::Relaxed),
        timed_out: until.is_some_and(|at| Instant::now() >= at),
    };
    if out.json {
        json::print(&ran, out)?;
    } else if !exports.on_output() {
        text::print(&ran, store.root(), out)?;
    }
    let (command, ended) = (command.clone(), ran.ended());
    let found = Found { command, ended, judged: &ran.judged, examples: &ran.examples, jobs, stop };
    let exported = exports.write(&found, out);
    match (store.failed(), exported) {
        (None, Ok(())) => Ok(ran.done()),
        (None, Err(failed)) | (Some(failed), Ok(())) => Err(failed),
        (Some(Error::Input(kept)), Err(Error::Input(exported))) => {
            Err(Error::Input(format!("{kept}\n{exported}")))
        }
        (Some(failed), Err(_)) => Err(failed),
    }
}

impl Ran {
    fn done(&self) -> Done {
        match (self.surprises().next(), self.interrupted) {
            (_, true) => Done::Interrupted,
            (Some(_), false) => Done::Surprise,
            (None, false) => Done::AsExpected,
        }
    }

    /// Why not all of it was done.
    fn ended(&self) -> Option<&'static str> {
        match (self.interrupted, self.timed_out) {
            (true, _) => Some("it was interrupted"),
            (false, true) => Some("it was out of time"),
            (false, false) => None,
        }
    }

    fn surprises(&self) -> impl Iterator<Item = (&Judged, String)> {
        self.judged.iter().filter_map(|judged| match assess(judged.cell.as_ref()?) {
            Assessment::Surprise(why) => Some((judged, why)),
            _ => None,
        })
    }

    /// The subjects in groups: one for each variant, in order.
    fn by_variant(&self) -> impl Iterator<Item = &[Judged]> {
        let same = |a: &Judged, b: &Judged| {
            a.subject.variant.name == b.subject.variant.name
                && a.subject.scenario.info().name == b.subject.scenario.info().name
        };
        self.judged.chunk_by(same)
    }
}

/// What to start from: no time limit, the usual seeds.
pub fn base(stop: &Arc<AtomicBool>) -> Effort {
    Effort {
        drivers: Vec::new(),
        seeds: SEEDS,
        seed: 1,
        schedules: 0,
        search_runs: 0,
        until: None,
        stop: stop.clone(),
    }
}

/// What to do for a verdict, in stages: the next one is for when the one before did not suffice.
pub fn efforts(
    driver: Option<Driver>,
    schedules: Option<u64>,
    base: &Effort,
    subject: &Subject,
) -> Vec<Effort> {
    let schedules = |n: u64| schedules.unwrap_or(n);
    let sample = |drivers: &[Driver], n: u64| Effort {
        drivers: drivers.to_vec(),
        schedules: schedules(n),
        search_runs: 0,
        ..base.clone()
    };
    match driver {
        Some(Driver::Dfs) => {
            vec![Effort { search_runs: schedules(DEEP_SEARCH_RUNS), ..sample(&[], 0) }]
        }
        Some(Driver::Loom) => vec![sample(&[Driver::Loom], LOOM_EXECUTIONS)],
        Some(driver) => vec![sample(&[driver], SCHEDULES)],
        None => {
            let search_runs = if subject.thorough { SEARCH_RUNS } else { LARGE_SEARCH_RUNS };
            let fails = matches!(
                subject.scenario.expected(subject.variant.name, &subject.workload),
                Some(Expected::Fails(_))
            );
            // The bug itself is measured. Of a wrong fix or on a larger workload a failure has only to
            // show; where none is expected the search alone is quick.
            let measured = subject.variant.role == Role::Buggy && subject.thorough;
            match (fails, measured) {
                (true, true) => {
                    let all = [&[Driver::Portfolio], &RANDOMIZED[..]].concat();
                    vec![Effort { search_runs: SEARCH_RUNS, ..sample(&all, SCHEDULES) }]
                }
                (true, false) => {
                    let more =
                        Effort { search_runs: LARGE_SEARCH_RUNS, ..sample(&[Driver::Portfolio], SCHEDULES) };
                    let most = Effort { search_runs: DEEP_SEARCH_RUNS, ..more.clone() };
                    vec![sample(&[Driver::Portfolio], FEW_SCHEDULES), more, most]
                }
                // What it cannot cover is drawn.
                (false, _) => vec![Effort { search_runs, ..sample(&[Driver::Portfolio], SCHEDULES) }],
            }
        }
    }
}

/// The ways in which the buggy forms fail, each from the smallest workload that shows it and shrunk.
pub fn examples(
    judged: &[Judged],
    jobs: usize,
    budget: u64,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<Example>, Error> {
    let mut ways: BTreeMap<(usize, Way), (u64, &Subject, &Kept)> = BTreeMap::new();
    let buggy = judged.iter().filter(|j| j.subject.variant.role == Role::Buggy);
    for judged in buggy {
        let scenario = place(judged);
        for kept in judged.found.iter().filter(|kept| kept.again.is_some()) {
            let next = (1, &judged.subject, kept);
            let way = ways.entry((scenario, Way::of(&kept.finding)));
            way.and_modify(|(workloads, subject, best)| {
                *workloads += 1;
                if difficulty(&judged.subject, kept) < difficulty(subject, best) {
                    (*subject, *best) = (&judged.subject, kept);
                }
            })
            .or_insert(next);
        }
    }
    let ways: Vec<_> = ways.into_values().collect();
    let shrunk = run_all(
        &ways,
        jobs,
        |(workloads, subject, kept)| {
            let case = case(subject, &kept.finding, &kept.decisions);
            let Some(case) = case else { return Ok(None) };
            let case = smallest(subject, &case, budget, stop)?.case;
            Ok(Some(Example { case, workloads: *workloads }))
        },
        |_, _| {},
    );
    shrunk.into_iter().filter_map(Result::transpose).collect()
}

fn place(judged: &Judged) -> usize {
    let name = judged.subject.scenario.info().name;
    crate::scenarios::ALL.iter().position(|s| s.info().name == name).unwrap_or(usize::MAX)
}

fn difficulty(subject: &Subject, kept: &Kept) -> (bool, usize, Option<u32>, Option<u32>) {
    let again = kept.again.as_ref();
    let Subject { scenario, workload, .. } = subject;
    (
        scenario.has_faults(workload),
        scenario.size(workload),
        again.map(|a| a.preemptions),
        again.map(|a| a.steps),
    )
}

/// The verdicts in a group.
fn cells(group: &[Judged]) -> Vec<&Cell> {
    group.iter().filter_map(|judged| judged.cell.as_ref()).collect()
}
