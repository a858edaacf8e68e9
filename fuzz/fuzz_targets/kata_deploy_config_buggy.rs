//! The reported form: it must crash, which shows that the fuzzer works.
#![no_main]

bohr_fuzz::scenario!(kata_deploy_config::DeployConfig, "buggy", bohr_fuzz::Crashes::Anything);
