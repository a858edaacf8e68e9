//! Counters of this project's own for libFuzzer, which looks at them after each run as it does at those of the
//! compiler.
//!
//! libFuzzer finds them by the name of a link section, and to place a static in one is an unsafe attribute. It is
//! sound because the section holds nothing but these bytes, which both sides only ever read and write as bytes, and
//! libFuzzer does so between runs, on the thread that makes them.

use std::sync::atomic::{AtomicU8, Ordering};

/// libFuzzer goes through all of them after each run, and a scenario has some hundred pairs.
const COUNTERS: usize = 1 << 12;

#[allow(unsafe_code)]
#[used]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static SHOWN: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

/// The run has shown something that goes by this number, which must be the same in every process.
pub(crate) fn show(feature: u64) {
    // The lower bits of FNV-1a are the better ones (Fowler, Noll & Vo: fold and do not cut).
    let folded = (feature ^ feature >> 32) as usize;
    SHOWN[folded % COUNTERS].store(1, Ordering::Relaxed);
}
