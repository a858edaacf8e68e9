//! System calls on files, beside a plain reference. No input may crash it.
#![no_main]

bohr_fuzz::check!(bohr_conformance::files::check);
