//! `bohr merge`: what all shards of a command have shown, as one machine would have shown it.
//!
//! Each shard must be there once, of one command line, and by the build that merges: it does some runs again, to shrink
//! what was found.

use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::output::Output;
use crate::shard::{Campaign, Head, ShardFile, head, program};
use crate::store::Store;
use crate::words::quoted;
use crate::{fuzz, prove, run};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What putting shards together needs besides them.
pub struct Merging<'a> {
    /// The threads to use.
    pub jobs: usize,
    /// Where what is found is kept.
    pub store: &'a Store,
    /// Set to end early.
    pub stop: Arc<AtomicBool>,
    /// What is to be exported.
    pub exports: &'a args::Exports,
}

/// All shards of a command.
pub struct Shards {
    /// In their order.
    results: Vec<ShardResult>,
}

/// The result of a shard.
struct ShardResult {
    path: PathBuf,
    head: Head,
    text: String,
}

/// Runs the command.
pub fn merge(args: &args::Merge, out: &mut Output) -> Result<Done, Error> {
    args.exports.check(out.json)?;
    let shards = Shards::read(&args.results)?;
    if args.exports.any() && !matches!(shards.of(), Campaign::Run { .. }) {
        let of = shards.of().command();
        return Err(Error::Input(format!(
            "cannot export the shards of `bohr {of}`: --junit, --sarif and --summary are for verdicts, as `bohr run` finds them"
        )));
    }
    let store = Store::open(&args.folder.out);
    let merging =
        Merging { jobs: args.jobs.number(), store: &store, stop: interrupt::flag(), exports: &args.exports };
    match shards.of() {
        Campaign::Run { .. } => run::shard::merge(&shards, &merging, out),
        Campaign::Prove { .. } => prove::shard::merge(&shards, &merging, out),
        Campaign::Fuzz { .. } => fuzz::shard::merge(&shards, &merging, out),
    }
}

impl Shards {
    /// Reads the files, and those in the folders, and checks that they are the shards of one command.
    fn read(given: &[PathBuf]) -> Result<Shards, Error> {
        let mut paths = Vec::new();
        for path in given {
            match path.is_dir() {
                true => results_in(path, &mut paths)?,
                false => paths.push(path.clone()),
            }
        }
        // Who names a file and its folder means it once.
        let mut known = BTreeSet::new();
        paths.retain(|path| known.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
        if paths.is_empty() {
            let given: Vec<_> = given.iter().map(|path| quoted(path)).collect();
            let advice = "a shard's result is called I-of-N.json and is there once the shard is done";
            return Err(Error::Input(format!(
                "there is no shard's result in {}: {advice}",
                given.join(", ")
            )));
        }
        let mut results = paths.into_iter().map(ShardResult::read).collect::<Result<Vec<_>, _>>()?;
        results.sort_by(|a, b| (a.head.shard, &a.path).cmp(&(b.head.shard, &b.path)));
        check(&results)?;
        Ok(Shards { results })
    }

    /// What they are of.
    pub fn of(&self) -> &Campaign {
        &self.results[0].head.of
    }

    /// Their number.
    pub fn number(&self) -> usize {
        self.results.len()
    }

    /// The units, each of which one shard has done.
    ///
    /// # Errors
    /// If they are not all there.
    pub fn dealt<U: DeserializeOwned>(&self, all: usize) -> Result<Vec<U>, Error> {
        let mut units = BTreeMap::new();
        for result in &self.results {
            let own = (0..all).filter(|unit| result.head.shard.has(*unit));
            units.extend(result.units::<U>(own)?);
        }
        Ok(units.into_values().collect())
    }

    /// Of each unit what every shard has done, in their order.
    ///
    /// # Errors
    /// If they are not all there.
    pub fn each<U: DeserializeOwned>(&self, all: usize) -> Result<Vec<Vec<U>>, Error> {
        let mut units: Vec<Vec<U>> = (0..all).map(|_| Vec::new()).collect();
        for result in &self.results {
            result.units::<U>(0..all)?.into_iter().for_each(|(unit, done)| units[unit].push(done));
        }
        Ok(units)
    }

    /// That what they hold is not what their heads say.
    pub fn unreadable(&self) -> Error {
        self.results[0].unusable("its units are not what its head says")
    }
}

impl ShardResult {
    fn read(path: PathBuf) -> Result<Self, Error> {
        let unusable = |why: String| Error::Input(format!("cannot merge {}: {why}", quoted(&path)));
        let text = fs::read_to_string(&path).map_err(|e| unusable(e.to_string()))?;
        let head = head(&text).map_err(unusable)?;
        Ok(ShardResult { path, head, text })
    }

