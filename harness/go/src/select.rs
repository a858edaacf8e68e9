//! `select`.

use crate::Chan;
use crate::chan::{Outcome, State, block, panic_closed};
use crate::time::{Pending, Ticker, Timer};
use bohr_kernel::{Access, Cx, MultiOp, Obj, ObjectId, Objects, lane};
use std::cell::RefCell;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A `select` statement (runtime/select.go): list the cases, then [`run`](Select::run) it.
///
/// If cases are ready, the kernel chooses one of them. If none is, and there is no default, the
/// goroutine waits at all channels, and whoever serves it first chooses its case; of several cases that wait for the
/// same of one channel, the kernel chooses which that can be. Cases on nil channels are never ready.
///
/// ```
/// # use bohr_go::{Chan, Select};
/// # fn example(jobs: Chan<u32>, done: Chan<()>) -> Option<u32> {
/// Select::new().recv(&jobs, |job| job).recv(&done, |_| None).run()
/// # }
/// ```
#[must_use = "a select does nothing until it is run"]
pub struct Select<'s, R> {
    cases: Vec<Box<dyn Case<R> + 's>>,
    /// The number of cases, those on nil channels included.
    listed: usize,
    /// What a goroutine shows that waits at the last case alone.
    reason: &'static str,
    lone: bool,
    default: Option<Box<dyn FnOnce() -> R + 's>>,
}

impl<R> Default for Select<'_, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'s, R> Select<'s, R> {
    /// A `select` without cases.
    pub fn new() -> Self {
        Select { cases: Vec::new(), listed: 0, reason: "select (no cases)", lone: false, default: None }
    }

    /// `case v, ok := <-chan`: nothing if the channel is closed and empty.
    pub fn recv<T: Send + 'static>(self, chan: &Chan<T>, then: impl FnOnce(Option<T>) -> R + 's) -> Self {
        let then = move |outcome| match outcome {
            Outcome::Received(value) => then(value),
            Outcome::Sent | Outcome::Closed => unreachable!("a receiver is served as a receiver"),
        };
        let case = |hchan| ChanCase { hchan, sends: false, value: None, ticket: 0, outcome: None, then };
        let reasons = ["chan receive", "chan receive (nil chan)"];
        self.channel(chan, reasons, move |hchan| Box::new(case(hchan)))
    }

    /// `case chan <- value`.
    ///
    /// Panics if it is chosen and the channel is closed: `send on closed channel`.
    pub fn send<T: Send + 'static>(self, chan: &Chan<T>, value: T, then: impl FnOnce() -> R + 's) -> Self {
        let then = move |_| then();
        let case =
            |hchan| ChanCase { hchan, sends: true, value: Some(value), ticket: 0, outcome: None, then };
        self.channel(chan, ["chan send", "chan send (nil chan)"], move |hchan| Box::new(case(hchan)))
    }

    /// `case t := <-timer.C`.
    pub fn timer(mut self, timer: &Timer, then: impl FnOnce(u64) -> R + 's) -> Self {
        self.cases.push(Box::new(TimerCase { timer: *timer, pending: Pending::default(), time: 0, then }));
        self.listed += 1;
        self.reason = "chan receive";
        self
    }

    /// `case t := <-ticker.C`.
    pub fn ticker(self, ticker: &Ticker, then: impl FnOnce(u64) -> R + 's) -> Self {
        self.timer(&ticker.0, then)
    }

    /// `default`.
    pub fn default(mut self, then: impl FnOnce() -> R + 's) -> Self {
        self.default = Some(Box::new(then));
        self
    }

    /// Runs it. Blocked goroutines show `select`, or `select (no cases)`; with one case alone, what they
    /// show without `select`.
    ///
    /// # Panics
    /// If it has several cases and one of them is a [lone](Chan::lone) channel.
    #[track_caller]
    pub fn run(mut self) -> R {
        let site = Location::caller();
        assert!(self.listed < 2 || !self.lone, "a lone channel takes part in no select over several");
        if self.cases.is_empty()
            && let Some(default) = self.default
        {
            return default();
        }
        let reason = if self.listed > 1 { "select" } else { self.reason };
        if self.cases.is_empty() {
            block("select", reason, site);
        }
        let waits = self.default.is_none();
        let cases = RefCell::new(&mut self.cases);
        let op = touch_all(&cases.borrow(), MultiOp::new("select").at(site));
        let chosen = op.run_choosing(
            |objects, now| match ready(&cases.borrow(), objects, now).len() {
                0 if waits => ways_to_wait(&cases.borrow()),
                ready => ready as u32,
            },
            |objects, cx, choice| {
                let cases = &mut **cases.borrow_mut();
                let ready = ready(cases, objects, cx.now());
                let chosen = ready.get(choice as usize).copied();
                match chosen {
                    Some(at) => cases[at].fire(objects, cx),
                    None if waits => {
                        let select = Arc::new(AtomicBool::new(false));
                        for at in joining(cases, choice) {
                            cases[at].join(&select, objects, cx);
                        }
                        return Err(select);
                    }
                    None => cx.note(|| "default"),
                }
                Ok(chosen)
            },
        );
        let chosen = chosen.unwrap_or_else(|select| {
            loop {
                if let Some(at) = sleep(&cases, &select, reason, site) {
                    return Some(at);
                }
            }
        });
        match (chosen, self.default) {
            (Some(at), _) => self.cases.swap_remove(at).finish(site),
            (None, Some(default)) => default(),
            (None, None) => unreachable!("without a default a case is chosen"),
        }
    }

    fn channel<T: Send + 'static>(
        mut self,
        chan: &Chan<T>,
        reasons: [&'static str; 2],
        case: impl FnOnce(Obj<State<T>>) -> Box<dyn Case<R> + 's>,
    ) -> Self {
        self.listed += 1;
        self.lone |= !chan.is_shared();
        self.reason = reasons[usize::from(chan.is_nil())];
        self.cases.extend(chan.object().map(case));
        self
    }
}

