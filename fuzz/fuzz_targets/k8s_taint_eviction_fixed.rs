//! The fixed form: no input may crash it.
#![no_main]

bohr_fuzz::scenario!(k8s_taint_eviction::TaintEviction, "fixed", bohr_fuzz::Crashes::Surprises);
