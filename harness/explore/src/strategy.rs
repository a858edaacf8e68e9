//! Strategies: what makes the choices.

mod dfs;
mod replay;

pub use dfs::{After, Bounds, Dfs, Exhausted};
pub use replay::{FollowOrder, Replay};
