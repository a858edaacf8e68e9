//! The verdict of one variant on one workload, and whether it is the expected one.

use crate::campaign::{Budget, Found, Hardness, Shown, campaign_watched, name_of};
use crate::driver::Driver;
use crate::engine::DoesNotFit;
use crate::search::{prove, search};
use crate::strategy::{Bounds, Limits};
use bohr_kernel::scenario::{AnyScenario, Expected, Violation};
use bohr_kernel::{Finding, Outcome, Program, RunConfig};
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
    /// Why there is no verdict: loom was to find it and cannot run the program.
    pub does_not_fit: Option<DoesNotFit>,
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
    judge_watched(scenario, variant, workload, effort, |_| {})
}

/// Finds the verdict of a variant on a workload and hands each distinct finding to `watch` the moment
/// it shows first.
///
/// # Errors
/// If the scenario does not know the variant or the workload.
pub fn judge_watched(
    scenario: &dyn AnyScenario,
    variant: &str,
    workload: &str,
    effort: &Effort,
    watch: impl FnMut(&Found) + 'static,
) -> Result<Cell, String> {
    let watcher = Rc::new(RefCell::new(Watcher { seen: Vec::new(), watch: Box::new(watch) }));
    let program = scenario.program(variant, workload)?;
    let expected = scenario.expected(variant, workload);
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let mut violated = BTreeMap::new();
    let mut sampled = 0;
    let named: Vec<String> = expected.iter().flat_map(Expected::oracles).map(str::to_owned).collect();
    let mut hardness = Vec::new();
    let mut coverage = None;
    let mut does_not_fit = None;
    let mut cut_off = false;
    // What a sample that shows nothing has not seen is told by the traces that it followed.
    let traced = RunConfig { identify: named.is_empty(), ..config };
    for &driver in &effort.drivers {
        // Where no failure is expected and the search can tell, sampling adds nothing; see below.
        if effort.search_runs > 0 && named.is_empty() {
            break;
        }
        let shown = sample(driver, &program, traced, effort, &named, &watcher);
        for s in &shown {
            sampled += s.schedules;
            s.found.iter().for_each(|f| keep(&mut violated, f.clone()));
            does_not_fit = does_not_fit.or(s.does_not_fit);
        }
        // Loom goes through schedules one by one and draws none.
        match &shown[..] {
            [shown] if driver == Driver::Loom => {
                coverage = shown.all.then_some(Coverage::Exhausted { schedules: shown.schedules });
                cut_off |= !shown.all;
            }
            _ => hardness.push(Hardness::of(driver, &shown)),
        }
    }
    let mut coverage = coverage.unwrap_or(Coverage::Sampled { schedules: sampled });
    // Everything at once; or else under bounds that grow, so that a failure that needs few preemptions is
    // met however long the program is (iterative context bounding, PLDI 2007).
    for preemptions in std::iter::once(None).chain((0..=bound(expected.as_ref())).map(Some)) {
        if effort.search_runs == 0 || over(effort) {
            break;
        }
        let (mut all, mut schedules) =
            exhaust(&program, config, preemptions, effort, &mut violated, &watcher);
        // Where states differ as much as the orders that lead to them, the orders may be fewer.
        if !all && preemptions.is_none() && named.is_empty() && !over(effort) {
            let (by_traces, executions) = reduce(&program, config, effort, &mut violated, &watcher);
            all = by_traces;
            schedules = if by_traces { executions } else { schedules + executions };
        }
        match (all, preemptions) {
            (true, None) => coverage = Coverage::Exhausted { schedules },
            (true, Some(preemptions)) => coverage = Coverage::Bounded { preemptions, schedules },
            (false, _) => {
                if let Coverage::Sampled { schedules: before } = &mut coverage {
                    *before += schedules;
                }
            }
        }
        if all == preemptions.is_none() {
            break;
        }
    }
    // A search that was cut off is no sample. Draw one, which says how much it has not seen.
    if let Coverage::Sampled { schedules } = &mut coverage
        && hardness.is_empty()
        && does_not_fit.is_none()
        && !cut_off
    {
        for &driver in effort.drivers.iter().filter(|_| !over(effort)) {
            let shown = sample(driver, &program, traced, effort, &named, &watcher);
            for s in &shown {
                *schedules += s.schedules;
                s.found.iter().for_each(|f| keep(&mut violated, f.clone()));
            }
            hardness.push(Hardness::of(driver, &shown));
        }
    }
    let complete = !over(effort) && !cut_off;
    let (variant, workload) = (variant.to_owned(), workload.to_owned());
    Ok(Cell { variant, workload, expected, violated, coverage, hardness, complete, does_not_fit })
}

impl Cell {
    /// The number of schedules that the verdict rests on, those given up at a known state left out.
    pub fn schedules(&self) -> u64 {
        let drawn: u64 = self.hardness.iter().map(|h| h.schedules).sum();
        match self.coverage {
            Coverage::Exhausted { schedules } | Coverage::Bounded { schedules, .. } => drawn + schedules,
            Coverage::Sampled { schedules } => schedules,
        }
    }

