//! Plausible wrong fixes.

use crate::buggy;
use crate::workload::{Controller, Image, Key, Workload};
use crate::world::{self, Caller, ImageLog};
use bohr_go::map::Map;
use bohr_go::{Mutex, RWMutex, SyncMap};

/// A mutex around the assign only: "concurrent map writes" is gone, the other fatal error is not.
pub struct WriteLockOnly {
    lock: Mutex,
    last: Map<Key, Image>,
}

impl ImageLog for WriteLockOnly {
    fn new(workload: &Workload) -> Self {
        WriteLockOnly { lock: Mutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.lock.lock();
        self.last.assign(key, result);
        self.lock.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// A read lock around the lookup and a write lock around the assign: no crash, no race, and still
/// check-then-act.
pub struct RwlockSplit {
    lock: RWMutex,
    last: Map<Key, Image>,
}

impl ImageLog for RwlockSplit {
    fn new(workload: &Workload) -> Self {
        RwlockSplit { lock: RWMutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.lock.rlock();
        let previous = self.last.lookup(&key);
        self.lock.runlock();
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.lock.lock();
        self.last.assign(key, result);
        self.lock.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// Everything under a read lock, as if the map were "read-mostly". Readers do not exclude each other.
pub struct RlockForWrite {
    lock: RWMutex,
    last: Map<Key, Image>,
}

impl ImageLog for RlockForWrite {
    fn new(workload: &Workload) -> Self {
        RlockForWrite { lock: RWMutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.lock.rlock();
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        self.lock.runlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// A `sync.Map` with the old code's shape: every step is safe, the two together are not.
pub struct SyncMapLoadStore {
    last: SyncMap<Key, Image>,
}

impl ImageLog for SyncMapLoadStore {
    fn new(workload: &Workload) -> Self {
        SyncMapLoadStore { last: world::sync_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let previous = self.last.load(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.store(key, result);
        result
    }
}

/// Takes the entry out and puts another in: whoever comes in between finds nothing.
pub struct SyncMapDeleteStore {
    last: SyncMap<Key, Image>,
}

impl ImageLog for SyncMapDeleteStore {
    fn new(workload: &Workload) -> Self {
        SyncMapDeleteStore { last: world::sync_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let previous = self.last.load_and_delete(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.store(key, result);
        result
    }
}

/// A mutex around everything, but each controller has its own.
pub struct LockPerController {
    submariner: Mutex,
    service_discovery: Mutex,
    last: Map<Key, Image>,
}

impl ImageLog for LockPerController {
    fn new(workload: &Workload) -> Self {
        LockPerController {
            submariner: Mutex::new("submariner.lock"),
            service_discovery: Mutex::new("servicediscovery.lock"),
            last: world::plain_map(workload),
        }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let lock = match caller.controller {
            Controller::Submariner => self.submariner,
            Controller::ServiceDiscovery => self.service_discovery,
        };
        lock.lock();
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        lock.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// A mutex around everything, but each key has its own. The keys are separate, the map is not.
pub struct LockPerKey {
    locks: Vec<(Key, Mutex)>,
    last: Map<Key, Image>,
}

impl ImageLog for LockPerKey {
    fn new(workload: &Workload) -> Self {
        let lock = |key: Key| (key, Mutex::new(format!("lock of {key}")));
        LockPerKey {
            locks: workload.keys().into_iter().map(lock).collect(),
            last: world::plain_map(workload),
        }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let (_, lock) = self.locks.iter().find(|(k, _)| *k == key).expect("every called key has a lock");
        lock.lock();
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        lock.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// Assigns only a change: while nothing changes there is nothing to see.
pub struct WriteIfChanged {
    last: Map<Key, Image>,
}

impl ImageLog for WriteIfChanged {
    fn new(workload: &Workload) -> Self {
        WriteIfChanged { last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        if changed {
            self.last.assign(key, result);
        }
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// A mutex around everything, taken only where the crash was seen: in cleanups.
pub struct LockCleanupOnly {
    lock: Mutex,
    last: Map<Key, Image>,
}

impl ImageLog for LockCleanupOnly {
    fn new(workload: &Workload) -> Self {
        LockCleanupOnly { lock: Mutex::new("cleanupLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        if caller.cleanup {
            self.lock.lock();
        }
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        if caller.cleanup {
            self.lock.unlock();
        }
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// The buggy form with a `recover` around it. The runtime's fatal errors never reach one. Of the modes
/// here it could catch only the nil dereference, after which nothing would be left to judge; so the
/// model ends the run there too, and this form is the buggy one step by step.
pub struct RecoverGuard(buggy::Images);

impl ImageLog for RecoverGuard {
    fn new(workload: &Workload) -> Self {
        RecoverGuard(buggy::Images::new(workload))
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.0.log_if_changed(caller, key, result)
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        self.0.plain_map()
    }
}

/// Takes the write lock while it holds the read lock: waits for itself.
pub struct RlockUpgrade {
    lock: RWMutex,
    last: Map<Key, Image>,
}

impl ImageLog for RlockUpgrade {
    fn new(workload: &Workload) -> Self {
        RlockUpgrade { lock: RWMutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.lock.rlock();
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.lock.lock();
        self.last.assign(key, result);
        self.lock.unlock();
        self.lock.runlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// Does nothing if another call is going on: no crash, no race, and lines missed. The try-flag is a
/// mutex that is only ever tried: one compare-and-swap, and one store that releases.
pub struct BusySkip {
    busy: Mutex,
    last: Map<Key, Image>,
}

impl ImageLog for BusySkip {
    fn new(workload: &Workload) -> Self {
        BusySkip { busy: Mutex::new("busy"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        if !self.busy.try_lock() {
            return result;
        }
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        self.busy.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}
