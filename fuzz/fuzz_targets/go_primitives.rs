//! Small programs with Go's primitives, beside their state machines. No input may crash it.
#![no_main]

bohr_fuzz::check!(bohr_conformance::primitives::check);
