//! Reports in JSON, edited. No input may crash it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = bohr_conformance::stored::check_report(bytes) {
        panic!("{why}");
    }
});
