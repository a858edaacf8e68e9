//! Channels.

mod hchan;

use crate::Edges;
use crate::panics::panic_at;
use bohr_kernel::{Access, MultiOp, Name, Obj, lane};
use std::panic::Location;

pub(crate) use hchan::{Outcome, State};

/// A channel, as the runtime's `hchan` (runtime/chan.go): a buffer and two queues of goroutines that
/// wait, each first in, first out.
///
/// The k-th send is ordered before the k-th receive, the k-th receive before the end of the send that
/// takes its place in the buffer, and the closing before a receive that gives nothing because of it.
///
/// A goroutine that has to wait does two operations: it joins the queue, and it leaves with what
/// another has given or taken.
pub struct Chan<T> {
    /// Nothing for a nil channel.
    hchan: Option<Obj<State<T>>>,
    /// It may take part in a `select` over several channels.
    shared: bool,
}

impl<T> Copy for Chan<T> {}
impl<T> Clone for Chan<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> std::fmt::Debug for Chan<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Chan").field(&self.hchan).finish()
    }
}

const SEND_ON_CLOSED: &str = "send on closed channel";

impl<T: Send + 'static> Chan<T> {
    /// A channel with room for `cap` values: `make(chan T, cap)`.
    #[track_caller]
    pub fn new(name: impl Into<Name>, cap: usize) -> Self {
        Self::with_edges(name, cap, Edges::Spec)
    }

    /// A channel with the given edges. The detector reports a send that is not ordered with the closing
    /// as a data race, and takes every operation on a buffered channel of a zero-size type for ordered
    /// after all earlier ones.
    #[track_caller]
    pub fn with_edges(name: impl Into<Name>, cap: usize, edges: Edges) -> Self {
        let name = name.into();
        Chan { hchan: Some(Obj::create("chan", name.clone(), State::new(name, cap, edges))), shared: true }
    }

    /// A channel that takes part in no `select` over several channels. Its operations commute with
    /// those on other channels, which makes exploring cheaper: with such a select they do not, since
    /// two of them can compete for the goroutine that waits in it.
    #[track_caller]
    pub fn lone(name: impl Into<Name>, cap: usize) -> Self {
        Chan { shared: false, ..Self::new(name, cap) }
    }

    /// The nil channel: sending and receiving block for ever.
    pub fn nil() -> Self {
        Chan { hchan: None, shared: true }
    }

    /// True if it is the nil channel.
    pub fn is_nil(&self) -> bool {
        self.hchan.is_none()
    }

    /// Sends. Blocked goroutines show `chan send`, or `chan send (nil chan)`.
    ///
    /// Panics: `send on closed channel`.
    #[track_caller]
    pub fn send(&self, value: T) {
        let site = Location::caller();
        let Some(hchan) = self.hchan else { block("send", "chan send (nil chan)", site) };
        let outcome = self.op("send", site).run(|objects, cx| {
            let s = objects.get_mut(hchan);
            s.send(value, cx).map_err(|value| s.join_senders(value, None, cx))
        });
        let outcome = outcome.unwrap_or_else(|ticket| self.sleep("send", "chan send", ticket, site));
        finish_send(&outcome, site);
    }

    /// Receives; nothing if the channel is closed and empty (Go: the zero value, and false). Blocked
    /// goroutines show `chan receive`, or `chan receive (nil chan)`.
    #[track_caller]
    pub fn recv(&self) -> Option<T> {
        self.recv_at(Location::caller())
    }

    /// Sends if it need not wait, else gives the value back: a `select` with this case and `default`.
    ///
    /// Panics: `send on closed channel`.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), T> {
        let site = Location::caller();
        let Some(hchan) = self.hchan else { return Err(value) };
        let outcome = self.op("try send", site).run(|objects, cx| {
            let outcome = objects.get_mut(hchan).send(value, cx);
            if outcome.is_err() {
                cx.note(|| "would block");
            }
            outcome
        })?;
        finish_send(&outcome, site);
        Ok(())
    }

    /// Receives if it need not wait: a `select` with this case and `default`. Nothing if it would have
    /// to wait; `Some(None)` if the channel is closed and empty.
    #[track_caller]
    pub fn try_recv(&self) -> Option<Option<T>> {
        let hchan = self.hchan?;
        self.op("try receive", Location::caller()).run(|objects, cx| {
            let received = objects.get_mut(hchan).receive(cx);
            if received.is_none() {
                cx.note(|| "would block");
            }
            received
        })
    }

    /// The values up to the closing: `for v := range ch`.
    #[track_caller]
    pub fn iter(&self) -> impl Iterator<Item = T> + use<T> {
        let (chan, site) = (*self, Location::caller());
        std::iter::from_fn(move || chan.recv_at(site))
    }

    /// Closes. Everybody who waits goes on: receivers with nothing, senders with a panic.
    ///
    /// Panics: `close of closed channel`, `close of nil channel`.
    #[track_caller]
    pub fn close(&self) {
        let site = Location::caller();
        let Some(hchan) = self.hchan else { panic_at("close of nil channel", site) };
        let closed = self.op("close", site).run(|objects, cx| objects.get_mut(hchan).close(cx));
        if !closed {
            panic_at("close of closed channel", site);
        }
    }

    /// The number of values in the buffer. Orders nothing and races with nothing.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.hchan.map_or(0, |hchan| hchan.op("len", Access::Read).run(|s, _| s.len()))
    }

    /// True if the buffer is empty.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The room for values in the buffer.
    pub fn cap(&self) -> usize {
        self.hchan.map_or(0, |hchan| hchan.peek(|s| s.cap()))
    }

    /// The channel's object, for those who close it within an operation of their own.
    pub(crate) fn object(&self) -> Option<Obj<State<T>>> {
        self.hchan
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared
    }

    fn recv_at(&self, site: &'static Location<'static>) -> Option<T> {
        let Some(hchan) = self.hchan else { block("receive", "chan receive (nil chan)", site) };
        let received = self.op("receive", site).run(|objects, cx| {
            let s = objects.get_mut(hchan);
            s.receive(cx).ok_or_else(|| s.join_receivers(None, cx))
        });
        received.unwrap_or_else(|ticket| match self.sleep("receive", "chan receive", ticket, site) {
            Outcome::Received(value) => value,
            Outcome::Sent | Outcome::Closed => unreachable!("a receiver is served as a receiver"),
        })
    }

    fn op(&self, label: &'static str, site: &'static Location<'static>) -> MultiOp {
        let mut op = MultiOp::new(label).at(site);
        if let Some(hchan) = self.hchan {
            op = op.touch(hchan, Access::Write);
        }
        if self.shared { op.touch(lane(), Access::Write) } else { op }
    }

    /// Waits until another goroutine has served the ticket.
    fn sleep(
        &self,
        label: &'static str,
        reason: &'static str,
        ticket: u64,
        site: &'static Location<'static>,
    ) -> Outcome<T> {
        let Some(hchan) = self.hchan else { unreachable!("a nil channel gives no tickets") };
        // A read: what it takes away is nobody else's.
        let op = hchan.op(label, Access::Read).reason(reason).at(site);
        let woken = op.when_with(|s, ticket| s.is_served(ticket), ticket);
        woken.run(|s, cx| s.collect(ticket, cx)).unwrap_or(Outcome::Closed)
    }
}

fn finish_send<T>(outcome: &Outcome<T>, site: &'static Location<'static>) {
    if matches!(outcome, Outcome::Closed) {
        panic_at(SEND_ON_CLOSED, site);
    }
}

/// Blocks for ever.
pub(crate) fn block(label: &'static str, reason: &'static str, site: &'static Location<'static>) -> ! {
    let never = MultiOp::new(label).touch(lane(), Access::Read).when(lane(), |(), _| false, 0);
    never.reason(reason).at(site).run(|_, _| ());
    unreachable!("the guard never holds")
}

/// Panics as a send does that finds its channel closed.
pub(crate) fn panic_closed(site: &'static Location<'static>) -> ! {
    panic_at(SEND_ON_CLOSED, site)
}
