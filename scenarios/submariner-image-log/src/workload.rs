//! What the actors are given to do.
//!
//! A workload is written as the name of its class, or in full:
//!
//! ```text
//! swiss-fine-3,z=Z:y=B,S+:k=A:k=B,D-:j=B
//! ```
//!
//! that is: the runtime, the granularity and the number of slots; what the map holds at first (`_` for
//! nothing); and for each actor its controller, `+` if it runs a cleanup and `-` if it reconciles,
//! and its calls.
//!
//! A class's name is `BASE-RUNTIME-GRANULARITY`, with `-mixed` behind if only S and its like run
//! cleanups while D reconciles. Without the later parts it means `swiss`, `fine` (`coarse` for
//! `passes`) and not mixed.

use arbitrary::{Arbitrary, Unstructured};
use bohr_go::map::{Granularity, Layout, Runtime};
use std::collections::BTreeSet;
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

/// The calls, and all that they depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The map's runtime, granularity and number of slots.
    pub layout: Layout,
    /// What the map holds at first.
    pub initial: Vec<(Key, Image)>,
    /// The workers.
    pub actors: Vec<Actor>,
}

/// One worker of one controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Whose worker it is.
    pub controller: Controller,
    /// True if what it does is a cleanup; the code of one variant depends on it.
    pub cleanup: bool,
    /// Its calls: a key, and the image path that was computed for it.
    pub calls: Vec<(Key, Image)>,
}

/// A controller that computes image paths.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Controller {
    /// S.
    Submariner,
    /// D.
    ServiceDiscovery,
}

/// A key: repository, version, image and component in one word.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(&'static str);

/// An image path.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Image(&'static str);

/// The classes' own (k, j, z, y), then the operator's: gateway, routeagent, globalnet, lighthouse agent
/// and nettest, the only one that both controllers use.
const KEYS: [&str; 9] = ["k", "j", "z", "y", "gw", "ra", "gn", "la", "nt"];
const IMAGES: [&str; 12] = ["A", "B", "C", "Z", "G", "R", "N", "L", "T", "U", "V", "W"];
/// What only probes use, by actor.
const PROBES: [&str; MOST_ACTORS] = ["P0", "P1", "P2", "P3"];
const MOST_ACTORS: usize = 4;

impl Image {
    /// A value that no call of a workload has.
    pub fn probe(actor: usize) -> Self {
        Image(PROBES[actor])
    }
}

impl Workload {
    /// The name of an actor: `S`, `D`, or `S2` for a second worker of the submariner controller.
    pub fn name(&self, actor: usize) -> String {
        let of = self.actors[actor].controller;
        let number = self.actors[..=actor].iter().filter(|a| a.controller == of).count();
        if number == 1 { of.to_string() } else { format!("{of}{number}") }
    }

    /// The keys that are called, in order.
    pub fn keys(&self) -> Vec<Key> {
        let keys: BTreeSet<Key> = self.actors.iter().flat_map(|a| &a.calls).map(|(key, _)| *key).collect();
        keys.into_iter().collect()
    }

    /// The class that this is.
    pub fn class(&self) -> Option<ClassName> {
        let alike = |name: &ClassName| {
            (name.runtime, name.granularity) == (self.layout.runtime, self.layout.granularity)
        };
        ClassName::all().into_iter().filter(alike).find(|name| name.workload() == *self)
    }
}

impl bohr_kernel::scenario::Workload for Workload {
    fn size(&self) -> usize {
        let calls: usize = self.actors.iter().map(|a| a.calls.len()).sum();
        let called = self.actors.iter().flat_map(|a| &a.calls);
        let images: BTreeSet<Image> = called.chain(&self.initial).map(|(_, image)| *image).collect();
        let fine = usize::from(self.layout.granularity == Granularity::Fine);
        let keys = self.keys().len();
        let fixed = self.actors.len() + self.initial.len() + self.layout.slots;
        3 * calls + fixed + keys + images.len() + fine
    }

    fn shrink(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut w = self.clone();
            change(&mut w);
            if w.size() < self.size() && w.check().is_ok() {
                smaller.push(w);
            }
        };
        for actor in 0..self.actors.len() {
            with(&|w| {
                w.actors.remove(actor);
            });
            for call in 0..self.actors[actor].calls.len() {
                with(&|w| {
                    w.actors[actor].calls.remove(call);
                });
            }
        }
        for entry in 0..self.initial.len() {
            with(&|w| {
                w.initial.remove(entry);
            });
        }
        with(&|w| w.layout.slots -= 1);
        with(&|w| w.layout.granularity = Granularity::Coarse);
        for (from, to) in [("B", "A"), ("Z", "A"), ("C", "A")] {
            with(&|w| {
                let calls = w.actors.iter_mut().flat_map(|a| &mut a.calls);
                for (_, image) in calls.chain(&mut w.initial).filter(|(_, image)| image.0 == from) {
                    *image = Image(to);
                }
            });
        }
        for (from, to) in [("j", "k"), ("y", "z")] {
            with(&|w| {
                let calls = w.actors.iter_mut().flat_map(|a| &mut a.calls);
                for (key, _) in calls.chain(&mut w.initial).filter(|(key, _)| key.0 == from) {
                    *key = Key(to);
                }
            });
        }
        smaller
    }
}

