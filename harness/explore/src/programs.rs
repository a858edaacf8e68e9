//! Small concurrent programs as data, to test explorers with: many of them, out of bytes, each with all
//! kinds of operations that the kernel has.

mod agree;
mod arbitrary;
mod display;
mod run;

#[doc(hidden)]
pub use agree::Wrong;
pub use agree::{Agreement, Scope, agree};

/// A small concurrent program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Small {
    /// What the tasks do that the main task spawns.
    pub tasks: Vec<Body>,
    /// The main task joins them, and can so be left blocked itself.
    pub joins: bool,
    /// What is left blocked is a leak.
    pub leaks: bool,
    /// Virtual time moves by choice.
    pub eager_time: bool,
    /// Findings that need not stop a run do not.
    pub keep_going: bool,
}

/// What a task does.
pub type Body = Vec<Do>;

/// What a task can do. Objects are numbered from 0, there are two of each kind: cells, which are atomic and
/// start at 0, variables, which are not atomic, mutexes, and channels with room for one value.
///
/// What it sees, it remembers; *last* is the last value it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Sees a cell's value.
    Load(u8),
    /// Sets a cell.
    Store(u8, u8),
    /// Sets a cell to one more than last.
    Pass(u8),
    /// Sees a cell's value and adds one.
    Count(u8),
    /// Adds to a cell without looking, which commutes.
    Add(u8, i8),
    /// Waits until a cell has this value.
    Await(u8, u8),
    /// Waits until a cell is positive, and takes one, as from a semaphore.
    Take(u8),
    /// Swaps both cells, in one operation.
    Swap,
    /// Waits until either cell has this value.
    AwaitEither(u8),
    /// Reads a variable.
    Get(u8),
    /// Writes a variable.
    Set(u8, u8),
    /// Locks a mutex.
    Lock(u8),
    /// Locks a mutex if it is free, and if it is free may fail all the same.
    TryLock(u8),
    /// Unlocks a mutex, fatal if it is not locked.
    Unlock(u8),
    /// Sends on a channel.
    Send(u8, u8),
    /// Receives from a channel.
    Receive(u8),
    /// Receives from either channel; which, is chosen if both are ready.
    Select,
    /// Receives from a channel, or gives up at a time.
    ReceiveUntil(u8, u8),
    /// Sees a value that is chosen.
    Choose(u8),
    /// Makes an object of its own, and writes to it.
    Make,
    /// Spawns a task.
    Spawn(Body),
    /// Joins the task that it spawned last, if there is one.
    Join,
    /// Sleeps until a time.
    Sleep(u8),
    /// Sees the time.
    Now,
    /// Returns, or does not, as is chosen.
    MayEnd,
    /// Returns if last is this.
    EndIf(u8),
    /// Panics if last is this.
    PanicIf(u8),
    /// Violates an oracle if last is this.
    ViolateIf(u8),
}

impl Small {
    /// The number of things it does.
    pub fn len(&self) -> usize {
        self.tasks.iter().map(length).sum()
    }

    /// True if it does nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Programs that do a little less.
    pub fn smaller(&self) -> Vec<Small> {
        let mut all = Vec::new();
        for at in 0..self.tasks.len() {
            let mut fewer = self.clone();
            fewer.tasks.remove(at);
            all.push(fewer);
        }
        for at in 0..self.tasks.len() {
            all.extend(smaller_body(&self.tasks[at]).into_iter().map(|body| {
                let mut less = self.clone();
                less.tasks[at] = body;
                less
            }));
        }
        let simpler = [
            Small { joins: false, ..self.clone() },
            Small { leaks: false, ..self.clone() },
            Small { eager_time: false, ..self.clone() },
            Small { keep_going: false, ..self.clone() },
        ];
        all.extend(simpler.into_iter().filter(|simpler| simpler != self));
        all
    }

    /// The smallest program to get to, by doing a little less at a time, that is still `bad`.
    pub fn shrink(self, bad: impl Fn(&Small) -> bool) -> Small {
        let mut smallest = self;
        while let Some(smaller) = smallest.smaller().into_iter().find(&bad) {
            smallest = smaller;
        }
        smallest
    }
}

fn length(body: &Body) -> usize {
    let nested = body.iter().map(|what| if let Do::Spawn(child) = what { length(child) } else { 0 });
    body.len() + nested.sum::<usize>()
}

fn smaller_body(body: &Body) -> Vec<Body> {
    let mut all = Vec::new();
    for at in 0..body.len() {
        let mut fewer = body.clone();
        let removed = fewer.remove(at);
        all.push(fewer);
        if let Do::Spawn(child) = removed {
            all.extend(smaller_body(&child).into_iter().map(|child| {
                let mut less = body.clone();
                less[at] = Do::Spawn(child);
                less
            }));
        }
    }
    all
}
