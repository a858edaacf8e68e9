//! What a command has found out, in files for other programs.

use crate::args;
use crate::case::{case, smallest};
use crate::exit::Error;
use crate::judging::{Judged, Kept, Way};
use crate::output::Output;
use crate::run::Example;
use crate::store::write_whole;
use crate::target::Subject;
use crate::words::{Assessment, assess, coverage, quoted};
use bohr_explore::campaign::name_of;
use bohr_explore::jobs::run_all;
use bohr_explore::search::rerun;
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{RunConfig, Site};
use bohr_report::Case;
use bohr_report::export::{
    Campaign, Failure, Seen, Standing, Tested, Verdict, junit, sarif, shiviz, summary,
};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Standard output, by its usual name.
const OUTPUT: &str = "-";
/// The most runs to shrink what was not expected.
const SHRINK_RUNS: u64 = 10_000;

/// A file to write: the option that names it, where to, what, and whether to add it to what is there.
struct Export<'a> {
    option: &'static str,
    file: &'a Path,
    append: bool,
    text: String,
}

impl args::Exports {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.files().next().is_some()
    }

    /// Whether one of them is printed in place of what is printed otherwise.
    pub fn on_output(&self) -> bool {
        self.files().any(is_output)
    }

    /// Finds out, before the work, whether they can be had at once.
    ///
    /// # Errors
    /// If standard output is to hold more than one thing.
    pub fn check(&self, json: bool) -> Result<(), Error> {
        one_on_output(self.files().filter(|file| is_output(file)).count(), json)
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.junit, &self.sarif, &self.summary].into_iter().flatten().map(|file| file.as_path())
    }

    /// Writes what is asked for of a run.
    ///
    /// # Errors
    /// If a file cannot be written; the others are all the same.
    pub fn write(&self, found: &Found<'_>, out: &mut Output) -> Result<(), Error> {
        if !self.any() {
            return Ok(());
        }
        let with_runs = self.sarif.is_some() || self.summary.is_some();
        let campaign = found.campaign(with_runs)?;
        let mut exports = Vec::new();
        if let Some(file) = &self.junit {
            exports.push(Export { option: "--junit", file, append: false, text: junit::render(&campaign) });
        }
        if let Some(file) = &self.sarif {
            let text = sarif::render(&campaign, env!("CARGO_PKG_VERSION"));
            exports.push(Export { option: "--sarif", file, append: false, text });
        }
        if let Some(file) = &self.summary {
            exports.push(Export {
                option: "--summary",
                file,
                append: true,
                text: summary::render(&campaign),
            });
        }
        write_all(&exports, out)
    }
}

impl args::Replay {
    /// See [`args::Exports::check`].
    pub fn check(&self, json: bool) -> Result<(), Error> {
        one_on_output(self.exports().filter(|file| is_output(file)).count(), json)
    }

    /// See [`args::Exports::on_output`].
    pub fn on_output(&self) -> bool {
        self.exports().any(is_output)
    }

    fn exports(&self) -> impl Iterator<Item = &Path> {
        [&self.sarif, &self.shiviz].into_iter().flatten().map(|file| file.as_path())
    }

    /// Writes what is asked for of a failing run.
    ///
    /// # Errors
    /// If a file cannot be written; the others are all the same.
    pub fn write(&self, subject: &Subject, case: &Case, out: &mut Output) -> Result<(), Error> {
        let mut exports = Vec::new();
        if let Some(file) = &self.sarif {
            let failure = Failure { case: case.clone(), expected: false, workloads: 1 };
            let scenarios = vec![tested(subject.scenario, Vec::new(), vec![failure])];
            let command = bohr_report::report::command(case);
            let campaign = Campaign { command, ended: None, scenarios };
            let text = sarif::render(&campaign, env!("CARGO_PKG_VERSION"));
            exports.push(Export { option: "--sarif", file, append: false, text });
        }
        if let Some(file) = &self.shiviz {
            exports.push(Export { option: "--shiviz", file, append: false, text: shiviz::render(case) });
        }
        write_all(&exports, out)
    }
}

/// What a run has found.
pub struct Found<'a> {
    /// The command, as it would be typed.
    pub command: String,
    /// Why it did not come to its end.
    pub ended: Option<&'static str>,
    /// The verdicts.
    pub judged: &'a [Judged],
    /// What the buggy forms did, shrunk.
    pub examples: &'a [Example],
    /// The threads to use.
    pub jobs: usize,
    /// Set to end early.
    pub stop: &'a Arc<AtomicBool>,
}

