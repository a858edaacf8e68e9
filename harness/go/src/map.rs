//! Go's built-in map, with the runtime's best-effort detection of concurrent misuse.
//!
//! A plain map has one "being written" flag: the bit `hashWriting` of `hmap.flags` up to Go 1.23
//! (`runtime/map.go`), the byte `Map.writing` of the Swiss map since Go 1.24
//! (`internal/runtime/maps`). Every access to it is an ordinary load or store, on purpose
//! (golang/go#26703, #31516), so the detection is itself racy. What each operation does:
//!
//! | operation | empty short-cut | entry check fails with | raises | exit check | lowers |
//! | --- | --- | --- | --- | --- | --- |
//! | lookup | `count == 0`: absent, no check | `concurrent map read and map write` | no | no | no |
//! | assign | no | `concurrent map writes` | XOR | `concurrent map writes` | old: clear, Swiss: XOR |
//! | delete, clear | `count == 0`: done, no check | as assign | XOR | as assign | as assign |
//! | iteration, each step | empty at the start: ended, no check | `concurrent map iteration and map write` | no | no | no |
//! | clone | no | `concurrent map clone and map write` | no | no | no |
//! | len | - | no check | no | no | no |
//!
//! What follows from the table, and from where the compiler puts the accesses around it:
//!
//! - The XOR is a load and a store. Two writers that are both past the entry check flip the flag
//!   back to 0, and the first of them to reach its exit check dies there.
//! - The old runtime's exit writes 0, whatever was there. The Swiss exit flips: after an overlap that
//!   nobody saw it can leave the flag set, and the next innocent access dies.
//! - A lookup is checked at its entry only; a write that begins later goes unseen.
//! - Lookup and assign give a *pointer* to the value, and the caller touches the value outside the
//!   flag's window: a string is loaded pointer first and stored length first, see [`Words`].
//! - The race detector's hook comes first of all, before the empty short-cut too: lookup, iteration
//!   and `len` read the location "map header", the others write it.
//!
//! These errors are fatal, not panics: no `recover` and no deferred function ever sees them.
//!
//! Left out: hashing (it touches nothing shared), the random start of an iteration (it goes by
//! slot), and evacuation while an old map grows. A map that is full gets slots and keeps those it
//! has.

mod memory;

use bohr_kernel::{Cx, MultiOp, Objects};
use memory::{Memory, Word};
use std::fmt::{self, Debug, Display};
use std::panic::Location;
use std::sync::Arc;

/// A Go map from `K` to strings. Clone the handle into every task.
#[derive(Debug)]
pub struct Map<K, V>(Arc<Inner<K, V>>);

#[derive(Debug)]
struct Inner<K, V> {
    layout: Layout,
    /// What the race detector calls the header.
    header: String,
    memory: Memory<K, V>,
}

/// Which runtime a map lives in, and how finely its steps are told apart.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The runtime.
    pub runtime: Runtime,
    /// How finely.
    pub granularity: Granularity,
    /// The number of slots at first; 8 in both runtimes (a bucket, a group). Fewer make a smaller
    /// state space with the same behaviours, as long as there are as many as keys.
    pub slots: usize,
}

/// The two implementations of maps.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// `hmap`, Go 1.23 and before. A full map chains another bucket.
    Hmap,
    /// The Swiss map, Go 1.24 and later. A full small map grows to a table, even for an update.
    Swiss,
}

/// What is one atomic step.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// Every access to a shared word is a step of its own.
    Fine,
    /// Runs of accesses that belong together are one step: both words of a value; loading and
    /// flipping the flag; the four stores of an insert.
    Coarse,
}

/// A string in memory: a pointer and a length, which are loaded and stored one by one. Each stands
/// for the string it came from, and is absent while it is nil.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Words<V> {
    /// The string that the pointer points to.
    pub pointer: Option<V>,
    /// The string whose length it is.
    pub length: Option<V>,
}

impl<V: PartialEq + Clone> Words<V> {
    /// Both words of one string.
    pub fn whole(value: V) -> Self {
        Words { pointer: Some(value.clone()), length: Some(value) }
    }

