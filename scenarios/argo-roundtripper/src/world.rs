//! The shared world: the controller process with its locks, transports and connections, the API server,
//! and the actors. What is here is the same in all forms, but for the [`Parts`] that wrong fixes change.

use crate::memory::{Known, Lock, Minds, Plain};
use crate::oracles::{self, CallRecord, ExecRecord, Ledger};
use crate::queues::{self, QueueMetrics};
use crate::workload::{Requests, Workload};
use bohr_go::{Cond, Nilable, atomic, go};
use bohr_kernel::{Access, MultiOp, Obj, TaskId, at_rest, digest, join};
use std::fmt;
use std::sync::Arc;

/// One form of the metrics wrapper: upstream's `AddMetricsTransportWrapper` and its round tripper.
pub trait MetricsHook: Sized + Send + Sync + 'static {
    /// What a hook makes of a transport, to send requests with.
    type RoundTripper: Copy + Send + Sync + 'static;

    /// False if there are no request metrics.
    const COUNTS: bool = true;

    /// True if main stores the metrics object only after the workers have started.
    const STORES_LATE: bool = false;

    /// Installs the hook on the configuration.
    fn install(process: &Process) -> Self;

    /// Main has made the metrics object, and stores a pointer to it where round trippers find it.
    fn store_metrics(&self);

    /// The hook: wraps a transport.
    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> Self::RoundTripper;

    /// Wraps an executor's own transport. Upstream's is the same hook.
    fn wrap_executor(&self, process: &Process, log: Log, inner: Transport) -> Self::RoundTripper {
        self.wrap(process, log, inner)
    }

    /// Sends a request.
    fn round_trip(&self, process: &Process, wrapper: Self::RoundTripper, request: Request) -> Response;

    /// What an exec keeps of the hook's state, to put it back when it is done: nothing.
    fn save(&self) -> Option<Log> {
        None
    }

    /// Puts back what an exec has kept.
    fn restore(&self, _: Option<Log>) {}
}

/// What stands beside the hook, and what plausible fixes change of it.
#[derive(Copy, Clone, Debug)]
pub struct Parts {
    /// How a SPDY transport hands its connection over.
    pub connection: ConnectionField,
    /// A log wrapper reads its inner transport under a mutex of its own.
    pub log_lock: bool,
    /// A SPDY transport dials with a clone of its TLS configuration.
    pub tls_clone: bool,
    /// The request counter is atomic instead of locked.
    pub atomic_counter: bool,
    /// Each exec works with a shallow copy of the configuration.
    pub copy_config: bool,
    /// One SPDY transport for each configuration instead of one for each exec.
    pub shared_upgrader: bool,
}

/// How a SPDY transport hands its connection over.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ConnectionField {
    /// In a plain field.
    Plain,
    /// In a field under the transport's own mutex.
    Locked,
    /// As `Locked`, and whoever takes it waits until it is there.
    Awaited,
    /// Not at all: it goes along with the response.
    InResponse,
}

impl Parts {
    /// As upstream has them, before and after the fix.
    pub const UPSTREAM: Parts = Parts {
        connection: ConnectionField::Plain,
        log_lock: false,
        tls_clone: false,
        atomic_counter: false,
        copy_config: false,
        shared_upgrader: false,
    };
}

/// A log wrapper, named after what it was made for.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub enum Log {
    /// For a long-lived client, from 0.
    Client(u8),
    /// For the client with which an exec builds its address.
    Address(u8),
    /// For an exec's own transport.
    Executor(u8),
    /// For the client of a builder.
    Builder(u8),
}

/// A transport.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub enum Transport {
    /// The pooled one of all clients.
    Http,
    /// The SPDY transport with this number, from 0.
    Spdy(u8),
}

/// A request, which also names the connection that was dialled for it.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub enum Request {
    /// Of the exec for this pod, from 0.
    Exec(u8),
    /// An ordinary one, from 0.
    Call(u8),
}

/// What the API server answers.
#[derive(Copy, Clone, Debug)]
pub struct Response {
    /// 101, 200 or 400.
    pub status: u16,
    /// The connection, for the forms that attach it.
    pub connection: Option<Request>,
}

