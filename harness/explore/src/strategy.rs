//! Strategies: what makes the choices.

mod dfs;
mod dpor;
mod follow;
mod pct;
mod random;
mod replay;

pub use dfs::{After, Bounds, Dfs, Exhausted};
#[doc(hidden)]
pub use dpor::Sabotage;
pub use dpor::{Dpor, Explored, Limits, Progress};
pub(crate) use dpor::{Flip, Op, Place, flips, ran};
pub(crate) use follow::{Delay, Drawn, Follow, Noting};
pub use pct::Pct;
pub use random::{Policy, Random, Sampling};
pub use replay::{FollowOrder, Replay};
