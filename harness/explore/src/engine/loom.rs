//! The engine on loom: an independent second opinion on small programs. Loom decides who goes on, by a dynamic
//! partial-order reduction of its own (Flanagan and Godefroid, POPL 2005), and takes every value that a task can
//! choose in turn; nothing of [`strategy`](crate::strategy) is used.
//!
//! A task is a coroutine, as in the fast engine, and has a loom thread that goes through *gates* before each of
//! its operations: loom atomics that stand for the objects. That is all that loom sees of a program. A task
//! whose guard does not hold parks its thread; whoever makes it hold wakes it. What loom does not know it
//! is told through gates:
//!
//! - An operation over several objects is one. Its first gate is where loom may switch, at the others it may not.
//! - A task that finds its guard false has looked at its objects. Only so does loom learn that the other order
//!   should be tried, which may be the only one in which the task goes on.
//! - A step that stops the run keeps all others from running. So it conflicts with each, and who could
//!   still have gone on passes its gates all the same.
//!
//! Virtual time moves when nothing else can happen. That follows from the order of operations alone, and needs no gate.

mod bohr;
mod gates;
mod values;

use bohr::{Bohr, Turn};
use bohr_kernel::{Outcome, Program, RunConfig, TaskId};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{catch_unwind, resume_unwind};
use std::rc::Rc;

/// Runs programs on loom's threads.
#[derive(Copy, Clone, Debug, Default)]
pub struct LoomEngine;

/// How an exploration by loom ended.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LoomExplored {
    /// True if every schedule has been covered.
    pub all: bool,
    /// The number of executions. Loom may run the same schedule again: it has no sleep sets.
    pub executions: u64,
}

/// Why a program cannot be explored by loom.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoesNotFit {
    /// It has too many tasks.
    #[error("{0} tasks, and loom has threads for {MOST_TASKS}")]
    Tasks(usize),
    /// Time is to move by choice, for which loom would need another thread.
    #[error("time moves by choice, which loom cannot do")]
    EagerTime,
}

/// A deliberate error, for the test that such errors are found.
#[doc(hidden)]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LoomSabotage {
    /// Who reads passes no gate.
    Reads,
    /// Who finds its guard false passes no gate.
    Attempts,
    /// A step that stops the run conflicts with nothing else for it.
    Stops,
    /// Only the first of a step's values is taken.
    Values,
    /// Every object has one gate, which reads pass as loom's loads and writes as its read-modify-writes.
    Loads,
}

/// Loom's threads in one execution.
const MOST_TASKS: usize = loom::MAX_THREADS;

/// Loom's switches and loads in one execution. More than any small program needs; loom reserves about 1.5 KiB of
/// addresses for each, and its clocks have 16 bits.
const MOST_BRANCHES: usize = 50_000;

/// The payload with which an exploration is left: loom cannot be told to stop. It is raised by `resume_unwind`, so
/// that no panic hook sees it.
struct Enough;

thread_local! {
    /// What the executions of the present exploration share: loom wants a body that captures nothing that
    /// belongs to a thread.
    static EXPLORED: RefCell<Option<Rc<Bohr>>> = const { RefCell::new(None) };
}

impl LoomEngine {
    /// The engine's name.
    pub fn name(&self) -> &'static str {
        "loom"
    }

    /// Runs the program in as many executions as loom takes for all schedules, at most `executions` if a
    /// number is given, and hands each to `sink`, until that says false. The decisions of every outcome are a
    /// schedule that other engines can do again.
    ///
    /// An execution of more than some thousand steps is given up, and counts as not covered.
    ///
    /// # Errors
    /// If loom cannot run the program: it has too many tasks, or time is to move by choice.
    pub fn explore(
        &self,
        program: &Program,
        config: RunConfig,
        executions: Option<u64>,
        sink: impl FnMut(Outcome) -> bool + 'static,
    ) -> Result<LoomExplored, DoesNotFit> {
        explore(program, config, executions, None, Box::new(sink))
    }

    /// As [`LoomEngine::explore`], but wrong.
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub fn sabotaged(
        &self,
        program: &Program,
        config: RunConfig,
        executions: Option<u64>,
        sabotage: LoomSabotage,
        sink: impl FnMut(Outcome) -> bool + 'static,
    ) -> Result<LoomExplored, DoesNotFit> {
        explore(program, config, executions, Some(sabotage), Box::new(sink))
    }
}

type Sink = Box<dyn FnMut(Outcome) -> bool>;

fn explore(
    program: &Program,
    config: RunConfig,
    executions: Option<u64>,
    sabotage: Option<LoomSabotage>,
    sink: Sink,
) -> Result<LoomExplored, DoesNotFit> {
    super::quiet_once();
    if config.eager_time {
        return Err(DoesNotFit::EagerTime);
    }
    let bohr = Rc::new(Bohr::new(program, config, executions, sabotage, sink));
    EXPLORED.set(Some(bohr.clone()));
    // Every schedule for one way of choosing values, and then for the next.
    let ended = loop {
        match catch_unwind(check) {
            Err(payload) => break Err(payload),
            // Its sink may still panic.
            Ok(()) => match catch_unwind(std::panic::AssertUnwindSafe(|| bohr.end_run())) {
                Err(payload) => break Err(payload),
                Ok(false) => break Err(Box::new(Enough) as Box<dyn Any + Send>),
                Ok(true) if bohr.next_values() => {}
                Ok(true) => break Ok(()),
            },
        }
    };
    EXPLORED.set(None);
    if let Err(payload) = &ended
        && !payload.is::<Enough>()
    {
        bohr.give_up();
    }
    match ended {
        Err(payload) if !payload.is::<Enough>() => resume_unwind(payload),
        ended => bohr.explored(ended.is_ok()),
    }
}

/// Every schedule for one way of choosing values.
fn check() {
    let mut model = loom::model::Builder::new();
    // The environment may say otherwise.
    model.max_threads = MOST_TASKS;
    model.max_branches = MOST_BRANCHES;
    model.max_permutations = None;
    model.max_duration = None;
    model.preemption_bound = None;
    model.checkpoint_file = None;
    model.checkpoint_interval = usize::MAX;
    model.location = false;
    model.log = false;
    model.check(execute);
}

/// One execution: the first of loom's threads.
fn execute() {
    let bohr = EXPLORED.with_borrow(Clone::clone).expect("an exploration has begun");
    if !bohr.end_run() {
        resume_unwind(Box::new(Enough));
    }
    bohr.begin_run();
    bohr.start_threads();
    go_through(&bohr, TaskId::MAIN);
}

/// What a loom thread does: it goes through gates, and lets its task go on, until the task has returned.
fn go_through(bohr: &Rc<Bohr>, task: TaskId) {
    loop {
        bohr.gates().enter(task);
        loom::stop_exploring();
        let goes_on = bohr.may_go_on(task);
        bohr.gates().pass(task, &bohr.footprint(task), goes_on);
        if goes_on {
            let stops = bohr.step(task);
            if stops {
                bohr.gates().close(task);
            }
            bohr.start_threads();
        }
        loom::explore();
        loop {
            match bohr.turn(task) {
                Turn::Gates => break,
                Turn::Wait => loom::thread::park(),
                Turn::Return => return,
            }
        }
    }
}
