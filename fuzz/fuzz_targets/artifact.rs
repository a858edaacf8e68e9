//! Stored findings and proofs, edited, and crash files. No input may crash it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = bohr_conformance::stored::check_artifact(bytes) {
        panic!("{why}");
    }
});
