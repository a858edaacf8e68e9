//! What a run's log says, in the form in which races are looked for.

use bohr_kernel::{Access, Event, Footprint, ObjectId, TaskId};
use smallvec::SmallVec;

/// Tasks; few enough that a list is the fastest set.
pub(super) type Tasks = SmallVec<[TaskId; 4]>;

/// An operation that a task stopped before, whether it was carried out or not.
#[derive(Debug)]
pub(super) struct Op {
    pub(super) task: TaskId,
    pub(super) objects: Footprint,
    pub(super) joins: Option<TaskId>,
    /// The step that led to it: the task's last one, or the one that spawned the task.
    pub(super) since: Option<usize>,
}

/// An operation that was carried out.
#[derive(Debug)]
pub(super) struct Step {
    /// Which.
    pub(super) op: usize,
    /// Who could go on before it.
    pub(super) enabled: Tasks,
    /// Virtual time moved right before it.
    pub(super) after_move: bool,
}

/// What came after the last step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing could.
    Rest,
    /// A finding stopped the run.
    Stopped,
    /// The run was given up where these tasks could go on.
    GivenUp(Tasks),
}

#[derive(Debug)]
pub(super) struct Run {
    /// In the order in which they were published.
    pub(super) ops: Vec<Op>,
    pub(super) steps: Vec<Step>,
    pub(super) end: End,
    /// Virtual time moved after the last step.
    moved_last: bool,
}

impl Run {
    /// Reads a log up to where it was given up, if it was: before that step, where those tasks could go on.
    pub(super) fn read(log: &[Event], given_up: Option<(usize, Tasks)>) -> Run {
        let mut run = Run { ops: Vec::new(), steps: Vec::new(), end: End::Rest, moved_last: false };
        let mut waiting: SmallVec<[Option<usize>; 8]> = SmallVec::new();
        let end = given_up.as_ref().map_or(usize::MAX, |(step, _)| *step);
        for event in log {
            let last = run.steps.len().checked_sub(1);
            match event {
                Event::Publishes { task, objects, joins } => {
                    let at = task.0 as usize;
                    waiting.resize(waiting.len().max(at + 1), None);
                    waiting[at] = Some(run.ops.len());
                    let objects = objects.clone();
                    run.ops.push(Op { task: *task, objects, joins: *joins, since: last });
                }
                Event::Runs { .. } if run.steps.len() == end => break,
                Event::Runs { task, enabled } => {
                    let op = waiting[task.0 as usize].take().expect("a task runs what it has published");
                    let after_move = std::mem::take(&mut run.moved_last);
                    run.steps.push(Step { op, enabled: enabled.clone(), after_move });
                }
                Event::Touches(object, access) => {
                    if let Some(last) = run.steps.last() {
                        add_touch(&mut run.ops[last.op].objects, (*object, *access));
                    }
                }
                Event::TimeMoves => run.moved_last = true,
                Event::Stops => run.end = End::Stopped,
            }
        }
        if let Some((_, enabled)) = given_up {
            run.end = End::GivenUp(enabled);
        }
        run
    }

    /// Who could go on right after a step, before virtual time moved. Nothing if the step stopped the run:
    /// then nobody could.
    pub(super) fn enabled_after(&self, step: usize) -> Option<&[TaskId]> {
        match (self.steps.get(step + 1), &self.end) {
            (Some(next), _) if next.after_move => Some(&[]),
            (Some(next), _) => Some(&next.enabled),
            (None, End::Stopped) => None,
            (None, End::Rest) => Some(&[]),
            (None, End::GivenUp(_)) if self.moved_last => Some(&[]),
            (None, End::GivenUp(enabled)) => Some(enabled),
        }
    }

    /// The operation that a step carried out.
    pub(super) fn op(&self, step: usize) -> &Op {
        &self.ops[self.steps[step].op]
    }
}

/// The steps that a log has from a place on, where no step is going on: who, and what it touched.
pub(super) fn steps_since(log: &[Event], from: usize) -> impl Iterator<Item = (TaskId, Footprint)> + '_ {
    let runs = (from..log.len()).filter_map(|at| match &log[at] {
        Event::Runs { task, .. } => Some((at, *task)),
        _ => None,
    });
    runs.map(move |(at, task)| {
        let published = log[..at].iter().rev().find_map(|event| match event {
            Event::Publishes { task: who, objects, .. } if *who == task => Some(objects.clone()),
            _ => None,
        });
        let mut objects = published.expect("a task runs what it has published");
        let rest = log[at + 1..].iter().take_while(|event| !matches!(event, Event::Runs { .. }));
        for event in rest {
            if let Event::Touches(object, access) = event {
                add_touch(&mut objects, (*object, *access));
            }
        }
        (task, objects)
    })
}

/// Adds an access, unless it is there.
pub(super) fn add_touch(objects: &mut Footprint, touch: (ObjectId, Access)) {
    if !objects.contains(&touch) {
        objects.push(touch);
    }
}
