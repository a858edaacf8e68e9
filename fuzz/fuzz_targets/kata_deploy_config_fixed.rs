//! The fixed form: no input may crash it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bohr_fuzz::check(&kata_deploy_config::DeployConfig, "fixed", bytes);
});
