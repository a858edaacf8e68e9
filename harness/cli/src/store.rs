//! Findings on disk: `ROOT/SCENARIO/VARIANT/WORKLOAD.ORACLE.CHECKSUM.json`, one file a failure,
//! written the moment it is found.

use crate::exit::Error;
use bohr_explore::campaign::name_of;
use bohr_report::Case;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::NamedTempFile;

/// The version of the files' format.
pub const VERSION: u32 = 1;

/// The folder where findings are kept.
pub struct Store {
    root: PathBuf,
    /// What went wrong first. Work goes on, since what is found is printed all the same.
    failed: Mutex<Option<String>>,
}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stored {
    /// The version of the format.
    pub version: u32,
    /// The failing run.
    pub case: Case,
}

impl Store {
    /// Keeps findings below a folder, which is made if it is not there.
    pub fn open(root: &Path) -> Self {
        let store = Store { root: root.to_owned(), failed: Mutex::default() };
        store.note(fs::create_dir_all(root).and_then(|()| NamedTempFile::new_in(root).map(drop)));
        store
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Keeps a failing run; nothing if that failed, which [`Store::failed`] tells later.
    pub fn keep(&self, case: &Case) -> Option<PathBuf> {
        self.note(self.write(case))
    }

    /// What went wrong, if anything did.
    pub fn failed(&self) -> Option<Error> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let advice = "what was found is printed above; give another folder with --out";
        let text =
            failed.as_ref().map(|e| format!("failed to keep findings in {:?}: {e}; {advice}", self.root));
        text.map(Error::Input)
    }

    fn write(&self, case: &Case) -> io::Result<PathBuf> {
        let path = self.root.join(&case.scenario).join(&case.variant).join(file_name(case));
        let mut text = serde_json::to_string(&Stored { version: VERSION, case: case.clone() })?;
        text.push('\n');
        write_whole(&path, text)?;
        Ok(path)
    }

    fn note<T>(&self, done: io::Result<T>) -> Option<T> {
        let note = |e: io::Error| {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert_with(|| e.to_string());
        };
        done.map_err(note).ok()
    }
}

/// Writes a file, and the folder that it is in if that is not there. It is written aside and then renamed, so that it
/// is whole or not there.
pub fn write_whole(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content.as_ref())?;
    file.persist(path)?;
    Ok(())
}

/// The same for the same failure of the same workload. The checksum stands for what is cut or replaced.
fn file_name(case: &Case) -> String {
    const LONGEST: usize = 60;
    let oracle = name_of(&case.finding);
    let whole = format!("{}|{}|{oracle}|{}", case.workload, case.finding.kind, case.finding.text);
    let plain = |text: &str| -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-_=+,".contains(c) { c } else { '_' };
        text.chars().map(safe).take(LONGEST).collect()
    };
    format!("{}.{}.{:08x}.json", plain(&case.workload), plain(&oracle), crc32fast::hash(whole.as_bytes()))
}
