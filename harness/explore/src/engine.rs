//! Engines: what gives tasks their stacks and switches between them.

mod fast;
mod loom;
mod shuttle;
mod threads;

#[doc(hidden)]
pub use self::loom::LoomSabotage;
pub use self::loom::{DoesNotFit, LoomEngine, LoomExplored};
pub use self::shuttle::{ShuttleEngine, ShuttlePolicy};
pub use fast::{FastEngine, FastPolicy};
pub use threads::ThreadEngine;

use bohr_kernel::{Kernel, Program, RunConfig, Strategy, TaskId, run_task, spawn_clock};

/// Keeps panics of scenario code quiet, for engines that set no panic hook themselves.
fn quiet_once() {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(bohr_kernel::quiet_panics);
}

/// Tells a strategy of a task's next step, if it is one: beginning and ending a task is none.
fn tell<S: Strategy + ?Sized>(strategy: &mut S, kernel: &Kernel, task: TaskId) {
    if !kernel.stopping() && kernel.published(task).is_some() {
        strategy.runs(kernel, task);
    }
}

/// The main task of a run: it starts the clock that eager time needs, and runs the program's body.
fn run_main(program: &Program, config: RunConfig) {
    run_task(TaskId::MAIN, || {
        if config.eager_time {
            spawn_clock();
        }
        program.run_body();
    });
}
