//! The reported form: it must crash, which shows that the fuzzer works.
#![no_main]

bohr_fuzz::scenario!(k8s_taint_eviction::TaintEviction, "buggy", bohr_fuzz::Crashes::Anything);
