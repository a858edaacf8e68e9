//! What the actors are given to do.
//!
//! A workload is written as the name of its class, or in full, in one of two ways. Operations on the
//! queue alone, one script for each caller, and how many of the workers' first deletions fail:
//!
//! ```text
//! U1,C:U0
//! U0!5
//! ```
//!
//! Or the whole controller: the objects that exist before it starts, those that are written once it
//! has synced, and how often the tester looks before the end (`_` for no object):
//!
//! ```text
//! objects=PcSO,writes=oxC,polls=1
//! ```
//!
//! | letter | object |
//! |---|---|
//! | `p` `P` | pod A, unscheduled or with its node set |
//! | `q` `Q` | pod B |
//! | `c` `C` | the claim, not allocated, or allocated with the pods as its consumers |
//! | `x` | removes the claim |
//! | `s` `S` | the slice of generation 1, untainted or tainted |
//! | `O` `o` | the untainted slice of generation 101, there or removed |

use arbitrary::{Arbitrary, Unstructured};
use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::str::FromStr;

/// What the actors are given to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Any script of a family, by choice.
    Family(Family),
    /// Operations on the queue alone.
    Queue(Calls),
    /// The whole controller.
    Controller(Setup),
}

/// Operations on the queue alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The script of each caller, one or two.
    pub scripts: Vec<Vec<Op>>,
    /// How many of the workers' first delete calls end with an error of the API server.
    pub failures: u8,
}

/// An operation of a caller.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Update with a time in the past.
    U0,
    /// Update with now + 1.
    U1,
    /// Update with now + 2.
    U2,
    /// Cancel, as when the pod was evaluated anew (path C).
    C,
    /// The pod is replaced by one with a new uid; the deletion is handled (path D).
    R,
    /// The pod is replaced, and nobody sees more than an update.
    X,
}

/// The whole controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What exists before the controller starts.
    pub objects: Vec<Write>,
    /// What is written after it has synced, in order.
    pub writes: Vec<Write>,
    /// How often the tester looks at any moment, before it looks a last time at rest.
    pub polls: u8,
}

/// An object in a state, as the tester writes it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Write {
    /// A pod, with its node set or not.
    Pod(PodName, bool),
    /// The claim, allocated or not.
    Claim(bool),
    /// Removes the claim.
    RemoveClaim,
    /// The slice of generation 1, tainted or not.
    Slice(bool),
    /// The untainted slice of generation 101, there or removed.
    Newer(bool),
}

/// The name of a pod: the queue's key.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PodName {
    /// A.
    A,
    /// B.
    B,
}

/// Scripts that belong together.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Family {
    /// One caller, `U0` one to three times.
    K1,
    /// One caller, `U0` and `R`, up to four, an update first.
    K2,
    /// One caller, `U0` and `X`, up to three, an update first.
    K2x,
    /// One caller, `U0`, `U1`, `U2` and `C`, up to three, an update first.
    K3,
    /// Two callers, `U0`, `U1` and `C`: the first up to two, an update first; the second one.
    K4,
}

/// A class.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// What it is there for.
    pub summary: &'static str,
    /// Quick to exhaust.
    pub smallest: bool,
    text: &'static str,
}

const fn named(name: &'static str, text: &'static str, smallest: bool, summary: &'static str) -> Named {
    Named { name, text, smallest, summary }
}

