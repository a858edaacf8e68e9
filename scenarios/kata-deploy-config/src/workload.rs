//! What the actors are given to do.
//!
//! A workload is written as the name of its class, or in full:
//!
//! ```text
//! kill-install+kill-cleanup:keys=1:page=16
//! ```
//!
//! that is: the configurations, one of which each run picks by choice, and the parameters that are not as
//! usual: `keys` per runtime, `page` size in bytes, `runtimes` per install, `loads` beside what the
//! configuration has, `restarts` of a failed install, `journal` (a power loss keeps a prefix of the changes
//! of a directory), `late` (cleanup begins only once there is a backup).

use arbitrary::{Arbitrary, Unstructured};
use bohr_kernel::scenario::Class;
use std::fmt::{self, Display};
use std::str::FromStr;

/// The configurations and their parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// One of them is picked in each run. Never empty, in order, each once.
    pub plans: Vec<Plan>,
    /// Keys of each runtime's table, 1 to 5.
    pub keys: u8,
    /// Bytes that one step of a read or write moves.
    pub page: u16,
    /// Runtimes of each install, 1 to 3.
    pub runtimes: u8,
    /// Loads of the configuration by containerd, beside those of the plan.
    pub loads: u8,
    /// How often an install that has failed is started again.
    pub restarts: u8,
    /// Whether a power loss keeps a prefix of a directory's changes, and not any of them.
    pub journal: bool,
    /// Whether cleanup begins only once there is a backup.
    pub late: bool,
}

/// A configuration of actors. Pods have numbers; a larger one is newer.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plan {
    /// Two installs at once, of pods 1 and 2 and of runtimes 1 and 2.
    TwoInstalls,
    /// Three.
    ThreeInstalls,
    /// An install, and containerd loads the configuration once.
    ReadInstall,
    /// Installed; a cleanup, and a load.
    ReadCleanup,
    /// An install; the pod is deleted, and its cleanup runs.
    Delete,
    /// The same, and the whole pod is killed at some later time.
    DeleteKill,
    /// As `Delete`, and then a new pod is made, whose install runs.
    Apply,
    /// As `Apply`, and the first pod is killed at some time after that.
    ApplyKill,
    /// An install is killed at any time; then a cleanup.
    KillInstall,
    /// An install is killed at any time; then two installs at once.
    KillReinstall,
    /// Installed; a cleanup is killed at any time; then another.
    KillCleanup,
    /// An install; the power fails at any time; then a cleanup.
    PowerInstall,
    /// Installed; a cleanup; the power fails at any time; then another.
    PowerCleanup,
    /// An install and a load; one page write may fail because the disk is full.
    DiskFull,
    /// Drop-in mode: a cleanup's edit and an install's.
    DropIn,
}

/// The plans by name.
const PLANS: [(&str, Plan); 15] = [
    ("two-installs", Plan::TwoInstalls),
    ("three-installs", Plan::ThreeInstalls),
    ("read-install", Plan::ReadInstall),
    ("read-cleanup", Plan::ReadCleanup),
    ("delete", Plan::Delete),
    ("delete-kill", Plan::DeleteKill),
    ("apply", Plan::Apply),
    ("apply-kill", Plan::ApplyKill),
    ("kill-install", Plan::KillInstall),
    ("kill-reinstall", Plan::KillReinstall),
    ("kill-cleanup", Plan::KillCleanup),
    ("power-install", Plan::PowerInstall),
    ("power-cleanup", Plan::PowerCleanup),
    ("full-disk", Plan::DiskFull),
    ("import", Plan::DropIn),
];

/// The classes: name, summary, plans, and whether it is among the smallest.
const CLASSES: [(&str, &str, &[Plan], bool); 9] = [
    ("two_installs", "an old and a new pod install at once", &[Plan::TwoInstalls], true),
    ("three_installs", "three pods install at once", &[Plan::ThreeInstalls], false),
    (
        "reader",
        "containerd loads the file while one program runs",
        &[Plan::ReadInstall, Plan::ReadCleanup],
        true,
    ),
    (
        "delete",
        "the pod is deleted, with and without a kill after the grace period",
        &[Plan::Delete, Plan::DeleteKill],
        true,
    ),
    (
        "delete_apply",
        "the pod is deleted and a new one made, as in the report",
        &[Plan::Apply, Plan::ApplyKill],
        false,
    ),
    (
        "kill",
        "one program is killed at any time, and others come after it",
        &[Plan::KillInstall, Plan::KillReinstall, Plan::KillCleanup],
        true,
    ),
    (
        "power_loss",
        "the power fails at any time, and a cleanup comes after it",
        &[Plan::PowerInstall, Plan::PowerCleanup],
        true,
    ),
    ("disk_full", "one page of an install does not fit on the disk", &[Plan::DiskFull], true),
    ("drop_in", "two edits of `imports`", &[Plan::DropIn], true),
];