    /// The value, if both words are of the same string.
    pub fn intact(&self) -> Option<&V> {
        self.pointer.as_ref().filter(|p| self.length.as_ref() == Some(p))
    }

    /// True if the words are of two different strings.
    pub fn is_torn(&self) -> bool {
        matches!((&self.pointer, &self.length), (Some(p), Some(n)) if p != n)
    }
}

impl<V: Display + PartialEq + Clone> Display for Words<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.pointer, &self.length) {
            (None, None) => f.write_str("\"\""),
            (Some(p), Some(n)) if p == n => write!(f, "{p}"),
            (p, n) => write!(f, "[pointer of {}, length of {}]", word(p), word(n)),
        }
    }
}

/// What a map holds, for oracles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents<K, V> {
    /// The flag.
    pub flag: u8,
    /// The count, which need not be the number of entries.
    pub count: u32,
    /// The key and the value of every slot that is in use.
    pub entries: Vec<(K, Words<V>)>,
}

/// Go's text for a nil dereference, as it follows `panic: `.
pub const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";
const READ_AND_WRITE: &str = "concurrent map read and map write";
const WRITES: &str = "concurrent map writes";
const ITERATION_AND_WRITE: &str = "concurrent map iteration and map write";
const CLONE_AND_WRITE: &str = "concurrent map clone and map write";
const NO_EMPTY_SLOT: &str = "small map with no empty slot (concurrent map writes?)";

/// True if the text of a fatal error comes from a map.
pub fn is_map_error(text: &str) -> bool {
    [READ_AND_WRITE, WRITES, ITERATION_AND_WRITE, CLONE_AND_WRITE, NO_EMPTY_SLOT].contains(&text)
}

/// What keys and values must be able to do.
pub trait Plain: Clone + PartialEq + Debug + Display + Send + Sync + 'static {}
impl<T: Clone + PartialEq + Debug + Display + Send + Sync + 'static> Plain for T {}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Map(Arc::clone(&self.0))
    }
}

impl<K: Plain, V: Plain> Map<K, V> {
    /// An empty map of eight slots with fine steps: what a program really has.
    #[track_caller]
    pub fn new(name: &str, runtime: Runtime) -> Self {
        Self::with_layout(name, Layout { runtime, granularity: Granularity::Fine, slots: 8 }, [])
    }

