//! Strategies: what makes the choices.

mod dfs;
mod dpor;
mod replay;

pub use dfs::{Bounds, Dfs, Exhausted};
#[doc(hidden)]
pub use dpor::Sabotage;
pub use dpor::{Dpor, Explored, Limits, Progress};
pub use replay::{FollowOrder, Replay};
