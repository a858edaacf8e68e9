//! Changing inputs by what they mean.
//!
//! A change of the schedule leaves the workload alone, and the other way round. All is drawn from a seed: same input,
//! same seed, same result.

use super::{Input, SECTION_BYTES, Target, trim};
use crate::strategy::Rng;
use arbitrary::Unstructured;

/// An input made of another one, in at most `most` bytes. What is none becomes one.
pub fn mutate(target: &Target, bytes: &[u8], most: usize, seed: u64) -> Vec<u8> {
    let rng = &mut Rng::salted(seed, "mutate");
    let mut input = match Input::decode(target, bytes) {
        Some(input) if rng.below(FRESH) != 0 => input,
        _ => fresh(target, rng),
    };
    for _ in 0..=rng.below(MOST_CHANGES) {
        change(target, &mut input, rng);
    }
    fitting(target, input, most)
}

/// An input made of two, in at most `most` bytes: the choices of one up to some place and those of the other from
/// there on, or the schedule of one with the workload of the other.
pub fn crossover(target: &Target, one: &[u8], other: &[u8], most: usize, seed: u64) -> Vec<u8> {
    let rng = &mut Rng::salted(seed, "crossover");
    let (one, other) = match (Input::decode(target, one), Input::decode(target, other)) {
        (Some(one), Some(other)) => (one, other),
        (Some(one), None) | (None, Some(one)) => return fitting(target, one, most),
        (None, None) => return fitting(target, fresh(target, rng), most),
    };
    let input = match rng.below(4) {
        0 => Input { schedule: other.schedule, ..one },
        1 => Input { workload: parts(target, &one, &other.workload, rng), ..one },
        _ => Input { schedule: splice(&one.schedule, &other.schedule, rng), ..one },
    };
    fitting(target, input, most)
}

/// One input in so many is made anew, so that the workloads that a corpus began with are not all there will be.
const FRESH: u32 = 64;
/// The most changes at once.
const MOST_CHANGES: u32 = 4;
/// One change in so many is one of the workload: a schedule has more to find in it.
const OF_WORKLOAD: u32 = 12;
/// How many tries a workload's text has to become one that the scenario reads.
const TRIES: u32 = 8;
/// Where no schedule says how long they get, switches are put within so many choices, at first.
const SHORT: u32 = 16;
/// And at most within so many.
const LONG: u32 = 1 << 10;

/// An input that owes nothing to another.
fn fresh(target: &Target, rng: &mut Rng) -> Input {
    let variant = variant(target, rng);
    let workload = workload(target, rng);
    Input { variant, workload, schedule: Vec::new() }
}

fn variant(target: &Target, rng: &mut Rng) -> String {
    target.variant.unwrap_or_else(|| target.numbered(rng.next() as u8)).to_owned()
}

/// A workload: the only one that there is, a class, or any.
fn workload(target: &Target, rng: &mut Rng) -> String {
    if let Some(only) = &target.workload {
        return only.clone();
    }
    let classes = target.scenario.classes();
    let class = |rng: &mut Rng| classes[rng.below(classes.len() as u32) as usize].name.clone();
    if rng.below(2) == 0 {
        return class(rng);
    }
    let bytes: Vec<u8> = (0..SECTION_BYTES).map(|_| rng.next() as u8).collect();
    let drawn = target.scenario.arbitrary(&mut Unstructured::new(&bytes)).ok();
    drawn.filter(|workload| target.fits(workload)).unwrap_or_else(|| class(rng))
}

fn change(target: &Target, input: &mut Input, rng: &mut Rng) {
    if target.workload.is_some() || rng.below(OF_WORKLOAD) != 0 {
        return change_schedule(&mut input.schedule, rng);
    }
    if target.variant.is_none() && rng.below(2) == 0 {
        input.variant = variant(target, rng);
        return;
    }
    input.workload = match rng.below(4) {
        0 => workload(target, rng),
        1 => {
            let smaller = target.scenario.shrink(&input.workload);
            if smaller.is_empty() {
                return;
            } else {
                smaller[rng.below(smaller.len() as u32) as usize].clone()
            }
        }
        _ => {
            let other = workload(target, rng);
            parts(target, input, &other, rng)
        }
    };
}

/// A workload whose text has a part from another one's, or another digit; the same one if the scenario reads none of
/// those that were tried.
fn parts(target: &Target, input: &Input, other: &str, rng: &mut Rng) -> String {
    let mine = &input.workload;
    if target.workload.is_some() {
        return mine.clone();
    }
    for _ in 0..TRIES {
        let text = if rng.below(2) == 0 { other_digit(mine, rng) } else { other_part(mine, other, rng) };
        let known = text.filter(|text| text != mine && target.fits(text));
        if let Some(text) = known.filter(|text| target.scenario.program(&input.variant, text).is_ok()) {
            return text;
        }
    }
    mine.clone()
}

