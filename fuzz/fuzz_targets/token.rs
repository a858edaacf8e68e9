//! Tokens, written, damaged, forged, and of other programs. No input may crash it.
#![no_main]

bohr_fuzz::check!(bohr_conformance::token::check);
