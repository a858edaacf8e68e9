//! The schedules that have shown something new, and how others are made of them.

use super::flow::{Flow, Flows, Kind, NOBODY};
use super::steer::Constraint;
use super::watch::Watch;
use crate::strategy::random::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// More constraints than these are hardly ever true together.
const MOST_CONSTRAINTS: usize = 6;
/// One schedule in so many has no constraints, and one in so many begins like one that was kept.
const PLAIN: u32 = 8;
const PREFIXED: u32 = 3;
/// How many are looked at to take the rarest of.
const TOURNAMENT: u32 = 4;
/// A pair is rare if it showed in at most one of so many runs.
const RARE: u64 = 16;
/// More schedules than these are not kept at a time.
const MOST_KEPT: usize = 4096;

/// A schedule: a few constraints, and maybe how it begins. The rest is left open.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) constraints: Vec<Constraint>,
    /// The first choices.
    pub(super) prefix: Vec<u32>,
}

/// A schedule that has shown something new.
#[derive(Debug, Default)]
struct Kept {
    constraints: Vec<Constraint>,
    /// All choices of the run.
    choices: Vec<u32>,
    /// The pairs that it was kept for.
    kept_for: Vec<u32>,
    /// The pairs of the run.
    shown: Vec<u32>,
    /// How often it was gone on from.
    picked: u64,
}

/// The schedules that have shown something new.
#[derive(Debug)]
pub(super) struct Corpus {
    /// The first is without constraints and stays.
    kept: Vec<Kept>,
    /// How often a pair was aimed at.
    tries: BTreeMap<Flow, u64>,
    /// Which rare pairs have shown in one run.
    together: BTreeSet<(u32, u32)>,
}

impl Default for Corpus {
    fn default() -> Self {
        Corpus { kept: vec![Kept::default()], tries: BTreeMap::new(), together: BTreeSet::new() }
    }
}

impl Corpus {
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Keeps a schedule if its run has shown a pair that none before has, or two rare ones that none before has
    /// shown together. True for a new pair.
    pub(super) fn judge(
        &mut self,
        constraints: &[Constraint],
        choices: impl Iterator<Item = u32>,
        flows: &Flows,
        rng: &mut Rng,
    ) -> bool {
        let shown = flows.shown();
        let mut kept_for: Vec<u32> = shown.iter().copied().filter(|id| flows.hits(*id) == 1).collect();
        let new_pair = !kept_for.is_empty();
        if !new_pair {
            let often = 1 + flows.runs() / RARE;
            let rare: Vec<u32> = shown.iter().copied().filter(|id| flows.hits(*id) <= often).collect();
            let pairs = rare.iter().flat_map(|a| rare.iter().filter(move |b| a < b).map(move |b| (*a, *b)));
            let before = self.together.len();
            self.together.extend(pairs);
            if self.together.len() > before {
                kept_for = rare;
            }
        }
        if kept_for.is_empty() {
            return false;
        }
        let constraints = constraints.to_vec();
        let kept =
            Kept { constraints, choices: choices.collect(), kept_for, shown: shown.to_vec(), picked: 0 };
        if self.kept.len() < MOST_KEPT {
            self.kept.push(kept);
        } else {
            let drawn = (0..TOURNAMENT).map(|_| 1 + rng.below(MOST_KEPT as u32 - 1) as usize);
            let least_rare = drawn.max_by_key(|at| self.kept[*at].rarity(flows)).unwrap_or(1);
            self.kept[least_rare] = kept;
        }
        new_pair
    }

    /// The next schedule to run.
    pub(super) fn next(&mut self, watch: &Watch, rng: &mut Rng) -> Plan {
        let mut plan = Plan::default();
        if rng.below(PLAIN) != 0 {
            plan.constraints = self.mutant(watch, rng);
        }
        if rng.below(PREFIXED) == 0 {
            let parent = self.pick(watch, rng);
            let begins_like = &self.kept[parent].choices;
            let cut = rng.below(begins_like.len() as u32 + 1) as usize;
            plan.prefix = begins_like[..cut].to_vec();
        }
        plan
    }