/// The classes. The failure modes' come first, then the four sub-tests, then the families.
pub static CLASSES: [Named; 17] = [
    named(
        "M1",
        "U0,U0",
        true,
        "an update while the work of the one before is in progress: the nil dereference",
    ),
    named("M3", "U0,R,U0", true, "a worker ends after its pod was replaced: it removes the newer entry"),
    named("M4", "U0,X,U0", true, "a replaced pod is taken for the old one: it is never evicted"),
    named("M5", "U1,U0", true, "an update races with a timer that has fired: two workers"),
    named("M6", "U1,C", true, "a cancel races with a timer that has fired: cancelled and evicted"),
    named("M7", "U0,C,U0", true, "a cancel forgets running work: the next update starts a second worker"),
    named("M8", "U0!5", true, "the API server fails five times: the eviction is lost, in every form"),
    named(
        "C-initial",
        "objects=PCS,writes=_,polls=1",
        true,
        "sub-test initial: all exists before the start; the test that does not wait for the event",
    ),
    named(
        "C-add",
        "objects=_,writes=PSC,polls=1",
        true,
        "sub-test add: pod, slice and claim are created; the nil dereference through the controller",
    ),
    named(
        "C-update",
        "objects=pcs,writes=PSC,polls=1",
        true,
        "sub-test update: the pod is scheduled last; it is never evaluated again",
    ),
    named("C-delete", "objects=PcSO,writes=oxC,polls=1", true, "sub-test delete: a newer slice goes away"),
    named("K1", "", true, "one caller, U0 one to three times"),
    named("K2", "", false, "one caller, U0 and R, up to four"),
    named("K2x", "", true, "one caller, U0 and X, up to three"),
    named("K3", "", false, "one caller, U0, U1, U2 and C, up to three"),
    named("K4", "", false, "two callers, U0, U1 and C"),
    named("C-add2", "objects=_,writes=PSCQ,polls=1", false, "like C-add with two pods, the second one last"),
];

impl Named {
    /// Its workload.
    pub fn workload(&self) -> Workload {
        match Family::ALL.iter().find(|f| f.name() == self.name) {
            Some(family) => Workload::Family(*family),
            None => parse(self.text).expect("the classes are well written"),
        }
    }
}

impl Workload {
    /// The name of the class that this is.
    pub fn class(&self) -> Option<&'static str> {
        CLASSES.iter().find(|class| class.workload() == *self).map(|class| class.name)
    }
}

impl Family {
    /// All.
    pub const ALL: [Family; 5] = [Family::K1, Family::K2, Family::K2x, Family::K3, Family::K4];

    fn name(self) -> &'static str {
        match self {
            Family::K1 => "K1",
            Family::K2 => "K2",
            Family::K2x => "K2x",
            Family::K3 => "K3",
            Family::K4 => "K4",
        }
    }

    /// Its scripts, the shortest first.
    pub fn scripts(self) -> Vec<Calls> {
        use Op::{C, R, U0, U1, U2, X};
        let one = |ops: &[Op], longest| {
            scripts(ops, longest).into_iter().map(|script| Calls { scripts: vec![script], failures: 0 })
        };
        match self {
            Family::K1 => one(&[U0], 3).collect(),
            Family::K2 => one(&[U0, R], 4).collect(),
            Family::K2x => one(&[U0, X], 3).collect(),
            Family::K3 => one(&[U0, U1, U2, C], 3).collect(),
            Family::K4 => {
                let second = [U0, U1, C];
                let pairs = scripts(&[U0, U1, C], 2).into_iter().flat_map(|first| {
                    second.map(|op| Calls { scripts: vec![first.clone(), vec![op]], failures: 0 })
                });
                pairs.collect()
            }
        }
    }
}

/// All scripts of these operations up to a length that begin with an update.
fn scripts(ops: &[Op], longest: usize) -> Vec<Vec<Op>> {
    let mut all: Vec<Vec<Op>> = ops.iter().filter(|op| op.updates()).map(|op| vec![*op]).collect();
    let mut last = all.clone();
    for _ in 1..longest {
        let longer =
            |script: &Vec<Op>| ops.iter().map(|op| [script.as_slice(), &[*op]].concat()).collect::<Vec<_>>();
        last = last.iter().flat_map(longer).collect();
        all.extend(last.iter().cloned());
    }
    all
}

impl Op {
    const ALL: [Op; 6] = [Op::U0, Op::U1, Op::U2, Op::C, Op::R, Op::X];

    fn name(self) -> &'static str {
        match self {
            Op::U0 => "U0",
            Op::U1 => "U1",
            Op::U2 => "U2",
            Op::C => "C",
            Op::R => "R",
            Op::X => "X",
        }
    }

    fn updates(self) -> bool {
        matches!(self, Op::U0 | Op::U1 | Op::U2)
    }
}

impl PodName {
    /// The uid of the pod of this name that a tester writes.
    pub fn uid(self) -> u8 {
        match self {
            PodName::A => 1,
            PodName::B => 2,
        }
    }
}