    /// A map that holds `entries`: a map literal, made before anything else can see it. If there are
    /// more than slots, there are as many slots more.
    #[track_caller]
    pub fn with_layout(name: &str, layout: Layout, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key, Words::whole(value)));
        Self::holding(name, layout, entries.collect())
    }

    #[track_caller]
    fn holding(name: &str, layout: Layout, entries: Vec<(K, Words<V>)>) -> Self {
        let memory = Memory::new(name, layout.slots, entries);
        Map(Arc::new(Inner { layout, header: format!("{name} (map header)"), memory }))
    }

    /// `value, ok := m[key]`.
    #[track_caller]
    pub fn lookup(&self, key: &K) -> Option<Words<V>> {
        let (m, site) = (&self.0.memory, Location::caller());
        let op = m.hook(MultiOp::new("map lookup: read the count")).touch(m.count, READ);
        let empty = op.at(site).run(|o, cx| {
            cx.plain_read(o.get_mut(m.header), &self.0.header);
            note_count(m, o, cx) == 0
        });
        if empty {
            return None;
        }
        self.check("map lookup: check the flag", READ_AND_WRITE, site);
        let op = m.touch_all(MultiOp::new("map lookup: find the key"), READ);
        let found = op.at(site).run(|o, cx| {
            let found = m.find(o, key);
            cx.note(|| found.map_or_else(|| format!("{key}: absent"), |i| format!("{key}: slot {i}")));
            found
        });
        found.map(|i| self.load_value(i, &LOOKUP, site))
    }

    /// `m[key] = value`.
    #[track_caller]
    pub fn assign(&self, key: K, value: V) {
        let (m, site) = (&self.0.memory, Location::caller());
        let op = m.hook(MultiOp::new(ASSIGN.check)).touch(m.flag, READ);
        op.at(site).run(|o, cx| {
            cx.plain_write(o.get_mut(m.header), &self.0.header);
            fatal_if(note_flag(m, o, cx) != 0, WRITES, cx);
        });
        self.raise(&ASSIGN, site);
        if self.0.layout.runtime == Runtime::Swiss {
            let op = MultiOp::new("map assign: test for room").touch(m.count, READ).touch(m.list, WRITE);
            op.at(site).run(|o, cx| {
                let full = note_count(m, o, cx) as usize >= self.0.layout.slots;
                if full && m.is_small(o) {
                    m.grow(o, self.0.layout.slots);
                    cx.note(|| "full: grows to a table");
                }
            });
        }
        let op = m.touch_all(MultiOp::new("map assign: find a slot"), READ).touch(m.list, WRITE);
        let (slot, fresh) = op.at(site).run(|o, cx| self.find_slot(o, cx, &key));
        if fresh {
            self.insert(slot, key, site);
        }
        self.lower(&ASSIGN, site);
        self.store_value(slot, &value, site);
    }

    /// `delete(m, key)`.
    #[track_caller]
    pub fn delete(&self, key: &K) {
        let (m, site) = (&self.0.memory, Location::caller());
        if self.done_if_empty("map delete: read the count", site) {
            return;
        }
        self.check(DELETE.check, WRITES, site);
        self.raise(&DELETE, site);
        let op = m.touch_all(MultiOp::new("map delete: find the key"), READ);
        let found = op.at(site).run(|o, _| m.find(o, key));
        if let Some(slot) = found {
            self.remove(slot, site);
        }
        self.lower(&DELETE, site);
    }

    /// `clear(m)`.
    #[track_caller]
    pub fn clear(&self) {
        let (m, site) = (&self.0.memory, Location::caller());
        if self.done_if_empty("map clear: read the count", site) {
            return;
        }
        self.check(CLEAR.check, WRITES, site);
        self.raise(&CLEAR, site);
        let op = m.touch_all(MultiOp::new("map clear: free every slot"), WRITE).touch(m.count, WRITE);
        m.touch_values(op, WRITE).at(site).run(|o, _| {
            for slot in 0..m.slots(o) {
                m.free(o, slot);
            }
            *o.get_mut(m.count) = 0;
        });
        self.lower(&CLEAR, site);
    }

    /// `len(m)`: a load of the count that nothing checks.
    #[track_caller]
    pub fn len(&self) -> usize {
        let (m, site) = (&self.0.memory, Location::caller());
        let op = m.hook(MultiOp::new("map len: read the count")).touch(m.count, READ);
        op.at(site).run(|o, cx| {
            cx.plain_read(o.get_mut(m.header), &self.0.header);
            note_count(m, o, cx) as usize
        })
    }

    /// `len(m) == 0`.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `for key, value := range m`. A map that is empty now ends it at once, whatever comes later.
    #[track_caller]
    pub fn iterate(&self) -> Iteration<K, V> {
        let (m, site) = (&self.0.memory, Location::caller());
        let op = m.hook(MultiOp::new("map iteration: read the count")).touch(m.count, READ);
        let empty = op.at(site).run(|o, cx| {
            cx.plain_read(o.get_mut(m.header), &self.0.header);
            note_count(m, o, cx) == 0
        });
        Iteration { map: self.clone(), next: if empty { None } else { Some(0) } }
    }

    /// `maps.Clone(m)`. The race detector sees nothing of it.
    #[track_caller]
    pub fn clone_map(&self, name: &str) -> Self {
        let (m, site) = (&self.0.memory, Location::caller());
        self.check("map clone: check the flag", CLONE_AND_WRITE, site);
        let op = m.touch_values(m.touch_all(MultiOp::new("map clone: copy"), READ), READ);
        let entries = op.at(site).run(|o, _| m.entries(o));
        Self::holding(name, self.0.layout, entries)
    }

    /// Looks without an operation: for oracles.
    pub fn contents(&self) -> Contents<K, V> {
        self.0.memory.contents()
    }

    /// A load of the flag that is fatal if somebody is writing.
    fn check(&self, label: &'static str, text: &'static str, site: &'static Location<'static>) {
        let m = &self.0.memory;
        let op = MultiOp::new(label).touch(m.flag, READ).at(site);
        op.run(|o, cx| fatal_if(note_flag(m, o, cx) != 0, text, cx));
    }

    /// The race detector's hook and the short-cut of `delete` and `clear`.
    fn done_if_empty(&self, label: &'static str, site: &'static Location<'static>) -> bool {
        let m = &self.0.memory;
        m.hook(MultiOp::new(label)).touch(m.count, READ).at(site).run(|o, cx| {
            cx.plain_write(o.get_mut(m.header), &self.0.header);
            note_count(m, o, cx) == 0
        })
    }

    fn raise(&self, labels: &Labels, site: &'static Location<'static>) {
        self.flip([labels.load, labels.raise], site);
    }

    /// The exit check, and the end of the flag's window.
    fn lower(&self, labels: &Labels, site: &'static Location<'static>) {
        let m = &self.0.memory;
        let op = MultiOp::new(labels.recheck).touch(m.flag, READ).at(site);
        op.run(|o, cx| fatal_if(note_flag(m, o, cx) == 0, WRITES, cx));
        match self.0.layout.runtime {
            Runtime::Swiss => self.flip([labels.reload, labels.lower], site),
            Runtime::Hmap => {
                let op = MultiOp::new(labels.lower).touch(m.flag, WRITE).at(site);
                op.run(|o, cx| set_flag(m, o, cx, 0));
            }
        }
    }

    /// `flag ^= 1`: a load and a store.
    fn flip(&self, [load, store]: [&'static str; 2], site: &'static Location<'static>) {
        let m = &self.0.memory;
        match self.0.layout.granularity {
            Granularity::Fine => {
                let op = MultiOp::new(load).touch(m.flag, READ).at(site);
                let seen = op.run(|o, cx| note_flag(m, o, cx));
                let op = MultiOp::new(store).touch(m.flag, WRITE).at(site);
                op.run(|o, cx| set_flag(m, o, cx, seen ^ 1));
            }
            Granularity::Coarse => {
                let op = MultiOp::new(store).touch(m.flag, WRITE).at(site);
                op.run(|o, cx| {
                    let seen = *o.get(m.flag);
                    set_flag(m, o, cx, seen ^ 1);
                });
            }
        }
    }

    /// The slot of `key`, or one to insert it in (then true). The whole scan is one step.
    fn find_slot(&self, o: &mut Objects, cx: &mut Cx<'_>, key: &K) -> (usize, bool) {
        let m = &self.0.memory;
        if let Some(slot) = m.find(o, key) {
            cx.note(|| format!("{key}: slot {slot}"));
            return (slot, false);
        }
        let free = m.first_free(o);
        let slot = free.unwrap_or_else(|| {
            fatal_if(self.0.layout.runtime == Runtime::Swiss && m.is_small(o), NO_EMPTY_SLOT, cx);
            m.append(o)
        });
        cx.note(|| format!("{key}: takes slot {slot}"));
        (slot, true)
    }

    fn insert(&self, slot: usize, key: K, site: &'static Location<'static>) {
        let m = &self.0.memory;
        if self.0.layout.granularity == Granularity::Coarse {
            let op = MultiOp::new("map assign: insert the key").touch(m.count, WRITE);
            let op = m.touch(m.touch(op, slot, Word::Key, WRITE), slot, Word::Ctrl, WRITE);
            op.at(site).run(|o, cx| {
                cx.note(|| format!("slot {slot}: {key}"));
                *m.key(o, slot) = Some(key);
                *m.ctrl(o, slot) = true;
                let count = *o.get(m.count);
                set_count(m, o, cx, count + 1);
            });
            return;
        }
        let op = m.touch(MultiOp::new("map assign: store the key"), slot, Word::Key, WRITE);
        op.at(site).run(|o, cx| {
            cx.note(|| format!("slot {slot}: {key}"));
            *m.key(o, slot) = Some(key);
        });
        let op = m.touch(MultiOp::new("map assign: mark the slot as used"), slot, Word::Ctrl, WRITE);
        op.at(site).run(|o, cx| {
            cx.note(|| format!("slot {slot}"));
            *m.ctrl(o, slot) = true;
        });
        self.add_to_count(["map assign: load the count", "map assign: store the count"], 1, site);
    }

    /// Frees a slot. The old runtime decrements the count last, the Swiss map first.
    fn remove(&self, slot: usize, site: &'static Location<'static>) {
        let m = &self.0.memory;
        let labels = ["map delete: load the count", "map delete: store the count"];
        if self.0.layout.runtime == Runtime::Swiss {
            self.add_to_count(labels, -1, site);
        }
        let op = MultiOp::new("map delete: free the slot");
        let words = [Word::Ctrl, Word::Key, Word::Length, Word::Pointer];
        let op = words.into_iter().fold(op, |op, word| m.touch(op, slot, word, WRITE));
        op.at(site).run(|o, _| m.free(o, slot));
        if self.0.layout.runtime == Runtime::Hmap {
            self.add_to_count(labels, -1, site);
        }
    }

    fn add_to_count(&self, [load, store]: [&'static str; 2], by: i32, site: &'static Location<'static>) {
        let m = &self.0.memory;
        let op = MultiOp::new(load).touch(m.count, READ).at(site);
        let seen = op.run(|o, cx| note_count(m, o, cx));
        let op = MultiOp::new(store).touch(m.count, WRITE).at(site);
        op.run(|o, cx| set_count(m, o, cx, seen.wrapping_add_signed(by)));
    }

    /// What the caller does with the pointer that a lookup gave it: outside of the flag's window.
    fn load_value(&self, slot: usize, labels: &ValueLabels, site: &'static Location<'static>) -> Words<V> {
        let m = &self.0.memory;
        let pointer = |o: &mut Objects| m.pointer(o, slot).clone();
        let rest = |o: &mut Objects, cx: &mut Cx<'_>, pointer: Option<V>| {
            let words = Words { pointer, length: m.length(o, slot).clone() };
            cx.note(|| format!("slot {slot}: {words}"));
            if words.pointer.is_none() && words.length.is_some() {
                cx.panic(NIL_DEREFERENCE);
            }
            words
        };
        if self.0.layout.granularity == Granularity::Coarse {
            let op = m.touch(MultiOp::new(labels.both), slot, Word::Pointer, READ);
            return m.touch(op, slot, Word::Length, READ).at(site).run(|o, cx| {
                let pointer = pointer(o);
                rest(o, cx, pointer)
            });
        }
        let op = m.touch(MultiOp::new(labels.pointer), slot, Word::Pointer, READ);
        let seen = op.at(site).run(|o, cx| {
            let seen = pointer(o);
            cx.note(|| format!("slot {slot}: {}", word(&seen)));
            seen
        });
        let op = m.touch(MultiOp::new(labels.length), slot, Word::Length, READ);
        op.at(site).run(|o, cx| rest(o, cx, seen))
    }

    /// What the caller does with the pointer that an assign gave it: outside of the flag's window.
    fn store_value(&self, slot: usize, value: &V, site: &'static Location<'static>) {
        let m = &self.0.memory;
        let store = |was: &mut Option<V>, cx: &mut Cx<'_>| {
            cx.note(|| format!("slot {slot}: {} -> {value}", word(was)));
            *was = Some(value.clone());
        };
        if self.0.layout.granularity == Granularity::Coarse {
            let op = m.touch(MultiOp::new("map assign: store the value"), slot, Word::Length, WRITE);
            m.touch(op, slot, Word::Pointer, WRITE).at(site).run(|o, cx| {
                *m.length(o, slot) = Some(value.clone());
                store(m.pointer(o, slot), cx);
            });
            return;
        }
        let op = m.touch(MultiOp::new("map assign: store the value's length"), slot, Word::Length, WRITE);
        op.at(site).run(|o, cx| store(m.length(o, slot), cx));
        let op = m.touch(MultiOp::new("map assign: store the value's pointer"), slot, Word::Pointer, WRITE);
        op.at(site).run(|o, cx| store(m.pointer(o, slot), cx));
    }
}