/// All classes.
pub fn classes() -> Vec<Class<Workload>> {
    let class = |(name, summary, plans, smallest): (&str, &'static str, &[Plan], bool)| Class {
        name: name.to_owned(),
        summary,
        workload: Workload::of(plans),
        smallest,
    };
    CLASSES.into_iter().map(class).collect()
}

impl Workload {
    /// These plans, with the usual parameters.
    pub fn of(plans: &[Plan]) -> Self {
        let mut plans = plans.to_vec();
        plans.sort_unstable();
        plans.dedup();
        Workload { plans, keys: 2, page: 32, runtimes: 1, loads: 0, restarts: 0, journal: false, late: false }
    }

    /// The name of the class that this is.
    pub fn class(&self) -> Option<&'static str> {
        let class = CLASSES.iter().find(|(_, _, plans, _)| Workload::of(plans) == *self);
        class.map(|(name, ..)| *name)
    }
}

impl bohr_kernel::scenario::Workload for Workload {
    fn size(&self) -> usize {
        let actors: usize = self.plans.iter().map(|p| p.actors()).sum();
        let pages = 4 - usize::from(self.page.clamp(1, 4096).ilog2() as u8 / 4);
        let flags = usize::from(self.journal) + usize::from(self.late);
        let counts = [self.keys, self.runtimes, self.loads, self.restarts];
        10 * actors + counts.map(usize::from).iter().sum::<usize>() * 2 + pages + flags
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
        if self.plans.len() > 1 {
            for plan in &self.plans {
                with(&|w| w.plans = vec![*plan]);
            }
        }
        for (plan, less) in [
            (Plan::ThreeInstalls, Plan::TwoInstalls),
            (Plan::ApplyKill, Plan::Apply),
            (Plan::Apply, Plan::Delete),
            (Plan::DeleteKill, Plan::Delete),
            (Plan::KillReinstall, Plan::KillInstall),
        ] {
            if self.plans == [plan] {
                with(&|w| w.plans = vec![less]);
            }
        }
        with(&|w| w.runtimes = w.runtimes.saturating_sub(1));
        with(&|w| w.keys = w.keys.saturating_sub(1));
        with(&|w| w.loads = w.loads.saturating_sub(1));
        with(&|w| w.restarts = w.restarts.saturating_sub(1));
        with(&|w| w.journal = false);
        with(&|w| w.late = false);
        with(&|w| w.page = 4096);
        smaller
    }

    fn has_faults(&self) -> bool {
        self.plans.iter().any(|plan| plan.has_faults())
    }
}

impl Workload {
    fn check(&self) -> Result<(), String> {
        let within = |what: &str, n: u16, least: u16, most: u16| {
            if (least..=most).contains(&n) {
                Ok(())
            } else {
                Err(format!("{what} is {least} to {most}, not {n}"))
            }
        };
        if self.plans.is_empty() || !self.plans.is_sorted_by(|a, b| a < b) {
            return Err("the configurations must be in order, each once".to_owned());
        }
        within("keys", self.keys.into(), 1, 5)?;
        within("page", self.page, 1, 4096)?;
        within("runtimes", self.runtimes.into(), 1, 3)?;
        within("loads", self.loads.into(), 0, 2)?;
        within("restarts", self.restarts.into(), 0, 2)
    }
}

impl Plan {
    /// How many actors it has.
    fn actors(self) -> usize {
        match self {
            Plan::PowerInstall | Plan::PowerCleanup => 1,
            Plan::TwoInstalls | Plan::ReadInstall | Plan::ReadCleanup | Plan::Delete | Plan::DropIn => 2,
            Plan::DiskFull | Plan::KillInstall | Plan::KillCleanup => 2,
            Plan::ThreeInstalls | Plan::DeleteKill | Plan::KillReinstall => 3,
            Plan::Apply => 4,
            Plan::ApplyKill => 5,
        }
    }

