//! How many schedules the drivers take to the first failure where it is hard to find, as JSON lines.
//!
//! ```sh
//! cargo run --release -p bohr-cli --example hardest            # the hardest variants, 20 seeds each
//! cargo run --release -p bohr-cli --example hardest -- missed  # what 2,000 schedules miss, over all variants
//! ```
//!
//! The hardest are the variants with the smallest share of failing schedules, each on the workload, out of its smallest
//! ones, on which it is smallest: three and one of each scenario under a random walk; and three under whichever of
//! random walk and PCT fails more often, since what needs few preemptions is hard for the one and easy for the other.
//! `greybox-blind` is the greybox driver without what is fed back and without constraints: what is left is its way
//! to choose among tasks.

use bohr_cli::scenarios;
use bohr_explore::campaign::name_of;
use bohr_explore::driver::Driver;
use bohr_explore::engine::FastEngine;
use bohr_explore::jobs::{default_jobs, run_all};
use bohr_explore::stats::median;
use bohr_explore::strategy::{Greybox, Sampling};
use bohr_kernel::scenario::{AnyScenario, Expected};
use bohr_kernel::{Outcome, Program, RunConfig};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::rc::Rc;

/// The most schedules from one seed, and of the random walk that tells how hard a variant is.
const CAP: u64 = 20_000;
const SEEDS: u64 = 20;
/// Shares are measured until so many schedules have failed.
const FAILING: u64 = 50;
/// For the misses, from one seed.
const MISSED_IN: u64 = 2_000;

#[derive(Copy, Clone)]
enum Way {
    Driver(Driver),
    Blind,
}

const WAYS: [Way; 8] = [
    Way::Driver(Driver::Random),
    Way::Driver(Driver::Pct),
    Way::Driver(Driver::Urw),
    Way::Driver(Driver::Pos),
    Way::Driver(Driver::Surw),
    Way::Driver(Driver::Portfolio),
    Way::Blind,
    Way::Driver(Driver::Greybox),
];

/// A failing variant on one of the smallest workloads.
struct Cell {
    scenario: &'static dyn AnyScenario,
    variant: &'static str,
    workload: String,
}

#[derive(Serialize)]
struct Line {
    scenario: &'static str,
    variant: &'static str,
    workload: String,
    driver: String,
    /// From how many seeds a failure was found.
    found: usize,
    seeds: u64,
    cap: u64,
    /// Schedules to the first failure: over the seeds that found one, and with those that did not counted as the
    /// cap, which is too low.
    mean: Option<f64>,
    mean_at_least: f64,
    median: Option<u64>,
    /// The share of failing schedules under a random walk and under PCT.
    random_share: f64,
    pct_share: f64,
}

#[derive(Serialize)]
struct Misses {
    driver: String,
    schedules: u64,
    /// Pairs of a workload and an oracle that is violated on it.
    expected: usize,
    missed: usize,
}

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => hardest(),
        Some("missed") => missed(),
        Some(other) => {
            Err(io::Error::other(format!("no mode is called {other:?}; there is missed, or none")))
        }
    }
}

fn hardest() -> io::Result<()> {
    let cells = cells();
    let shares = |cell: &Cell| [Driver::Random, Driver::Pct].map(|driver| share(cell, driver));
    let shares = run_all(&cells, default_jobs(), shares, |_, _| {});
    let cells: Vec<(&Cell, [f64; 2])> = cells.iter().zip(shares).collect();
    let mut hard = by_variant(&cells, |shares| shares[0]);
    let mut scenarios = BTreeSet::new();
    let mut place = 0;
    hard.retain(|(cell, _)| {
        place += 1;
        scenarios.insert(cell.scenario.info().name) || place <= 3
    });
    for (cell, shares) in by_variant(&cells, |shares| shares[0].max(shares[1])).into_iter().take(3) {
        if !hard.iter().any(|(known, _)| std::ptr::eq(*known, cell)) {
            hard.push((cell, shares));
        }
    }
    let work: Vec<_> = hard.iter().flat_map(|(cell, shares)| WAYS.map(|way| (*cell, *shares, way))).collect();
    let lines = run_all(&work, default_jobs(), |(cell, shares, way)| line(cell, *way, *shares), |_, _| {});
    lines.iter().try_for_each(print)
}

/// The hardest workload of each variant, the hardest variant first.
fn by_variant<'c>(cells: &[(&'c Cell, [f64; 2])], share: fn(&[f64; 2]) -> f64) -> Vec<(&'c Cell, [f64; 2])> {
    let mut hard = cells.to_vec();
    hard.sort_by(|(_, a), (_, b)| share(a).total_cmp(&share(b)));
    let mut variants = BTreeSet::new();
    hard.retain(|(cell, _)| variants.insert((cell.scenario.info().name, cell.variant)));
    hard
}

