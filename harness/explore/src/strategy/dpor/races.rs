//! The races of a run: where another order should be tried, and who could begin it.

use super::Sabotage;
use super::order::{Clock, Order, conflicts};
use super::run::{Op, Run, Tasks};
use bohr_kernel::Access;
use smallvec::SmallVec;

/// Before this step, one of these tasks should be tried as well.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Race {
    pub(super) step: usize,
    /// The operation that would come before the step.
    pub(super) op: usize,
    /// What of the run came before the operation: all steps below this one.
    pub(super) end: usize,
    /// Any of them will do. The one whose operation is to come earlier is first, if it is among them.
    pub(super) initials: Tasks,
}

/// The races of a run that show at step `from` or later.
///
/// A race is between a step *e* and a later operation *p* that conflicts with it, directly: nothing
/// happens after *e* and before *p*. The other order is *e*'s prefix, then all that came between and does
/// not happen after *e*, then *p*; who can begin that are its initials (Abdulla et al., POPL 2014, section 4).
///
/// The paper lets every operation run once it is there. Here *p* may be disabled, and then:
///
/// - *p* is looked at not only where it runs, but wherever something that it conflicts with has left it
///   disabled, and where it is published disabled (as in Flanagan and Godefroid, POPL 2005). So a task that
///   waits for a lock races with who took the lock, long before it gets it, or if it never does. What a
///   killed task would have done is disabled for good.
/// - There is no race with *e* if *p* was known to be disabled before *e* and nothing else changed that. So
///   getting a lock does not race with giving it back.
/// - If *p* was not published before *e*, nobody knows whether it could have run there. Then the race
///   counts. If *p* turns out to be disabled in the other order, that run finds the race with an earlier step.
pub(super) fn races(run: &Run, from: usize, sabotage: Option<Sabotage>) -> Vec<Race> {
    let mut order = Order::new(run, sabotage);
    let mut races = Vec::new();
    let mut published = run.ops.iter().enumerate().peekable();
    let mut waiting: Vec<usize> = Vec::new();
    for step in 0..run.steps.len() {
        while let Some((op, _)) = published.next_if(|(_, op)| op.since.is_none_or(|since| since < step)) {
            waiting.push(op);
        }
        let rivals = order.add();
        let ran = run.steps[step].op;
        waiting.retain(|op| *op != ran);
        if step >= from {
            let op = &run.ops[ran];
            races.extend(rivals.iter().filter_map(|e| race(&order, *e, ran, order.clock(step), step)));
            if let Some(enabled) = run.enabled_after(step) {
                let new = published.clone().take_while(|(_, op)| op.since == Some(step)).map(|(at, _)| at);
                let stirred =
                    waiting.iter().copied().filter(|at| conflicts(&run.ops[*at].objects, &op.objects));
                let disabled = stirred.chain(new).filter(|at| !enabled.contains(&run.ops[*at].task));
                for op in disabled.filter(|_| sabotage != Some(Sabotage::Backtrack)) {
                    races.extend(races_of(&order, op, step + 1));
                }
            }
        }
    }
    races
}

/// The races of an operation that has not run, with steps below `end`, which are all that were added.
pub(super) fn races_of(order: &Order<'_>, op: usize, end: usize) -> impl Iterator<Item = Race> {
    let rivals = order.rivals(&order.run.ops[op]);
    let clock = order.clock_of(&order.run.ops[op], &rivals);
    rivals.into_iter().filter_map(move |e| race(order, e, op, &clock, end))
}

/// The race between a step and an operation with that clock, which comes after all steps below `end`.
/// Nothing if the operation could not have run earlier.
fn race(order: &Order<'_>, step: usize, at: usize, clock: &Clock, end: usize) -> Option<Race> {
    let run = order.run;
    let op = &run.ops[at];
    let between = (step + 1..end).filter(|other| !order.before(step, *other));
    let was_published = op.since.is_none_or(|since| since < step);
    let was_enabled = run.steps[step].enabled.contains(&op.task);
    if was_published && !was_enabled && !between.clone().any(|other| can_enable(run.op(other), op)) {
        return None;
    }
    // By task, the number of its first step between.
    let mut first: SmallVec<[u32; 8]> = SmallVec::new();
    let mut initials = Tasks::new();
    let follows = |clock: &Clock, first: &[u32]| clock.iter().zip(first).any(|(known, nth)| known >= nth);
    for other in between {
        let task = run.op(other).task;
        let at = task.0 as usize;
        if !follows(order.clock(other), &first) {
            initials.push(task);
        }
        first.resize(first.len().max(at + 1), u32::MAX);
        first[at] = first[at].min(order.nth(other));
    }
    if !follows(clock, &first) {
        initials.insert(0, op.task);
    }
    Some(Race { step, op: at, end, initials })
}

/// True if the first operation can change whether the second is enabled.
fn can_enable(first: &Op, second: &Op) -> bool {
    let changes = first.objects.iter().filter(|(_, access)| *access != Access::Read);
    let mut changes = changes.flat_map(|a| second.objects.iter().map(move |b| (a, b)));
    changes.any(|(a, b)| a.0 == b.0 && a.1.conflicts(b.1))
}
