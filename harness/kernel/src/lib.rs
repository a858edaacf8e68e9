//! Guarded atomic operations: the one idea that everything else here follows from.
//!
//! A concurrent program is a set of *tasks* that touch the world only through *operations* on
//! *objects*. An operation has an object, an access, a guard and an action: it may run only when its
//! guard holds on the object's state, and then runs atomically. Before each operation the task
//! *publishes* what it is about to do and stops; that stop is the only scheduling point there is.
//!
//! So blocking is a task whose guard is false and which is therefore not offered to the scheduler; a
//! deadlock is a board with nothing enabled on it; a schedule is the list of choices made where more
//! than one operation was enabled; and an explorer knows what every task will do next, and what that
//! conflicts with, before it happens.
//!
//! ```
//! use bohr_kernel::{Access, Obj};
//!
//! /// A lock in a dozen lines: a flag, a guard and two actions.
//! #[derive(Copy, Clone)]
//! struct Lock(Obj<bool>);
//!
//! impl Lock {
//!     fn new() -> Self {
//!         Lock(Obj::create("lock", "l", false))
//!     }
//!     fn lock(&self) {
//!         self.0.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
//!     }
//!     fn unlock(&self) {
//!         self.0.op("unlock", Access::Write).run(|held, _| *held = false);
//!     }
//! }
//! ```
//!
//! This crate knows no Go, no POSIX and no engine. Engines implement [`Engine`]; the primitives of a
//! language are crates on top.

#![forbid(unsafe_code)]

mod clock;
mod finding;
mod history;
mod ids;
mod kept;
mod kernel;
mod log;
mod object;
mod program;
mod race;
pub mod scenario;
mod schedule;
mod session;
mod trace;
mod var;

pub use clock::Clock;
pub use finding::{BlockedTask, Detail, Finding, Kind, RaceAccess};
pub use history::{Call, History, Open, linearizable};
pub use ids::{Name, ObjectId, Site, TaskId};
pub use kernel::{Blocked, Classify, Kernel, Next, Outcome, Published, RunConfig};
pub use log::{Event, Footprint};
pub use object::{Access, Guard, Obj, Objects};
pub use program::{Engine, Program, Strategy};
pub use race::Shadow;
pub use schedule::{Decision, Point, choices_of};
pub use session::{
    Cx, Host, ModelPanic, MultiOp, Op, Runs, SharedKernel, add_deadline, aside, at_rest, blocked_tasks,
    choose, conclude, current_task, digest, join, knows, lane, now, observe, quiet_panics, raise, run_task,
    sleep_until, spawn, spawn_clock, violated, when_blocked, with_kernel,
};
pub use trace::{ObjectInfo, Step, TaskInfo, Trace, Undone};
pub use var::Var;
