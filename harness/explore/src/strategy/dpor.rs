//! Dynamic partial-order reduction: one run for each way in which operations that conflict can be ordered.
//!
//! The algorithm is source-DPOR (Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction",
//! POPL 2014; "Source Sets: A Foundation for Optimal Dynamic Partial Order Reduction", JACM 2017), with
//! sleep sets. No two complete runs are the same up to the order of operations that do not conflict; some
//! runs are given up because all that they could still do has been explored (they are *blocked by sleep sets*,
//! which the optimal algorithm avoids).
//!
//! What differs from the papers:
//!
//! - Operations have guards: see `races`.
//! - A value that a task [chooses](bohr_kernel::choose) is explored in every way and is otherwise part of the
//!   step that it is chosen in or after.
//! - Virtual time that moves because nothing else can comes after all before it and before all after it. In
//!   eager mode time is an object like any other.
//! - A step that stops the run, because it shows a finding, keeps all others from running. Whatever could
//!   have run instead of it is tried as well, and the step itself sleeps meanwhile: so each finding that a
//!   schedule can show is shown, but not beside every state that the other tasks can be in by then. Findings
//!   at rest depend on the last state alone.
//! - A run that goes over [`RunConfig::max_steps`](bohr_kernel::RunConfig::max_steps) ends there. That is a
//!   finding, but what other findings the rest would have shown is not known.
//!
//! There is no preemption bound. Under one, a race is not enough to find all schedules within it, and more
//! choices have to be tried, conservatively (Coons, Musuvathi, McKinley, "Bounded Partial-Order Reduction",
//! OOPSLA 2013). Use [`Dfs`](super::Dfs) with its cache for that.

mod order;
mod races;
mod run;
mod stack;

use bohr_kernel::{Kernel, Outcome, Point, Strategy};
use races::races;
use run::{End, Run, Tasks};
use serde::{Deserialize, Serialize};
use stack::{Level, Stack, TaskLevel};
use std::collections::BTreeSet;

/// When an exploration ends early, and what it keeps.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Stop after this many runs.
    pub runs: Option<u64>,
    /// Count the distinct traces by their [hash](Outcome::trace_hash), for which runs have to
    /// [identify](bohr_kernel::RunConfig::identify) themselves.
    pub traces: bool,
}

/// How an exploration ended.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// True if every schedule has been covered.
    pub all: bool,
    /// The number of runs that went to their end, no two of them the same up to the order of operations
    /// that do not conflict.
    pub executions: u64,
    /// The number of runs that were given up because all that they could still do had been explored.
    pub sleep_blocked: u64,
    /// The number of distinct traces among the executions, if they were to be counted. It is the number
    /// of executions, but for eager time: there it depends on a value that a task chooses whether its step looks
    /// at the clock, and a step that slept with one value wakes with all.
    pub traces: u64,
}

/// A deliberate error in the reduction, for the test that such errors are found.
#[doc(hidden)]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A write after a read does not conflict with it.
    Dependency,
    /// Who is asleep never wakes up.
    Sleep,
    /// Operations that are disabled race with nothing.
    Backtrack,
}

const CHANGED: &str = "a program does the same when the same choices are made";

/// Source-DPOR. Runs must be [logged](bohr_kernel::RunConfig::log).
pub struct Dpor<F> {
    limits: Limits,
    sabotage: Option<Sabotage>,
    stack: Stack,
    depth: usize,
    /// Where the present run was given up: after so many steps, where these could go on.
    given_up: Option<(usize, Tasks)>,
    explored: Explored,
    traces: BTreeSet<u64>,
    finished: bool,
    stopped: bool,
    sink: F,
}

impl<F: FnMut(Outcome) -> bool> Dpor<F> {
    /// An exploration that hands every execution to `sink` and stops when that says false. A run that was
    /// given up is handed over too if it shows a finding; it is [marked](Outcome::abandoned).
    pub fn new(limits: Limits, sink: F) -> Self {
        Dpor {
            limits,
            sabotage: None,
            stack: Stack::default(),
            depth: 0,
            given_up: None,
            explored: Explored::default(),
            traces: BTreeSet::new(),
            finished: false,
            stopped: false,
            sink,
        }
    }

    /// As [`Dpor::new`], but wrong.
    #[doc(hidden)]
    pub fn sabotaged(limits: Limits, sabotage: Sabotage, sink: F) -> Self {
        Dpor { sabotage: Some(sabotage), ..Self::new(limits, sink) }
    }

    /// How far the exploration got.
    pub fn explored(&self) -> Explored {
        let all = self.finished && !self.stopped;
        Explored { all, traces: self.traces.len() as u64, ..self.explored }
    }

    /// The level for a choice that no run has met before. Nothing if the run need not go on.
    fn open(&self, kernel: &Kernel, point: &Point<'_>) -> Option<Level> {
        let step = kernel.steps() as usize;
        match point {
            Point::Value { of } => Some(Level::Value { step, chosen: 0, of: *of }),
            Point::Task { enabled, current } => {
                let above = self.stack.last_task();
                let level =
                    TaskLevel::below(above, kernel.log(), step, enabled, *current, self.never_wakes())?;
                Some(Level::Task(level))
            }
        }
    }

    fn never_wakes(&self) -> bool {
        self.sabotage == Some(Sabotage::Sleep)
    }

    /// Learns from a run what else to try.
    fn learn(&mut self, run: &Run) {
        self.stack.learn(run);
        for race in races(run, self.stack.known_steps, self.sabotage) {
            self.stack.want_one_of(race.step, &race.initials);
        }
        if run.end == End::Stopped
            && let Some(last) = run.steps.len().checked_sub(1)
        {
            self.stack.want_each(last);
        }
    }
}

impl<F: FnMut(Outcome) -> bool + 'static> Strategy for Dpor<F> {
    fn begin(&mut self) -> bool {
        if self.finished || self.stopped {
            return false;
        }
        let runs = self.explored.executions + self.explored.sleep_blocked;
        self.stopped = self.limits.runs.is_some_and(|most| runs >= most);
        self.depth = 0;
        !self.stopped
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        if self.depth == self.stack.levels.len() {
            let Some(level) = self.open(kernel, point) else {
                let Point::Task { enabled, .. } = point else { unreachable!("values are never asleep") };
                self.given_up = Some((kernel.steps() as usize, enabled.iter().copied().collect()));
                return None;
            };
            self.stack.levels.push(level);
        }
        self.depth += 1;
        match &self.stack.levels[self.depth - 1] {
            Level::Value { chosen, .. } => Some(*chosen),
            Level::Task(level) => Some(point.choice_of(level.chosen).expect(CHANGED)),
        }
    }

    fn end(&mut self, mut outcome: Outcome) {
        if !outcome.abandoned
            && let Some(level) = self.stack.last_task()
        {
            self.given_up = level.sleep_after(&outcome.log, self.never_wakes()).err();
        }
        let given_up = self.given_up.take();
        outcome.abandoned = given_up.is_some();
        let run = Run::read(&outcome.log, given_up);
        self.learn(&run);
        self.finished = !self.stack.advance();
        if outcome.abandoned {
            self.explored.sleep_blocked += 1;
        } else {
            self.explored.executions += 1;
            if self.limits.traces {
                self.traces.insert(outcome.trace_hash);
            }
        }
        if !outcome.abandoned || !outcome.findings.is_empty() {
            self.stopped |= !(self.sink)(outcome);
        }
    }
}
