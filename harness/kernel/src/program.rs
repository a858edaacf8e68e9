//! Programs, and what runs them.

use crate::kernel::{Classify, Kernel, Outcome, RunConfig};
use crate::{Finding, Point, TaskId};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A concurrent program: the body of its main task, to be run any number of times.
#[derive(Clone)]
pub struct Program {
    body: Arc<dyn Fn() + Send + Sync>,
    classify: Classify,
}

impl Program {
    /// A program whose main task runs `body`.
    pub fn new(body: impl Fn() + Send + Sync + 'static) -> Self {
        Program { body: Arc::new(body), classify: |_| None }
    }

    /// Names the oracle that a finding speaks for, where the finding itself does not.
    pub fn classified_by(mut self, classify: fn(&Finding) -> Option<&'static str>) -> Self {
        self.classify = classify;
        self
    }

    /// Runs the body, as the main task. For engines.
    pub fn run_body(&self) {
        (self.body)();
    }

    /// A kernel for one run of this program. For engines.
    pub fn kernel(&self, config: RunConfig) -> Kernel {
        Kernel::new(config, self.classify)
    }

    /// Makes a kernel that has ended a run one for a run of this program. For engines.
    pub fn renew(&self, kernel: &mut Kernel, config: RunConfig) {
        kernel.renew(config, self.classify);
    }
}

/// Runs programs: it gives tasks their stacks, switches between them, and asks a strategy whenever
/// there is a choice.
pub trait Engine {
    /// The engine's name.
    fn name(&self) -> &'static str;

    /// Runs the program again and again, for as long as the strategy begins another run.
    fn explore(&self, program: &Program, config: RunConfig, strategy: Rc<RefCell<dyn Strategy>>);
}

/// Makes the choices of one run after another.
pub trait Strategy: 'static {
    /// Begins a run; false if there is none left to do.
    fn begin(&mut self) -> bool;

    /// Chooses an alternative, below [`Point::alternatives`]; nothing to give the run up.
    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32>;

    /// True if the strategy must be told of every step of the run that has begun: see [`Strategy::runs`]. It
    /// costs time, since then a task that is alone publishes what it does as well.
    fn sees_steps(&self) -> bool {
        false
    }

    /// `task` is about to run the operation that it has [published](Kernel::published), by choice or because
    /// nobody else could go on. Called only by engines that schedule, and only if the strategy
    /// [sees steps](Strategy::sees_steps).
    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        let _ = (kernel, task);
    }

    /// Takes what the run has shown.
    fn end(&mut self, outcome: Outcome);
}
