//! Engines: what gives tasks their stacks and switches between them.

mod fast;
mod shuttle;
mod threads;

pub use self::shuttle::{ShuttleEngine, ShuttlePolicy};
pub use fast::{FastEngine, FastPolicy};
pub use threads::ThreadEngine;

/// Keeps panics of scenario code quiet, for engines that set no panic hook themselves.
fn quiet_once() {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(bohr_kernel::quiet_panics);
}