    /// The oracles that were violated.
    pub fn oracles(&self) -> BTreeSet<&str> {
        self.violated.keys().map(String::as_str).collect()
    }

    /// What was to be violated; nothing also if nothing is stated.
    pub fn violations(&self) -> &[Violation] {
        self.expected.as_ref().map_or(&[], Expected::violations)
    }

    /// What is not as expected, in words; nothing if all is.
    pub fn surprise(&self) -> Option<String> {
        let violated = self.oracles();
        let list = |ids: Vec<&str>| ids.join(", ");
        if violated.contains("scenario-bug") {
            let text = &self.violated["scenario-bug"].finding.text;
            return Some(format!("the scenario's own code failed: {text}"));
        }
        let named: BTreeSet<&str> = self.expected.as_ref()?.oracles().collect();
        let extra: Vec<_> = violated.difference(&named).copied().collect();
        let missed: Vec<_> = named.difference(&violated).copied().collect();
        match (extra.is_empty(), missed.is_empty()) {
            (true, true) => None,
            (false, _) => Some(format!("violates {}, which was not expected", list(extra))),
            (true, false) => Some(format!("was to violate {} and did not", list(missed))),
        }
    }
}

/// The preemption bound within which everything that is expected shows, and at least 2.
fn bound(expected: Option<&Expected>) -> u32 {
    let violations = expected.map_or(&[][..], Expected::violations);
    violations.iter().filter_map(|v| v.preemptions).max().unwrap_or(2).max(2)
}

fn over(effort: &Effort) -> bool {
    effort.stop.load(Ordering::Relaxed) || effort.until.is_some_and(|at| Instant::now() >= at)
}

/// Tells of each distinct finding once.
struct Watcher {
    seen: Vec<Finding>,
    watch: Box<dyn FnMut(&Found)>,
}

impl Watcher {
    fn knows(&self, finding: &Finding) -> bool {
        self.seen.iter().any(|f| f.same_failure(finding))
    }

    fn note(&mut self, found: &Found) {
        if !self.knows(&found.finding) {
            self.seen.push(found.finding.clone());
            (self.watch)(found);
        }
    }
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
    watcher: &Rc<RefCell<Watcher>>,
) -> Vec<Shown> {
    let budget = Budget {
        schedules: effort.schedules,
        until: effort.until,
        // All that loom shows is to be compared.
        oracles: (driver != Driver::Loom).then(|| named.to_vec()),
        stop: effort.stop.clone(),
    };
    // There is no seed in what loom does.
    let seeds = if driver == Driver::Loom { 1 } else { effort.seeds };
    let seeds = effort.seed..effort.seed + seeds;
    let watch = |seed| {
        let watcher = watcher.clone();
        let watch = move |found: &Found| watcher.borrow_mut().note(found);
        campaign_watched(driver, program, config, seed, &budget, watch)
    };
    seeds.map(watch).collect()
}

fn exhaust(
    program: &Program,
    config: RunConfig,
    preemptions: Option<u32>,
    effort: &Effort,
    violated: &mut BTreeMap<String, Found>,
    watcher: &Rc<RefCell<Watcher>>,
) -> (bool, u64) {
    let found: Rc<RefCell<BTreeMap<String, Found>>> = Rc::default();
    let bounds = Bounds { preemptions, runs: Some(effort.search_runs), cache: true, ..Bounds::default() };
    let exhausted = search(program, config, bounds, taking(&found, effort, watcher));
    found.take().into_values().for_each(|found| keep(violated, found));
    (exhausted.all, exhausted.complete)
}

/// As [`exhaust`] without a bound, by partial-order reduction.
fn reduce(
    program: &Program,
    config: RunConfig,
    effort: &Effort,
    violated: &mut BTreeMap<String, Found>,
    watcher: &Rc<RefCell<Watcher>>,
) -> (bool, u64) {
    let found: Rc<RefCell<BTreeMap<String, Found>>> = Rc::default();
    let limits = Limits { runs: Some(effort.search_runs), ..Limits::default() };
    let explored = prove(program, config, limits, taking(&found, effort, watcher));
    found.take().into_values().for_each(|found| keep(violated, found));
    (explored.all, explored.executions)
}

/// A sink that takes what runs show, each finding once, until there is no more time.
fn taking(
    found: &Rc<RefCell<BTreeMap<String, Found>>>,
    effort: &Effort,
    watcher: &Rc<RefCell<Watcher>>,
) -> impl FnMut(Outcome) -> bool + 'static {
    let (found, effort, watcher) = (found.clone(), effort.clone(), watcher.clone());
    let mut schedule = 0;
    move |outcome: Outcome| {
        schedule += 1;
        let mut found = found.borrow_mut();
        for finding in outcome.findings {
            if found.contains_key(&name_of(&finding)) && watcher.borrow().knows(&finding) {
                continue;
            }
            let decisions = outcome.decisions.clone();
            let first = Found { finding, decisions, schedule, times: 1 };
            watcher.borrow_mut().note(&first);
            keep(&mut found, first);
        }
        !over(&effort)
    }
}
