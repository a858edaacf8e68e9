//! The work of one shard on disk:
//!
//! - `OUT/shards/COMMAND-CHECKSUM/I-of-N.json`, its result, once all its units are done;
//! - `OUT/shards/COMMAND-CHECKSUM/I-of-N/`, until then: a file for each unit that is done, `head.json`, which says of
//!   what and by which build, and whatever a unit under way keeps there.
//!
//! The checksum is of the command line. Files are written aside and renamed, so each is whole or not there.

use super::{Campaign, Shard};
use crate::exit::{Done, Error};
use crate::output::Output;
use crate::store::{Store, write_whole};
use crate::words::{counted, quoted};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The version of the files' format.
pub const VERSION: u32 = 1;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the format.
    pub version: u32,
    /// The release of `bohr` that wrote it.
    pub bohr: String,
    /// A fingerprint of the program that wrote it: of its file, so that any other build has another one.
    pub program: String,
    /// What was split.
    pub of: Campaign,
    /// Which shard.
    pub shard: Shard,
}

/// The result of a shard.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShardFile<U> {
    /// What it is.
    pub head: Head,
    /// The units that it did, by number.
    pub units: BTreeMap<usize, U>,
}

/// What a shard prints.
#[derive(Serialize)]
struct Told<'a> {
    shard: Shard,
    of: String,
    interrupted: bool,
    /// Units that are done, and how many of them were before this start.
    done: usize,
    before: usize,
    /// The units of all shards.
    all: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a PathBuf>,
}

/// What can be told without knowing what the units are.
#[derive(Deserialize)]
struct Versioned {
    head: VersionedHead,
}

#[derive(Deserialize)]
struct VersionedHead {
    version: u32,
}

#[derive(Deserialize)]
struct Headed {
    head: Head,
}

/// Reads what a file says of itself.
///
/// # Errors
/// If it is not the result of a shard, in words.
pub fn head(text: &str) -> Result<Head, String> {
    let no_shard = |e: serde_json::Error| format!("it is not the result of a shard ({e})");
    let Versioned { head: VersionedHead { version } } = serde_json::from_str(text).map_err(no_shard)?;
    if version != VERSION {
        let ours = format!("this program reads version {VERSION}");
        return Err(format!("it was written in version {version} of the format, and {ours}"));
    }
    Ok(serde_json::from_str::<Headed>(text).map_err(no_shard)?.head)
}

/// The fingerprint of this program.
pub fn program() -> Result<String, Error> {
    let read = std::env::current_exe().and_then(fs::read);
    let bytes = read.map_err(|e| Error::Input(format!("failed to read this program's own file: {e}")))?;
    Ok(format!("{:08x}-{}", crc32fast::hash(&bytes), bytes.len()))
}

