//! The proof of one form on one workload.

use super::Proved;
use super::checkpoint::Checkpoint;
use crate::args;
use crate::exit::Error;
use crate::judging::{Kept, keep};
use crate::progress::Progress;
use crate::store::Store;
use crate::target::Subject;
use crate::words::counted;
use bohr_explore::campaign::Found;
use bohr_explore::proof::{Proof, Then};
use bohr_explore::search::{rerun, search};
use bohr_explore::strategy::{self, Bounds, Exhausted, Explored};
use bohr_kernel::{Outcome, Program, RunConfig, choices_of};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A proof is kept after so much work, so that little is lost whatever happens: seldom, because writing a long one takes
/// its time.
const SLICE: Duration = Duration::from_secs(20);
/// The same at first, when it is short. It doubles each time.
const FIRST_SLICE: Duration = Duration::from_millis(100);
/// After so many executions by traces it is tried whether a search by states comes to an end sooner.
const FEW: u64 = 50_000;
/// So many executions a search by states then gets.
const STATES: u64 = 200_000;

/// What is told apart.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Orders of conflicting operations: partial-order reduction, on all cores
    Traces,
    /// States: a search that goes on once from each state that was reached, on one core
    States,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            By::Traces => "traces",
            By::States => "states",
        })
    }
}

/// When a proof ends early.
pub struct Limits {
    pub executions: u64,
    pub steps: u32,
    pub preemptions: Option<u32>,
    pub by: Option<By>,
    pub until: Option<Instant>,
    pub stop: Arc<AtomicBool>,
    pub jobs: usize,
}

/// What a proof covered.
#[derive(Copy, Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Covered {
    /// Every order of conflicting operations.
    Traces(Explored),
    /// Every state, within a bound on preemptions if there is one.
    States {
        #[serde(flatten)]
        exhausted: Exhausted,
        preemptions: Option<u32>,
    },
}

impl Covered {
    /// True if nothing within the bounds is left.
    pub fn all(&self) -> bool {
        match self {
            Covered::Traces(explored) => explored.all,
            Covered::States { exhausted, .. } => exhausted.all,
        }
    }

    /// The runs that went to their end.
    pub fn executions(&self) -> u64 {
        match self {
            Covered::Traces(explored) => explored.executions,
            Covered::States { exhausted, .. } => exhausted.complete,
        }
    }
}

impl Limits {
    /// Those that the user gave.
    pub fn of(args: &args::Prove, by: Option<By>, stop: &Arc<AtomicBool>) -> Self {
        Limits {
            executions: args.schedules,
            steps: args.steps,
            preemptions: args.preemptions,
            by,
            until: args.time.and_then(|time| Instant::now().checked_add(time)),
            stop: stop.clone(),
            jobs: args.jobs.number(),
        }
    }
}

/// Proves that a form has no finding on a workload, or finds one.
pub fn prove(
    subject: Subject,
    limits: &Limits,
    resume: bool,
    store: &Store,
    progress: &Progress,
) -> Result<Proved, Error> {
    let prover = Prover::new(&subject, limits, progress, store)?;
    let by = limits.by.or(limits.preemptions.map(|_| By::States));
    let (covered, found, checkpoint) = match by {
        Some(By::States) => prover.by_states(limits.executions),
        Some(By::Traces) => prover.by_traces(resume, None)?,
        None if resume => prover.by_traces(true, None)?,
        None => match prover.by_traces(false, Some(FEW))? {
            (covered, None, Some(checkpoint)) if !prover.over(covered.executions()) => {
                match prover.by_states(STATES) {
                    (covered, found, _) if covered.all() || found.is_some() => {
                        checkpoint.remove();
                        (covered, found, None)
                    }
                    _ => prover.by_traces(true, None)?,
                }
            }
            few => few,
        },
    };
    let checkpoint = checkpoint.map(|checkpoint| checkpoint.file().to_owned());
    Ok(Proved { covered, found, checkpoint, subject })
}

/// The work on the proof of one form on one workload.
pub struct Prover<'a> {
    subject: &'a Subject,
    program: Program,
    config: RunConfig,
    limits: &'a Limits,
    progress: &'a Progress,
    store: &'a Store,
}

type Came = (Covered, Option<Kept>, Option<Checkpoint>);

impl<'a> Prover<'a> {
    /// Nothing done yet.
    pub fn new(
        subject: &'a Subject,
        limits: &'a Limits,
        progress: &'a Progress,
        store: &'a Store,
    ) -> Result<Self, Error> {
        let config = RunConfig { max_steps: limits.steps, ..RunConfig::default() };
        Ok(Prover { subject, program: subject.program()?, config, limits, progress, store })
    }

    /// How the program is run.
    pub fn config(&self) -> RunConfig {
        self.config
    }

