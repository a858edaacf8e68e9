//! The schedules next to a failing one.

use super::distance::distance;
use super::{Choice, Decides, Pair};
use crate::engine::FastEngine;
use crate::search::prove;
use crate::strategy::{Delay, Drawn, Flip, Follow, Limits, Op, flips, ran};
use bohr_kernel::{Decision, Event, Finding, Kind, Outcome, Program, RunConfig, TaskId};
use std::cell::RefCell;
use std::rc::Rc;

/// A schedule that passes.
pub(super) struct Neighbour {
    pub(super) decides: Decides,
    pub(super) decisions: Vec<Decision>,
    /// The other failure that it has, if it does not pass outright.
    pub(super) but: Option<Finding>,
    /// How far it is from the failing one; the nearest has the least. Whether it has another failure, then how
    /// many steps are out of place.
    distance: (bool, usize),
}

pub(super) struct Search<'a> {
    program: &'a Program,
    verdict: Verdict,
    failing: &'a Outcome,
    /// The steps of the failing run.
    ops: Vec<Op>,
    drawn: Vec<Drawn>,
    budget: u64,
    pub(super) runs: u64,
    pub(super) other: u64,
}

/// What tells whether a run passes.
#[derive(Clone)]
struct Verdict {
    /// How neighbours are run: on after what does not end them, so that it hides nothing.
    config: RunConfig,
    finding: Finding,
    /// What the failing run shows besides, if it went on.
    besides: Option<Vec<Finding>>,
}

impl Verdict {
    fn fails(&self, outcome: &Outcome) -> bool {
        outcome.findings.iter().any(|f| f.same_failure(&self.finding))
    }