impl Workload {
    fn check(&self) -> Result<(), String> {
        if self.actors.is_empty() || self.actors.len() > MOST_ACTORS {
            return Err(format!("there must be 1 to {MOST_ACTORS} actors"));
        }
        if self.actors.iter().any(|a| a.calls.is_empty()) {
            return Err("an actor has no calls".to_owned());
        }
        let keys: BTreeSet<Key> = self.initial.iter().map(|(key, _)| *key).collect();
        if keys.len() < self.initial.len() {
            return Err("the map holds a key twice".to_owned());
        }
        if self.layout.slots < self.initial.len().max(1) || self.layout.slots > 8 {
            return Err("there must be as many slots as entries, and 1 to 8".to_owned());
        }
        Ok(())
    }
}

impl<'a> Arbitrary<'a> for Workload {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let pair = |u: &mut Unstructured<'a>, keys: &[&'static str]| {
            Ok((Key(u.choose(keys)?), Image(u.choose(&IMAGES[..4])?)))
        };
        let runtime = *u.choose(&[Runtime::Swiss, Runtime::Hmap])?;
        let granularity = *u.choose(&[Granularity::Fine, Granularity::Coarse])?;
        let mut initial: Vec<(Key, Image)> = Vec::new();
        for _ in 0..u.int_in_range(0..=2)? {
            let entry = pair(u, &KEYS[..4])?;
            if initial.iter().all(|(key, _)| *key != entry.0) {
                initial.push(entry);
            }
        }
        let mut actors = Vec::new();
        for i in 0..u.int_in_range(2..=3)? {
            let controller = if i == 1 { Controller::ServiceDiscovery } else { Controller::Submariner };
            let cleanup = u.arbitrary()?;
            let calls = (0..u.int_in_range(1..=3)?).map(|_| pair(u, &KEYS[..2]));
            actors.push(Actor { controller, cleanup, calls: calls.collect::<arbitrary::Result<_>>()? });
        }
        let spare = u.int_in_range(0..=3)?;
        let slots = (initial.len() + spare).max(1);
        Ok(Workload { layout: Layout { runtime, granularity, slots }, initial, actors })
    }
}

/// What a class is, but for its runtime, granularity and cleanups.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// `steady`
    Steady,
    /// `steady_other`
    SteadyOther,
    /// `fresh_shared`
    FreshShared,
    /// `fresh_empty`
    FreshEmpty,
    /// `change_same`
    ChangeSame,
    /// `change_diverge`
    ChangeDiverge,
    /// `fresh_diverge`
    FreshDiverge,
    /// `revert`
    Revert,
    /// `disjoint`
    Disjoint,
    /// `full_group`
    FullGroup,
    /// `disjoint2`
    Disjoint2,
    /// `multi`
    Multi,
    /// `three`
    Three,
    /// `passes`
    Passes,
    /// `passes_present`
    PassesPresent,
    /// `passes_again`
    PassesAgain,
    /// `passes_changed`
    PassesChanged,
}

struct Row {
    base: Base,
    name: &'static str,
    initial: &'static str,
    calls: &'static [&'static str],
    summary: &'static str,
}

const CLEANUP_S: &str = "S+:gw=G:ra=R:ra=R:gn=N:nt=T:nt=T:nt=T";
const CLEANUP_D: &str = "D+:la=L:nt=T";

