//! The fast engine: a task is a coroutine. Who goes on is decided on the stack of the task that has just
//! published, so that a task that goes on pays for no switch.

use crate::strategy::{Pct, Random, Sampling};
use bohr_coroutine::{Coroutine, suspend};
use bohr_kernel::{
    Engine, Host, Kernel, Next, Outcome, Point, Program, RunConfig, Strategy, TaskId, conclude_reusing,
    install, run_task, spawn_clock, with_kernel,
};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// Runs programs on coroutines of its own. With a strategy it does exactly what
/// [`ShuttleEngine`](super::ShuttleEngine) does with it.
#[derive(Copy, Clone, Debug, Default)]
pub struct FastEngine;

/// What draws schedules at random.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FastPolicy {
    /// Uniform random walk over the enabled tasks: [`Random`].
    Random,
    /// Probabilistic concurrency testing with this bug depth: [`Pct`].
    Pct {
        /// The number of ordering constraints that the bug needs, one less than the priority changes.
        depth: usize,
    },
}

impl Engine for FastEngine {
    fn name(&self) -> &'static str {
        "fast"
    }

    fn explore(&self, program: &Program, config: RunConfig, strategy: Rc<RefCell<dyn Strategy>>) {
        explore(program, config, strategy);
    }
}

impl FastEngine {
    /// Explores with a policy, from `seed`, until `sink` has had enough or `schedules` have run.
    pub fn explore_with(
        &self,
        program: &Program,
        config: RunConfig,
        policy: FastPolicy,
        seed: u64,
        schedules: u64,
        sink: impl FnMut(Outcome) -> bool + 'static,
    ) {
        match policy {
            FastPolicy::Random => {
                let random = Sampling::new(Random::new(seed), schedules, sink);
                explore(program, config, Rc::new(RefCell::new(random)));
            }
            FastPolicy::Pct { depth } => {
                let pct = Sampling::new(Pct::new(seed, depth), schedules, sink);
                explore(program, config, Rc::new(RefCell::new(pct)));
            }
        }
    }
}

/// Generic, so that a policy that is known costs no virtual call a choice.
fn explore<S: Strategy + ?Sized>(program: &Program, config: RunConfig, strategy: Rc<RefCell<S>>) {
    super::quiet_once();
    let host = Rc::new(FastHost {
        strategy: Rc::clone(&strategy),
        unborn: RefCell::default(),
        chosen: Cell::new(None),
        panic: Cell::new(None),
    });
    let mut kernel = Box::new(program.kernel(config));
    let mut tasks = Vec::new();
    while strategy.borrow_mut().begin() {
        program.renew(&mut kernel, config);
        install(kernel, host.clone());
        let main = program.clone();
        host.spawn(
            TaskId::MAIN,
            Box::new(move || {
                run_task(TaskId::MAIN, || {
                    if config.eager_time {
                        spawn_clock();
                    }
                    main.run_body();
                });
            }),
        );
        host.run(&mut tasks);
        let outcome;
        (outcome, kernel) = conclude_reusing();
        if let Some(payload) = host.panic.take() {
            resume_unwind(payload);
        }
        strategy.borrow_mut().end(outcome);
    }
}

type Body = Box<dyn FnOnce() + Send>;

struct FastHost<S: ?Sized> {
    strategy: Rc<RefCell<S>>,
    /// Bodies that have no stack yet, in the order of their tasks' ids.
    unborn: RefCell<VecDeque<Body>>,
    /// Who goes on, if the task that suspended itself has decided it.
    chosen: Cell<Option<TaskId>>,
    /// What the strategy panicked with: that is not the scenario's doing, and must not look like it.
    panic: Cell<Option<Box<dyn Any + Send>>>,
}

impl<S: Strategy + ?Sized> FastHost<S> {
    /// Runs tasks until all have returned.
    fn run(&self, tasks: &mut Vec<Coroutine>) {
        while let Some(task) = self.chosen.take().or_else(|| with_kernel(|kernel| self.decide(kernel))) {
            let task = task.0 as usize;
            while tasks.len() <= task {
                let body = self.unborn.borrow_mut().pop_front();
                tasks.push(Coroutine::new(body.expect("ids are given in the order of spawning")));
            }
            tasks[task].resume();
        }
        // Every task has returned, those of a failing run too, or this would be the place to unwind them.
        tasks.clear();
    }

    /// Gives control to the task that goes on. None once all have returned.
    fn decide(&self, kernel: &mut Kernel) -> Option<TaskId> {
        let next = kernel.next_task();
        let task = match next {
            Next::Over => return None,
            Next::Forced(task) => task,
            Next::Choice => match self.ask(kernel, &kernel.point()) {
                Some(choice) => kernel.point().task(choice),
                None => {
                    kernel.abandon();
                    return self.decide(kernel);
                }
            },
        };
        kernel.choose_task(task, next);
        Some(task)
    }

    /// The strategy's choice. None also if it panics, since a stack full of the scenario's frames is no place to
    /// let that pass.
    fn ask(&self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        let choose = || {
            let choice = self.strategy.borrow_mut().choose(kernel, point);
            assert!(
                choice.is_none_or(|c| c < point.alternatives()),
                "a strategy chooses an alternative there is"
            );
            choice
        };
        catch_unwind(AssertUnwindSafe(choose)).unwrap_or_else(|payload| {
            self.panic.set(Some(payload));
            None
        })
    }
}

impl<S: Strategy + ?Sized> Host for FastHost<S> {
    fn goes_on(&self, kernel: &mut Kernel) -> bool {
        let task = kernel.current();
        let chosen = self.decide(kernel);
        if chosen == Some(task) {
            return true;
        }
        self.chosen.set(chosen);
        false
    }

    fn switch(&self) {
        suspend();
    }

    fn spawn(&self, _: TaskId, body: Body) {
        self.unborn.borrow_mut().push_back(body);
    }

    fn choose(&self, of: u32) -> u32 {
        with_kernel(|kernel| {
            self.ask(kernel, &Point::Value { of }).unwrap_or_else(|| {
                kernel.abandon();
                0
            })
        })
    }
}
