//! Small programs instead of schedules: all that explores must show the same of each. No input may crash it.
#![no_main]

use bohr_explore::programs::{Scope, Small, agree};

/// Small, since libFuzzer wants many inputs a second.
const SCOPE: Scope = Scope { schedules: 300, loom_schedules: 100, loom_executions: 300 };

libfuzzer_sys::fuzz_target!(|small: Small| {
    if let Err(why) = agree(&small, SCOPE, None) {
        panic!("{why}\n\n{small}");
    }
});