/// A `range` over a map, by slot.
#[derive(Debug)]
pub struct Iteration<K, V> {
    map: Map<K, V>,
    /// The slot to look at next; nothing once it has ended.
    next: Option<usize>,
}

impl<K: Plain, V: Plain> Iteration<K, V> {
    /// The next entry. The flag is checked by every step, the one that finds the end too.
    #[track_caller]
    pub fn step(&mut self) -> Option<(K, Words<V>)> {
        let from = self.next?;
        let (inner, site) = (&self.map.0, Location::caller());
        let m = &inner.memory;
        let op = m.hook(MultiOp::new("map iteration: check the flag")).touch(m.flag, READ);
        op.at(site).run(|o, cx| {
            cx.plain_read(o.get_mut(m.header), &inner.header);
            fatal_if(note_flag(m, o, cx) != 0, ITERATION_AND_WRITE, cx);
        });
        let op = m.touch_all(MultiOp::new("map iteration: find the next slot"), READ);
        let found = op.at(site).run(|o, _| {
            let slot = (from..m.slots(o)).find(|&slot| *m.ctrl(o, slot))?;
            Some((slot, m.key(o, slot).clone()?))
        });
        self.next = found.as_ref().map(|(slot, _)| slot + 1);
        let (slot, key) = found?;
        Some((key, self.map.load_value(slot, &ITERATION, site)))
    }
}

