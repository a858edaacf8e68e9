//! Argo Workflows: one global metrics round tripper sends every request through the transport that was
//! wrapped last, and the controller panics.
//!
//! Argo's workflow controller (argoproj, CNCF) counts its requests to the Kubernetes API. To do so it wraps
//! each transport: a *hook* on the client configuration gets a transport and gives back a round tripper, which
//! counts and passes on. In the affected versions the hook gave everybody the same package-global object,
//! and overwrote that object's "next transport" each time. All clients are made with one pooled HTTP
//! transport; but each signal to a container makes a SPDY transport of its own, wraps it, sends a
//! request through the wrapper, and then asks *its own* transport for the connection. Between wrapping and sending
//! somebody else may have wrapped.
//!
//! - Report: argoproj/argo-workflows issue #13637 (2024-09-21): a nil dereference inside the SPDY
//!   library, and race reports.
//! - Introduced by PR #13265 (2024-08-15). Affected: v3.6.0-rc1, and `main` until 2024-09-23. Through v3.5.x
//!   there was one round tripper for each transport.
//! - Fix: PR #13641, first in v3.6.0-rc2: again one round tripper for each transport. It has no lock and
//!   no atomic.
//! - Left open by it: the counter was given a nil context until v4.1.0-rc1 (PRs #15256, #15582), which
//!   OpenTelemetry did not look at; and the append of queue metrics, another race in the same report, was not
//!   touched. [`fixed`] does both, [`upstream_fix`] neither.
//!
//! No failure here needs a data race. The races are symptoms of the one slot, and so are the panic, failed
//! execs, misrouted requests and cross-talk: with every access locked (`all_locks`), or with a single
//! goroutine (class `ordered`), they are all still there.
//!
//! Where to read on: [`buggy`] and [`fixed`], whose difference is the patch; [`mutants`], the wrong fixes;
//! [`controls`], the other right ones; [`world`], the process and its actors; [`queues`], the second race;
//! [`workload`], what the actors are given to do; [`oracles`]; [`expected`], the verdicts; [`memory`].
//!
//! What the model leaves out: dial errors and time-outs; requests that main makes before the metrics exist
//! (upstream does not count them either); the retry of a failed exec (there is none); the SPDY library's own
//! reader goroutine, in which the real process dies about one time in five; that library's own race on pings; the
//! log line that the log wrapper writes at debug level; the gauges' values, which are plain floats. The API
//! server is a function of the request. No happens-before edge goes through it, whereas Go's detector takes
//! network reads and writes as synchronisation and misses races here that it would otherwise see.

#![forbid(unsafe_code)]

pub mod buggy;
pub mod controls;
pub mod expected;
pub mod fixed;
pub mod memory;
pub mod mutants;
pub mod oracles;
pub mod queues;
pub mod upstream_fix;
pub mod workload;
pub mod world;

use bohr_kernel::Finding;
use bohr_kernel::scenario::{AnyScenario, Class, Expected, Info, Oracle, Reference, Role, Scenario, Variant};
use workload::Workload;
use world::Parts;

/// The scenario.
#[derive(Copy, Clone, Debug)]
pub struct RoundTripper;

/// The scenario, for the programs that drive all of them.
pub fn scenario() -> Box<dyn AnyScenario> {
    Box::new(RoundTripper)
}

static INFO: Info = Info {
    name: "argo-roundtripper",
    system: "Argo Workflows",
    title: "One global metrics round tripper routes every request through the transport wrapped last",
    symptom: "the controller panics with `invalid memory address or nil pointer dereference` inside the SPDY \
              library; execs fail, and requests are lost, crossed or misrouted",
    reported: "O2",
    cause: "the metrics wrapper hands the same package-global object to every client and every exec and \
            overwrites its next transport at each wrap, while an exec looks for its connection in its own \
            transport",
    fix: "one wrapper object for each wrapped transport, never changed after it is made; no lock, no atomic",
    references: &[
        Reference {
            what: "report",
            name: "argoproj/argo-workflows issue #13637",
            url: "https://github.com/argoproj/argo-workflows/issues/13637",
        },
        Reference {
            what: "fix",
            name: "argoproj/argo-workflows PR #13641",
            url: "https://github.com/argoproj/argo-workflows/pull/13641",
        },
        Reference {
            what: "introduced by",
            name: "argoproj/argo-workflows PR #13265",
            url: "https://github.com/argoproj/argo-workflows/pull/13265",
        },
        Reference {
            what: "context restored by",
            name: "argoproj/argo-workflows PR #15256",
            url: "https://github.com/argoproj/argo-workflows/pull/15256",
        },
        Reference {
            what: "context restored by",
            name: "argoproj/argo-workflows PR #15582",
            url: "https://github.com/argoproj/argo-workflows/pull/15582",
        },
    ],
};