    /// Its units, which must be these.
    fn units<U: DeserializeOwned>(
        &self,
        expected: impl IntoIterator<Item = usize>,
    ) -> Result<BTreeMap<usize, U>, Error> {
        let file: ShardFile<U> =
            serde_json::from_str(&self.text).map_err(|e| self.unusable(&e.to_string()))?;
        match file.units.keys().copied().eq(expected) {
            true => Ok(file.units),
            false => Err(self.unusable("it does not hold the units that this shard has to do")),
        }
    }

    fn unusable(&self, why: &str) -> Error {
        let advice = "remove it, and start its shard again";
        Error::Input(format!("cannot merge {}: {why}; {advice}", quoted(&self.path)))
    }
}

/// All results in a folder and those below.
fn results_in(folder: &Path, results: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |e| Error::Input(format!("cannot read {}: {e}", quoted(folder)));
    let mut entries =
        fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            results_in(&entry.path(), results)?;
        } else if is_result(&entry.path()) {
            results.push(entry.path());
        }
    }
    Ok(())
}

/// True for `I-of-N.json`.
fn is_result(path: &Path) -> bool {
    let stem = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    stem.and_then(|stem| stem.split_once("-of-")).is_some_and(|(i, of)| number(i) && number(of))
}

/// They are the shards of one command by this program, each once.
fn check(results: &[ShardResult]) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::Input(format!("cannot merge: {why}")));
    let first = &results[0];
    let named = |result: &ShardResult| quoted(&result.path);
    for other in &results[1..] {
        let (a, b) = (named(first), named(other));
        if other.head.of != first.head.of {
            let (of, and) = (&first.head.of, &other.head.of);
            return refuse(format!("{a} is of `{of}`, and {b} of `{and}`; name the results of one command"));
        }
        if other.head.shard.of() != first.head.shard.of() {
            let (shard, and) = (first.head.shard, other.head.shard);
            return refuse(format!("{a} is shard {shard}, and {b} is {and}; name the results of one split"));
        }
        if other.head.program != first.head.program {
            return refuse(format!(
                "{a} and {b} were written by different builds of bohr; run all shards with one"
            ));
        }
    }
    if first.head.program != program()? {
        let (theirs, bohr) = (&first.head.program, &first.head.bohr);
        let advice = "merge with the build that ran them";
        return refuse(format!(
            "the shards were run by another build of bohr ({bohr}, {theirs}) than this; {advice}"
        ));
    }
    for pair in results.windows(2) {
        if pair[0].head.shard == pair[1].head.shard {
            let (shard, a, b) = (pair[0].head.shard, named(&pair[0]), named(&pair[1]));
            return refuse(format!("shard {shard} is there twice, in {a} and {b}; name it once"));
        }
    }
    let of = first.head.shard.of();
    let there: BTreeSet<usize> = results.iter().map(|result| result.head.shard.number()).collect();
    let missing: Vec<String> = (1..=of).filter(|i| !there.contains(i)).map(|i| format!("{i}/{of}")).collect();
    match &missing[..] {
        [] => Ok(()),
        [one, ..] => {
            let (which, is) = (missing.join(", "), if missing.len() == 1 { "is" } else { "are" });
            let command = format!("{} --shard {one}", first.head.of);
            refuse(format!("shard {which} {is} missing or not done; `{command}` begins or goes on"))
        }
    }
}
