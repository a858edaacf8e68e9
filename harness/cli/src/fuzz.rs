//! `bohr fuzz`: failures, looked for with schedules that are made of those which showed something new.

mod json;
pub mod shard;
mod text;

use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::judging::{Kept, Way, keep};
use crate::output::Output;
use crate::progress::Progress;
use crate::store::Store;
use crate::target::{self, Subject};
use crate::words::{Assessment, assess, counted};
use bohr_explore::campaign::{Found, Shown, name_of};
use bohr_explore::cell::{Cell, Coverage};
use bohr_explore::fuzz::Fuzzer;
use bohr_explore::jobs::run_all;
use bohr_explore::strategy::Seen;
use bohr_kernel::RunConfig;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many schedules there are if nothing limits them.
const SCHEDULES: u64 = 100_000;
/// A workload's turn is so many schedules.
const TURN: u64 = 1_000;

/// What fuzzing has shown.
struct Fuzzed {
    /// The first seed and how many.
    seeds: (u64, u64),
    /// Every workload, in the scenario's order, from each seed.
    on: Vec<Outcome>,
    /// Whether the user ended it early.
    interrupted: bool,
    /// Whether it ran out of its time.
    timed_out: bool,
}

/// What fuzzing a variant on a workload from a seed has shown.
struct Outcome {
    subject: Subject,
    seed: u64,
    shown: Shown,
    seen: Seen,
    /// The distinct failures, in the order in which they showed.
    found: Vec<Kept>,
    assessment: Assessment,
}

/// A variant on a workload while it is being fuzzed from a seed.
struct Turns {
    subject: Subject,
    seed: u64,
    fuzzer: Mutex<Fuzzer>,
    /// The schedules that are its share.
    share: u64,
    found: Arc<Mutex<Vec<Kept>>>,
}

/// Runs the command.
pub fn fuzz(args: &args::Fuzz, out: &mut Output) -> Result<Done, Error> {
    if let Some(shard) = args.shard {
        return shard::fuzz(args, shard, out);
    }
    let subjects = subjects(&args.target)?;
    let stop = interrupt::flag();
    let store = Arc::new(Store::open(&args.folder.out));
    let until = args.time.and_then(|time| Instant::now().checked_add(time));
    let schedules = args.schedules.unwrap_or(if args.time.is_some() { u64::MAX } else { SCHEDULES });
    let over = {
        let stop = stop.clone();
        move || stop.load(Ordering::Relaxed) || until.is_some_and(|at| Instant::now() >= at)
    };
    let seeds = (args.seed, args.seeds);
    let turns = turns(subjects, seeds, schedules)?;
    let progress = Arc::new(Progress::open_ended());
    while !over() && turns.iter().any(|t| t.left() > 0) {
        let turn = |t: &Turns| t.turn(&store, over.clone());
        run_all(&turns, args.jobs.number(), turn, |_, ()| progress.say(so_far(&turns)));
    }
    progress.clear();
    let fuzzed = Fuzzed {
        seeds,
        on: turns.into_iter().map(Turns::outcome).collect(),
        interrupted: stop.load(Ordering::Relaxed),
        timed_out: until.is_some_and(|at| Instant::now() >= at),
    };
    conclude(&fuzzed, &store, out)
}

/// Prints it all.
fn conclude(fuzzed: &Fuzzed, store: &Store, out: &mut Output) -> Result<Done, Error> {
    if out.json {
        json::print(fuzzed, out)?;
    } else {
        text::print(fuzzed, store.root(), out)?;
    }
    store.failed().map_or_else(|| Ok(fuzzed.done()), Err)
}

/// The workload that was asked for, or the variant's smallest ones.
fn subjects(target: &str) -> Result<Vec<Subject>, Error> {
    target::of_form(target, None, || {
        let example = "such as submariner-image-log/buggy; `bohr list` shows what there is";
        Error::Input(format!("{target:?} names no variant; give SCENARIO/VARIANT, {example}"))
    })
}

