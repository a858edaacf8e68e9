//! What leads to all reports.

use crate::cause::Cause;
use crate::document::{Block, Row, Table, Text};
use crate::model::{BugReport, Proof};
use crate::numbers::of;
use crate::{markdown, page};
use bohr_kernel::scenario::Role;
use maud::{Markup, html};

/// The index as a page and as Markdown, each with its file's name.
pub fn files(bugs: &[BugReport]) -> [(&'static str, String); 2] {
    [("index.html", html(bugs)), ("index.md", markdown(bugs))]
}

const INTRO: &str = "Races that were reported from production systems. Each fails here the same way every time, and each fix is \
                     proved or tried on all of its workloads.";

fn html(bugs: &[BugReport]) -> String {
    let body = html! {
        a.skip href="#main" { "Skip to the bugs" }
        main.index id="main" {
            header.hero {
                p.eyebrow { "Bohr" }
                h1 { "Heisenbugs turned into Bohrbugs" }
                p.headline-text { (INTRO) }
            }
            ul.bugs { @for bug in bugs { li { (card(bug)) } } }
        }
        footer { p { "Written by " code { "bohr report" } "." } }
    };
    page::whole("Bohr: the reports", body)
}

fn card(bug: &BugReport) -> Markup {
    let name = &bug.info.name;
    html! {
        article.bug {
            p.eyebrow { (bug.info.system) " \u{00b7} " code { (name) } }
            h2 { a href={ (name) "/report.html" } { (page::prose(&bug.info.title)) } }
            @if let Some(case) = bug.cases.first() {
                p.headline { code { (case.finding.headline()) } }
                p { (page::text(&Cause::of(case).sentence)) }
            }
            p.holds-line { span aria-hidden="true" { "\u{2713} " } (fixed(bug)) "; " (wrong(bug)) }
        }
    }
}

fn markdown(bugs: &[BugReport]) -> String {
    let header = ["bug", "what happens", "the fix", "read"].map(Text::from).to_vec();
    let rows = bugs.iter().map(|bug| {
        let name = &bug.info.name;
        let headline = bug.cases.first().map(|case| case.finding.headline()).unwrap_or_default();
        let read = Text::new()
            .link("report", format!("{name}/report.md"))
            .plain(", ")
            .link("page", format!("{name}/report.html"))
            .plain(", ")
            .link("JSON", format!("{name}/report.json"));
        let title = Text::new().code(name).plain(": ").text(Text::prose(&bug.info.title));
        Row::Cells(vec![title, Text::new().code(headline), fixed(bug).into(), read])
    });
    let table = Table { header, right: Vec::new(), rows: rows.collect() };
    markdown::render(&[
        Block::Heading(1, "The reports".into()),
        Block::Paragraph(INTRO.into()),
        Block::Table(table),
        Block::Paragraph(
            Text::new()
                .plain("The pages need no network: open them in a browser from a checkout, beginning with ")
                .code("index.html")
                .plain("."),
        ),
    ])
}

/// What is known of the fix.
fn fixed(bug: &BugReport) -> String {
    let is_fixed = |name: &str| bug.variants.iter().any(|v| v.name == name && v.role == Role::Fixed);
    let known: Vec<_> = bug.holds.iter().filter(|h| is_fixed(&h.variant)).collect();
    let proofs = known.iter().filter_map(|h| match h.proof {
        Proof::Exhausted { schedules } => Some(schedules),
        Proof::NotRefuted { .. } => None,
    });
    let proofs: Vec<_> = proofs.collect();
    let workloads = of(proofs.len() as u64, "workload");
    let text = format!("the fix is proved on {workloads}, in {}", of(proofs.iter().sum(), "run"));
    match known.len() - proofs.len() {
        0 => text,
        more => format!("{text}, and not refuted on {more} more"),
    }
}

/// How the wrong fixes fare.
fn wrong(bug: &BugReport) -> String {
    let wrong = || bug.variants.iter().filter(|v| v.role == Role::Mutant);
    let caught = wrong().filter(|v| !v.violated.is_empty()).count();
    format!("{caught} of {} wrong fixes are caught", wrong().count())
}
