//! Plausible wrong fixes. Some change the hook, some the parts beside it, some both.

use crate::memory::{Lock, Plain};
use crate::queues::{Entry, List, QueueMetrics};
use crate::world::{ConnectionField, Log, MetricsHook, Parts, Process, Request, Response, Transport};
use crate::{buggy, fixed};
use bohr_go::Once;

/// The request counter is atomic. It was never the problem.
pub const COUNTER_ONLY: Parts = Parts { atomic_counter: true, ..Parts::UPSTREAM };

/// Each exec works with a copy of the configuration. The copy holds the same hook.
pub const SHALLOW_CONFIG: Parts = Parts { copy_config: true, ..Parts::UPSTREAM };

/// Each log wrapper reads its inner transport under a mutex; its constructor does not lock.
pub const LOG_LOCK: Parts = Parts { log_lock: true, ..Parts::UPSTREAM };

/// Each dial clones the TLS configuration. Cloning is reading.
pub const TLS_CLONE: Parts = Parts { tls_clone: true, ..Parts::UPSTREAM };

/// A SPDY transport stores and hands over its connection under a mutex.
pub const SPDY_LOCK: Parts = Parts { connection: ConnectionField::Locked, ..Parts::UPSTREAM };

/// As `SPDY_LOCK`, and whoever takes the connection waits for it.
pub const AWAITED: Parts = Parts { connection: ConnectionField::Awaited, ..Parts::UPSTREAM };

/// A SPDY transport attaches its connection to the response.
pub const IN_RESPONSE: Parts = Parts { connection: ConnectionField::InResponse, ..Parts::UPSTREAM };

/// One SPDY transport serves all execs of a configuration.
pub const SHARED_UPGRADER: Parts = Parts { shared_upgrader: true, ..Parts::UPSTREAM };

/// The global round tripper with a mutex around each write of it and around the copy that serves a request:
/// it is never seen half written, and it is still one for all.
pub struct LockedSlot {
    lock: Lock,
    ctx: Plain<bool>,
    rt: Plain<Option<Log>>,
    metrics: Plain<bool>,
}

impl MetricsHook for LockedSlot {
    type RoundTripper = buggy::RoundTripper;

    fn install(process: &Process) -> Self {
        let minds = process.minds;
        LockedSlot {
            lock: Lock::new(minds, "slot.lock"),
            ctx: Plain::new(minds, "slot.ctx", false),
            rt: Plain::new(minds, "slot.rt", None),
            metrics: Plain::new(minds, "slot.metrics", false),
        }
    }

    fn store_metrics(&self) {
        self.metrics.set(true);
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> buggy::RoundTripper {
        let rt = process.wrap_log(log, inner);
        self.lock.lock();
        self.ctx.set(true);
        self.rt.set(Some(rt));
        self.lock.unlock();
        buggy::RoundTripper
    }

    fn round_trip(&self, process: &Process, _: buggy::RoundTripper, request: Request) -> Response {
        self.lock.lock();
        let ctx = self.ctx.get();
        let rt = self.rt.get();
        let metrics = self.metrics.get();
        self.lock.unlock();
        let response = process.send(rt, request);
        if metrics {
            process.count(ctx);
        }
        response
    }
}

/// Each exec keeps what the locked global held before, and puts it back when it is done. It puts it back
/// under the feet of whoever has wrapped meanwhile.
pub struct RestoredSlot(LockedSlot);

impl MetricsHook for RestoredSlot {
    type RoundTripper = buggy::RoundTripper;

    fn install(process: &Process) -> Self {
        RestoredSlot(LockedSlot::install(process))
    }

    fn store_metrics(&self) {
        self.0.store_metrics();
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> buggy::RoundTripper {
        self.0.wrap(process, log, inner)
    }

    fn round_trip(&self, process: &Process, wrapper: buggy::RoundTripper, request: Request) -> Response {
        self.0.round_trip(process, wrapper, request)
    }

    fn save(&self) -> Option<Log> {
        self.0.lock.lock();
        let saved = self.0.rt.get();
        self.0.lock.unlock();
        saved
    }

    fn restore(&self, saved: Option<Log>) {
        self.0.lock.lock();
        self.0.rt.set(saved);
        self.0.lock.unlock();
    }
}

/// The global round tripper is written once. It keeps the first transport it was given, which is not the
/// one that an exec needs.
pub struct FirstWins {
    once: Once,
    ctx: Plain<bool>,
    rt: Plain<Option<Log>>,
    metrics: Plain<bool>,
}

impl MetricsHook for FirstWins {
    type RoundTripper = buggy::RoundTripper;