fn line(cell: &Cell, way: Way, [random_share, pct_share]: [f64; 2]) -> Line {
    let firsts = (1..=SEEDS).filter_map(|seed| first_failure(&cell.program(), way, seed));
    let firsts: Vec<u64> = firsts.collect();
    let sum: u64 = firsts.iter().sum();
    let missing = SEEDS - firsts.len() as u64;
    Line {
        scenario: cell.scenario.info().name,
        variant: cell.variant,
        workload: cell.workload.clone(),
        driver: way.name(),
        found: firsts.len(),
        seeds: SEEDS,
        cap: CAP,
        mean: (!firsts.is_empty()).then(|| sum as f64 / firsts.len() as f64),
        mean_at_least: (sum + missing * CAP) as f64 / SEEDS as f64,
        median: median(&firsts),
        random_share,
        pct_share,
    }
}

fn missed() -> io::Result<()> {
    let cells = cells();
    for way in WAYS {
        let shown = run_all(&cells, default_jobs(), |cell| violated(&cell.program(), way), |_, _| {});
        let (mut expected, mut missed) = (0, 0);
        for (cell, violated) in cells.iter().zip(shown) {
            for oracle in cell.expected().iter().flat_map(Expected::oracles) {
                expected += 1;
                missed += usize::from(!violated.contains(oracle));
            }
        }
        print(&Misses { driver: way.name(), schedules: MISSED_IN, expected, missed })?;
    }
    Ok(())
}

fn cells() -> Vec<Cell> {
    let of = |scenario: &&'static dyn AnyScenario| {
        let scenario = *scenario;
        let workloads = scenario.classes().into_iter().filter(|class| class.smallest);
        let workloads: Vec<String> = workloads.map(|class| class.name).collect();
        let on = move |variant: &'static str| {
            let cell = move |workload| Cell { scenario, variant, workload };
            workloads
                .clone()
                .into_iter()
                .map(cell)
                .filter(|c| matches!(c.expected(), Some(Expected::Fails(_))))
        };
        scenario.variants().into_iter().flat_map(move |variant| on(variant.name).collect::<Vec<_>>())
    };
    scenarios::ALL.iter().flat_map(of).collect()
}

impl Cell {
    fn expected(&self) -> Option<Expected> {
        self.scenario.expected(self.variant, &self.workload)
    }

    fn program(&self) -> Program {
        self.scenario.program(self.variant, &self.workload).expect("it is made of what the scenario knows")
    }
}

impl Way {
    fn name(self) -> String {
        match self {
            Way::Driver(driver) => driver.to_string(),
            Way::Blind => "greybox-blind".to_owned(),
        }
    }

    fn explore(
        self,
        program: &Program,
        config: RunConfig,
        seed: u64,
        schedules: u64,
        sink: impl FnMut(Outcome) -> bool + 'static,
    ) {
        match self {
            Way::Driver(driver) => {
                driver
                    .explore(program, config, seed, schedules, sink)
                    .expect("it draws schedules of any program");
            }
            Way::Blind => {
                let sampling = Sampling::new(Greybox::blind(seed), schedules, sink);
                FastEngine.explore_by(program, config, sampling);
            }
        }
    }
}

/// The share of failing schedules.
fn share(cell: &Cell, driver: Driver) -> f64 {
    let runs = Rc::new(RefCell::new((0, 0)));
    let sink = {
        let runs = runs.clone();
        move |outcome: Outcome| {
            let mut runs = runs.borrow_mut();
            *runs = (runs.0 + 1, runs.1 + u64::from(!outcome.findings.is_empty()));
            runs.1 < FAILING
        }
    };
    let _ = driver.explore(&cell.program(), RunConfig::default(), 1, CAP, sink);
    let (schedules, failing) = *runs.borrow();
    failing as f64 / schedules as f64
}

/// The number of the first schedule that fails.
fn first_failure(program: &Program, way: Way, seed: u64) -> Option<u64> {
    let runs = Rc::new(RefCell::new((0, false)));
    let sink = {
        let runs = runs.clone();
        move |outcome: Outcome| {
            let failed = !outcome.findings.is_empty();
            let mut runs = runs.borrow_mut();
            *runs = (runs.0 + 1, failed);
            !failed
        }
    };
    way.explore(program, RunConfig::default(), seed, CAP, sink);
    let (schedules, failed) = *runs.borrow();
    failed.then_some(schedules)
}

/// The oracles that are violated.
fn violated(program: &Program, way: Way) -> BTreeSet<String> {
    let violated: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let sink = {
        let violated = violated.clone();
        move |outcome: Outcome| {
            violated.borrow_mut().extend(outcome.findings.iter().map(name_of));
            true
        }
    };
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    way.explore(program, config, 1, MISSED_IN, sink);
    violated.take()
}

fn print(line: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    writeln!(out)
}