impl Setup {
    /// The pods, each of which must be evicted.
    pub fn pods(&self) -> BTreeSet<PodName> {
        let pod = |write: &Write| match write {
            Write::Pod(name, _) => Some(*name),
            _ => None,
        };
        self.objects.iter().chain(&self.writes).filter_map(pod).collect()
    }

    /// True if it comes to the state in which every pod must be evicted, on a way that a pod's user could
    /// go: one is scheduled at most once.
    fn check(&self) -> Result<(), String> {
        let all: Vec<Write> = self.objects.iter().chain(&self.writes).copied().collect();
        let last = |of: fn(&Write) -> bool| all.iter().rev().find(|write| of(write));
        if self.polls > 2 || all.len() > 10 {
            return Err("too much to do".to_owned());
        }
        if self.pods().is_empty() {
            return Err("there is no pod".to_owned());
        }
        // The tester looks for the events of so many pods, the first of them A.
        if !self.pods().contains(&PodName::A) {
            return Err("there is pod B and no pod A".to_owned());
        }
        for pod in self.pods() {
            let states: Vec<bool> = all
                .iter()
                .filter_map(|w| {
                    matches!(w, Write::Pod(p, _) if *p == pod).then_some(matches!(w, Write::Pod(_, true)))
                })
                .collect();
            if !matches!(states[..], [true] | [false, true]) {
                return Err(format!("pod {pod:?} must be scheduled once, and last"));
            }
        }
        if last(|w| matches!(w, Write::Claim(_) | Write::RemoveClaim)) != Some(&Write::Claim(true)) {
            return Err("the claim must be allocated in the end".to_owned());
        }
        let slice = last(|w| matches!(w, Write::Slice(_))) == Some(&Write::Slice(true));
        if !slice || last(|w| matches!(w, Write::Newer(_))) == Some(&Write::Newer(true)) {
            return Err("the newest slice must be tainted in the end".to_owned());
        }
        if self.objects.iter().any(|w| matches!(w, Write::RemoveClaim | Write::Newer(false))) {
            return Err("nothing can be removed before the start".to_owned());
        }
        let kind = |w: &Write| match w {
            Write::Pod(name, _) => (0, Some(*name)),
            Write::Claim(_) | Write::RemoveClaim => (1, None),
            Write::Slice(_) => (2, None),
            Write::Newer(_) => (3, None),
        };
        let kinds: BTreeSet<_> = self.objects.iter().map(kind).collect();
        if kinds.len() < self.objects.len() {
            return Err("an object exists twice before the start".to_owned());
        }
        Ok(())
    }
}

impl Calls {
    fn check(&self) -> Result<(), String> {
        if self.scripts.is_empty() || self.scripts.len() > 2 {
            return Err("there must be one or two callers".to_owned());
        }
        if self.scripts.iter().any(Vec::is_empty) {
            return Err("a caller has nothing to do".to_owned());
        }
        if self.scripts.iter().map(Vec::len).sum::<usize>() > 8 || self.failures > 9 {
            return Err("too much to do".to_owned());
        }
        // Which of two callers' updates and replacements goes first, nobody could tell afterwards.
        let replaces = |op: &Op| matches!(op, Op::R | Op::X);
        if self.scripts.len() > 1 && self.scripts.iter().flatten().any(replaces) {
            return Err("only a single caller can replace the pod".to_owned());
        }
        Ok(())
    }
}

impl bohr_kernel::scenario::Workload for Workload {
    fn size(&self) -> usize {
        match self {
            Workload::Family(family) => 100 + family.scripts().len(),
            Workload::Queue(calls) => {
                let weight = |op: &Op| match op {
                    Op::U0 | Op::C => 2,
                    Op::U1 | Op::R | Op::X => 3,
                    Op::U2 => 4,
                };
                let ops: usize = calls.scripts.iter().flatten().map(weight).sum();
                ops + calls.scripts.len() + usize::from(calls.failures)
            }
            Workload::Controller(setup) => {
                20 + 2 * setup.writes.len() + setup.objects.len() + usize::from(setup.polls)
            }
        }
    }

