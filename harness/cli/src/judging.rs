//! Finding verdicts on all cores, keeping what is found as it is found.

use crate::case::case;
use crate::progress::Progress;
use crate::store::Store;
use crate::target::Subject;
use crate::words::{self, Assessment, assess};
use bohr_explore::campaign::Found;
use bohr_explore::cell::{Cell, Effort, judge_watched};
use bohr_explore::jobs::run_all;
use bohr_kernel::{Decision, Detail, Finding, Kind, Site};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A variant on a workload, and what is known about it.
pub struct Judged {
    /// Which.
    pub subject: Subject,
    /// What became of it; nothing if the work ended before its turn came.
    pub cell: Option<Cell>,
    /// Every distinct failure, in the order in which they showed.
    pub found: Vec<Kept>,
}

impl Judged {
    /// The verdict; nothing also if the driver could not run the program.
    pub fn verdict(&self) -> Option<&Cell> {
        self.cell.as_ref().filter(|cell| cell.does_not_fit.is_none())
    }
}

/// Whether a form holds, in words, over the workloads of a group.
pub fn verdict(group: &[Judged]) -> String {
    if group.iter().all(|j| j.verdict().is_none()) {
        return "not judged".to_owned();
    }
    let (violated, observed) = oracles(group);
    words::verdict(&violated, &observed)
}

/// The oracles that a form was seen to violate, and those only on workloads that observe.
pub fn oracles(group: &[Judged]) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let of = |observing| {
        let judged = group.iter().filter(move |j| j.subject.only_observes() == observing);
        judged.filter_map(|j| j.verdict())
    };
    let violated: BTreeSet<&str> = of(false).flat_map(Cell::oracles).collect();
    let observed: BTreeSet<&str> =
        of(true).flat_map(Cell::oracles).filter(|o| !violated.contains(o)).collect();
    (violated, observed)
}

/// A failure that was found and kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The finding.
    pub finding: Finding,
    /// The schedule that showed it first.
    pub decisions: Vec<Decision>,
    /// The number of that schedule among those of its driver and seed.
    pub schedule: u64,
    /// What it takes to do it again; nothing if it is not a schedule.
    pub again: Option<Again>,
    /// Where it was kept.
    pub file: Option<PathBuf>,
}

/// What it takes to do a failing run again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Again {
    /// The token.
    pub token: String,
    /// Its preemptions.
    pub preemptions: u32,
    /// Its steps.
    pub steps: u32,
}

/// Two failures of a variant on a workload are kept as one if they are the same to somebody who wants
/// to see each once: the same words of the real system; or the same oracle of the scenario, whose words
/// hold values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// An oracle of the scenario.
    Oracle(Option<String>),
    /// The lines of a race.
    Race([Site; 2]),
    /// The real system's words.
    Words(Kind, String),
}

impl Way {
    /// The way in which a finding shows the bug.
    pub fn of(finding: &Finding) -> Self {
        match (finding.kind, &finding.detail) {
            (Kind::Oracle, _) => Way::Oracle(finding.oracle.clone()),
            (_, Detail::Race { first, second }) => {
                let mut sites = [first.site.clone(), second.site.clone()];
                sites.sort();
                Way::Race(sites)
            }
            (kind, _) => Way::Words(kind, finding.text.clone()),
        }
    }
}

/// Finds the verdict of every subject with the efforts that `efforts` gives for it, one after the
/// other until one suffices. Results come in the subjects' order and do not depend on the number of
/// jobs.
pub fn judge_all(
    subjects: &[Subject],
    efforts: impl Fn(&Subject) -> Vec<Effort> + Sync,
    jobs: usize,
    store: Option<&Arc<Store>>,
    progress: &Arc<Progress>,
) -> Vec<Judged> {
    judge_each(subjects, efforts, jobs, store, progress, |_, _| {})
}

/// As [`judge_all`], and hands each verdict to `done` the moment it is there, with the index of its subject.
pub fn judge_each(
    subjects: &[Subject],
    efforts: impl Fn(&Subject) -> Vec<Effort> + Sync,
    jobs: usize,
    store: Option<&Arc<Store>>,
    progress: &Arc<Progress>,
    done: impl Fn(usize, &Judged) + Sync,
) -> Vec<Judged> {
    let work = |subject: &Subject| {
        let found: Arc<Mutex<Vec<Kept>>> = Arc::default();
        let mut cell = None;
        for (stage, effort) in efforts(subject).into_iter().enumerate() {
            if effort.over() {
                break;
            }
            let watch = {
                let (subject, store, progress) = (subject.clone(), store.cloned(), progress.clone());
                let found = found.clone();
                move |first: &Found| {
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    let way = Way::of(&first.finding);
                    if found.iter().all(|kept| Way::of(&kept.finding) != way) {
                        let kept = keep(&subject, first, store.as_deref());
                        progress.found(&kept.finding.headline());
                        found.push(kept);
                    }
                }
            };
            let judged =
                judge_watched(subject.scenario, subject.variant.name, &subject.workload, &effort, watch)
                    .expect("a subject is made of what its scenario knows");
            let enough = match assess(&judged) {
                Assessment::Surprise(_) => false,
                // What shows hardly ever is worth a second look and no third.
                Assessment::Partly(_) => stage > 0,
                Assessment::Expected
                | Assessment::Unstated
                | Assessment::Unfinished
                | Assessment::DoesNotFit(_) => true,
            };
            cell = Some(judged);
            if enough {
                break;
            }
        }
        let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
        Judged { subject: subject.clone(), cell, found }
    };
    run_all(subjects, jobs, work, |at, judged| {
        done(at, judged);
        progress.done();
    })
}

/// Runs a failing schedule again, recorded, and keeps it.
pub fn keep(subject: &Subject, found: &Found, store: Option<&Store>) -> Kept {
    // On a thread of its own, because this one is in the middle of a run.
    let case = std::thread::scope(|scope| {
        scope.spawn(|| case(subject, &found.finding, &found.decisions)).join().unwrap_or_default()
    });
    Kept {
        finding: found.finding.clone(),
        decisions: found.decisions.clone(),
        schedule: found.schedule,
        again: case.as_ref().map(|case| Again {
            token: case.token.clone(),
            preemptions: case.preemptions,
            steps: case.trace.steps.iter().filter(|s| !s.at_rest).count() as u32,
        }),
        file: case.and_then(|case| store?.keep(&case)),
    }
}
