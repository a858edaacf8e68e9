//! `sync.Map`.

use crate::Edges;
use bohr_kernel::{Access, Clock, Cx, MultiOp, Name, Obj, Objects};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A concurrent map, as `sync.Map` (sync/map.go, internal/sync/hashtriemap.go).
///
/// Every method is one atomic operation, except [`SyncMap::range`], which is one a key. "A write
/// operation synchronizes before any read operation that observes the effect of the write", per key,
/// where the package documentation says which methods read and which write. A key's absence is an
/// effect too: a `load` that finds nothing observes the `delete` before it.
///
/// Keys are ordered so that the same choices visit them in the same way on every machine.
pub struct SyncMap<K, V>(Obj<State<K, V>>);

impl<K, V> Copy for SyncMap<K, V> {}
impl<K, V> Clone for SyncMap<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

struct State<K, V> {
    /// Also keys that were deleted, for the clock of their deletion.
    slots: BTreeMap<K, Slot<V>>,
    edges: Edges,
    /// All writes, for the detector, which sees the edges of shared nodes as well.
    all: Clock,
    /// The last [`SyncMap::clear`], for keys that it did not find.
    cleared: Clock,
    insertions: u64,
}

struct Slot<V> {
    value: Option<V>,
    /// The number of the insertion that made it present.
    born: u64,
    clock: Clock,
}

impl<K, V> SyncMap<K, V>
where
    K: Ord + Clone + Debug + Send + 'static,
    V: Clone + Debug + Send + 'static,
{
    /// An empty map.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        Self::with_edges(name, Edges::Spec)
    }

    /// An empty map with the given edges. The detector's are more than the documentation promises: the
    /// model takes every access as ordered after every earlier write, whatever the key.
    #[track_caller]
    pub fn with_edges(name: impl Into<Name>, edges: Edges) -> Self {
        let state =
            State { slots: BTreeMap::new(), edges, all: Clock::new(), cleared: Clock::new(), insertions: 0 };
        SyncMap(Obj::create("sync.Map", name, state))
    }

    /// The value of a key. Reads.
    #[track_caller]
    pub fn load(&self, key: &K) -> Option<V> {
        self.0.op("Load", Access::Read).run(|m, cx| {
            m.read(key, cx);
            let value = m.value(key);
            cx.note(|| format!("{key:?}: {value:?}"));
            value
        })
    }

    /// Sets the value of a key. Writes.
    #[track_caller]
    pub fn store(&self, key: K, value: V) {
        self.0.op("Store", Access::Write).run(|m, cx| {
            cx.note(|| format!("{key:?} = {value:?}"));
            m.write(&key, Some(value), cx);
        });
    }

    /// The value of the key and true; or, if it has none, sets it and gives it back with false. Reads,
    /// and writes if it sets.
    #[track_caller]
    pub fn load_or_store(&self, key: K, value: V) -> (V, bool) {
        self.0.op("LoadOrStore", Access::Write).run(|m, cx| {
            m.read(&key, cx);
            if let Some(present) = m.value(&key) {
                cx.note(|| format!("{key:?}: loaded {present:?}"));
                return (present, true);
            }
            cx.note(|| format!("{key:?}: stored {value:?}"));
            m.write(&key, Some(value.clone()), cx);
            (value, false)
        })
    }

    /// Deletes a key and gives the value it had. Reads and writes.
    #[track_caller]
    pub fn load_and_delete(&self, key: &K) -> Option<V> {
        self.0.op("LoadAndDelete", Access::Write).run(|m, cx| {
            m.read(key, cx);
            let value = m.value(key);
            cx.note(|| format!("{key:?}: {value:?}"));
            m.write(key, None, cx);
            value
        })
    }

    /// Deletes a key. Writes.
    #[track_caller]
    pub fn delete(&self, key: &K) {
        self.0.op("Delete", Access::Write).run(|m, cx| {
            cx.note(|| format!("{key:?}: {:?}", m.value(key)));
            m.write(key, None, cx);
        });
    }

    /// Sets the value of a key and gives the one it had. Reads and writes.
    #[track_caller]
    pub fn swap(&self, key: K, value: V) -> Option<V> {
        self.0.op("Swap", Access::Write).run(|m, cx| {
            m.read(&key, cx);
            let previous = m.value(&key);
            cx.note(|| format!("{key:?}: {previous:?} -> {value:?}"));
            m.write(&key, Some(value), cx);
            previous
        })
    }

    /// Sets the value of a key if it is `old`, and says whether it did. Reads, and writes if it does.
    /// An absent key is never equal.
    #[track_caller]
    pub fn compare_and_swap(&self, key: K, old: &V, new: V) -> bool
    where
        V: PartialEq,
    {
        self.0.op("CompareAndSwap", Access::Write).run(|m, cx| {
            m.read(&key, cx);
            let equal = m.value(&key).as_ref() == Some(old);
            cx.note(|| format!("{key:?}: {:?}, wants {old:?}: {equal}", m.value(&key)));
            if equal {
                m.write(&key, Some(new), cx);
            }
            equal
        })
    }

    /// Deletes a key if its value is `old`, and says whether it did. Reads, and writes if it does. An
    /// absent key is never equal, not even to Go's nil.
    #[track_caller]
    pub fn compare_and_delete(&self, key: &K, old: &V) -> bool
    where
        V: PartialEq,
    {
        self.0.op("CompareAndDelete", Access::Write).run(|m, cx| {
            m.read(key, cx);
            let equal = m.value(key).as_ref() == Some(old);
            cx.note(|| format!("{key:?}: {:?}, wants {old:?}: {equal}", m.value(key)));
            if equal {
                m.write(key, None, cx);
            }
            equal
        })
    }

    /// Deletes every key. Writes all of them.
    #[track_caller]
    pub fn clear(&self) {
        self.0.op("Clear", Access::Write).run(|m, cx| {
            cx.note(|| format!("{} keys", m.slots.values().filter(|s| s.value.is_some()).count()));
            let mut now = Clock::new();
            cx.release(&mut now);
            m.all.join(&now);
            for slot in m.slots.values_mut() {
                slot.value = None;
                slot.clock = now.clone();
            }
            m.cleared = now;
        });
    }

    /// Calls `visit` for the keys, each at most once, until it says false.
    ///
    /// It is not a snapshot. Every key that stays present is visited; one that is deleted before its
    /// turn is not; one that is stored meanwhile may be or not; and each comes with the value it has in
    /// its turn. The kernel chooses the order, also twice for the same unchanged map, where Go keeps it.
    #[track_caller]
    pub fn range(&self, mut visit: impl FnMut(K, V) -> bool) {
        let map = self.0;
        let mut visited = Vec::new();
        let mut known_before = None;
        loop {
            let step = MultiOp::new("Range").touch(map, Access::Read);
            let ways = |objects: &Objects| Ways::new(objects.get(map), &visited, known_before);
            let next = step.run_choosing(
                |objects, _| ways(objects).count(),
                |objects, cx, chosen| {
                    let ways = ways(objects);
                    let known_before = ways.known_before;
                    let Some(key) = ways.keys.into_iter().nth(chosen as usize) else {
                        cx.note(|| "end");
                        return Err(known_before);
                    };
                    let m = objects.get_mut(map);
                    m.read(&key, cx);
                    let value = m.value(&key);
                    cx.note(|| format!("{key:?}: {value:?}"));
                    value.map(|value| (key, value, known_before)).ok_or(known_before)
                },
            );
            let Ok((key, value, before)) = next else { return };
            known_before = Some(before);
            visited.push(key.clone());
            if !visit(key, value) {
                return;
            }
        }
    }

    /// The present keys and values, outside of any operation: for oracles.
    pub fn peek(&self) -> Vec<(K, V)> {
        let present = |(key, slot): (&K, &Slot<V>)| Some((key.clone(), slot.value.clone()?));
        self.0.peek(|m| m.slots.iter().filter_map(present).collect())
    }
}

