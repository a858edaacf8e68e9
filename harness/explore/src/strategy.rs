//! Strategies: what makes the choices.

mod dfs;
mod pct;
mod random;
mod replay;

pub use dfs::{After, Bounds, Dfs, Exhausted};
pub use pct::Pct;
pub use random::{Policy, Random, Sampling};
pub use replay::{FollowOrder, Replay};
