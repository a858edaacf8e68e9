//! What a channel is inside.

use crate::Edges;
use bohr_kernel::{Clock, Cx, Name, Shadow};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The runtime's `hchan` (runtime/chan.go).
pub(crate) struct State<T> {
    cap: usize,
    buffer: VecDeque<T>,
    closed: bool,
    receivers: VecDeque<Waiter<T>>,
    senders: VecDeque<Waiter<T>>,
    /// What has become of those who waited, until they go on.
    served: BTreeMap<u64, Served<T>>,
    tickets: u64,
    /// One clock a place in the buffer, and where the next send and receive go.
    slots: Vec<Clock>,
    next_send: usize,
    next_receive: usize,
    closing: Clock,
    edges: Edges,
    /// What the detector takes a send for reading and the closing for writing.
    shadow: Shadow,
    name: Name,
}

/// A goroutine in a queue: the runtime's `sudog`.
struct Waiter<T> {
    ticket: u64,
    /// What it sends.
    value: Option<T>,
    /// What it knew when it joined.
    clock: Clock,
    /// Set once a case of its `select` was chosen (`selectDone`); the other cases' waiters are stale.
    select: Option<Arc<AtomicBool>>,
}

/// What a goroutine that waited goes on with.
struct Served<T> {
    outcome: Outcome<T>,
    clock: Clock,
}

/// How a send or receive ended.
#[derive(Clone)]
pub(crate) enum Outcome<T> {
    Sent,
    Received(Option<T>),
    /// A send, at a closed channel.
    Closed,
}