impl Found<'_> {
    fn campaign(&self, with_runs: bool) -> Result<Campaign, Error> {
        let name = |judged: &Judged| judged.subject.scenario.info().name;
        let groups = self.judged.chunk_by(|a, b| name(a) == name(b));
        let scenarios = groups.map(|group| {
            let scenario = group[0].subject.scenario;
            let failures = if with_runs { self.failures(group)? } else { Vec::new() };
            Ok(tested(scenario, group.iter().map(verdict).collect(), failures))
        });
        let scenarios = scenarios.collect::<Result<_, Error>>()?;
        Ok(Campaign { command: self.command.clone(), ended: self.ended.map(str::to_owned), scenarios })
    }

    /// The failing runs to be shown: of what was not expected one a way and form, and the examples.
    fn failures(&self, group: &[Judged]) -> Result<Vec<Failure>, Error> {
        let scenario = group[0].subject.scenario.info().name;
        let mut ways: Vec<(&Subject, &Kept, u64)> = Vec::new();
        for judged in group {
            let unexpected = |kept: &&Kept| kept.again.is_some() && !expected(judged, kept);
            for kept in judged.found.iter().filter(unexpected) {
                let same = |(subject, other, _): &&mut (&Subject, &Kept, u64)| {
                    subject.variant.name == judged.subject.variant.name
                        && Way::of(&other.finding) == Way::of(&kept.finding)
                };
                match ways.iter_mut().find(same) {
                    Some((_, _, workloads)) => *workloads += 1,
                    None => ways.push((&judged.subject, kept, 1)),
                }
            }
        }
        let shrunk = run_all(
            &ways,
            self.jobs,
            |(subject, kept, workloads)| {
                let Some(case) = case(subject, &kept.finding, &kept.decisions) else { return Ok(None) };
                let case = smallest(subject, &case, SHRINK_RUNS, self.stop)?.case;
                Ok(Some(Failure { case, expected: false, workloads: *workloads }))
            },
            |_, _| {},
        );
        let mut failures: Vec<Failure> =
            shrunk.into_iter().filter_map(Result::transpose).collect::<Result<_, Error>>()?;
        let shown = |example: &&Example| {
            let of = |failure: &Failure| {
                failure.case.variant == example.case.variant
                    && Way::of(&failure.case.finding) == Way::of(&example.case.finding)
            };
            example.case.scenario == scenario && !failures.iter().any(of)
        };
        let examples = self.examples.iter().filter(shown).map(|example| Failure {
            case: example.case.clone(),
            expected: true,
            workloads: example.workloads,
        });
        let examples: Vec<Failure> = examples.collect();
        failures.extend(examples);
        Ok(failures)
    }
}

fn tested(scenario: &dyn AnyScenario, verdicts: Vec<Verdict>, failures: Vec<Failure>) -> Tested {
    let oracles = scenario.oracles().iter().map(Into::into).collect();
    Tested { info: scenario.info().into(), oracles, verdicts, failures }
}

fn verdict(judged: &Judged) -> Verdict {
    let (subject, cell) = (&judged.subject, judged.cell.as_ref());
    let standing = match cell.map(assess) {
        None => Standing::NotJudged("the work ended before its turn came".to_owned()),
        Some(Assessment::Unfinished) => Standing::NotJudged("the work ended before it was known".to_owned()),
        Some(Assessment::DoesNotFit(why)) => Standing::NotJudged(why),
        Some(Assessment::Unstated) => Standing::Unstated,
        Some(Assessment::Expected) => Standing::Expected,
        Some(Assessment::Partly(why)) => Standing::Partly(why),
        Some(Assessment::Surprise(why)) => Standing::Surprise(why),
    };
    let stated = subject.scenario.expected(subject.variant.name, &subject.workload);
    let owned = |oracle: &str| oracle.to_owned();
    let seen = judged.found.iter().map(|kept| Seen {
        headline: kept.finding.headline(),
        oracle: kept.finding.oracle.clone(),
        expected: expected(judged, kept),
        token: kept.again.as_ref().map(|again| again.token.clone()),
    });
    Verdict {
        variant: subject.variant.name.to_owned(),
        role: subject.variant.role,
        workload: subject.workload.clone(),
        only_observes: subject.only_observes(),
        violated: cell.map(|cell| cell.oracles().into_iter().map(owned).collect()).unwrap_or_default(),
        expected: stated.map(|stated| stated.oracles().map(owned).collect()),
        begins: matches!(standing, Standing::Surprise(_)).then(|| begins(subject)).flatten(),
        standing,
        checked: cell.map(|cell| coverage(&[cell])).unwrap_or_default(),
        seen: seen.collect(),
    }
}

fn expected(judged: &Judged, kept: &Kept) -> bool {
    let named = |cell: &bohr_explore::cell::Cell| {
        let name = name_of(&kept.finding);
        // Where nothing is stated, nothing is unexpected.
        cell.expected.is_none() || cell.violations().iter().any(|violation| violation.oracle == name)
    };
    judged.cell.as_ref().is_some_and(named)
}

/// Where the form's first operation stands.
fn begins(subject: &Subject) -> Option<Site> {
    let trace = rerun(&subject.program().ok()?, RunConfig::default(), Vec::new()).trace?;
    trace.steps.first().map(|step| step.site.clone())
}

fn is_output(file: &Path) -> bool {
    file == Path::new(OUTPUT)
}

fn one_on_output(exports: usize, json: bool) -> Result<(), Error> {
    let what = match (exports, json) {
        (0, _) | (1, false) => return Ok(()),
        (1, true) => "--json and a file called `-`",
        _ => "more than one file called `-`",
    };
    let advice = "standard output holds one of them: name a file for the others";
    Err(Error::Input(format!("cannot print {what}: {advice}")))
}

fn write_all(exports: &[Export<'_>], out: &mut Output) -> Result<(), Error> {
    let mut failed = Vec::new();
    for Export { option, file, append, text } in exports {
        if is_output(file) {
            out.line(text.trim_end())?;
            continue;
        }
        let written = if *append { add(file, text) } else { write_whole(file, text) };
        if let Err(e) = written {
            failed.push(format!("failed to write {}: {e}; give another file with {option}", quoted(file)));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Input(failed.join("\n"))) }
}

/// Adds to a file, which is made if it is not there: a job's steps share one summary.
fn add(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    let apart = if file.metadata()?.len() > 0 { "\n" } else { "" };
    file.write_all(format!("{apart}{text}").as_bytes())
}
