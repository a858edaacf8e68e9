//! Numbers for what stands in the source, the same however the runs go on: a task is known by its role, an
//! object by where it was made, an operation by its line and who does it.

use super::features::hash;
use super::flow::{Event, NOBODY};
use bohr_kernel::{Kernel, ObjectId, TaskId};
use std::collections::BTreeMap;
use std::panic::Location;

/// A place in the source. Two addresses may stand for one place.
type Place = &'static Location<'static>;

/// The numbers given so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    tasks: BTreeMap<String, u32>,
    objects: BTreeMap<(&'static str, String, Place), u32>,
    events: BTreeMap<(Place, &'static str, u32), Event>,
    /// By role: what the names are made of, hashed.
    task_hashes: Vec<u64>,
    /// By role, from 1.
    object_hashes: Vec<u64>,
    /// By number, from 1.
    event_hashes: Vec<u64>,
    /// By role: what was looked up, since comparing addresses takes a fraction of comparing texts.
    quick: Vec<Vec<(Place, &'static str, Event)>>,
    /// By id: what the task was called when its role was looked up last, which is mostly the same in the next run.
    recent_tasks: Vec<(String, u32)>,
    /// By id: the same for objects.
    recent_objects: Vec<(&'static str, String, Place, u32)>,
}

impl Names {
    /// A task's role: its name without digits, so that one worker is as good as another.
    pub(super) fn task(&mut self, kernel: &Kernel, task: TaskId) -> u32 {
        let name = kernel.task_name(task);
        let place = task.0 as usize;
        if let Some((known, role)) = self.recent_tasks.get(place)
            && known == name
        {
            return *role;
        }
        let next = self.tasks.len() as u32;
        let plain = without_digits(name);
        let plain_hash = hash(plain.bytes());
        let role = *self.tasks.entry(plain).or_insert(next);
        if self.quick.len() <= role as usize {
            self.task_hashes.push(plain_hash);
            self.quick.push(Vec::new());
        }
        if place >= self.recent_tasks.len() {
            self.recent_tasks.resize_with(place + 1, || (String::new(), u32::MAX));
        }
        self.recent_tasks[place] = (name.to_owned(), role);
        role
    }

    /// An object's role, from 1: its type, its name without digits, and where it was made.
    pub(super) fn object(&mut self, kernel: &Kernel, object: ObjectId) -> u32 {
        let (kind, name, made) = kernel.object(object);
        let place = object.0 as usize;
        if let Some((known_kind, known, known_made, role)) = self.recent_objects.get(place)
            && std::ptr::eq(*known_made, made)
            && *known_kind == kind
            && known == name
        {
            return *role;
        }
        let next = self.objects.len() as u32 + 1;
        let plain = without_digits(name);
        let made_hash = hash_at(made, kind.bytes().chain([0]).chain(plain.bytes()));
        let role = *self.objects.entry((kind, plain, made)).or_insert(next);
        if role == next {
            self.object_hashes.push(made_hash);
        }
        while place >= self.recent_objects.len() {
            // No object is of no type.
            self.recent_objects.push(("", String::new(), made, 0));
        }
        self.recent_objects[place] = (kind, name.to_owned(), made, role);
        role
    }

    /// The operation called `label` at a line, done by a task of some role.
    pub(super) fn event(&mut self, site: Place, label: &'static str, role: u32) -> Event {
        let quick = &mut self.quick[role as usize];
        let same = |known: &&(Place, &'static str, Event)| {
            std::ptr::eq(known.0, site) && std::ptr::eq(known.1, label)
        };
        if let Some((.., event)) = quick.iter().find(same) {
            return *event;
        }
        let next = self.events.len() as u32 + 1;
        let event = *self.events.entry((site, label, role)).or_insert(next);
        quick.push((site, label, event));
        if event == next {
            let by = self.task_hashes[role as usize].to_le_bytes();
            self.event_hashes.push(hash_at(site, label.bytes().chain(by)));
        }
        event
    }

    /// An operation's name as a number that does not depend on when it was met; 0 for nobody's.
    pub(super) fn event_hash(&self, event: Event) -> u64 {
        if event == NOBODY { 0 } else { self.event_hashes[event as usize - 1] }
    }

    /// An object's role as such a number; 0 for that of drawn values.
    pub(super) fn object_hash(&self, role: u32) -> u64 {
        if role == 0 { 0 } else { self.object_hashes[role as usize - 1] }
    }
}

fn hash_at(place: Place, what: impl Iterator<Item = u8>) -> u64 {
    let (line, column) = (place.line().to_le_bytes(), place.column().to_le_bytes());
    hash(place.file().bytes().chain(line).chain(column).chain(what))
}

fn without_digits(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}