    fn install(process: &Process) -> Self {
        let minds = process.minds;
        FirstWins {
            once: Once::new("slot.once"),
            ctx: Plain::new(minds, "slot.ctx", false),
            rt: Plain::new(minds, "slot.rt", None),
            metrics: Plain::new(minds, "slot.metrics", false),
        }
    }

    fn store_metrics(&self) {
        self.metrics.set(true);
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> buggy::RoundTripper {
        let rt = process.wrap_log(log, inner);
        self.once.do_once(|| {
            self.ctx.set(true);
            self.rt.set(Some(rt));
        });
        process.minds.saw(());
        buggy::RoundTripper
    }

    fn round_trip(&self, process: &Process, _: buggy::RoundTripper, request: Request) -> Response {
        let ctx = self.ctx.get();
        let rt = self.rt.get();
        let metrics = self.metrics.get();
        let response = process.send(rt, request);
        if metrics {
            process.count(ctx);
        }
        response
    }
}

/// An executor's own transport is not passed through the hook. Its requests then go where they should, and
/// no longer count.
pub struct ExecUnwrapped(buggy::Hook);

/// The global, or a log wrapper that is used directly.
#[derive(Copy, Clone)]
pub enum MaybeWrapped {
    /// The global.
    Slot(buggy::RoundTripper),
    /// A log wrapper.
    Direct(Log),
}

impl MetricsHook for ExecUnwrapped {
    type RoundTripper = MaybeWrapped;

    fn install(process: &Process) -> Self {
        ExecUnwrapped(buggy::Hook::install(process))
    }

    fn store_metrics(&self) {
        self.0.store_metrics();
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> MaybeWrapped {
        MaybeWrapped::Slot(self.0.wrap(process, log, inner))
    }

    fn wrap_executor(&self, process: &Process, log: Log, inner: Transport) -> MaybeWrapped {
        MaybeWrapped::Direct(process.wrap_log(log, inner))
    }

    fn round_trip(&self, process: &Process, wrapper: MaybeWrapped, request: Request) -> Response {
        match wrapper {
            MaybeWrapped::Slot(slot) => self.0.round_trip(process, slot, request),
            MaybeWrapped::Direct(log) => process.send(Some(log), request),
        }
    }
}

/// The fix, but a round tripper copies the metrics handle when it is made. The clients that main makes
/// first copy an empty one.
pub struct EagerHandle {
    metrics: Plain<bool>,
}

/// A round tripper with a handle of its own.
#[derive(Copy, Clone)]
pub struct EagerRoundTripper {
    rt: Log,
    metrics: bool,
}

impl MetricsHook for EagerHandle {
    type RoundTripper = EagerRoundTripper;

    fn install(process: &Process) -> Self {
        EagerHandle { metrics: Plain::new(process.minds, "handle", false) }
    }

    fn store_metrics(&self) {
        self.metrics.set(true);
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> EagerRoundTripper {
        let rt = process.wrap_log(log, inner);
        EagerRoundTripper { rt, metrics: self.metrics.get() }
    }

    fn round_trip(&self, process: &Process, wrapper: EagerRoundTripper, request: Request) -> Response {
        let response = process.send(Some(wrapper.rt), request);
        if wrapper.metrics {
            process.count(true);
        }
        response
    }
}

/// The fix, but main stores the metrics handle only after the workers have started.
pub struct LateHandle(fixed::Hook);

impl MetricsHook for LateHandle {
    type RoundTripper = fixed::RoundTripper;

    const STORES_LATE: bool = true;

    fn install(process: &Process) -> Self {
        LateHandle(fixed::Hook::install(process))
    }

    fn store_metrics(&self) {
        self.0.store_metrics();
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> fixed::RoundTripper {
        self.0.wrap(process, log, inner)
    }

    fn round_trip(&self, process: &Process, wrapper: fixed::RoundTripper, request: Request) -> Response {
        self.0.round_trip(process, wrapper, request)
    }
}

/// An append claims its place in a list that was made large enough with an atomic add, and then writes the
/// element. Whoever scrapes sees the place before the element.
pub struct FetchAdd;

impl QueueMetrics for FetchAdd {
    const PREGROWN: bool = true;

    fn append(list: &List, entry: Entry) {
        let place = list.claim();
        list.element(place).set(Some(entry));
    }

    fn scrape(list: &List) {
        for place in 0..list.claimed() {
            list.element(place).get();
        }
    }
}

/// A mutex around the append, none around the scrape.
pub struct WriterLock;

impl QueueMetrics for WriterLock {
    fn append(list: &List, entry: Entry) {
        fixed::Queues::append(list, entry);
    }

    fn scrape(list: &List) {
        list.walk();
    }
}
