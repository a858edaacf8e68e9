//! Scenarios: a bug as a program in several variants, its workloads, its oracles, and the verdict
//! that each variant must get.

use crate::{Finding, Program};
use arbitrary::{Arbitrary, Unstructured};
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// A bug from a production system, in all its variants.
pub trait Scenario: Send + Sync + 'static {
    /// What the actors are given to do.
    type Workload: Workload;

    /// What the bug is and where it was reported.
    fn info(&self) -> &'static Info;

    /// The variants, the buggy one first and the fixed one second.
    fn variants(&self) -> &'static [Variant<Self::Workload>];

    /// The oracles.
    fn oracles(&self) -> &'static [Oracle];

    /// The workload classes.
    fn classes(&self) -> Vec<Class<Self::Workload>>;

    /// The id of the oracle that a finding of the kernel (a panic, a race, a deadlock) speaks for.
    fn classify(finding: &Finding) -> Option<&'static str>
    where
        Self: Sized;

    /// The verdict that a variant must get on a workload; nothing if none is stated for it.
    fn expected(&self, variant: &str, workload: &Self::Workload) -> Option<Expected>;
}

/// What a scenario's actors are given to do: data, so that it can be written in a token, fuzzed and
/// shrunk. `Display` and `FromStr` are inverse to each other and use only letters, digits and
/// `-_=+:,@!`; a workload that is a class is written as the class's name.
pub trait Workload:
    Clone + Debug + PartialEq + Display + FromStr<Err: Display> + for<'a> Arbitrary<'a> + Send + Sync + 'static
{
    /// How large it is: shrinking goes down.
    fn size(&self) -> usize;

    /// Smaller workloads to try, in the order in which they promise most.
    fn shrink(&self) -> Vec<Self>;

    /// True if it shows what no form was meant to prevent. Failures on it are stated and checked as all
    /// others, but do not count against a form.
    fn only_observes(&self) -> bool {
        false
    }

    /// True if something outside of the program goes wrong in it: a kill, a power loss, a full disk. Of two ways to
    /// show a failure one without is preferred.
    fn has_faults(&self) -> bool {
        false
    }
}

/// What a bug is and where it was reported.
#[derive(Debug)]
pub struct Info {
    /// The scenario's name, which is also its folder's.
    pub name: &'static str,
    /// The system.
    pub system: &'static str,
    /// The bug in one line.
    pub title: &'static str,
    /// What a user of the system saw.
    pub symptom: &'static str,
    /// The oracle that this violates: a report is about such a failure first.
    pub reported: &'static str,
    /// Why, in a sentence or two.
    pub cause: &'static str,
    /// What the fix does, in a sentence or two.
    pub fix: &'static str,
    /// Upstream's issue and pull requests, by name.
    pub references: &'static [Reference],
}

/// Something upstream.
#[derive(Debug)]
pub struct Reference {
    /// What it is: `report`, `fix`, `introduced by`.
    pub what: &'static str,
    /// Its name: `submariner-io/submariner issue #2872`.
    pub name: &'static str,
    /// Its address.
    pub url: &'static str,
}

/// One form of the program.
#[derive(Debug)]
pub struct Variant<W> {
    /// Its name.
    pub name: &'static str,
    /// What it is there for.
    pub role: Role,
    /// What it is, or what it changes.
    pub summary: &'static str,
    /// Runs it, as the main task.
    pub run: fn(&W),
}

/// What a variant is there for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The code as it was reported.
    Buggy,
    /// The code with this project's fix, which is upstream's where that suffices.
    Fixed,
    /// The code with upstream's fix, where this project's had to go further.
    UpstreamFix,
    /// A plausible wrong fix.
    Mutant,
    /// A correct alternative, which shows that the oracles are not simply strict.
    Control,
}

impl Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Role::Buggy => "buggy",
            Role::Fixed => "fixed",
            Role::UpstreamFix => "upstream fix",
            Role::Mutant => "wrong fix",
            Role::Control => "control",
        })
    }
}

/// An invariant of the scenario.
#[derive(Debug)]
pub struct Oracle {
    /// Its id.
    pub id: &'static str,
    /// When it is checked.
    pub when: When,
    /// What must hold.
    pub claim: &'static str,
}

/// When an oracle is checked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// As it happens.
    Safety,
    /// When all is quiet.
    AtRest,
    /// When nothing more can happen.
    Liveness,
}

/// A named workload.
#[derive(Debug)]
pub struct Class<W> {
    /// Its name, which is also how the workload is written.
    pub name: String,
    /// What it is the smallest configuration for.
    pub summary: &'static str,
    /// The workload.
    pub workload: W,
    /// True if it is among the smallest: quick to exhaust, and the place where proofs are given.
    pub smallest: bool,
}

/// The verdict that a variant must get on a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No finding in any schedule.
    Holds,
    /// Exactly these oracles can be violated, each by some schedule.
    Fails(Vec<Violation>),
}