type Cases<'s, R> = Vec<Box<dyn Case<R> + 's>>;

/// Every case, and what keeps apart those who compete for a goroutine that waits in a `select`.
fn touch_all<R>(cases: &Cases<'_, R>, op: MultiOp) -> MultiOp {
    cases.iter().fold(op, |op, case| case.touch(op)).touch(lane(), Access::Write)
}

/// The cases that need not wait.
fn ready<R>(cases: &Cases<'_, R>, objects: &Objects, now: u64) -> Vec<usize> {
    (0..cases.len()).filter(|at| cases[*at].ready(objects, now)).collect()
}

/// Cases that would wait in the same queue, where there are several: Go lets them join it in a random order, and only the
/// first of them can be served.
fn rivals<R>(cases: &Cases<'_, R>) -> Vec<Vec<usize>> {
    let mut queues: Vec<((ObjectId, bool), Vec<usize>)> = Vec::new();
    for (at, queue) in cases.iter().enumerate().filter_map(|(at, case)| Some((at, case.queue()?))) {
        match queues.iter_mut().find(|(known, _)| *known == queue) {
            Some((_, rivals)) => rivals.push(at),
            None => queues.push((queue, vec![at])),
        }
    }
    queues.into_iter().map(|(_, rivals)| rivals).filter(|rivals| rivals.len() > 1).collect()
}

/// The number of orders in which the cases can join their queues, as far as that can be told.
fn ways_to_wait<R>(cases: &Cases<'_, R>) -> u32 {
    rivals(cases).iter().map(|rivals| rivals.len() as u32).product()
}

/// The cases in one of these orders.
fn joining<R>(cases: &Cases<'_, R>, mut choice: u32) -> Vec<usize> {
    let mut first = Vec::new();
    for rivals in rivals(cases) {
        let number = rivals.len() as u32;
        first.push(rivals[(choice % number) as usize]);
        choice /= number;
    }
    let others = (0..cases.len()).filter(|at| !first.contains(at)).collect::<Vec<_>>();
    first.into_iter().chain(others).collect()
}

/// The timers that fired, of which the earliest wakes the goroutine; several if they are equally early.
fn fired<R>(cases: &Cases<'_, R>, objects: &Objects, now: u64) -> Vec<usize> {
    let fired: Vec<_> =
        (0..cases.len()).filter_map(|at| Some((at, cases[at].fired(objects, now)?))).collect();
    let earliest = fired.iter().map(|(_, when)| *when).min();
    fired.into_iter().filter(|(_, when)| Some(*when) == earliest).map(|(at, _)| at).collect()
}

/// Waits until a case is chosen; nothing if a timer was changed meanwhile.
fn sleep<R>(
    cases: &RefCell<&mut Cases<'_, R>>,
    select: &AtomicBool,
    reason: &'static str,
    site: &'static Location<'static>,
) -> Option<usize> {
    let op = touch_all(&cases.borrow(), MultiOp::new("select").reason(reason).at(site));
    let op = cases.borrow().iter().fold(op, |op, case| case.wait(op));
    let is_served = || select.load(Ordering::Relaxed);
    op.run_choosing(
        |objects, now| if is_served() { 1 } else { fired(&cases.borrow(), objects, now).len() as u32 },
        |objects, cx, choice| {
            let cases = &mut **cases.borrow_mut();
            let chosen = if is_served() {
                cases.iter().position(|case| case.is_served(objects))
            } else {
                fired(cases, objects, cx.now()).get(choice as usize).copied()
            };
            match chosen {
                Some(at) => {
                    select.store(true, Ordering::Relaxed);
                    cases[at].fire(objects, cx);
                    cases.iter_mut().for_each(|case| case.leave(objects));
                }
                None => cases.iter_mut().for_each(|case| case.look_again(objects)),
            }
            chosen
        },
    )
}

