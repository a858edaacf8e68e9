//! The engine on shuttle: a task is a shuttle thread, and an operation of a shuttle atomic is where
//! it stops. Shuttle never sees a blocked task; its schedulers are asked to choose among the tasks
//! whose published operation is enabled.

use bohr_kernel::{
    Engine, Host, Kernel, Next, Outcome, Point, Program, RunConfig, Runs, Strategy, TaskId, conclude,
    quiet_panics, with_kernel,
};
use shuttle::scheduler::{
    PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId as ShuttleId, UrwRandomScheduler,
};
use shuttle::sync::atomic::{AtomicBool, Ordering};
use smallvec::SmallVec;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Once;

/// Runs programs on shuttle's threads.
#[derive(Copy, Clone, Debug, Default)]
pub struct ShuttleEngine;

/// One of shuttle's own schedulers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ShuttlePolicy {
    /// Uniform random walk.
    Random,
    /// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010) with this bug depth.
    Pct {
        /// The number of ordering constraints that the bug needs, one less than the priority changes.
        depth: usize,
    },
    /// Uniform random walk weighted by how many events each task has left.
    Urw,
}

impl Engine for ShuttleEngine {
    fn name(&self) -> &'static str {
        "shuttle"
    }

    fn explore(&self, program: &Program, config: RunConfig, strategy: Rc<RefCell<dyn Strategy>>) {
        let policy = Policy::Own(strategy.clone());
        run(program, config, policy, true, Box::new(AskStrategy(strategy)));
    }
}

impl ShuttleEngine {
    /// Explores with one of shuttle's schedulers, from `seed`, until `sink` has had enough or
    /// `schedules` have run.
    pub fn explore_with(
        &self,
        program: &Program,
        config: RunConfig,
        policy: ShuttlePolicy,
        seed: u64,
        schedules: usize,
        sink: impl FnMut(Outcome) -> bool + 'static,
    ) {
        let scheduler: Box<dyn Scheduler> = match policy {
            ShuttlePolicy::Random => Box::new(RandomScheduler::new_from_seed(seed, schedules)),
            ShuttlePolicy::Pct { depth } => Box::new(PctScheduler::new_from_seed(seed, depth, schedules)),
            ShuttlePolicy::Urw => Box::new(UrwRandomScheduler::new_from_seed(seed, schedules)),
        };
        let scheduler = Rc::new(RefCell::new(scheduler));
        // PCT fails an assertion if its first run had no choice; then there is nothing to explore.
        let feed = AskShuttle {
            scheduler: scheduler.clone(),
            sink: Box::new(sink),
            done: false,
            runs: 0,
            needs_choices: matches!(policy, ShuttlePolicy::Pct { .. }),
            any_choice: false,
            must_exhaust: policy == ShuttlePolicy::Random,
        };
        run(program, config, Policy::Shuttle(scheduler), policy != ShuttlePolicy::Urw, Box::new(feed));
    }
}

/// What decides between one run and the next.
trait Feed {
    fn begin(&mut self) -> bool;
    fn end(&mut self, outcome: Outcome);
}

struct AskStrategy(Rc<RefCell<dyn Strategy>>);

impl Feed for AskStrategy {
    fn begin(&mut self) -> bool {
        self.0.borrow_mut().begin()
    }
    fn end(&mut self, outcome: Outcome) {
        self.0.borrow_mut().end(outcome);
    }
}

struct AskShuttle {
    scheduler: Rc<RefCell<Box<dyn Scheduler>>>,
    sink: Box<dyn FnMut(Outcome) -> bool>,
    done: bool,
    runs: usize,
    needs_choices: bool,
    any_choice: bool,
    must_exhaust: bool,
}

impl Feed for AskShuttle {
    fn begin(&mut self) -> bool {
        let stuck = self.needs_choices && self.runs > 0 && !self.any_choice;
        if self.done || stuck {
            // Shuttle's random scheduler prints its seed when it is dropped before its last run.
            while self.must_exhaust && self.scheduler.borrow_mut().new_execution().is_some() {}
            return false;
        }
        self.runs += 1;
        self.scheduler.borrow_mut().new_execution().is_some()
    }

    fn end(&mut self, outcome: Outcome) {
        self.any_choice |= !outcome.decisions.is_empty();
        self.done |= !(self.sink)(outcome);
    }
}

#[derive(Clone)]
enum Policy {
    Own(Rc<RefCell<dyn Strategy>>),
    Shuttle(Rc<RefCell<Box<dyn Scheduler>>>),
}

fn run(program: &Program, config: RunConfig, policy: Policy, skip_forced: bool, feed: Box<dyn Feed>) {
    quiet_once();
    let mut shuttle_config = shuttle::Config::new();
    shuttle_config.failure_persistence = shuttle::FailurePersistence::None;
    shuttle_config.max_steps = shuttle::MaxSteps::None;
    shuttle_config.silence_warnings = true;
    shuttle_config.stack_size = STACK_BYTES;
    let bridge = Bridge { program: program.clone(), config, policy, feed, skip_forced, run: None };
    let main = program.clone();
    shuttle::Runner::new(bridge, shuttle_config).run(move || super::run_main(&main, config));
}

