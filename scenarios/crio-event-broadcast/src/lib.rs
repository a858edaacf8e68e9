//! CRI-O: the event broadcaster trips a connection's latch twice, and the daemon dies.
//!
//! CRI-O (CNCF) streams container events to its clients, the kubelet among them. Each client's call is
//! served by a handler, which parks until its connection is over; one broadcaster, started by the first
//! handler, sends every event to every registered stream. A stream's death shows only when a send on it
//! fails, and then the broadcaster has to release the handler. In the reported code the latch on which the
//! handler parks is a `sync.WaitGroup`: incremented once for each connection, *after* the connection has
//! become visible, and decremented once for each *failed send*, and once more at the shutdown. Any
//! decrement too many, or too early, panics in the broadcaster and takes the daemon with it.
//!
//! - Report: cri-o issue #9004 (2025-02-13), "GetContainerEvents panics due to race condition".
//! - Introduced by PR #6838 (8b230dec7e). Affected: v1.28.0 to the last v1.32.x.
//! - Fix: PR #9014 (32854c9d19), first in v1.33.0, never back-ported: a channel that is closed through a
//!   `sync.Once`. It leaves a data race on the error that the call returns: the broadcaster writes it
//!   before every trip, also when the handler has been let go and reads it. [`fixed`] writes it inside
//!   the once, which closes that too. PR #10243 (df4b33b651) later changed the order of registration.
//!
//! It is neither a data race nor a lack of atomicity: only the broadcaster ever decrements. What is wrong is
//! the protocol, and a lock around it changes nothing ([`mutants::MutexAround`]).
//!
//! Where to read on: [`buggy`], [`upstream_fix`] and [`fixed`], whose differences are the patches;
//! [`mutants`], the wrong fixes; [`controls`], the other right ones; [`world`], the actors; [`objects`], what
//! they share; [`workload`], what they are given to do; [`oracles`]; [`expected`], the verdicts.
//!
//! What the model leaves out. `Send` never blocks, so flow control that stalls the broadcaster for
//! everybody is not seen. The queue is never full, so no event is dropped on overflow; it is closed once, as
//! the producer's last step (closing it twice is cri-o issues #6626 and #8031). All failures of a stream are
//! of one kind. A panic of the broadcaster ends the run where it happens; upstream its deferred final Range
//! still runs on the way out, lets healthy clients go and panics once more, which nobody lives to see:
//! [`mutants::RecoverLoop`] shows it. Two shortcomings that upstream's fix and this one share are no
//! violations but observations, with classes and oracles of their own: a handler that registers after
//! the final Range waits for ever, and the broadcaster, which is started first, may take an event before
//! the first client is there. [`controls::LateSafe`] has neither.

#![forbid(unsafe_code)]

pub mod buggy;
pub mod controls;
pub mod expected;
pub mod fixed;
pub mod mutants;
pub mod objects;
pub mod oracles;
pub mod upstream_fix;
pub mod workload;
pub mod world;

use bohr_kernel::Finding;
use bohr_kernel::scenario::{AnyScenario, Class, Expected, Info, Oracle, Reference, Role, Scenario, Variant};
use workload::{CLASSES, ClassRow, Workload};

/// The scenario.
#[derive(Copy, Clone, Debug)]
pub struct EventBroadcast;

/// The scenario, for the programs that drive all of them.
pub fn scenario() -> Box<dyn AnyScenario> {
    Box::new(EventBroadcast)
}

