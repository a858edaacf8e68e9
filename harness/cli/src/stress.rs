//! `bohr stress`: what a stress test on OS threads finds, for comparison.

use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::judging::{Kept, keep};
use crate::output::{self, Look, Output, cell};
use crate::store::Store;
use crate::target::{self, Subject};
use crate::words::{counted, quoted, thousands};
use bohr_explore::campaign::{Budget, Found, Shown, campaign_watched};
use bohr_explore::driver::Driver;
use bohr_kernel::RunConfig;
use bohr_kernel::scenario::Role;
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What the trials of one subject have shown.
struct Tried {
    subject: Subject,
    shown: Shown,
    found: Vec<Kept>,
}

/// Runs the command.
pub fn stress(args: &args::Stress, out: &mut Output) -> Result<Done, Error> {
    let subjects = target::subjects(&args.targets, |role| role == Role::Buggy)?;
    let stop = interrupt::flag();
    let store = Arc::new(Store::open(&args.folder.out));
    let until = args.time.and_then(|time| Instant::now().checked_add(time));
    let budget = Budget { until, stop: stop.clone(), ..Budget::all(args.schedules) };
    let over = || stop.load(Ordering::Relaxed) || until.is_some_and(|at| Instant::now() >= at);
    let mut tried = Vec::new();
    // One after the other: each has threads of its own.
    for subject in subjects {
        if over() {
            break;
        }
        tried.push(trials(subject, &budget, &store)?);
    }
    if out.json {
        out.json("stress", json(&tried, stop.load(Ordering::Relaxed)))?;
    } else {
        print(&tried, store.root(), out)?;
    }
    match store.failed() {
        Some(failed) => Err(failed),
        None if stop.load(Ordering::Relaxed) => Ok(Done::Interrupted),
        None => Ok(Done::AsExpected),
    }
}

fn trials(subject: Subject, budget: &Budget, store: &Arc<Store>) -> Result<Tried, Error> {
    let found: Arc<Mutex<Vec<Kept>>> = Arc::default();
    let watch = {
        let (subject, store, found) = (subject.clone(), store.clone(), found.clone());
        move |first: &Found| {
            let kept = keep(&subject, first, Some(&store));
            found.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        }
    };
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let shown = campaign_watched(Driver::Stress, &subject.program()?, config, 0, budget, watch);
    let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Tried { subject, shown, found })
}

fn print(tried: &[Tried], root: &Path, out: &mut Output) -> Result<(), Error> {
    let mut rows = vec![output::header(&["on OS threads", "trials", "failing", "first failure"])];
    for Tried { subject, shown, .. } in tried {
        let first = shown.first.map_or("none".to_owned(), |n| format!("trial {}", thousands(n)));
        rows.push(vec![
            cell(subject.path()),
            cell(thousands(shown.schedules)),
            cell(thousands(shown.failing)),
            cell(first),
        ]);
    }
    out.table(&rows)?;
    for Tried { subject, shown, found } in tried.iter().filter(|t| !t.found.is_empty()) {
        out.line("")?;
        out.styled(Look::Strong, &subject.path())?;
        for kept in found {
            let times =
                shown.found.iter().find(|f| f.finding.same_failure(&kept.finding)).map_or(0, |f| f.times);
            let how = format!("trial {}, {}", thousands(kept.schedule), counted(times, "time"));
            out.line(format!("  {} ({how})", kept.finding.headline()))?;
            match &kept.again {
                Some(again) => out.line(format!("    bohr replay {}", again.token))?,
                None => out.line("    cannot be replayed: the order of the threads is not a schedule")?,
            }
        }
    }
    if tried.iter().flat_map(|t| &t.found).any(|kept| kept.file.is_some()) {
        out.line("")?;
        out.line(format!("Findings are kept in {}.", quoted(root)))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Json {
    interrupted: bool,
    subjects: Vec<TriedJson>,
}

#[derive(Serialize)]
struct TriedJson {
    scenario: &'static str,
    variant: &'static str,
    workload: String,
    trials: u64,
    failing: u64,
    first_failure: Option<u64>,
    found: Vec<FoundJson>,
}

#[derive(Serialize)]
struct FoundJson {
    headline: String,
    oracle: Option<String>,
    trial: u64,
    token: Option<String>,
}

fn json(tried: &[Tried], interrupted: bool) -> Json {
    let found = |kept: &Kept| FoundJson {
        headline: kept.finding.headline(),
        oracle: kept.finding.oracle.clone(),
        trial: kept.schedule,
        token: kept.again.as_ref().map(|a| a.token.clone()),
    };
    let subject = |t: &Tried| TriedJson {
        scenario: t.subject.scenario.info().name,
        variant: t.subject.variant.name,
        workload: t.subject.workload.clone(),
        trials: t.shown.schedules,
        failing: t.shown.failing,
        first_failure: t.shown.first,
        found: t.found.iter().map(found).collect(),
    };
    Json { interrupted, subjects: tried.iter().map(subject).collect() }
}
