//! A report as a page: one file, which needs no network and which says all without its script.

mod blocks;
mod diff;
mod plots;

use crate::cause::Cause;
use crate::document::Text;
use crate::json::{FailingCase, Report};
use crate::model::{BugReport, Case};
use crate::numbers::{count, of};
use crate::schedule::{Folding, Layout, Schedule};
use crate::{go_format, picture, report};
use bohr_kernel::scenario::Role;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What stands before a page's data, which are those of `report.json`.
pub const DATA_START: &str = r#"<script type="application/json" id="data">"#;

/// So many of the other failing schedules have a picture; a page must stay small, and all can be stepped through.
const PICTURES: usize = 4;

const CSS: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");

/// The page of a bug. `data` are the bug's report for programs.
pub fn html(bug: &BugReport, data: &Report) -> String {
    let title = format!("{}: {}", bug.info.name, bug.info.title);
    let sections = [
        ("short", "In short"),
        ("schedule", "The schedule"),
        ("steps", "Step through it"),
        ("fix", "The fix"),
        ("sure", "How sure"),
        ("forms", "All forms"),
        ("more", "Other failures"),
    ];
    let sections: Vec<_> =
        sections.into_iter().filter(|(id, _)| *id != "more" || bug.cases.len() > 1).collect();
    let body = html! {
        a.skip href="#main" { "Skip to the report" }
        (top(&sections))
        main id="main" {
            (hero(bug, data))
            (short(bug))
            @if let (Some(case), Some(json)) = (bug.cases.first(), data.cases.first()) {
                (schedule(case, json))
                (steps())
            }
            (fix(bug))
            (sure(bug, data))
            (forms(bug, data))
            @if bug.cases.len() > 1 { (more(bug, data)) }
        }
        footer {
            p { "Written by " code { "bohr report" } ". The same schedule, step by step, on any machine: no clock, no chance." }
        }
        (PreEscaped(DATA_START)) (PreEscaped(embedded(data))) (PreEscaped("</script>"))
        script { (PreEscaped(SCRIPT)) }
    };
    whole(&title, body)
}

/// A page around its body.
pub(crate) fn whole(title: &str, body: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // An empty icon, so that a browser asks for none.
                link rel="icon" href="data:,";
                style { (PreEscaped(picture::CSS)) (PreEscaped(CSS)) }
            }
            body { (body) }
        }
    };
    page.into_string() + "\n"
}

/// Data inside of a script element: nothing in it may end that.
fn embedded(data: &Report) -> String {
    serde_json::to_string(data).expect("all keys are strings").replace('<', "\\u003c")
}

fn top(sections: &[(&str, &str)]) -> Markup {
    html! {
        header.top {
            nav aria-label="This report" {
                a.home href="../index.html" { span aria-hidden="true" { "\u{2190} " } "All bugs" }
                ul { @for (id, name) in sections { li { a href={ "#" (id) } { (name) } } } }
            }
            button.theme type="button" hidden { "Theme" }
        }
    }
}

fn hero(bug: &BugReport, data: &Report) -> Markup {
    let verdict = |role: Role| bug.variants.iter().find(|v| v.role == role);
    html! {
        header.hero {
            p.eyebrow { (bug.info.system) " \u{00b7} " code { (bug.info.name) } }
            h1 { (prose(&bug.info.title)) }
            @if let Some(case) = data.cases.first() { p.headline { code { (case.headline) } } }
            ul.badges {
                @for variant in [Role::Buggy, Role::Fixed].into_iter().filter_map(verdict) {
                    @let bad = variant.verdict.starts_with("fails");
                    li class=(if bad { "bad" } else { "good" }) {
                        span aria-hidden="true" { (if bad { "\u{2715} " } else { "\u{2713} " }) }
                        code { (variant.name) } " " (variant.verdict)
                    }
                }
                @if let (Some(case), Some(run)) = (data.cases.first(), data.cases.first().and_then(|c| c.runs.first())) {
                    li { (of(run.steps.len() as u64, "step")) }
                    li { (of(u64::from(case.preemptions), "preemption")) @if case.fewest_proved { ", proved fewest" } }
                }
            }
        }
    }
}

