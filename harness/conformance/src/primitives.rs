//! Go's primitives of `bohr_go` beside their state machines, written plainly: the target `go_primitives`.
//!
//! An input is a small program. All that the harness can show of it, over all schedules, must be all that the state machines
//! allow, and no more: what each goroutine has seen, who is blocked and what it shows, or the line that the process
//! dies with.

mod arbitrary;
mod machine;
mod model;

pub use machine::{Steps, Wrong, allowed};
pub use model::shown;

/// A small program of goroutines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goroutines {
    /// Each call recovers its panic, and the goroutine goes on.
    pub recovers: bool,
    /// What each of them does.
    pub bodies: Vec<Vec<Op>>,
}

/// An operation on one of the objects that all goroutines share.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `Mutex`.
    Lock,
    /// `Mutex`.
    Unlock,
    /// `Mutex`.
    TryLock,
    /// `RWMutex`.
    RLock,
    /// `RWMutex`.
    RUnlock,
    /// `RWMutex`.
    WLock,
    /// `RWMutex`.
    WUnlock,
    /// `RWMutex`.
    TryRLock,
    /// `RWMutex`.
    TryWLock,
    /// `WaitGroup`.
    Add(i8),
    /// `WaitGroup`.
    Wait,
    /// `Once`, with a function of this kind.
    Once(Function),
    /// `Cond`, whose lock is the `Mutex`.
    CondWait,
    /// `Cond`.
    Signal,
    /// `Cond`.
    Broadcast,
    /// A channel.
    Send(Channel),
    /// A channel.
    Receive(Channel),
    /// A channel.
    TrySend(Channel),
    /// A channel.
    TryReceive(Channel),
    /// A channel.
    Close(Channel),
    /// A channel.
    Len(Channel),
    /// `select` over two cases, perhaps with a default.
    Select([Case; 2], bool),
    /// An `atomic.Int32`.
    Load,
    /// An `atomic.Int32`.
    Store(i8),
    /// An `atomic.Int32`.
    AddTo(i8),
    /// An `atomic.Int32`.
    CompareAndSwap(i8, i8),
    /// An `atomic.Int32`.
    Swap(i8),
    /// A `sync.Map`.
    MapLoad(u8),
    /// A `sync.Map`.
    MapStore(u8, u8),
    /// A `sync.Map`.
    MapLoadOrStore(u8, u8),
    /// A `sync.Map`.
    MapLoadAndDelete(u8),
    /// A `sync.Map`.
    MapCompareAndSwap(u8, u8, u8),
    /// A `sync.Map`.
    MapClear,
    /// A context, or the child of it.
    Cancel(bool),
    /// A context, or the child of it.
    Err(bool),
    /// Receives from `Done` of a context, or of the child of it.
    Done(bool),
    /// `time.Sleep`.
    Sleep(u8),
    /// Receives from a timer that was set to 2 ns.
    TimerReceive,
    /// Receives from it if it has fired.
    TimerTryReceive,
    /// Stops it.
    TimerStop,
    /// Sets it anew.
    TimerReset(u8),
}

/// What a `Once` is given.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Says that it runs.
    Returns,
    /// Says that it runs, and panics.
    Panics,
    /// Says that it runs, and calls `Do`.
    CallsDo,
}

/// One of three channels.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// Without a buffer.
    Plain,
    /// With room for one value.
    Buffered,
    /// Nil.
    Nil,
}

/// A case of a `select`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// `case c <- v`.
    Send(Channel),
    /// `case v, ok := <-c`.
    Receive(Channel),
}

/// A program with more schedules in the harness, visiting each state once, is left out.
pub const MOST: u64 = 2_000;

/// Checks one input.
///
/// # Errors
/// What is shown and not allowed, or allowed and never shown.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    crate::decoded(bytes, |program| compare(program, None).map(drop))
}

/// Compares all that the harness shows with all that is allowed, where there may be a deliberate error. False if the program
/// has too many schedules.
///
/// # Errors
/// As for [`check`].
pub fn compare(program: &Goroutines, wrong: Option<Wrong>) -> Result<bool, String> {
    let Some(shown) = shown(program, MOST) else { return Ok(false) };
    let (all, misused) = allowed(program, Steps::Atomic, wrong);
    if let Some(line) = shown.difference(&all).next() {
        return Err(format!("it shows what is not allowed: {line}\nallowed: {all:#?}"));
    }
    // The harness takes a count and what follows from it in one step. That can be told only if more read locks are given up
    // than were taken, which Go notices in some states and not in others.
    let due = if misused { allowed(program, Steps::Merged, wrong).0 } else { all };
    match due.difference(&shown).next() {
        None => Ok(true),
        Some(line) => Err(format!("it never shows what is allowed: {line}\nshown: {shown:#?}")),
    }
}

impl Goroutines {
    /// Programs that do one thing less.
    pub fn smaller(&self) -> Vec<Goroutines> {
        let places =
            self.bodies.iter().enumerate().flat_map(|(task, body)| (0..body.len()).map(move |at| (task, at)));
        let without = |(task, at): (usize, usize)| {
            let mut less = self.clone();
            less.bodies[task].remove(at);
            less.bodies.retain(|body| !body.is_empty());
            less
        };
        places.map(without).collect()
    }
}
