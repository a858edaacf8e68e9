//! The reported form: it must crash, which shows that the fuzzer works.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bohr_fuzz::check(&crio_event_broadcast::EventBroadcast, "buggy", bytes);
});
