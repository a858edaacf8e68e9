//! A shard of `bohr fuzz`, and all of them together. A unit is a form on a workload from a seed.

use super::{Fuzzed, Outcome, SCHEDULES, Turns, conclude, from_each, subjects, turns};
use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::judging::Kept;
use crate::merge::{Merging, Shards};
use crate::output::Output;
use crate::progress::Progress;
use crate::shard::{Campaign, Failed, Shard, Work};
use crate::store::Store;
use bohr_explore::campaign::Shown;
use bohr_explore::jobs::run_all;
use bohr_explore::strategy::Seen;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What fuzzing from a seed has shown, on disk.
#[derive(Serialize, Deserialize)]
pub struct Unit {
    shown: Shown,
    pairs: usize,
    kept: usize,
    last_new: u64,
    found: Vec<Kept>,
}

/// Runs the command for a shard. What it comes to is told when all are put together.
pub fn fuzz(args: &args::Fuzz, shard: Shard, out: &mut Output) -> Result<Done, Error> {
    let schedules = args.schedules.unwrap_or(SCHEDULES);
    let of = Campaign::Fuzz { target: args.target.clone(), seed: args.seed, seeds: args.seeds, schedules };
    let turns = turns(subjects(&args.target)?, (args.seed, args.seeds), schedules)?;
    let all = turns.len();
    let work = Work::<Unit>::open(&args.folder.out, of, shard)?;
    let mine: Vec<(usize, Turns)> =
        turns.into_iter().enumerate().filter(|(unit, _)| work.wants(*unit)).collect();
    let stop = interrupt::flag();
    let store = Arc::new(Store::open(&args.folder.out));
    let progress = Progress::new(mine.len());
    let failed = Failed::default();
    let fuzz = |(unit, turns): &(usize, Turns)| {
        let over = stop.clone();
        if stop.load(Ordering::Relaxed) {
            return;
        }
        turns.go_on(turns.left(), &store, move || over.load(Ordering::Relaxed));
        // What ended early is done again.
        if !stop.load(Ordering::Relaxed) && !failed.note(work.keep(*unit, Unit::of(turns))) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    run_all(&mine, args.jobs.number(), fuzz, |_, ()| progress.done());
    progress.clear();
    failed.check()?;
    work.conclude("campaign", all, stop.load(Ordering::Relaxed), &store, out)
}

impl Unit {
    fn of(turns: &Turns) -> Self {
        let fuzzer = super::lock(&turns.fuzzer);
        let Seen { pairs, kept, last_new, .. } = fuzzer.seen();
        let found = super::lock(&turns.found).clone();
        Unit { shown: fuzzer.shown().clone(), pairs, kept, last_new, found }
    }
}

/// What all shards have shown.
pub fn merge(shards: &Shards, merging: &Merging<'_>, out: &mut Output) -> Result<Done, Error> {
    let Campaign::Fuzz { target, seed, seeds, .. } = shards.of() else { return Err(shards.unreadable()) };
    let each = from_each(subjects(target)?, (*seed, *seeds));
    let units = shards.dealt::<Unit>(each.len())?;
    let outcome = |((subject, seed), unit): (_, Unit)| {
        let Unit { shown, pairs, kept, last_new, found } = unit;
        let seen = Seen { schedules: shown.schedules, pairs, kept, last_new };
        Outcome::of(subject, seed, shown, seen, found)
    };
    let on = each.into_iter().zip(units).map(outcome).collect();
    let interrupted = merging.stop.load(Ordering::Relaxed);
    conclude(&Fuzzed { seeds: (*seed, *seeds), on, interrupted, timed_out: false }, merging.store, out)
}