const READ: bohr_kernel::Access = bohr_kernel::Access::Read;
const WRITE: bohr_kernel::Access = bohr_kernel::Access::Write;

fn note_flag<K: Plain, V: Plain>(m: &Memory<K, V>, o: &Objects, cx: &mut Cx<'_>) -> u8 {
    let flag = *o.get(m.flag);
    cx.note(|| format!("flag {flag}"));
    flag
}

fn set_flag<K: Plain, V: Plain>(m: &Memory<K, V>, o: &mut Objects, cx: &mut Cx<'_>, to: u8) {
    let flag = o.get_mut(m.flag);
    cx.note(|| format!("flag {flag} -> {to}"));
    *flag = to;
}

fn note_count<K: Plain, V: Plain>(m: &Memory<K, V>, o: &Objects, cx: &mut Cx<'_>) -> u32 {
    let count = *o.get(m.count);
    cx.note(|| format!("count {count}"));
    count
}

fn set_count<K: Plain, V: Plain>(m: &Memory<K, V>, o: &mut Objects, cx: &mut Cx<'_>, to: u32) {
    let count = o.get_mut(m.count);
    cx.note(|| format!("count {count} -> {to}"));
    *count = to;
}

fn fatal_if(wrong: bool, text: &'static str, cx: &mut Cx<'_>) {
    if wrong {
        cx.fatal(text);
    }
}