fn short(bug: &BugReport) -> Markup {
    let proofs: Vec<u64> = bug
        .holds
        .iter()
        .filter(|h| bug.variants.iter().any(|v| v.name == h.variant && v.role == Role::Fixed))
        .filter_map(|h| match h.proof {
            crate::model::Proof::Exhausted { schedules } => Some(schedules),
            crate::model::Proof::NotRefuted { .. } => None,
        })
        .collect();
    html! {
        section aria-labelledby="short" {
            h2 id="short" { "In short" }
            div.cards {
                div.card { h3 { "What users saw" } p { (prose(&bug.info.symptom)) } }
                div.card { h3 { "Why" } p { (prose(&bug.info.cause)) } }
                @if let Some(case) = bug.cases.first() {
                    div.card.decides { h3 { "What decides" } p { (blocks::text(&Cause::of(case).sentence)) } }
                }
                div.card.holds {
                    h3 { "The fix" }
                    p { (prose(&bug.info.fix)) }
                    @if !proofs.is_empty() {
                        p { strong { "Proved" } " on " (of(proofs.len() as u64, "workload")) ": all schedules are covered, in "
                            (of(proofs.iter().sum(), "run")) ", and none fails." }
                    }
                }
            }
            @if !bug.info.references.is_empty() {
                p.references {
                    "Upstream: "
                    @for (at, it) in bug.info.references.iter().enumerate() {
                        @if at > 0 { "; " } (it.what) " " a href=(it.url) { (it.name) }
                    }
                }
            }
        }
    }
}

fn schedule(case: &Case, json: &FailingCase) -> Markup {
    html! {
        section aria-labelledby="schedule" {
            h2 id="schedule" { "The schedule that fails" }
            p { (blocks::text(&report::outcome(case))) }
            (figure(json, "first"))
            (beneath(case, json))
            p.reproduce { "Do it again, on any machine:" }
            (blocks::command(&json.command))
        }
    }
}

fn figure(json: &FailingCase, id: &str) -> Markup {
    html! {
        figure {
            div.scroll.picture role="region" aria-label={ "Picture: " (picture::title(json)) } tabindex="0" {
                (picture::inline(json, id))
            }
            figcaption {
                "A lane for each task, time downwards. Red: the operations that decide."
            }
        }
    }
}

/// What belongs to a failing schedule besides its picture.
fn beneath(case: &Case, json: &FailingCase) -> Markup {
    let cause = Cause::of(case);
    let schedule = Schedule::of(case, &cause, Folding::default());
    html! {
        (blocks::details("The same as a table", html! {
            (blocks::table(&schedule.table(Layout::Columns), &format!("The schedule of {}", picture::title(json))))
            @if let Some(legend) = schedule.legend() { p { (blocks::text(&legend)) } }
            @if let Some(items) = report::whereabouts(case) {
                ul { @for item in &items { li { (blocks::text(item)) } } }
            }
        }))
        @if let Some(go) = go_format::render(case) {
            (blocks::details("As Go prints it", html! { pre.go tabindex="0" { code { (go) } } }))
        }
    }
}

fn steps() -> Markup {
    html! {
        section aria-labelledby="steps" {
            h2 id="steps" { "Step through it" }
            p.intro {
                "Every step of the failing schedule, of the nearest one that passes, and of the fixed form under the same \
                 turns: what each task waits for, what each object holds, and the source line. Keys: "
                kbd { "\u{2190}" } " " kbd { "\u{2192}" } " step, " kbd { "Home" } " " kbd { "End" } " go to the ends."
            }
            div id="explorer" {}
            noscript { p { "This part needs JavaScript. The table above holds the same schedule." } }
        }
    }
}

