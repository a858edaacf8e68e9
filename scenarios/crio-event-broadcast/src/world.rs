//! The shared world: handlers, the broadcaster, the producer, and dying clients.

use crate::objects::{Event, Ledger, Line, Queue, Registry, Signal, States};
use crate::oracles::{self, Judge};
use crate::workload::{Errors, Workload};
use bohr_go::{Once, go, recover};
use bohr_kernel::{Blocked, Obj, Var, at_rest, spawn, when_blocked};
use std::sync::Arc;

/// One form of the event server.
pub trait Form: Sized + Send + Sync + 'static {
    /// What a handler waits on.
    type Latch: Copy + Send + Sync + 'static;

    /// The form's own state.
    fn new() -> Self;

    /// A handler's first half: makes the connection's record and shows it to the broadcaster.
    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Self::Latch>;

    /// Waits until the connection is over.
    fn wait(conn: &Conn<Self::Latch>);

    /// The broadcaster could not send.
    fn send_failed(conn: &Conn<Self::Latch>, error: SendError);

    /// The broadcaster ends, and with it the connection.
    fn broadcast_over(conn: &Conn<Self::Latch>);

    /// The broadcaster. The final Range is deferred upstream; a panic, which would run it too, ends the
    /// process here at once.
    fn broadcast_events(server: &Server<Self>) {
        server.event_loop(|event| server.send_to_all(event));
        server.final_range();
    }
}

/// What is stored for a connection.
#[derive(Debug)]
pub struct Conn<L> {
    /// What the handler waits on.
    pub latch: L,
    /// The result of the call: plain memory.
    err: Var<Option<SendError>>,
    stream: Stream,
}

impl<L: Copy> Copy for Conn<L> {}
impl<L: Copy> Clone for Conn<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Conn<L> {
    /// A record without an error.
    #[track_caller]
    pub fn new(stream: Stream, latch: L) -> Self {
        Conn { latch, err: Var::new(format!("err {}", stream.client + 1), None), stream }
    }

    /// Writes the error.
    #[track_caller]
    pub fn set_err(&self, error: SendError) {
        self.err.set(Some(error));
        self.stream.line.remember(|line| line.writes += 1);
    }
}

/// Why a send failed: the same for all sends of a workload.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum SendError {
    /// `transport is closing`: the connection was lost.
    Closing,
    /// `context canceled`: the client did not want any more.
    Canceled,
}

impl SendError {
    /// The error, if it is one that the call is to return.
    pub fn recorded(self) -> Option<SendError> {
        (self == SendError::Canceled).then_some(self)
    }
}

/// The stream to a client.
#[derive(Copy, Clone, Debug)]
pub struct Stream {
    /// The client's place among the clients.
    pub client: usize,
    /// How states are told apart.
    pub states: States,
    line: Line,
    error: SendError,
    judge: Judge,
}

impl Stream {
    /// A channel for the connection's end.
    #[track_caller]
    pub fn signal(&self) -> Signal {
        Signal::new(self.client, self.states)
    }

    /// A name for something of this client.
    pub fn named(&self, what: &str) -> String {
        format!("{what} {}", self.client + 1)
    }

    /// Sends an event: schedules it, and never blocks.
    ///
    /// # Errors
    /// If the client has died or its handler has returned; for ever.
    #[track_caller]
    pub fn send(&self, event: Event) -> Result<(), SendError> {
        let error = self.error;
        let mut in_order = true;
        let sent = self.line.op("Send", |line, cx| {
            if line.dead || line.returned {
                line.failed = true;
                cx.note(|| format!("event {event}: {error:?}"));
                return Err(error);
            }
            in_order = line.got.last().is_none_or(|last| *last < event);
            line.got.push(event);
            cx.note(|| format!("event {event}"));
            Ok(())
        });
        if !in_order {
            self.judge.violated("O4", format!("client {} got event {event} late or twice", self.client + 1));
        }
        sent
    }
}

/// The server, which all actors share.
pub struct Server<F: Form> {
    /// The form's own state.
    pub form: F,
    workload: Workload,
    states: States,
    ledger: Ledger,
    events: Queue,
    clients: Registry<Conn<F::Latch>>,
    broadcaster: Once,
    streams: Vec<Stream>,
    /// The broadcaster's own: the event that it sends.
    event: Obj<Event>,
    /// For oracles: how far the broadcaster is.
    phase: Obj<Phase>,
    judge: Judge,
}

/// How far the broadcaster is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    NeverStarted,
    Runs,
    /// It ran until the queue was closed and drained.
    Returned,
    /// A panic of its was swallowed. It may still be on its way out.
    Panicked,
}

/// Runs one form, as the main task.
pub fn run<F: Form>(workload: &Workload) {
    when_blocked(Blocked::Allowed);
    let server = Arc::new(Server::<F>::new(workload));
    for stream in server.streams.clone() {
        let handles = Arc::clone(&server);
        spawn(stream.named("handler"), move || handles.get_container_events(stream));
    }
    let produces = Arc::clone(&server);
    spawn("producer", move || produces.produce());
    for stream in server.streams.iter().copied().take(workload.mortal) {
        spawn(stream.named("death"), move || stream.line.op("die", |line, _| line.dead = true));
    }
    at_rest(move || oracles::judge(&server));
}