/// A transport for SPDY, made for one exec.
#[derive(Copy, Clone)]
struct Spdy {
    tls: Plain<bool>,
    /// Empty by allocation.
    connection: Plain<Option<Request>>,
    lock: Lock,
    stored: Cond<Lock>,
}

#[derive(Copy, Clone)]
struct LogWrapper {
    inner: Plain<Option<Transport>>,
    /// For the form that locks.
    lock: Option<Lock>,
}

#[derive(Copy, Clone)]
enum Counter {
    Locked(Lock),
    Atomic(atomic::Int64, Obj<Known>),
}

/// A connection that a request dials, or the exchange on a pooled one. Both ends are here: whoever
/// speaks through it is ordered with nobody.
#[derive(Copy, Clone, Default, Hash)]
struct Connection {
    sessions: u8,
    closed: bool,
}

/// All of the controller process but the hook.
///
/// Everything is made before the first task starts, so that it has the same number in every run. Only its
/// contents are written when and by whom upstream writes them.
pub struct Process {
    workload: Requests,
    parts: Parts,
    /// For the memory of hooks.
    pub minds: Minds,
    queue: Lock,
    logger: Lock,
    cache: Lock,
    pool: Lock,
    counter: Counter,
    /// Beside each other: what each log wrapper was made for, and the wrapper.
    places: Vec<Log>,
    logs: Vec<LogWrapper>,
    spdy: Vec<Spdy>,
    /// True once the transport that all execs share has been made.
    shared_made: Plain<bool>,
    connections: Vec<Obj<Connection>>,
    ledger: Obj<Ledger>,
}

struct Config<H> {
    hook: Arc<H>,
}

impl<H> Clone for Config<H> {
    fn clone(&self) -> Self {
        Config { hook: Arc::clone(&self.hook) }
    }
}

struct World<H: MetricsHook> {
    process: Process,
    config: Config<H>,
    clients: Vec<H::RoundTripper>,
}

/// Runs one form, as the main task.
pub fn run<H: MetricsHook, Q: QueueMetrics>(workload: &Workload, parts: Parts) {
    match workload {
        Workload::Requests(requests) => run_requests::<H>(requests, parts),
        Workload::Queues(actors) => queues::run::<Q>(actors),
    }
}

fn run_requests<H: MetricsHook>(workload: &Requests, parts: Parts) {
    let process = Process::new(workload, parts);
    let hook = Arc::new(H::install(&process));
    let clients = (0..workload.clients()).map(|c| hook.wrap(&process, Log::Client(c), Transport::Http));
    let clients = clients.collect();
    if !H::STORES_LATE {
        hook.store_metrics();
    }
    let world = Arc::new(World { process, config: Config { hook }, clients });
    let actors = World::start(&world);
    actors.into_iter().for_each(join);
    at_rest(move || {
        let written_again = world.process.written_again();
        oracles::judge(&world.process.ledger.peek(Clone::clone), H::COUNTS, written_again);
    });
}

impl<H: MetricsHook> World<H> {
    fn start(self: &Arc<Self>) -> Vec<TaskId> {
        let Requests { workers, callers, builders, .. } = self.process.workload;
        let mut actors = Vec::new();
        for worker in 0..workers {
            let world = Arc::clone(self);
            actors.push(go(format!("worker {}", worker + 1), move || world.work(worker)));
        }
        for caller in 0..callers {
            let world = Arc::clone(self);
            actors.push(go(format!("caller {}", caller + 1), move || world.call(caller)));
        }
        for builder in 0..builders {
            let world = Arc::clone(self);
            actors.push(go(format!("builder {}", builder + 1), move || world.build(builder)));
        }
        if H::STORES_LATE {
            let world = Arc::clone(self);
            actors.push(go("startup", move || world.config.hook.store_metrics()));
        }
        actors
    }

    fn work(&self, worker: u8) {
        let Requests { execs, ordered, .. } = self.process.workload;
        let pods = worker * execs..(worker + 1) * execs;
        if ordered {
            let prepared: Vec<_> = pods.clone().map(|pod| self.prepare(pod)).collect();
            pods.zip(prepared).for_each(|(pod, prepared)| self.stream(pod, prepared));
        } else {
            for pod in pods {
                let prepared = self.prepare(pod);
                self.stream(pod, prepared);
            }
        }
    }

