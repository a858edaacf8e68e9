//! Documents as Markdown that any forge shows well (CommonMark and GitHub's tables).

mod escape;

use crate::document::{Block, Row, Span, Table, Text};
use crate::schedule::{Layout, Schedule};
use escape::Place;

/// Prints a document.
pub fn render(blocks: &[Block]) -> String {
    let parts: Vec<_> = blocks.iter().map(render_block).collect();
    parts.join("\n")
}

fn render_block(block: &Block) -> String {
    match block {
        Block::Heading(level, text) => {
            format!("{} {}\n", "#".repeat(usize::from(*level)), inline(text, Place::Inside))
        }
        Block::Paragraph(text) => inline(text, Place::Start) + "\n",
        Block::List(items) => items.iter().map(|i| format!("- {}\n", inline(i, Place::Start))).collect(),
        Block::Table(table) => render_table(table),
        Block::Schedule(schedule) => render_schedule(schedule),
        Block::Code(code) => fenced(code),
        Block::Picture { shows, file } => {
            format!("![{}]({})\n", escape::plain(shows, Place::Inside), escape::url(file))
        }
    }
}

/// Prints a schedule with a column for every task.
pub fn render_schedule(schedule: &Schedule) -> String {
    render_table(&schedule.table(Layout::Columns))
}

/// Prints a table.
pub fn render_table(table: &Table) -> String {
    let mut out = row(&table.header);
    let rule = |column| if table.right.contains(&column) { " ---: |" } else { " --- |" };
    out += &format!("|{}\n", (0..table.header.len()).map(rule).collect::<String>());
    for line in &table.rows {
        out += &match line {
            Row::Cells(cells) => row(cells),
            Row::Note { column, text } => {
                let mut cells = vec![Text::new(); table.header.len()];
                cells[*column] = text.clone();
                row(&cells)
            }
        };
    }
    out
}

fn row(cells: &[Text]) -> String {
    let cells = cells.iter().map(|cell| match inline(cell, Place::Cell).as_str() {
        "" => " |".to_owned(),
        text => format!(" {text} |"),
    });
    format!("|{}\n", cells.collect::<String>())
}

fn inline(text: &Text, place: Place) -> String {
    let mut out = String::new();
    for span in &text.0 {
        let place = if place == Place::Start && !out.is_empty() { Place::Inside } else { place };
        out += &match span {
            Span::Plain(words) => escape::plain(words, place),
            Span::Code(code) => escape::code(code, place),
            Span::Strong(words) => strong(words, place),
            Span::Link { text, url } => {
                format!("[{}]({})", escape::plain(text, place), escape::url(url))
            }
        };
    }
    out.trim().to_owned()
}

/// Stars must touch the words, or they are stars.
fn strong(words: &str, place: Place) -> String {
    match words.trim() {
        "" => String::new(),
        words => format!("**{}**", escape::plain(words, place).trim()),
    }
}

fn fenced(code: &str) -> String {
    let fence = "`".repeat(escape::longest_run(code, '`').max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", code.trim_end_matches('\n'))
}
