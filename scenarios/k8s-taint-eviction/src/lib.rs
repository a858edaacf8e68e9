//! Kubernetes: an update of the taint eviction queue dereferences the nil of work in progress.
//!
//! A controller evicts pods that use a *device* whose slice carries a taint. It hands each pod to a
//! `TimedWorkerQueue`: work whose time has come is started at once, in a goroutine of its own, and the
//! queue's map holds *nil* for it until it ends. The next update for the same pod reads the time of the
//! entry that it finds: of nil, if that work is still going on. The process dies.
//!
//! - Report: kubernetes/kubernetes issue #130940, "[Flaking Test] UT TestEviction/update" (2025-03-20).
//!   Affected: the main branch for about a day, in the development of 1.33; no release.
//! - Fix: kubernetes/kubernetes PR #130947, three changes. F1: an update keeps an entry that is nil. F2:
//!   the test also waits for the event, which is created by another goroutine, later. F3: the pod
//!   handler also looks at a pod whose node was set; a pod that was scheduled last was never evaluated.
//! - What the fix leaves open: the queue forgets work that is cancelled while it runs, ignores that a timer
//!   has fired, removes entries that are not its own, and does not know the pod's uid. [`upstream_fix`] is
//!   clean where fire times are past and handlers run one after the other (level 1: the classes K1 and C);
//!   [`fixed`] has a queue that is clean with timers, cancels, replaced pods and several callers (level 2).
//!
//! It is no data race: every access is under the queue's lock, before and after.
//!
//! Where to read on: [`buggy`] and [`upstream_fix`], whose difference is the patch; [`fixed`];
//! [`mutants`], the wrong and partial fixes; [`controls`], other right ones; [`queue`], what the forms
//! differ in; [`world`], the objects and the steps; [`actors`] and [`tester`]; [`workload`], what they
//! are given to do; [`oracles`]; [`expected`], the verdicts.
//!
//! Clocks: the queue's time is an actor of this model, which fires timers and moves time when all
//! started work has ended, whatever the callers have still to do. The kernel's own time only ends the
//! tester's waits when nothing else can happen; when a run lets a scheduling choice move it
//! (`eager_time`), tests time out that would not, and O12a says nothing.
//!
//! What the model leaves out: claims of several devices, tolerations, the content of status patches,
//! repeated watches and resyncs, the recorder's buffer being full, and the start of the fake client's
//! watches after the first write (a fourth race of the same test, fixed later by PR #131344). Workers'
//! retries are there, but the API server fails only where a workload says so.

#![forbid(unsafe_code)]

pub mod actors;
pub mod buggy;
pub mod controls;
pub mod expected;
pub mod fixed;
pub mod mutants;
pub mod oracles;
pub mod queue;
pub mod tester;
pub mod upstream_fix;
pub mod workload;
pub mod world;

use bohr_kernel::Finding;
use bohr_kernel::scenario::{AnyScenario, Class, Expected, Info, Oracle, Reference, Role, Scenario, Variant};
use workload::Workload;

/// The scenario.
#[derive(Copy, Clone, Debug)]
pub struct TaintEviction;

/// The scenario, for the programs that drive all of them.
pub fn scenario() -> Box<dyn AnyScenario> {
    Box::new(TaintEviction)
}

static INFO: Info = Info {
    name: "k8s-taint-eviction",
    system: "Kubernetes device taint eviction",
    title: "Update of work in progress dereferences the nil that stands for it",
    symptom: "`panic: runtime error: invalid memory address or nil pointer dereference` in \
              TimedWorkerQueue.UpdateWork; or a pod that is never evicted; or a test that misses an event",
    reported: "O1",
    cause: "the queue's map holds nil for work in progress, and an update compares the fire time of \
            whatever entry it finds; the pod handler ignores that a pod was scheduled; the test does not \
            wait for an event that is created asynchronously",
    fix: "an update keeps an entry that is nil; the handler compares the node name; the test waits for the \
          event. Here entries also get a token, a uid and a claim, which closes what upstream's fix left open",
    references: &[
        Reference {
            what: "report",
            name: "kubernetes/kubernetes issue #130940",
            url: "https://github.com/kubernetes/kubernetes/issues/130940",
        },
        Reference {
            what: "fix",
            name: "kubernetes/kubernetes PR #130947",
            url: "https://github.com/kubernetes/kubernetes/pull/130947",
        },
        Reference {
            what: "later, for the queue",
            name: "kubernetes/kubernetes PR #134945",
            url: "https://github.com/kubernetes/kubernetes/pull/134945",
        },
        Reference {
            what: "later, for the queue",
            name: "kubernetes/kubernetes PR #141568",
            url: "https://github.com/kubernetes/kubernetes/pull/141568",
        },
        Reference {
            what: "later, without the queue",
            name: "kubernetes/kubernetes PR #134152",
            url: "https://github.com/kubernetes/kubernetes/pull/134152",
        },
    ],
};

