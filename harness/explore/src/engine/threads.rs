//! The engine on OS threads: nobody schedules, as in a stress test. It is here for comparison, and
//! what it finds is still a schedule: the order in which the threads got through.

use bohr_kernel::{Engine, Host, Kernel, Program, RunConfig, Runs, SharedKernel, Strategy, TaskId, conclude};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Runs every task on an OS thread of its own.
///
/// The strategy is asked to begin and end runs and to draw values, never which task goes on.
#[derive(Copy, Clone, Debug, Default)]
pub struct ThreadEngine;

impl Engine for ThreadEngine {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn explore(&self, program: &Program, config: RunConfig, strategy: Rc<RefCell<dyn Strategy>>) {
        super::quiet_once();
        let mut draws = 0x9e37_79b9_7f4a_7c15;
        while strategy.borrow_mut().begin() {
            draws = step(draws);
            let shared = SharedKernel::new(program.kernel(config));
            let threads =
                Arc::new(Threads { running: Mutex::new(Vec::new()), shared, draws: Mutex::new(draws) });
            let main = program.clone();
            threads.start(TaskId::MAIN, Box::new(move || super::run_main(&main, config)));
            while let Some(thread) = threads.pop() {
                let _ = thread.join();
            }
            let Threads { shared, .. } = Arc::into_inner(threads).expect("every thread of the run has ended");
            // The oracles at rest run here, where no other thread is left.
            let rest = Runs::new(shared.into_kernel(), Rc::new(NoHost));
            rest.enter();
            strategy.borrow_mut().end(conclude());
        }
    }
}

struct Threads {
    running: Mutex<Vec<JoinHandle<()>>>,
    shared: Arc<SharedKernel>,
    draws: Mutex<u64>,
}

impl Threads {
    fn start(self: &Arc<Self>, task: TaskId, body: Box<dyn FnOnce() + Send>) {
        let threads = Arc::clone(self);
        let thread = std::thread::spawn(move || {
            threads.shared.install(Rc::new(ThreadHost(Arc::clone(&threads))), task);
            body();
            SharedKernel::uninstall();
        });
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }

    fn pop(&self) -> Option<JoinHandle<()>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

struct ThreadHost(Arc<Threads>);

impl Host for ThreadHost {
    fn goes_on(&self, _: &mut Kernel) -> bool {
        true
    }

    fn switch(&self) {}

    fn spawn(&self, task: TaskId, body: Box<dyn FnOnce() + Send>) {
        self.0.start(task, body);
    }

    fn choose(&self, of: u32) -> u32 {
        let mut draws = self.0.draws.lock().unwrap_or_else(PoisonError::into_inner);
        *draws = step(*draws);
        ((*draws >> 33) % u64::from(of)) as u32
    }
}

/// The next number of an xorshift generator (Marsaglia, 2003): on real threads nothing is
/// reproducible anyway.
fn step(mut x: u64) -> u64 {
    x ^= x << 13;
    x ^= x >> 7;
    x ^ (x << 17)
}

struct NoHost;

impl Host for NoHost {
    fn goes_on(&self, _: &mut Kernel) -> bool {
        true
    }
    fn switch(&self) {}
    fn spawn(&self, _: TaskId, _: Box<dyn FnOnce() + Send>) {}
    fn choose(&self, _: u32) -> u32 {
        0
    }
}