impl<F: Form> Server<F> {
    fn new(workload: &Workload) -> Self {
        let (states, error) = match workload.errors {
            Errors::Quiet => (States::Values, SendError::Closing),
            Errors::Recorded => (States::Histories, SendError::Canceled),
        };
        let ledger = Ledger::new(workload.clients, workload.mortal, states);
        let judge = Judge::new();
        let stream = |client| {
            let line = Line::new(client, client < workload.mortal, states);
            Stream { client, states, line, error, judge }
        };
        Server {
            form: F::new(),
            workload: workload.clone(),
            states,
            ledger,
            events: Queue::new("events", ledger),
            clients: Registry::new("clients", workload.clients, ledger),
            broadcaster: Once::new("broadcaster"),
            streams: (0..workload.clients).map(stream).collect(),
            event: Obj::create("var", "event", 0),
            phase: Obj::create("oracle", "phase", Phase::NeverStarted),
            judge,
        }
    }

    /// A handler: one call of one client.
    fn get_container_events(self: &Arc<Self>, stream: Stream) {
        let conn = F::register(self, stream);
        F::wait(&conn);
        oracles::left_wait(self, stream);
        self.states.knows(&"left the wait");
        self.clients.delete(stream.client);
        let result = conn.err.get();
        let line = stream.line.op("return", |line, cx| {
            line.returned = true;
            cx.note(|| format!("{result:?}"));
            line.clone()
        });
        oracles::returned(self, stream, result, &line);
    }

    /// Starts the broadcaster, if nobody has.
    #[track_caller]
    pub fn start_broadcaster(self: &Arc<Self>) {
        self.broadcaster.do_once(|| {
            let server = Arc::clone(self);
            server.phase.poke(|phase| *phase = Phase::Runs);
            // So that the broadcaster begins alike, whenever that is.
            server.states.knows(&"starts the broadcaster");
            go("broadcaster", move || {
                F::broadcast_events(&server);
                if server.phase() == Phase::Runs {
                    server.phase.poke(|phase| *phase = Phase::Returned);
                }
            });
        });
        self.states.knows(&"the broadcaster is started");
    }

    /// Makes a connection visible to the broadcaster.
    #[track_caller]
    pub fn store(&self, stream: Stream, conn: Conn<F::Latch>) {
        self.clients.store(stream.client, conn);
    }

    /// Receives events until the queue is closed and drained.
    pub fn event_loop(&self, mut broadcast: impl FnMut(Event)) {
        loop {
            self.states.knows(&"event loop");
            let Some(event) = self.events.recv() else { return };
            self.event.poke(|current| *current = event);
            broadcast(event);
        }
    }

    /// Sends one event to everybody.
    pub fn send_to_all(&self, event: Event) {
        self.range(|stream, conn| {
            if let Err(error) = stream.send(event) {
                F::send_failed(conn, error);
            }
            true
        });
    }

    /// A Range over the clients. The scheduler chooses whom it visits next.
    pub fn range(&self, visit: impl FnMut(Stream, &Conn<F::Latch>) -> bool) {
        self.range_over(false, visit);
    }

    /// The last Range, which ends all connections.
    pub fn final_range(&self) {
        self.range_over(true, |stream, conn| {
            stream.line.remember(|line| line.spared |= !line.failed);
            F::broadcast_over(conn);
            true
        });
    }

    fn range_over(&self, last: bool, mut visit: impl FnMut(Stream, &Conn<F::Latch>) -> bool) {
        let mut keys = self.clients.keys(last);
        while !keys.is_empty() {
            let event = if last { 0 } else { self.event.peek(|event| *event) };
            self.states.knows(&(last, event, self.phase(), &keys));
            let Some((client, conn)) = self.clients.next(&mut keys) else { continue };
            if !visit(self.streams[client], &conn) {
                return;
            }
        }
    }

    /// Does a part of the broadcaster's work, and swallows its panic.
    pub fn swallowing(&self, work: impl FnOnce()) {
        if recover(work).is_err() {
            self.phase.poke(|phase| *phase = Phase::Panicked);
        }
    }

    /// The broadcaster ends without a final Range.
    #[track_caller]
    pub fn return_at_once(&self) {
        self.ledger.close_books();
    }

    fn produce(&self) {
        for event in 1..=self.workload.events {
            self.events.try_send(event);
        }
        if self.workload.close {
            self.events.close();
        }
    }
}

/// What the oracles see.
impl<F: Form> Server<F> {
    pub(crate) fn workload(&self) -> &Workload {
        &self.workload
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger
    }

    pub(crate) fn events(&self) -> Queue {
        self.events
    }

    pub(crate) fn clients(&self) -> Registry<Conn<F::Latch>> {
        self.clients
    }

    pub(crate) fn line(&self, client: usize) -> Line {
        self.streams[client].line
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.peek(|phase| *phase)
    }

    pub(crate) fn judge(&self) -> Judge {
        self.judge
    }
}
