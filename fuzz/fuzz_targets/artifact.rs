//! Stored findings and proofs, edited, and crash files. No input may crash it.
#![no_main]

bohr_fuzz::check!(bohr_conformance::stored::check_artifact);