/// Also where a file is in the way of a folder: that shows when it is written.
fn is_not_there(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The work of a shard: what is done, and what is still to do.
pub struct Work<U> {
    head: Head,
    folder: PathBuf,
    result: PathBuf,
    done: Mutex<BTreeMap<usize, U>>,
    /// How many units were done before it was opened.
    before: usize,
    /// True if there was a result already.
    complete: bool,
}

impl<U: Serialize + DeserializeOwned> Work<U> {
    /// Begins the work of a shard, or goes on with it.
    ///
    /// # Errors
    /// If what is there was begun by another build, or cannot be read.
    pub fn open(out: &Path, of: Campaign, shard: Shard) -> Result<Self, Error> {
        let head = Head {
            version: VERSION,
            bohr: env!("CARGO_PKG_VERSION").to_owned(),
            program: program()?,
            of,
            shard,
        };
        let line = serde_json::to_string(&head.of).map_err(|e| Error::Input(e.to_string()))?;
        let name = format!("{}-{:08x}", head.of.command(), crc32fast::hash(line.as_bytes()));
        let campaign = out.join("shards").join(name);
        let stem = format!("{}-of-{}", shard.number(), shard.of());
        let (folder, result) = (campaign.join(&stem), campaign.join(format!("{stem}.json")));
        let mut work = Work { head, folder, result, done: Mutex::default(), before: 0, complete: false };
        let done = match fs::read_to_string(&work.result) {
            Ok(text) => {
                work.complete = true;
                work.units(&work.result, &text)?
            }
            Err(e) if is_not_there(&e) => work.kept()?,
            Err(e) => return Err(work.unusable(&work.result, &e.to_string())),
        };
        work.before = done.len();
        work.done = Mutex::new(done);
        if work.complete {
            // It may have been killed just before it did so itself.
            let _ = fs::remove_dir_all(&work.folder);
        }
        Ok(work)
    }

    /// True if this unit is its to do and not done.
    pub fn wants(&self, unit: usize) -> bool {
        self.head.shard.has(unit) && self.lacks(unit)
    }

    /// True if this unit, of which every shard does a part, is not done.
    pub fn lacks(&self, unit: usize) -> bool {
        !self.complete && !self.lock().contains_key(&unit)
    }

    /// How many units are done.
    fn done(&self) -> usize {
        self.lock().len()
    }

    /// Where a unit under way can be kept: in a file of this shard's own.
    pub fn aside(&self, unit: usize) -> PathBuf {
        self.folder.join(format!("under-way-{unit}.json"))
    }

    /// Keeps a unit that is done.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, unit: usize, result: U) -> Result<(), Error> {
        let file = self.folder.join(format!("{unit}.json"));
        let text = serde_json::to_string(&result).map_err(|e| self.unwritable(&file, &e.into()))?;
        write_whole(&file, &text).map_err(|e| self.unwritable(&file, &e))?;
        self.lock().insert(unit, result);
        Ok(())
    }

    /// Writes the result, unless the user has ended it early, and says how far it is. A unit is a `what`, and all shards
    /// together have `all` of them. Whether the results are as expected is not for a shard to say: a machine that
    /// starts again what fails would never come to an end.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn conclude(
        &self,
        what: &str,
        all: usize,
        interrupted: bool,
        store: &Store,
        out: &mut Output,
    ) -> Result<Done, Error> {
        if !interrupted {
            self.finish()?;
        }
        let (shard, done, folder) = (self.head.shard, self.done(), self.result.with_file_name(""));
        if out.json {
            let told = Told {
                shard,
                of: self.head.of.to_string(),
                interrupted,
                done,
                before: self.before,
                all,
                result: (!interrupted).then_some(&self.result),
            };
            out.json(self.head.of.command(), told)?;
        } else {
            let before =
                if self.before > 0 { format!(", {} of them before", self.before) } else { String::new() };
            let all = counted(all as u64, what);
            out.line(format!("Shard {shard} of `{}`: {done} of {all} done{before}.", self.head.of))?;
            match interrupted {
                true => out.line("Interrupted: the same command goes on from here.")?,
                false => out.line(format!(
                    "Kept in {}; when all {} are there: bohr merge {}",
                    quoted(&self.result),
                    shard.of(),
                    quoted(&folder)
                ))?,
            }
        }
        match store.failed() {
            Some(failed) => Err(failed),
            None if interrupted => Ok(Done::Interrupted),
            None => Ok(Done::AsExpected),
        }
    }

    /// Writes the result, now that all is done.
    fn finish(&self) -> Result<(), Error> {
        if self.complete {
            return Ok(());
        }
        let units = std::mem::take(&mut *self.lock());
        let file = ShardFile { head: self.head.clone(), units };
        let text = serde_json::to_string(&file).map_err(|e| self.unwritable(&self.result, &e.into()))?;
        write_whole(&self.result, text + "\n").map_err(|e| self.unwritable(&self.result, &e))?;
        *self.lock() = file.units;
        // What is left lying there does no harm.
        let _ = fs::remove_dir_all(&self.folder);
        Ok(())
    }

    /// The units that an earlier start has kept.
    fn kept(&self) -> Result<BTreeMap<usize, U>, Error> {
        let head = self.folder.join("head.json");
        match fs::read_to_string(&head) {
            // Its folder is what would have to go.
            Ok(text) => self.units(&self.folder, &text).map(drop)?,
            Err(e) if is_not_there(&e) => {
                let only = ShardFile::<U> { head: self.head.clone(), units: BTreeMap::new() };
                let text = serde_json::to_string(&only).map_err(|e| self.unwritable(&head, &e.into()))?;
                write_whole(&head, &text).map_err(|e| self.unwritable(&head, &e))?;
            }
            Err(e) => return Err(self.unusable(&head, &e.to_string())),
        }
        let entries = fs::read_dir(&self.folder).map_err(|e| self.unusable(&self.folder, &e.to_string()))?;
        let mut units = BTreeMap::new();
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")?.parse().ok());
            // A file that was lost with the machine's cache may be empty. Its unit is done again.
            let unit = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok());
            if let (Some(number), Some(unit)) = (number, unit) {
                units.insert(number, unit);
            }
        }
        Ok(units)
    }

    /// The units in a file, if it is this shard's.
    fn units(&self, path: &Path, text: &str) -> Result<BTreeMap<usize, U>, Error> {
        let head = head(text).map_err(|why| self.unusable(path, &why))?;
        if head != self.head {
            let why = match head.program == self.head.program {
                true => format!("it is shard {} of `{}`", head.shard, head.of),
                false => "another build of bohr has begun it".to_owned(),
            };
            return Err(self.unusable(path, &why));
        }
        let file: ShardFile<U> =
            serde_json::from_str(text).map_err(|e| self.unusable(path, &e.to_string()))?;
        Ok(file.units)
    }

    fn unusable(&self, path: &Path, why: &str) -> Error {
        let advice = "remove it, and what it holds is done again";
        Error::Input(format!(
            "cannot go on with shard {} in {}: {why}; {advice}",
            self.head.shard,
            quoted(path)
        ))
    }

    fn unwritable(&self, path: &Path, e: &io::Error) -> Error {
        let advice = "give another folder with --out";
        Error::Input(format!("failed to keep shard {} in {}: {e}; {advice}", self.head.shard, quoted(path)))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, U>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
