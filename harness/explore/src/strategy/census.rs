//! How many events each task has left, by what earlier runs have shown.

use bohr_kernel::{Kernel, TaskId};

/// Tasks as they are from run to run: who is whose how-manieth child. A task's number may differ, since
/// tasks are numbered by when they were spawned.
#[derive(Clone, Debug)]
pub(super) struct Census<T> {
    /// The main task first, and every parent before its children.
    kin: Vec<Kin<T>>,
    /// In this run, by task id.
    present: Vec<Present>,
}

#[derive(Clone, Debug, Default)]
struct Kin<T> {
    parent: usize,
    children: Vec<usize>,
    /// What is known of it.
    known: T,
    /// How many events it and all its descendants are expected to have in this run.
    expected: u64,
}

#[derive(Clone, Debug)]
struct Present {
    kin: usize,
    /// How many children it has by now.
    children: usize,
    /// How many events it has left, those counted of descendants that are not born yet.
    left: u64,
}

/// A task has been born.
pub(super) struct Birth<'c, T> {
    /// Which.
    pub(super) task: TaskId,
    /// How many events it and its descendants are expected to have.
    pub(super) left: u64,
    /// Its parent, and how many events that had left before, with those of the new task.
    pub(super) parent: Option<(TaskId, u64)>,
    /// What is known of it.
    pub(super) known: &'c mut T,
}

impl<T: Default> Census<T> {
    pub(super) fn new() -> Self {
        Census { kin: vec![Kin::default()], present: Vec::new() }
    }

    /// Begins a run in which a task of which so much is known is expected to have so many events.
    pub(super) fn begin(&mut self, expected: impl Fn(&T) -> u64) {
        self.present.clear();
        for kin in &mut self.kin {
            kin.expected = expected(&kin.known);
        }
        for child in (1..self.kin.len()).rev() {
            let Kin { parent, expected, .. } = self.kin[child];
            self.kin[parent].expected += expected;
        }
    }

    /// Notes the birth of the next task that is not noted yet, if there is one. What it has left is taken from
    /// its parent.
    pub(super) fn note_birth(&mut self, kernel: &Kernel) -> Option<Birth<'_, T>> {
        let task = TaskId(self.present.len() as u32);
        if task.0 >= kernel.tasks() {
            return None;
        }
        let mut birth = (0, None);
        if let Some(parent) = kernel.parent(task) {
            let place = parent.0 as usize;
            let kin = self.child(self.present[place].kin, self.present[place].children);
            let parents = &mut self.present[place];
            parents.children += 1;
            birth = (kin, Some((parent, parents.left)));
            parents.left = parents.left.saturating_sub(self.kin[kin].expected);
        }
        let (kin, parent) = birth;
        let Kin { expected, known, .. } = &mut self.kin[kin];
        self.present.push(Present { kin, children: 0, left: *expected });
        Some(Birth { task, left: *expected, parent, known })
    }

    fn child(&mut self, parent: usize, number: usize) -> usize {
        if let Some(known) = self.kin[parent].children.get(number) {
            return *known;
        }
        let child = self.kin.len();
        self.kin.push(Kin { parent, ..Kin::default() });
        self.kin[parent].children.push(child);
        child
    }

    /// How many events a task that was born has left, those of its unborn descendants counted.
    pub(super) fn left(&self, task: TaskId) -> u64 {
        self.present[task.0 as usize].left
    }

    /// A task that was born has had one of its events.
    pub(super) fn had_one(&mut self, task: TaskId) {
        let left = &mut self.present[task.0 as usize].left;
        *left = left.saturating_sub(1);
    }

    /// What is known of a task that was born; and a number that is the same in every run.
    pub(super) fn known(&mut self, task: TaskId) -> (usize, &mut T) {
        let kin = self.present[task.0 as usize].kin;
        (kin, &mut self.kin[kin].known)
    }
}
