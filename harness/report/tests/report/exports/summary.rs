use super::campaign::campaign;
use crate::support::snapshot;
use bohr_report::export::summary::{self, LIMIT};
use bohr_report::export::{Campaign, Standing, Tested};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// For each row of each table, the text of its cells.
fn rows(markdown: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableRow | Tag::TableHead) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => rows.last_mut().unwrap().push(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                    *cell += &text;
                }
            }
            Event::End(TagEnd::Table) => rows.push(Vec::new()),
            _ => {}
        }
    }
    rows.retain(|row| !row.is_empty());
    rows
}

#[test]
fn a_reader_of_markdown_sees_a_row_for_each_verdict() {
    let campaign = campaign();
    let verdicts = &campaign.scenarios[0].verdicts;
    let rows = rows(&summary::render(&campaign));
    assert_eq!(rows.len(), 1 + verdicts.len());
    for (row, verdict) in rows[1..].iter().zip(verdicts) {
        assert_eq!(row.len(), 6, "{row:?}");
        assert_eq!([&row[0], &row[2]], [&verdict.variant, &verdict.workload]);
        assert_eq!(row[4].contains('❌'), matches!(verdict.standing, Standing::Surprise(_)));
    }
}

#[test]
fn surprises_come_before_the_tables_with_a_command() {
    let text = summary::render(&campaign());
    let table = text.find("| form").unwrap();
    for surprise in [
        "tiny/fixed/two",
        "bohr replay b1.tiny.fixed.two.token",
        "cannot be replayed",
        "bohr run tiny/wrong/two",
    ] {
        assert!(text.find(surprise).is_some_and(|at| at < table), "{surprise}\n{text}");
    }
}

#[test]
fn a_summary_is_never_longer_than_github_takes() {
    let Campaign { command, ended, scenarios } = campaign();
    let tested = &scenarios[0];
    let verdicts = tested.verdicts.iter().cycle().take(20_000).cloned().collect();
    let many = Tested { verdicts, ..tested.clone() };
    let text = summary::render(&Campaign { command, ended, scenarios: vec![many] });
    assert!(text.len() <= LIMIT && LIMIT < 1 << 20, "{}", text.len());
    assert!(text.len() > LIMIT / 2 && text.contains("The rest does not fit"), "{}", text.len());
}

#[test]
fn summary() {
    snapshot("campaign.summary", &summary::render(&campaign()));
}
