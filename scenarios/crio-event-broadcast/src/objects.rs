//! What the actors share, each object with what the oracles remember of it.
//!
//! Go's own primitives come from `bohr_go`. These are here because their steps must be those of the
//! system and no other: a `Range` that takes the keys first and then loads each of them, a receive whose
//! arrival is a step of its own. And because what an oracle remembers has to change together with what it
//! is about: that is the ledger, which operations touch although upstream has no such thing. It draws no
//! happens-before edge.

use bohr_kernel::{Access, Clock, Cx, MultiOp, Obj, Objects, digest};
use std::collections::VecDeque;
use std::hash::Hash;

/// The number of an event, from 1.
pub type Event = u32;

/// How states are told apart while searching.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum States {
    /// By how they came about.
    Histories,
    /// By their values. Clocks are no part of those, so only where no error is recorded: then nobody writes
    /// plain memory that another reads.
    Values,
}

impl States {
    /// Says what the value of an object is after an operation; the value names the object, too.
    fn identify<S>(self, objects: &mut Objects, cx: &mut Cx<'_>, object: Obj<S>, value: &impl Hash) {
        if self == States::Values {
            cx.identify(objects, object, |_| digest(value));
        }
    }

    /// Says what the acting task learns by an operation.
    fn learned(self, cx: &mut Cx<'_>, what: &impl Hash) {
        if self == States::Values {
            cx.learned(|| digest(what));
        }
    }

    /// Says all that the calling task knows: its place in the program, and what it holds.
    pub fn knows(self, what: &impl Hash) {
        if self == States::Values {
            bohr_kernel::knows(|| digest(what));
        }
    }
}

/// What the oracles remember of each client.
#[derive(Copy, Clone, Debug, Default, Hash)]
pub struct Account {
    /// Its handler has stored it.
    pub stored: bool,
    /// Its handler has deleted it.
    pub deleted: bool,
    /// It was stored before the end, so it has to be released.
    pub owed: bool,
    /// The events that were produced while it was stored, bit by bit; not for those who can die.
    pub due: u32,
}

/// What the oracles remember of what is in the registry, and when.
#[derive(Copy, Clone, Debug)]
pub struct Ledger {
    object: Obj<Vec<Account>>,
    mortal: usize,
    states: States,
}

impl Ledger {
    /// Nobody is stored yet.
    pub fn new(clients: usize, mortal: usize, states: States) -> Self {
        Ledger { object: Obj::create("oracle", "ledger", vec![Account::default(); clients]), mortal, states }
    }

    /// Looks, for oracles.
    pub fn account(&self, client: usize) -> Account {
        self.object.peek(|accounts| accounts[client])
    }

    fn write(&self, objects: &mut Objects, cx: &mut Cx<'_>, change: impl FnOnce(&mut [Account])) {
        let accounts = objects.get_mut(self.object);
        change(accounts);
        let value = digest(&("ledger", &*accounts));
        self.states.identify(objects, cx, self.object, &value);
    }

    /// Whoever is stored has to be released.
    fn owe(&self, objects: &mut Objects, cx: &mut Cx<'_>) {
        self.write(objects, cx, |accounts| {
            accounts.iter_mut().for_each(|account| account.owed |= account.stored);
        });
    }

    /// The broadcaster ends without a final Range: whoever is stored by now has to have been released.
    #[track_caller]
    pub fn close_books(&self) {
        let (ledger, states) = (*self, self.states);
        MultiOp::new("return").touch(self.object, Access::Write).run(|objects, cx| {
            ledger.owe(objects, cx);
            states.learned(cx, &"returned");
        });
    }
}

/// The buffered channel of events. It is never full.
#[derive(Copy, Clone, Debug)]
pub struct Queue {
    object: Obj<QueueState>,
    ledger: Ledger,
}

struct QueueState {
    buffer: VecDeque<(Event, Clock)>,
    closed: bool,
    clock: Clock,
}

impl Queue {
    /// Empty and open.
    #[track_caller]
    pub fn new(name: &str, ledger: Ledger) -> Self {
        let state = QueueState { buffer: VecDeque::new(), closed: false, clock: Clock::new() };
        Queue { object: Obj::create("chan", name.to_owned(), state), ledger }
    }

