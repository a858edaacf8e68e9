//! Watching a run: what each task is about to do, and which operation each one follows.

use super::flow::{Event, Flow, Flows, Kind, NOBODY};
use super::names::Names;
use bohr_kernel::{Access, Kernel, ObjectId, TaskId};
use smallvec::SmallVec;

/// What a task is about to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    pub(super) event: Event,
    /// What it touches: the object, its role, and how.
    pub(super) touches: SmallVec<[(ObjectId, u32, Access); 2]>,
}

/// Who did something to an object last.
#[derive(Copy, Clone, Debug)]
pub(super) struct Last {
    pub(super) event: Event,
    /// Nobody before the first.
    pub(super) task: Option<TaskId>,
}

const NEVER: Last = Last { event: NOBODY, task: None };

#[derive(Copy, Clone, Debug)]
struct Object {
    role: u32,
    wrote: Last,
    /// Who was the last to look at what was written.
    looked: Last,
}

#[derive(Clone, Debug, Default)]
struct Task {
    role: Option<u32>,
    pending: Pending,
    /// Whether what is pending is what it has published.
    known: bool,
    /// What it did last.
    did: Event,
}

/// What is known of the run that goes on, and of all runs.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) names: Names,
    pub(super) flows: Flows,
    tasks: Vec<Task>,
    objects: Vec<Option<Object>>,
    /// By role: the operations that wrote such an object, and those that looked at one.
    writers: Vec<Vec<Event>>,
    readers: Vec<Vec<Event>>,
    /// The roles of objects that matter: two tasks have met there, one of which wrote.
    pub(super) shared: Vec<u32>,
}

impl Watch {
    pub(super) fn begin_run(&mut self) {
        self.flows.begin_run();
        for task in &mut self.tasks {
            (task.role, task.known, task.did) = (None, false, NOBODY);
        }
        self.objects.clear();
    }

    /// Looks up what a task has published.
    pub(super) fn look_at(&mut self, kernel: &Kernel, task: TaskId) {
        let place = task.0 as usize;
        if place >= self.tasks.len() {
            self.tasks.resize_with(place + 1, Task::default);
        }
        let (false, Some(published)) = (self.tasks[place].known, kernel.published(task)) else { return };
        let role = match self.tasks[place].role {
            Some(role) => role,
            None => self.names.task(kernel, task),
        };
        let event = self.names.event(published.site, published.label, role);
        let mut touches = SmallVec::new();
        // Joining only waits.
        for &(object, access) in published.objects.iter().filter(|_| published.joins.is_none()) {
            touches.push((object, self.role(kernel, object), access));
        }
        let task = &mut self.tasks[place];
        (task.role, task.known) = (Some(role), true);
        task.pending = Pending { event, touches };
    }

    /// What a task is about to do, once it was [looked at](Watch::look_at).
    pub(super) fn pending(&self, task: TaskId) -> &Pending {
        &self.tasks[task.0 as usize].pending
    }

    fn role(&mut self, kernel: &Kernel, id: ObjectId) -> u32 {
        let place = id.0 as usize;
        if place >= self.objects.len() {
            self.objects.resize(place + 1, None);
        }
        let names = &mut self.names;
        let object = self.objects[place].get_or_insert_with(|| Object {
            role: names.object(kernel, id),
            wrote: NEVER,
            looked: NEVER,
        });
        object.role
    }

    /// Who wrote last what a task is about to touch, and who looked at it last since.
    pub(super) fn last(&self, object: ObjectId) -> (Last, Last) {
        let known = self.objects.get(object.0 as usize).copied().flatten();
        known.map_or((NEVER, NEVER), |object| (object.wrote, object.looked))
    }

    /// What a task did last.
    pub(super) fn did(&self, task: TaskId) -> Event {
        self.tasks.get(task.0 as usize).map_or(NOBODY, |task| task.did)
    }

    /// A task does what it was about to do.
    pub(super) fn step(&mut self, task: TaskId) {
        let Watch { flows, tasks, objects, writers, readers, shared, .. } = self;
        let this = &mut tasks[task.0 as usize];
        let to = this.pending.event;
        (this.known, this.did) = (false, to);
        for &(id, role, access) in &this.pending.touches {
            let Some(object) = &mut objects[id.0 as usize] else { continue };
            let follows = |kind, last: Last| {
                let own = last.task == Some(task);
                Flow { kind, object: role, from: last.event, own, to }
            };
            let by_another = |last: Last| last.task.is_some_and(|who| who != task);
            let meets = by_another(object.wrote) || access != Access::Read && by_another(object.looked);
            if meets && !shared.contains(&role) {
                shared.push(role);
            }
            // To add is to look at nothing.
            if access != Access::Add {
                flows.see(follows(Kind::ReadsFrom, object.wrote));
                note(readers, role, to);
            }
            if access == Access::Read {
                object.looked = Last { event: to, task: Some(task) };
                continue;
            }
            if object.looked.task.is_some() && access == Access::Write {
                flows.see(follows(Kind::Overwrites, object.looked));
            }
            object.wrote = Last { event: to, task: Some(task) };
            object.looked = NEVER;
            note(writers, role, to);
        }
    }

    /// The operations that were seen to write an object of this role.
    pub(super) fn writers(&self, role: u32) -> &[Event] {
        self.writers.get(role as usize).map_or(&[], Vec::as_slice)
    }

    /// The operations that were seen to look at an object of this role.
    pub(super) fn readers(&self, role: u32) -> &[Event] {
        self.readers.get(role as usize).map_or(&[], Vec::as_slice)
    }

    /// A value was drawn by a task that did `by` last.
    pub(super) fn draws(&mut self, by: Event, value: u32) {
        self.flows.see(Flow { kind: Kind::Draws, object: 0, from: value, own: false, to: by });
    }
}

fn note(by_role: &mut Vec<Vec<Event>>, role: u32, event: Event) {
    let role = role as usize;
    if role >= by_role.len() {
        by_role.resize_with(role + 1, Vec::new);
    }
    if !by_role[role].contains(&event) {
        by_role[role].push(event);
    }
}