#[rustfmt::skip]
const BASES: [Row; 17] = [
    Row { base: Base::Steady, name: "steady", initial: "k=A", calls: &["S+:k=A", "D+:k=A"],
        summary: "nothing changes, one key: the reported situation" },
    Row { base: Base::SteadyOther, name: "steady_other", initial: "k=A:j=B", calls: &["S+:k=A", "D+:j=B"],
        summary: "nothing changes, two keys: the keys need not be equal" },
    Row { base: Base::FreshShared, name: "fresh_shared", initial: "z=Z", calls: &["S+:k=A", "D+:k=A"],
        summary: "both insert the same key: a string half stored, a line twice" },
    Row { base: Base::FreshEmpty, name: "fresh_empty", initial: "_", calls: &["S+:k=A", "D+:k=A"],
        summary: "both insert the same key into an empty map, which no lookup checks" },
    Row { base: Base::ChangeSame, name: "change_same", initial: "k=Z", calls: &["S+:k=A", "D+:k=A"],
        summary: "both make the same change: a torn string, a line twice" },
    Row { base: Base::ChangeDiverge, name: "change_diverge", initial: "k=Z", calls: &["S+:k=A", "D+:k=B"],
        summary: "the controllers disagree about a change: a line missed" },
    Row { base: Base::FreshDiverge, name: "fresh_diverge", initial: "z=Z", calls: &["S+:k=A", "D+:k=B"],
        summary: "the controllers disagree about a new key" },
    Row { base: Base::Revert, name: "revert", initial: "k=A", calls: &["S+:k=A", "D+:k=B"],
        summary: "one changes the image while the other writes the old one back" },
    Row { base: Base::Disjoint, name: "disjoint", initial: "z=Z", calls: &["S+:k=A", "D+:j=B"],
        summary: "two new keys: an insert lost" },
    Row { base: Base::FullGroup, name: "full_group", initial: "z=Z", calls: &["S+:k=A", "D+:j=B"],
        summary: "two new keys and one free slot" },
    Row { base: Base::Disjoint2, name: "disjoint2", initial: "z=Z", calls: &["S+:k=A:k=A", "D+:j=B:j=B"],
        summary: "two new keys, twice each: state lost between calls" },
    Row { base: Base::Multi, name: "multi", initial: "z=Z", calls: &["S+:k=A:k=B", "D+:k=B:k=A"],
        summary: "several changes of one key" },
    Row { base: Base::Three, name: "three", initial: "z=Z", calls: &["S+:k=A", "D+:k=B", "S+:k=A"],
        summary: "three calls on one key" },
    Row { base: Base::Passes, name: "passes", initial: "_", calls: &[CLEANUP_S, CLEANUP_D],
        summary: "one cleanup pass of each controller, from an empty map" },
    Row { base: Base::PassesPresent, name: "passes_present", initial: "gw=G:ra=R:gn=N:la=L",
        calls: &[CLEANUP_S, CLEANUP_D],
        summary: "one cleanup pass of each controller of an operator that has been running" },
    Row { base: Base::PassesAgain, name: "passes_again", initial: "_",
        calls: &["S+:gw=G:ra=R:ra=R:gn=N:nt=T:nt=T:nt=T:gw=G:ra=R:ra=R:gn=N:nt=T:nt=T:nt=T",
            "D+:la=L:nt=T:la=L:nt=T"],
        summary: "two cleanup passes of each controller" },
    Row { base: Base::PassesChanged, name: "passes_changed", initial: "_",
        calls: &["S+:gw=G:ra=R:ra=R:gn=N:nt=T:nt=T:nt=T:gw=A:ra=B:ra=B:gn=C:nt=U:nt=U:nt=U",
            "D+:la=L:nt=T:la=V:nt=U"],
        summary: "two cleanup passes of each controller, with other images the second time" },
];

impl Base {
    fn row(self) -> &'static Row {
        let row = BASES.iter().find(|row| row.base == self);
        row.expect("every base has a row")
    }

    /// What the class is there for.
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// True for whole cleanup passes, which are given in coarse steps only.
    pub fn is_passes(self) -> bool {
        self.row().name.starts_with("passes")
    }
}

/// A class.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ClassName {
    /// What it is about.
    pub base: Base,
    /// The map's runtime.
    pub runtime: Runtime,
    /// How finely steps are told apart.
    pub granularity: Granularity,
    /// True if only S and S2 run cleanups.
    pub mixed: bool,
}

impl ClassName {
    /// All classes.
    pub fn all() -> Vec<ClassName> {
        let mut all = Vec::new();
        for mixed in [false, true] {
            for row in &BASES {
                for runtime in [Runtime::Swiss, Runtime::Hmap] {
                    for granularity in [Granularity::Coarse, Granularity::Fine] {
                        let passes = row.base.is_passes();
                        if !(passes && (mixed || granularity == Granularity::Fine)) {
                            all.push(ClassName { base: row.base, runtime, granularity, mixed });
                        }
                    }
                }
            }
        }
        all
    }

    /// The workload of the class.
    pub fn workload(self) -> Workload {
        let row = self.base.row();
        let parsed: Result<Vec<Actor>, String> = row.calls.iter().map(|text| text.parse()).collect();
        let mut actors = parsed.expect("the classes' actors are well written");
        if self.mixed {
            let reconciles = |a: &&mut Actor| a.controller == Controller::ServiceDiscovery;
            actors.iter_mut().filter(reconciles).for_each(|a| a.cleanup = false);
        }
        let initial = pairs(row.initial).expect("the classes' entries are well written");
        let layout = Layout { runtime: self.runtime, granularity: self.granularity, slots: 0 };
        let mut workload = Workload { layout, initial, actors };
        // One more than the keys, so that no assign finds the map full; one more than the entries
        // where that is the point.
        let called = workload.keys();
        let mut keys: BTreeSet<Key> = workload.initial.iter().map(|(key, _)| *key).collect();
        if self.base != Base::FullGroup {
            keys.extend(called);
        }
        workload.layout.slots = keys.len() + 1;
        workload
    }
}

