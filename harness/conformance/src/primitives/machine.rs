//! The state machines, and all that they allow: every state is visited once.
//!
//! Written after Go's sources and documentation, with a step for each atomic access where they have several. Nothing here knows
//! of the kernel.

use super::{Case, Channel, Function, Goroutines, Op};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A deliberate error, for the test that such errors are found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A mutex can be unlocked when it is not locked.
    Unlock,
    /// A writer that waits lets new readers in.
    Readers,
    /// A `Wait` that was woken does not look at the counter.
    Reuse,
    /// A `Once` whose function panics has not run.
    OncePanics,
    /// A signal wakes the last who came.
    LastWoken,
    /// A signal that nobody waits for is kept.
    SignalKept,
    /// What is in the buffer when a channel is closed is lost.
    LostAtClose,
    /// A receiver takes the value of a sender that waits before what is in the buffer.
    PastTheBuffer,
    /// A `select` that is ready takes its first case.
    FirstCase,
    /// A compare-and-swap that fails writes all the same.
    Swaps,
    /// Deleting does not delete.
    Deletes,
    /// Cancelling leaves the children alone.
    Children,
    /// A stopped timer keeps what it had fired.
    Stale,
}

/// How fine the steps of an `RWMutex` are.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Steps {
    /// One for each atomic access.
    Atomic,
    /// A count and what follows from it are one.
    Merged,
}

/// All that a program may show; and whether more read locks can be given up than were taken.
pub fn allowed(program: &Goroutines, steps: Steps, wrong: Option<Wrong>) -> (BTreeSet<String>, bool) {
    let machine = Machine { program, wrong, steps, misused: Cell::new(false) };
    let mut shown = BTreeSet::new();
    let mut known = HashSet::new();
    let mut left = vec![State::new(program)];
    while let Some(state) = left.pop() {
        if !known.insert(state.clone()) {
            continue;
        }
        let mut stuck = true;
        for task in 0..state.tasks.len() {
            for next in machine.steps(&state, task) {
                stuck = false;
                match next {
                    Next::Goes(next) => left.push(*next),
                    Next::Dies(line) => drop(shown.insert(line)),
                }
            }
        }
        if stuck {
            match state.later() {
                Some(later) => left.push(later),
                None => drop(shown.insert(machine.rest(&state))),
            }
        }
    }
    (shown, machine.misused.get())
}

