//! Doing a run again.

use bohr_kernel::{Kernel, Outcome, Point, Strategy, TaskId};

/// Makes recorded choices again; past their end, and where one no longer fits, takes alternative 0.
#[derive(Debug)]
pub struct Replay {
    choices: Vec<u32>,
    at: usize,
    begun: bool,
    outcome: Option<Outcome>,
}

impl Replay {
    /// A strategy that makes these choices in one run.
    pub fn new(choices: Vec<u32>) -> Self {
        Replay { choices, at: 0, begun: false, outcome: None }
    }

    /// What the run has shown.
    pub fn into_outcome(self) -> Option<Outcome> {
        self.outcome
    }
}

impl Strategy for Replay {
    fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    fn choose(&mut self, _: &Kernel, point: &Point<'_>) -> Option<u32> {
        let recorded = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        Some(if recorded < point.alternatives() { recorded } else { 0 })
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

/// Follows the order in which OS threads got through their operations, which makes a schedule of it.
#[derive(Debug)]
pub struct FollowOrder {
    order: Vec<(TaskId, Option<u32>)>,
    begun: bool,
    outcome: Option<Outcome>,
}

impl FollowOrder {
    /// A strategy that follows [`Outcome::free_order`] in one run.
    pub fn new(order: Vec<(TaskId, Option<u32>)>) -> Self {
        FollowOrder { order, begun: false, outcome: None }
    }

    /// What the run has shown.
    pub fn into_outcome(self) -> Option<Outcome> {
        self.outcome
    }
}

impl Strategy for FollowOrder {
    fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        let step = kernel.steps() as usize;
        let ran = self.order.iter().filter(|(_, value)| value.is_none());
        match point {
            Point::Task { .. } => {
                let next = ran.clone().nth(step).map(|(task, _)| *task);
                Some(next.and_then(|task| point.choice_of(task)).unwrap_or(0))
            }
            Point::Value { of } => {
                let task = kernel.current();
                let drawn = self.order.iter().position(|(t, value)| *t == task && value.is_some());
                let value = drawn.and_then(|at| self.order.remove(at).1).unwrap_or(0);
                Some(value.min(of - 1))
            }
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}
