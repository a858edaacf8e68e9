//! The fixed form: no input may crash it.
#![no_main]

bohr_fuzz::scenario!(argo_roundtripper::RoundTripper, "fixed", bohr_fuzz::Crashes::Surprises);
