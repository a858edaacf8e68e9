//! Whether the explorers agree on a program.

use super::Small;
use crate::engine::FastEngine;
use crate::search::rerun;
use crate::strategy::{Bounds, Dfs, Dpor, Limits, Sabotage};
use bohr_kernel::{Detail, Engine, Event, Finding, Kind, Outcome, RunConfig, Strategy};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a program was explored with, where all explorers agreed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Every schedule.
    pub schedules: u64,
    /// The executions of partial-order reduction.
    pub executions: u64,
    /// Its runs that were blocked by sleep sets.
    pub sleep_blocked: u64,
}

/// What the runs of an explorer have shown.
#[derive(Debug, Default)]
struct Shown {
    /// What was observed at rest.
    states: BTreeSet<String>,
    /// Each finding, in the words of [`failure`], with the first schedule that showed it.
    findings: BTreeMap<String, Vec<u32>>,
    /// The trace of each complete run that came to rest, and of each that did not.
    rested: Vec<u64>,
    stopped: Vec<u64>,
}

/// Explores a program by every schedule, by every state, and by partial-order reduction, and compares what they
/// show: the states at rest, the findings, and how many traces there are. Replays every finding. Nothing if the
/// program has more than `most` schedules.
///
/// # Errors
/// What they do not agree on.
pub fn agree(small: &Small, most: u64, sabotage: Option<Sabotage>) -> Result<Option<Agreement>, String> {
    let every = Bounds { runs: Some(most), ..Bounds::default() };
    let (plain, dfs) = explore(small, |sink| Dfs::new(every, sink));
    let schedules = dfs.exhausted();
    if !schedules.all {
        return Ok(None);
    }
    let bug = Kind::ScenarioBug.to_string();
    if let Some(bug) = plain.findings.keys().find(|finding| finding.starts_with(&bug)) {
        return Err(format!("the programs themselves are wrong: {bug}"));
    }
    let (cached, dfs) = explore(small, |sink| Dfs::new(Bounds { cache: true, ..Bounds::default() }, sink));
    same_shown("with its cache depth-first search", &cached, &plain)?;
    if !dfs.exhausted().all {
        return Err("depth-first search with its cache did not end".into());
    }
    // Twice what it may need at most: an error can make it go on for ever.
    let limits = Limits { runs: Some(2 * schedules.runs + 1), traces: true };
    let (reduced, dpor) = explore(small, |sink| match sabotage {
        None => Dpor::new(limits, sink),
        Some(sabotage) => Dpor::sabotaged(limits, sabotage, sink),
    });
    let explored = dpor.explored();
    if !explored.all {
        return Err(format!("{} schedules, and the reduction takes more runs: {explored:?}", schedules.runs));
    }
    same_shown("partial-order reduction", &reduced, &plain)?;
    let traces = |hashes: &[u64]| hashes.iter().copied().collect::<BTreeSet<_>>();
    if traces(&reduced.rested) != traces(&plain.rested) {
        let (some, all) = (traces(&reduced.rested).len(), traces(&plain.rested).len());
        return Err(format!("{some} traces of {all} that come to rest"));
    }
    let distinct = traces(&reduced.rested).len() + traces(&reduced.stopped).len();
    // In eager mode a step may look at the clock or not, by a value chosen in it; see `Explored::traces`.
    let repeats = explored.executions - explored.traces.min(explored.executions);
    if explored.traces != distinct as u64 || repeats > 0 && !small.eager_time {
        return Err(format!("{distinct} distinct traces, but {explored:?}"));
    }
    for (finding, choices) in reduced.findings.iter().chain(&cached.findings) {
        let again = rerun(&small.program(), small.config(), choices.clone());
        if !again.findings.iter().any(|f| failure(f) == *finding) {
            return Err(format!("replaying {finding:?} shows {:?}", again.findings));
        }
    }
    Ok(Some(Agreement {
        schedules: schedules.runs,
        executions: explored.executions,
        sleep_blocked: explored.sleep_blocked,
    }))
}

type Sink = Box<dyn FnMut(Outcome) -> bool>;

fn explore<S: Strategy>(small: &Small, strategy: impl FnOnce(Sink) -> S) -> (Shown, S) {
    let shown: Rc<RefCell<Shown>> = Rc::default();
    let sink = {
        let shown = shown.clone();
        Box::new(move |outcome: Outcome| {
            shown.borrow_mut().take(&outcome);
            true
        })
    };
    let strategy = Rc::new(RefCell::new(strategy(sink)));
    let config = RunConfig { identify: true, log: true, ..small.config() };
    FastEngine.explore(&small.program(), config, strategy.clone());
    let strategy = Rc::into_inner(strategy).expect("the engine has let go of its strategy").into_inner();
    (shown.take(), strategy)
}

impl Shown {
    fn take(&mut self, outcome: &Outcome) {
        for finding in &outcome.findings {
            let choices = || outcome.decisions.iter().map(|d| d.chosen).collect();
            self.findings.entry(failure(finding)).or_insert_with(choices);
        }
        if outcome.abandoned {
            return;
        }
        let rests = !outcome.log.contains(&Event::Stops);
        if rests { &mut self.rested } else { &mut self.stopped }.push(outcome.trace_hash);
        self.states.extend(outcome.observed.iter().cloned());
    }
}

/// A finding in words. Who is left blocked is listed by name: the order of tasks depends on who spawns first, and
/// that is no operation.
fn failure(finding: &Finding) -> String {
    let mut blocked: Vec<&str> = match &finding.detail {
        Detail::Blocked(blocked) => blocked.iter().map(|task| task.name.as_str()).collect(),
        _ => vec![&finding.text],
    };
    blocked.sort_unstable();
    format!("{}: {} ({})", finding.kind, blocked.join(", "), finding.oracle.as_deref().unwrap_or("-"))
}

fn same_shown(who: &str, some: &Shown, all: &Shown) -> Result<(), String> {
    if let Some(state) = all.states.symmetric_difference(&some.states).next() {
        let which = if all.states.contains(state) { "misses" } else { "invents" };
        return Err(format!("{who} {which} the state {state}"));
    }
    let (some, all) =
        (some.findings.keys().collect::<BTreeSet<_>>(), all.findings.keys().collect::<BTreeSet<_>>());
    if let Some(finding) = all.symmetric_difference(&some).next() {
        let which = if all.contains(finding) { "misses" } else { "invents" };
        return Err(format!("{who} {which} the finding {finding}"));
    }
    Ok(())
}