impl Expected {
    /// What can be violated; nothing if the variant holds.
    pub fn violations(&self) -> &[Violation] {
        match self {
            Expected::Holds => &[],
            Expected::Fails(violations) => violations,
        }
    }

    /// The ids of the oracles that can be violated.
    pub fn oracles(&self) -> impl Iterator<Item = &'static str> {
        self.violations().iter().map(|violation| violation.oracle)
    }
}

/// An oracle that can be violated.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The oracle's id.
    pub oracle: &'static str,
    /// The least number of preemptions that a violating schedule needs, where it is known.
    pub preemptions: Option<u32>,
}

/// A scenario without its types, for the programs that drive all of them. Workloads are written.
pub trait AnyScenario: Send + Sync {
    /// See [`Scenario::info`].
    fn info(&self) -> &'static Info;
    /// See [`Scenario::oracles`].
    fn oracles(&self) -> &'static [Oracle];
    /// The variants' names, roles and summaries.
    fn variants(&self) -> Vec<VariantInfo>;
    /// The classes' names and summaries.
    fn classes(&self) -> Vec<ClassInfo>;
    /// A program; or what is wrong with the variant's name or the workload.
    fn program(&self, variant: &str, workload: &str) -> Result<Program, String>;
    /// See [`Scenario::expected`]; nothing also for what does not exist.
    fn expected(&self, variant: &str, workload: &str) -> Option<Expected>;
    /// See [`Workload::size`].
    fn size(&self, workload: &str) -> usize;
    /// See [`Workload::shrink`].
    fn shrink(&self, workload: &str) -> Vec<String>;
    /// See [`Workload::only_observes`].
    fn only_observes(&self, workload: &str) -> bool;
    /// See [`Workload::has_faults`].
    fn has_faults(&self, workload: &str) -> bool;
    /// A workload out of raw bytes.
    fn arbitrary(&self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<String>;
}

/// A variant, for listing.
#[derive(Copy, Clone, Debug)]
pub struct VariantInfo {
    /// See [`Variant::name`].
    pub name: &'static str,
    /// See [`Variant::role`].
    pub role: Role,
    /// See [`Variant::summary`].
    pub summary: &'static str,
}

/// A workload class, for listing.
#[derive(Clone, Debug)]
pub struct ClassInfo {
    /// See [`Class::name`].
    pub name: String,
    /// See [`Class::summary`].
    pub summary: &'static str,
    /// See [`Class::smallest`].
    pub smallest: bool,
}

impl<S: Scenario> AnyScenario for S {
    fn info(&self) -> &'static Info {
        Scenario::info(self)
    }

    fn oracles(&self) -> &'static [Oracle] {
        Scenario::oracles(self)
    }

    fn variants(&self) -> Vec<VariantInfo> {
        let info = |v: &Variant<S::Workload>| VariantInfo { name: v.name, role: v.role, summary: v.summary };
        Scenario::variants(self).iter().map(info).collect()
    }

    fn classes(&self) -> Vec<ClassInfo> {
        let info =
            |c: Class<S::Workload>| ClassInfo { name: c.name, summary: c.summary, smallest: c.smallest };
        Scenario::classes(self).into_iter().map(info).collect()
    }

    fn program(&self, variant: &str, workload: &str) -> Result<Program, String> {
        let known = Scenario::variants(self).iter().find(|v| v.name == variant);
        let known = known.ok_or_else(|| format!("no variant is called {variant:?}"))?;
        let workload: S::Workload = parse(workload)?;
        let run = known.run;
        Ok(Program::new(move || run(&workload)).classified_by(S::classify))
    }

    fn expected(&self, variant: &str, workload: &str) -> Option<Expected> {
        Scenario::expected(self, variant, &parse(workload).ok()?)
    }

    fn size(&self, workload: &str) -> usize {
        parse::<S::Workload>(workload).map_or(0, |w| w.size())
    }

    fn shrink(&self, workload: &str) -> Vec<String> {
        let smaller = parse::<S::Workload>(workload).map(|w| w.shrink()).unwrap_or_default();
        smaller.iter().map(ToString::to_string).collect()
    }

    fn only_observes(&self, workload: &str) -> bool {
        parse::<S::Workload>(workload).is_ok_and(|w| w.only_observes())
    }

    fn has_faults(&self, workload: &str) -> bool {
        parse::<S::Workload>(workload).is_ok_and(|w| w.has_faults())
    }

    fn arbitrary(&self, bytes: &mut Unstructured<'_>) -> arbitrary::Result<String> {
        S::Workload::arbitrary(bytes).map(|w| w.to_string())
    }
}

fn parse<W: Workload>(text: &str) -> Result<W, String> {
    text.parse().map_err(|e| format!("{text:?} is not a workload: {e}"))
}
