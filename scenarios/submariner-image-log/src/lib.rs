//! Submariner: two controllers write one plain map of last logged images, and the process dies.
//!
//! Submariner's operator (submariner-io, CNCF) computes image paths very often. So as not to flood its
//! logs it remembers, in one package-global Go map, the last image path per key, and logs a line
//! only when the path changes. Two of its three controllers do so, with one worker each: *S*
//! (submariner) and *D* (servicediscovery). Every call looks up, logs, and then assigns, changed or
//! not, without any lock.
//!
//! - Report: submariner-io/submariner issue #2872 (2024-01-10, 0.16.2). Both operators of two joined
//!   clusters crashed when the broker namespace was deleted and the clusters were joined again.
//! - Introduced by submariner-operator PR #2411. Affected: 0.14.2 to 0.14.9, 0.15.0 to 0.15.5, 0.16.0 to
//!   0.16.2, 0.17.0-m0 to -m3.
//! - Fix: submariner-operator PR #2933 (backport #2934): a `sync.Map` with one atomic `Swap`. First in
//!   0.16.3 and 0.17.0-rc0; 0.14 and 0.15 were never fixed. Nothing had to be added to it here.
//!
//! It is not a panic: `fatal error: concurrent map writes` ends the process whatever recovers. It
//! needs neither equal keys nor a changed image nor a deletion: every call writes, and the map is one
//! object. Re-joining clusters with other broker data deletes both resources at once, and both
//! controllers then repeat their cleanup every 500 ms: that is only where it was seen first.
//!
//! Where to read on: [`buggy`] and [`fixed`], whose difference is the patch; [`mutants`], the wrong
//! fixes; [`controls`], the other right ones; [`world`], the actors; [`workload`], what they are given
//! to do; [`oracles`]; [`expected`], the verdicts.
//!
//! What the model leaves out: the operator's own work between calls (so a run is a few calls and not
//! minutes of re-queue loops), hashing, the formatting of lines, and the evacuation of an old map that
//! grows (`bad map state`; it needs more keys than the operator has). The order of lines of different actors, and whether a
//! first line's previous image is printed as empty or as nil, are no part of any oracle: upstream
//! changed the second and never promised the first.

#![forbid(unsafe_code)]

pub mod buggy;
pub mod controls;
pub mod expected;
pub mod fixed;
pub mod mutants;
pub mod oracles;
pub mod workload;
pub mod world;

use bohr_kernel::Finding;
use bohr_kernel::scenario::{AnyScenario, Class, Expected, Info, Oracle, Reference, Role, Scenario, Variant};
use workload::Workload;

/// The scenario.
#[derive(Copy, Clone, Debug)]
pub struct ImageLog;

/// The scenario, for the programs that drive all of them.
pub fn scenario() -> Box<dyn AnyScenario> {
    Box::new(ImageLog)
}

static INFO: Info = Info {
    name: "submariner-image-log",
    system: "Submariner operator",
    title: "Unsynchronised map of last logged images kills the operator",
    symptom: "the operator exits with `fatal error: concurrent map writes` or `fatal error: concurrent map \
              read and map write` while a cluster is joined again",
    reported: "O1",
    cause: "two controllers look up and assign in one plain Go map without a lock; every call writes, \
            whether the image has changed or not",
    fix: "a sync.Map, with the lookup and the assignment replaced by one atomic Swap; the line is logged \
          after it",
    references: &[
        Reference {
            what: "report",
            name: "submariner-io/submariner issue #2872",
            url: "https://github.com/submariner-io/submariner/issues/2872",
        },
        Reference {
            what: "fix",
            name: "submariner-io/submariner-operator PR #2933",
            url: "https://github.com/submariner-io/submariner-operator/pull/2933",
        },
        Reference {
            what: "backport",
            name: "submariner-io/submariner-operator PR #2934",
            url: "https://github.com/submariner-io/submariner-operator/pull/2934",
        },
        Reference {
            what: "introduced by",
            name: "submariner-io/submariner-operator PR #2411",
            url: "https://github.com/submariner-io/submariner-operator/pull/2411",
        },
    ],
};