    /// Makes a client for the address, and an executor. Gives the executor, and what to restore.
    fn prepare(&self, pod: u8) -> (H::RoundTripper, Option<Log>) {
        let process = &self.process;
        let copy = process.parts.copy_config.then(|| self.config.clone());
        let hook = &copy.as_ref().unwrap_or(&self.config).hook;
        process.queue.pass();
        process.logger.pass();
        let saved = hook.save();
        process.cache.pass();
        let _ = hook.wrap(process, Log::Address(pod), Transport::Http);
        process.logger.pass();
        let own = process.make_spdy(pod);
        (hook.wrap_executor(process, Log::Executor(pod), own), saved)
    }

    /// Sends the exec, takes the connection, and runs the command.
    fn stream(&self, pod: u8, (executor, saved): (H::RoundTripper, Option<Log>)) {
        let (process, hook) = (&self.process, &self.config.hook);
        let response = hook.round_trip(process, executor, Request::Exec(pod));
        let outcome = if response.status == 101 {
            let connection = process.take_connection(pod, response);
            process.run_command(pod, Nilable::from(connection))
        } else {
            Err("unable to upgrade connection: Upgrade request required")
        };
        process.ledger.poke(|ledger| ledger.execs[pod as usize].outcome = Some(outcome));
        hook.restore(saved);
        process.logger.pass();
        process.queue.pass();
    }

    fn call(&self, caller: u8) {
        let calls = self.process.workload.calls;
        for call in caller * calls..(caller + 1) * calls {
            self.config.hook.round_trip(&self.process, self.clients[caller as usize], Request::Call(call));
        }
    }

    fn build(&self, builder: u8) {
        self.process.cache.pass();
        let _ = self.config.hook.wrap(&self.process, Log::Builder(builder), Transport::Http);
    }
}

impl Process {
    fn new(workload: &Requests, parts: Parts) -> Self {
        let minds = Minds::new();
        let lock = |name: &str| Lock::new(minds, name);
        let log_wrapper = |log: Log| LogWrapper {
            inner: Plain::new(minds, format!("{log}.inner"), None),
            lock: parts.log_lock.then(|| lock(&format!("{log}.lock"))),
        };
        let spdy = |number: u8| {
            let name = Transport::Spdy(number);
            let own = lock(&format!("{name}.lock"));
            Spdy {
                tls: Plain::new(minds, format!("{name}.tls"), false),
                connection: Plain::new(minds, format!("{name}.conn"), None),
                lock: own,
                stored: Cond::new(format!("{name}.stored"), own),
            }
        };
        let counter = if parts.atomic_counter {
            let passes = Obj::create("ghost", "counter", Known::default());
            Counter::Atomic(atomic::Int64::new("counter", 0), passes)
        } else {
            Counter::Locked(lock("counter.mutex"))
        };
        let execs = workload.workers * workload.execs;
        let calls = workload.callers * workload.calls;
        let connection = |of: Request| Obj::create("connection", of.connection(), Connection::default());
        let requests = (0..execs).map(Request::Exec).chain((0..calls).map(Request::Call));
        let transports = if parts.shared_upgrader { 1 } else { execs };
        let own = |pod| Transport::Spdy(if parts.shared_upgrader { 0 } else { pod });
        let exec = |pod| ExecRecord { own: own(pod), carried: None, outcome: None, runs: 0 };
        let call = CallRecord { carried: None };
        let ledger = Ledger {
            execs: (0..execs).map(exec).collect(),
            calls: vec![call; calls as usize],
            ..Ledger::default()
        };
        let places = workload.logs();
        Process {
            workload: *workload,
            parts,
            minds,
            queue: lock("queue.mutex"),
            logger: lock("logger.mutex"),
            cache: lock("transport cache.mutex"),
            pool: lock("H.pool.mutex"),
            counter,
            logs: places.iter().copied().map(log_wrapper).collect(),
            places,
            spdy: (0..transports).map(spdy).collect(),
            shared_made: Plain::new(minds, "shared transport made", false),
            connections: requests.map(connection).collect(),
            ledger: Obj::create("ledger", "ledger", ledger),
        }
    }

