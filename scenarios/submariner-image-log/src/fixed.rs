//! The code with upstream's fix: `logIfChanged` in `pkg/images/images.go` since PR #2933.

use crate::workload::{Image, Key, Workload};
use crate::world::{self, Caller, ImageLog};
use bohr_go::SyncMap;

/// The last image logged under each key.
pub struct Images {
    last: SyncMap<Key, Image>,
}

impl ImageLog for Images {
    fn new(workload: &Workload) -> Self {
        Images { last: world::sync_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let previous = self.last.swap(key, result);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        result
    }
}