    /// Puts an event in: a `select` that sends, with a default.
    #[track_caller]
    pub fn try_send(&self, event: Event) {
        let this = *self;
        let op = MultiOp::new("try send").touch(this.object, Access::Write);
        op.touch(this.ledger.object, Access::Write).run(|objects, cx| {
            let mut clock = Clock::new();
            cx.release(&mut clock);
            objects.get_mut(this.object).buffer.push_back((event, clock));
            this.ledger.write(objects, cx, |accounts| {
                let immortal = accounts.iter_mut().skip(this.ledger.mortal);
                let stored = immortal.filter(|account| account.stored && !account.deleted);
                stored.for_each(|account| account.due |= 1 << event);
            });
            cx.note(|| format!("event {event}"));
            this.settle(objects, cx, 0);
        });
    }

    /// Closes it.
    #[track_caller]
    pub fn close(&self) {
        let this = *self;
        let op = MultiOp::new("close").touch(this.object, Access::Write);
        op.touch(this.ledger.object, Access::Write).run(|objects, cx| {
            let queue = objects.get_mut(this.object);
            queue.closed = true;
            cx.release(&mut queue.clock);
            this.ledger.owe(objects, cx);
            this.settle(objects, cx, 0);
        });
    }

    /// The next event, or nothing once it is closed and drained.
    #[track_caller]
    pub fn recv(&self) -> Option<Event> {
        let this = *self;
        let op = MultiOp::new("receive").touch(this.object, Access::Write).reason("chan receive");
        op.when(this.object, |queue, _| queue.closed || !queue.buffer.is_empty(), 0).run(|objects, cx| {
            let queue = objects.get_mut(this.object);
            let event = match queue.buffer.pop_front() {
                Some((event, clock)) => {
                    cx.acquire(&clock);
                    cx.note(|| format!("event {event}"));
                    Some(event)
                }
                None => {
                    cx.acquire(&queue.clock);
                    cx.note(|| "closed");
                    None
                }
            };
            this.settle(objects, cx, event.map_or(u32::MAX, |event| event));
            event
        })
    }

    /// Looks, for oracles.
    pub fn is_closed(&self) -> bool {
        self.object.peek(|queue| queue.closed)
    }

    fn settle(&self, objects: &mut Objects, cx: &mut Cx<'_>, learned: u32) {
        let queue = objects.get(self.object);
        let events: Vec<Event> = queue.buffer.iter().map(|(event, _)| *event).collect();
        let value = ("queue", events, queue.closed);
        self.ledger.states.identify(objects, cx, self.object, &value);
        self.ledger.states.learned(cx, &learned);
    }
}

/// The `sync.Map` of the clients: a Range takes the keys first, and loads each when it gets there.
pub struct Registry<R> {
    object: Obj<Vec<Slot<R>>>,
    ledger: Ledger,
}

impl<R> Copy for Registry<R> {}
impl<R> Clone for Registry<R> {
    fn clone(&self) -> Self {
        *self
    }
}

struct Slot<R> {
    record: Option<R>,
    /// What whoever stored or deleted it knew.
    clock: Clock,
}

