//! The fast engine: a task is a coroutine. Who goes on is decided on the stack of the task that has just
//! published, so that a task that goes on pays for no switch, and that task resumes the next itself. Only if the next is
//! one of those who resumed it, and so cannot be resumed, does it suspend itself until that one is reached. So most
//! switches take one change of stacks and not two, by way of a loop that all return to.

use crate::strategy::{Pct, Policy, Portfolio, Pos, Random, Sampling, Surw, Urw};
use bohr_coroutine::{Coroutine, suspend};
use bohr_kernel::{
    Engine, Host, Kernel, Next, Outcome, Point, Program, RunConfig, Runs, Strategy, TaskId, conclude,
    with_kernel,
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
    /// Uniform random walk weighted by what each task has left: [`Urw`].
    Urw,
    /// Partial order sampling: [`Pos`].
    Pos,
    /// Selectively uniform random walk: [`Surw`].
    Surw,
    /// All of these in turn, with bug depth 3: [`Portfolio`].
    Portfolio,
}

impl Engine for FastEngine {
    fn name(&self) -> &'static str {
        "fast"
    }

    fn explore(&self, program: &Program, config: RunConfig, strategy: Rc<RefCell<dyn Strategy>>) {
        explore(program, config, strategy, Manners::Unknown);
    }
}

impl FastEngine {
    /// Explores by a strategy, and gives it back.
    pub fn explore_by<S: Strategy>(&self, program: &Program, config: RunConfig, strategy: S) -> S {
        let strategy = Rc::new(RefCell::new(strategy));
        self.explore(program, config, strategy.clone());
        Rc::into_inner(strategy).expect("the engine has let go of its strategy").into_inner()
    }

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
            FastPolicy::Random => sample(program, config, Random::new(seed), schedules, sink),
            FastPolicy::Pct { depth } => sample(program, config, Pct::new(seed, depth), schedules, sink),
            FastPolicy::Urw => sample(program, config, Urw::new(seed), schedules, sink),
            FastPolicy::Pos => sample(program, config, Pos::new(seed), schedules, sink),
            FastPolicy::Surw => sample(program, config, Surw::new(seed), schedules, sink),
            FastPolicy::Portfolio => sample(program, config, Portfolio::new(seed), schedules, sink),
        }
    }
}

fn sample(
    program: &Program,
    config: RunConfig,
    policy: impl Policy,
    schedules: u64,
    sink: impl FnMut(Outcome) -> bool + 'static,
) {
    let sampling = Sampling::new(policy, schedules, sink);
    explore(program, config, Rc::new(RefCell::new(sampling)), Manners::NeverPanics);
}

/// What is known of a strategy. Catching a panic that never comes takes a tenth of a step.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Manners {
    NeverPanics,
    Unknown,
}

/// Generic, so that a policy that is known costs no virtual call a choice.
fn explore<S: Strategy + ?Sized>(
    program: &Program,
    config: RunConfig,
    strategy: Rc<RefCell<S>>,
    manners: Manners,
) {
    super::quiet_once();
    let host = Rc::new(FastHost {
        strategy: Rc::clone(&strategy),
        program: program.clone(),
        config,
        unborn: Unborn::default(),
        workers: RefCell::default(),
        born: Cell::new(0),
        inner: Cell::new(0),
        chosen: Cell::new(None),
        sees_steps: Cell::new(false),
        manners,
        panic: Cell::new(None),
    });
    let runs = Runs::new(program.kernel(config), host.clone());
    while strategy.borrow_mut().begin() {
        host.sees_steps.set(strategy.borrow().sees_steps());
        runs.with_kernel(|kernel| program.renew(kernel, config));
        runs.enter();
        host.run(&runs);
        let outcome = conclude();
        if let Some(payload) = host.panic.take() {
            resume_unwind(payload);
        }
        strategy.borrow_mut().end(outcome);
    }
}

/// A stack with a task of every run on it, one after another.
pub(super) struct Worker {
    pub(super) coroutine: Coroutine,
    /// What it runs next.
    pub(super) body: Rc<Cell<Option<Body>>>,
}

pub(super) enum Body {
    Main,
    Spawned(Box<dyn FnOnce() + Send>),
}

/// Bodies that have no stack yet, in the order of their tasks' ids, which are given in the order of spawning.
#[derive(Default)]
pub(super) struct Unborn(RefCell<VecDeque<Box<dyn FnOnce() + Send>>>);

impl Unborn {
    /// A task was spawned.
    pub(super) fn push(&self, body: Box<dyn FnOnce() + Send>) {
        self.0.borrow_mut().push_back(body);
    }

    /// What the next task runs that has no stack, which has this number.
    pub(super) fn next(&self, task: usize) -> Option<Body> {
        match task {
            0 => Some(Body::Main),
            _ => self.0.borrow_mut().pop_front().map(Body::Spawned),
        }
    }

