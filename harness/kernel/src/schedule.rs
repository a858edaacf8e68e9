//! Schedules: the choices that make a run what it is.

use crate::TaskId;
use serde::{Deserialize, Serialize};

/// One choice, taken where there was more than one way to go on.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decision {
    /// Which alternative was taken, counted from 0. For a task: its place among the enabled tasks
    /// with the [default](Point::default_choice) first, so that 0 always means "no context switch".
    pub chosen: u32,
    /// How many alternatives there were, at least 2.
    pub of: u32,
}

/// What was chosen, by which a run can be done again.
pub fn choices_of(decisions: &[Decision]) -> Vec<u32> {
    decisions.iter().map(|decision| decision.chosen).collect()
}

/// A place where a choice is due.
#[derive(Clone, Debug)]
pub enum Point<'k> {
    /// Which task runs its published operation next.
    Task {
        /// The tasks whose operation is enabled, at least two, by id.
        enabled: &'k [TaskId],
        /// The task that ran last, if it is enabled: choosing another is a preemption.
        current: Option<TaskId>,
    },
    /// A value for [`choose`](crate::choose).
    Value {
        /// The number of values, at least 2.
        of: u32,
    },
}

impl Point<'_> {
    /// The number of alternatives.
    #[inline]
    pub fn alternatives(&self) -> u32 {
        match self {
            Point::Task { enabled, .. } => enabled.len() as u32,
            Point::Value { of } => *of,
        }
    }

    /// The alternative numbered 0: stay with the current task, else the lowest enabled id.
    pub fn default_choice(&self) -> Option<TaskId> {
        match self {
            Point::Task { enabled, current } => current.or_else(|| enabled.first().copied()),
            Point::Value { .. } => None,
        }
    }

    /// The task behind the alternative numbered `choice`; the others follow the default by id.
    ///
    /// # Panics
    /// If this is not a choice among tasks or `choice` is out of range.
    #[inline]
    pub fn task(&self, choice: u32) -> TaskId {
        let Point::Task { enabled, .. } = self else { panic!("a value is chosen here, not a task") };
        let place = place_of(choice, self.default_place());
        *enabled.get(place).expect("the choice is among the enabled tasks")
    }

    /// The number of the alternative that runs `task`, if it is enabled.
    pub fn choice_of(&self, task: TaskId) -> Option<u32> {
        let Point::Task { enabled, .. } = self else { panic!("a value is chosen here, not a task") };
        let default = self.default_place();
        let place = enabled.iter().position(|t| *t == task)?;
        let choice = match place {
            place if place == default => 0,
            place if place < default => place + 1,
            place => place,
        };
        Some(choice as u32)
    }

    /// Where the default stands among the enabled tasks.
    #[inline]
    fn default_place(&self) -> usize {
        let Point::Task { enabled, current } = self else { return 0 };
        current.and_then(|current| enabled.iter().position(|t| *t == current)).unwrap_or(0)
    }
}

/// Where an alternative stands among the enabled tasks, given where the default does: that comes first, and the
/// others follow by id.
#[inline]
pub(crate) fn place_of(choice: u32, default: usize) -> usize {
    let choice = choice as usize;
    if choice == 0 {
        default
    } else if choice <= default {
        choice - 1
    } else {
        choice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_stays_and_the_rest_go_by_id() {
        let enabled = [TaskId(1), TaskId(2), TaskId(4)];
        let point = Point::Task { enabled: &enabled, current: Some(TaskId(2)) };
        let order: Vec<_> = (0..3).map(|c| point.task(c).0).collect();
        assert_eq!(order, [2, 1, 4]);
        assert_eq!(point.choice_of(TaskId(4)), Some(2));
        assert_eq!(point.choice_of(TaskId(3)), None);
        let blocked = Point::Task { enabled: &enabled, current: None };
        assert_eq!(blocked.task(0), TaskId(1));
    }
}
