//! `bohr shrink`: the same failure with the fewest preemptions, steps, and work.

use crate::args;
use crate::case::{Smallest, smallest};
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::output::{Look, Output};
use crate::replay::reproduce;
use crate::source;
use crate::store::Store;
use crate::words::{counted, quoted};
use bohr_report::model::Decisive;
use bohr_report::{Case, Cause, report};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

#[derive(Serialize)]
struct Json {
    token: String,
    headline: String,
    before: Size,
    after: Size,
    /// No schedule of this workload fails so with fewer preemptions.
    fewest_proved: bool,
    /// None with as many preemptions fails so in fewer steps.
    shortest_proved: bool,
    runs: u64,
    /// The cause, in words.
    cause: String,
    /// What decides, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    decisive: Option<Decisive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Size {
    workload: String,
    preemptions: u32,
    steps: u32,
}

impl Size {
    fn of(case: &Case) -> Self {
        let steps = case.trace.steps.iter().filter(|s| !s.at_rest).count() as u32;
        Size { workload: case.workload.clone(), preemptions: case.preemptions, steps }
    }

    fn in_words(&self) -> String {
        let preemptions = counted(self.preemptions.into(), "preemption");
        format!("{preemptions}, {} on {}", counted(self.steps.into(), "step"), self.workload)
    }
}

/// Runs the command.
pub fn shrink(args: &args::Shrink, out: &mut Output) -> Result<Done, Error> {
    let source = source::read(&args.token)?;
    let before = reproduce(&source)?.map_err(Error::Input)?;
    let stop = interrupt::flag();
    let Smallest { case, shrunk } = smallest(&source.subject, &before, args.schedules, &stop)?;
    let store = Store::open(&args.folder.out);
    let file = store.keep(&case);
    let (from, to) = (Size::of(&before), Size::of(&case));
    if out.json {
        out.json(
            "shrink",
            Json {
                token: case.token.clone(),
                headline: case.finding.headline(),
                before: from,
                after: to,
                fewest_proved: shrunk.fewest_proved,
                shortest_proved: shrunk.shortest_proved,
                runs: shrunk.runs,
                cause: Cause::of(&case).sentence.to_string(),
                decisive: case.decisive.clone(),
                file,
            },
        )?;
    } else {
        out.styled(Look::Strong, &case.finding.headline())?;
        out.line(format!("  before  {}", from.in_words()))?;
        out.line(format!("  after   {}, after {}", to.in_words(), counted(shrunk.runs, "run")))?;
        let cut = counted(args.schedules, "run");
        let cut = format!("not proved: the search was cut off (after {cut}; see --schedules)");
        let proved = |proved| if proved { "proved" } else { cut.as_str() };
        out.line(format!(
            "  no schedule of this workload fails so with fewer preemptions: {}",
            proved(shrunk.fewest_proved)
        ))?;
        out.line(format!("  nor with as many in fewer steps: {}", proved(shrunk.shortest_proved)))?;
        out.line(format!("  {}", Cause::of(&case).sentence))?;
        out.line("")?;
        out.line(format!("  {}", case.token))?;
        out.line(format!("  {}", report::command(&case)))?;
        if let Some(file) = file {
            out.line(format!("  kept in {}", quoted(&file)))?;
        }
    }
    match store.failed() {
        Some(failed) => Err(failed),
        None if stop.load(Ordering::Relaxed) => Ok(Done::Interrupted),
        None => Ok(Done::AsExpected),
    }
}
