//! Reports in JSON, edited. No input may crash it.
#![no_main]

bohr_fuzz::check!(bohr_conformance::stored::check_report);
