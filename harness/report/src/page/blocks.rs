//! Documents as HTML.

use crate::document::{Row, Span, Table, Text};
use maud::{Markup, html};

/// Running text.
pub(super) fn text(text: &Text) -> Markup {
    html! {
        @for span in &text.0 {
            @match span {
                Span::Plain(words) => (words),
                Span::Code(code) => code { (code) },
                Span::Strong(words) => strong { (words) },
                Span::Link { text, url } => a href=(url) { (text) },
            }
        }
    }
}

/// A table in a frame of its own, which scrolls if it is too wide, by keyboard too.
pub(super) fn table(table: &Table, caption: &str) -> Markup {
    let class = |column: &usize| table.right.contains(column).then_some("number");
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption.hidden { (caption) }
                thead {
                    tr {
                        @for (column, cell) in table.header.iter().enumerate() {
                            // A column of marks has no heading, and a heading must say something.
                            @if cell.0.is_empty() { td {} } @else {
                                th scope="col" class=[class(&column)] { (text(cell)) }
                            }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        @match row {
                            Row::Cells(cells) => tr {
                                @for (column, cell) in cells.iter().enumerate() {
                                    td class=[class(&column)] { (text(cell)) }
                                }
                            },
                            Row::Note { column, text: note } => tr.note {
                                @for at in 0..table.header.len() {
                                    td { @if at == *column { (text(note)) } }
                                }
                            },
                        }
                    }
                }
            }
        }
    }
}

/// What is folded away until somebody wants it.
pub(super) fn details(summary: &str, content: Markup) -> Markup {
    html! {
        details {
            summary { (summary) }
            (content)
        }
    }
}

/// A command that can be copied.
pub(super) fn command(command: &str) -> Markup {
    html! {
        div.command {
            pre tabindex="0" aria-label="Command" { code { (command) } }
            button.copy type="button" hidden data-copy=(command) { "Copy" }
        }
    }
}
