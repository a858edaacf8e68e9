//! Objects: the shared state that operations touch.

use crate::{ObjectId, TaskId};
use smallvec::SmallVec;
use std::any::Any;
use std::marker::PhantomData;
use std::panic::Location;

/// How an operation uses an object; two operations that do not [conflict](Access::conflicts) may be
/// swapped without any task seeing a difference.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Looks, changes nothing.
    Read,
    /// May look and change.
    Write,
    /// Changes in a way that commutes with other `Add`s and looks at nothing, like appending to a
    /// set. The action must not let its result depend on the state, and no guard may look at it: one `Add`
    /// must not keep another from running.
    Add,
}

impl Access {
    /// True if the order of two such accesses can matter.
    pub fn conflicts(self, other: Access) -> bool {
        !matches!((self, other), (Access::Read, Access::Read) | (Access::Add, Access::Add))
    }
}

/// Whether an operation may run now. The number is whatever the operation was published with (a
/// ticket, a deadline), so that a guard needs no captured state and can be kept beside the object.
pub type Guard<S> = fn(&S, u64) -> bool;

/// A handle to an object whose state is an `S`. It is a plain number: copy it into every task.
///
/// A handle is good only inside the run that made it.
pub struct Obj<S> {
    pub(crate) id: ObjectId,
    state: PhantomData<fn() -> S>,
}

impl<S> Obj<S> {
    pub(crate) fn new(id: ObjectId) -> Self {
        Obj { id, state: PhantomData }
    }

    /// The object's number in this run.
    pub fn id(self) -> ObjectId {
        self.id
    }
}

impl<S> Copy for Obj<S> {}
impl<S> Clone for Obj<S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> std::fmt::Debug for Obj<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.id)
    }
}

/// What an object is called in traces and reports.
#[derive(Debug)]
pub(crate) struct Meta {
    /// The type in the source's own words: `sync.Mutex`, `map`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) created: &'static Location<'static>,
    /// Tasks that hold it, for wait-for edges.
    pub(crate) owners: SmallVec<[TaskId; 2]>,
    /// Identifies the object's value by how it came about, see `Kernel::absorb`.
    pub(crate) history: u64,
    /// Identifies the object's value: as `history` does, or by the value itself where an action
    /// [gives it](crate::Cx::identify). 0 for a value that can no longer matter.
    pub(crate) state: u64,
}

pub(crate) struct Slot {
    pub(crate) meta: Meta,
    pub(crate) cell: Box<dyn ErasedCell>,
}

pub(crate) trait ErasedCell: Any + Send {
    /// The guard that `task` waits with, on the present state.
    fn holds(&self, task: TaskId) -> bool;
    fn forget(&mut self, task: TaskId);
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

struct Cell<S> {
    state: S,
    // A list and not a map: the tasks that wait at one object are few.
    waits: SmallVec<[(TaskId, Guard<S>, u64); 4]>,
}

impl<S: Send + 'static> ErasedCell for Cell<S> {
    fn holds(&self, task: TaskId) -> bool {
        let mut waits = self.waits.iter().filter(|(waiting, ..)| *waiting == task);
        waits.any(|(_, guard, arg)| guard(&self.state, *arg))
    }

    fn forget(&mut self, task: TaskId) {
        self.waits.retain(|(waiting, ..)| *waiting != task);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// All objects of a run.
#[derive(Default)]
pub struct Objects {
    pub(crate) slots: Vec<Slot>,
    /// A state that some guard looks at may have changed since the guards were evaluated.
    pub(crate) guards_stale: bool,
}

impl Objects {
    pub(crate) fn insert<S: Send + 'static>(&mut self, meta: Meta, state: S) -> Obj<S> {
        let id = ObjectId(self.slots.len() as u32);
        self.slots.push(Slot { meta, cell: Box::new(Cell { state, waits: SmallVec::new() }) });
        Obj::new(id)
    }

    pub(crate) fn wait<S: Send + 'static>(
        &mut self,
        object: Obj<S>,
        task: TaskId,
        guard: Guard<S>,
        arg: u64,
    ) {
        cell_mut(&mut self.slots, object).waits.push((task, guard, arg));
    }

    /// The state of an object.
    pub fn get<S: Send + 'static>(&self, object: Obj<S>) -> &S {
        let cell = self.slots.get(object.id.index()).and_then(|s| s.cell.as_any().downcast_ref::<Cell<S>>());
        &cell.unwrap_or_else(|| panic!("{}", foreign(object.id))).state
    }

    /// The state of an object, to change it.
    pub fn get_mut<S: Send + 'static>(&mut self, object: Obj<S>) -> &mut S {
        let cell = cell_mut(&mut self.slots, object);
        self.guards_stale |= !cell.waits.is_empty();
        &mut cell.state
    }
}

fn cell_mut<S: Send + 'static>(slots: &mut [Slot], object: Obj<S>) -> &mut Cell<S> {
    let slot = slots.get_mut(object.id.index());
    let cell = slot.and_then(|s| s.cell.as_any_mut().downcast_mut::<Cell<S>>());
    cell.unwrap_or_else(|| panic!("{}", foreign(object.id)))
}

fn foreign(id: ObjectId) -> String {
    format!("object {} belongs to another run: make objects inside the program that uses them", id.0)
}