    /// True if after so many executions there is nothing left to spend.
    fn over(&self, executions: u64) -> bool {
        self.limits.stop.load(Ordering::Relaxed)
            || self.limits.until.is_some_and(|at| Instant::now() >= at)
            || executions >= self.limits.executions
    }

    fn by_traces(&self, resume: bool, most: Option<u64>) -> Result<Came, Error> {
        let checkpoint = Checkpoint::of(self.store, self.subject, self.config);
        let proof = if resume { checkpoint.read()? } else { checkpoint.anew() };
        let proof = self.go_on(proof, &checkpoint, most)?;
        let found = proof.found().map(|choices| self.keep(choices, proof.explored().executions));
        if proof.over() {
            checkpoint.remove();
        }
        let covered = Covered::Traces(proof.explored());
        Ok((covered, found, (!proof.over()).then_some(checkpoint)))
    }

    /// Goes on with a proof until it is over or there is nothing left to spend, and keeps it from time to time.
    pub fn go_on(
        &self,
        mut proof: Proof,
        checkpoint: &Checkpoint,
        most: Option<u64>,
    ) -> Result<Proof, Error> {
        let most = most.unwrap_or(u64::MAX).min(self.limits.executions);
        let executions = Arc::new(AtomicU64::new(proof.explored().executions));
        let end = |executions| self.over(executions) || executions >= most;
        let mut slice = FIRST_SLICE;
        while !proof.over() && !end(executions.load(Ordering::Relaxed)) {
            let until = Instant::now() + slice;
            let until = self.limits.until.map_or(until, |end| end.min(until));
            slice = SLICE.min(slice * 2);
            let (stop, count, bar) = (self.limits.stop.clone(), executions.clone(), self.progress.bar());
            let path = self.subject.path();
            let sink = move |outcome: &Outcome| {
                let n = count.fetch_add(u64::from(!outcome.abandoned), Ordering::Relaxed) + 1;
                if n.is_multiple_of(1_000) {
                    bar.say(&format!("{path}: {}", counted(n, "execution")));
                }
                if !outcome.findings.is_empty() {
                    return Then::Found;
                }
                Then::from(n < most && !stop.load(Ordering::Relaxed) && Instant::now() < until)
            };
            let limits = strategy::Limits { runs: None, traces: true };
            proof.go_on(&self.program, self.config, limits, self.limits.jobs, sink);
            if proof.changed() {
                let (file, path) = (checkpoint.file(), self.subject.path());
                let advice = "without --resume it begins anew";
                return Err(Error::Input(format!(
                    "failed to go on with the proof in {file:?}: {path} has changed since; {advice}"
                )));
            }
            if !proof.over() {
                checkpoint.write(&proof)?;
            }
        }
        Ok(proof)
    }

    fn by_states(&self, most: u64) -> Came {
        let (exhausted, found) = self.search(most);
        let found = found.map(|choices| self.keep(&choices, exhausted.complete));
        (Covered::States { exhausted, preemptions: self.limits.preemptions }, found, None)
    }

    /// Searches by states with at most so many runs; also the choices of the run that refutes the proof, if there is one.
    pub fn search(&self, most: u64) -> (Exhausted, Option<Vec<u32>>) {
        let found: Rc<RefCell<Option<Vec<u32>>>> = Rc::default();
        let sink = {
            let (found, stop, until) = (found.clone(), self.limits.stop.clone(), self.limits.until);
            let (bar, path) = (self.progress.bar(), self.subject.path());
            let mut executions = 0;
            move |outcome: Outcome| {
                executions += 1;
                if u64::is_multiple_of(executions, 1_000) {
                    bar.say(&format!("{path}, by states: {}", counted(executions, "execution")));
                }
                if !outcome.findings.is_empty() {
                    *found.borrow_mut() = Some(choices_of(&outcome.decisions));
                    return false;
                }
                !stop.load(Ordering::Relaxed) && until.is_none_or(|at| Instant::now() < at)
            }
        };
        let preemptions = self.limits.preemptions;
        let runs = Some(most.min(self.limits.executions));
        let bounds = Bounds { preemptions, runs, cache: true, ..Bounds::default() };
        let exhausted = search(&self.program, self.config, bounds, sink);
        let found = found.take();
        (exhausted, found)
    }

    /// Keeps the failing run of these choices, the last of so many.
    pub fn keep(&self, choices: &[u32], schedule: u64) -> Kept {
        let ran = rerun(&self.program, self.config, choices.to_vec());
        let finding = ran.findings.into_iter().next().expect("the same choices show the same");
        self.progress.found(&finding.headline());
        keep(self.subject, &Found { finding, decisions: ran.decisions, schedule, times: 1 }, Some(self.store))
    }
}
