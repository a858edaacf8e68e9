//! Every form, by what the input says: it may fail as it is expected to, and no input may show anything else.
#![no_main]

bohr_fuzz::scenario!(k8s_taint_eviction::TaintEviction, "any_variant", bohr_fuzz::Crashes::Surprises);
