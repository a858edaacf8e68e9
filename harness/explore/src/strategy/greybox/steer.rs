//! Making constraints come true: who has to wait, seen from what everybody is about to do.
//!
//! The proactive scheduler of the paper (section 3.4): a small state machine for each constraint. Where the paper
//! holds a thread back at the event that would break a constraint, this looks at what every task has published.

use super::flow::{Flow, Kind};
use super::watch::{Last, Pending, Watch};
use crate::strategy::random::Rng;
use bohr_kernel::{Access, ObjectId, TaskId};

/// A pair that is to show in a run, or not to show.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Constraint {
    pub(super) flow: Flow,
    /// Whether it is to show.
    pub(super) shows: bool,
}

/// How often one constraint may make somebody wait in a run. A task that others wait for must not go round in
/// circles for ever.
const PATIENCE: u32 = 100;

#[derive(Clone, Debug)]
struct Machine {
    constraint: Constraint,
    /// Nobody waits for it any more: it has come true, or it has made others wait for too long.
    done: bool,
    patience: u32,
    /// It has made somebody wait at this choice.
    blocks: bool,
}

/// The constraints of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Steer {
    machines: Vec<Machine>,
}

impl Steer {
    pub(super) fn new(constraints: &[Constraint]) -> Self {
        let machine =
            |&constraint: &Constraint| Machine { constraint, done: false, patience: PATIENCE, blocks: false };
        Steer { machines: constraints.iter().map(machine).collect() }
    }

    /// Whether nobody has to wait any more, so that nobody need be asked.
    pub(super) fn idle(&self) -> bool {
        self.machines.iter().all(|m| m.done)
    }

    /// Whether a task that is about to do this should let others go first.
    pub(super) fn waits(&mut self, watch: &Watch, task: TaskId, pending: &Pending) -> bool {
        let mut waits = false;
        for machine in self.machines.iter_mut().filter(|m| !m.done) {
            let blocks = machine.constraint.blocks(watch, task, pending);
            machine.blocks |= blocks;
            waits |= blocks;
        }
        waits
    }

    /// Everybody was asked.
    pub(super) fn asked(&mut self) {
        for machine in self.machines.iter_mut().filter(|m| m.blocks) {
            machine.blocks = false;
            machine.patience -= 1;
            machine.done |= machine.patience == 0;
        }
    }

    /// A task is about to run this.
    pub(super) fn runs(&mut self, watch: &Watch, task: TaskId, pending: &Pending) {
        for machine in self.machines.iter_mut().filter(|m| !m.done && m.constraint.shows) {
            machine.done = machine.constraint.comes_true(watch, task, pending);
        }
    }

    /// The value to draw of `of`, if a constraint says one, where the task in control did `by` last.
    pub(super) fn value(&mut self, by: u32, of: u32, rng: &mut Rng) -> Option<u32> {
        for machine in self.machines.iter_mut().filter(|m| !m.done) {
            let Constraint { flow: Flow { kind, from, to, .. }, shows } = machine.constraint;
            if kind != Kind::Draws || to != by || from >= of {
                continue;
            }
            if shows {
                machine.done = true;
                return Some(from);
            }
            let other = rng.below(of - 1);
            return Some(if other < from { other } else { other + 1 });
        }
        None
    }
}

impl Constraint {
    /// What the pair's second operation follows on an object.
    fn last(&self, watch: &Watch, object: ObjectId) -> Last {
        let (wrote, looked) = watch.last(object);
        if self.flow.kind == Kind::ReadsFrom { wrote } else { looked }
    }

    /// Whether the pair shows if `task` does the second operation after `last`.
    fn matches(&self, last: Last, task: TaskId) -> bool {
        last.event == self.flow.from && (last.task == Some(task)) == self.flow.own
    }

    fn touches<'a>(&self, pending: &'a Pending) -> impl Iterator<Item = (ObjectId, Access)> + 'a {
        let role = self.flow.object;
        pending
            .touches
            .iter()
            .filter(move |(_, r, _)| *r == role)
            .map(|(object, _, access)| (*object, *access))
    }

    fn blocks(&self, watch: &Watch, task: TaskId, pending: &Pending) -> bool {
        if self.flow.kind == Kind::Draws {
            return false;
        }
        let second = pending.event == self.flow.to;
        let mut touches = self.touches(pending);
        touches.any(|(object, access)| {
            let last = self.last(watch, object);
            match (self.shows, second) {
                // The second of the pair waits for the first, and never comes right after it where it must not.
                (true, true) => !self.matches(last, task),
                (false, true) => self.matches(last, task),
                (false, false) => false,
                // The first has been: nobody may come in between. That includes the first itself.
                (true, false) => {
                    let disturbs = access != Access::Read || self.flow.kind == Kind::Overwrites;
                    let first_was = last.event == self.flow.from;
                    // Its own task has to go on to come to the second.
                    first_was && disturbs && !(self.flow.own && last.task == Some(task))
                }
            }
        })
    }

    fn comes_true(&self, watch: &Watch, task: TaskId, pending: &Pending) -> bool {
        self.flow.kind != Kind::Draws
            && pending.event == self.flow.to
            && self.touches(pending).any(|(object, _)| self.matches(self.last(watch, object), task))
    }
}
