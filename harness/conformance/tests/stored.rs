//! Stored findings, proofs and reports, edited and not.

use bohr_conformance::{sample, stored};
use bohr_report::model::Median;

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

/// Found by libFuzzer: a number in a report was read as its neighbour, since `serde_json` rounds fast and not right unless told
/// otherwise.
#[test]
fn a_number_in_a_report_is_read_as_it_was_written() {
    for number in [-1.654361224480128e-24, 0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX] {
        let median = Median { median: number, low: number, high: None };
        let text = serde_json::to_string(&median).unwrap();
        assert_eq!(serde_json::from_str::<Median>(&text).unwrap(), median, "{text}");
    }
    let crash = [255, 255, 255, 255, 255, 65, 255, 104, 105, 65, 123, 255, 255, 203, 255, 255, 255, 255, 186];
    stored::check_report(&crash).unwrap();
}
