//! Which operation of another task got in the way.
//!
//! The shape looked for is the one of Lu et al., "AVIO: Detecting Atomicity Violations via Access
//! Interleaving Invariants" (ASPLOS 2006): two operations of one task on an object and, between
//! them, a conflicting one of another task.

use super::{Explained, failing_step};
use crate::document::Text;
use crate::model::Case;
use crate::names::{Names, full_site};
use bohr_kernel::{Access, Finding, Kind, ObjectId, Step};

/// Explains a panic, a fatal error or a violated oracle.
pub(super) fn explain(case: &Case, names: &Names<'_>) -> Explained {
    match suspect(case, names) {
        Some(failing) => in_operation(case, names, failing),
        None => match interrupted(&case.trace.steps, names) {
            Some([before, between, after]) => {
                let sentence = came_between(names, before, between, after);
                let sentence = sentence.plain(", and so, when all was quiet, ");
                (sentence.text(verdict(&case.finding)), vec![before, between, after])
            }
            None => at_rest(case),
        },
    }
}

/// The operation to blame: the one that failed, or the failing task's last one before it failed.
fn suspect(case: &Case, names: &Names<'_>) -> Option<usize> {
    let task = case.finding.task?;
    let modelled = |step: &Step| step.objects.iter().any(|(id, _)| names.modelled(*id));
    let mut before = case.trace.steps.iter().take(case.finding.step as usize).enumerate();
    let last = || before.rfind(|(_, step)| step.task == task && modelled(step)).map(|(at, _)| at);
    failing_step(case).or_else(last)
}

fn in_operation(case: &Case, names: &Names<'_>, failing: usize) -> Explained {
    let steps = &case.trace.steps;
    let fails = match (failing_step(case), &case.finding.site) {
        (None, Some(site)) => format!(", after which it failed at {}", names.site(site)),
        (None, None) => ", after which it failed".to_owned(),
        (Some(_), _) => ", which failed".to_owned(),
    };
    let me = steps[failing].task;
    let Some(other) = last_conflict(steps, names, failing, |s| s.task != me) else {
        let sentence = Text::new().plain("Last came ").text(names.step(failing)).plain(fails);
        return (sentence.plain("; no other task had done anything before that bears on it"), vec![failing]);
    };
    if let Some(before) = last_conflict(steps, names, other, |s| s.task == me) {
        let sentence = came_between(names, before, other, failing);
        return (sentence.plain(fails), vec![before, other, failing]);
    }
    let sentence = names.step(other).plain(" came before ").text(names.step(failing)).plain(fails);
    let sentence = match preempted_after(steps, other, failing) {
        Some(last) => {
            let place = format!(" had been preempted after step {}", last + 1);
            sentence.plain("; ").code(names.task(steps[other].task)).plain(place)
        }
        None => sentence,
    };
    (sentence, vec![other, failing])
}

/// The last step that the task of `other` got to before `failing`, if it was preempted there.
fn preempted_after(steps: &[Step], other: usize, failing: usize) -> Option<usize> {
    let last = (other..failing).rev().find(|at| steps[*at].task == steps[other].task)?;
    steps[last + 1].preempts.then_some(last)
}

/// "B's x came between A's y and its z".
fn came_between(names: &Names<'_>, before: usize, between: usize, after: usize) -> Text {
    let sentence = names.step(between).plain(" came between ").text(names.step(before));
    sentence.plain(" and its ").text(names.own_step(after))
}

/// The last step before `at`, among those of the right tasks, that conflicts with it.
fn last_conflict(
    steps: &[Step],
    names: &Names<'_>,
    at: usize,
    right: impl Fn(&Step) -> bool,
) -> Option<usize> {
    let conflicts = |(object, access): &(ObjectId, Access)| {
        let mut own = steps[at].objects.iter().filter(|(id, _)| id == object && names.modelled(*id));
        own.any(|(_, own)| own.conflicts(*access))
    };
    (0..at).rev().find(|i| right(&steps[*i]) && steps[*i].objects.iter().any(conflicts))
}

/// For failures that only show at rest: the last preemption that let another task's operation in
/// between two of the preempted task's on the same object.
fn interrupted(steps: &[Step], names: &Names<'_>) -> Option<[usize; 3]> {
    let steps = &steps[..steps.iter().position(|s| s.at_rest).unwrap_or(steps.len())];
    let mut switches = (1..steps.len()).rev().filter(|at| steps[*at].preempts);
    switches.find_map(|at| around(steps, names, at))
}

/// The most telling triple around one preemption. Three writes are what a lock looks like from here,
/// so anything else goes first; then the last that the preempted task did before it was stopped.
fn around(steps: &[Step], names: &Names<'_>, switch: usize) -> Option<[usize; 3]> {
    let victim = steps[switch - 1].task;
    let mut best: Option<(bool, [usize; 3])> = None;
    for after in (switch..steps.len()).filter(|i| steps[*i].task == victim) {
        for (object, last) in steps[after].objects.iter().filter(|(id, _)| names.modelled(*id)) {
            let use_of = |i: usize| steps[i].objects.iter().find(|(id, _)| id == object).map(|(_, a)| *a);
            let mut earlier = (0..switch).rev().filter(|i| steps[*i].task == victim);
            let Some((before, first)) = earlier.find_map(|i| Some((i, use_of(i)?))) else { continue };
            let others = (switch..after).rev().filter(|i| steps[*i].task != victim);
            let mut between = others.filter_map(|i| Some((i, use_of(i)?)));
            let conflicting = between.find(|(_, a)| a.conflicts(first) && a.conflicts(*last));
            let Some((between, middle)) = conflicting else { continue };
            let telling = [first, middle, *last].iter().any(|a| *a != Access::Write);
            if best.is_none_or(|(told, [earlier, ..])| (told, earlier) < (telling, before)) {
                best = Some((telling, [before, between, after]));
            }
        }
    }
    best.map(|(_, triple)| triple)
}

fn at_rest(case: &Case) -> Explained {
    let place = case.finding.site.as_ref().map(|site| format!(" (checked at {})", full_site(site)));
    let sentence = Text::new().plain("When all was quiet, ").text(verdict(&case.finding));
    let sentence = sentence.plain(place.unwrap_or_default());
    let sentence = match case.decisive {
        Some(_) => sentence,
        None => sentence.plain("; no single pair of operations in this run accounts for it"),
    };
    (sentence, Vec::new())
}

/// What did not hold, inside a sentence.
fn verdict(finding: &Finding) -> Text {
    match (&finding.oracle, finding.kind) {
        (Some(oracle), Kind::Oracle) => Text::new().plain("oracle ").code(oracle).plain(" was violated"),
        _ => finding.headline().into(),
    }
}