/// Each subject from each seed, and how many schedules are its share.
fn turns(subjects: Vec<Subject>, seeds: (u64, u64), schedules: u64) -> Result<Vec<Turns>, Error> {
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let all = subjects.len() as u64 * seeds.1;
    let turns = |(at, (subject, seed)): (usize, (Subject, u64))| {
        let fuzzer = Mutex::new(Fuzzer::new(subject.program()?, config, seed));
        let share = schedules / all + u64::from((at as u64) < schedules % all);
        Ok(Turns { subject, seed, fuzzer, share, found: Arc::default() })
    };
    from_each(subjects, seeds).into_iter().enumerate().map(turns).collect()
}

fn from_each(subjects: Vec<Subject>, (first, seeds): (u64, u64)) -> Vec<(Subject, u64)> {
    let each = |subject: Subject| (first..first + seeds).map(move |seed| (subject.clone(), seed));
    subjects.into_iter().flat_map(each).collect()
}

/// The live line.
fn so_far(turns: &[Turns]) -> String {
    // Who has a turn now is counted after it.
    let seen = turns.iter().filter_map(|t| Some(t.fuzzer.try_lock().ok()?.seen()));
    let all = seen.fold(Seen::default(), |a, b| Seen {
        schedules: a.schedules + b.schedules,
        pairs: a.pairs + b.pairs,
        kept: a.kept + b.kept,
        last_new: 0,
    });
    let found: usize = turns.iter().map(|t| lock(&t.found).len()).sum();
    let [schedules, pairs, findings] =
        [(all.schedules, "schedule"), (all.pairs as u64, "pair"), (found as u64, "finding")]
            .map(|(n, what)| counted(n, what));
    format!("{schedules}, {pairs}, {} kept, {findings}", all.kept)
}

impl Turns {
    fn left(&self) -> u64 {
        self.share - lock(&self.fuzzer).shown().schedules
    }

    fn turn(&self, store: &Arc<Store>, over: impl Fn() -> bool + 'static) {
        let left = self.left();
        if left > 0 && !over() {
            self.go_on(left.min(TURN), store, over);
        }
    }

    fn go_on(&self, schedules: u64, store: &Arc<Store>, over: impl Fn() -> bool + 'static) {
        let watch = {
            let (subject, store, found) = (self.subject.clone(), store.clone(), self.found.clone());
            move |first: &Found| {
                let mut found = lock(&found);
                if found.iter().all(|kept| Way::of(&kept.finding) != Way::of(&first.finding)) {
                    found.push(keep(&subject, first, Some(&store)));
                }
            }
        };
        lock(&self.fuzzer).go_on(schedules, move || !over(), watch);
    }

    fn outcome(self) -> Outcome {
        let fuzzer = self.fuzzer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (shown, seen) = (fuzzer.shown().clone(), fuzzer.seen());
        let found = std::mem::take(&mut *lock(&self.found));
        Outcome::of(self.subject, self.seed, shown, seen, found)
    }
}

impl Outcome {
    fn of(subject: Subject, seed: u64, shown: Shown, seen: Seen, found: Vec<Kept>) -> Self {
        let assessment = assess(&cell(&subject, &shown));
        Outcome { subject, seed, shown, seen, found, assessment }
    }
}

/// As a verdict that rests on a sample.
fn cell(subject: &Subject, shown: &Shown) -> Cell {
    let (variant, workload) = (subject.variant.name, subject.workload.as_str());
    let mut violated = BTreeMap::new();
    for found in &shown.found {
        violated.entry(name_of(&found.finding)).or_insert_with(|| found.clone());
    }
    Cell {
        variant: variant.to_owned(),
        workload: workload.to_owned(),
        expected: subject.scenario.expected(variant, workload),
        violated,
        coverage: Coverage::Sampled { schedules: shown.schedules },
        hardness: Vec::new(),
        does_not_fit: None,
        complete: shown.schedules > 0,
    }
}

impl Fuzzed {
    fn done(&self) -> Done {
        match (self.surprises().next(), self.interrupted) {
            (_, true) => Done::Interrupted,
            (Some(_), false) => Done::Surprise,
            (None, false) => Done::AsExpected,
        }
    }

    fn surprises(&self) -> impl Iterator<Item = (&Outcome, &str)> {
        self.on.iter().filter_map(|outcome| match &outcome.assessment {
            Assessment::Surprise(why) => Some((outcome, why.as_str())),
            _ => None,
        })
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