impl Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (runtime, granularity) = (runtime_name(self.runtime), granularity_name(self.granularity));
        let mixed = if self.mixed { "-mixed" } else { "" };
        write!(f, "{}-{runtime}-{granularity}{mixed}", self.base.row().name)
    }
}

impl FromStr for ClassName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('-');
        let name = parts.next().unwrap_or_default();
        let row = BASES.iter().find(|row| row.name == name);
        let base = row.ok_or_else(|| format!("no class is called {name:?}"))?.base;
        let granularity = if base.is_passes() { Granularity::Coarse } else { Granularity::Fine };
        let mut class = ClassName { base, runtime: Runtime::Swiss, granularity, mixed: false };
        for part in parts {
            match part {
                "mixed" => class.mixed = true,
                _ => match (runtime(part), granularity_of(part)) {
                    (Some(runtime), _) => class.runtime = runtime,
                    (_, Some(granularity)) => class.granularity = granularity,
                    _ => return Err(format!("{part:?} is no runtime, granularity or `mixed`")),
                },
            }
        }
        Ok(class)
    }
}

impl Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = self.class() {
            return write!(f, "{class}");
        }
        let Layout { runtime, granularity, slots } = self.layout;
        write!(f, "{}-{}-{slots},", runtime_name(runtime), granularity_name(granularity))?;
        if self.initial.is_empty() {
            f.write_str("_")?;
        }
        for (i, (key, image)) in self.initial.iter().enumerate() {
            write!(f, "{}{key}={image}", if i == 0 { "" } else { ":" })?;
        }
        for actor in &self.actors {
            write!(f, ",{}{}", actor.controller, if actor.cleanup { '+' } else { '-' })?;
            for (key, image) in &actor.calls {
                write!(f, ":{key}={image}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let head = parts.next().unwrap_or_default();
        let Some(entries) = parts.next() else {
            return head.parse::<ClassName>().map(ClassName::workload);
        };
        let [first, second, third] = head.split('-').collect::<Vec<_>>()[..] else {
            return Err(format!("{head:?} is not RUNTIME-GRANULARITY-SLOTS"));
        };
        let runtime = runtime(first).ok_or_else(|| format!("{first:?} is no runtime"))?;
        let granularity = granularity_of(second).ok_or_else(|| format!("{second:?} is no granularity"))?;
        let slots = third.parse().map_err(|_| format!("{third:?} is no number of slots"))?;
        let initial = pairs(entries)?;
        let actors = parts.map(str::parse).collect::<Result<_, _>>()?;
        let workload = Workload { layout: Layout { runtime, granularity, slots }, initial, actors };
        workload.check()?;
        Ok(workload)
    }
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (head, calls) = text.split_once(':').ok_or_else(|| format!("{text:?} has no calls"))?;
        let (controller, cleanup) = match head {
            "S+" => (Controller::Submariner, true),
            "S-" => (Controller::Submariner, false),
            "D+" => (Controller::ServiceDiscovery, true),
            "D-" => (Controller::ServiceDiscovery, false),
            _ => return Err(format!("{head:?} is none of S+ S- D+ D-")),
        };
        Ok(Actor { controller, cleanup, calls: pairs(calls)? })
    }
}

fn pairs(text: &str) -> Result<Vec<(Key, Image)>, String> {
    if text == "_" {
        return Ok(Vec::new());
    }
    let pair = |pair: &str| {
        let (key, image) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is not KEY=IMAGE"))?;
        let key = KEYS.iter().find(|k| **k == key).ok_or_else(|| format!("no key is called {key:?}"))?;
        let known = IMAGES.iter().find(|i| **i == image);
        Ok((Key(key), Image(known.ok_or_else(|| format!("no image is called {image:?}"))?)))
    };
    text.split(':').map(pair).collect()
}

fn runtime_name(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Swiss => "swiss",
        Runtime::Hmap => "old",
    }
}

fn runtime(name: &str) -> Option<Runtime> {
    [Runtime::Swiss, Runtime::Hmap].into_iter().find(|r| runtime_name(*r) == name)
}

fn granularity_name(granularity: Granularity) -> &'static str {
    match granularity {
        Granularity::Fine => "fine",
        Granularity::Coarse => "coarse",
    }
}

fn granularity_of(name: &str) -> Option<Granularity> {
    [Granularity::Fine, Granularity::Coarse].into_iter().find(|g| granularity_name(*g) == name)
}

impl Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Controller::Submariner => "S",
            Controller::ServiceDiscovery => "D",
        })
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
