//! Other correct forms. That the oracles pass them shows that they are not simply strict.

use crate::workload::{Image, Key, Workload};
use crate::world::{self, Caller, ImageLog};
use bohr_go::map::Map;
use bohr_go::{Mutex, RWMutex, SyncMap};

/// One mutex around everything.
pub struct MutexAll {
    lock: Mutex,
    last: Map<Key, Image>,
}

impl ImageLog for MutexAll {
    fn new(workload: &Workload) -> Self {
        MutexAll { lock: Mutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.lock.lock();
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        self.lock.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// One mutex around the lookup and the assign. The line is written after the unlock, but it says what
/// the locked lookup gave.
pub struct MutexLogOutside {
    lock: Mutex,
    last: Map<Key, Image>,
}

impl ImageLog for MutexLogOutside {
    fn new(workload: &Workload) -> Self {
        MutexLogOutside { lock: Mutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.lock.lock();
        let previous = self.last.lookup(&key);
        self.last.assign(key, result);
        self.lock.unlock();
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// One mutex around everything; assigns only a change.
pub struct MutexWriteIfChanged {
    lock: Mutex,
    last: Map<Key, Image>,
}

impl ImageLog for MutexWriteIfChanged {
    fn new(workload: &Workload) -> Self {
        MutexWriteIfChanged { lock: Mutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.lock.lock();
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        if changed {
            self.last.assign(key, result);
        }
        self.lock.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}

/// Compares and swaps until nothing came in between.
pub struct CasRetry {
    last: SyncMap<Key, Image>,
}

impl ImageLog for CasRetry {
    fn new(workload: &Workload) -> Self {
        CasRetry { last: world::sync_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        loop {
            let previous = self.last.load(&key);
            let changed = caller.changed(previous, result);
            if !changed {
                return result;
            }
            let swapped = match previous {
                Some(previous) => self.last.compare_and_swap(key, &previous, result),
                None => !self.last.load_or_store(key, result).1,
            };
            if swapped {
                caller.log(changed, key, previous, result);
                return result;
            }
        }
    }
}

/// Looks under a read lock, and once more under the write lock before it decides.
pub struct DoubleChecked {
    lock: RWMutex,
    last: Map<Key, Image>,
}

impl ImageLog for DoubleChecked {
    fn new(workload: &Workload) -> Self {
        DoubleChecked { lock: RWMutex::new("lastImagesLock"), last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        self.lock.rlock();
        let previous = self.last.lookup(&key);
        self.lock.runlock();
        if !caller.changed(previous, result) {
            return result;
        }
        self.lock.lock();
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        self.lock.unlock();
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}
