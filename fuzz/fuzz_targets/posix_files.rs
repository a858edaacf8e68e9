//! System calls on files, beside a plain reference. No input may crash it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = bohr_conformance::files::check(bytes) {
        panic!("{why}");
    }
});
