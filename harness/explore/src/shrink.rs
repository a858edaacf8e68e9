//! Shrinking: the same failure with the fewest preemptions, then the fewest steps, then the smallest
//! workload.
//!
//! Not by trying to leave switches out, but by searching: bound 0, then 1, and so on (iterative context
//! bounding, PLDI 2007). The first bound under which the failure shows is the fewest preemptions there
//! can be, and that is proved if the smaller bounds were exhausted.

use crate::search::search;
use crate::strategy::{After, Bounds};
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Decision, Finding, Outcome, Program, RunConfig};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A failing run that was shrunk.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The workload.
    pub workload: String,
    /// The schedule.
    pub decisions: Vec<Decision>,
    /// Its preemptions.
    pub preemptions: u32,
    /// Its steps.
    pub steps: u32,
    /// Whether it is proved that no schedule of this workload fails so with fewer preemptions.
    pub fewest_proved: bool,
    /// Whether it is proved that none with as many preemptions fails so in fewer steps.
    pub shortest_proved: bool,
    /// The number of runs that it took.
    pub runs: u64,
}

/// A failing run to shrink.
pub struct Failing<'a> {
    /// The scenario.
    pub scenario: &'a dyn AnyScenario,
    /// The variant.
    pub variant: &'a str,
    /// The workload.
    pub workload: &'a str,
    /// How it ran.
    pub config: RunConfig,
    /// The finding to keep.
    pub finding: &'a Finding,
    /// The schedule that showed it.
    pub decisions: &'a [Decision],
    /// Its preemptions.
    pub preemptions: u32,
    /// Its steps.
    pub steps: u32,
}

/// Shrinks a failing run with at most `budget` runs in all. At least half of them are for the workload as
/// it is; no smaller one takes more than half of what is left. Whatever the budget, or when `stop` is
/// set, the result is no worse than what was given.
///
/// # Errors
/// If the scenario does not know the variant or the workload.
pub fn shrink(failing: &Failing<'_>, budget: u64, stop: &Arc<AtomicBool>) -> Result<Shrunk, String> {
    let program = failing.scenario.program(failing.variant, failing.workload)?;
    let mut best = Shrunk {
        workload: failing.workload.to_owned(),
        decisions: failing.decisions.to_vec(),
        preemptions: failing.preemptions,
        steps: failing.steps,
        fewest_proved: false,
        shortest_proved: false,
        runs: 0,
    };
    fewer_preemptions(&program, failing, budget.div_ceil(2), stop, &mut best);
    'smaller: loop {
        for candidate in failing.scenario.shrink(&best.workload) {
            let left = budget.saturating_sub(best.runs);
            if left == 0 || stop.load(Ordering::Relaxed) {
                return Ok(best);
            }
            let Ok(program) = failing.scenario.program(failing.variant, &candidate) else { continue };
            if fewer_preemptions(&program, failing, left.div_ceil(2), stop, &mut best) {
                best.workload = candidate;
                continue 'smaller;
            }
        }
        return Ok(best);
    }
}

/// Looks for the failure under growing bounds, up to the preemptions that it is known to need at most, and
/// takes the first. False if there is none.
fn fewer_preemptions(
    program: &Program,
    failing: &Failing<'_>,
    budget: u64,
    stop: &Arc<AtomicBool>,
    best: &mut Shrunk,
) -> bool {
    let mut proved = true;
    let mut left = budget;
    for bound in 0..=best.preemptions {
        let (hit, all, runs) = shortest(program, failing, bound, left, stop);
        best.runs += runs;
        left = left.saturating_sub(runs);
        if let Some(hit) = hit {
            best.fewest_proved = proved;
            best.shortest_proved = all;
            best.take(hit);
            return true;
        }
        proved &= all;
        if left == 0 {
            break;
        }
    }
    false
}

impl Shrunk {
    fn take(&mut self, outcome: Outcome) {
        self.preemptions = outcome.preemptions;
        self.steps = outcome.steps;
        self.decisions = outcome.decisions;
    }
}

/// The run with the fewest steps among those that show the finding within the bound; whether all were
/// looked at; and how many were run.
fn shortest(
    program: &Program,
    failing: &Failing<'_>,
    bound: u32,
    budget: u64,
    stop: &Arc<AtomicBool>,
) -> (Option<Outcome>, bool, u64) {
    let best: Rc<RefCell<Option<Outcome>>> = Rc::default();
    let bounds = Bounds { preemptions: Some(bound), runs: Some(budget), cache: true, shortest: true };
    let sink = {
        let (best, wanted, stop) = (best.clone(), failing.finding.clone(), stop.clone());
        move |outcome: Outcome| {
            let mut best = best.borrow_mut();
            let steps = outcome.steps;
            let shorter = best.as_ref().is_none_or(|b| steps < b.steps);
            let hit = shorter && outcome.findings.iter().any(|f| f.same_failure(&wanted));
            if hit {
                *best = Some(outcome);
            }
            match (stop.load(Ordering::Relaxed), hit) {
                (true, _) => After::Stop,
                (false, true) => After::OnlyShorter(steps),
                (false, false) => After::GoOn,
            }
        }
    };
    let exhausted = search(program, failing.config, bounds, sink);
    let best = best.borrow_mut().take();
    (best, exhausted.all, exhausted.runs)
}
