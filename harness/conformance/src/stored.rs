//! What is read from files: the targets `artifact` and `report_json`.
//!
//! Files are cut short, edited and come from elsewhere. Whatever is in them, reading comes to an end, and what is read is
//! written so that it reads the same.

mod edit;
mod originals;

pub use edit::Edit;

use crate::scenarios;
use arbitrary::Arbitrary;
use bohr_explore::input::{Input, Target};
use bohr_explore::proof::Proof;
use bohr_explore::replay::replay;
use bohr_explore::token::Token;
use bohr_report::BugReport;
use bohr_report::stored::{Stored, token_in};
use serde_json::Value;

/// What can be given to `bohr replay` or found by `bohr prove --resume`.
#[derive(Clone, Debug, Arbitrary)]
pub enum Artifact {
    /// A file with anything in it.
    Bytes(Vec<u8>),
    /// A stored finding, edited.
    Finding(Vec<Edit>),
    /// A stored proof, edited; and whether its checksum was made to fit again.
    Proof(Vec<Edit>, bool),
    /// A crash file of the fuzz target of a scenario's variant.
    Crash(u8, u8, Vec<u8>),
}

/// A report in JSON, edited, or anything else.
#[derive(Clone, Debug, Arbitrary)]
pub enum Report {
    /// Anything.
    Text(String),
    /// A report, edited.
    Edited(Vec<Edit>),
}

/// Checks what reads artifacts.
///
/// # Errors
/// What is read wrongly.
pub fn check_artifact(bytes: &[u8]) -> Result<(), String> {
    crate::decoded(bytes, artifact)
}

/// Checks what reads reports.
///
/// # Errors
/// What is read wrongly.
pub fn check_report(bytes: &[u8]) -> Result<(), String> {
    crate::decoded(bytes, |input| match input {
        Report::Text(text) => report(text),
        Report::Edited(edits) => report(&edit::apply(originals::report(), edits).to_string()),
    })
}

fn artifact(input: &Artifact) -> Result<(), String> {
    match input {
        Artifact::Bytes(bytes) => {
            finding(bytes)?;
            proof(&String::from_utf8_lossy(bytes), None)
        }
        Artifact::Finding(edits) => finding(edit::apply(originals::finding(), edits).to_string().as_bytes()),
        Artifact::Proof(edits, sealed) => {
            let original = originals::proof();
            let edited = edit::apply(original, edits);
            if !sealed {
                return proof(&edited.to_string(), Some(original));
            }
            match serde_json::from_value::<Proof>(edited["proof"].clone()) {
                Ok(forged) => proof(&forged.to_json(), None),
                Err(_) => Ok(()),
            }
        }
        Artifact::Crash(scenario, variant, bytes) => crash(*scenario, *variant, bytes),
    }
}

/// A stored finding, or a text that may hold a token.
fn finding(bytes: &[u8]) -> Result<(), String> {
    if let Ok(stored) = serde_json::from_slice::<Stored>(bytes) {
        same(&stored, "a stored finding")?;
    }
    let Ok(text) = token_in(bytes) else { return Ok(()) };
    let Ok(token) = text.parse::<Token>() else { return Ok(()) };
    let Some(scenario) = scenarios::ALL.iter().find(|s| s.info().name == token.scenario) else {
        return Ok(());
    };
    if let Ok(replayed) = replay(*scenario, &token) {
        let _ = replayed.drift.map(|drift| drift.to_string());
    }
    Ok(())
}

/// A stored proof. One that is not what was written, as its checksum tells, must not be taken for it.
fn proof(text: &str, original: Option<&Value>) -> Result<(), String> {
    let Ok(read) = Proof::from_json(text, originals::PROOF, &originals::config()) else { return Ok(()) };
    // Whatever it holds, it can be asked.
    let _ = (read.explored(), read.found(), read.over());
    let written = read.to_json();
    match Proof::from_json(&written, originals::PROOF, &originals::config()) {
        Ok(again) if again == read => {}
        other => return Err(format!("{written} is read again as {other:?}")),
    }
    match original {
        Some(original) if serde_json::from_str::<Value>(&written).ok().as_ref() != Some(original) => {
            Err(format!("an altered proof is taken for one: {text}"))
        }
        _ => Ok(()),
    }
}

/// What a fuzzer finds is a token, which is read as it was written and fails in the same way.
fn crash(scenario: u8, variant: u8, bytes: &[u8]) -> Result<(), String> {
    let scenario = scenarios::ALL[usize::from(scenario) % scenarios::ALL.len()];
    let variants = scenario.variants();
    let variant = variants[usize::from(variant) % variants.len()].name;
    let Some(target) = Target::new(scenario, variant) else { return Ok(()) };
    let Some(input) = Input::decode(&target, bytes) else { return Ok(()) };
    let Some((finding, token)) = input.token(&target)? else { return Ok(()) };
    let text = token.to_string();
    if text.parse::<Token>().as_ref() != Ok(&token) {
        return Err(format!("{text:?} is not read as it was written"));
    }
    let replayed = replay(scenario, &token)?;
    match replayed.finding {
        Some(again) if again.same_failure(&finding) && replayed.drift.is_none() => Ok(()),
        again => Err(format!("{text}: {} becomes {again:?}, {:?}", finding.headline(), replayed.drift)),
    }
}

fn report(text: &str) -> Result<(), String> {
    match serde_json::from_str::<BugReport>(text) {
        Ok(report) => same(&report, "a report"),
        Err(_) => Ok(()),
    }
}

/// What was read is written and read as the same.
fn same<T: PartialEq + serde::Serialize + serde::de::DeserializeOwned>(
    read: &T,
    what: &str,
) -> Result<(), String> {
    let written = serde_json::to_string(read).map_err(|e| format!("{what} cannot be written again: {e}"))?;
    match serde_json::from_str::<T>(&written) {
        Ok(again) if again == *read => Ok(()),
        Ok(_) => Err(format!("{what} is read as another: {written}")),
        Err(e) => Err(format!("{what} cannot be read again: {e}: {written}")),
    }
}
