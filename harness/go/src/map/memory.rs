//! The shared words of a map, each an object of its own, so that two steps conflict only where they
//! touch the same word.

use super::{Contents, Plain, Words};
use bohr_kernel::{Access, MultiOp, Obj, Objects, Shadow};

#[derive(Debug)]
pub(super) struct Memory<K, V> {
    /// What the race detector knows of the map.
    pub(super) header: Obj<Shadow>,
    pub(super) flag: Obj<u8>,
    pub(super) count: Obj<u32>,
    pub(super) list: Obj<List<K, V>>,
    /// The slots that the map has from the start.
    first: Vec<SlotWords<K, V>>,
}

#[derive(Debug)]
struct SlotWords<K, V> {
    ctrl: Obj<bool>,
    key: Obj<Option<K>>,
    length: Obj<Option<V>>,
    pointer: Obj<Option<V>>,
}

/// Which slots there are. Slots that came later lie in here with all their words: an operation names
/// its objects before it runs, and a scan cannot name slots that do not exist yet.
#[derive(Debug)]
pub(super) struct List<K, V> {
    small: bool,
    later: Vec<Slot<K, V>>,
}

#[derive(Debug)]
struct Slot<K, V> {
    ctrl: bool,
    key: Option<K>,
    length: Option<V>,
    pointer: Option<V>,
}

impl<K, V> Slot<K, V> {
    const FREE: Self = Slot { ctrl: false, key: None, length: None, pointer: None };
}

/// A word of a slot.
#[derive(Copy, Clone)]
pub(super) enum Word {
    /// True if the slot is in use (the control byte, or the old map's `tophash`).
    Ctrl,
    Key,
    Length,
    Pointer,
}

impl<K: Plain, V: Plain> Memory<K, V> {
    #[track_caller]
    pub(super) fn new(name: &str, slots: usize, entries: Vec<(K, Words<V>)>) -> Self {
        let count = entries.len();
        let mut entries = entries.into_iter();
        let mut first = Vec::with_capacity(slots.max(count));
        for i in 0..slots.max(count) {
            let (key, words) = entries.next().unzip();
            let (length, pointer) = words.map_or((None, None), |w: Words<V>| (w.length, w.pointer));
            first.push(SlotWords {
                ctrl: Obj::create("map slot in use", format!("{name}[{i}].ctrl"), key.is_some()),
                key: Obj::create("map key", format!("{name}[{i}].key"), key),
                length: Obj::create("map value", format!("{name}[{i}].value.len"), length),
                pointer: Obj::create("map value", format!("{name}[{i}].value.ptr"), pointer),
            });
        }
        Memory {
            header: Obj::create("map header", format!("{name}.header"), Shadow::default()),
            flag: Obj::create("map flag", format!("{name}.flag"), 0),
            count: Obj::create("map count", format!("{name}.count"), count as u32),
            list: Obj::create("map slots", format!("{name}.slots"), List { small: true, later: Vec::new() }),
            first,
        }
    }

    /// Also runs the race detector's hook. Accesses to its shadow are declared to commute: whether
    /// two accesses race depends on happens-before alone and not on which of them ran first.
    pub(super) fn hook(&self, op: MultiOp) -> MultiOp {
        op.touch(self.header, Access::Add)
    }

    /// Also touches a word of a slot.
    pub(super) fn touch(&self, op: MultiOp, slot: usize, word: Word, access: Access) -> MultiOp {
        match (self.first.get(slot), word) {
            (None, _) => op.touch(self.list, access),
            (Some(s), Word::Ctrl) => op.touch(s.ctrl, access),
            (Some(s), Word::Key) => op.touch(s.key, access),
            (Some(s), Word::Length) => op.touch(s.length, access),
            (Some(s), Word::Pointer) => op.touch(s.pointer, access),
        }
    }

    /// Also touches what a scan for a key touches.
    pub(super) fn touch_all(&self, op: MultiOp, access: Access) -> MultiOp {
        let op = op.touch(self.list, access);
        self.first.iter().fold(op, |op, s| op.touch(s.ctrl, access).touch(s.key, access))
    }

