//! The verdict of one variant on one workload, and whether it is the expected one.

use crate::campaign::{Budget, Found, Hardness, Shown, campaign, name_of};
use crate::driver::Driver;
use crate::search::search;
use crate::strategy::Bounds;
use bohr_kernel::scenario::{AnyScenario, Expected};
use bohr_kernel::{Outcome, Program, RunConfig};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How much to do for a verdict.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Randomized drivers to measure how hard a failure is to find.
    pub drivers: Vec<Driver>,
    /// Seeds for each of them, counted up from `seed`.
    pub seeds: u64,
    /// The first seed.
    pub seed: u64,
    /// The most schedules of one campaign.
    pub schedules: u64,
    /// The most runs of one exhaustive search; 0 to do none.
    pub search_runs: u64,
    /// When to end, whatever is left to do.
    pub until: Option<Instant>,
    /// Set to end early.
    pub stop: Arc<AtomicBool>,
}

/// How much of all schedules a verdict rests on.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Every schedule, up to the order of operations that commute.
    Exhausted {
        /// Runs to their end.
        schedules: u64,
    },
    /// Every schedule with at most so many preemptions, and the sampled ones.
    Bounded {
        /// The bound.
        preemptions: u32,
        /// Runs to their end.
        schedules: u64,
    },
    /// Only the sampled ones.
    Sampled {
        /// Their number.
        schedules: u64,
    },
}

/// The verdict of one variant on one workload.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The variant.
    pub variant: String,
    /// The workload.
    pub workload: String,
    /// What was expected, if anything is stated.
    pub expected: Option<Expected>,
    /// The oracles that were violated, each with its first finding.
    pub violated: BTreeMap<String, Found>,
    /// What the verdict rests on.
    pub coverage: Coverage,
    /// How hard the failure was to find, for each driver.
    pub hardness: Vec<Hardness>,
    /// True if nothing ended the work early.
    pub complete: bool,
}

/// Finds the verdict of a variant on a workload.
///
/// # Errors
/// If the scenario does not know the variant or the workload.
pub fn judge(
    scenario: &dyn AnyScenario,
    variant: &str,
    workload: &str,
    effort: &Effort,
) -> Result<Cell, String> {
    let program = scenario.program(variant, workload)?;
    let expected = scenario.expected(variant, workload);
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let mut violated = BTreeMap::new();
    let mut sampled = 0;
    let named = named(expected.as_ref());
    let mut hardness = Vec::new();
    for &driver in &effort.drivers {
        // Where no failure is expected and the search can tell, sampling adds nothing.
        if effort.search_runs > 0 && named.is_empty() {
            break;
        }
        let shown = sample(driver, &program, config, effort, &named);
        for s in &shown {
            sampled += s.schedules;
            s.found.iter().for_each(|f| keep(&mut violated, f.clone()));
        }
        hardness.push(Hardness::of(driver, &shown));
    }
    let mut coverage = Coverage::Sampled { schedules: sampled };
    for preemptions in [None, Some(bound(expected.as_ref()))] {
        if effort.search_runs == 0 || over(effort) {
            break;
        }
        let (all, schedules) = exhaust(&program, config, preemptions, effort, &mut violated);
        match (all, preemptions) {
            (true, None) => {
                coverage = Coverage::Exhausted { schedules };
                break;
            }
            (true, Some(preemptions)) => coverage = Coverage::Bounded { preemptions, schedules },
            (false, _) => {
                if let Coverage::Sampled { schedules: before } = &mut coverage {
                    *before += schedules;
                }
            }
        }
    }
    let complete = !over(effort);
    let (variant, workload) = (variant.to_owned(), workload.to_owned());
    Ok(Cell { variant, workload, expected, violated, coverage, hardness, complete })
}

impl Cell {
    /// The oracles that were violated.
    pub fn oracles(&self) -> BTreeSet<&str> {
        self.violated.keys().map(String::as_str).collect()
    }

    /// What is not as expected, in words; nothing if all is.
    pub fn surprise(&self) -> Option<String> {
        let violated = self.oracles();
        let list = |ids: Vec<&str>| ids.join(", ");
        if violated.contains("scenario-bug") {
            let text = &self.violated["scenario-bug"].finding.text;
            return Some(format!("the scenario's own code failed: {text}"));
        }
        let named: BTreeSet<&str> = match &self.expected {
            None => return None,
            Some(Expected::Holds) => BTreeSet::new(),
            Some(Expected::Fails(violations)) => violations.iter().map(|v| v.oracle).collect(),
        };
        let extra: Vec<_> = violated.difference(&named).copied().collect();
        let missed: Vec<_> = named.difference(&violated).copied().collect();
        match (extra.is_empty(), missed.is_empty()) {
            (true, true) => None,
            (false, _) => Some(format!("violates {}, which was not expected", list(extra))),
            (true, false) => Some(format!("was to violate {} and did not", list(missed))),
        }
    }
}

fn named(expected: Option<&Expected>) -> Vec<String> {
    match expected {
        Some(Expected::Fails(violations)) => violations.iter().map(|v| v.oracle.to_owned()).collect(),
        Some(Expected::Holds) | None => Vec::new(),
    }
}

/// The preemption bound within which everything that is expected shows, and at least 2.
fn bound(expected: Option<&Expected>) -> u32 {
    let stated = match expected {
        Some(Expected::Fails(violations)) => violations.iter().filter_map(|v| v.preemptions).max(),
        Some(Expected::Holds) | None => None,
    };
    stated.unwrap_or(2).max(2)
}

fn over(effort: &Effort) -> bool {
    effort.stop.load(Ordering::Relaxed) || effort.until.is_some_and(|at| Instant::now() >= at)
}

fn keep(violated: &mut BTreeMap<String, Found>, found: Found) {
    violated.entry(name_of(&found.finding)).or_insert(found);
}

fn sample(
    driver: Driver,
    program: &Program,
    config: RunConfig,
    effort: &Effort,
    named: &[String],
) -> Vec<Shown> {
    let budget = Budget {
        schedules: effort.schedules,
        until: effort.until,
        oracles: Some(named.to_vec()),
        stop: effort.stop.clone(),
    };
    let seeds = effort.seed..effort.seed + effort.seeds;
    seeds.map(|seed| campaign(driver, program, config, seed, &budget)).collect()
}

fn exhaust(
    program: &Program,
    config: RunConfig,
    preemptions: Option<u32>,
    effort: &Effort,
    violated: &mut BTreeMap<String, Found>,
) -> (bool, u64) {
    let found: Rc<RefCell<BTreeMap<String, Found>>> = Rc::default();
    let bounds = Bounds { preemptions, runs: Some(effort.search_runs), cache: true };
    let sink = {
        let (found, effort) = (found.clone(), effort.clone());
        let mut schedule = 0;
        move |outcome: Outcome| {
            schedule += 1;
            let mut found = found.borrow_mut();
            for finding in outcome.findings {
                let decisions = outcome.decisions.clone();
                keep(&mut found, Found { finding, decisions, schedule, times: 1 });
            }
            !over(&effort)
        }
    };
    let exhausted = search(program, config, bounds, sink);
    for found in found.take().into_values() {
        keep(violated, found);
    }
    (exhausted.all, exhausted.complete)
}
