//! Whether the explorers agree on a program.

use super::Small;
use crate::engine::{DoesNotFit, FastEngine, LoomEngine, LoomExplored, LoomSabotage};
use crate::search::rerun;
use crate::strategy::{Bounds, Dfs, Dpor, Limits, Sabotage};
use bohr_kernel::{Detail, Event, Finding, Kind, Outcome, RunConfig, Strategy, choices_of};
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
    /// The executions of loom, if it was asked and could tell.
    pub loom: Option<u64>,
}

/// How much to compare.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// A program with more schedules is left out.
    pub schedules: u64,
    /// Loom is not asked about a program with more schedules than this.
    pub loom_schedules: u64,
    /// Loom has not to tell if it needs more executions than this.
    pub loom_executions: u64,
}

/// A deliberate error, for the test that such errors are found.
#[doc(hidden)]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// In partial-order reduction.
    Dpor(Sabotage),
    /// In what loom is told.
    Loom(LoomSabotage),
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

/// Explores a program by every schedule, by every state, by partial-order reduction, and by loom if that can run
/// it. Compares what they show: the states at rest, the findings, and the traces that lead to rest. Replays every
/// finding. Nothing if the program has too many schedules.
///
/// # Errors
/// What they do not agree on.
pub fn agree(small: &Small, scope: Scope, wrong: Option<Wrong>) -> Result<Option<Agreement>, String> {
    let every = Bounds { runs: Some(scope.schedules), ..Bounds::default() };
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
    let (reduced, dpor) = explore(small, |sink| match wrong {
        Some(Wrong::Dpor(sabotage)) => Dpor::sabotaged(limits, sabotage, sink),
        _ => Dpor::new(limits, sink),
    });
    let explored = dpor.explored();
    if !explored.all {
        return Err(format!("{} schedules, and the reduction takes more runs: {explored:?}", schedules.runs));
    }
    same_shown("partial-order reduction", &reduced, &plain)?;
    same_traces("partial-order reduction", &reduced, &plain)?;
    let asked = schedules.runs <= scope.loom_schedules;
    let by_loom = if asked { by_loom(small, scope.loom_executions, wrong) } else { None };
    if let Some((shown, _)) = &by_loom {
        same_shown("loom", shown, &plain)?;
        same_traces("loom", shown, &plain)?;
    }
    let distinct = traces(&reduced.rested).len() + traces(&reduced.stopped).len();
    // In eager mode a step may look at the clock or not, by a value chosen in it; see `Explored::traces`.
    let repeats = explored.executions - explored.traces.min(explored.executions);
    if explored.traces != distinct as u64 || repeats > 0 && !small.eager_time {
        return Err(format!("{distinct} distinct traces, but {explored:?}"));
    }
    let found = [&plain, &cached, &reduced].into_iter().chain(by_loom.as_ref().map(|(shown, _)| shown));
    for (finding, choices) in found.flat_map(|shown| &shown.findings) {
        let again = rerun(&small.program(), small.config(), choices.clone());
        if !again.findings.iter().any(|f| failure(f) == *finding) {
            return Err(format!("replaying {finding:?} shows {:?}", again.findings));
        }
    }
    Ok(Some(Agreement {
        schedules: schedules.runs,
        executions: explored.executions,
        sleep_blocked: explored.sleep_blocked,
        loom: by_loom.map(|(_, executions)| executions),
    }))
}

type Sink = Box<dyn FnMut(Outcome) -> bool>;

fn explore<S: Strategy>(small: &Small, strategy: impl FnOnce(Sink) -> S) -> (Shown, S) {
    let (shown, sink) = Shown::collect();
    let strategy = FastEngine.explore_by(&small.program(), recognisable(small), strategy(sink));
    (shown.take(), strategy)
}

/// What loom shows, and in how many executions; nothing if it cannot run the program or needs too many.
fn by_loom(small: &Small, most: u64, wrong: Option<Wrong>) -> Option<(Shown, u64)> {
    let (shown, sink) = Shown::collect();
    let (program, config) = (small.program(), recognisable(small));
    let explored = match wrong {
        Some(Wrong::Loom(sabotage)) => LoomEngine.sabotaged(&program, config, Some(most), sabotage, sink),
        _ => LoomEngine.explore(&program, config, Some(most), sink),
    };
    match explored {
        Ok(LoomExplored { all: true, executions }) => Some((shown.take(), executions)),
        Ok(_) | Err(DoesNotFit::Tasks(_) | DoesNotFit::EagerTime) => None,
    }
}

/// How a program is run whose traces are compared.
fn recognisable(small: &Small) -> RunConfig {
    RunConfig { identify: true, log: true, ..small.config() }
}

impl Shown {
    /// What all outcomes together have shown that the sink takes.
    fn collect() -> (Rc<RefCell<Shown>>, Sink) {
        let shown: Rc<RefCell<Shown>> = Rc::default();
        let into = shown.clone();
        let sink = move |outcome: Outcome| {
            into.borrow_mut().take(&outcome);
            true
        };
        (shown, Box::new(sink))
    }

    fn take(&mut self, outcome: &Outcome) {
        for finding in &outcome.findings {
            let choices = || choices_of(&outcome.decisions);
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

fn traces(hashes: &[u64]) -> BTreeSet<u64> {
    hashes.iter().copied().collect()
}

fn same_traces(who: &str, some: &Shown, all: &Shown) -> Result<(), String> {
    let (some, all) = (traces(&some.rested), traces(&all.rested));
    if some == all {
        return Ok(());
    }
    let common = some.intersection(&all).count();
    Err(format!(
        "{who} shows {} traces that come to rest, of which {common} are among all {}",
        some.len(),
        all.len()
    ))
}
