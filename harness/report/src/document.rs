//! A report before it has a format: what [`text`](crate::text) and [`markdown`](crate::markdown)
//! have in common.

use crate::schedule::Schedule;
use std::fmt;

/// A part of a report that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading; 1 is the title.
    Heading(u8, Text),
    /// A paragraph.
    Paragraph(Text),
    /// A list.
    List(Vec<Text>),
    /// A table.
    Table(Table),
    /// A schedule; how it is laid out depends on the room there is.
    Schedule(Schedule),
    /// Lines to be shown exactly as they are.
    Code(String),
    /// A picture that stands in a file beside the report.
    Picture {
        /// What it shows.
        shows: String,
        /// The file.
        file: String,
    },
}

/// Running text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Span>);

/// A stretch of running text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Words.
    Plain(String),
    /// Something out of a program: a name, an operation, a source line.
    Code(String),
    /// Words that catch the eye.
    Strong(String),
    /// Words that lead somewhere.
    Link {
        /// The words.
        text: String,
        /// The address.
        url: String,
    },
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns' headings.
    pub header: Vec<Text>,
    /// Columns whose cells stand at their right edge: numbers.
    pub right: Vec<usize>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A cell for every column.
    Cells(Vec<Text>),
    /// A remark between the rows, which belongs to a column.
    Note {
        /// The column.
        column: usize,
        /// The remark.
        text: Text,
    },
}

impl Text {
    /// Nothing yet.
    pub fn new() -> Self {
        Text::default()
    }

    /// Prose in which backticks, in pairs, set off what is out of a program.
    pub fn prose(words: &str) -> Self {
        let parts: Vec<_> = words.split('`').collect();
        if parts.len() % 2 == 0 {
            return words.into();
        }
        let span = |(at, part): (usize, &&str)| match at % 2 {
            0 => Span::Plain((*part).to_owned()),
            _ => Span::Code((*part).to_owned()),
        };
        Text(parts.iter().enumerate().filter(|(_, part)| !part.is_empty()).map(span).collect())
    }

    /// Adds words.
    pub fn plain(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Plain(words.into()));
        self
    }

    /// Adds something out of a program.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.0.push(Span::Code(code.into()));
        self
    }

    /// Adds words that catch the eye.
    pub fn strong(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Strong(words.into()));
        self
    }

    /// Adds words that lead somewhere.
    pub fn link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        self.0.push(Span::Link { text: text.into(), url: url.into() });
        self
    }

    /// Adds another text.
    pub fn text(mut self, other: Text) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Text::new().plain(words)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Text::new().plain(words)
    }
}

/// The words alone.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|span| match span {
            Span::Plain(words) | Span::Code(words) | Span::Strong(words) => f.write_str(words),
            Span::Link { text, url } => write!(f, "{text} <{url}>"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_quotes_in_pairs() {
        assert_eq!(Text::prose("a `b` c"), Text::new().plain("a ").code("b").plain(" c"));
        assert_eq!(Text::prose("`b`"), Text::new().code("b"));
        assert_eq!(Text::prose("it`s"), Text::new().plain("it`s"));
    }
}
