//! Failures that were found once and are now tests: the files below `fuzz/regressions/`.
//!
//! - `SCENARIO/NAME.json` is a failing run: its token, and the line that it ends in. It passes as a test if it still fails
//!   so. `SCENARIO/NAME.crash` beside it holds the bytes that the fuzzer found.
//! - `TARGET/NAME.crash` made a fuzz target fail that tests Bohr itself. It passes as a test if it no longer does.

use crate::scenarios;
use bohr_conformance::TARGETS;
use bohr_explore::input::{Input, Target};
use bohr_explore::regression::verify;
use bohr_kernel::Finding;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The version of the files' format.
pub const VERSION: u32 = 1;

/// A failing run that is kept as a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// The version of the format.
    pub version: u32,
    /// The run, shrunk.
    pub token: String,
    /// The line that it ends in.
    pub ends_in: String,
    /// The fuzz target that found it; nothing if it came as a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// The files that are tests, each with its path below the folder.
///
/// # Errors
/// If a folder cannot be read.
pub fn all(root: &Path) -> Result<Vec<PathBuf>, String> {
    let list = |folder: &Path| {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut paths: Vec<PathBuf> = entries
            .map_err(|e| format!("{}: {e}", folder.display()))?
            .iter()
            .map(fs::DirEntry::path)
            .collect();
        paths.sort();
        Ok::<_, String>(paths)
    };
    let mut files = Vec::new();
    for folder in list(root)?.into_iter().filter(|path| path.is_dir()) {
        let tests = |path: &PathBuf| path.extension().is_some_and(|e| e == "json" || e == "crash");
        let below = |path: PathBuf| path.strip_prefix(root).map(Path::to_owned).unwrap_or(path);
        files.extend(list(&folder)?.into_iter().filter(tests).map(below));
    }
    Ok(files)
}

/// Does what a file is a test of.
///
/// # Errors
/// If it does not show what it must, in words.
pub fn check(root: &Path, file: &Path) -> Result<(), String> {
    let path = root.join(file);
    let folder = file.parent().and_then(Path::to_str).unwrap_or_default();
    let in_file = |why: String| format!("{}: {why}", path.display());
    if let Some((_, body)) = TARGETS.iter().find(|(name, _)| *name == folder) {
        return body(&fs::read(&path).map_err(|e| in_file(e.to_string()))?).map_err(in_file);
    }
    let Some(scenario) = scenarios::named(folder) else {
        return Err(in_file(format!("there is no scenario {folder:?}, and no fuzz target of Bohr itself")));
    };
    let regression = read(&path.with_extension("json")).map_err(in_file)?;
    if path.extension().is_some_and(|e| e == "json") {
        return verify(scenario, &regression.token, &regression.ends_in).map_err(in_file);
    }
    let name = regression.target.ok_or_else(|| in_file("the file beside it names no target".to_owned()))?;
    let target = Target::named(scenarios::ALL, &name);
    let target = target.ok_or_else(|| in_file(format!("there is no target {name:?}")))?;
    let bytes = fs::read(&path).map_err(|e| in_file(e.to_string()))?;
    let input = Input::decode(&target, &bytes).ok_or_else(|| in_file(format!("it is no input of {name}")))?;
    let found = input.token(&target).map_err(in_file)?;
    match found.map(|(finding, _)| Finding::headline(&finding)) {
        Some(headline) if headline == regression.ends_in => Ok(()),
        Some(headline) => Err(in_file(format!("ends in {headline:?}, and did in {:?}", regression.ends_in))),
        None => Err(in_file(format!("no longer fails; it ended in {:?}", regression.ends_in))),
    }
}

/// Reads a failing run that is kept as a test.
///
/// # Errors
/// If it is none of this version, in words.
pub fn read(path: &Path) -> Result<Regression, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let regression: Regression = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    match regression.version {
        VERSION => Ok(regression),
        other => Err(format!("it is of version {other}, and this program reads version {VERSION}")),
    }
}
