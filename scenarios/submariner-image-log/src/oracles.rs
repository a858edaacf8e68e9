//! The invariants.

use crate::workload::{Image, Key, Workload};
use crate::world::Given;
use bohr_go::map::{Contents, NIL_DEREFERENCE, Words, is_map_error};
use bohr_kernel::scenario::{Oracle, When};
use bohr_kernel::{Call, Finding, Kind, linearizable, violated};
use std::collections::BTreeSet;
use std::fmt;

/// The oracles.
pub static ORACLES: [Oracle; 7] = [
    Oracle { id: "O1", when: When::Safety, claim: "the runtime does not end the process over the map" },
    Oracle { id: "O2", when: When::Safety, claim: "no string is read while half of it is stored" },
    Oracle { id: "O3", when: When::Safety, claim: "no data race on the map" },
    Oracle {
        id: "O4",
        when: When::AtRest,
        claim: "every change is logged exactly once, with what was before",
    },
    Oracle { id: "O5", when: When::AtRest, claim: "the map is intact and can be used again" },
    Oracle { id: "O6", when: When::Safety, claim: "every call gives its own result" },
    Oracle { id: "O7", when: When::Liveness, claim: "every call ends" },
];

/// The oracle that a finding of the kernel speaks for. What is found at rest has no task: then it was
/// a probe that died of what the run had left behind.
pub fn classify(finding: &Finding) -> Option<&'static str> {
    let probing = finding.task.is_none();
    match finding.kind {
        Kind::Fatal if is_map_error(&finding.text) => Some(if probing { "O5" } else { "O1" }),
        Kind::Panic if finding.text == NIL_DEREFERENCE => Some(if probing { "O5" } else { "O2" }),
        Kind::DataRace => Some("O3"),
        Kind::Deadlock | Kind::StepBound => Some("O7"),
        _ => None,
    }
}

/// What a call found under its key: nothing, or a string, perhaps torn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Previous(pub Option<Words<Image>>);

impl Previous {
    /// An intact string.
    pub fn of(image: Image) -> Self {
        Previous(Some(Words::whole(image)))
    }
}

impl From<Option<Words<Image>>> for Previous {
    fn from(words: Option<Words<Image>>) -> Self {
        Previous(words)
    }
}

impl From<Option<Image>> for Previous {
    fn from(image: Option<Image>) -> Self {
        Previous(image.map(Words::whole))
    }
}

impl fmt::Display for Previous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(words) => write!(f, "{words}"),
            None => f.write_str("absent"),
        }
    }
}

/// O5, but for probes that die.
pub(crate) fn check_structure(map: &Contents<Key, Image>) {
    if map.flag != 0 {
        violated("O5", "the flag is left set: the next access would die");
    }
    if map.count as usize != map.entries.len() {
        violated("O5", format!("the count is {}, and {} slots are in use", map.count, map.entries.len()));
    }
    let keys: BTreeSet<Key> = map.entries.iter().map(|(key, _)| *key).collect();
    if keys.len() < map.entries.len() {
        violated("O5", "a key is in two slots");
    }
    if let Some((key, words)) = map.entries.iter().find(|(_, words)| words.intact().is_none()) {
        violated("O5", format!("the string under {key} is left torn: {words}"));
    }
}

/// O4, exactly once: some order of the calls, which keeps those that did not overlap in order, explains
/// every line by "previous := swap(key, result); log iff previous is not result".
pub(crate) fn check_lines(
    workload: &Workload,
    key: Key,
    initial: Previous,
    calls: &[Call<Given, Option<Previous>>],
) {
    let refs: Vec<_> = calls.iter().collect();
    let swap = |state: &Previous, given: &Given| {
        let now = Previous::of(given.result);
        (now, (*state != now).then_some(*state))
    };
    if linearizable(&refs, &initial, &swap) {
        return;
    }
    let mut told: Vec<_> = refs;
    told.sort_by_key(|call| (call.input.probing, call.input.actor, call.began));
    let tell = |call: &&Call<Given, Option<Previous>>| {
        let who = workload.name(call.input.actor);
        let probe = if call.input.probing { " (probe)" } else { "" };
        match call.output.flatten() {
            Some(previous) => format!("{who}{probe} logged {previous} -> {}", call.input.result),
            None => format!("{who}{probe} logged nothing for {}", call.input.result),
        }
    };
    let told: Vec<_> = told.iter().map(tell).collect();
    violated("O4", format!("no order of the calls explains the lines under {key}: {}", told.join(", ")));
}
