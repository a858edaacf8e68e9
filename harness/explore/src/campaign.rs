//! Campaigns: one driver, one program, schedules drawn from a seed until there is enough.

use crate::driver::Driver;
use crate::engine::DoesNotFit;
use crate::stats::{Interval, median, median_interval, wilson};
use crate::unseen::Traces;
use bohr_kernel::{Decision, Finding, Kind, Outcome, Program, RunConfig};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// When a campaign ends, whichever comes first.
#[derive(Clone, Debug)]
pub struct Budget {
    /// After this many schedules.
    pub schedules: u64,
    /// At this moment.
    pub until: Option<Instant>,
    /// Once each of these oracles has been violated; with none named, at the first finding.
    pub oracles: Option<Vec<String>>,
    /// When somebody sets it.
    pub stop: Arc<AtomicBool>,
}

impl Budget {
    /// Ends at the first finding or after this many schedules.
    pub fn first_failure(schedules: u64) -> Self {
        Budget { schedules, until: None, oracles: Some(Vec::new()), stop: Arc::default() }
    }

    /// Ends after this many schedules, whatever they show.
    pub fn all(schedules: u64) -> Self {
        Budget { schedules, until: None, oracles: None, stop: Arc::default() }
    }
}

/// A finding, how it was reached first, and how often it showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The finding.
    pub finding: Finding,
    /// The schedule that showed it first.
    pub decisions: Vec<Decision>,
    /// The number of that schedule, from 1.
    pub schedule: u64,
    /// How many schedules showed it.
    pub times: u64,
}

/// What a campaign from one seed has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The number of schedules run.
    pub schedules: u64,
    /// How many of them had a finding.
    pub failing: u64,
    /// The number of the first that had, from 1.
    pub first: Option<u64>,
    /// The distinct findings, in the order in which they showed.
    pub found: Vec<Found>,
    /// Steps run, for speed.
    pub steps: u64,
    /// True if the driver knows that these were all schedules.
    pub all: bool,
    /// Why the driver could not run the program.
    pub does_not_fit: Option<DoesNotFit>,
    /// The traces that they followed, if they were to [identify](RunConfig::identify) themselves.
    pub traces: Traces,
    /// What each member of a portfolio had in it, in the order of their turns; empty for any other driver.
    pub shares: Vec<Share>,
}

/// What one member of a portfolio had in a campaign or in several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The member.
    pub driver: Driver,
    /// How many schedules it made.
    pub schedules: u64,
    /// How many of them had a finding.
    pub failing: u64,
    /// For each campaign in which one had: the number of the first among the member's own, from 1.
    pub firsts: Vec<u64>,
}

impl Share {
    fn of(shares: &mut Vec<Share>, driver: Driver) -> &mut Share {
        let place = shares.iter().position(|share| share.driver == driver).unwrap_or(shares.len());
        if place == shares.len() {
            shares.push(Share { driver, schedules: 0, failing: 0, firsts: Vec::new() });
        }
        &mut shares[place]
    }

    /// Adds up what members had in several campaigns.
    pub fn sum<'s>(shares: impl IntoIterator<Item = &'s Share>) -> Vec<Share> {
        let mut sum = Vec::new();
        for share in shares {
            let all = Share::of(&mut sum, share.driver);
            all.schedules += share.schedules;
            all.failing += share.failing;
            all.firsts.extend(&share.firsts);
        }
        sum
    }
}

/// What an oracle or, without one, a kind of finding is called where they are counted.
pub fn name_of(finding: &Finding) -> String {
    match (&finding.oracle, finding.kind) {
        (Some(oracle), _) => oracle.clone(),
        (None, Kind::ScenarioBug) => "scenario-bug".to_owned(),
        (None, kind) => kind.to_string(),
    }
}

/// Runs a campaign from one seed.
pub fn campaign(driver: Driver, program: &Program, config: RunConfig, seed: u64, budget: &Budget) -> Shown {
    campaign_watched(driver, program, config, seed, budget, |_| {})
}

/// Runs a campaign from one seed and hands each distinct finding to `watch` the moment it shows.
pub fn campaign_watched(
    driver: Driver,
    program: &Program,
    config: RunConfig,
    seed: u64,
    budget: &Budget,
    mut watch: impl FnMut(&Found) + 'static,
) -> Shown {
    let shown = Rc::new(RefCell::new(Shown::default()));
    let sink = {
        let (shown, budget) = (shown.clone(), budget.clone());
        move |outcome: Outcome| {
            let mut shown = shown.borrow_mut();
            if config.identify {
                shown.traces.add(outcome.trace_hash);
            }
            shown.take_watched(driver, outcome, &mut watch);
            !shown.enough(&budget)
        }
    };
    let explored = driver.explore(program, config, seed, budget.schedules, sink);
    let shown = Rc::into_inner(shown).expect("the driver has let go of its sink").into_inner();
    match explored {
        Ok(all) => Shown { all, ..shown },
        Err(why) => Shown { does_not_fit: Some(why), ..shown },
    }
}

