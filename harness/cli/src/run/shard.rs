//! A shard of `bohr run`, and all of them together. A unit is the verdict of a form on a workload.

use super::{By, Exporting, base, campaign, conclude, efforts};
use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::judging::{Judged, Kept, judge_each};
use crate::merge::{Merging, Shards};
use crate::output::Output;
use crate::progress::Progress;
use crate::shard::{Campaign, Failed, Shard, Work};
use crate::store::Store;
use crate::target::{self, Subject};
use bohr_explore::campaign::{Found, Hardness};
use bohr_explore::cell::{Cell, Coverage, Effort};
use bohr_explore::engine::DoesNotFit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A verdict on disk: all of a [`Cell`] that the subject does not tell, and what was kept.
#[derive(Serialize, Deserialize)]
pub struct Unit {
    violated: BTreeMap<String, Found>,
    coverage: Coverage,
    hardness: Vec<Hardness>,
    complete: bool,
    does_not_fit: Option<DoesNotFit>,
    found: Vec<Kept>,
}

impl Unit {
    /// Nothing if the work on it ended early.
    fn of(judged: &Judged) -> Option<Unit> {
        let cell = judged.cell.clone()?;
        Some(Unit {
            violated: cell.violated,
            coverage: cell.coverage,
            hardness: cell.hardness,
            complete: cell.complete,
            does_not_fit: cell.does_not_fit,
            found: judged.found.clone(),
        })
    }

    fn judged(self, subject: Subject) -> Judged {
        let (variant, workload) = (subject.variant.name.to_owned(), subject.workload.clone());
        let expected = subject.scenario.expected(&variant, &workload);
        let Unit { violated, coverage, hardness, complete, does_not_fit, found } = self;
        let cell = Cell { variant, workload, expected, violated, coverage, hardness, complete, does_not_fit };
        Judged { subject, cell: Some(cell), found }
    }
}

/// Runs the command for a shard. What the verdicts are is told when all are put together.
pub fn run(args: &args::Run, shard: Shard, out: &mut Output) -> Result<Done, Error> {
    let subjects = target::subjects(&args.targets, |_| true)?;
    if args.exports.any() {
        let advice =
            "give --junit, --sarif and --summary to `bohr merge`, which knows what all shards have found";
        return Err(Error::Input(format!("cannot export what a single shard has found: {advice}")));
    }
    let work = Work::<Unit>::open(&args.folder.out, campaign(args), shard)?;
    let wanted: Vec<usize> = (0..subjects.len()).filter(|unit| work.wants(*unit)).collect();
    let mine: Vec<Subject> = wanted.iter().map(|unit| subjects[*unit].clone()).collect();
    let stop = interrupt::flag();
    let base = Effort { seed: args.seed, ..base(&stop) };
    let store = Arc::new(Store::open(&args.folder.out));
    let progress = Arc::new(Progress::new(mine.len()));
    let failed = Failed::default();
    let done = |at: usize, judged: &Judged| {
        // What ended early is done again.
        if let Some(unit) = Unit::of(judged).filter(|_| !stop.load(Ordering::Relaxed))
            && !failed.note(work.keep(wanted[at], unit))
        {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let efforts = |s: &Subject| efforts(args.driver, args.schedules, &base, s);
    judge_each(&mine, efforts, args.jobs.number(), Some(&store), &progress, done);
    progress.clear();
    failed.check()?;
    work.conclude("verdict", subjects.len(), stop.load(Ordering::Relaxed), &store, out)
}

/// What all shards have shown.
pub fn merge(shards: &Shards, merging: &Merging<'_>, out: &mut Output) -> Result<Done, Error> {
    let Campaign::Run { targets, seed, .. } = shards.of() else { return Err(shards.unreadable()) };
    let subjects = target::subjects(targets, |_| true)?;
    let units = shards.dealt::<Unit>(subjects.len())?;
    let judged = subjects.into_iter().zip(units).map(|(subject, unit)| unit.judged(subject)).collect();
    let by = By::Shards(shards.number());
    let exporting = Exporting { exports: merging.exports, command: shards.of().to_string() };
    conclude((*seed, judged, by), None, merging.jobs, merging.store, &merging.stop, &exporting, out)
}
