//! `bohr fuzz`: failures, looked for with schedules that are made of those which showed something new.

mod json;
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
    seed: u64,
    /// Every workload, in the scenario's order.
    on: Vec<Outcome>,
    /// Whether the user ended it early.
    interrupted: bool,
    /// Whether it ran out of its time.
    timed_out: bool,
}

/// What fuzzing a variant on a workload has shown.
struct Outcome {
    subject: Subject,
    shown: Shown,
    seen: Seen,
    /// The distinct failures, in the order in which they showed.
    found: Vec<Kept>,
    assessment: Assessment,
}

/// A variant on a workload while it is being fuzzed.
struct Turns {
    subject: Subject,
    fuzzer: Mutex<Fuzzer>,
    /// The schedules that are its share.
    share: u64,
    found: Arc<Mutex<Vec<Kept>>>,
}

/// Runs the command.
pub fn fuzz(args: &args::Fuzz, out: &mut Output) -> Result<Done, Error> {
    let subjects = subjects(&args.target)?;
    let stop = interrupt::flag();
    let store = Arc::new(Store::open(&args.folder.out));
    let until = args.time.and_then(|time| Instant::now().checked_add(time));
    let schedules = args.schedules.unwrap_or(if args.time.is_some() { u64::MAX } else { SCHEDULES });
    let over = {
        let stop = stop.clone();
        move || stop.load(Ordering::Relaxed) || until.is_some_and(|at| Instant::now() >= at)
    };
    let turns = turns(subjects, args.seed, schedules)?;
    let progress = Arc::new(Progress::open_ended());
    while !over() && turns.iter().any(|t| t.left() > 0) {
        let turn = |t: &Turns| t.turn(&store, over.clone());
        run_all(&turns, args.jobs.number(), turn, |_, ()| progress.say(so_far(&turns)));
    }
    progress.clear();
    let fuzzed = Fuzzed {
        seed: args.seed,
        on: turns.into_iter().map(Turns::outcome).collect(),
        interrupted: stop.load(Ordering::Relaxed),
        timed_out: until.is_some_and(|at| Instant::now() >= at),
    };
    if out.json {
        json::print(&fuzzed, out)?;
    } else {
        text::print(&fuzzed, store.root(), out)?;
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

fn turns(subjects: Vec<Subject>, seed: u64, schedules: u64) -> Result<Vec<Turns>, Error> {
    let workloads = subjects.len() as u64;
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let turns = |(at, subject): (usize, Subject)| {
        let fuzzer = Mutex::new(Fuzzer::new(subject.program()?, config, seed));
        let share = schedules / workloads + u64::from((at as u64) < schedules % workloads);
        Ok(Turns { subject, fuzzer, share, found: Arc::default() })
    };
    subjects.into_iter().enumerate().map(turns).collect()
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
        if left == 0 || over() {
            return;
        }
        let watch = {
            let (subject, store, found) = (self.subject.clone(), store.clone(), self.found.clone());
            move |first: &Found| {
                let mut found = lock(&found);
                if found.iter().all(|kept| Way::of(&kept.finding) != Way::of(&first.finding)) {
                    found.push(keep(&subject, first, Some(&store)));
                }
            }
        };
        lock(&self.fuzzer).go_on(left.min(TURN), move || !over(), watch);
    }

    fn outcome(self) -> Outcome {
        let fuzzer = self.fuzzer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (shown, seen) = (fuzzer.shown().clone(), fuzzer.seen());
        let found = std::mem::take(&mut *lock(&self.found));
        let assessment = assess(&cell(&self.subject, &shown));
        Outcome { subject: self.subject, shown, seen, found, assessment }
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
