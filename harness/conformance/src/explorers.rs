//! Small programs instead of schedules: all that explores must show the same of each.

use arbitrary::{Arbitrary, Unstructured};
use bohr_explore::programs::{Scope, Small, agree};

/// Small, since a fuzzer wants many inputs a second.
const SCOPE: Scope = Scope { schedules: 300, loom_schedules: 100, loom_executions: 300 };

/// Checks the program that an input is.
///
/// # Errors
/// What two explorers do not agree on.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let Ok(small) = Small::arbitrary_take_rest(Unstructured::new(bytes)) else { return Ok(()) };
    agree(&small, SCOPE, None).map(drop).map_err(|why| format!("{why}\n\n{small}"))
}