enum Next {
    Goes(Box<State>),
    Dies(String),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    tasks: Vec<Task>,
    locked: bool,
    rw: Rw,
    group: Group,
    once: OnceState,
    /// Tickets given, and those that were notified.
    tickets: u32,
    notified: BTreeSet<u32>,
    kept_signals: u32,
    channels: [Chan; 2],
    number: i32,
    map: BTreeMap<u8, u8>,
    contexts: [Ctx; 2],
    now: u64,
    /// When the timer fires, or has fired without being received.
    timer: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Task {
    at: usize,
    phase: Phase,
    seen: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Phase {
    Start,
    /// A place in the middle of an operation.
    In(&'static str),
    Releases(i32),
    Wakes(i32, u32),
    /// With a ticket.
    Tick(&'static str, u32),
    /// Waits in the queues of channels.
    Parked,
    /// Was served: what it sees, or it was a send on a channel that was closed.
    Served(Result<Option<String>, ()>),
    Until(u64),
    /// Panics, with nobody to recover it.
    Dying(String),
    /// Within the function of a `Once`, which calls `Do`.
    Nested,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Rw {
    count: i32,
    wait: i32,
    w: bool,
    reader_sem: i32,
    writer_sem: i32,
    /// Read locks that are held: not Go's, but to tell misuse.
    held: u32,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Group {
    counter: i32,
    waiters: u32,
    permits: u32,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct OnceState {
    done: bool,
    locked: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Chan {
    cap: usize,
    buffer: Vec<u32>,
    closed: bool,
    receivers: Vec<Waiter>,
    senders: Vec<Waiter>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Waiter {
    task: usize,
    /// Which case of a `select`.
    case: Option<usize>,
    value: u32,
}

#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Ctx {
    locked: bool,
    erred: bool,
    closed: bool,
}

/// `rwmutexMaxReaders`.
const MAX: i32 = 1 << 30;

impl State {
    fn new(program: &Goroutines) -> Self {
        let task = Task { at: 0, phase: Phase::Start, seen: Vec::new() };
        State {
            tasks: vec![task; program.bodies.len()],
            locked: false,
            rw: Rw::default(),
            group: Group::default(),
            once: OnceState::default(),
            tickets: 0,
            notified: BTreeSet::new(),
            kept_signals: 0,
            channels: [Chan::default(), Chan { cap: 1, ..Chan::default() }],
            number: 0,
            map: BTreeMap::new(),
            contexts: Default::default(),
            now: 0,
            timer: Some(2),
        }
    }

    /// The state at the next time at which something happens, if nothing can now.
    fn later(&self) -> Option<State> {
        let sleepers = self.tasks.iter().filter_map(|task| match task.phase {
            Phase::Until(at) => Some(at),
            Phase::In("timer") => self.timer,
            _ => None,
        });
        let now = sleepers.filter(|at| *at > self.now).min()?;
        Some(State { now, ..self.clone() })
    }
}

struct Machine<'p> {
    program: &'p Goroutines,
    wrong: Option<Wrong>,
    steps: Steps,
    /// Somebody gave up a read lock that nobody held.
    misused: Cell<bool>,
}

/// One way to go on from a state: it is changed, and the task is put where it is then.
struct Step {
    state: State,
    task: usize,
}

impl Step {
    fn to(mut self, phase: Phase) -> Vec<Next> {
        self.state.tasks[self.task].phase = phase;
        vec![Next::Goes(Box::new(self.state))]
    }

    /// The operation ends.
    fn done(mut self) -> Vec<Next> {
        self.state.tasks[self.task].at += 1;
        self.to(Phase::Start)
    }

    fn sees(mut self, what: impl ToString) -> Vec<Next> {
        self.state.tasks[self.task].seen.push(what.to_string());
        self.done()
    }
}

fn fatal(text: &str) -> Vec<Next> {
    vec![Next::Dies(format!("fatal error: {text}"))]
}

impl Machine<'_> {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    fn panics(&self, step: Step, text: &str) -> Vec<Next> {
        if self.program.recovers {
            step.sees(format!("panic: {text}"))
        } else {
            step.to(Phase::Dying(text.to_owned()))
        }
    }

    /// What is shown when nothing can go on.
    fn rest(&self, state: &State) -> String {
        let tasks = state.tasks.iter().enumerate().map(|(number, task)| {
            let waits = self.op(state, number).map(|op| format!(" waits: {}", reason(op, &task.phase)));
            format!("[{}{}]", task.seen.join(" "), waits.unwrap_or_default())
        });
        tasks.collect::<Vec<_>>().join(" ")
    }

    fn op(&self, state: &State, task: usize) -> Option<Op> {
        self.program.bodies[task].get(state.tasks[task].at).copied()
    }

    /// All ways in which a task can go on; none if it is blocked or has ended.
    fn steps(&self, state: &State, task: usize) -> Vec<Next> {
        let Some(op) = self.op(state, task) else { return Vec::new() };
        let phase = state.tasks[task].phase.clone();
        let mut step = Step { state: state.clone(), task };
        if let Phase::Dying(text) = phase {
            return vec![Next::Dies(format!("panic: {text}"))];
        }
        let value = (task * 10 + state.tasks[task].at) as u32;
        let s = &mut step.state;
        match (op, phase) {
            (Op::Lock, _) if s.locked => Vec::new(),
            (Op::Lock, _) => {
                s.locked = true;
                step.done()
            }
            (Op::Unlock, _) if !s.locked && !self.is(Wrong::Unlock) => {
                fatal("sync: unlock of unlocked mutex")
            }
            (Op::Unlock, _) => {
                s.locked = false;
                step.done()
            }
            (Op::TryLock, _) => {
                let locks = !s.locked;
                s.locked = true;
                step.sees(locks)
            }
            (Op::RLock | Op::RUnlock | Op::WLock | Op::WUnlock | Op::TryRLock | Op::TryWLock, phase) => {
                self.rwmutex(step, op, phase)
            }
            (Op::Add(_) | Op::Wait, phase) => self.group(step, op, phase),
            (Op::Once(function), phase) => self.once(step, function, phase),
            (Op::CondWait | Op::Signal | Op::Broadcast, phase) => self.cond(step, op, phase),
            (_, Phase::Served(Ok(None))) => step.done(),
            (_, Phase::Served(Ok(Some(seen)))) => step.sees(seen),
            (_, Phase::Served(Err(()))) => self.panics(step, "send on closed channel"),
            (_, Phase::Parked) => Vec::new(),
            (Op::Send(Channel::Nil) | Op::Receive(Channel::Nil), _) => Vec::new(),
            (Op::TrySend(Channel::Nil), _) => step.sees(false),
            (Op::TryReceive(Channel::Nil), _) => step.sees("would block"),
            (Op::Close(Channel::Nil), _) => self.panics(step, "close of nil channel"),
            (Op::Len(Channel::Nil), _) => step.sees(0),
            (Op::Send(c), _) => match self.send(s, c, value) {
                Some(Ok(())) => step.done(),
                Some(Err(())) => self.panics(step, "send on closed channel"),
                None => {
                    s.channels[c as usize].senders.push(Waiter { task, case: None, value });
                    step.to(Phase::Parked)
                }
            },
            (Op::Receive(c), _) => match self.receive(s, c) {
                Some(got) => step.sees(received(got)),
                None => {
                    s.channels[c as usize].receivers.push(Waiter { task, case: None, value });
                    step.to(Phase::Parked)
                }
            },
            (Op::TrySend(c), _) => match self.send(s, c, value) {
                Some(Err(())) => self.panics(step, "send on closed channel"),
                sent => step.sees(sent.is_some()),
            },
            (Op::TryReceive(c), _) => {
                let got = self.receive(s, c).map_or("would block".to_owned(), received);
                step.sees(got)
            }
            (Op::Close(c), _) => {
                if s.channels[c as usize].closed {
                    return self.panics(step, "close of closed channel");
                }
                self.close(s, c);
                step.done()
            }
            (Op::Len(c), _) => {
                let len = s.channels[c as usize].buffer.len();
                step.sees(len)
            }
            (Op::Select(cases, default), _) => self.select(state, task, value, cases, default),
            (Op::Load, _) => {
                let number = s.number;
                step.sees(number)
            }
            (Op::Store(new), _) => {
                s.number = new.into();
                step.done()
            }
            (Op::AddTo(delta), _) => {
                s.number += i32::from(delta);
                let number = s.number;
                step.sees(number)
            }
            (Op::CompareAndSwap(old, new), _) => {
                let swaps = s.number == i32::from(old);
                if swaps || self.is(Wrong::Swaps) {
                    s.number = new.into();
                }
                step.sees(swaps)
            }
            (Op::Swap(new), _) => {
                let old = std::mem::replace(&mut s.number, new.into());
                step.sees(old)
            }
            (Op::MapLoad(key), _) => {
                let value = s.map.get(&key).copied();
                step.sees(format!("{value:?}"))
            }
            (Op::MapStore(key, value), _) => {
                s.map.insert(key, value);
                step.done()
            }
            (Op::MapLoadOrStore(key, value), _) => {
                let loaded = s.map.contains_key(&key);
                let value = *s.map.entry(key).or_insert(value);
                step.sees(format!("{:?}", (value, loaded)))
            }
            (Op::MapLoadAndDelete(key), _) => {
                let value =
                    if self.is(Wrong::Deletes) { s.map.get(&key).copied() } else { s.map.remove(&key) };
                step.sees(format!("{value:?}"))
            }
            (Op::MapCompareAndSwap(key, old, new), _) => {
                let swaps = s.map.get(&key) == Some(&old);
                if swaps {
                    s.map.insert(key, new);
                }
                step.sees(swaps)
            }
            (Op::MapClear, _) => {
                s.map.clear();
                step.done()
            }
            (Op::Cancel(_) | Op::Err(_) | Op::Done(_), phase) => self.context(step, op, phase),
            (Op::Sleep(d), Phase::Start) => {
                let until = s.now + u64::from(d);
                step.to(Phase::Until(until))
            }
            (Op::Sleep(_), Phase::Until(at)) if at <= s.now => step.done(),
            (Op::Sleep(_), _) => Vec::new(),
            (Op::TimerReceive | Op::TimerTryReceive, phase) => match s.timer.filter(|at| *at <= s.now) {
                Some(at) => {
                    s.timer = None;
                    step.sees(at)
                }
                None if op == Op::TimerTryReceive => step.sees("would block"),
                None if phase == Phase::Start => step.to(Phase::In("timer")),
                None => Vec::new(),
            },
            (Op::TimerStop, _) => {
                let pending = s.timer.is_some();
                s.timer = s.timer.filter(|at| *at <= s.now && self.is(Wrong::Stale));
                step.sees(pending)
            }
            (Op::TimerReset(d), _) => {
                let pending = s.timer.is_some();
                s.timer = Some(s.now + u64::from(d));
                step.sees(pending)
            }
        }
    }

    fn rwmutex(&self, mut step: Step, op: Op, phase: Phase) -> Vec<Next> {
        let rw = &mut step.state.rw;
        let merged = self.steps == Steps::Merged;
        match (op, phase) {
            (Op::RLock, Phase::Start) => {
                rw.count += 1;
                let waits = rw.count < 0 && !self.is(Wrong::Readers);
                rw.held += u32::from(!waits);
                if waits { step.to(Phase::In("readers")) } else { step.done() }
            }
            (Op::RLock, _) if rw.reader_sem == 0 => Vec::new(),
            (Op::RLock, _) => {
                rw.reader_sem -= 1;
                rw.held += 1;
                step.done()
            }
            (Op::RUnlock, Phase::Start) => {
                rw.count -= 1;
                self.misused.set(self.misused.get() || rw.held == 0);
                rw.held = rw.held.saturating_sub(1);
                let left = rw.count;
                if left + 1 == 0 || left + 1 == -MAX {
                    return fatal("sync: RUnlock of unlocked RWMutex");
                }
                match (left < 0, merged) {
                    (false, _) => step.done(),
                    (true, true) => self.rwmutex(step, op, Phase::In("tells the writer")),
                    (true, false) => step.to(Phase::In("tells the writer")),
                }
            }
            (Op::RUnlock, _) => {
                rw.wait -= 1;
                rw.writer_sem += i32::from(rw.wait == 0);
                step.done()
            }
            (Op::WLock, Phase::Start) if rw.w => Vec::new(),
            (Op::WLock, Phase::Start) => {
                rw.w = true;
                step.to(Phase::In("announces"))
            }
            (Op::WLock, Phase::In("announces")) => {
                let readers = rw.count;
                rw.count -= MAX;
                match (readers, merged) {
                    (0, _) => step.done(),
                    (_, true) => self.rwmutex(step, op, Phase::Releases(readers)),
                    (_, false) => step.to(Phase::Releases(readers)),
                }
            }
            (Op::WLock, Phase::Releases(readers)) => {
                rw.wait += readers;
                if rw.wait == 0 { step.done() } else { step.to(Phase::In("writer")) }
            }
            (Op::WLock, _) if rw.writer_sem == 0 => Vec::new(),
            (Op::WLock, _) => {
                rw.writer_sem -= 1;
                step.done()
            }
            (Op::WUnlock, Phase::Start) => {
                rw.count += MAX;
                let readers = rw.count;
                if readers >= MAX {
                    return fatal("sync: Unlock of unlocked RWMutex");
                }
                if merged {
                    rw.reader_sem += readers.max(0);
                    return step.to(Phase::Releases(0));
                }
                step.to(Phase::Releases(readers))
            }
            (Op::WUnlock, Phase::Releases(readers)) if readers > 0 => {
                rw.reader_sem += 1;
                step.to(Phase::Releases(readers - 1))
            }
            (Op::WUnlock, _) if !rw.w => fatal("sync: unlock of unlocked mutex"),
            (Op::WUnlock, _) => {
                rw.w = false;
                step.done()
            }
            (Op::TryRLock, _) => {
                let locks = rw.count >= 0;
                rw.count += i32::from(locks);
                rw.held += u32::from(locks);
                step.sees(locks)
            }
            (_, Phase::Start) if rw.w => step.sees(false),
            (_, Phase::Start) => {
                rw.w = true;
                step.to(Phase::In("tries"))
            }
            (_, Phase::In("tries")) if rw.count == 0 => {
                rw.count = -MAX;
                step.sees(true)
            }
            (_, Phase::In("tries")) => step.to(Phase::In("gives up")),
            _ => {
                rw.w = false;
                step.sees(false)
            }
        }
    }

    fn group(&self, mut step: Step, op: Op, phase: Phase) -> Vec<Next> {
        const MISUSE: &str = "sync: WaitGroup misuse: Add called concurrently with Wait";
        let wg = &mut step.state.group;
        match (op, phase) {
            (Op::Add(delta), Phase::Start) => {
                wg.counter += i32::from(delta);
                let (counter, waiters) = (wg.counter, wg.waiters);
                if counter < 0 {
                    return self.panics(step, "sync: negative WaitGroup counter");
                }
                if waiters != 0 && delta > 0 && counter == i32::from(delta) {
                    return self.panics(step, MISUSE);
                }
                if counter > 0 || waiters == 0 {
                    step.done()
                } else {
                    step.to(Phase::Wakes(counter, waiters))
                }
            }
            (Op::Add(_), Phase::Wakes(counter, waiters)) => {
                if (wg.counter, wg.waiters) != (counter, waiters) {
                    return self.panics(step, MISUSE);
                }
                *wg = Group { counter: 0, waiters: 0, permits: wg.permits + waiters };
                step.done()
            }
            (_, Phase::Start) if wg.counter == 0 => step.done(),
            (_, Phase::Start) => {
                wg.waiters += 1;
                step.to(Phase::In("sleeps"))
            }
            (_, Phase::In("sleeps")) if wg.permits == 0 => Vec::new(),
            (_, Phase::In("sleeps")) => {
                wg.permits -= 1;
                step.to(Phase::In("woken"))
            }
            _ if (wg.counter, wg.waiters) != (0, 0) && !self.is(Wrong::Reuse) => {
                self.panics(step, "sync: WaitGroup is reused before previous Wait has returned")
            }
            _ => step.done(),
        }
    }

    fn once(&self, mut step: Step, function: Function, phase: Phase) -> Vec<Next> {
        let once = &mut step.state.once;
        match phase {
            Phase::Start if once.done => step.done(),
            Phase::Start => step.to(Phase::In("locks")),
            Phase::In("locks") if once.locked => Vec::new(),
            Phase::In("locks") => {
                once.locked = true;
                step.to(Phase::In("looks"))
            }
            Phase::In("looks") if once.done => step.to(Phase::In("unlocks")),
            Phase::In("looks") => {
                step.state.tasks[step.task].seen.push("runs".to_owned());
                step.to(if function == Function::CallsDo { Phase::Nested } else { Phase::In("ran") })
            }
            // It waits for itself.
            Phase::Nested => Vec::new(),
            Phase::In("ran") => {
                once.done = !(function == Function::Panics && self.is(Wrong::OncePanics));
                step.to(Phase::In("ends"))
            }
            Phase::In("ends") => {
                once.locked = false;
                if function == Function::Panics { self.panics(step, "in Do") } else { step.done() }
            }
            _ => {
                once.locked = false;
                step.done()
            }
        }
    }

    fn cond(&self, mut step: Step, op: Op, phase: Phase) -> Vec<Next> {
        let s = &mut step.state;
        let waiting = |s: &State| (0..s.tickets).filter(|t| !s.notified.contains(t)).collect::<Vec<_>>();
        match (op, phase) {
            (Op::CondWait, Phase::Start) => {
                s.tickets += 1;
                let ticket = s.tickets - 1;
                if s.kept_signals > 0 {
                    s.kept_signals -= 1;
                    s.notified.insert(ticket);
                }
                step.to(Phase::Tick("unlocks", ticket))
            }
            (Op::CondWait, Phase::Tick("unlocks", _)) if !s.locked => fatal("sync: unlock of unlocked mutex"),
            (Op::CondWait, Phase::Tick("unlocks", ticket)) => {
                s.locked = false;
                step.to(Phase::Tick("sleeps", ticket))
            }
            (Op::CondWait, Phase::Tick(_, ticket)) if !s.notified.contains(&ticket) => Vec::new(),
            (Op::CondWait, Phase::Tick(..)) => step.to(Phase::In("locks")),
            (Op::CondWait, _) if s.locked => Vec::new(),
            (Op::CondWait, _) => {
                s.locked = true;
                step.done()
            }
            (Op::Signal, _) => {
                let waiting = waiting(s);
                let next = if self.is(Wrong::LastWoken) { waiting.last() } else { waiting.first() };
                match next {
                    Some(ticket) => drop(s.notified.insert(*ticket)),
                    None => s.kept_signals += u32::from(self.is(Wrong::SignalKept)),
                }
                step.done()
            }
            _ => {
                let waiting = waiting(s);
                s.notified.extend(waiting);
                step.done()
            }
        }
    }

    /// Sends, unless it has to wait; an error if the channel is closed.
    fn send(&self, s: &mut State, c: Channel, value: u32) -> Option<Result<(), ()>> {
        let chan = &mut s.channels[c as usize];
        if chan.closed {
            return Some(Err(()));
        }
        if !chan.receivers.is_empty() {
            let receiver = chan.receivers.remove(0);
            serve(s, &receiver, Ok(Some(received(Some(value)))));
            return Some(Ok(()));
        }
        (chan.buffer.len() < chan.cap).then(|| {
            chan.buffer.push(value);
            Ok(())
        })
    }

    /// Receives, unless it has to wait; nothing if the channel is closed and empty.
    fn receive(&self, s: &mut State, c: Channel) -> Option<Option<u32>> {
        let chan = &mut s.channels[c as usize];
        if !chan.senders.is_empty() {
            let sender = chan.senders.remove(0);
            let value = if chan.cap == 0 || self.is(Wrong::PastTheBuffer) {
                sender.value
            } else {
                chan.buffer.push(sender.value);
                chan.buffer.remove(0)
            };
            serve(s, &sender, Ok(None));
            return Some(Some(value));
        }
        if !chan.buffer.is_empty() {
            return Some(Some(chan.buffer.remove(0)));
        }
        chan.closed.then_some(None)
    }

    fn close(&self, s: &mut State, c: Channel) {
        let chan = &mut s.channels[c as usize];
        chan.closed = true;
        if self.is(Wrong::LostAtClose) {
            chan.buffer.clear();
        }
        while let Some(receiver) = s.channels[c as usize].receivers.first().cloned() {
            serve(s, &receiver, Ok(Some(received(None))));
        }
        while let Some(sender) = s.channels[c as usize].senders.first().cloned() {
            serve(s, &sender, Err(()));
        }
    }

    fn select(&self, state: &State, task: usize, value: u32, cases: [Case; 2], default: bool) -> Vec<Next> {
        let mut all = Vec::new();
        for (number, case) in cases.into_iter().enumerate() {
            let mut step = Step { state: state.clone(), task };
            match case {
                Case::Send(Channel::Nil) | Case::Receive(Channel::Nil) => {}
                Case::Send(c) => match self.send(&mut step.state, c, value) {
                    Some(Ok(())) => all.extend(step.sees(format!("case {number}"))),
                    Some(Err(())) => all.extend(self.panics(step, "send on closed channel")),
                    None => {}
                },
                Case::Receive(c) => {
                    if let Some(got) = self.receive(&mut step.state, c) {
                        all.extend(step.sees(format!("case {number}: {}", received(got))));
                    }
                }
            }
            if !all.is_empty() && self.is(Wrong::FirstCase) {
                return all;
            }
        }
        if !all.is_empty() {
            return all;
        }
        if default {
            return Step { state: state.clone(), task }.sees("default");
        }
        // It joins the queues in a random order, which matters if both are of one channel.
        [[0, 1], [1, 0]]
            .into_iter()
            .flat_map(|order| {
                let mut step = Step { state: state.clone(), task };
                for number in order {
                    let waiter = Waiter { task, case: Some(number), value };
                    match cases[number] {
                        Case::Send(Channel::Nil) | Case::Receive(Channel::Nil) => {}
                        Case::Send(c) => step.state.channels[c as usize].senders.push(waiter),
                        Case::Receive(c) => step.state.channels[c as usize].receivers.push(waiter),
                    }
                }
                step.to(Phase::Parked)
            })
            .collect()
    }

    fn context(&self, mut step: Step, op: Op, phase: Phase) -> Vec<Next> {
        let which = usize::from(matches!(op, Op::Cancel(true) | Op::Err(true) | Op::Done(true)));
        let contexts = &mut step.state.contexts;
        match (op, phase) {
            (Op::Done(_), Phase::Start) => step.to(Phase::In("done")),
            (Op::Done(_), _) if contexts[which].closed => step.sees("closed"),
            (Op::Done(_), _) => Vec::new(),
            (Op::Err(_), Phase::Start) if contexts[which].erred => step.to(Phase::In("erred")),
            (Op::Err(_), Phase::Start) => step.sees("nil"),
            (Op::Err(_), _) if contexts[which].closed => step.sees("context canceled"),
            (Op::Err(_), _) => Vec::new(),
            (_, Phase::Start) if contexts[which].locked => Vec::new(),
            (_, Phase::Start) if contexts[which].erred => step.done(),
            (_, Phase::Start) => {
                contexts[which].locked = true;
                step.to(Phase::In("locked"))
            }
            (_, Phase::In("locked")) => {
                contexts[which].erred = true;
                step.to(Phase::In("erred"))
            }
            (_, Phase::In("erred")) => {
                contexts[which].closed = true;
                let child = which == 0 && !self.is(Wrong::Children);
                step.to(Phase::In(if child { "child" } else { "ends" }))
            }
            (_, Phase::In("child")) if contexts[1].locked => Vec::new(),
            (_, Phase::In("child")) if contexts[1].erred => step.to(Phase::In("ends")),
            (_, Phase::In("child")) => {
                contexts[1].locked = true;
                step.to(Phase::In("child locked"))
            }
            (_, Phase::In("child locked")) => {
                contexts[1].erred = true;
                step.to(Phase::In("child erred"))
            }
            (_, Phase::In("child erred")) => {
                contexts[1].closed = true;
                step.to(Phase::In("child closed"))
            }
            (_, Phase::In("child closed")) => {
                contexts[1].locked = false;
                step.to(Phase::In("ends"))
            }
            _ => {
                contexts[which].locked = false;
                step.done()
            }
        }
    }
}

/// Another has served the goroutine: it leaves all queues.
fn serve(s: &mut State, waiter: &Waiter, outcome: Result<Option<String>, ()>) {
    for chan in &mut s.channels {
        chan.receivers.retain(|other| other.task != waiter.task);
        chan.senders.retain(|other| other.task != waiter.task);
    }
    let outcome = outcome.map(|seen| match (waiter.case, seen) {
        (None, seen) => seen,
        (Some(case), Some(seen)) => Some(format!("case {case}: {seen}")),
        (Some(case), None) => Some(format!("case {case}")),
    });
    s.tasks[waiter.task].phase = Phase::Served(outcome);
}

fn received(value: Option<u32>) -> String {
    value.map_or("closed".to_owned(), |value| value.to_string())
}

/// What a goroutine shows that is blocked there.
fn reason(op: Op, phase: &Phase) -> &'static str {
    match (op, phase) {
        (Op::Lock | Op::Once(_), _) => "sync.Mutex.Lock",
        (Op::RLock, _) => "sync.RWMutex.RLock",
        (Op::WLock, Phase::Start) => "sync.Mutex.Lock",
        (Op::WLock, _) => "sync.RWMutex.Lock",
        (Op::Wait, _) => "sync.WaitGroup.Wait",
        (Op::CondWait, Phase::In(_)) => "sync.Mutex.Lock",
        (Op::CondWait, _) => "sync.Cond.Wait",
        (Op::Send(Channel::Nil), _) => "chan send (nil chan)",
        (Op::Receive(Channel::Nil), _) => "chan receive (nil chan)",
        (Op::Send(_), _) => "chan send",
        (Op::Receive(_) | Op::Done(_) | Op::TimerReceive, _) => "chan receive",
        (Op::Select(..), _) => "select",
        _ => "?",
    }
}
