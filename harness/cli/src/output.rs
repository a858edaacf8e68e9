//! What the user sees: text or JSON on standard output, errors on standard error.

use bohr_report::text::Ink;
use console::{Style, Term, measure_text_width};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, StdoutLock, Write};

/// The version of the JSON that the commands print.
pub const JSON_VERSION: u32 = 1;

/// Standard output.
pub struct Output {
    /// Whether JSON was asked for.
    pub json: bool,
    out: StdoutLock<'static>,
}

/// A cell of a table: how it looks and what it says.
pub type Cell = (Look, String);

/// How a stretch of text looks on a terminal. Elsewhere, or if `NO_COLOR` is set, all look plain
/// (<https://no-color.org>; the crate `console` sees to it).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// Less important.
    Dim,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

impl Look {
    fn paint(self, text: &str) -> String {
        let style = match self {
            Look::Plain => Style::new(),
            Look::Strong => Style::new().bold(),
            Look::Dim => Style::new().dim(),
            Look::Good => Style::new().green(),
            Look::Bad => Style::new().red().bold(),
        };
        style.apply_to(text).to_string()
    }
}

impl Output {
    /// Takes standard output.
    pub fn new(json: bool) -> Self {
        Output { json, out: io::stdout().lock() }
    }

    /// The number of characters that fit in a line.
    pub fn width(&self) -> usize {
        const ELSEWHERE: usize = 110;
        Term::stdout().size_checked().map_or(ELSEWHERE, |(_, columns)| columns.into())
    }

    /// Prints a line.
    pub fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Prints a line in one look.
    pub fn styled(&mut self, look: Look, text: &str) -> io::Result<()> {
        self.line(look.paint(text))
    }

    /// Prints rows with their columns under one another.
    pub fn table(&mut self, rows: &[Vec<Cell>]) -> io::Result<()> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            let cells = rows.iter().filter_map(|row| row.get(c));
            cells.map(|(_, text): &Cell| measure_text_width(text)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            let mut line = String::new();
            for (column, (look, text)) in row.iter().enumerate() {
                line.push_str("  ");
                line.push_str(&look.paint(text));
                if column + 1 < row.len() {
                    line.push_str(&" ".repeat(widths[column] - measure_text_width(text)));
                }
            }
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Prints JSON, with the version of its format and the command first.
    pub fn json(&mut self, command: &'static str, body: impl Serialize) -> io::Result<()> {
        #[derive(Serialize)]
        struct Versioned<T> {
            version: u32,
            command: &'static str,
            #[serde(flatten)]
            body: T,
        }
        let all = Versioned { version: JSON_VERSION, command, body };
        serde_json::to_writer_pretty(&mut self.out, &all)?;
        self.line("")
    }
}

/// How a part of a report looks. Each task has a look of its own, as far as there are enough that can be told apart.
pub fn paint(ink: Ink, text: &str) -> String {
    let style = match ink {
        Ink::Plain => Style::new(),
        Ink::Heading => Style::new().bold(),
        Ink::Remark => Style::new().dim(),
        Ink::Failure => Style::new().red().bold(),
        Ink::Task(task) => of_task(task),
    };
    style.apply_to(text).to_string()
}

/// Red is for failures.
fn of_task(task: usize) -> Style {
    let colours = [Style::cyan, Style::yellow, Style::green, Style::magenta, Style::blue];
    let style = colours[task % colours.len()](Style::new());
    match task / colours.len() % 4 {
        0 => style,
        1 => style.bright(),
        2 => style.underlined(),
        _ => style.bright().underlined(),
    }
}

/// A row of headings.
pub fn header(titles: &[&str]) -> Vec<Cell> {
    titles.iter().map(|t| (Look::Dim, (*t).to_owned())).collect()
}

/// A cell that looks plain.
pub fn cell(text: impl Into<String>) -> Cell {
    (Look::Plain, text.into())
}

/// Tells the user about an error.
pub fn error(text: &str) {
    let kind = Style::new().for_stderr().red().bold().apply_to("error:");
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr().lock(), "{kind} {text}");
}
