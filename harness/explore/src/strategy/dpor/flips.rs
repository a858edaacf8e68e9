//! The races of a run, each with the schedule in which it comes in the other order.

use super::order::Order;
use super::races::{Race, races, races_of};
use super::run::{self, Run};
use bohr_kernel::{Event, Footprint, ObjectId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// An operation, as it can be found again in another run: whose it is, and how many of that task's came
/// before it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) task: TaskId,
    nth: u32,
}

/// An operation of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) place: Place,
    objects: Footprint,
    joins: Option<TaskId>,
}

impl Op {
    /// The first object that both touch so that their order can matter.
    pub(crate) fn conflict(&self, other: &Op) -> Option<ObjectId> {
        let others = |object: ObjectId| other.objects.iter().filter(move |(id, _)| *id == object);
        let touch = self.objects.iter().find(|(id, access)| others(*id).any(|(_, a)| a.conflicts(*access)));
        touch.map(|(object, _)| *object)
    }
}

/// Two operations of a run that could have come in the other order.
#[derive(Clone, Debug)]
pub(crate) struct Flip {
    /// The step that came first.
    pub(crate) first: usize,
    /// The operation that came later, or not at all.
    pub(crate) second: Op,
    /// Whose turn it is when: up to the first all as it was; then what came between and does not happen
    /// after the first; then the second, the first, and the rest as it was.
    pub(crate) order: Vec<TaskId>,
}

/// The steps of a logged run, as operations.
pub(crate) fn ran(log: &[Event]) -> Vec<Op> {
    let run = Run::read(log, None);
    let ops = named(&run);
    run.steps.iter().map(|step| ops[step.op].clone()).collect()
}

/// The flips of a logged run, from its end to its beginning: first those whose later operation is the last.
/// An operation that was still to be done when the run ended is later than all steps.
pub(crate) fn flips(log: &[Event]) -> Vec<Flip> {
    let run = Run::read(log, None);
    let ops = named(&run);
    let mut order = Order::new(&run, None);
    let mut step_of = vec![None; run.ops.len()];
    for (step, ran) in run.steps.iter().enumerate() {
        order.add();
        step_of[ran.op] = Some(step);
    }
    let end = run.steps.len();
    let pending = (0..run.ops.len()).filter(|op| step_of[*op].is_none());
    let mut found = races(&run, 0, None);
    found.extend(pending.flat_map(|op| races_of(&order, op, end).collect::<Vec<_>>()));
    found.sort_by_key(|race| (race.end, race.step, race.op));
    let mut known = BTreeSet::new();
    let fresh = found.iter().rev().filter(|race| known.insert((race.step, race.op)));
    let flip = |race: &Race| {
        let task = |step: usize| run.op(step).task;
        let (between, after): (Vec<usize>, Vec<usize>) =
            (race.step + 1..race.end).partition(|step| !order.before(race.step, *step));
        let rest = after.into_iter().chain(race.end..end).filter(|step| Some(*step) != step_of[race.op]);
        let before = (0..race.step).chain(between).map(task);
        let flipped = before.chain([run.ops[race.op].task, task(race.step)]).chain(rest.map(task));
        Flip { first: race.step, second: ops[race.op].clone(), order: flipped.collect() }
    };
    fresh.map(flip).collect()
}

/// The operations of a run with their places.
fn named(run: &Run) -> Vec<Op> {
    let mut count: BTreeMap<TaskId, u32> = BTreeMap::new();
    let op = |op: &run::Op| {
        let next = count.entry(op.task).or_default();
        let place = Place { task: op.task, nth: *next };
        *next += 1;
        Op { place, objects: op.objects.clone(), joins: op.joins }
    };
    run.ops.iter().map(op).collect()
}