macro_rules! variant {
    ($form:ty, $name:literal, $role:ident, $summary:literal) => {
        Variant { name: $name, role: Role::$role, summary: $summary, run: world::run::<$form> }
    };
}

static VARIANTS: [Variant<Workload>; 19] = [
    variant!(buggy::Images, "buggy", Buggy, "lookup, log, assign on a plain map"),
    variant!(fixed::Images, "fixed", Fixed, "one Swap of a sync.Map, then log"),
    variant!(controls::MutexAll, "mutex_all", Control, "one mutex around everything"),
    variant!(
        controls::MutexLogOutside,
        "mutex_log_outside",
        Control,
        "one mutex around lookup and assign; logs after it, by what the locked lookup gave"
    ),
    variant!(
        controls::MutexWriteIfChanged,
        "mutex_write_if_changed",
        Control,
        "one mutex around everything; assigns only a change"
    ),
    variant!(
        controls::CasRetry,
        "cas_retry",
        Control,
        "load and compare-and-swap of a sync.Map until it holds"
    ),
    variant!(
        controls::DoubleChecked,
        "double_checked",
        Control,
        "looks under a read lock, and again under the write lock before it decides"
    ),
    variant!(mutants::WriteLockOnly, "write_lock_only", Mutant, "a mutex around the assign only"),
    variant!(
        mutants::RwlockSplit,
        "rwlock_split",
        Mutant,
        "a read lock around the lookup, a write lock around the assign, nothing around both"
    ),
    variant!(mutants::RlockForWrite, "rlock_for_write", Mutant, "everything under a read lock"),
    variant!(mutants::SyncMapLoadStore, "syncmap_load_store", Mutant, "Load, log, Store of a sync.Map"),
    variant!(
        mutants::SyncMapDeleteStore,
        "syncmap_delete_store",
        Mutant,
        "LoadAndDelete, log, Store of a sync.Map"
    ),
    variant!(
        mutants::LockPerController,
        "lock_per_controller",
        Mutant,
        "a mutex around everything, another for each controller"
    ),
    variant!(mutants::LockPerKey, "lock_per_key", Mutant, "a mutex around everything, another for each key"),
    variant!(mutants::WriteIfChanged, "write_if_changed", Mutant, "no lock; assigns only a change"),
    variant!(
        mutants::LockCleanupOnly,
        "lock_cleanup_only",
        Mutant,
        "a mutex around everything, taken only by cleanups"
    ),
    variant!(mutants::RecoverGuard, "recover_guard", Mutant, "buggy, with a recover around it"),
    variant!(
        mutants::RlockUpgrade,
        "rlock_upgrade",
        Mutant,
        "takes the write lock while it holds the read lock"
    ),
    variant!(mutants::BusySkip, "busy_skip", Mutant, "does nothing if another call is going on"),
];

impl Scenario for ImageLog {
    type Workload = Workload;

    fn info(&self) -> &'static Info {
        &INFO
    }

    fn variants(&self) -> &'static [Variant<Workload>] {
        &VARIANTS
    }

    fn oracles(&self) -> &'static [Oracle] {
        &oracles::ORACLES
    }

    fn classes(&self) -> Vec<Class<Workload>> {
        let class = |name: workload::ClassName| Class {
            name: name.to_string(),
            summary: name.base.summary(),
            workload: name.workload(),
            smallest: !name.mixed && !name.base.is_passes(),
        };
        workload::ClassName::all().into_iter().map(class).collect()
    }

    fn classify(finding: &Finding) -> Option<&'static str> {
        oracles::classify(finding)
    }

    fn expected(&self, variant: &str, workload: &Workload) -> Option<Expected> {
        expected::expected(variant, workload)
    }
}