    /// All log wrappers there will be.
    pub fn logs(&self) -> &[Log] {
        &self.places
    }

    /// The log wrapper's hook: makes a log wrapper around a transport.
    pub fn wrap_log(&self, log: Log, inner: Transport) -> Log {
        self.log(log).inner.set(Some(inner));
        log
    }

    /// Sends a request through a log wrapper and the transport in it; nothing was wrapped if there is no
    /// wrapper. At the level that is on by default the log wrapper writes no line.
    pub fn send(&self, log: Option<Log>, request: Request) -> Response {
        let wrapper = self.log(*Nilable::from(log).get());
        if let Some(lock) = wrapper.lock {
            lock.lock();
        }
        let inner = wrapper.inner.get();
        if let Some(lock) = wrapper.lock {
            lock.unlock();
        }
        match *Nilable::from(inner).get() {
            Transport::Http => self.send_pooled(request),
            Transport::Spdy(number) => self.send_spdy(number, request),
        }
    }

    fn send_pooled(&self, request: Request) -> Response {
        self.pool.pass();
        // The server answers an exec without upgrade headers with an error.
        let status = if matches!(request, Request::Exec(_)) { 400 } else { 200 };
        let exchange = self.connection(request);
        MultiOp::new("send, answer").touch(exchange, Access::Write).run(|objects, cx| {
            cx.note(|| format!("{} through H: {status}", request.what()));
            self.carried(objects.get_mut(self.ledger), request, Transport::Http);
        });
        self.minds.saw(());
        Response { status, connection: None }
    }

    fn send_spdy(&self, number: u8, request: Request) -> Response {
        let spdy = self.spdy[number as usize];
        // With `tls_clone` it is the clone that is used from here on, and making it is this read.
        spdy.tls.get();
        // The server takes an exec with upgrade headers, and does not mind them in an ordinary call.
        let status = if matches!(request, Request::Exec(_)) { 101 } else { 200 };
        let dialled = self.connection(request);
        MultiOp::new("dial, send, answer").touch(dialled, Access::Write).run(|objects, cx| {
            cx.note(|| format!("{} through {}: {status}", request.what(), Transport::Spdy(number)));
            let ledger = objects.get_mut(self.ledger);
            self.carried(ledger, request, Transport::Spdy(number));
            ledger.dialled.push(request);
        });
        self.minds.saw(());
        let connection = match self.parts.connection {
            ConnectionField::Plain => {
                spdy.connection.set(Some(request));
                None
            }
            ConnectionField::Locked => {
                spdy.lock.lock();
                spdy.connection.set(Some(request));
                spdy.lock.unlock();
                None
            }
            ConnectionField::Awaited => {
                spdy.lock.lock();
                spdy.connection.set(Some(request));
                spdy.stored.broadcast();
                spdy.lock.unlock();
                None
            }
            ConnectionField::InResponse => Some(request),
        };
        Response { status, connection }
    }

    /// Adds 1 to the request counter, with a context that is set or not.
    pub fn count(&self, ctx: bool) {
        match self.counter {
            Counter::Locked(lock) => lock.pass(),
            Counter::Atomic(number, passes) => {
                number.add(1);
                self.minds.pass(passes);
            }
        }
        self.ledger.poke(|ledger| {
            ledger.counted += 1;
            ledger.without_ctx += u32::from(!ctx);
        });
    }

    /// Makes an executor's own transport, with its own TLS configuration.
    fn make_spdy(&self, pod: u8) -> Transport {
        if !self.parts.shared_upgrader {
            self.spdy[pod as usize].tls.set(true);
            return Transport::Spdy(pod);
        }
        self.cache.lock();
        if !self.shared_made.get() {
            self.spdy[0].tls.set(true);
            self.shared_made.set(true);
        }
        self.cache.unlock();
        Transport::Spdy(0)
    }

