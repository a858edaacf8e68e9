//! Documents for a terminal.

mod table;

use crate::document::{Block, Span, Table, Text};
use crate::schedule::{Layout, Schedule};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Below this many columns a task's operations no longer read well side by side.
const NARROWEST: usize = 14;
/// Below this many, operations in a column of their own do not.
const OPERATION: usize = 24;

/// What a stretch of text is, for terminals that can show it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Nothing in particular.
    Plain,
    /// A heading.
    Heading,
    /// A remark between the steps of a schedule.
    Remark,
    /// The failure itself.
    Failure,
    /// What a task does, by the place of its column.
    Task(usize),
}

/// Gives a stretch of text, which has no line break, the look of an ink. It must take as many columns as before.
pub type Paint<'p> = &'p dyn Fn(Ink, &str) -> String;

/// Prints a document in lines of at most `width` columns; what must stay exact may be longer.
pub fn render(blocks: &[Block], width: usize) -> String {
    painted(blocks, width, &|_, text| text.to_owned())
}

/// The same in colour, or however else `paint` tells inks apart.
pub fn painted(blocks: &[Block], width: usize, paint: Paint<'_>) -> String {
    let width = width.max(20);
    let printed = blocks.iter().filter(|block| !matches!(block, Block::Picture { .. }));
    let parts: Vec<_> = printed.map(|block| render_block(block, width, paint)).collect();
    parts.join("\n")
}

fn render_block(block: &Block, width: usize, paint: Paint<'_>) -> String {
    match block {
        Block::Heading(level, text) => heading(*level, text, width, paint),
        Block::Paragraph(text) => lines(wrap(&running(text), width)),
        Block::List(items) => items.iter().map(|item| list_item(item, width)).collect(),
        Block::Table(table) => render_table(table, width),
        Block::Schedule(schedule) => paint_schedule(schedule, width, paint),
        Block::Code(code) => lines(code.lines().map(|line| format!("    {line}"))),
        Block::Picture { .. } => String::new(),
    }
}

/// Prints a schedule, with a column for every task if there is room for them.
pub fn render_schedule(schedule: &Schedule, width: usize) -> String {
    paint_schedule(schedule, width, &|_, text| text.to_owned())
}

fn paint_schedule(schedule: &Schedule, width: usize, paint: Paint<'_>) -> String {
    let columns = schedule.table(Layout::Columns);
    let fits = table::narrowest(&columns, width, 2..columns.header.len() - 1) >= NARROWEST;
    let (layout, table) = match fits {
        true => (Layout::Columns, columns),
        false => narrow(schedule, width),
    };
    let ink = |row, column, text: &str| paint(schedule.ink(row, column, layout), text);
    table::painted(&table, width, &ink)
}

/// The layout for a schedule whose tasks have no room side by side.
fn narrow(schedule: &Schedule, width: usize) -> (Layout, Table) {
    let lanes = schedule.table(Layout::Lanes);
    let operation = lanes.header.len() - 2;
    let read = schedule.tasks() < OPERATION
        && table::narrowest(&lanes, width, operation..operation + 1) >= OPERATION;
    match read {
        true => (Layout::Lanes, lanes),
        false => (Layout::List, schedule.table(Layout::List)),
    }
}

/// Prints a table.
pub fn render_table(table: &Table, width: usize) -> String {
    table::painted(table, width, &|_, _, text| text.to_owned())
}

fn heading(level: u8, text: &Text, width: usize, paint: Paint<'_>) -> String {
    let text = wrap(&text.to_string(), width);
    let longest = text.iter().map(|line| line.width()).max().unwrap_or(0);
    let under = match level {
        1 => "=",
        2 => "-",
        3 => "~",
        _ => return lines(text),
    };
    lines(text.iter().map(|line| paint(Ink::Heading, line))) + &lines([under.repeat(longest)])
}

fn list_item(item: &Text, width: usize) -> String {
    let wrapped = wrap(&running(item), width - 2);
    lines(wrapped.into_iter().enumerate().map(|(at, line)| match at {
        0 => format!("- {line}"),
        _ => format!("  {line}"),
    }))
}

/// Words in a row, where it must be told apart which of them are a program's.
fn running(text: &Text) -> String {
    let quoted = text.0.iter().map(|span| match span {
        Span::Code(code) => Span::Plain(format!("`{code}`")),
        other => other.clone(),
    });
    Text(quoted.collect()).to_string()
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Breaks words into lines of at most `width` columns, and a word only if it is longer than a line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut wrapped = vec![String::new()];
    for mut word in text.split_whitespace() {
        let mut line = wrapped.last_mut().expect("there is always a line");
        if !line.is_empty() {
            if line.width() + 1 + word.width() <= width {
                line.push(' ');
            } else {
                wrapped.push(String::new());
                line = wrapped.last_mut().expect("there is always a line");
            }
        }
        while word.width() > width && fitting(word, width) < word.len() {
            let (head, tail) = word.split_at(fitting(word, width));
            line.push_str(head);
            wrapped.push(String::new());
            line = wrapped.last_mut().expect("there is always a line");
            word = tail;
        }
        line.push_str(word);
    }
    wrapped
}

/// How many bytes of a word fit into `width` columns: at least a character, best up to a joint.
fn fitting(word: &str, width: usize) -> usize {
    let mut used = 0;
    let mut end = 0;
    let mut joint = None;
    for (at, c) in word.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width && at > 0 {
            break;
        }
        end = at + c.len_utf8();
        if matches!(c, '.' | '/' | ':' | '_' | ',') {
            joint = Some(end);
        }
    }
    joint.filter(|joint| *joint * 2 > end).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, width: usize, expected: &[&str]) {
        assert_eq!(wrap(text, width), expected);
        assert!(wrap(text, width).iter().all(|line| line.width() <= width.max(2)));
    }

    #[test]
    fn words_wrap_by_the_columns_they_take() {
        check("", 8, &[""]);
        check("to be or not", 5, &["to be", "or", "not"]);
        check("a longwordindeed b", 6, &["a", "longwo", "rdinde", "ed b"]);
        check("sync.Mutex.Lock", 12, &["sync.Mutex.", "Lock"]);
        check("数据 竞争 x", 5, &["数据", "竞争", "x"]);
        check("数据竞争", 1, &["数", "据", "竞", "争"]);
        check("e\u{301}e\u{301} o", 2, &["e\u{301}e\u{301}", "o"]);
    }
}
