//! Tokens, written, damaged, forged, and of other programs. No input may crash it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = bohr_conformance::token::check(bytes) {
        panic!("{why}");
    }
});
