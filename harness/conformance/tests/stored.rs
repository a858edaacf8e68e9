//! Stored findings, proofs and reports, edited and not.

use bohr_conformance::{sample, stored};

/// So many inputs of so many bytes, about a quarter of them for each kind of artifact.
const INPUTS: u64 = 3_000;
const BYTES: usize = 160;

#[test]
fn any_artifact_is_read_or_refused() {
    for n in 0..INPUTS {
        stored::check_artifact(&sample(n, BYTES)).unwrap_or_else(|why| panic!("input {n}: {why}"));
    }
}

#[test]
fn any_report_is_read_or_refused() {
    for n in 0..INPUTS {
        stored::check_report(&sample(n, BYTES)).unwrap_or_else(|why| panic!("input {n}: {why}"));
    }
}
