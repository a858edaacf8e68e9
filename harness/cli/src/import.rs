//! `bohr import`: from a crash file, a token or a stored finding to a test.

use crate::args;
use crate::case::smallest;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::output::{Look, Output};
use crate::regressions::{Regression, VERSION};
use crate::replay::reproduce;
use crate::source::{self, Source};
use crate::store::write_whole;
use crate::words::quoted;
use bohr_conformance::{Check, TARGETS};
use bohr_report::{Case, markdown, report};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

#[derive(Serialize)]
struct Json<'a> {
    /// The line that the run ends in; nothing if the input does not fail.
    ends_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    test: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Path>,
    /// False if it was there already.
    new: bool,
}

/// Runs the command.
pub fn import(args: &args::Import, out: &mut Output) -> Result<Done, Error> {
    if let Some(target) = harness_target(args) {
        return import_input(args, target, out);
    }
    let source = source::read_as(&args.token, args.target.as_deref())?;
    let before = reproduce(&source)?.map_err(Error::Input)?;
    let stop = interrupt::flag();
    let case = smallest(&source.subject, &before, args.schedules, &stop)?.case;
    if stop.load(Ordering::Relaxed) {
        return Ok(Done::Interrupted);
    }
    let (folder, name) = (args.into.join(&case.scenario), name(&case));
    let test = folder.join(format!("{name}.json"));
    let report = args.folder.out.join("imported").join(&case.scenario).join(format!("{name}.md"));
    write(&report, markdown::render(&report::case(&case)).as_bytes())?;
    // Of several crashes that shrink to the same run, the first is kept.
    let new = !test.exists();
    let crash = source.bytes.as_ref().map(|_| folder.join(format!("{name}.crash")));
    if new {
        if let (Some(crash), Some(bytes)) = (&crash, &source.bytes) {
            write(crash, bytes)?;
        }
        write(&test, json(&source, &case)?.as_bytes())?;
    }
    let crash = crash.filter(|crash| crash.exists());
    let ends_in = case.finding.headline();
    if out.json {
        let (token, crash) = (Some(case.token.as_str()), crash.as_deref());
        out.json(
            "import",
            Json { ends_in: Some(ends_in), token, test: &test, crash, report: Some(&report), new },
        )?;
        return Ok(Done::AsExpected);
    }
    out.styled(Look::Strong, &ends_in)?;
    out.line(format!("  {}", report::command(&case)))?;
    let is = if new { "kept" } else { "there already" };
    out.line(format!("  test    {} ({is})", quoted(&test)))?;
    if let Some(crash) = crash {
        out.line(format!("  crash   {}", quoted(&crash)))?;
    }
    out.line(format!("  report  {}", quoted(&report)))?;
    out.line("It runs with the others: cargo test -p bohr-cli --test regressions")?;
    Ok(Done::AsExpected)
}

fn json(source: &Source, case: &Case) -> Result<String, Error> {
    let regression = Regression {
        version: VERSION,
        token: case.token.clone(),
        ends_in: case.finding.headline(),
        target: source.target.clone(),
    };
    let text = serde_json::to_string_pretty(&regression).map_err(|e| Error::Input(e.to_string()))?;
    Ok(text + "\n")
}

/// The same for the same shrunk run.
fn name(case: &Case) -> String {
    const LONGEST: usize = 40;
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_=+,".contains(c) { c } else { '_' };
    let workload: String = case.workload.chars().map(safe).take(LONGEST).collect();
    format!("{}.{workload}.{:08x}", case.variant, crc32fast::hash(case.token.as_bytes()))
}

/// The target that tests Bohr itself, if it is named or the file is in its folder.
fn harness_target(args: &args::Import) -> Option<&'static (&'static str, Check)> {
    let folder =
        || Path::new(&args.token).canonicalize().ok()?.parent()?.file_name()?.to_str().map(str::to_owned);
    let name = args.target.clone().or_else(folder)?;
    TARGETS.iter().find(|(target, _)| *target == name)
}

/// Keeps an input that a target of Bohr itself is to get right.
fn import_input(
    args: &args::Import,
    (target, body): &(&str, Check),
    out: &mut Output,
) -> Result<Done, Error> {
    let bytes = source::bytes(Path::new(&args.token))?;
    let fails = body(&bytes).err();
    let name = format!("{:08x}-{}.crash", crc32fast::hash(&bytes), bytes.len());
    let test = args.into.join(target).join(name);
    let new = !test.exists();
    if new {
        write(&test, &bytes)?;
    }
    if out.json {
        out.json(
            "import",
            Json { ends_in: fails, token: None, test: &test, crash: None, report: None, new },
        )?;
        return Ok(Done::AsExpected);
    }
    match &fails {
        Some(why) => out.styled(Look::Bad, &format!("{target} still fails: {why}"))?,
        None => {
            out.styled(Look::Good, &format!("{target} does not fail, or no longer; the test sees to it."))?
        }
    }
    let is = if new { "kept" } else { "there already" };
    out.line(format!("  test    {} ({is})", quoted(&test)))?;
    Ok(Done::AsExpected)
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<(), Error> {
    // What is the same is left alone, whoever may write there.
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    write_whole(path, bytes).map_err(|e| {
        let advice = "give another folder with --into or --out";
        Error::Input(format!("failed to write {}: {e}; {advice}", quoted(path)))
    })
}