/// A case on a channel that is not nil.
trait Case<R> {
    fn touch(&self, op: MultiOp) -> MultiOp;
    /// True if it need not wait.
    fn ready(&self, objects: &Objects, now: u64) -> bool;
    /// The queue that it would wait in: of which channel, and whether it is the senders'.
    fn queue(&self) -> Option<(ObjectId, bool)>;
    /// Joins the channel's queue.
    fn join(&mut self, select: &Arc<AtomicBool>, objects: &mut Objects, cx: &mut Cx<'_>);
    /// Lets an operation wait for it.
    fn wait(&self, op: MultiOp) -> MultiOp;
    /// True if another goroutine has chosen it.
    fn is_served(&self, objects: &Objects) -> bool;
    /// For timers: when it fired, if it has.
    fn fired(&self, objects: &Objects, now: u64) -> Option<u64>;
    /// Performs it: it is ready, has been served, or has fired.
    fn fire(&mut self, objects: &mut Objects, cx: &mut Cx<'_>);
    /// For timers: it may have been changed.
    fn look_again(&mut self, objects: &Objects);
    /// Leaves the channel's queue.
    fn leave(&mut self, objects: &mut Objects);
    /// Runs what follows.
    fn finish(self: Box<Self>, site: &'static Location<'static>) -> R;
}

struct ChanCase<T, F> {
    hchan: Obj<State<T>>,
    sends: bool,
    value: Option<T>,
    /// In the channel's queue; 0 if it is in none.
    ticket: u64,
    outcome: Option<Outcome<T>>,
    then: F,
}

impl<R, T: Send + 'static, F: FnOnce(Outcome<T>) -> R> Case<R> for ChanCase<T, F> {
    fn touch(&self, op: MultiOp) -> MultiOp {
        op.touch(self.hchan, Access::Write)
    }

    fn ready(&self, objects: &Objects, _: u64) -> bool {
        let s = objects.get(self.hchan);
        if self.sends { s.can_send() } else { s.can_receive() }
    }

    fn queue(&self) -> Option<(ObjectId, bool)> {
        Some((self.hchan.id(), self.sends))
    }

    fn join(&mut self, select: &Arc<AtomicBool>, objects: &mut Objects, cx: &mut Cx<'_>) {
        let (s, select) = (objects.get_mut(self.hchan), Some(Arc::clone(select)));
        self.ticket = match self.value.take() {
            Some(value) => {
                s.detect_send(cx);
                s.join_senders(value, select, cx)
            }
            None => s.join_receivers(select, cx),
        };
    }

    fn wait(&self, op: MultiOp) -> MultiOp {
        op.when(self.hchan, |s, ticket| s.is_served(ticket), self.ticket)
    }

    fn is_served(&self, objects: &Objects) -> bool {
        objects.get(self.hchan).is_served(self.ticket)
    }

    fn fired(&self, _: &Objects, _: u64) -> Option<u64> {
        None
    }

    fn fire(&mut self, objects: &mut Objects, cx: &mut Cx<'_>) {
        let s = objects.get_mut(self.hchan);
        self.outcome = match (self.ticket, self.value.take()) {
            (0, Some(value)) => s.send(value, cx).ok(),
            (0, None) => s.receive(cx).map(Outcome::Received),
            (ticket, _) => s.collect(ticket, cx),
        };
    }

    fn look_again(&mut self, _: &Objects) {}

    fn leave(&mut self, objects: &mut Objects) {
        objects.get_mut(self.hchan).leave(self.ticket);
    }

    fn finish(self: Box<Self>, site: &'static Location<'static>) -> R {
        match self.outcome {
            None | Some(Outcome::Closed) => panic_closed(site),
            Some(outcome) => (self.then)(outcome),
        }
    }
}

struct TimerCase<F> {
    timer: Timer,
    pending: Pending,
    time: u64,
    then: F,
}

impl<R, F: FnOnce(u64) -> R> Case<R> for TimerCase<F> {
    fn touch(&self, op: MultiOp) -> MultiOp {
        self.timer.touch(op)
    }

    fn ready(&self, objects: &Objects, now: u64) -> bool {
        Case::<R>::fired(self, objects, now).is_some()
    }

    fn queue(&self) -> Option<(ObjectId, bool)> {
        None
    }

    fn join(&mut self, _: &Arc<AtomicBool>, objects: &mut Objects, _: &mut Cx<'_>) {
        Case::<R>::look_again(self, objects);
    }

    fn wait(&self, op: MultiOp) -> MultiOp {
        self.timer.wait_for(op, self.pending)
    }

    fn is_served(&self, _: &Objects) -> bool {
        false
    }

    fn fired(&self, objects: &Objects, now: u64) -> Option<u64> {
        objects.get(self.timer.0).fired(now)
    }

    fn fire(&mut self, objects: &mut Objects, cx: &mut Cx<'_>) {
        self.time = objects.get_mut(self.timer.0).receive(cx).unwrap_or_default();
    }

    fn look_again(&mut self, objects: &Objects) {
        self.pending = objects.get(self.timer.0).pending();
    }

    fn leave(&mut self, _: &mut Objects) {}

    fn finish(self: Box<Self>, _: &'static Location<'static>) -> R {
        (self.then)(self.time)
    }
}