fn other_digit(text: &str, rng: &mut Rng) -> Option<String> {
    let digits: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
    let at = *digits.get(rng.below(digits.len() as u32) as usize)?;
    let digit = char::from_digit(rng.below(10), 10)?;
    Some(format!("{}{digit}{}", &text[..at], &text[at + 1..]))
}

/// Replaces a part by one of the other text, adds it, or leaves the part out.
fn other_part(text: &str, other: &str, rng: &mut Rng) -> Option<String> {
    let separator = any(&[",", ":", "-"], rng);
    let mut parts: Vec<&str> = text.split(separator).collect();
    let theirs: Vec<&str> = other.split(separator).collect();
    let at = rng.below(parts.len() as u32) as usize;
    match rng.below(3) {
        0 => parts[at] = any(&theirs, rng),
        1 => parts.insert(at + 1, any(&theirs, rng)),
        _ if parts.len() > 1 => drop(parts.remove(at)),
        _ => return None,
    }
    Some(parts.join(separator))
}

fn change_schedule(schedule: &mut Vec<u32>, rng: &mut Rng) {
    let switches: Vec<usize> = (0..schedule.len()).filter(|at| schedule[*at] != 0).collect();
    let picked = switches.get(rng.below(switches.len() as u32) as usize).copied();
    match (rng.below(8), picked) {
        // Drop a preemption.
        (0, Some(at)) => schedule[at] = 0,
        // Move one: the later choices stay where they are.
        (1, Some(at)) => {
            let choice = std::mem::take(&mut schedule[at]);
            let by = 1 + rng.below(4) as usize;
            let to = if rng.below(2) == 0 { at.saturating_sub(by) } else { at + by };
            set(schedule, to, choice);
        }
        // Switch to another task, or draw another value.
        (2, Some(at)) => schedule[at] = choice(rng),
        // Stay for longer, or for less long: the later choices move with it.
        (3, Some(at)) => {
            let stay = 1 + rng.below(8) as usize;
            schedule.splice(at..at, std::iter::repeat_n(0, stay));
        }
        (4, Some(at)) => {
            let before = switches.iter().rev().find(|before| **before < at).map_or(0, |before| before + 1);
            let least = at.saturating_sub(1 + rng.below(8) as usize).max(before);
            schedule.drain(least..at);
        }
        // Nothing but staying from here on.
        (5, Some(at)) if rng.below(4) == 0 => schedule.truncate(at),
        // A while of switching at random.
        (6, _) => {
            let at = place(schedule.len(), rng);
            let length = 1 + rng.below(SHORT) as usize;
            (at..at + length).for_each(|at| set(schedule, at, rng.below(4)));
        }
        // Insert a preemption.
        _ => {
            let at = place(schedule.len(), rng);
            set(schedule, at, choice(rng));
        }
    }
    trim(schedule);
}

/// A place in a schedule, mostly within it or a little after it, and now and then far away: how many choices a run has
/// is not known, and most runs have few.
fn place(length: usize, rng: &mut Rng) -> usize {
    let mut within = (length as u32).clamp(SHORT, LONG);
    while within < LONG && rng.below(4) == 0 {
        within *= 2;
    }
    rng.below(within) as usize
}

/// What is not staying: mostly the first other task, now and then a large number, for values.
fn choice(rng: &mut Rng) -> u32 {
    match rng.below(16) {
        0 => rng.below(1 << 12),
        1..4 => 1 + rng.below(8),
        _ => 1 + rng.below(3),
    }
}

fn set(schedule: &mut Vec<u32>, at: usize, choice: u32) {
    if schedule.len() <= at {
        schedule.resize(at + 1, 0);
    }
    schedule[at] = choice;
}

/// The beginning of one schedule and the end of another. The end mostly comes at the same place; or moved, since the
/// same steps may come earlier or later.
fn splice(one: &[u32], other: &[u32], rng: &mut Rng) -> Vec<u32> {
    let longest = one.len().max(other.len()) as u32;
    let cut = rng.below(longest + 1) as usize;
    let from = if rng.below(2) == 0 { cut } else { rng.below(other.len() as u32 + 1) as usize };
    let mut schedule = one[..cut.min(one.len())].to_vec();
    schedule.resize(cut, 0);
    schedule.extend(other.iter().skip(from));
    trim(&mut schedule);
    schedule
}

/// The input in so many bytes: choices at its end are left out. Nothing if not even a workload fits.
fn fitting(target: &Target, input: Input, most: usize) -> Vec<u8> {
    // What was decoded and what the scenario gives can be encoded, but for a text that is far too long.
    let mut bytes = input.encode(target).unwrap_or_default();
    if bytes.len() > most {
        let head = 1 + bytes.first().map_or(0, |length| usize::from(*length));
        bytes.truncate(if head > most { 0 } else { most });
    }
    bytes
}

fn any<'a, T: ?Sized>(list: &[&'a T], rng: &mut Rng) -> &'a T {
    list[rng.below(list.len() as u32) as usize]
}
