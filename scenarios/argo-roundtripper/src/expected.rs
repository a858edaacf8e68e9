//! The verdicts: which oracles each form can violate in which class, and the least number of preemptions
//! that each violation needs, where it is known.
//!
//! The table was computed with another program from the same step lists, and compared with real Go where
//! that was possible. It names *first* findings. A run that goes on after a finding names no other ones: a
//! cross-talk (O4) ends the judging, and of several oracles at rest only the first is named. Races are
//! recorded beside: O1 stands where some group of plain fields can race.

use crate::oracles::Group;
use crate::workload::Workload;
use bohr_kernel::scenario::{Expected, Violation};

/// The verdict that a form must get on a workload. Correct forms hold on all; for the others it is stated
/// for the classes that can be exhausted.
pub fn expected(variant: &str, workload: &Workload) -> Option<Expected> {
    let queues_only = ["queue_fetch_add", "queue_writer_lock"];
    let requests = matches!(workload, Workload::Requests(_));
    if CORRECT.contains(&variant) || queues_only.contains(&variant) && requests {
        return Some(Expected::Holds);
    }
    let class = workload.class()?;
    if let Workload::Queues(_) = workload {
        return Some(of(queues(variant, class.name)));
    }
    let column = COLUMNS.iter().position(|name| *name == class.name)?;
    let (.., functional) = TABLE.iter().find(|(name, ..)| *name == variant)?;
    let mut violations = functional[column].to_vec();
    if !groups(variant, class.name)?.is_empty() {
        violations.push(("O1", race_preemptions(variant, class.name)));
    }
    Some(of(&violations))
}

/// The groups of plain fields on which a form can race in a class of the main workload, if that is stated.
pub fn groups(variant: &str, class: &str) -> Option<&'static [Group]> {
    if CORRECT.contains(&variant) {
        return Some(NONE);
    }
    let column = COLUMNS.iter().position(|name| *name == class)?;
    let (_, races, _) = TABLE.iter().find(|(name, ..)| *name == variant)?;
    Some(races[column])
}

const CORRECT: [&str; 5] = ["fixed", "registry", "atomic_counter", "redundant_locks", "log_only"];

/// An oracle and the least preemptions.
type Verdict = &'static [(&'static str, Option<u32>)];
type Races = &'static [Group];

const COLUMNS: [&str; 6] = ["solo", "ordered", "pair", "event", "builder", "mixed"];

const NONE: Races = &[];
const S: Races = &[Group::Slot];
const C: Races = &[Group::Connection];
const H: Races = &[Group::Handle];
const SP: Races = &[Group::Slot, Group::Published];
const SCP: Races = &[Group::Slot, Group::Connection, Group::Published];

const CLEAN: Races6 = [NONE, NONE, NONE, NONE, NONE, NONE];
const AS_BUGGY: Races6 = [NONE, NONE, SCP, SCP, SP, SCP];

type Races6 = [Races; 6];
type Verdict6 = [Verdict; 6];

const HOLDS: Verdict = &[];
const O3: Verdict = &[("O3", Some(0))];
const O5: Verdict = &[("O5", Some(0))];
const O8: Verdict = &[("O8", Some(0))];
const O9: Verdict = &[("O9", Some(0))];

/// The panic, a failed exec, cross-talk, misrouting: what every form has that keeps one slot.
const A_SET: Verdict6 = [
    HOLDS,
    &[("O2", Some(0))],
    &[("O2", Some(1)), ("O4", Some(3)), ("O5", Some(2))],
    &[("O3", Some(0)), ("O4", Some(1))],
    &[("O5", Some(1))],
    &[("O2", Some(1)), ("O3", Some(0)), ("O4", Some(1)), ("O5", Some(2))],
];

/// Each form's races and first findings, in the order of `COLUMNS`.
#[rustfmt::skip]
const TABLE: [(&str, Races6, Verdict6); 17] = [
    ("buggy", AS_BUGGY, A_SET),
    ("upstream_fix", CLEAN, [O9; 6]),
    ("counter_only", AS_BUGGY, A_SET),
    ("shallow_cfg", AS_BUGGY, A_SET),
    ("log_lock", AS_BUGGY, A_SET),
    ("tls_clone", AS_BUGGY, A_SET),
    ("spdy_lock", [NONE, NONE, SP, SP, SP, SP], A_SET),
    ("mutex_copy", [NONE, NONE, C, C, NONE, C], A_SET),
    ("all_locks", CLEAN, A_SET),
    ("wait_conn", CLEAN, [
        HOLDS,
        &[("O7", Some(0))],
        &[("O4", Some(2)), ("O5", None), ("O7", Some(1))],
        &[("O3", Some(0)), ("O4", Some(1))],
        &[("O5", Some(1))],
        &[("O3", Some(0)), ("O4", Some(1)), ("O5", None), ("O7", Some(1))],
    ]),
    ("first_wins", CLEAN, [O5; 6]),
    ("restore_slot", CLEAN, [
        HOLDS,
        &[("O2", Some(0))],
        &[("O2", Some(2)), ("O4", Some(3)), ("O5", None)],
        &[("O3", Some(1)), ("O4", Some(1))],
        &[("O5", Some(1))],
        &[("O2", Some(2)), ("O3", None), ("O4", Some(1)), ("O5", None)],
    ]),
    ("conn_in_response", CLEAN, [
        HOLDS,
        O3,
        &[("O3", Some(1)), ("O5", None)],
        O3,
        &[("O5", Some(1))],
        &[("O3", Some(0)), ("O5", None)],
    ]),
    ("shared_upgrader", [NONE, NONE, C, NONE, NONE, C], [
        HOLDS, HOLDS, &[("O4", Some(1))], HOLDS, HOLDS, &[("O4", Some(1))],
    ]),
    ("exec_unwrapped", [NONE, NONE, S, SP, S, SP], [O8; 6]),
    ("eager_handle", CLEAN, [HOLDS, HOLDS, HOLDS, O8, HOLDS, O8]),
    ("late_handle", [H; 6], [O8; 6]),
];

/// The least preemptions of a data race: 1 between two workers, which the queue's mutex orders otherwise,
/// and none with an actor that is not ordered with the workers from the start.
fn race_preemptions(variant: &str, class: &str) -> Option<u32> {
    let only_workers = match variant {
        "late_handle" => false,
        // Calls do not get to the execs' transport.
        "shared_upgrader" => true,
        _ => class == "pair",
    };
    Some(u32::from(only_workers))
}

/// Registering queues. It is a file of its own upstream: forms that are built on the fix have its mutex,
/// the others are as reported.
fn queues(variant: &str, class: &str) -> Verdict {
    match (variant, class) {
        ("queue_fetch_add" | "queue_writer_lock", "queues_scrape") => &[("O1", Some(0))],
        ("queue_fetch_add" | "queue_writer_lock", _) => HOLDS,
        ("shared_upgrader" | "eager_handle" | "late_handle", _) => HOLDS,
        _ => &[("O1", Some(0)), ("O10", Some(1))],
    }
}

fn of(violations: &[(&'static str, Option<u32>)]) -> Expected {
    let violations: Vec<_> =
        violations.iter().map(|&(oracle, preemptions)| Violation { oracle, preemptions }).collect();
    if violations.is_empty() { Expected::Holds } else { Expected::Fails(violations) }
}