static INFO: Info = Info {
    name: "crio-event-broadcast",
    system: "CRI-O",
    title: "The event broadcaster trips a connection's latch twice and kills the daemon",
    symptom: "crio dies with `panic: sync: negative WaitGroup counter` or `panic: sync: WaitGroup is reused \
              before previous Wait has returned` when a client of GetContainerEvents goes away",
    reported: "O1",
    cause: "the broadcaster decrements a connection's WaitGroup for every failed send and once more at the \
            shutdown, although it is incremented once, and only after the connection is visible",
    fix: "a channel that is made before the connection is visible and closed through a sync.Once; here with \
          the call's error written inside the once",
    references: &[
        Reference {
            what: "report",
            name: "cri-o/cri-o issue #9004",
            url: "https://github.com/cri-o/cri-o/issues/9004",
        },
        Reference {
            what: "fix",
            name: "cri-o/cri-o PR #9014",
            url: "https://github.com/cri-o/cri-o/pull/9014",
        },
        Reference {
            what: "introduced by",
            name: "cri-o/cri-o PR #6838",
            url: "https://github.com/cri-o/cri-o/pull/6838",
        },
        Reference {
            what: "order of registration",
            name: "cri-o/cri-o PR #10243",
            url: "https://github.com/cri-o/cri-o/pull/10243",
        },
    ],
};

macro_rules! variant {
    ($form:ty, $name:literal, $role:ident, $summary:literal) => {
        Variant { name: $name, role: Role::$role, summary: $summary, run: world::run::<$form> }
    };
}

static VARIANTS: [Variant<Workload>; 20] = [
    variant!(
        buggy::Events,
        "buggy",
        Buggy,
        "a WaitGroup, armed after it is visible, done for every failed send"
    ),
    variant!(fixed::Events, "fixed", Fixed, "a channel closed once, with the error written inside the once"),
    variant!(
        upstream_fix::Events,
        "upstream_fix",
        UpstreamFix,
        "a channel closed once; the error is written for every failed send"
    ),
    variant!(
        controls::UpstreamStoreFirst,
        "upstream_store_first",
        UpstreamFix,
        "upstream's fix in its later order: store, then start the broadcaster"
    ),
    variant!(
        controls::OnceAdd,
        "onceadd",
        Control,
        "the WaitGroup armed before it is visible; error and done in a once"
    ),
    variant!(
        controls::PlainFlag,
        "plain_flag",
        Control,
        "no once but a plain flag, which only the broadcaster uses"
    ),
    variant!(
        controls::CondFlag,
        "cond_flag",
        Control,
        "flag and error under a mutex, and a condition variable"
    ),
    variant!(
        controls::LateSafe,
        "late_safe",
        Control,
        "fixed, and a handler that comes after the shutdown releases itself"
    ),
    variant!(mutants::AddFirst, "add_first", Mutant, "buggy, but armed before it is visible"),
    variant!(mutants::OnceDone, "once_done", Mutant, "buggy, but done once"),
    variant!(
        mutants::MutexAround,
        "mutex",
        Mutant,
        "buggy, with a mutex over storing and arming, and over done"
    ),
    variant!(mutants::Gosched, "gosched", Mutant, "add_first, and the broadcaster yields behind each done"),
    variant!(
        mutants::RecoverLoop,
        "recover_loop",
        Mutant,
        "add_first, and a panic that leaves the broadcaster is swallowed"
    ),
    variant!(mutants::RecoverDone, "recover_done", Mutant, "add_first, and a panic of done is swallowed"),
    variant!(mutants::Chan, "chan", Mutant, "a channel closed without a once"),
    variant!(mutants::Unbuf, "unbuf", Mutant, "a blocking send on an unbuffered channel"),
    variant!(
        mutants::Select,
        "select",
        Mutant,
        "a send on an unbuffered channel, dropped if nobody waits yet"
    ),
    variant!(mutants::BreakRange, "break_range", Mutant, "upstream's fix; a failed send ends the Range"),
    variant!(mutants::NoDefer, "nodefer", Mutant, "upstream's fix without the final Range"),
    variant!(
        mutants::ErrAfterTrip,
        "err_after_trip",
        Mutant,
        "fixed, but opens first and writes the error second"
    ),
];

impl Scenario for EventBroadcast {
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
        let class = |row: &ClassRow| Class {
            name: row.name.to_owned(),
            summary: row.summary,
            workload: row.workload.clone(),
            smallest: row.workload.clients == 1,
        };
        CLASSES.iter().map(class).collect()
    }

    fn classify(finding: &Finding) -> Option<&'static str> {
        oracles::classify(finding)
    }

    fn expected(&self, variant: &str, workload: &Workload) -> Option<Expected> {
        expected::expected(variant, workload)
    }
}
