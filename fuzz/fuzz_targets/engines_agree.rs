//! Small programs, of which all that explores must show the same.
#![no_main]

bohr_fuzz::check!(bohr_conformance::explorers::check);
