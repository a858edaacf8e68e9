//! Plain memory and mutexes that say what their value is, so that a search need not tell apart the ways
//! that led to it.
//!
//! [`Plain`] is the kernel's `Var` and [`Lock`] is Go's `sync.Mutex`, step by step; neither of those
//! tells its value to a search, and a form with two dozen steps a task cannot be exhausted without.
//!
//! # What identifies a state
//!
//! For each task the values that its operations gave it, in order, and what it knows of the other tasks
//! (its vector clock, kept once more here as a [`Known`]); for each cell its value; for each mutex
//! whether it is held and what it passes on. What a cell's race detector remembers need not be told: as
//! long as no race on the cell was found, an access races exactly if its task does not know of some
//! earlier conflicting access, and those are given by what the tasks have done; once one was found, it is
//! among the findings and no second one on the same cell is.

use bohr_go::Locker;
use bohr_kernel::{Access, Clock, MultiOp, Obj, Objects, Shadow, TaskId, current_task, digest, knows};
use std::fmt::Debug;
use std::hash::Hash;

/// The most tasks of a run.
pub(crate) const MOST_TASKS: usize = 16;

/// For each task, how many of its releases are known.
pub type Known = [u16; MOST_TASKS];

/// What every task has seen.
#[derive(Copy, Clone, Debug)]
pub struct Minds(Obj<[Mind; MOST_TASKS]>);

#[derive(Copy, Clone, Default, Hash)]
struct Mind {
    /// All values that the task was given.
    seen: u64,
    known: Known,
}

impl Minds {
    /// Minds that have seen nothing.
    pub fn new() -> Self {
        Minds(Obj::create("minds", "minds", Default::default()))
    }

    /// The calling task's last operation gave it `value`, and no more.
    pub fn saw(self, value: impl Hash) {
        let task = index(current_task());
        let mind = self.0.poke(|minds| {
            let mind = &mut minds[task];
            mind.seen = digest(&(mind.seen, value));
            *mind
        });
        knows(|| digest(&mind));
    }

    /// The calling task acquired from something that is not from this module.
    pub fn learn(self, from: Obj<Known>) {
        let task = index(current_task());
        let known = from.peek(|known| *known);
        self.0.poke(|minds| minds[task].learn(&known));
    }

    /// The calling task acquired from, and released into, something that is not from this module and
    /// keeps its `Known` beside itself.
    pub fn pass(self, through: Obj<Known>) {
        let task = index(current_task());
        let before = through.peek(|known| *known);
        let after = self.0.poke(|minds| {
            minds[task].learn(&before);
            minds[task].pass_on(task)
        });
        through.poke(|known| *known = after);
        self.saw(());
    }
}

impl Default for Minds {
    fn default() -> Self {
        Self::new()
    }
}

impl Mind {
    fn learn(&mut self, known: &Known) {
        for (mine, theirs) in self.known.iter_mut().zip(known) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// What goes along with a release by `task`, whose mind this is.
    fn pass_on(&mut self, task: usize) -> Known {
        self.known[task] += 1;
        self.known
    }
}

fn index(task: TaskId) -> usize {
    task.0 as usize
}

/// A plain variable: see the kernel's `Var`.
#[derive(Debug)]
pub struct Plain<T> {
    cell: Obj<Cell<T>>,
    minds: Minds,
}

struct Cell<T> {
    value: T,
    shadow: Shadow,
    what: String,
    writes: u32,
}

impl<T> Copy for Plain<T> {}
impl<T> Clone for Plain<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy + Debug + Hash + Send + 'static> Plain<T> {
    /// A variable. Giving it its first value is part of making it, not a write.
    #[track_caller]
    pub fn new(minds: Minds, name: impl Into<String>, value: T) -> Self {
        let what = name.into();
        let cell = Cell { value, shadow: Shadow::default(), what: what.clone(), writes: 0 };
        Plain { cell: Obj::create("var", what, cell), minds }
    }

    /// Reads.
    #[track_caller]
    pub fn get(&self) -> T {
        let value = self.cell.op("read", Access::Read).run(|s, cx| {
            cx.plain_read(&mut s.shadow, &s.what);
            cx.note(|| format!("{:?}", s.value));
            s.value
        });
        self.minds.saw(value);
        value
    }