    /// Whether something outside of the programs goes wrong.
    fn has_faults(self) -> bool {
        match self {
            Plan::TwoInstalls | Plan::ThreeInstalls | Plan::ReadInstall | Plan::ReadCleanup => false,
            Plan::Delete | Plan::DropIn | Plan::Apply => false,
            Plan::DeleteKill | Plan::ApplyKill => true,
            Plan::KillInstall | Plan::KillReinstall | Plan::KillCleanup => true,
            Plan::PowerInstall | Plan::PowerCleanup | Plan::DiskFull => true,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let plan = PLANS.iter().find(|(_, plan)| *plan == self);
        plan.expect("every plan has a name").0
    }
}

impl Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = self.class() {
            return f.write_str(class);
        }
        let names: Vec<_> = self.plans.iter().map(|p| p.name()).collect();
        f.write_str(&names.join("+"))?;
        let usual = Workload::of(&self.plans);
        let numbers = [
            ("keys", u16::from(self.keys), u16::from(usual.keys)),
            ("page", self.page, usual.page),
            ("runtimes", self.runtimes.into(), usual.runtimes.into()),
            ("loads", self.loads.into(), usual.loads.into()),
            ("restarts", self.restarts.into(), usual.restarts.into()),
        ];
        for (name, value, _) in numbers.into_iter().filter(|(_, value, usual)| value != usual) {
            write!(f, ":{name}={value}")?;
        }
        for (name, _) in [("journal", self.journal), ("late", self.late)].into_iter().filter(|(_, set)| *set)
        {
            write!(f, ":{name}")?;
        }
        Ok(())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, _, plans, _)) = CLASSES.iter().find(|(name, ..)| *name == text) {
            return Ok(Workload::of(plans));
        }
        let mut parts = text.split(':');
        let plan = |name: &str| {
            let plan = PLANS.iter().find(|(known, _)| *known == name);
            plan.map(|(_, plan)| *plan).ok_or_else(|| format!("{name:?} is no class and no configuration"))
        };
        let plans: Result<Vec<_>, _> = parts.next().unwrap_or_default().split('+').map(plan).collect();
        let mut w = Workload { plans: plans?, ..Workload::of(&[]) };
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let number = || value.parse::<u16>().map_err(|_| format!("{name} needs a number, not {value:?}"));
            let small = || number().and_then(|n| u8::try_from(n).map_err(|_| format!("{n} is too large")));
            match name {
                "keys" => w.keys = small()?,
                "page" => w.page = number()?,
                "runtimes" => w.runtimes = small()?,
                "loads" => w.loads = small()?,
                "restarts" => w.restarts = small()?,
                "journal" => w.journal = true,
                "late" => w.late = true,
                _ => return Err(format!("{name:?} is no parameter")),
            }
        }
        w.check()?;
        Ok(w)
    }
}

impl<'a> Arbitrary<'a> for Workload {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (_, plan) = *u.choose(&PLANS)?;
        Ok(Workload {
            keys: u.int_in_range(1..=2)?,
            page: *u.choose(&[32, 16, 64, 4096])?,
            runtimes: u.int_in_range(1..=2)?,
            loads: u.int_in_range(0..=1)?,
            restarts: u.int_in_range(0..=1)?,
            journal: u.arbitrary()?,
            late: u.arbitrary()?,
            ..Workload::of(&[plan])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bohr_kernel::scenario::Workload as _;

    #[test]
    fn a_workload_reads_back_as_it_was_written() {
        let mut bytes = [0u8; 64];
        for seed in 0..=255u8 {
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = seed.wrapping_mul(31).wrapping_add(at as u8).wrapping_mul(97) ^ (seed >> 1);
            }
            let w = Workload::arbitrary(&mut Unstructured::new(&bytes)).expect("there are enough bytes");
            assert_eq!(w.to_string().parse::<Workload>().as_ref(), Ok(&w));
            assert!(w.shrink().iter().all(|s| s.size() < w.size()));
        }
        for class in classes() {
            assert_eq!(class.name.parse::<Workload>().as_ref(), Ok(&class.workload));
            assert_eq!(class.workload.to_string(), class.name);
        }
    }

    #[test]
    fn what_is_no_workload_is_told_why() {
        for (text, why) in [
            ("nothing", "\"nothing\" is no class and no configuration"),
            ("delete:keys=9", "keys is 1 to 5, not 9"),
            ("delete+delete", "the configurations must be in order, each once"),
            ("delete:x=1", "\"x\" is no parameter"),
        ] {
            assert_eq!(text.parse::<Workload>(), Err(why.to_owned()));
        }
    }
}
