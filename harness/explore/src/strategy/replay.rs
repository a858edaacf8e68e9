//! Doing a run again.

use bohr_kernel::{Decision, Kernel, Outcome, Point, Strategy, TaskId};

/// Where a replay left the schedule that it was to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The number of choices that were still as recorded.
    pub choice: usize,
    /// The number of steps before the first difference.
    pub step: u32,
    /// What was recorded there and what is there now.
    pub what: String,
}

/// Makes recorded choices again; past their end, and where one no longer fits, takes alternative 0.
#[derive(Debug)]
pub struct Replay {
    decisions: Vec<Decision>,
    at: usize,
    begun: bool,
    drift: Option<Drift>,
    outcome: Option<Outcome>,
}

impl Replay {
    /// A strategy that makes these choices in one run.
    pub fn new(decisions: Vec<Decision>) -> Self {
        Replay { decisions, at: 0, begun: false, drift: None, outcome: None }
    }

    /// What the run has shown, and where it first left the recorded choices.
    pub fn into_result(self) -> Option<(Outcome, Option<Drift>)> {
        let outcome = self.outcome?;
        let left = self.decisions.len().saturating_sub(self.at);
        let drift = self.drift.or_else(|| {
            let what = format!("the run ended with {left} recorded choices left");
            (left > 0).then_some(Drift { choice: self.at, step: outcome.steps, what })
        });
        Some((outcome, drift))
    }
}

impl Strategy for Replay {
    fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        let at = self.at;
        self.at += 1;
        let recorded = self.decisions.get(at);
        let now = point.alternatives();
        match recorded {
            Some(decision) if decision.of == now => return Some(decision.chosen),
            Some(decision) if self.drift.is_none() => {
                let what = format!("recorded was a choice among {}, now there are {now}", decision.of);
                self.drift = Some(Drift { choice: at, step: kernel.steps(), what });
            }
            _ => {}
        }
        Some(recorded.map_or(0, |d| if d.chosen < now { d.chosen } else { 0 }))
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
