//! Small programs with Go's primitives, beside their state machines. No input may crash it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = bohr_conformance::primitives::check(bytes) {
        panic!("{why}");
    }
});