impl<R: Copy + Send + 'static> Registry<R> {
    /// Empty, with room for so many clients.
    #[track_caller]
    pub fn new(name: &str, clients: usize, ledger: Ledger) -> Self {
        let slots = (0..clients).map(|_| Slot { record: None, clock: Clock::new() });
        Registry { object: Obj::create("sync.Map", name.to_owned(), slots.collect()), ledger }
    }

    /// Makes a client visible.
    #[track_caller]
    pub fn store(&self, client: usize, record: R) {
        self.write("Store", client, Some(record));
    }

    /// Makes a client invisible.
    #[track_caller]
    pub fn delete(&self, client: usize) {
        self.write("Delete", client, None);
    }

    #[track_caller]
    fn write(&self, label: &'static str, client: usize, record: Option<R>) {
        let this = *self;
        let op = MultiOp::new(label).touch(this.object, Access::Write);
        op.touch(this.ledger.object, Access::Write).run(|objects, cx| {
            this.ledger.write(objects, cx, |accounts| match record {
                Some(_) => accounts[client].stored = true,
                None => accounts[client].deleted = true,
            });
            let slots = objects.get_mut(this.object);
            slots[client].record = record;
            cx.release(&mut slots[client].clock);
            cx.note(|| format!("client {}", client + 1));
            let present: Vec<bool> = slots.iter().map(|slot| slot.record.is_some()).collect();
            this.ledger.states.identify(objects, cx, this.object, &("registry", present));
            this.ledger.states.learned(cx, &label);
        });
    }

    /// The first step of a Range: takes the keys. With the last one, whoever is stored is owed a release.
    #[track_caller]
    pub fn keys(&self, last: bool) -> Vec<usize> {
        let this = *self;
        let op = MultiOp::new(if last { "final Range" } else { "Range" }).touch(this.object, Access::Read);
        let op = if last { op.touch(this.ledger.object, Access::Write) } else { op };
        op.run(|objects, cx| {
            if last {
                this.ledger.owe(objects, cx);
            }
            let slots = objects.get(this.object).iter().enumerate();
            let present = slots.filter(|(_, slot)| slot.record.is_some());
            let keys = present.map(|(client, slot)| {
                cx.acquire(&slot.clock);
                client
            });
            let keys: Vec<usize> = keys.collect();
            cx.note(|| format!("{} clients", keys.len()));
            this.ledger.states.learned(cx, &keys);
            keys
        })
    }

    /// The next step of a Range: takes one of the keys and loads its record, if it is still there.
    #[track_caller]
    pub fn next(&self, keys: &mut Vec<usize>) -> Option<(usize, R)> {
        let this = *self;
        let ways = keys.len() as u32;
        let op = MultiOp::new("Range: load").touch(this.object, Access::Read);
        op.run_choosing(
            |_, _| ways,
            |objects, cx, chosen| {
                let client = keys.remove(chosen as usize);
                let slot = &objects.get(this.object)[client];
                cx.acquire(&slot.clock);
                let record = slot.record;
                let found = if record.is_some() { "found" } else { "deleted meanwhile" };
                cx.note(|| format!("client {}: {found}", client + 1));
                this.ledger.states.learned(cx, &(client, found));
                record.map(|record| (client, record))
            },
        )
    }

    /// Looks, for oracles.
    pub fn holds(&self, client: usize) -> bool {
        self.object.peek(|slots| slots[client].record.is_some())
    }
}

/// The stream to a client, as the broadcaster sees it.
#[derive(Copy, Clone, Debug)]
pub struct Line {
    object: Obj<LineState>,
    states: States,
}

/// The state of a stream.
#[derive(Clone, Debug, Default)]
pub struct LineState {
    client: usize,
    /// The client can die: it need not get every event.
    mortal: bool,
    /// The client has gone.
    pub dead: bool,
    /// The handler has returned, which ends the stream.
    pub returned: bool,
    /// For oracles: a send has failed.
    pub failed: bool,
    /// For oracles: the latch was tripped at a time when no send had failed.
    pub spared: bool,
    /// For oracles: the events that the client got.
    pub got: Vec<Event>,
    /// For oracles: how often the broadcaster has written the error.
    pub writes: u32,
}

impl Line {
    /// One to a client that lives.
    #[track_caller]
    pub fn new(client: usize, mortal: bool, states: States) -> Self {
        let state = LineState { client, mortal, ..LineState::default() };
        Line { object: Obj::create("stream", format!("stream {}", client + 1), state), states }
    }

    /// An operation on the stream. It tells the task no more than whether it failed.
    #[track_caller]
    pub fn op<T>(&self, label: &'static str, action: impl FnOnce(&mut LineState, &mut Cx<'_>) -> T) -> T {
        let this = *self;
        MultiOp::new(label).touch(this.object, Access::Write).run(|objects, cx| {
            let state = objects.get_mut(this.object);
            let result = action(state, cx);
            let failed = state.dead || state.returned;
            let value = state.value();
            this.states.identify(objects, cx, this.object, &value);
            this.states.learned(cx, &failed);
            result
        })
    }

    /// Looks, for oracles.
    pub fn peek<T>(&self, look: impl FnOnce(&LineState) -> T) -> T {
        self.object.peek(look)
    }

    /// Notes something for the oracles, together with the calling task's last operation.
    pub fn remember(&self, note: impl FnOnce(&mut LineState)) {
        let this = *self;
        bohr_kernel::aside(|objects, cx| {
            let state = objects.get_mut(this.object);
            note(state);
            let value = state.value();
            this.states.identify(objects, cx, this.object, &value);
        });
    }
}