fn fix(bug: &BugReport) -> Markup {
    let file = |name: &str| bug.sources.iter().find(|s| s.file == name);
    let forms = bug.forms.as_ref().and_then(|forms| Some((file(&forms.buggy)?, file(&forms.fixed)?)));
    html! {
        section aria-labelledby="fix" {
            h2 id="fix" { "The fix" }
            p { (prose(&bug.info.fix)) }
            @if let Some((buggy, fixed)) = forms {
                p.files { code.gone { (buggy.file) } " \u{2192} " code.new { (fixed.file) } }
                (diff::patch((&buggy.file, &buggy.text), (&fixed.file, &fixed.text)))
            }
        }
    }
}

fn sure(bug: &BugReport, data: &Report) -> Markup {
    let looked_for = data.drivers.first().and_then(|d| Some(d.name.split_once('(')?.1.trim_end_matches(')')));
    let total: u64 = data.holds.iter().filter(|h| h.proved).map(|h| h.schedules).sum();
    html! {
        section aria-labelledby="sure" {
            h2 id="sure" { "How sure is that?" }
            @if !data.holds.is_empty() {
                h3 { "The forms that hold" }
                p {
                    "The number of runs that cover all schedules of a workload: what leads to the same state, or differs only in "
                    "the order of operations that commute, is run once. " (count(total)) " in all. "
                    @if data.holds.iter().any(|h| !h.proved) { "Outlined: too many to cover; so many were drawn, and none failed." }
                }
                (plots::proofs(&data.holds))
                (blocks::details("These numbers as a table", blocks::table(&report::holds_table(bug), "How it is known that forms hold")))
            }
            @if !data.drivers.is_empty() {
                h3 { "How hard the bug is to find" }
                @if let Some(looked_for) = looked_for { p { "Looked for: " (looked_for) ", by each driver from " (of(data.drivers[0].seeds, "seed")) "." } }
                div.plots {
                    div { h4 { "Schedules until the first failure" } (plots::first_failures(&data.drivers)) p.key { "A dot for each seed, a line at the median." } }
                    div { h4 { "Share of schedules that fail" } (plots::failing_shares(&data.drivers)) p.key { "With 95 % intervals (Wilson)." } }
                }
                (blocks::details("These numbers as a table", blocks::table(&report::drivers_table(bug), "How hard the bug is to find")))
            }
        }
    }
}

fn forms(bug: &BugReport, data: &Report) -> Markup {
    html! {
        section aria-labelledby="forms" {
            h2 id="forms" { "Every form, and the oracle that catches it" }
            p { "Besides the bug and its fix: plausible wrong fixes, which must fail, and correct alternatives, which must hold." }
            (plots::matrix(data))
            h3 { "What was checked" }
            (blocks::table(&report::oracles_table(bug), "The oracles"))
        }
    }
}

fn more(bug: &BugReport, data: &Report) -> Markup {
    html! {
        section aria-labelledby="more" {
            h2 id="more" { "Other failing schedules" }
            @for (at, (case, json)) in bug.cases.iter().zip(&data.cases).enumerate().skip(1) {
                details.other {
                    summary { strong { (json.headline) } " " span { code { (case.variant) } " on " code { (case.workload) } } }
                    p { (blocks::text(&report::outcome(case))) }
                    @if at <= PICTURES { (figure(json, &format!("other{at}"))) }
                    p.cause { (blocks::text(&Cause::of(case).sentence)) }
                    (blocks::command(&json.command))
                    button.step-through type="button" hidden data-case=(at) { "Step through it" }
                }
            }
        }
    }
}

/// Prose with backticks.
pub(crate) fn prose(words: &str) -> Markup {
    blocks::text(&Text::prose(words))
}

/// Running text.
pub(crate) fn text(words: &Text) -> Markup {
    blocks::text(words)
}