impl Shown {
    /// Takes what a run of this driver has shown, and hands each finding that is new to `watch`.
    pub(crate) fn take_watched(&mut self, driver: Driver, outcome: Outcome, watch: impl FnMut(&Found)) {
        let known = self.found.len();
        self.take(driver, outcome);
        self.found[known..].iter().for_each(watch);
    }

    fn take(&mut self, driver: Driver, outcome: Outcome) {
        self.schedules += 1;
        self.steps += u64::from(outcome.steps);
        let member = driver.turn(self.schedules);
        if member != driver {
            let share = Share::of(&mut self.shares, member);
            share.schedules += 1;
            share.failing += u64::from(!outcome.findings.is_empty());
            if !outcome.findings.is_empty() && share.firsts.is_empty() {
                share.firsts.push(share.schedules);
            }
        }
        if outcome.findings.is_empty() {
            return;
        }
        self.failing += 1;
        self.first.get_or_insert(self.schedules);
        for finding in outcome.findings {
            match self.found.iter_mut().find(|f| f.finding.same_failure(&finding)) {
                Some(found) => found.times += 1,
                None => self.found.push(Found {
                    finding,
                    decisions: outcome.decisions.clone(),
                    schedule: self.schedules,
                    times: 1,
                }),
            }
        }
    }

    fn enough(&self, budget: &Budget) -> bool {
        let over = budget.until.is_some_and(|at| Instant::now() >= at);
        let satisfied = match &budget.oracles {
            None => false,
            Some(wanted) if wanted.is_empty() => self.failing > 0,
            Some(wanted) => wanted.iter().all(|id| self.found.iter().any(|f| name_of(&f.finding) == *id)),
        };
        over || satisfied || budget.stop.load(Ordering::Relaxed)
    }
}

/// What several seeds have shown together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardness {
    /// The driver.
    pub driver: Driver,
    /// The number of seeds.
    pub seeds: u64,
    /// From how many of them a failure was found.
    pub found: u64,
    /// Schedules to the first failure, over the seeds that found one: median and 95 % interval.
    pub median: Option<u64>,
    /// See `median`.
    pub interval: Option<(u64, u64)>,
    /// How many schedules ran and how many of them failed, over all seeds.
    pub schedules: u64,
    /// See `schedules`.
    pub failing: u64,
    /// For each oracle: from how many seeds it was violated, and the median number of schedules.
    pub oracles: BTreeMap<String, (u64, u64)>,
    /// What each member of a portfolio had in it; empty for any other driver.
    pub shares: Vec<Share>,
    /// The traces that the schedules followed, if they were to be told apart.
    pub traces: Traces,
}

impl Hardness {
    /// Sums up campaigns of one driver, one a seed.
    pub fn of(driver: Driver, seeds: &[Shown]) -> Self {
        let firsts: Vec<u64> = seeds.iter().filter_map(|s| s.first).collect();
        let mut by_oracle: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for shown in seeds {
            let mut once: BTreeMap<String, u64> = BTreeMap::new();
            for found in &shown.found {
                let first = once.entry(name_of(&found.finding)).or_insert(found.schedule);
                *first = (*first).min(found.schedule);
            }
            for (oracle, first) in once {
                by_oracle.entry(oracle).or_default().push(first);
            }
        }
        let summed = |firsts: Vec<u64>| Some((firsts.len() as u64, median(&firsts)?));
        Hardness {
            driver,
            seeds: seeds.len() as u64,
            found: firsts.len() as u64,
            median: median(&firsts),
            interval: median_interval(&firsts),
            schedules: seeds.iter().map(|s| s.schedules).sum(),
            failing: seeds.iter().map(|s| s.failing).sum(),
            shares: Share::sum(seeds.iter().flat_map(|s| &s.shares)),
            traces: Traces::sum(seeds.iter().map(|s| &s.traces)),
            oracles: by_oracle.into_iter().filter_map(|(id, firsts)| Some((id, summed(firsts)?))).collect(),
        }
    }

    /// The share of schedules that fail, at 95 %. Only meaningful if the campaigns did not stop at
    /// their first failure.
    pub fn failing_share(&self) -> Interval {
        wilson(self.failing, self.schedules)
    }
}
