//! The source files that a report quotes.

use crate::exit::Error;
use bohr_kernel::scenario::AnyScenario;
use bohr_report::json;
use bohr_report::model::{Case, Forms, SourceFile};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that cases name, and the two forms.
pub fn sources(scenario: &dyn AnyScenario, cases: &[Case]) -> Result<(Vec<SourceFile>, Forms), Error> {
    let folder = format!("scenarios/{}/src", scenario.info().name);
    let root = root(&folder)?;
    let forms = Forms { buggy: format!("{folder}/buggy.rs"), fixed: format!("{folder}/fixed.rs") };
    let mut files: BTreeSet<String> = cases.iter().flat_map(json::files).collect();
    files.extend([forms.buggy.clone(), forms.fixed.clone()]);
    // Lines of the harness are named and not shown: the bug is not there.
    let ours = files.into_iter().filter(|file| file.starts_with("scenarios/"));
    let read = |file: String| -> Result<SourceFile, Error> {
        let path = root.join(&file);
        let text = fs::read_to_string(&path).map_err(|e| missing(&path, &e.to_string()))?;
        // As on any machine, whatever its git makes of line ends.
        Ok(SourceFile { file, text: text.replace("\r\n", "\n") })
    };
    Ok((ours.map(read).collect::<Result<_, _>>()?, forms))
}

/// The tree that the program was built from: where it runs, or where it was compiled.
fn root(folder: &str) -> Result<PathBuf, Error> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut roots = [PathBuf::from("."), built].into_iter();
    let found = roots.find(|root| root.join(folder).is_dir());
    found.ok_or_else(|| missing(Path::new(folder), "there is no such folder here"))
}

fn missing(path: &Path, why: &str) -> Error {
    let path = path.display();
    Error::Input(format!(
        "failed to read {path}, which the report quotes: {why}; run `bohr report` in a checkout of the sources it was \
         built from"
    ))
}
