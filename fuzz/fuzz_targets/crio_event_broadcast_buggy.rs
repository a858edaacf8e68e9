//! The reported form: it must crash, which shows that the fuzzer works.
#![no_main]

bohr_fuzz::scenario!(crio_event_broadcast::EventBroadcast, "buggy", bohr_fuzz::Crashes::Anything);
