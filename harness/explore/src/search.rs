//! Searching a program exhaustively, and running it once.

use crate::engine::FastEngine;
use crate::strategy::{After, Bounds, Dfs, Dpor, Exhausted, Explored, FollowOrder, Limits, Progress, Replay};
use bohr_kernel::{Finding, Outcome, Program, RunConfig};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Runs every schedule within the bounds and hands each complete run to `sink`, which says how to go on.
pub fn search<A: Into<After> + 'static>(
    program: &Program,
    config: RunConfig,
    bounds: Bounds,
    sink: impl FnMut(Outcome) -> A + 'static,
) -> Exhausted {
    let config = RunConfig { identify: bounds.cache, ..config };
    FastEngine.explore_by(program, config, Dfs::new(bounds, sink)).exhausted()
}

/// The run with the fewest steps among those within the bounds that `wanted` gives something for, and what it
/// gives; and how the search for it ended, which goes on for as long as `more` says so.
pub fn shortest<T: 'static>(
    program: &Program,
    config: RunConfig,
    bounds: Bounds,
    wanted: impl Fn(&Outcome) -> Option<T> + 'static,
    more: impl Fn() -> bool + 'static,
) -> (Option<(Outcome, T)>, Exhausted) {
    let best: Rc<RefCell<Option<(Outcome, T)>>> = Rc::default();
    let sink = {
        let best = best.clone();
        move |outcome: Outcome| {
            let mut best = best.borrow_mut();
            let steps = outcome.steps;
            let shorter = best.as_ref().is_none_or(|(run, _)| steps < run.steps);
            let hit = if shorter { wanted(&outcome) } else { None };
            let after = if hit.is_some() { After::OnlyShorter(steps) } else { After::GoOn };
            if let Some(hit) = hit {
                *best = Some((outcome, hit));
            }
            if more() { after } else { After::Stop }
        }
    };
    let exhausted = search(program, config, Bounds { shortest: true, ..bounds }, sink);
    (best.take(), exhausted)
}

/// Runs one schedule for each order of conflicting operations, over all schedules, and hands each run to
/// `sink`, until that says false. What every schedule shows, some of these show: see [`Dpor`].
pub fn prove(
    program: &Program,
    config: RunConfig,
    limits: Limits,
    sink: impl FnMut(Outcome) -> bool + 'static,
) -> Explored {
    let progress = prove_on(program, config, limits, Progress::default(), sink);
    Progress::sum(&[progress])
}

/// As [`prove`], from where an exploration of the same program got to.
pub fn prove_on(
    program: &Program,
    config: RunConfig,
    limits: Limits,
    progress: Progress,
    sink: impl FnMut(Outcome) -> bool + 'static,
) -> Progress {
    let config = RunConfig { log: true, identify: limits.traces, ..config };
    FastEngine.explore_by(program, config, Dpor::resume(progress, limits, sink)).into_progress()
}

/// Makes recorded choices again, with everything recorded.
pub fn rerun(program: &Program, config: RunConfig, choices: Vec<u32>) -> Outcome {
    let config = RunConfig { record: true, ..config };
    let replay = FastEngine.explore_by(program, config, Replay::new(choices));
    replay.into_outcome().expect("the engine ran once")
}

/// Every outcome that a program can have, over all its schedules, each with a schedule: what it
/// [observed](bohr_kernel::observe), joined by spaces, or the headline of its finding.
///
/// # Panics
/// If it takes more than a million runs: such a program is no small one.
pub fn outcomes(program: impl Fn() + Send + Sync + 'static) -> BTreeSet<String> {
    let found = Rc::new(RefCell::new(BTreeMap::new()));
    let sink = {
        let found = found.clone();
        move |outcome: Outcome| {
            let line = match outcome.findings.first() {
                Some(finding) => finding.headline(),
                None => outcome.observed.join(" "),
            };
            found.borrow_mut().entry(line).or_insert(outcome.decisions);
            true
        }
    };
    let bounds = Bounds { runs: Some(1_000_000), cache: true, ..Bounds::default() };
    let exhausted = search(&Program::new(program), RunConfig::default(), bounds, sink);
    assert!(exhausted.all, "more than {} runs: make the program smaller", exhausted.runs);
    let found = found.borrow();
    found.keys().cloned().collect()
}

/// Does a run of the thread engine again, following the order in which its threads got through.
/// Nothing if it shows another finding, which can happen: threads on real processors reach the kernel
/// before all others have published, so not every such order is a schedule.
pub fn rerun_order(program: &Program, config: RunConfig, ran: &Outcome) -> Option<Outcome> {
    let follow = FollowOrder::new(ran.free_order.clone());
    let again = FastEngine.explore_by(program, config, follow).into_outcome()?;
    let same = |a: &Finding| again.findings.iter().any(|b| a.same_failure(b));
    ran.findings.iter().all(same).then_some(again)
}
