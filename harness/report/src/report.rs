//! What a report says, and in which order.

use crate::cause::{Cause, case_names, end, failing_step};
use crate::document::{Block, Row, Table, Text};
use crate::go_format;
use crate::model::{BugReport, Case, DriverRow, Fewest, HoldsRow, OracleRow, Proof};
use crate::numbers::{count, measured, of, percent};
use crate::schedule::{Folding, Schedule};
use bohr_kernel::TaskId;
use bohr_kernel::scenario::Role;

/// The file of a report's picture.
pub const PICTURE: &str = "interleaving.svg";

/// The whole report on a bug: what it is, a failing schedule, its cause, how to reproduce it, and
/// how sure all that is.
pub fn bug(report: &BugReport) -> Vec<Block> {
    let info = &report.info;
    let title = Text::new().plain(format!("{}: ", info.name)).text(Text::prose(&info.title));
    let mut blocks = vec![Block::Heading(1, title)];
    blocks.extend(about(report));
    if let Some(first) = report.cases.first() {
        let mut sections = case_sections(first, Folding::default(), 2, ["2. ", "3. ", "4. "]);
        let headline = first.finding.headline();
        let shows = format!(
            "the schedule below as a picture: a lane for each task, time downwards, ending in {headline}"
        );
        sections.insert(2, Block::Picture { shows, file: PICTURE.to_owned() });
        blocks.extend(sections);
    }
    blocks.extend(evidence(report));
    if report.cases.len() > 1 {
        blocks.push(heading(2, "Other failing schedules"));
        for case in &report.cases[1..] {
            let title = Text::new().code(&case.variant).plain(" on ").code(&case.workload);
            blocks.push(Block::Heading(3, title));
            blocks.extend(case_sections(case, Folding::default(), 4, [""; 3]));
        }
    }
    blocks
}

/// A report on one failing run alone.
pub fn case(case: &Case) -> Vec<Block> {
    case_folded(case, Folding::default())
}

/// The same, where it is said how much of the run is shown.
pub fn case_folded(case: &Case, folding: Folding) -> Vec<Block> {
    let title = format!("{}: {}", case.scenario, case.finding.headline());
    let mut blocks = vec![Block::Heading(1, title.into())];
    blocks.extend(case_sections(case, folding, 2, [""; 3]));
    blocks
}

/// The command that does a failing run again.
pub fn command(case: &Case) -> String {
    replay_command(&case.token)
}

/// The command that does the run again that a token holds.
pub fn replay_command(token: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_=+:,@./%".contains(c);
    match token {
        token if !token.is_empty() && token.chars().all(safe) => format!("bohr replay {token}"),
        token => format!("bohr replay '{}'", token.replace('\'', r"'\''")),
    }
}

fn about(report: &BugReport) -> Vec<Block> {
    let info = &report.info;
    let fact = |what: &str, text: &str| Text::new().strong(what).plain(": ").text(Text::prose(text));
    let mut facts = vec![
        fact("System", &info.system),
        fact("Symptom", &info.symptom),
        fact("Cause", &info.cause),
        fact("Fix", &info.fix),
    ];
    for (at, reference) in info.references.iter().enumerate() {
        let lead = if at == 0 { Text::new().strong("Upstream").plain(": ") } else { Text::new().plain("; ") };
        let link = lead.plain(format!("{} ", reference.what)).link(&reference.name, &reference.url);
        match facts.last_mut().filter(|_| at > 0) {
            Some(upstream) => upstream.0.extend(link.0),
            None => facts.push(link),
        }
    }
    let mut blocks = vec![heading(2, "1. The bug"), Block::List(facts)];
    if !report.variants.is_empty() {
        blocks.push(Block::Paragraph("Each form of the program, and its verdict:".into()));
        blocks.push(Block::Table(variants_table(report)));
    }
    if !report.oracles.is_empty() {
        blocks.push(Block::Paragraph("What was checked:".into()));
        blocks.push(Block::Table(oracles_table(report)));
    }
    blocks
}

/// Each form of the program, and its verdict.
fn variants_table(report: &BugReport) -> Table {
    let rows = report.variants.iter().map(|v| {
        let verdict = match v.role {
            Role::Buggy | Role::Fixed => Text::new().strong(&v.verdict),
            _ => v.verdict.as_str().into(),
        };
        vec![Text::new().code(&v.name), v.role.to_string().into(), verdict, Text::prose(&v.summary)]
    });
    table(&["form", "role", "verdict", "what it is"], &[], rows)
}

/// What was checked.
pub(crate) fn oracles_table(report: &BugReport) -> Table {
    let row = |o: &OracleRow| vec![Text::new().code(&o.id), Text::prose(&o.claim), o.when.as_str().into()];
    table(&["oracle", "what must hold", "checked"], &[], report.oracles.iter().map(row))
}

/// How hard the bug was to find.
pub(crate) fn drivers_table(report: &BugReport) -> Table {
    let header = ["driver", "seeds", "found by", "first failure (median)", "failing share"];
    table(&header, &[1, 2, 3], report.hardness.iter().map(driver))
}

/// What is known of the forms that did not fail.
pub(crate) fn holds_table(report: &BugReport) -> Table {
    table(&["form", "workload", "result", "how it is known"], &[], report.holds.iter().map(holds))
}