macro_rules! variants {
    ($($name:literal, $role:ident, $queue:ty, $controller:ty, $tester:ty, $summary:literal;)*) => {
        &[$(Variant {
            name: $name,
            role: Role::$role,
            summary: $summary,
            run: actors::run::<$queue, $controller, $tester>,
        }),*]
    };
}

/// Upstream's, before and after.
mod up {
    pub(crate) use crate::upstream_fix::{Controller, Queue, Tester};
}
mod old {
    pub(crate) use crate::buggy::{Controller, Queue, Tester};
}
use controls as right;
use mutants as wrong;

#[rustfmt::skip]
static VARIANTS: &[Variant<Workload>] = variants![
    "buggy", Buggy, old::Queue, old::Controller, old::Tester,
        "an update reads the fire time of nil; a newly scheduled pod is ignored; no wait for the event";
    "fixed", Fixed, fixed::Queue, fixed::Controller, fixed::Tester,
        "entries with a token, a uid and a claim; upstream's handler and test";
    "upstream_fix", UpstreamFix, up::Queue, up::Controller, up::Tester,
        "the nil check (F1), the wait for the event (F2), the compared node name (F3)";
    "without_f1", Mutant, old::Queue, up::Controller, up::Tester, "upstream's fix without the nil check";
    "without_f2", Mutant, up::Queue, up::Controller, old::Tester, "upstream's fix without the wait";
    "without_f3", Mutant, up::Queue, old::Controller, up::Tester, "upstream's fix without the node name";
    "ref_without_f3", Mutant, fixed::Queue, old::Controller, up::Tester, "fixed, without the node name";

    "replace_running", Mutant, wrong::ReplaceRunning, up::Controller, up::Tester,
        "nil: starts another worker";
    "placeholder", Mutant, wrong::Placeholder, up::Controller, up::Tester,
        "a dummy instead of nil, without a timer";
    "zero_timer", Mutant, wrong::ZeroTimer, up::Controller, up::Tester,
        "a dummy instead of nil, with a timer that has fired";
    "keep_nil_after_finish", Mutant, wrong::KeepNilAfterFinish, up::Controller, up::Tester,
        "a worker that ends stores nil";
    "no_delete_at_finish", Mutant, wrong::NoDeleteAtFinish, up::Controller, up::Tester,
        "a worker that ends leaves its entry";
    "start_before_insert", Mutant, wrong::StartBeforeInsert, up::Controller, up::Tester,
        "the worker starts before its entry is stored";
    "drop_all", Mutant, wrong::DropAll, up::Controller, up::Tester, "an update changes no entry";
    "cancel_true_running", Mutant, wrong::CancelTrueRunning, up::Controller, up::Tester,
        "cancelling running work returns true";
    "check_outside_lock", Mutant, wrong::CheckOutsideLock, up::Controller, up::Tester,
        "the nil check in a critical section of its own";
    "lock_gap", Mutant, wrong::LockGap, up::Controller, up::Tester,
        "the lock given up between check and creation";
    "recover_leak", Mutant, wrong::RecoverLeak, up::Controller, up::Tester,
        "the panic recovered, the lock left locked";
    "recover_unlock", Mutant, wrong::RecoverUnlock, up::Controller, up::Tester,
        "the panic recovered, the lock released: as good as the nil check";
    "token_uid", Mutant, wrong::TokenUid, up::Controller, up::Tester, "entries with a token and a uid";
    "token_uid_flag", Mutant, wrong::TokenUidFlag, up::Controller, up::Tester,
        "entries with a token and a uid, workers with a cancelled flag";

    "ref_no_token", Mutant, wrong::RefNoToken, up::Controller, up::Tester,
        "a worker that ends removes any entry";
    "ref_no_claim", Mutant, wrong::RefNoClaim, up::Controller, up::Tester, "workers act without a claim";
    "ref_ignore_uid", Mutant, wrong::RefIgnoreUid, up::Controller, up::Tester, "updates ignore the uid";
    "ref_replace_running", Mutant, wrong::RefReplaceRunning, up::Controller, up::Tester,
        "running: starts another worker";
    "ref_drop_all", Mutant, wrong::RefDropAll, up::Controller, up::Tester, "an update changes no armed entry";
    "ref_cancel_true_running", Mutant, wrong::RefCancelTrueRunning, up::Controller, up::Tester,
        "cancelling running work returns true";
    "ref_no_delete_at_finish", Mutant, wrong::RefNoDeleteAtFinish, up::Controller, up::Tester,
        "a worker that ends leaves its entry";
    "ref_check_outside_lock", Mutant, wrong::RefCheckOutsideLock, up::Controller, up::Tester,
        "the check for running work in a critical section of its own";
    "ref_lock_gap", Mutant, wrong::RefLockGap, up::Controller, up::Tester,
        "the lock given up between check and creation";
    "ref_pending", Control, right::RefPending, up::Controller, up::Tester,
        "started work can be cancelled until it claims its entry";
    "ref_keep_on_delete", Control, right::RefKeepOnDelete, up::Controller, up::Tester,
        "a deleted pod's running work keeps its entry";
    "single_loop", Control, right::SingleLoop, up::Controller, up::Tester,
        "a map from name and uid, and one loop that does all work";

    "always_reevaluate", Mutant, old::Queue, wrong::AlwaysReevaluate, up::Tester,
        "the old queue; every pod update evaluates";
    "always_reevaluate_nil_check", Mutant, up::Queue, wrong::AlwaysReevaluate, up::Tester,
        "upstream's queue; every pod update evaluates, which is right as well";
    "always_reevaluate_reference", Control, fixed::Queue, wrong::AlwaysReevaluate, up::Tester,
        "the fixed queue; every pod update evaluates";
    "own_pod_copy", Mutant, old::Queue, wrong::OwnPodCopy, up::Tester,
        "the old queue; consumers looked up among handled pods, which hides the panic";
    "own_pod_copy_without_f3", Mutant, old::Queue, wrong::OwnPodCopyWithoutNode, up::Tester,
        "the same without the node name";
    "slice_handler_early", Mutant, old::Queue, wrong::SliceHandlerEarly, up::Tester,
        "the old queue; the slice handler does not wait for claims and pods";
    "slice_handler_early_nil_check", Mutant, up::Queue, wrong::SliceHandlerEarly, up::Tester,
        "upstream's queue; the slice handler does not wait, which is right as well";
    "tester_event_only", Mutant, up::Queue, up::Controller, wrong::EventOnly,
        "upstream's; the test waits for the event and not for the metric";
    "tester_sleep", Mutant, up::Queue, up::Controller, wrong::Sleep,
        "upstream's; the test sleeps instead of waiting for the event";
    "tester_at_least_one", Mutant, up::Queue, up::Controller, wrong::AtLeastOne,
        "upstream's; the test takes more for enough";
    "tester_at_least_one_replace", Mutant, wrong::ReplaceRunning, up::Controller, wrong::AtLeastOne,
        "replace_running; the test takes more for enough, and is blind";
    "tester_no_settle", Mutant, up::Queue, up::Controller, wrong::NoSettle,
        "upstream's; the test does not look a second time";
    "tester_no_settle_replace", Mutant, wrong::ReplaceRunning, up::Controller, wrong::NoSettle,
        "replace_running; the test does not look a second time, and is blind";
    "tester_ignore_timeout", Mutant, up::Queue, up::Controller, wrong::IgnoreTimeout,
        "upstream's; a time-out passes";
    "tester_ignore_timeout_without_f3", Mutant, up::Queue, old::Controller, wrong::IgnoreTimeout,
        "without_f3; a time-out passes, and the test is blind";
    "tester_event_at_least_one", Control, fixed::Queue, up::Controller, wrong::EventAtLeastOne,
        "fixed; the test takes more events for enough";
    "tester_event_at_least_one_replace", Mutant, wrong::ReplaceRunning, up::Controller, wrong::EventAtLeastOne,
        "replace_running; the test takes more events for enough, and still sees the second patch";
];

impl Scenario for TaintEviction {
    type Workload = Workload;

    fn info(&self) -> &'static Info {
        &INFO
    }

    fn variants(&self) -> &'static [Variant<Workload>] {
        VARIANTS
    }

    fn oracles(&self) -> &'static [Oracle] {
        &oracles::ORACLES
    }

    fn classes(&self) -> Vec<Class<Workload>> {
        let class = |class: &workload::Named| Class {
            name: class.name.to_owned(),
            summary: class.summary,
            workload: class.workload(),
            smallest: class.smallest,
        };
        workload::CLASSES.iter().map(class).collect()
    }

    fn classify(finding: &Finding) -> Option<&'static str> {
        oracles::classify(finding)
    }

    fn expected(&self, variant: &str, workload: &Workload) -> Option<Expected> {
        expected::expected(variant, workload)
    }
}