/// Debug builds of scenario code with formatting need more than shuttle's 60 KiB.
const STACK_BYTES: usize = 256 * 1024;

/// Shuttle sets a panic hook in its first execution; ours has to come after it.
fn quiet_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = shuttle::Config::new();
        config.failure_persistence = shuttle::FailurePersistence::None;
        let once = shuttle::scheduler::RoundRobinScheduler::new(1);
        shuttle::Runner::new(once, config).run(|| {});
        quiet_panics();
    });
}

struct Bridge {
    program: Program,
    config: RunConfig,
    policy: Policy,
    feed: Box<dyn Feed>,
    /// Do not ask where a task just goes on. Shuttle's URW counts these too, and some strategies watch.
    skip_forced: bool,
    /// The run that is going on.
    run: Option<Runs>,
}

impl Scheduler for Bridge {
    fn new_execution(&mut self) -> Option<Schedule> {
        if let Some(_run) = self.run.take() {
            self.feed.end(conclude());
        }
        if !self.feed.begin() {
            return None;
        }
        let sees_steps = matches!(&self.policy, Policy::Own(strategy) if strategy.borrow().sees_steps());
        let host = ShuttleHost {
            point: AtomicBool::new(false),
            policy: self.policy.clone(),
            skip_forced: self.skip_forced && !sees_steps,
        };
        let run = Runs::new(self.program.kernel(self.config), Rc::new(host));
        run.enter();
        self.run = Some(run);
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<ShuttleId>,
        yielding: bool,
    ) -> Option<ShuttleId> {
        with_kernel(|kernel| {
            // A thread whose task has returned only has to leave.
            let leaving = current.filter(|id| kernel.finished(ours(*id)));
            if let Some(id) = leaving.filter(|id| runnable.iter().any(|t| t.id() == *id)) {
                return Some(id);
            }
            let next = kernel.next_task();
            let chosen = match (&next, &self.policy) {
                (Next::Forced(task), Policy::Own(_)) => *task,
                (Next::Choice, Policy::Own(strategy)) => {
                    let point = kernel.point();
                    match strategy.borrow_mut().choose(kernel, &point) {
                        Some(choice) => point.task(choice),
                        None => {
                            kernel.abandon();
                            let Next::Forced(task) = kernel.next_task() else { return None };
                            kernel.choose_task(task, Next::Forced(task));
                            return Some(ShuttleId::from(task.0 as usize));
                        }
                    }
                }
                (Next::Over, _) => return None,
                (Next::Forced(task), Policy::Shuttle(scheduler)) => {
                    let only = runnable.iter().find(|t| ours(t.id()) == *task)?;
                    ours(scheduler.borrow_mut().next_task(&[only], current, yielding)?)
                }
                (Next::Choice, Policy::Shuttle(scheduler)) => {
                    let Point::Task { enabled, .. } = kernel.point() else { return None };
                    let is_enabled = |t: &&&Task| enabled.contains(&ours(t.id()));
                    let offered: SmallVec<[&Task; 8]> = runnable.iter().filter(is_enabled).copied().collect();
                    ours(scheduler.borrow_mut().next_task(&offered, current, yielding)?)
                }
            };
            if let Policy::Own(strategy) = &self.policy
                && strategy.borrow().sees_steps()
            {
                super::tell(&mut *strategy.borrow_mut(), kernel, chosen);
            }
            kernel.choose_task(chosen, next);
            Some(ShuttleId::from(chosen.0 as usize))
        })
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Shuttle numbers its threads as the kernel numbers its tasks: by when they were spawned.
fn ours(id: ShuttleId) -> TaskId {
    TaskId(usize::from(id) as u32)
}

struct ShuttleHost {
    point: AtomicBool,
    policy: Policy,
    skip_forced: bool,
}

impl Host for ShuttleHost {
    fn goes_on(&self, kernel: &mut Kernel) -> bool {
        self.skip_forced && kernel.stay_if_forced()
    }

    fn skips_forced(&self) -> bool {
        self.skip_forced
    }

    fn switch(&self) {
        // Not `yield_now`: schedulers such as PCT treat that as a hint.
        self.point.load(Ordering::SeqCst);
    }

    fn spawn(&self, _: TaskId, body: Box<dyn FnOnce() + Send>) {
        // An execution lasts until every thread has ended, joined or not.
        drop(shuttle::thread::spawn(body));
    }

    fn choose(&self, of: u32) -> u32 {
        match &self.policy {
            Policy::Shuttle(scheduler) => (scheduler.borrow_mut().next_u64() % u64::from(of)) as u32,
            Policy::Own(strategy) => with_kernel(|kernel| {
                let choice = strategy.borrow_mut().choose(kernel, &Point::Value { of });
                choice.unwrap_or_else(|| {
                    kernel.abandon();
                    0
                })
            }),
        }
    }
}