macro_rules! variant {
    ($name:literal, $role:ident, $hook:ty, $queues:ty, $parts:expr, $summary:literal) => {
        Variant {
            name: $name,
            role: Role::$role,
            summary: $summary,
            run: |workload| world::run::<$hook, $queues>(workload, $parts),
        }
    };
}

#[rustfmt::skip]
static VARIANTS: [Variant<Workload>; 24] = [
    variant!("buggy", Buggy, buggy::Hook, buggy::Queues, Parts::UPSTREAM,
        "one global round tripper, overwritten at each wrap"),
    variant!("fixed", Fixed, fixed::Hook, fixed::Queues, Parts::UPSTREAM,
        "one round tripper for each transport; the context is set, and the lists of gauges are locked"),
    variant!("upstream_fix", UpstreamFix, upstream_fix::Hook, upstream_fix::Queues, Parts::UPSTREAM,
        "one round tripper for each transport; no context, and the lists of gauges as they were"),
    variant!("registry", Control, controls::Registry, fixed::Queues, Parts::UPSTREAM,
        "one global table of transports under a mutex; a round tripper holds its key"),
    variant!("atomic_counter", Control, fixed::Hook, fixed::Queues, controls::ATOMIC_COUNTER,
        "the fix, with an atomic counter"),
    variant!("redundant_locks", Control, fixed::Hook, fixed::Queues, controls::REDUNDANT_LOCKS,
        "the fix, with a mutex in each SPDY transport"),
    variant!("log_only", Control, controls::LogOnly, fixed::Queues, Parts::UPSTREAM,
        "only the log wrapper, no metrics"),
    variant!("counter_only", Mutant, buggy::Hook, buggy::Queues, mutants::COUNTER_ONLY,
        "the counter is atomic"),
    variant!("shallow_cfg", Mutant, buggy::Hook, buggy::Queues, mutants::SHALLOW_CONFIG,
        "each exec works with a copy of the configuration, which holds the same hook"),
    variant!("log_lock", Mutant, buggy::Hook, buggy::Queues, mutants::LOG_LOCK,
        "each log wrapper reads its inner transport under a mutex"),
    variant!("tls_clone", Mutant, buggy::Hook, buggy::Queues, mutants::TLS_CLONE,
        "each dial clones the TLS configuration"),
    variant!("spdy_lock", Mutant, buggy::Hook, buggy::Queues, mutants::SPDY_LOCK,
        "each SPDY transport has a mutex around its connection"),
    variant!("mutex_copy", Mutant, mutants::LockedSlot, buggy::Queues, Parts::UPSTREAM,
        "a mutex around each write of the global and around each copy of it"),
    variant!("all_locks", Mutant, mutants::LockedSlot, buggy::Queues, mutants::SPDY_LOCK,
        "mutex_copy and spdy_lock: no race is left, and all the failures are"),
    variant!("wait_conn", Mutant, mutants::LockedSlot, buggy::Queues, mutants::AWAITED,
        "all_locks, and an exec waits until its transport has a connection"),
    variant!("first_wins", Mutant, mutants::FirstWins, buggy::Queues, Parts::UPSTREAM,
        "the global is written once"),
    variant!("restore_slot", Mutant, mutants::RestoredSlot, buggy::Queues, mutants::SPDY_LOCK,
        "all_locks, and an exec puts back what the global held before it"),
    variant!("conn_in_response", Mutant, mutants::LockedSlot, buggy::Queues, mutants::IN_RESPONSE,
        "mutex_copy, and the connection goes along with the response"),
    variant!("shared_upgrader", Mutant, fixed::Hook, fixed::Queues, mutants::SHARED_UPGRADER,
        "the fix, but one SPDY transport serves all execs"),
    variant!("exec_unwrapped", Mutant, mutants::ExecUnwrapped, buggy::Queues, Parts::UPSTREAM,
        "an exec's own transport is not passed through the hook"),
    variant!("eager_handle", Mutant, mutants::EagerHandle, fixed::Queues, Parts::UPSTREAM,
        "the fix, but a round tripper copies the metrics handle when it is made"),
    variant!("late_handle", Mutant, mutants::LateHandle, fixed::Queues, Parts::UPSTREAM,
        "the fix, but the metrics handle is stored after the workers have started"),
    variant!("queue_fetch_add", Mutant, fixed::Hook, mutants::FetchAdd, Parts::UPSTREAM,
        "the fix, but an append of a gauge claims its place with an atomic add"),
    variant!("queue_writer_lock", Mutant, fixed::Hook, mutants::WriterLock, Parts::UPSTREAM,
        "the fix, but the scrape of gauges does not lock"),
];

impl Scenario for RoundTripper {
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
        let class = |row: &workload::Row| Class {
            name: row.name.to_owned(),
            summary: row.summary,
            workload: row.workload,
            smallest: row.smallest,
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
