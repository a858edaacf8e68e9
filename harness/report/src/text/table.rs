//! Tables in a given width.

use super::wrap;
use crate::document::{Row, Table, Text};
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: &str = " │ ";
/// Columns are not made narrower than this to fit.
const NARROWEST: usize = 5;

/// Gives a part of a cell its look, by row (none is the header) and column. A note is in column 0.
type Paint<'p> = &'p dyn Fn(Option<usize>, usize, &str) -> String;

pub(super) fn painted(table: &Table, width: usize, paint: Paint<'_>) -> String {
    let widths = widths(table, width);
    let mut out = cells(table, &table.header, &widths, &|column, text| paint(None, column, text));
    let rule: Vec<_> = widths.iter().map(|w| "─".repeat(*w)).collect();
    out += &rule.join("─┼─");
    out.push('\n');
    for (at, row) in table.rows.iter().enumerate() {
        let paint = |column: usize, text: &str| paint(Some(at), column, text);
        out += &match row {
            Row::Cells(row) => cells(table, row, &widths, &paint),
            Row::Note { text, .. } => note(text, &widths, width, &|text| paint(0, text)),
        };
    }
    out
}

/// The width that the narrowest of some columns gets.
pub(super) fn narrowest(table: &Table, width: usize, columns: Range<usize>) -> usize {
    let natural = natural(table);
    let widths = widths(table, width);
    // A column that has all the room it wants is not narrow.
    let got = columns.filter(|c| widths[*c] < natural[*c]).map(|c| widths[c]);
    got.min().unwrap_or(usize::MAX)
}

/// Every column as wide as its widest cell, and then the widest made narrower until all fit.
fn widths(table: &Table, width: usize) -> Vec<usize> {
    let mut widths = natural(table);
    let gaps = GAP.width() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let Some(widest) = widths.iter_mut().max() else { break };
        if *widest <= NARROWEST {
            break;
        }
        *widest -= 1;
    }
    widths
}

fn natural(table: &Table) -> Vec<usize> {
    let mut widths: Vec<_> = table.header.iter().map(|cell| cell.to_string().width()).collect();
    for row in &table.rows {
        let Row::Cells(cells) = row else { continue };
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.to_string().width());
        }
    }
    widths
}

fn cells(table: &Table, cells: &[Text], widths: &[usize], paint: &dyn Fn(usize, &str) -> String) -> String {
    let wrapped: Vec<_> = cells.iter().zip(widths).map(|(cell, w)| wrap(&cell.to_string(), *w)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        let parts = wrapped.iter().zip(widths).enumerate().map(|(column, (lines, width))| {
            let text = lines.get(at).map_or("", String::as_str);
            let space = " ".repeat(width.saturating_sub(text.width()));
            let painted = if text.is_empty() { String::new() } else { paint(column, text) };
            if table.right.contains(&column) { space + &painted } else { painted + &space }
        });
        parts.collect::<Vec<_>>().join(GAP).trim_end().to_owned() + "\n"
    };
    (0..height).map(line).collect()
}

/// A remark runs across all columns.
fn note(text: &Text, widths: &[usize], width: usize, paint: &dyn Fn(&str) -> String) -> String {
    let lead = "── ";
    let gaps = GAP.width() * widths.len().saturating_sub(1);
    let all = (widths.iter().sum::<usize>() + gaps).min(width);
    let mut out = String::new();
    for (at, line) in wrap(&text.to_string(), width - lead.width()).into_iter().enumerate() {
        let left = all.saturating_sub(lead.width() + line.width() + 1);
        let line = paint(&line);
        out += &match at {
            0 => format!("{lead}{line} {}", "─".repeat(left)).trim_end().to_owned() + "\n",
            _ => format!("   {line}\n"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(table: &Table, width: usize) -> String {
        painted(table, width, &|_, _, text| text.to_owned())
    }

    #[test]
    fn a_table_keeps_to_its_width() {
        let row = |a: &str, b: &str| Row::Cells(vec![a.into(), b.into()]);
        let note = Row::Note { column: 1, text: "here it stops before the next operation".into() };
        let table = Table {
            header: vec!["n".into(), "what".into()],
            right: vec![0],
            rows: vec![row("1", "数据竞争 on the map"), note, row("12", "a | b")],
        };
        for width in 16..60 {
            let text = render(&table, width);
            assert!(text.lines().all(|line| line.width() <= width), "{width}:\n{text}");
        }
        insta::assert_snapshot!(render(&table, 24), @"
         n │ what
        ───┼────────────────────
         1 │ 数据竞争 on the map
        ── here it stops before
           the next operation
        12 │ a | b
        ");
    }
}