impl<T> State<T> {
    pub(super) fn new(name: Name, cap: usize, edges: Edges) -> Self {
        State {
            cap,
            buffer: VecDeque::new(),
            closed: false,
            receivers: VecDeque::new(),
            senders: VecDeque::new(),
            served: BTreeMap::new(),
            tickets: 0,
            slots: vec![Clock::new(); cap],
            next_send: 0,
            next_receive: 0,
            closing: Clock::new(),
            edges,
            shadow: Shadow::default(),
            name,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn cap(&self) -> usize {
        self.cap
    }

    /// True if a send would not wait.
    pub(crate) fn can_send(&self) -> bool {
        self.closed || self.buffer.len() < self.cap || self.receivers.iter().any(Waiter::waits)
    }

    /// True if a receive would not wait.
    pub(crate) fn can_receive(&self) -> bool {
        self.closed || !self.buffer.is_empty() || self.senders.iter().any(Waiter::waits)
    }

    /// Sends unless it would have to wait.
    pub(crate) fn send(&mut self, value: T, cx: &mut Cx<'_>) -> Result<Outcome<T>, T> {
        self.detect_send(cx);
        if self.closed {
            cx.note(|| "closed");
            return Ok(Outcome::Closed);
        }
        if let Some(mut receiver) = dequeue(&mut self.receivers) {
            cx.note(|| "to a goroutine that waits");
            let clock = self.hand_over(&mut receiver, cx);
            self.served.insert(receiver.ticket, Served { outcome: Outcome::Received(Some(value)), clock });
            return Ok(Outcome::Sent);
        }
        if self.buffer.len() == self.cap {
            return Err(value);
        }
        let slot = self.next_send;
        self.next_send = (slot + 1) % self.cap;
        self.pass_slot(slot, cx);
        self.buffer.push_back(value);
        cx.note(|| format!("{} of {}", self.buffer.len(), self.cap));
        Ok(Outcome::Sent)
    }

    /// Receives unless it would have to wait.
    pub(crate) fn receive(&mut self, cx: &mut Cx<'_>) -> Option<Option<T>> {
        if self.closed && self.buffer.is_empty() {
            cx.note(|| "closed");
            let clock = if self.is_one_address() { &self.slots[0] } else { &self.closing };
            cx.acquire(clock);
            return Some(None);
        }
        if let Some(mut sender) = dequeue(&mut self.senders) {
            cx.note(|| "from a goroutine that waits");
            let clock = self.hand_over(&mut sender, cx);
            self.served.insert(sender.ticket, Served { outcome: Outcome::Sent, clock });
            if self.cap == 0 {
                return Some(sender.value);
            }
            // The buffer is full: the sender's value goes to the place that becomes free.
            self.buffer.extend(sender.value);
            return Some(self.buffer.pop_front());
        }
        let value = self.buffer.pop_front()?;
        let slot = self.next_receive;
        self.next_receive = (slot + 1) % self.cap;
        self.pass_slot(slot, cx);
        cx.note(|| format!("{} of {}", self.buffer.len(), self.cap));
        Some(Some(value))
    }

    /// Closes; false if it was closed.
    pub(crate) fn close(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.closed {
            return false;
        }
        self.closed = true;
        if self.edges == Edges::Detector {
            cx.plain_write(&mut self.shadow, &self.name);
        }
        let one_address = self.is_one_address();
        let clock = if one_address { &mut self.slots[0] } else { &mut self.closing };
        cx.release(clock);
        let clock = clock.clone();
        while let Some(receiver) = dequeue(&mut self.receivers) {
            let served = Served { outcome: Outcome::Received(None), clock: clock.clone() };
            self.served.insert(receiver.ticket, served);
        }
        while let Some(sender) = dequeue(&mut self.senders) {
            let served = Served { outcome: Outcome::Closed, clock: clock.clone() };
            self.served.insert(sender.ticket, served);
        }
        true
    }

    /// Joins the queue of senders.
    pub(crate) fn join_senders(&mut self, value: T, select: Option<Arc<AtomicBool>>, cx: &mut Cx<'_>) -> u64 {
        cx.note(|| "waits");
        let waiter = self.waiter(Some(value), select, cx);
        self.senders.push_back(waiter);
        self.tickets
    }

    /// Joins the queue of receivers.
    pub(crate) fn join_receivers(&mut self, select: Option<Arc<AtomicBool>>, cx: &mut Cx<'_>) -> u64 {
        cx.note(|| "waits");
        let waiter = self.waiter(None, select, cx);
        self.receivers.push_back(waiter);
        self.tickets
    }

    /// Leaves the queues, with the value that was to be sent.
    pub(crate) fn leave(&mut self, ticket: u64) -> Option<T> {
        self.receivers.retain(|w| w.ticket != ticket);
        let at = self.senders.iter().position(|w| w.ticket == ticket)?;
        self.senders.remove(at)?.value
    }

    pub(crate) fn is_served(&self, ticket: u64) -> bool {
        self.served.contains_key(&ticket)
    }

    /// Goes on after having waited.
    pub(crate) fn collect(&mut self, ticket: u64, cx: &mut Cx<'_>) -> Option<Outcome<T>> {
        let served = self.served.remove(&ticket)?;
        cx.acquire(&served.clock);
        cx.note(|| match served.outcome {
            Outcome::Sent => "sent",
            Outcome::Received(Some(_)) => "received",
            Outcome::Received(None) | Outcome::Closed => "closed",
        });
        Some(served.outcome)
    }

    /// Annotates a send: the detector does so before it looks whether the channel is closed.
    pub(crate) fn detect_send(&mut self, cx: &mut Cx<'_>) {
        if self.edges == Edges::Detector {
            cx.plain_read(&mut self.shadow, &self.name);
        }
    }

    fn waiter(&mut self, value: Option<T>, select: Option<Arc<AtomicBool>>, cx: &mut Cx<'_>) -> Waiter<T> {
        self.tickets += 1;
        let mut clock = Clock::new();
        cx.release(&mut clock);
        Waiter { ticket: self.tickets, value, clock, select }
    }

    /// Passes a value between the acting goroutine and one that waits; gives what the other learns. A
    /// buffered channel pretends that the value went through the buffer (`racenotify`), an unbuffered
    /// one orders both ways (`racesync`).
    fn hand_over(&mut self, other: &mut Waiter<T>, cx: &mut Cx<'_>) -> Clock {
        if self.cap == 0 {
            let mut mine = Clock::new();
            cx.release(&mut mine);
            cx.acquire(&other.clock);
            return mine;
        }
        let slot = self.next_receive;
        self.next_receive = (slot + 1) % self.cap;
        self.next_send = self.next_receive;
        self.pass_slot(slot, cx);
        let one_address = self.is_one_address();
        let clock = &mut self.slots[if one_address { 0 } else { slot }];
        let learned = clock.clone();
        if one_address {
            clock.join(&other.clock);
        } else {
            *clock = other.clock.clone();
        }
        learned
    }

    /// Uses a place of the buffer: learns what its last user left there, and leaves what it knew.
    fn pass_slot(&mut self, slot: usize, cx: &mut Cx<'_>) {
        if self.is_one_address() {
            cx.acquire(&self.slots[0]);
            cx.release(&mut self.slots[0]);
            return;
        }
        let last = self.slots[slot].clone();
        cx.release(&mut self.slots[slot]);
        cx.acquire(&last);
    }

    /// For the detector all places of a zero-size type, and the closing, are one.
    fn is_one_address(&self) -> bool {
        self.edges == Edges::Detector && size_of::<T>() == 0 && self.cap > 0
    }
}

impl<T> Waiter<T> {
    fn waits(&self) -> bool {
        self.select.as_ref().is_none_or(|done| !done.load(Ordering::Relaxed))
    }
}

/// Takes the first that still waits, and chooses its case if it waits in a `select`.
fn dequeue<T>(queue: &mut VecDeque<Waiter<T>>) -> Option<Waiter<T>> {
    while let Some(waiter) = queue.pop_front() {
        let stale = waiter.select.as_ref().is_some_and(|done| done.swap(true, Ordering::Relaxed));
        if !stale {
            return Some(waiter);
        }
    }
    None
}
