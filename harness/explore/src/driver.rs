//! Drivers by name: what makes the choices of a campaign.

use crate::engine::{DoesNotFit, FastEngine, FastPolicy, LoomEngine, ThreadEngine};
use crate::search::{rerun_order, search};
use crate::strategy::{Bounds, Greybox, Member, Portfolio, Sampling};
use bohr_kernel::{Engine, Outcome, Program, RunConfig, Strategy};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

/// What makes the choices.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// Uniform random walk over the enabled tasks.
    Random,
    /// Probabilistic concurrency testing with bug depth 3 (Burckhardt et al., ASPLOS 2010).
    Pct,
    /// Uniform random walk weighted by how many operations each task has left (Zhao et al., ASPLOS 2025).
    Urw,
    /// Partial order sampling (Yuan et al., CAV 2018).
    Pos,
    /// Selectively uniform random walk (Zhao et al., ASPLOS 2025).
    Surw,
    /// All of the above in turn, one schedule each.
    Portfolio,
    /// Plain depth-first search over all schedules.
    Dfs,
    /// OS threads that nobody schedules.
    Stress,
    /// Every schedule, as loom finds them: a second opinion on small programs.
    Loom,
    /// Greybox fuzzing guided by which write each operation read from (Wolff et al., ASPLOS 2024).
    Greybox,
}

/// The drivers that draw schedules at random, without the one that is made of the others.
pub const RANDOMIZED: [Driver; 5] = [Driver::Random, Driver::Pct, Driver::Urw, Driver::Pos, Driver::Surw];

const NAMES: [(Driver, &str); 10] = [
    (Driver::Random, "random"),
    (Driver::Pct, "pct"),
    (Driver::Urw, "urw"),
    (Driver::Pos, "pos"),
    (Driver::Surw, "surw"),
    (Driver::Portfolio, "portfolio"),
    (Driver::Dfs, "dfs"),
    (Driver::Stress, "stress"),
    (Driver::Loom, "loom"),
    (Driver::Greybox, "greybox"),
];

impl Driver {
    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(_, name)| *name)
    }

    /// False if it does the same, or whatever it likes, from every seed.
    pub fn has_seeds(self) -> bool {
        !matches!(self, Driver::Dfs | Driver::Stress | Driver::Loom)
    }

    /// Which driver makes the schedule with this number, counted from 1: for a portfolio one of its
    /// members.
    pub fn turn(self, schedule: u64) -> Driver {
        if self != Driver::Portfolio {
            return self;
        }
        match Portfolio::turn(schedule) {
            Member::Random => Driver::Random,
            Member::Pct => Driver::Pct,
            Member::Urw => Driver::Urw,
            Member::Pos => Driver::Pos,
            Member::Surw => Driver::Surw,
        }
    }

    /// Runs the program up to `schedules` times, from `seed`, until `sink` says that it has had enough.
    /// The decisions of every outcome are a schedule that an engine which schedules can do again. True if every
    /// schedule has been covered, which only `dfs` and `loom` can tell.
    ///
    /// # Errors
    /// If `loom` cannot run the program.
    pub fn explore(
        self,
        program: &Program,
        config: RunConfig,
        seed: u64,
        schedules: u64,
        sink: impl FnMut(Outcome) -> bool + 'static,
    ) -> Result<bool, DoesNotFit> {
        let fast = |policy, sink: Sink| {
            FastEngine.explore_with(program, config, policy, seed, schedules, sink);
        };
        match self {
            Driver::Random => fast(FastPolicy::Random, Box::new(sink)),
            Driver::Pct => fast(FastPolicy::Pct { depth: 3 }, Box::new(sink)),
            Driver::Urw => fast(FastPolicy::Urw, Box::new(sink)),
            Driver::Pos => fast(FastPolicy::Pos, Box::new(sink)),
            Driver::Surw => fast(FastPolicy::Surw, Box::new(sink)),
            Driver::Portfolio => fast(FastPolicy::Portfolio, Box::new(sink)),
            Driver::Dfs => {
                let bounds = Bounds { runs: Some(schedules), ..Bounds::default() };
                return Ok(search(program, config, bounds, sink).all);
            }
            Driver::Loom => {
                return Ok(LoomEngine.explore(program, config, Some(schedules), sink)?.all);
            }
            Driver::Stress => {
                let stress = Stress { program: program.clone(), config, left: schedules, sink };
                ThreadEngine.explore(program, config, Rc::new(RefCell::new(stress)));
            }
            Driver::Greybox => {
                let sampling = Sampling::new(Greybox::new(seed), schedules, sink);
                FastEngine.explore_by(program, config, sampling);
            }
        }
        Ok(false)
    }
}

type Sink = Box<dyn FnMut(Outcome) -> bool>;

struct Stress<F> {
    program: Program,
    config: RunConfig,
    left: u64,
    sink: F,
}

impl<F: FnMut(Outcome) -> bool + 'static> Strategy for Stress<F> {
    fn begin(&mut self) -> bool {
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }

    fn choose(&mut self, _: &bohr_kernel::Kernel, _: &bohr_kernel::Point<'_>) -> Option<u32> {
        None
    }

    fn end(&mut self, outcome: Outcome) {
        let outcome = if outcome.findings.is_empty() {
            outcome
        } else {
            // The order in which the threads got through is a schedule: make it one with choices.
            rerun_order(&self.program, self.config, &outcome).unwrap_or(outcome)
        };
        if !(self.sink)(outcome) {
            self.left = 0;
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name) = NAMES.iter().find(|(driver, _)| driver == self).expect("every driver has a name");
        f.pad(name)
    }
}

impl FromStr for Driver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        let names: Vec<_> = Driver::names().collect();
        found
            .map(|(driver, _)| *driver)
            .ok_or_else(|| format!("no driver is called {text:?}; there are {}", names.join(", ")))
    }
}
