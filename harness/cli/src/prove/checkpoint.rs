//! Proofs on disk, to go on with.

use crate::exit::Error;
use crate::shard::Shard;
use crate::store::{Store, write_whole};
use crate::target::Subject;
use bohr_explore::proof::Proof;
use bohr_kernel::RunConfig;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is below so many choices is split among the threads.
const SPLIT_AT: usize = 4;

/// Where a proof is kept: `OUT/proofs/SCENARIO/VARIANT/WORKLOAD.json`.
pub struct Checkpoint {
    file: PathBuf,
    of: String,
    config: RunConfig,
    shard: Option<Shard>,
}

impl Checkpoint {
    /// The one of a subject.
    pub fn of(store: &Store, subject: &Subject, config: RunConfig) -> Self {
        // A workload that is written out holds signs that are none for a file.
        let plain = |c: char| if c.is_alphanumeric() || "+-_.".contains(c) { c } else { '_' };
        let workload: String = subject.workload.chars().map(plain).collect();
        let folder =
            store.root().join("proofs").join(subject.scenario.info().name).join(subject.variant.name);
        let file = folder.join(format!("{workload}.json"));
        Checkpoint { file, of: subject.path(), config, shard: None }
    }

    /// The one of a shard's part in the proof of a subject.
    pub fn of_shard(file: PathBuf, shard: Shard, subject: &Subject, config: RunConfig) -> Self {
        Checkpoint { file, of: subject.path(), config, shard: Some(shard) }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A proof that has not begun.
    pub fn anew(&self) -> Proof {
        match self.shard {
            Some(shard) => Proof::share(&self.of, &self.config, SPLIT_AT, shard.share()),
            None => Proof::new(&self.of, &self.config, SPLIT_AT),
        }
    }

    /// The proof that is kept, or one that has not begun if none is.
    pub fn read(&self) -> Result<Proof, Error> {
        let failed = |why: String| {
            let advice = match self.shard {
                Some(_) => "without the file it begins anew",
                None => "without --resume it begins anew",
            };
            Error::Input(format!("failed to go on with the proof in {:?}: {why}; {advice}", self.file))
        };
        match fs::read_to_string(&self.file) {
            Ok(text) => Proof::from_json(&text, &self.of, &self.config)
                .map_err(|unusable| failed(unusable.to_string())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(self.anew()),
            Err(e) => Err(failed(e.to_string())),
        }
    }

    /// Keeps the proof.
    pub fn write(&self, proof: &Proof) -> Result<(), Error> {
        write_whole(&self.file, proof.to_json()).map_err(|e| {
            let advice = "give another folder with --out";
            Error::Input(format!("failed to keep the proof in {:?}: {e}; {advice}", self.file))
        })
    }

    /// Takes the file away, now that the proof is over.
    pub fn remove(&self) {
        // It need not be there.
        let _ = fs::remove_file(&self.file);
    }
}
