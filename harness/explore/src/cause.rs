//! The cause of a failure: what had to come before what.
//!
//! A schedule that fails is compared with schedules that differ from it in one place, which are really run.
//! If such a neighbour passes, the place where it differs is the cause (Choi and Zeller, "Isolating
//! Failure-Inducing Thread Schedules", ISSTA 2002; there by bisection between a failing and a passing schedule,
//! here with the races of the failing one). Of several neighbours that pass the nearest is taken: that with the
//! fewest steps out of their places, and of these the one that differs last. A neighbour that shows another
//! failure does not pass. Only if none passes, one will do that goes on to its end without the failure and has
//! another that did not keep it from that, as where two bugs meet in one program.
//!
//! - *Flips.* Each race of the run, which is a pair of conflicting operations with none between them in
//!   happens-before, in the other order, and all else as it was as far as it still can be.
//! - *Delays.* Each step put off while another task goes on, for as few steps as suffice: then the last of
//!   these and the step that was put off are the pair. So is found what is several operations away, as the
//!   end of a critical section that had not been closed.
//! - *Values*, if no order was found to decide. Each chosen value, replaced by each other one.
//! - *All schedules*, if no value was either, by [partial-order reduction](crate::search::prove), as far as the
//!   budget goes. They tell whether any passes at all, but not by what pair of operations.

mod distance;
mod neighbours;

use crate::engine::FastEngine;
use crate::search::rerun;
use crate::strategy::{Drawn, Noting, Replay};
use bohr_kernel::{Decision, Detail, Finding, ObjectId, Outcome, Program, RunConfig, Trace, choices_of};
use neighbours::{Neighbour, Search};

/// What a failing schedule fails by.
#[derive(Clone, Debug)]
pub struct Cause {
    /// What decides.
    pub decides: Decides,
    /// The nearest schedule that was found to pass. There is one if an order or a value decides, and there may
    /// be if it is not known what does.
    pub passing: Option<Passing>,
    /// How many other schedules were run.
    pub runs: u64,
    /// How many of these show another failure instead.
    pub other: u64,
}

/// What decides whether a schedule fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decides {
    /// The order of two operations: with these in the other order, and all else as it was as far as it still can
    /// be, the run passes. What it chooses that the failing run did not is chosen so that it does.
    Order(Pair),
    /// A value that a task chose: with another, the run passes.
    Value(Choice),
    /// Nothing orders the two accesses of a data race, so that each of both orders is the race. The indices of
    /// the two steps.
    Race(u32, u32),
    /// Nothing: no schedule at all passes.
    Nothing,
    /// It is not known: no neighbour passes, and not all schedules were run.
    Unknown,
}

/// Two operations that conflict.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The index of the step that came first in the failing run.
    pub first: u32,
    /// The index, in the failing run, of the step that came second; nothing if the run ended before it.
    pub second: Option<u32>,
    /// The index in the passing run of the one that comes first there.
    pub first_in_passing: u32,
    /// What both touch, by its number in the failing run.
    pub object: ObjectId,
}

/// A value that a task chose.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The index of the step in which it was chosen, or after which; nothing if its task had not done any.
    pub step: Option<u32>,
    /// What was chosen, ...
    pub chosen: u32,
    /// ... of how many values.
    pub of: u32,
    /// What has to be chosen instead.
    pub instead: u32,
}

/// A schedule that passes, or that at least goes on to its end without the failure.
#[derive(Clone, Debug)]
pub struct Passing {
    /// The run, recorded.
    pub outcome: Outcome,
    /// The index of the first step that is not the same as in the failing run.
    pub first_difference: u32,
    /// The other failure that it has, if it does not pass outright.
    pub but: Option<Finding>,
}

impl Passing {
    /// Its trace.
    pub fn trace(&self) -> &Trace {
        self.outcome.trace.as_ref().expect("it was recorded")
    }
}

/// Finds the cause of a finding by at most `budget` runs of other schedules. Nothing if these choices do not
/// show it.
pub fn cause(
    program: &Program,
    config: RunConfig,
    finding: &Finding,
    decisions: &[Decision],
    budget: u64,
) -> Option<Cause> {
    let (failing, drawn) = again(program, config, decisions);
    let finding = failing.findings.iter().find(|f| f.same_failure(finding))?;
    if let Detail::Race { first, second } = &finding.detail {
        let decides = Decides::Race(first.step, second.step);
        return Some(Cause { decides, passing: None, runs: 0, other: 0 });
    }
    let mut search = Search::new(program, config, finding, &failing, drawn, budget);
    let found = search.orders().or_else(|| search.values());
    let (decides, nearest) = match found {
        Some(Neighbour { decides, decisions, but, .. }) => (decides, Some((decisions, but))),
        None => {
            let (decides, nearest) = search.all();
            (decides, nearest.map(|decisions| (decisions, None)))
        }
    };
    let passing = nearest.map(|(decisions, but)| {
        let choices = choices_of(&decisions);
        let outcome = rerun(program, RunConfig { keep_going: true, ..config }, choices);
        Passing { first_difference: first_difference(&failing, &outcome), outcome, but }
    });
    Some(Cause { decides, passing, runs: search.runs, other: search.other })
}

/// The failing run once more, with all that is known of it, and the values that were chosen.
fn again(program: &Program, config: RunConfig, decisions: &[Decision]) -> (Outcome, Vec<Drawn>) {
    let choices = choices_of(decisions);
    let config = RunConfig { record: true, log: true, ..config };
    let noting = FastEngine.explore_by(program, config, Noting::new(Replay::new(choices)));
    let (replay, drawn) = noting.into_parts();
    (replay.into_outcome().expect("the engine ran once"), drawn)
}

fn first_difference(a: &Outcome, b: &Outcome) -> u32 {
    let steps = |run: &Outcome| run.trace.as_ref().map_or_else(Vec::new, |trace| trace.steps.clone());
    let (a, b) = (steps(a), steps(b));
    // Whether a step preempts is a matter of the schedule, not of the step.
    let same = a.iter().zip(&b).take_while(|(a, b)| {
        (a.task, &a.label, &a.site, &a.note, &a.objects) == (b.task, &b.label, &b.site, &b.note, &b.objects)
    });
    same.count() as u32
}