    /// Also touches every value.
    pub(super) fn touch_values(&self, op: MultiOp, access: Access) -> MultiOp {
        let op = op.touch(self.list, access);
        self.first.iter().fold(op, |op, s| op.touch(s.length, access).touch(s.pointer, access))
    }

    pub(super) fn ctrl<'o>(&self, o: &'o mut Objects, slot: usize) -> &'o mut bool {
        match self.first.get(slot) {
            Some(s) => o.get_mut(s.ctrl),
            None => &mut self.later(o, slot).ctrl,
        }
    }

    pub(super) fn key<'o>(&self, o: &'o mut Objects, slot: usize) -> &'o mut Option<K> {
        match self.first.get(slot) {
            Some(s) => o.get_mut(s.key),
            None => &mut self.later(o, slot).key,
        }
    }

    pub(super) fn length<'o>(&self, o: &'o mut Objects, slot: usize) -> &'o mut Option<V> {
        match self.first.get(slot) {
            Some(s) => o.get_mut(s.length),
            None => &mut self.later(o, slot).length,
        }
    }

    pub(super) fn pointer<'o>(&self, o: &'o mut Objects, slot: usize) -> &'o mut Option<V> {
        match self.first.get(slot) {
            Some(s) => o.get_mut(s.pointer),
            None => &mut self.later(o, slot).pointer,
        }
    }

    fn later<'o>(&self, o: &'o mut Objects, slot: usize) -> &'o mut Slot<K, V> {
        &mut o.get_mut(self.list).later[slot - self.first.len()]
    }

    /// The number of slots.
    pub(super) fn slots(&self, o: &Objects) -> usize {
        self.first.len() + o.get(self.list).later.len()
    }

    pub(super) fn find(&self, o: &mut Objects, key: &K) -> Option<usize> {
        (0..self.slots(o)).find(|&slot| *self.ctrl(o, slot) && self.key(o, slot).as_ref() == Some(key))
    }

    pub(super) fn first_free(&self, o: &mut Objects) -> Option<usize> {
        (0..self.slots(o)).find(|&slot| !*self.ctrl(o, slot))
    }

    /// True for a Swiss map that is still one group.
    pub(super) fn is_small(&self, o: &Objects) -> bool {
        o.get(self.list).small
    }

    /// Turns a small map into a table with `more` fresh slots.
    pub(super) fn grow(&self, o: &mut Objects, more: usize) {
        let list = o.get_mut(self.list);
        list.small = false;
        list.later.extend((0..more).map(|_| Slot::FREE));
    }

    /// A fresh slot at the end.
    pub(super) fn append(&self, o: &mut Objects) -> usize {
        o.get_mut(self.list).later.push(Slot::FREE);
        self.slots(o) - 1
    }

    pub(super) fn free(&self, o: &mut Objects, slot: usize) {
        *self.ctrl(o, slot) = false;
        *self.key(o, slot) = None;
        *self.length(o, slot) = None;
        *self.pointer(o, slot) = None;
    }

    pub(super) fn entries(&self, o: &mut Objects) -> Vec<(K, Words<V>)> {
        let mut entries = Vec::new();
        for slot in 0..self.slots(o) {
            if let (true, Some(key)) = (*self.ctrl(o, slot), self.key(o, slot).clone()) {
                let words =
                    Words { pointer: self.pointer(o, slot).clone(), length: self.length(o, slot).clone() };
                entries.push((key, words));
            }
        }
        entries
    }

    pub(super) fn contents(&self) -> Contents<K, V> {
        let entry = |ctrl: bool, key: Option<K>, pointer, length| {
            key.filter(|_| ctrl).map(|key| (key, Words { pointer, length }))
        };
        let first = self.first.iter().filter_map(|s| {
            let (key, pointer, length) =
                (s.key.peek(Clone::clone), s.pointer.peek(Clone::clone), s.length.peek(Clone::clone));
            entry(s.ctrl.peek(|c| *c), key, pointer, length)
        });
        let mut entries: Vec<_> = first.collect();
        self.list.peek(|list| {
            entries.extend(
                list.later
                    .iter()
                    .filter_map(|s| entry(s.ctrl, s.key.clone(), s.pointer.clone(), s.length.clone())),
            );
        });
        Contents { flag: self.flag.peek(|f| *f), count: self.count.peek(|c| *c), entries }
    }
}