    /// Writes.
    #[track_caller]
    pub fn set(&self, value: T) {
        MultiOp::new("write").touch(self.cell, Access::Write).run(|objects, cx| {
            let s = objects.get_mut(self.cell);
            cx.plain_write(&mut s.shadow, &s.what);
            cx.note(|| format!("{:?} -> {value:?}", s.value));
            s.value = value;
            s.writes += 1;
            cx.identify(objects, self.cell, |_| digest(&value));
        });
        self.minds.saw(());
    }

    /// Looks without an operation: for oracles.
    pub fn peek(&self) -> T {
        self.cell.peek(|s| s.value)
    }

    /// How often it was written: for oracles.
    pub(crate) fn writes(&self) -> u32 {
        self.cell.peek(|s| s.writes)
    }
}

/// A mutex: see Go's `sync.Mutex`.
#[derive(Copy, Clone, Debug)]
pub struct Lock {
    mutex: Obj<Mutex>,
    minds: Minds,
}

struct Mutex {
    locked: bool,
    clock: Clock,
    known: Known,
}

impl Lock {
    /// An unlocked mutex.
    #[track_caller]
    pub fn new(minds: Minds, name: impl Into<String>) -> Self {
        let mutex = Mutex { locked: false, clock: Clock::new(), known: Known::default() };
        Lock { mutex: Obj::create("sync.Mutex", name.into(), mutex), minds }
    }

    /// Locks it, once it is unlocked.
    #[track_caller]
    pub fn lock(&self) {
        self.op("Lock").when(self.mutex, |m, _| !m.locked, 0).run(|objects, cx| {
            let m = objects.get_mut(self.mutex);
            m.locked = true;
            cx.acquire(&m.clock);
            cx.own(self.mutex);
            cx.note(|| "locked");
            self.learn(objects, cx.task());
            cx.identify(objects, self.mutex, |objects| self.identity(objects));
        });
        self.minds.saw(());
    }

    /// Unlocks it.
    #[track_caller]
    pub fn unlock(&self) {
        self.op("Unlock").run(|objects, cx| {
            let m = objects.get_mut(self.mutex);
            m.locked = false;
            cx.release(&mut m.clock);
            cx.disown(self.mutex);
            cx.note(|| "unlocked");
            self.pass_on(objects, cx.task());
            cx.identify(objects, self.mutex, |objects| self.identity(objects));
        });
        self.minds.saw(());
    }

    /// Locks it, once it is unlocked, and unlocks it, in one step: for what is done under it and touches
    /// nothing else that is modelled.
    #[track_caller]
    pub fn pass(&self) {
        self.op("Lock; Unlock").when(self.mutex, |m, _| !m.locked, 0).run(|objects, cx| {
            let m = objects.get_mut(self.mutex);
            cx.acquire(&m.clock);
            cx.release(&mut m.clock);
            self.learn(objects, cx.task());
            self.pass_on(objects, cx.task());
            cx.identify(objects, self.mutex, |objects| self.identity(objects));
        });
        self.minds.saw(());
    }

    #[track_caller]
    fn op(&self, label: &'static str) -> MultiOp {
        MultiOp::new(label).touch(self.mutex, Access::Write).reason("sync.Mutex.Lock")
    }

    fn learn(&self, objects: &mut Objects, task: TaskId) {
        let known = objects.get(self.mutex).known;
        objects.get_mut(self.minds.0)[index(task)].learn(&known);
    }

    fn pass_on(&self, objects: &mut Objects, task: TaskId) {
        let known = objects.get_mut(self.minds.0)[index(task)].pass_on(index(task));
        objects.get_mut(self.mutex).known = known;
    }

    fn identity(&self, objects: &Objects) -> u64 {
        let m = objects.get(self.mutex);
        digest(&(m.locked, m.known))
    }
}

impl Locker for Lock {
    #[track_caller]
    fn lock(&self) {
        self.lock();
    }
    #[track_caller]
    fn unlock(&self) {
        self.unlock();
    }
}
