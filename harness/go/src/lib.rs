//! Go's primitives on the kernel, with Go's exact messages.
//!
//! Every primitive is a small state machine behind a handle that can be copied into any goroutine.
//! Methods are named as in Go. What blocks in Go is an operation whose guard is false; what is not
//! deterministic in Go is either the order of operations or a choice of the kernel. Sources are named
//! as of Go 1.26.
//!
//! Locks are explicit, as in Go: there are no guards that unlock when dropped. A `Drop` that performs
//! an operation would run it while a finished run is being taken down.

#![forbid(unsafe_code)]

pub mod atomic;
mod chan;
mod cond;
pub mod context;
mod edges;
pub mod errgroup;
mod goroutine;
pub mod map;
mod mutex;
mod once;
mod panics;
mod rwmutex;
mod select;
mod sync_map;
pub mod time;
mod wait_group;

pub use chan::Chan;
pub use cond::{Cond, Locker, RLocker};
pub use edges::Edges;
pub use goroutine::go;
pub use mutex::Mutex;
pub use once::{Once, OnceFunc, OnceValue};
pub use panics::{Defers, GoPanic, Nilable, panic, recover, with_defers};
pub use rwmutex::RWMutex;
pub use select::Select;
pub use sync_map::SyncMap;
pub use wait_group::WaitGroup;