    fn shrink(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        match self {
            Workload::Family(family) => smaller.extend(family.scripts().into_iter().map(Workload::Queue)),
            Workload::Queue(calls) => {
                let mut with = |change: &dyn Fn(&mut Calls)| {
                    let mut calls = calls.clone();
                    change(&mut calls);
                    smaller.push(Workload::Queue(calls));
                };
                for caller in 0..calls.scripts.len() {
                    with(&|c| {
                        c.scripts.remove(caller);
                    });
                    for op in 0..calls.scripts[caller].len() {
                        with(&|c| {
                            c.scripts[caller].remove(op);
                        });
                        with(&|c| {
                            let op = &mut c.scripts[caller][op];
                            *op = if *op == Op::U2 { Op::U1 } else { Op::U0 };
                        });
                    }
                }
                with(&|c| c.failures = c.failures.saturating_sub(1));
            }
            Workload::Controller(setup) => {
                let mut with = |change: &dyn Fn(&mut Setup)| {
                    let mut setup = setup.clone();
                    change(&mut setup);
                    smaller.push(Workload::Controller(setup));
                };
                for write in 0..setup.writes.len() {
                    with(&|s| {
                        s.writes.remove(write);
                    });
                    // As if it had been there from the start.
                    with(&|s| {
                        let write = s.writes.remove(write);
                        s.objects.push(write);
                    });
                }
                for object in 0..setup.objects.len() {
                    with(&|s| {
                        s.objects.remove(object);
                    });
                }
                for name in [PodName::A, PodName::B] {
                    with(&|s| {
                        let other = |w: &Write| !matches!(w, Write::Pod(pod, _) if *pod == name);
                        s.objects.retain(other);
                        s.writes.retain(other);
                    });
                }
                with(&|s| s.polls = s.polls.saturating_sub(1));
            }
        }
        smaller.retain(|w| w.size() < self.size() && w.check().is_ok());
        smaller
    }

    fn only_observes(&self) -> bool {
        matches!(self, Workload::Queue(calls) if calls.failures >= LOST)
    }
}

/// After so many failures of the API server in a row an eviction is given up, in every form.
const LOST: u8 = 5;

impl Workload {
    fn check(&self) -> Result<(), String> {
        match self {
            Workload::Family(_) => Ok(()),
            Workload::Queue(calls) => calls.check(),
            Workload::Controller(setup) => setup.check(),
        }
    }
}

impl<'a> Arbitrary<'a> for Workload {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let workload = if u.ratio(1u8, 3u8)? { controller(u)? } else { Workload::Queue(calls(u)?) };
        if workload.check().is_err() {
            return Err(arbitrary::Error::IncorrectFormat);
        }
        Ok(workload)
    }
}

fn calls(u: &mut Unstructured<'_>) -> arbitrary::Result<Calls> {
    let script = |u: &mut Unstructured<'_>, ops: &[Op], longest: u8| {
        let length = u.int_in_range(1..=longest)?;
        (0..length).map(|_| u.choose(ops).copied()).collect::<arbitrary::Result<Vec<_>>>()
    };
    let scripts = if u.arbitrary()? {
        vec![script(u, &Op::ALL, 4)?]
    } else {
        vec![script(u, &Op::ALL[..4], 2)?, script(u, &Op::ALL[..4], 2)?]
    };
    let failures = if u.ratio(1u8, 8u8)? { u.int_in_range(1..=4)? } else { 0 };
    Ok(Calls { scripts, failures })
}

/// The sub-tests, with any of their writes made before the start and the rest in any order.
fn controller(u: &mut Unstructured<'_>) -> arbitrary::Result<Workload> {
    let pods = if u.arbitrary()? { &[PodName::A][..] } else { &[PodName::A, PodName::B][..] };
    let mut objects = Vec::new();
    let mut writes: Vec<Write> = Vec::new();
    for pod in pods {
        match u.int_in_range(0..=2)? {
            0 => objects.push(Write::Pod(*pod, true)),
            1 => writes.push(Write::Pod(*pod, true)),
            _ => {
                objects.push(Write::Pod(*pod, false));
                writes.push(Write::Pod(*pod, true));
            }
        }
    }
    for object in [Write::Claim, Write::Slice] {
        match u.int_in_range(0..=2)? {
            0 => objects.push(object(true)),
            1 => writes.push(object(true)),
            _ => {
                objects.push(object(false));
                writes.push(object(true));
            }
        }
    }
    if u.arbitrary()? {
        objects.push(Write::Newer(true));
        writes.push(Write::Newer(false));
    }
    for last in (1..writes.len()).rev() {
        let other = u.int_in_range(0..=last)?;
        writes.swap(last, other);
    }
    Ok(Workload::Controller(Setup { objects, writes, polls: u.int_in_range(0..=1)? }))
}

