//! The fixed form: no input may crash it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bohr_fuzz::check(&argo_roundtripper::RoundTripper, "fixed", bytes);
});
