//! Ctrl-C: the first one asks the work to end, the second ends the program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What comes this soon after the first is no second one: `timeout` signals its child and then the whole group.
const ONE: Duration = Duration::from_millis(500);

/// A flag that the first Ctrl-C (or a termination signal) sets.
pub fn flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = {
        let (stop, first) = (stop.clone(), OnceLock::new());
        move || {
            let first: &Instant = first.get_or_init(Instant::now);
            if stop.swap(true, Ordering::Relaxed) && first.elapsed() > ONE {
                std::process::exit(130);
            }
        }
    };
    // Fails only if there is a handler already; then Ctrl-C ends the program as it always did.
    let _ = ctrlc::set_handler(set);
    stop
}
