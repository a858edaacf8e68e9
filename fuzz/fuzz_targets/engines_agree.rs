//! Small programs, of which all that explores must show the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = bohr_conformance::explorers::check(bytes) {
        panic!("{why}");
    }
});
