//! Strategies: what makes the choices.

mod census;
mod dfs;
mod dpor;
mod follow;
mod greybox;
mod pct;
mod portfolio;
mod pos;
mod random;
mod replay;
mod surw;
mod urw;

pub use dfs::{After, Bounds, Dfs, Exhausted};
#[doc(hidden)]
pub use dpor::Sabotage;
pub use dpor::{Dpor, Explored, Limits, Progress};
pub(crate) use dpor::{Flip, Op, Place, flips, ran};
pub(crate) use follow::{Delay, Drawn, Follow, Noting};
pub use greybox::{Features, Greybox, Seen};
pub use pct::Pct;
pub use portfolio::{Member, Portfolio};
pub use pos::Pos;
pub(crate) use random::Rng;
pub use random::{Policy, Random, Sampling};
pub use replay::{FollowOrder, Replay};
pub use surw::Surw;
pub use urw::Urw;
