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

impl Effort {
    /// True if it is time to end.
    pub fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.until.is_some_and(|at| Instant::now() >= at)
    }
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
    let program = scenario.program(variant, workload)?;
    let expected = scenario.expected(variant, workload);
    let mut judging = Judging::new(&program, expected.as_ref(), effort, Box::new(watch));
    // Where no failure is expected and a search can tell, sampling adds nothing. Only what is not covered is drawn then,
    // which says how much was not seen.
    let searches = effort.search_runs > 0;
    let samples_first = !(searches && judging.named.is_empty());
    if samples_first {
        judging.sample();
    }
    if searches {
        judging.search(bound(expected.as_ref()));
    }
    if !samples_first && judging.covered.is_none() && !effort.over() {
        judging.sample();
    }
    Ok(judging.cell(variant, workload, expected))
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

/// Finding a verdict.
struct Judging<'a> {
    program: &'a Program,
    effort: &'a Effort,
    /// The oracles that are expected to be violated.
    named: Vec<String>,
    watcher: Rc<RefCell<Watcher>>,
    violated: Rc<RefCell<BTreeMap<String, Found>>>,
    hardness: Vec<Hardness>,
    /// How much of all schedules was covered, if it is known.
    covered: Option<Coverage>,
    /// How many schedules ran that cover nothing.
    schedules: u64,
    does_not_fit: Option<DoesNotFit>,
    cut_off: bool,
}

impl<'a> Judging<'a> {
    fn new(
        program: &'a Program,
        expected: Option<&Expected>,
        effort: &'a Effort,
        watch: Box<dyn FnMut(&Found)>,
    ) -> Self {
        Judging {
            program,
            effort,
            named: expected.into_iter().flat_map(Expected::oracles).map(str::to_owned).collect(),
            watcher: Rc::new(RefCell::new(Watcher { seen: Vec::new(), watch })),
            violated: Rc::default(),
            hardness: Vec::new(),
            covered: None,
            schedules: 0,
            does_not_fit: None,
            cut_off: false,
        }
    }

    /// Runs schedules by each of the drivers.
    fn sample(&mut self) {
        for &driver in &self.effort.drivers {
            let shown = self.campaigns(driver);
            for seed in &shown {
                self.schedules += seed.schedules;
                let violated = &mut self.violated.borrow_mut();
                seed.found.iter().for_each(|found| keep(violated, found.clone()));
                self.does_not_fit = self.does_not_fit.or(seed.does_not_fit);
            }
            // Loom goes through schedules one by one and draws none.
            match &shown[..] {
                [shown] if driver == Driver::Loom => {
                    let schedules = shown.schedules;
                    self.covered = shown.all.then_some(Coverage::Exhausted { schedules });
                    self.cut_off |= !shown.all;
                }
                _ => self.hardness.push(Hardness::of(driver, &shown)),
            }
        }
    }

    /// A campaign from each seed.
    fn campaigns(&self, driver: Driver) -> Vec<Shown> {
        let effort = self.effort;
        let budget = Budget {
            schedules: effort.schedules,
            until: effort.until,
            // All that loom shows is to be compared.
            oracles: (driver != Driver::Loom).then(|| self.named.clone()),
            stop: effort.stop.clone(),
        };
        // What a sample that shows nothing has not seen is told by the traces that it followed.
        let config = RunConfig { identify: self.named.is_empty(), ..config() };
        let seeds = if driver.has_seeds() { effort.seeds } else { 1 };
        let campaign = |seed| {
            let watcher = self.watcher.clone();
            let watch = move |found: &Found| watcher.borrow_mut().note(found);
            campaign_watched(driver, self.program, config, seed, &budget, watch)
        };
        (effort.seed..effort.seed + seeds).map(campaign).collect()
    }

    /// Runs every schedule; or else all with so many preemptions, up to a bound, so that a failure that needs few of
    /// them is met however long the program is (iterative context bounding, PLDI 2007).
    fn search(&mut self, most: u32) {
        if self.effort.over() {
            return;
        }
        let mut all = self.by_states(None);
        // Where states differ as much as the orders that lead to them, the orders may be fewer.
        if all.is_none() && self.named.is_empty() && !self.effort.over() {
            all = self.by_traces();
        }
        if let Some(schedules) = all {
            self.covered = Some(Coverage::Exhausted { schedules });
            return;
        }
        for preemptions in 0..=most {
            if self.effort.over() {
                return;
            }
            let Some(schedules) = self.by_states(Some(preemptions)) else { return };
            self.covered = Some(Coverage::Bounded { preemptions, schedules });
        }
    }

    /// Goes on once from each state. The number of schedules, if these were all.
    fn by_states(&mut self, preemptions: Option<u32>) -> Option<u64> {
        let runs = Some(self.effort.search_runs);
        let bounds = Bounds { preemptions, runs, cache: true, ..Bounds::default() };
        let exhausted = search(self.program, config(), bounds, self.taking());
        self.searched(exhausted.all, exhausted.complete)
    }

    /// Runs one schedule for each order of conflicting operations. Their number, if these were all.
    fn by_traces(&mut self) -> Option<u64> {
        let limits = Limits { runs: Some(self.effort.search_runs), ..Limits::default() };
        let explored = prove(self.program, config(), limits, self.taking());
        self.searched(explored.all, explored.executions)
    }

    fn searched(&mut self, all: bool, schedules: u64) -> Option<u64> {
        self.schedules += if all { 0 } else { schedules };
        all.then_some(schedules)
    }

    /// A sink that takes what runs show, each finding once, until there is no more time.
    fn taking(&self) -> impl FnMut(Outcome) -> bool + 'static {
        let (violated, effort, watcher) = (self.violated.clone(), self.effort.clone(), self.watcher.clone());
        let mut schedule = 0;
        move |outcome: Outcome| {
            schedule += 1;
            let mut violated = violated.borrow_mut();
            for finding in outcome.findings {
                if violated.contains_key(&name_of(&finding)) && watcher.borrow().knows(&finding) {
                    continue;
                }
                let decisions = outcome.decisions.clone();
                let first = Found { finding, decisions, schedule, times: 1 };
                watcher.borrow_mut().note(&first);
                keep(&mut violated, first);
            }
            !effort.over()
        }
    }

    fn cell(self, variant: &str, workload: &str, expected: Option<Expected>) -> Cell {
        Cell {
            variant: variant.to_owned(),
            workload: workload.to_owned(),
            expected,
            violated: self.violated.take(),
            coverage: self.covered.unwrap_or(Coverage::Sampled { schedules: self.schedules }),
            hardness: self.hardness,
            complete: !self.effort.over() && !self.cut_off,
            does_not_fit: self.does_not_fit,
        }
    }
}

/// How programs are run for a verdict.
fn config() -> RunConfig {
    RunConfig { keep_going: true, ..RunConfig::default() }
}
