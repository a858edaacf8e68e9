//! The fixed form: no input may crash it.
#![no_main]

bohr_fuzz::scenario!(kata_deploy_config::DeployConfig, "fixed", bohr_fuzz::Crashes::Surprises);
