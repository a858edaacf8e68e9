//! Ctrl-C: the first one asks the work to end, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that the first Ctrl-C (or a termination signal) sets.
pub fn flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = {
        let stop = stop.clone();
        move || {
            if stop.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        }
    };
    // Fails only if there is a handler already; then Ctrl-C ends the program as it always did.
    let _ = ctrlc::set_handler(set);
    stop
}
