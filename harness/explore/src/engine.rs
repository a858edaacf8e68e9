//! Engines: what gives tasks their stacks and switches between them.

mod shuttle;
mod threads;

pub use self::shuttle::{ShuttleEngine, ShuttlePolicy};
pub use threads::ThreadEngine;
