//! What loom sees of a program.

use super::{LoomSabotage, MOST_BRANCHES, MOST_TASKS};
use bohr_kernel::{Access, Footprint, TaskId};
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The gates of one execution.
///
/// Every object has a gate for each thread. Who reads passes its own, who writes passes all: so reads do not
/// conflict with each other. One atomic with loads for reads would do if loom kept track of more than the
/// last access: of two loads before a store it looks only at the later one, and forgets the other if
/// that is the storing thread's own (loom 0.7.3, `rt::atomic::State::last_access`). An `Add` counts as a write.
pub(super) struct Gates {
    /// Who passes one goes on, or would: see [`Gates::close`].
    alive: Gate,
    /// By object.
    objects: RefCell<Vec<Rc<Gate>>>,
    /// Some gates are younger than some threads, which loom must be told of.
    young: Cell<bool>,
    /// Loom's branches so far, or a few more.
    branches: Cell<usize>,
    sabotage: Option<LoomSabotage>,
}

/// One for each thread.
type Gate = [AtomicUsize; MOST_TASKS];

fn gate() -> Gate {
    std::array::from_fn(|_| AtomicUsize::new(0))
}

impl Gates {
    /// The gates of an execution that begins, for as many objects. More are made when they are met.
    pub(super) fn new(objects: usize, sabotage: Option<LoomSabotage>) -> Self {
        let objects = (0..objects).map(|_| Rc::new(gate())).collect();
        let (young, branches) = (Cell::new(false), Cell::new(0));
        Gates { alive: gate(), objects: RefCell::new(objects), young, branches, sabotage }
    }

    /// The number of objects that have gates.
    pub(super) fn objects(&self) -> usize {
        self.objects.borrow().len()
    }

    /// True if the execution is about to be too long for loom.
    pub(super) fn worn_out(&self) -> bool {
        // The last step's, and those with which threads end.
        self.branches.get() + 1_000 > MOST_BRANCHES
    }

    /// Where loom decides who goes on.
    pub(super) fn enter(&self, task: TaskId) {
        self.pass_one(&self.alive[place(task)]);
    }

    /// Tells loom what a task does, or has only looked at because its guard does not hold.
    pub(super) fn pass(&self, task: TaskId, footprint: &Footprint, goes_on: bool) {
        if !goes_on && self.sabotage == Some(LoomSabotage::Attempts) {
            return;
        }
        for (object, access) in footprint {
            let gate = self.of(object.0 as usize);
            let reads = *access == Access::Read || !goes_on;
            if self.sabotage == Some(LoomSabotage::Loads) {
                self.pass_shared(&gate[0], reads);
            } else if !reads {
                gate.iter().for_each(|one| self.pass_one(one));
            } else if self.sabotage != Some(LoomSabotage::Reads) {
                self.pass_one(&gate[place(task)]);
            }
        }
    }

    /// A step stops the run: nobody passes behind it.
    pub(super) fn close(&self, task: TaskId) {
        if self.sabotage != Some(LoomSabotage::Stops) {
            let others = self.alive.iter().enumerate().filter(|(at, _)| *at != place(task));
            others.for_each(|(_, gate)| self.pass_one(gate));
        }
    }

    fn of(&self, object: usize) -> Rc<Gate> {
        let mut objects = self.objects.borrow_mut();
        if objects.len() <= object {
            objects.resize_with(object + 1, || Rc::new(gate()));
            self.young.set(true);
        }
        if self.young.get() {
            // Loom takes it for a data race if a thread that does not know of an atomic's making uses it. A fence lets
            // it know, and is no place to switch.
            fence(Ordering::SeqCst);
        }
        objects[object].clone()
    }

    fn pass_one(&self, gate: &AtomicUsize) {
        self.branches.set(self.branches.get() + 2);
        gate.fetch_add(1, Ordering::SeqCst);
    }

    fn pass_shared(&self, gate: &AtomicUsize, reads: bool) {
        if reads {
            self.branches.set(self.branches.get() + 2);
            gate.load(Ordering::SeqCst);
        } else {
            self.pass_one(gate);
        }
    }
}

fn place(task: TaskId) -> usize {
    task.0 as usize
}