fn case_sections(case: &Case, folding: Folding, level: u8, numbers: [&str; 3]) -> Vec<Block> {
    let cause = Cause::of(case);
    let schedule = Schedule::of(case, &cause, folding);
    let legend = schedule.legend();
    let mut blocks = vec![heading(level, &format!("{}A failing schedule", numbers[0]))];
    blocks.push(Block::Paragraph(outcome(case)));
    blocks.push(Block::Schedule(schedule));
    blocks.extend(legend.map(Block::Paragraph));
    blocks.extend(whereabouts(case).map(Block::List));
    blocks.push(heading(level, &format!("{}The cause", numbers[1])));
    blocks.push(Block::Paragraph(cause.sentence));
    if let Some(go) = go_format::render(case) {
        blocks.push(Block::Paragraph("As Go prints it, with names for numbers and addresses:".into()));
        blocks.push(Block::Code(go));
    }
    blocks.push(heading(level, &format!("{}Reproduce it", numbers[2])));
    blocks.push(Block::Code(command(case)));
    blocks
}

/// How the run ended, in what, and whether it could be simpler.
pub(crate) fn outcome(case: &Case) -> Text {
    let text = Text::new().code(&case.variant).plain(" on workload ").code(&case.workload).plain(" ends in ");
    let text = text.strong(case.finding.headline());
    let text = match &case.finding.oracle {
        Some(oracle) => text.plain(" (oracle ").code(oracle).plain(")"),
        None => text,
    };
    let steps = case.trace.steps[..end(case)].iter().filter(|s| !s.at_rest).count() as u64;
    let steps = match failing_step(case) {
        Some(at) => format!(", in step {} of {}", at + 1, count(steps)),
        None => format!(", after {}", of(steps, "step")),
    };
    if case.preemptions == 0 {
        return text.plain(steps).plain(", without any preemption.");
    }
    let preemptions = of(u64::from(case.preemptions), "preemption");
    let fewest = match &case.fewest {
        Fewest::Proved { runs } => {
            let cover = if *runs == 1 { "covers" } else { "cover" };
            let runs = of(*runs, "run");
            format!("No fewer will do: {runs} {cover} all schedules with fewer, and none fails this way.")
        }
        Fewest::NotProved { reason } => format!("Fewer may do: {reason}."),
    };
    text.plain(format!("{steps} with {preemptions}. ")).text(Text::prose(&fewest))
}

/// Where tasks were created, and which files short names stand for.
pub(crate) fn whereabouts(case: &Case) -> Option<Vec<Text>> {
    let names = case_names(case);
    let ids = (0..case.trace.tasks.len()).map(|t| TaskId(t as u32));
    let mut items = Vec::new();
    for (task, id) in case.trace.tasks.iter().zip(ids) {
        let (Some(created), Some(parent)) = (&task.created, task.parent) else { continue };
        let text = Text::new().code(names.task(id)).plain(" was created by ").code(names.task(parent));
        items.push(text.plain(" at ").plain(names.site(created)));
    }
    for (short, full) in names.shortened() {
        items.push(Text::new().code(short).plain(" is ").code(full));
    }
    (!items.is_empty()).then_some(items)
}

fn evidence(report: &BugReport) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !report.hardness.is_empty() || !report.holds.is_empty() {
        blocks.push(heading(2, "5. How hard it is to find, and what holds"));
    }
    if !report.hardness.is_empty() {
        let buggy = report.cases.first().map(|case| &case.variant);
        let of = buggy.map(|v| Text::new().plain(" in ").code(v)).unwrap_or_default();
        let lead = Text::new().plain("Schedules until the first failure").text(of);
        blocks
            .push(Block::Paragraph(lead.plain(", and how many of all schedules fail, with 95 % intervals:")));
        blocks.push(Block::Table(drivers_table(report)));
    }
    if !report.holds.is_empty() {
        blocks.push(Block::Paragraph("The forms that did not fail, and how that is known:".into()));
        blocks.push(Block::Table(holds_table(report)));
    }
    blocks
}

fn driver(row: &DriverRow) -> Vec<Text> {
    let first = row.first_failure.as_ref().map(|m| {
        let high = m.high.map_or("beyond the budget".to_owned(), measured);
        format!("{} ({} to {high})", measured(m.median), measured(m.low))
    });
    let share = row.failing.as_ref().map(|s| {
        let interval = format!("{} to {}", percent(s.low), percent(s.high));
        let share = if s.of == 0 { 0.0 } else { s.hits as f64 / s.of as f64 };
        format!("{} ({interval}; {} of {})", percent(share), count(s.hits), count(s.of))
    });
    vec![
        row.driver.as_str().into(),
        count(row.seeds).into(),
        count(row.found).into(),
        first.unwrap_or_else(|| "not within the budget".to_owned()).into(),
        share.unwrap_or_else(|| "no sample".to_owned()).into(),
    ]
}

fn holds(row: &HoldsRow) -> Vec<Text> {
    let (result, how) = match row.proof {
        Proof::Exhausted { schedules } => {
            (Text::new().strong("proved"), format!("all schedules covered, in {}", of(schedules, "run")))
        }
        Proof::NotRefuted { schedules, traces, unseen, upper } => {
            let how = format!(
                "none of {} failed: at most {} do, at 95 % confidence; {}, and the next is a new one with a \
                 chance of about {}",
                of(schedules, "schedule"),
                percent(upper),
                of(traces, "distinct trace"),
                percent(unseen)
            );
            ("not refuted".into(), how)
        }
    };
    vec![Text::new().code(&row.variant), Text::new().code(&row.class), result, how.into()]
}

fn table(header: &[&str], right: &[usize], rows: impl Iterator<Item = Vec<Text>>) -> Table {
    let header = header.iter().map(|h| (*h).into()).collect();
    Table { header, right: right.to_vec(), rows: rows.map(Row::Cells).collect() }
}

fn heading(level: u8, text: &str) -> Block {
    Block::Heading(level, text.into())
}
