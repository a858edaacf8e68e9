//! The reported form: it must crash, which shows that the fuzzer works.
#![no_main]

bohr_fuzz::scenario!(submariner_image_log::ImageLog, "buggy", bohr_fuzz::Crashes::Anything);