impl Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = self.class() {
            return f.write_str(class);
        }
        match self {
            Workload::Family(family) => f.write_str(family.name()),
            Workload::Queue(calls) => {
                for (caller, script) in calls.scripts.iter().enumerate() {
                    let names: Vec<_> = script.iter().map(|op| op.name()).collect();
                    write!(f, "{}{}", if caller == 0 { "" } else { ":" }, names.join(","))?;
                }
                if calls.failures > 0 { write!(f, "!{}", calls.failures) } else { Ok(()) }
            }
            Workload::Controller(Setup { objects, writes, polls }) => {
                let letters = |all: &[Write]| match all {
                    [] => "_".to_owned(),
                    all => all.iter().map(|w| w.letter()).collect(),
                };
                write!(f, "objects={},writes={},polls={polls}", letters(objects), letters(writes))
            }
        }
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match CLASSES.iter().find(|class| class.name == text) {
            Some(class) => Ok(class.workload()),
            None => parse(text),
        }
    }
}

fn parse(text: &str) -> Result<Workload, String> {
    let workload = match text.strip_prefix("objects=") {
        Some(setup) => Workload::Controller(parse_setup(setup)?),
        None => Workload::Queue(parse_calls(text)?),
    };
    workload.check()?;
    Ok(workload)
}

fn parse_calls(text: &str) -> Result<Calls, String> {
    let (scripts, failures) = text.split_once('!').unwrap_or((text, "0"));
    let failures = failures.parse().map_err(|_| format!("{failures:?} is no number of failures"))?;
    let op = |name: &str| {
        let op = Op::ALL.into_iter().find(|op| op.name() == name);
        op.ok_or_else(|| format!("{name:?} is neither a class nor an operation"))
    };
    let script = |text: &str| text.split(',').map(op).collect();
    let scripts = scripts.split(':').map(script).collect::<Result<_, String>>()?;
    Ok(Calls { scripts, failures })
}

fn parse_setup(text: &str) -> Result<Setup, String> {
    let parts = text.split_once(",writes=").and_then(|(objects, rest)| {
        let (writes, polls) = rest.split_once(",polls=")?;
        Some((objects, writes, polls))
    });
    let (objects, writes, polls) = parts.ok_or("it is not objects=...,writes=...,polls=...")?;
    let all = |letters: &str| match letters {
        "_" => Ok(Vec::new()),
        letters => letters.chars().map(Write::of).collect::<Result<Vec<_>, String>>(),
    };
    let polls = polls.parse().map_err(|_| format!("{polls:?} is no number of polls"))?;
    Ok(Setup { objects: all(objects)?, writes: all(writes)?, polls })
}

const LETTERS: [(char, Write); 11] = [
    ('p', Write::Pod(PodName::A, false)),
    ('P', Write::Pod(PodName::A, true)),
    ('q', Write::Pod(PodName::B, false)),
    ('Q', Write::Pod(PodName::B, true)),
    ('c', Write::Claim(false)),
    ('C', Write::Claim(true)),
    ('x', Write::RemoveClaim),
    ('s', Write::Slice(false)),
    ('S', Write::Slice(true)),
    ('o', Write::Newer(false)),
    ('O', Write::Newer(true)),
];

impl Write {
    fn letter(self) -> char {
        let known = LETTERS.iter().find(|(_, write)| *write == self);
        known.expect("every write has a letter").0
    }

    fn of(letter: char) -> Result<Self, String> {
        let known = LETTERS.iter().find(|(l, _)| *l == letter);
        known.map(|(_, write)| *write).ok_or_else(|| format!("{letter:?} is no object"))
    }
}