    /// Another failure of a run. What the failing run shows besides is none, and data races are none if it
    /// went on after such.
    fn other<'o>(&self, outcome: &'o Outcome) -> Option<&'o Finding> {
        let race = |f: &Finding| f.kind == Kind::DataRace;
        let known = |f: &Finding| {
            let besides = self.besides.as_ref();
            besides.is_some_and(|besides| race(f) || besides.iter().any(|known| known.same_failure(f)))
        };
        let others = || outcome.findings.iter().filter(|f| !f.same_failure(&self.finding) && !known(f));
        others().find(|f| !race(f)).or_else(|| others().next())
    }

    fn passes(&self, outcome: &Outcome) -> bool {
        !self.fails(outcome) && self.other(outcome).is_none()
    }

    /// A run that goes on to its end does not have the failure, even if it has another. That is not asked of
    /// failures that are found at the end: those of different runs are seldom the same to the word.
    fn avoids(&self, outcome: &Outcome) -> bool {
        let at_the_end = self.finding.kind == Kind::Oracle && self.finding.task.is_none();
        let ends = || outcome.findings.iter().any(|f| f.kind.ends_the_run());
        self.passes(outcome) || !at_the_end && !self.fails(outcome) && !ends()
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(
        program: &'a Program,
        config: RunConfig,
        finding: &Finding,
        failing: &'a Outcome,
        drawn: Vec<Drawn>,
        budget: u64,
    ) -> Self {
        let besides = || failing.findings.iter().filter(|f| !f.same_failure(finding)).cloned().collect();
        let besides = config.keep_going.then(besides);
        let config = RunConfig { log: true, keep_going: true, ..config };
        let verdict = Verdict { config, finding: finding.clone(), besides };
        Search { program, verdict, failing, ops: ran(&failing.log), drawn, budget, runs: 0, other: 0 }
    }

    /// The nearest schedule that passes with two operations in the other order.
    pub(super) fn orders(&mut self) -> Option<Neighbour> {
        let mut nearest = None;
        self.flips(&mut nearest);
        self.delays(&mut nearest);
        nearest
    }

    /// One race in the other order.
    fn flips(&mut self, nearest: &mut Option<Neighbour>) {
        // What came after the failure had no part in it.
        let until = self.verdict.finding.step as usize;
        for flip in flips(&self.failing.log).iter().filter(|flip| flip.first <= until) {
            let values = self.values_as_they_were();
            let Some(outcome) = self.run(flip.order.clone(), values, None) else { break };
            if self.verdict.avoids(&outcome) {
                let steps = ran(&outcome.log);
                let pair = self.flipped(flip, &steps);
                self.offer(nearest, pair.map(Decides::Order), &steps, outcome);
            }
        }
    }

    /// The nearest schedule that passes with one other value.
    pub(super) fn values(&mut self) -> Option<Neighbour> {
        let mut nearest = None;
        for at in (0..self.drawn.len()).rev() {
            let Drawn { step, chosen, of, .. } = self.drawn[at];
            for instead in (0..of).filter(|value| *value != chosen) {
                let mut values = self.values_as_they_were();
                values[at].1 = instead;
                let turns = self.turns().collect();
                let Some(outcome) = self.run(turns, values, None) else { break };
                if self.verdict.avoids(&outcome) {
                    let decides = Decides::Value(Choice { step, chosen, of, instead });
                    self.offer(&mut nearest, Some(decides), &ran(&outcome.log), outcome);
                }
            }
        }
        nearest
    }

    /// One step put off, while others go on for as few steps as suffice.
    fn delays(&mut self, nearest: &mut Option<Neighbour>) {
        let enabled: Vec<Vec<TaskId>> = self.failing.log.iter().filter_map(enabled).collect();
        let until = self.ops.len().min(self.verdict.finding.step as usize + 1);
        for first in (0..until).rev() {
            let task = self.ops[first].place.task;
            for prefers in enabled[first].iter().copied().filter(|other| *other != task) {
                for steps in 1.. {
                    // The rest is for the other searches.
                    if self.runs >= self.budget / 4 * 3 {
                        return;
                    }
                    let delay = Delay { task, from: first as u32, steps, prefers };
                    let turns = self.turns().collect();
                    let Some(outcome) = self.run(turns, self.values_as_they_were(), Some(delay)) else {
                        return;
                    };
                    let ops = ran(&outcome.log);
                    if self.verdict.avoids(&outcome) {
                        let pair = self.put_off(first, &ops);
                        let passes = self.verdict.passes(&outcome);
                        self.offer(nearest, pair.map(Decides::Order), &ops, outcome);
                        if passes {
                            break;
                        }
                    }
                    let found = ops.iter().position(|op| *op == self.ops[first]);
                    if found.is_none_or(|at| at < first + steps as usize) {
                        break;
                    }
                }
            }
        }
    }

    /// Whether any schedule passes, as far as the budget goes, and the nearest that does.
    pub(super) fn all(&mut self) -> (Decides, Option<Vec<Decision>>) {
        #[derive(Default)]
        struct Seen {
            other: u64,
            nearest: Option<(usize, Vec<Decision>)>,
        }
        let left = self.budget.saturating_sub(self.runs);
        let seen: Rc<RefCell<Seen>> = Rc::default();
        let sink = {
            let (seen, verdict, ops) = (seen.clone(), self.verdict.clone(), self.ops.clone());
            move |outcome: Outcome| {
                let mut seen = seen.borrow_mut();
                if !outcome.abandoned && verdict.passes(&outcome) {
                    let distance = distance(&ops, &ran(&outcome.log));
                    if seen.nearest.as_ref().is_none_or(|(least, _)| distance < *least) {
                        seen.nearest = Some((distance, outcome.decisions));
                    }
                } else if !verdict.fails(&outcome) {
                    seen.other += 1;
                }
                true
            }
        };
        let limits = Limits { runs: Some(left), ..Limits::default() };
        let explored = prove(self.program, self.verdict.config, limits, sink);
        let Seen { other, nearest } = seen.take();
        self.runs += explored.executions + explored.sleep_blocked;
        self.other += other;
        let decides = if explored.all && nearest.is_none() { Decides::Nothing } else { Decides::Unknown };
        (decides, nearest.map(|(_, decisions)| decisions))
    }

    fn turns(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.ops.iter().map(|op| op.place.task)
    }

    fn values_as_they_were(&self) -> Vec<(TaskId, u32)> {
        self.drawn.iter().map(|drawn| (drawn.task, drawn.chosen)).collect()
    }

    /// Runs a neighbour. Nothing if the budget is used up. What it chooses that the failing run did not is the
    /// first value, or the last if only so it passes.
    fn run(
        &mut self,
        turns: Vec<TaskId>,
        values: Vec<(TaskId, u32)>,
        delay: Option<Delay>,
    ) -> Option<Outcome> {
        let mut first = None;
        for last in [false, true] {
            if self.runs >= self.budget {
                break;
            }
            self.runs += 1;
            let follow = Follow::new(turns.clone(), values.clone()).delayed(delay).last(last);
            let follow = FastEngine.explore_by(self.program, self.verdict.config, follow);
            let (outcome, anew) = follow.into_outcome();
            let outcome = outcome.expect("the engine ran once");
            if self.verdict.passes(&outcome) {
                return Some(outcome);
            }
            self.other += u64::from(!self.verdict.fails(&outcome));
            first.get_or_insert(outcome);
            if !anew {
                break;
            }
        }
        first
    }

    /// Takes a neighbour that passes if it is nearer than the nearest so far.
    fn offer(
        &self,
        nearest: &mut Option<Neighbour>,
        decides: Option<Decides>,
        steps: &[Op],
        outcome: Outcome,
    ) {
        let but = self.verdict.other(&outcome).cloned();
        let distance = (but.is_some(), distance(&self.ops, steps));
        if let Some(decides) = decides
            && nearest.as_ref().is_none_or(|least| distance < least.distance)
        {
            *nearest = Some(Neighbour { decides, decisions: outcome.decisions, but, distance });
        }
    }

    /// The pair of a flip, if it came about.
    fn flipped(&self, flip: &Flip, steps: &[Op]) -> Option<Pair> {
        let first = &self.ops[flip.first];
        let second = steps.iter().position(|op| *op == flip.second)?;
        let late = steps.iter().position(|op| op == first).is_none_or(|at| second < at);
        if late { self.pair(flip.first, second, steps) } else { None }
    }

    /// The pair of a step that was put off: that step, and the last that came before it instead. Nothing if
    /// others have changed places as well.
    fn put_off(&self, first: usize, steps: &[Op]) -> Option<Pair> {
        let at = steps.iter().position(|op| *op == self.ops[first])?;
        let task = self.ops[first].place.task;
        let others = self.ops.iter().filter(|op| op.place.task != task);
        let others: Vec<(&Op, usize)> =
            others.filter_map(|op| Some((op, steps.iter().position(|other| other == op)?))).collect();
        let swapped = |at: usize| {
            let (op, place) = others[at];
            others[at + 1..].iter().any(|(later, now)| *now < place && later.conflict(op).is_some())
        };
        let before = at.checked_sub(1).filter(|before| *before >= first)?;
        if (0..others.len()).any(swapped) { None } else { self.pair(first, before, steps) }
    }

    /// A step of the failing run and one of the passing run that conflict.
    fn pair(&self, first: usize, second: usize, passing: &[Op]) -> Option<Pair> {
        let object = self.ops[first].conflict(&passing[second])?;
        let in_failing = self.ops.iter().position(|op| *op == passing[second]);
        Some(Pair {
            first: first as u32,
            second: in_failing.map(|at| at as u32),
            first_in_passing: second as u32,
            object,
        })
    }
}

/// Who could go on before a step.
fn enabled(event: &Event) -> Option<Vec<TaskId>> {
    match event {
        Event::Runs { enabled, .. } => Some(enabled.to_vec()),
        _ => None,
    }
}
