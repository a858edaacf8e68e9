//! The reported form: it must crash, which shows that the fuzzer works.
#![no_main]

bohr_fuzz::scenario!(argo_roundtripper::RoundTripper, "buggy", bohr_fuzz::Crashes::Anything);