impl<K: Ord + Clone, V: Clone> State<K, V> {
    fn value(&self, key: &K) -> Option<V> {
        self.slots.get(key)?.value.clone()
    }

    fn read(&self, key: &K, cx: &mut Cx<'_>) {
        cx.acquire(match self.edges {
            Edges::Spec => self.slots.get(key).map_or(&self.cleared, |s| &s.clock),
            Edges::Detector => &self.all,
        });
    }

    fn write(&mut self, key: &K, value: Option<V>, cx: &mut Cx<'_>) {
        if self.edges == Edges::Detector {
            cx.acquire(&self.all);
        }
        self.insertions += 1;
        let absent = || Slot { value: None, born: 0, clock: Clock::new() };
        let slot = self.slots.entry(key.clone()).or_insert_with(absent);
        if slot.value.is_none() {
            slot.born = self.insertions;
        }
        slot.value = value;
        cx.release(&mut slot.clock);
        self.all.join(&slot.clock);
    }
}

/// The ways in which a `Range` can go on.
struct Ways<K> {
    /// The keys that it may visit next.
    keys: Vec<K>,
    /// It may also end: all that is left was stored behind its back.
    may_end: bool,
    /// The insertions that were done when it began.
    known_before: u64,
}

impl<K: Ord + Clone> Ways<K> {
    fn new<V>(map: &State<K, V>, visited: &[K], known_before: Option<u64>) -> Self {
        let known_before = known_before.unwrap_or(map.insertions);
        let present = map.slots.iter().filter(|(key, s)| s.value.is_some() && !visited.contains(key));
        let may_end = present.clone().all(|(_, s)| s.born > known_before);
        Ways { keys: present.map(|(key, _)| key.clone()).collect(), may_end, known_before }
    }

    fn count(&self) -> u32 {
        self.keys.len() as u32 + u32::from(self.may_end)
    }
}
