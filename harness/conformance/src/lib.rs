//! What the harness itself must do, whatever it is given: the bodies of the fuzz targets that are not about a scenario.
//!
//! Each takes bytes, as a fuzzer makes them, decodes them, and compares what the harness does with a plain reference
//! that was written without looking at it. So a crash file is a test: give its bytes to the [`Check`] of its target.

#![forbid(unsafe_code)]

pub mod explorers;
pub mod files;
pub mod primitives;
pub mod scenarios;
pub mod stored;
pub mod token;

use arbitrary::{Arbitrary, Unstructured};
use std::fmt::Debug;

/// Checks one input.
///
/// # Errors
/// What the harness does wrong with it, in words. Bytes that are too few for an input are no error.
pub type Check = fn(&[u8]) -> Result<(), String>;

/// The fuzz targets by name.
pub const TARGETS: [(&str, Check); 6] = [
    ("engines_agree", explorers::check),
    ("token", token::check),
    ("artifact", stored::check_artifact),
    ("report_json", stored::check_report),
    ("posix_files", files::check),
    ("go_primitives", primitives::check),
];

/// The bytes of the `n`th of a fixed list of pseudo-random inputs.
pub fn sample(n: u64, length: usize) -> Vec<u8> {
    let words = (0..length.div_ceil(8) as u64).map(|word| bohr_kernel::digest(&(n, word)).to_le_bytes());
    words.flatten().take(length).collect()
}

/// Decodes an input as libFuzzer's macro does, and checks it.
fn decoded<'a, I: Arbitrary<'a> + Debug>(
    bytes: &'a [u8],
    check: impl FnOnce(&I) -> Result<(), String>,
) -> Result<(), String> {
    let Ok(input) = I::arbitrary_take_rest(Unstructured::new(bytes)) else { return Ok(()) };
    check(&input).map_err(|why| format!("{why}\n\n{input:#?}"))
}