impl LineState {
    /// All that matters as long as no error is recorded.
    fn value(&self) -> u64 {
        let got = if self.mortal { self.got.last().into_iter().collect() } else { self.got.iter().collect() };
        let got: Vec<&Event> = got;
        digest(&("stream", self.client, self.dead, self.returned, self.failed, got))
    }
}

/// A channel on which one goroutine waits, once: `chan struct{}`, or unbuffered.
#[derive(Copy, Clone, Debug)]
pub struct Signal {
    object: Obj<SignalState>,
    client: usize,
    states: States,
}

#[derive(Default)]
struct SignalState {
    closed: bool,
    /// The receiver is there and waits.
    arrived: bool,
    /// A sender has handed its value over.
    handed: bool,
    clock: Clock,
}

impl Signal {
    /// Open, with nobody there.
    #[track_caller]
    pub fn new(client: usize, states: States) -> Self {
        let name = format!("done {}", client + 1);
        Signal { object: Obj::create("chan", name.to_owned(), SignalState::default()), client, states }
    }

    /// Receives. Arriving is a step of its own, also when there is something to receive.
    #[track_caller]
    pub fn recv(&self) {
        self.op("receive: arrive", |signal, _| signal.arrived = true);
        let this = *self;
        let op = MultiOp::new("receive").touch(this.object, Access::Write).reason("chan receive");
        op.when(this.object, |signal, _| signal.closed || signal.handed, 0).run(|objects, cx| {
            let clock = &objects.get(this.object).clock;
            cx.acquire(clock);
            this.settle(objects, cx);
        });
    }

    /// Closes it.
    ///
    /// Panics: `close of closed channel`.
    #[track_caller]
    pub fn close(&self) {
        let closed_before = self.op("close", |signal, cx| {
            if !signal.closed {
                cx.release(&mut signal.clock);
            }
            std::mem::replace(&mut signal.closed, true)
        });
        if closed_before {
            bohr_go::panic("close of closed channel");
        }
    }

    /// Sends, when the receiver is there. It receives once.
    #[track_caller]
    pub fn send(&self) {
        let this = *self;
        let op = MultiOp::new("send").touch(this.object, Access::Write).reason("chan send");
        op.when(this.object, |signal, _| signal.arrived && !signal.handed, 0).run(|objects, cx| {
            objects.get_mut(this.object).hand_over(cx);
            this.settle(objects, cx);
        });
    }

    /// Sends if the receiver is there: a `select` that sends, with a default.
    #[track_caller]
    pub fn try_send(&self) {
        self.op("try send", |signal, cx| {
            if signal.arrived && !signal.handed {
                signal.hand_over(cx);
                cx.note(|| "handed over");
            } else {
                cx.note(|| "nobody is there: dropped");
            }
        });
    }

    #[track_caller]
    fn op<T: Hash>(&self, label: &'static str, action: impl FnOnce(&mut SignalState, &mut Cx<'_>) -> T) -> T {
        let this = *self;
        MultiOp::new(label).touch(this.object, Access::Write).run(|objects, cx| {
            let result = action(objects.get_mut(this.object), cx);
            this.settle(objects, cx);
            this.states.learned(cx, &result);
            result
        })
    }

    fn settle(&self, objects: &mut Objects, cx: &mut Cx<'_>) {
        let signal = objects.get(self.object);
        let value = ("signal", self.client, signal.closed, signal.arrived, signal.handed);
        self.states.identify(objects, cx, self.object, &value);
        self.states.learned(cx, &0);
    }
}

impl SignalState {
    fn hand_over(&mut self, cx: &mut Cx<'_>) {
        self.handed = true;
        cx.release(&mut self.clock);
    }
}
