//! What the actors are given to do.
//!
//! A workload is written as the name of its class, or in full:
//!
//! ```text
//! clients=2,mortal=1,events=2,close,recorded
//! ```
//!
//! that is: how many clients connect, how many of them can die (the first ones), how many events are
//! produced; `close` if the queue is closed behind the last event; `recorded` if a dead client's error
//! is one that the broadcaster passes on; and `late` or `first` to switch on the oracle of an
//! observation.

use arbitrary::{Arbitrary, Unstructured};
use std::fmt::{self, Display};
use std::str::FromStr;

/// The clients, the events, and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The clients that connect.
    pub clients: usize,
    /// How many of them can die, at any time, also before they connect. The others live for ever.
    pub mortal: usize,
    /// The events that are produced.
    pub events: u32,
    /// The queue is closed behind the last event.
    pub close: bool,
    /// What sending to a dead client gives.
    pub errors: Errors,
    /// What is looked at besides the invariants.
    pub observe: Observe,
}

/// What sending to a dead client gives.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Errors {
    /// The connection was lost: the broadcaster keeps that to itself, and the call ends in success.
    Quiet,
    /// The client cancelled: the call ends in this error.
    Recorded,
}

/// A shortcoming that the fix leaves, for which there is an oracle to show it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Observe {
    /// None.
    Nothing,
    /// Handlers that come too late to be released.
    Late,
    /// Events that go to nobody because the broadcaster was started first.
    First,
}

const MOST_CLIENTS: usize = 4;
const MOST_EVENTS: u32 = 8;

impl Workload {
    /// The class that this is, if it is one.
    pub fn class(&self) -> Option<&'static ClassRow> {
        CLASSES.iter().find(|class| class.workload == *self)
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=MOST_CLIENTS).contains(&self.clients) {
            return Err(format!("there must be 1 to {MOST_CLIENTS} clients"));
        }
        if self.mortal > self.clients {
            return Err("there are more mortal clients than clients".to_owned());
        }
        if self.events > MOST_EVENTS {
            return Err(format!("there must be at most {MOST_EVENTS} events"));
        }
        Ok(())
    }
}

impl bohr_kernel::scenario::Workload for Workload {
    fn size(&self) -> usize {
        let flags = [self.close, self.errors == Errors::Recorded, self.observe != Observe::Nothing];
        let flags = flags.into_iter().filter(|flag| *flag).count();
        4 * self.clients + 2 * self.mortal + 2 * self.events as usize + flags
    }

    fn shrink(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut try_with = |change: fn(&mut Workload)| {
            let mut changed = self.clone();
            change(&mut changed);
            if changed != *self && changed.check().is_ok() {
                smaller.push(changed);
            }
        };
        try_with(|w| w.clients -= 1);
        try_with(|w| {
            w.clients -= 1;
            w.mortal = w.mortal.saturating_sub(1);
        });
        try_with(|w| w.events /= 2);
        try_with(|w| w.events = w.events.saturating_sub(1));
        try_with(|w| w.mortal = w.mortal.saturating_sub(1));
        try_with(|w| w.close = false);
        try_with(|w| w.errors = Errors::Quiet);
        try_with(|w| w.observe = Observe::Nothing);
        smaller
    }

    fn only_observes(&self) -> bool {
        self.observe != Observe::Nothing
    }
}

impl<'a> Arbitrary<'a> for Workload {
    /// Nothing is observed: the correct forms hold on each of these.
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let clients = u.int_in_range(1..=3)?;
        Ok(Workload {
            clients,
            mortal: u.int_in_range(0..=clients)?,
            events: u.int_in_range(0..=4)?,
            close: u.arbitrary()?,
            errors: *u.choose(&[Errors::Quiet, Errors::Recorded])?,
            observe: Observe::Nothing,
        })
    }
}

/// A class.
#[derive(Debug)]
pub struct ClassRow {
    /// Its name.
    pub name: &'static str,
    /// What it is the smallest configuration for.
    pub summary: &'static str,
    /// Its workload.
    pub workload: Workload,
}

const fn quiet(clients: usize, mortal: usize, events: u32, close: bool) -> Workload {
    Workload { clients, mortal, events, close, errors: Errors::Quiet, observe: Observe::Nothing }
}

