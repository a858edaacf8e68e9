//! Objects: the shared state that operations touch.

use crate::kept::Kept;
use crate::{Name, ObjectId, TaskId};
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
    pub(crate) name: Name,
    pub(crate) created: &'static Location<'static>,
    /// Tasks that hold it, for wait-for edges.
    pub(crate) owners: Vec<TaskId>,
    /// Identifies the object's value by how it came about, see `Kernel::absorb`.
    pub(crate) history: u64,
    /// Identifies the object's value: as `history` does, or by the value itself where an action
    /// [gives it](crate::Cx::identify). 0 for a value that can no longer matter.
    pub(crate) state: u64,
}

/// What is known of an object when it is made.
pub(crate) struct Birth {
    pub(crate) kind: &'static str,
    pub(crate) name: Name,
    pub(crate) created: &'static Location<'static>,
    pub(crate) history: u64,
    pub(crate) state: u64,
}

pub(crate) struct Slot {
    pub(crate) meta: Meta,
    pub(crate) cell: Box<dyn ErasedCell>,
}

impl Slot {
    #[cold]
    fn blank() -> Self {
        let created = Location::caller();
        let meta = Meta { kind: "", name: "".into(), created, owners: Vec::new(), history: 0, state: 0 };
        Slot { meta, cell: Cell::boxed(()) }
    }

    /// The place of an object of an earlier run is another's in this one.
    fn become_another<S: Send + 'static>(&mut self, birth: Birth, value: S) {
        let Meta { kind, name, created, owners, history, state } = &mut self.meta;
        *kind = birth.kind;
        *name = birth.name;
        *created = birth.created;
        owners.clear();
        *history = birth.history;
        *state = birth.state;
        match (&mut *self.cell as &mut dyn Any).downcast_mut::<Cell<S>>() {
            Some(Cell { state, waits }) => {
                *state = value;
                waits.clear();
            }
            None => self.cell = Cell::boxed(value),
        }
    }
}

pub(crate) trait ErasedCell: Any + Send {
    /// The guard that `task` waits with, on the present state.
    fn holds(&self, task: TaskId) -> bool;
    /// Every guard that somebody waits with, on the present state.
    fn guards(&self, each: &mut dyn FnMut(TaskId, bool));
    fn forget(&mut self, task: TaskId);
}

struct Cell<S> {
    state: S,
    // A list and not a map: the tasks that wait at one object are few.
    waits: Vec<(TaskId, Guard<S>, u64)>,
}

impl<S: Send + 'static> Cell<S> {
    fn boxed(state: S) -> Box<dyn ErasedCell> {
        Box::new(Cell { state, waits: Vec::new() })
    }
}

impl<S: Send + 'static> ErasedCell for Cell<S> {
    fn holds(&self, task: TaskId) -> bool {
        let mut waits = self.waits.iter().filter(|(waiting, ..)| *waiting == task);
        waits.any(|(_, guard, arg)| guard(&self.state, *arg))
    }

    fn guards(&self, each: &mut dyn FnMut(TaskId, bool)) {
        for (task, guard, arg) in &self.waits {
            each(*task, guard(&self.state, *arg));
        }
    }

    fn forget(&mut self, task: TaskId) {
        while let Some(at) = self.waits.iter().position(|(waiting, ..)| *waiting == task) {
            self.waits.swap_remove(at);
        }
    }
}

/// All objects of a run.
pub struct Objects {
    /// By id.
    pub(crate) slots: Kept<Slot>,
    /// Those whose state may have changed since the guards that look at it were evaluated.
    pub(crate) stale: Vec<ObjectId>,
}

impl Objects {
    pub(crate) const fn new() -> Self {
        Objects { slots: Kept::new(), stale: Vec::new() }
    }

    pub(crate) fn insert<S: Send + 'static>(&mut self, birth: Birth, state: S) -> Obj<S> {
        let id = ObjectId(self.slots.len() as u32);
        self.slots.add(Slot::blank).become_another(birth, state);
        Obj::new(id)
    }

    /// Ends the life of all objects. Their states go when others take their place.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.stale.clear();
    }

    /// Puts a guard beside the object it looks at; true if it holds now.
    pub(crate) fn wait<S: Send + 'static>(
        &mut self,
        object: Obj<S>,
        task: TaskId,
        guard: Guard<S>,
        arg: u64,
    ) -> bool {
        let cell = cell_mut(&mut self.slots, object);
        cell.waits.push((task, guard, arg));
        guard(&cell.state, arg)
    }

    /// The state of an object.
    pub fn get<S: Send + 'static>(&self, object: Obj<S>) -> &S {
        let slot = self.slots.get(object.id.index());
        let cell = slot.and_then(|s| (&*s.cell as &dyn Any).downcast_ref::<Cell<S>>());
        &cell.unwrap_or_else(|| panic!("{}", foreign(object.id))).state
    }

    /// The state of an object, to change it.
    pub fn get_mut<S: Send + 'static>(&mut self, object: Obj<S>) -> &mut S {
        let cell = cell_mut(&mut self.slots, object);
        if !cell.waits.is_empty() && self.stale.last() != Some(&object.id) {
            self.stale.push(object.id);
        }
        &mut cell.state
    }
}

fn cell_mut<S: Send + 'static>(slots: &mut [Slot], object: Obj<S>) -> &mut Cell<S> {
    let slot = slots.get_mut(object.id.index());
    let cell = slot.and_then(|s| (&mut *s.cell as &mut dyn Any).downcast_mut::<Cell<S>>());
    cell.unwrap_or_else(|| panic!("{}", foreign(object.id)))
}

fn foreign(id: ObjectId) -> String {
    format!("object {} belongs to another run: make objects inside the program that uses them", id.0)
}
