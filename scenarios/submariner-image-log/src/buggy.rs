//! The code as it was reported: `logIfChanged` in `pkg/images/images.go` before PR #2933.

use crate::workload::{Image, Key, Workload};
use crate::world::{self, Caller, ImageLog};
use bohr_go::map::Map;

/// The last image logged under each key.
pub struct Images {
    last: Map<Key, Image>,
}

impl ImageLog for Images {
    fn new(workload: &Workload) -> Self {
        Images { last: world::plain_map(workload) }
    }

    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image {
        let previous = self.last.lookup(&key);
        let changed = caller.changed(previous, result);
        caller.log(changed, key, previous, result);
        self.last.assign(key, result);
        result
    }

    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        Some(&self.last)
    }
}
