//! Several policies that take turns.

use super::random::{Policy, Random};
use super::{Pct, Pos, Surw, Urw};
use bohr_kernel::{Kernel, Point, TaskId};

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

/// Does something with the member whose turn it is: a match and no virtual call, since it is done for every choice.
macro_rules! member {
    ($portfolio:expr, $member:ident => $does:expr) => {
        match $portfolio.turn {
            Member::Random => {
                let $member = &mut $portfolio.random;
                $does
            }
            Member::Pct => {
                let $member = &mut $portfolio.pct;
                $does
            }
            Member::Urw => {
                let $member = &mut $portfolio.urw;
                $does
            }
            Member::Pos => {
                let $member = &mut $portfolio.pos;
                $does
            }
            Member::Surw => {
                let $member = &mut $portfolio.surw;
                $does
            }
        }
    };
}

impl Policy for Portfolio {
    fn begin(&mut self) {
        self.runs += 1;
        self.turn = Portfolio::turn(self.runs);
        member!(self, member => member.begin());
    }

    fn sees_steps(&self) -> bool {
        match self.turn {
            Member::Random => self.random.sees_steps(),
            Member::Pct => self.pct.sees_steps(),
            Member::Urw => self.urw.sees_steps(),
            Member::Pos => self.pos.sees_steps(),
            Member::Surw => self.surw.sees_steps(),
        }
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        member!(self, member => member.runs(kernel, task));
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> u32 {
        member!(self, member => member.choose(kernel, point))
    }
}