    /// A schedule to go on from.
    fn pick(&mut self, watch: &Watch, rng: &mut Rng) -> usize {
        let drawn = (0..TOURNAMENT).map(|_| rng.below(self.kept.len() as u32) as usize);
        let picked = drawn.min_by_key(|at| self.kept[*at].rarity(&watch.flows)).unwrap_or(0);
        self.kept[picked].picked += 1;
        picked
    }

    /// The constraints of a schedule that was kept, changed.
    fn mutant(&mut self, watch: &Watch, rng: &mut Rng) -> Vec<Constraint> {
        let parent = self.pick(watch, rng);
        let mut constraints = self.kept[parent].constraints.clone();
        // Mostly one change, sometimes more.
        loop {
            self.change(&mut constraints, parent, watch, rng);
            if rng.below(4) != 0 {
                break;
            }
        }
        constraints.truncate(MOST_CONSTRAINTS);
        constraints
    }

    fn change(&mut self, constraints: &mut Vec<Constraint>, parent: usize, watch: &Watch, rng: &mut Rng) {
        let at = rng.below(constraints.len().max(1) as u32) as usize;
        match rng.below(8) {
            0 if !constraints.is_empty() => drop(constraints.remove(at)),
            1 if !constraints.is_empty() => constraints[at].shows = !constraints[at].shows,
            2 if !constraints.is_empty() => {
                constraints.remove(at);
                constraints.extend(self.constraint(parent, watch, rng));
            }
            3 => {
                let other = &self.kept[rng.below(self.kept.len() as u32) as usize].constraints;
                constraints.extend(other.iter().filter(|_| rng.below(2) == 0));
            }
            _ if constraints.len() < MOST_CONSTRAINTS => {
                constraints.extend(self.constraint(parent, watch, rng));
            }
            _ => constraints.truncate(at),
        }
    }

    /// A constraint for a descendant of `parent`.
    fn constraint(&mut self, parent: usize, watch: &Watch, rng: &mut Rng) -> Option<Constraint> {
        let parent = &self.kept[parent];
        let (flow, shows) = match rng.below(8) {
            0 | 1 => (watch.flows.get(any(&parent.kept_for, rng)?), true),
            2 => (watch.flows.get(any(&parent.shown, rng)?), false),
            _ => {
                let drawn = (0..TOURNAMENT).filter_map(|_| target(watch, rng));
                let tried = |flow: &Flow| self.tries.get(flow).copied().unwrap_or(0);
                let rarest = drawn.min_by_key(|flow| watch.flows.hits_of(*flow) + tried(flow))?;
                *self.tries.entry(rarest).or_default() += 1;
                (rarest, true)
            }
        };
        Some(Constraint { flow, shows })
    }
}

/// A pair to aim at: any that was seen, or two operations that were seen at objects of one role and never yet as
/// a pair, if that is possible at all.
fn target(watch: &Watch, rng: &mut Rng) -> Option<Flow> {
    if rng.below(3) == 0 {
        return any(watch.flows.all(), rng);
    }
    let object = any(&watch.shared, rng)?;
    let (writers, readers) = (watch.writers(object), watch.readers(object));
    let (kind, from, to) = if rng.below(2) == 0 {
        (Kind::ReadsFrom, any(writers, rng).unwrap_or(NOBODY), any(readers, rng)?)
    } else {
        (Kind::Overwrites, any(readers, rng)?, any(writers, rng)?)
    };
    Some(Flow { kind, object, from, own: false, to })
}

impl Kept {
    /// The less the rarer: how often the rarest of what it was kept for has shown, and how often it was gone on
    /// from, since what leads nowhere stays rare.
    fn rarity(&self, flows: &Flows) -> u64 {
        let rarest = self.kept_for.iter().map(|id| flows.hits(*id)).min();
        rarest.unwrap_or(0) + self.picked
    }
}

fn any<T: Copy>(list: &[T], rng: &mut Rng) -> Option<T> {
    let at = rng.below(u32::try_from(list.len().max(1)).unwrap_or(u32::MAX));
    list.get(at as usize).copied()
}
