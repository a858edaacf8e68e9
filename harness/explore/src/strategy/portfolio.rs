//! Several policies that take turns.

use super::random::{Policy, Random};
use super::{Pct, Pos, Surw, Urw};
use bohr_kernel::{Kernel, Outcome, Point, TaskId};

/// The members run one schedule each, in turn (a portfolio of algorithms: Huberman, Lukose & Hogg, "An economics
/// approach to hard computational problems", Science 1997). Which of them suits a bug is not known before, and
/// until the first failure nothing tells. So a bug takes at most as many times more schedules than with the
/// best member alone as there are members; and no other rule can promise less, since the member that it lets run
/// least may be the only one that finds the bug.
#[derive(Clone, Debug)]
pub struct Portfolio {
    random: Random,
    pct: Pct,
    urw: Urw,
    pos: Pos,
    surw: Surw,
    runs: u64,
    turn: Member,
}

/// A member of a [`Portfolio`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// [`Random`].
    Random,
    /// [`Pct`] with bug depth 3.
    Pct,
    /// [`Urw`].
    Urw,
    /// [`Pos`].
    Pos,
    /// [`Surw`].
    Surw,
}

/// In the order of their turns.
const MEMBERS: [Member; 5] = [Member::Random, Member::Pos, Member::Surw, Member::Pct, Member::Urw];

impl Portfolio {
    /// The schedules of a seed. A member's are those that it makes alone.
    pub fn new(seed: u64) -> Self {
        Portfolio {
            random: Random::new(seed),
            pct: Pct::new(seed, 3),
            urw: Urw::new(seed),
            pos: Pos::new(seed),
            surw: Surw::new(seed),
            runs: 0,
            turn: MEMBERS[0],
        }
    }

    /// Whose turn the schedule with this number is, counted from 1.
    pub fn turn(schedule: u64) -> Member {
        MEMBERS[(schedule.saturating_sub(1) % MEMBERS.len() as u64) as usize]
    }
}

/// Calls a method of the member whose turn it is: a match and no virtual call, since it is done for every choice.
macro_rules! member {
    ($portfolio:ident.$method:ident($($argument:expr),*)) => {
        match $portfolio.turn {
            Member::Random => $portfolio.random.$method($($argument),*),
            Member::Pct => $portfolio.pct.$method($($argument),*),
            Member::Urw => $portfolio.urw.$method($($argument),*),
            Member::Pos => $portfolio.pos.$method($($argument),*),
            Member::Surw => $portfolio.surw.$method($($argument),*),
        }
    };
}

impl Policy for Portfolio {
    fn begin(&mut self) {
        self.runs += 1;
        self.turn = Portfolio::turn(self.runs);
        member!(self.begin());
    }

    fn sees_steps(&self) -> bool {
        member!(self.sees_steps())
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        member!(self.runs(kernel, task));
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> u32 {
        member!(self.choose(kernel, point))
    }

    fn end(&mut self, outcome: &Outcome) {
        member!(self.end(outcome));
    }
}