fn word<V: Display>(word: &Option<V>) -> String {
    word.as_ref().map_or_else(|| "nil".to_owned(), ToString::to_string)
}

/// What the accesses to the flag are called in a trace.
struct Labels {
    check: &'static str,
    load: &'static str,
    raise: &'static str,
    recheck: &'static str,
    reload: &'static str,
    lower: &'static str,
}

macro_rules! labels {
    ($operation:literal) => {
        Labels {
            check: concat!($operation, ": check the flag"),
            load: concat!($operation, ": load the flag"),
            raise: concat!($operation, ": raise the flag"),
            recheck: concat!($operation, ": check the flag again"),
            reload: concat!($operation, ": load the flag again"),
            lower: concat!($operation, ": lower the flag"),
        }
    };
}

const ASSIGN: Labels = labels!("map assign");
const DELETE: Labels = labels!("map delete");
const CLEAR: Labels = labels!("map clear");

/// What the loads of a value are called in a trace.
struct ValueLabels {
    pointer: &'static str,
    length: &'static str,
    both: &'static str,
}

const LOOKUP: ValueLabels = ValueLabels {
    pointer: "map lookup: load the value's pointer",
    length: "map lookup: load the value's length",
    both: "map lookup: load the value",
};
const ITERATION: ValueLabels = ValueLabels {
    pointer: "map iteration: load the value's pointer",
    length: "map iteration: load the value's length",
    both: "map iteration: load the value",
};