    /// Forgets those of a run that has ended.
    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

impl Worker {
    pub(super) fn new(program: &Program, config: RunConfig) -> Self {
        let body = Rc::new(Cell::new(None));
        let (bodies, program) = (Rc::clone(&body), program.clone());
        let coroutine = Coroutine::new(move || {
            while let Some(body) = bodies.take() {
                match body {
                    Body::Main => super::run_main(&program, config),
                    Body::Spawned(body) => body(),
                }
                suspend();
            }
        });
        Worker { coroutine, body }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It waits for another body and gets none. That spares unwinding it.
        self.coroutine.resume();
    }
}

/// A worker that others can resume.
struct Shared {
    worker: RefCell<Worker>,
    /// It runs, or waits for one that it has resumed.
    busy: Cell<bool>,
}

struct FastHost<S: ?Sized> {
    strategy: Rc<RefCell<S>>,
    program: Program,
    config: RunConfig,
    unborn: Unborn,
    /// By task. Those of an earlier run that had more tasks come after.
    workers: RefCell<Vec<Rc<Shared>>>,
    /// The number of tasks that have a stack.
    born: Cell<usize>,
    /// The task that runs.
    inner: Cell<usize>,
    /// Who goes on, if it has been decided.
    chosen: Cell<Option<TaskId>>,
    /// Whether the strategy is told of every step of this run.
    sees_steps: Cell<bool>,
    manners: Manners,
    /// What the strategy panicked with: that is not the scenario's doing, and must not look like it.
    panic: Cell<Option<Box<dyn Any + Send>>>,
}

impl<S: Strategy + ?Sized> FastHost<S> {
    /// Runs tasks until all have returned.
    fn run(&self, runs: &Runs) {
        self.born.set(0);
        while let Some(task) = self.chosen.take().or_else(|| runs.with_kernel(|kernel| self.decide(kernel))) {
            let task = task.0 as usize;
            while self.born.get() <= task {
                self.give_birth();
            }
            let worker = Rc::clone(&self.workers.borrow()[task]);
            self.resume(task, &worker);
        }
    }

    fn give_birth(&self) {
        let mut workers = self.workers.borrow_mut();
        let task = self.born.get();
        if task == workers.len() {
            let worker = RefCell::new(Worker::new(&self.program, self.config));
            workers.push(Rc::new(Shared { worker, busy: Cell::new(false) }));
        }
        workers[task].worker.borrow().body.set(self.unborn.next(task));
        self.born.set(task + 1);
    }

    #[inline(always)]
    fn resume(&self, task: usize, shared: &Shared) {
        self.inner.set(task);
        shared.busy.set(true);
        shared.worker.borrow_mut().coroutine.resume();
        shared.busy.set(false);
    }

    /// The worker of a task, if it can be resumed from here.
    #[inline(always)]
    fn resumable(&self, task: usize) -> Option<Rc<Shared>> {
        if task >= self.born.get() {
            return None;
        }
        let workers = self.workers.borrow();
        Some(&workers[task]).filter(|worker| !worker.busy.get()).cloned()
    }

    /// Gives control to the task that goes on. None once all have returned.
    #[inline(always)]
    fn decide(&self, kernel: &mut Kernel) -> Option<TaskId> {
        let next = kernel.next_task();
        match next {
            Next::Over => None,
            Next::Forced(task) if self.tell(kernel, task) => {
                kernel.choose_task(task, next);
                Some(task)
            }
            Next::Choice => match self.ask(kernel, &kernel.point()) {
                Some(choice) if !self.sees_steps.get() || self.tell(kernel, kernel.point().task(choice)) => {
                    Some(kernel.choose(choice))
                }
                _ => give_up(kernel),
            },
            Next::Forced(_) => give_up(kernel),
        }
    }

    /// Tells a strategy that wants to know it of a task's next step, if it is one. False if it has panicked.
    #[inline(always)]
    fn tell(&self, kernel: &Kernel, task: TaskId) -> bool {
        !self.sees_steps.get() || self.tell_it(kernel, task)
    }

    /// Apart from [`FastHost::tell`], so that strategies that do not want to know it pay for no more than a look.
    #[inline(never)]
    fn tell_it(&self, kernel: &Kernel, task: TaskId) -> bool {
        self.caught(|| super::tell(&mut *self.strategy.borrow_mut(), kernel, task)).is_some()
    }

    /// The strategy's choice. None also if it has panicked.
    #[inline(always)]
    fn ask(&self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        let choice = self.caught(|| {
            let choice = self.strategy.borrow_mut().choose(kernel, point);
            assert!(
                choice.is_none_or(|c| c < point.alternatives()),
                "a strategy chooses an alternative there is"
            );
            choice
        });
        choice.flatten()
    }

    /// Keeps a panic of the strategy's, since a stack full of the scenario's frames is no place to let that pass.
    #[inline(always)]
    fn caught<R>(&self, strategy: impl FnOnce() -> R) -> Option<R> {
        if self.manners == Manners::NeverPanics {
            return Some(strategy());
        }
        let result = catch_unwind(AssertUnwindSafe(strategy));
        result.map_err(|payload| self.panic.set(Some(payload))).ok()
    }
}

/// Gives the run up. Who goes on is then only who returns next.
#[cold]
fn give_up(kernel: &mut Kernel) -> Option<TaskId> {
    kernel.abandon();
    let next = kernel.next_task();
    let Next::Forced(task) = next else { return None };
    kernel.choose_task(task, next);
    Some(task)
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

    fn skips_forced(&self) -> bool {
        !self.sees_steps.get()
    }

    fn switch(&self) {
        let me = self.inner.get();
        loop {
            let chosen = self.chosen.take();
            match chosen.map(|task| task.0 as usize) {
                Some(task) if task == me => return,
                Some(task) if let Some(worker) = self.resumable(task) => {
                    self.resume(task, &worker);
                    self.inner.set(me);
                }
                _ => {
                    self.chosen.set(chosen);
                    // Whoever resumes it does so because it has been chosen.
                    return suspend();
                }
            }
        }
    }

    // Decided here, whoever resumed the task resumes the next one, and need not go back to the loop first.
    fn finished(&self, kernel: &mut Kernel) {
        self.chosen.set(self.decide(kernel));
    }

    fn spawn(&self, _: TaskId, body: Box<dyn FnOnce() + Send>) {
        self.unborn.push(body);
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