    /// Takes the connection from the executor's own transport, whichever carried the request.
    fn take_connection(&self, pod: u8, response: Response) -> Option<Request> {
        let own = if self.parts.shared_upgrader { 0 } else { pod };
        let spdy = self.spdy[own as usize];
        match self.parts.connection {
            ConnectionField::Plain => spdy.connection.get(),
            ConnectionField::Locked => {
                spdy.lock.lock();
                let connection = spdy.connection.get();
                spdy.lock.unlock();
                connection
            }
            ConnectionField::Awaited => {
                spdy.lock.lock();
                let mut connection = spdy.connection.get();
                while connection.is_none() {
                    spdy.stored.wait();
                    connection = spdy.connection.get();
                }
                spdy.lock.unlock();
                connection
            }
            ConnectionField::InResponse => response.connection,
        }
    }

    /// Opens streams on the connection, and closes it after the command. Without one the process dies:
    /// of the two places where the real one may, this is the first.
    fn run_command(&self, pod: u8, connection: Nilable<Request>) -> Result<u8, &'static str> {
        let taken = *connection.get();
        let object = self.connection(taken);
        let result = MultiOp::new("open session").touch(object, Access::Write).run(|objects, cx| {
            let connection = objects.get_mut(object);
            let again = connection.sessions > 0;
            let closed = connection.closed;
            connection.sessions += 1;
            cx.identify(objects, object, |objects| digest(objects.get(object)));
            let result = match taken {
                Request::Exec(_) if closed => Err("create error stream: EOF"),
                Request::Exec(of) => Ok(of),
                Request::Call(_) => Err("create error stream: Timeout occurred"),
            };
            let own = Request::Exec(pod);
            cx.note(|| format!("{} on {}", own.what(), taken.connection()));
            let ledger = objects.get_mut(self.ledger);
            if let Ok(of) = result {
                ledger.execs[of as usize].runs += 1;
            }
            if taken != own || again {
                ledger.crossed = true;
                cx.violated("O4", oracles::crossed(pod, taken, result));
            }
            result
        });
        self.minds.saw(result.is_ok());
        if result.is_ok() {
            MultiOp::new("close").touch(object, Access::Write).run(|objects, cx| {
                let connection = objects.get_mut(object);
                connection.closed = true;
                cx.identify(objects, object, |objects| digest(objects.get(object)));
                objects.get_mut(self.ledger).closed.push(taken);
            });
            self.minds.saw(());
        }
        result
    }

    fn carried(&self, ledger: &mut Ledger, request: Request, transport: Transport) {
        match request {
            Request::Exec(pod) => ledger.execs[pod as usize].carried = Some(transport),
            Request::Call(call) => ledger.calls[call as usize].carried = Some(transport),
        }
    }

    fn connection(&self, of: Request) -> Obj<Connection> {
        let execs = self.workload.workers * self.workload.execs;
        self.connections[match of {
            Request::Exec(pod) => pod as usize,
            Request::Call(call) => execs as usize + call as usize,
        }]
    }

    fn log(&self, log: Log) -> LogWrapper {
        let place = self.places.iter().position(|l| *l == log);
        self.logs[place.expect("every wrap has its log wrapper")]
    }

    /// What is to be written once and was written more often, if anything was.
    fn written_again(&self) -> Option<String> {
        let mut logs = self.places.iter().zip(&self.logs);
        let mut spdy = self.spdy.iter().zip(0..);
        let log = logs.find(|(_, wrapper)| wrapper.inner.writes() > 1).map(|(log, _)| format!("{log}.inner"));
        log.or_else(|| {
            let (_, number) = spdy.find(|(spdy, _)| spdy.tls.writes() > 1)?;
            Some(format!("{}.tls", Transport::Spdy(number)))
        })
    }
}

impl Request {
    /// What a text calls it.
    pub fn what(self) -> String {
        match self {
            Request::Exec(pod) => format!("exec for pod-{}", pod + 1),
            Request::Call(call) => format!("call {}", call + 1),
        }
    }

    /// What a text calls the connection dialled for it.
    pub fn connection(self) -> String {
        format!("the connection of {}", self.what())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.connection())
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Http => f.write_str("H"),
            Transport::Spdy(number) => write!(f, "T{}", number + 1),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Log::Client(client) => write!(f, "log[client {}]", client + 1),
            Log::Address(pod) => write!(f, "log[address of pod-{}]", pod + 1),
            Log::Executor(pod) => write!(f, "log[exec for pod-{}]", pod + 1),
            Log::Builder(builder) => write!(f, "log[builder {}]", builder + 1),
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