/// The classes: nine that the verdicts rest on, and three that show what is no part of them.
pub static CLASSES: [ClassRow; 12] = [
    ClassRow {
        name: "burst",
        summary: "a dead client and two events: the latch is tripped once for each",
        workload: quiet(1, 1, 2, false),
    },
    ClassRow {
        name: "doa",
        summary: "a client that is dead when it registers, and one event: tripped before it is armed",
        workload: quiet(1, 1, 1, false),
    },
    ClassRow {
        name: "close",
        summary: "a healthy client and the shutdown: tripped before it is armed, or never",
        workload: quiet(1, 0, 0, true),
    },
    ClassRow {
        name: "fail_close",
        summary: "a dead client, one event and the shutdown: tripped by both",
        workload: quiet(1, 1, 1, true),
    },
    ClassRow {
        name: "burst3_close",
        summary: "a dead client, three events and the shutdown",
        workload: quiet(1, 1, 3, true),
    },
    ClassRow {
        name: "fanout",
        summary: "a dead and a healthy client and two events: the one must not harm the other",
        workload: quiet(2, 1, 2, false),
    },
    ClassRow {
        name: "fanout_close",
        summary: "a dead and a healthy client, one event and the shutdown",
        workload: quiet(2, 1, 1, true),
    },
    ClassRow {
        name: "mixed",
        summary: "a dead and a healthy client, two events and the shutdown: everything at once",
        workload: quiet(2, 1, 2, true),
    },
    ClassRow {
        name: "err",
        summary: "a client that cancels, and two events: what its call returns",
        workload: Workload { errors: Errors::Recorded, ..quiet(1, 1, 2, false) },
    },
    ClassRow {
        name: "late1",
        summary: "observation: a handler that registers after the shutdown waits for ever",
        workload: Workload { observe: Observe::Late, ..quiet(1, 0, 0, true) },
    },
    ClassRow {
        name: "late2",
        summary: "observation: the same with two handlers, where it needs no preemption",
        workload: Workload { observe: Observe::Late, ..quiet(2, 0, 0, true) },
    },
    ClassRow {
        name: "first",
        summary: "observation: the first event goes to nobody",
        workload: Workload { observe: Observe::First, ..quiet(1, 0, 1, false) },
    },
];

impl Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = self.class() {
            return f.write_str(class.name);
        }
        write!(f, "clients={},mortal={},events={}", self.clients, self.mortal, self.events)?;
        let flags = [
            (self.close, "close"),
            (self.errors == Errors::Recorded, "recorded"),
            (self.observe == Observe::Late, "late"),
            (self.observe == Observe::First, "first"),
        ];
        flags.iter().filter(|(set, _)| *set).try_for_each(|(_, word)| write!(f, ",{word}"))
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(class) = CLASSES.iter().find(|class| class.name == text) {
            return Ok(class.workload.clone());
        }
        let mut parts = text.split(',').peekable();
        let mut number = |name: &str| {
            let part = parts.next().unwrap_or_default();
            let value = part.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            let value = value.ok_or_else(|| format!("{part:?} is no class and not {name}=NUMBER"))?;
            value.parse::<u32>().map_err(|_| format!("{value:?} is no number"))
        };
        let (clients, mortal, events) = (number("clients")?, number("mortal")?, number("events")?);
        let mut workload = quiet(clients as usize, mortal as usize, events, false);
        // In this order, and each at most once, so that there is one way to write a workload.
        workload.close = parts.next_if_eq(&"close").is_some();
        if parts.next_if_eq(&"recorded").is_some() {
            workload.errors = Errors::Recorded;
        }
        if parts.next_if_eq(&"late").is_some() {
            workload.observe = Observe::Late;
        } else if parts.next_if_eq(&"first").is_some() {
            workload.observe = Observe::First;
        }
        if let Some(rest) = parts.next() {
            return Err(format!("{rest:?} is none of close, recorded, late, first, in this order"));
        }
        workload.check()?;
        Ok(workload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bohr_kernel::scenario::Workload as _;

    fn check_written(text: &str, expected: Result<&str, &str>) {
        let written = text.parse::<Workload>().map(|workload| workload.to_string());
        assert_eq!(written.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_workload_is_written_in_one_way() {
        check_written(
            "clients=3,mortal=1,events=2,close,recorded",
            Ok("clients=3,mortal=1,events=2,close,recorded"),
        );
        check_written("clients=1,mortal=1,events=2", Ok("burst"));
        check_written("clients=1,mortal=0,events=0,close", Ok("close"));
        check_written("clients=1,mortal=0,events=0,close,late", Ok("late1"));
        check_written(
            "clients=1,mortal=0,events=0,late,close",
            Err("\"close\" is none of close, recorded, late, first, in this order"),
        );
        check_written("clients=1,mortal=2,events=0", Err("there are more mortal clients than clients"));
        check_written("bursts", Err("\"bursts\" is no class and not clients=NUMBER"));
    }

    #[test]
    fn what_is_drawn_and_what_it_shrinks_to_can_be_read_back() {
        for seed in 0..=255_u8 {
            let bytes = [seed, seed.wrapping_mul(31), seed.wrapping_mul(7), seed / 3, seed / 5];
            let drawn = Workload::arbitrary(&mut Unstructured::new(&bytes)).expect("bytes never run out");
            for workload in drawn.shrink().into_iter().chain([drawn.clone()]) {
                assert_eq!(workload.to_string().parse(), Ok(workload.clone()));
                assert!(workload == drawn || workload.size() < drawn.size(), "{drawn} to {workload}");
            }
        }
    }
}
