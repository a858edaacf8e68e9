//! The configuration file: a small subset of TOML, read as strictly as TOML is.
//!
//! Lines are `key = value`, `[table]`, `# comment` or blank; a value is a quoted string, an integer or an
//! array of strings. The editor (tomlq: tomlkit and jq) loses comments and blank lines, so an edited file
//! differs from a pristine one in every case.
//!
//! That reading agrees with a full TOML parser about what is valid is tested in `tests/document.rs`.

use std::fmt;

/// A parsed file: its tables in order, the one without a name first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Document {
    tables: Vec<Table>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Table {
    /// Empty for what comes before the first header.
    name: String,
    entries: Vec<(String, Value)>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A quoted string, without escapes.
    Text(String),
    /// An integer, as it is written.
    Number(String),
    /// An array of strings.
    List(Vec<String>),
}

/// What is wrong with a file. Printed as tomlkit does; [`ParseError::as_containerd`] gives go-toml's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParseError {
    wrong: Wrong,
    /// From 1.
    line: usize,
    /// From 0.
    column: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Wrong {
    Char(char),
    End,
    OpenHeader,
    EmptyKey,
    OpenString,
    TableAgain(String),
    KeyAgain(String),
}

/// The schema of a configuration, which decides the name of the runtimes' tables.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Schema {
    /// `version = 2`: tables `rt.`.
    Current,
    /// No version: tables `cri.`.
    Legacy,
}

impl Schema {
    /// What `grep -x 'version = 2'` finds. A file that is empty or absent has no such line, and that is no
    /// error.
    pub fn detect(bytes: &[u8]) -> Self {
        let current = bytes.split(|b| *b == b'\n').any(|line| line == b"version = 2");
        if current { Schema::Current } else { Schema::Legacy }
    }
}

impl Document {
    /// Parses a file. An empty one is valid.
    ///
    /// # Errors
    /// At the first line that is none of those above, or names a table or key again.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let text = String::from_utf8_lossy(bytes);
        let mut document = Document { tables: vec![Table::default()] };
        let count = text.split('\n').count();
        for (at, line) in text.split('\n').enumerate() {
            let last = at + 1 == count;
            let fail = |wrong, column| Err(ParseError { wrong, line: at + 1, column });
            if let Some(header) = line.strip_prefix('[') {
                let name: String = header.chars().take_while(|c| bare(*c) || *c == '.').collect();
                match header.chars().nth(name.len()) {
                    Some(']') if !name.split('.').any(str::is_empty) => {}
                    Some(other) => return fail(Wrong::Char(other), name.len() + 1),
                    None => return fail(Wrong::OpenHeader, name.len() + 1),
                }
                if let Some(extra) = header.chars().nth(name.len() + 1) {
                    return fail(Wrong::Char(extra), name.len() + 2);
                }
                if document.tables.iter().any(|t| t.name == name) {
                    return fail(Wrong::TableAgain(name), 0);
                }
                document.tables.push(Table { name, entries: Vec::new() });
                continue;
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = match entry(line, last) {
                Ok(entry) => entry,
                Err((wrong, column)) => return fail(wrong, column),
            };
            let table = document.tables.last_mut().expect("there is always one");
            if table.entries.iter().any(|(known, _)| *known == key) {
                return fail(Wrong::KeyAgain(key), 0);
            }
            table.entries.push((key, value));
        }
        Ok(document)
    }

    /// Writes it out, without comments and blank lines.
    pub fn serialise(&self) -> Vec<u8> {
        let mut text = String::new();
        for table in &self.tables {
            if !table.name.is_empty() {
                text += &format!("[{}]\n", table.name);
            }
            for (key, value) in &table.entries {
                text += &format!("{key} = {value}\n");
            }
        }
        text.into_bytes()
    }

    /// The value of a key; the table without a name is `""`.
    pub fn get(&self, table: &str, key: &str) -> Option<&Value> {
        let table = self.tables.iter().find(|t| t.name == table)?;
        table.entries.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// Sets a key. A new table goes behind the last `rt.` table, and to the front if there is none.
    pub fn set(&mut self, table: &str, key: &str, value: Value) {
        let at = self.tables.iter().position(|t| t.name == table).unwrap_or_else(|| {
            let behind = self.tables.iter().rposition(|t| t.name.starts_with("rt.")).unwrap_or(0);
            self.tables.insert(behind + 1, Table { name: table.to_owned(), entries: Vec::new() });
            behind + 1
        });
        let entries = &mut self.tables[at].entries;
        match entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, known)) => *known = value,
            None => entries.push((key.to_owned(), value)),
        }
    }

    /// The entries of a table.
    pub fn entries(&self, table: &str) -> Option<&[(String, Value)]> {
        self.tables.iter().find(|t| t.name == table).map(|t| t.entries.as_slice())
    }

    /// The names of the tables whose name begins so.
    pub fn tables_under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.tables.iter().map(|t| t.name.as_str()).filter(move |name| name.starts_with(prefix))
    }
}

fn bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// `key = value`.
fn entry(line: &str, last: bool) -> Result<(String, Value), (Wrong, usize)> {
    let end = if last { Wrong::End } else { Wrong::Char('\n') };
    let key: String = line.chars().take_while(|c| bare(*c)).collect();
    let rest = &line[key.len()..];
    let blank = rest.len() - rest.trim_start_matches(' ').len();
    let at = key.len() + blank;
    match line[at..].chars().next() {
        Some('=') if key.is_empty() => return Err((Wrong::EmptyKey, 0)),
        Some('=') => {}
        Some(other) => return Err((Wrong::Char(other), at)),
        None => return Err((end, at)),
    }
    let rest = &line[at + 1..];
    let text = rest.trim_start_matches(' ');
    let at = line.len() - text.len();
    let (value, rest) = value(text).map_err(|wrong| (wrong.unwrap_or(end), at))?;
    match rest.chars().next() {
        None => Ok((key, value)),
        Some(extra) => Err((Wrong::Char(extra), line.len() - rest.len())),
    }
}

/// A value at the start of the text, and what comes after it. The error is nothing if the text ends early.
fn value(text: &str) -> Result<(Value, &str), Option<Wrong>> {
    if text.starts_with('"') {
        let (string, rest) = quoted(text)?;
        return Ok((Value::Text(string.to_owned()), rest));
    }
    if let Some(mut rest) = text.strip_prefix('[') {
        let mut list = Vec::new();
        while !rest.starts_with(']') {
            if !list.is_empty() {
                rest = rest.strip_prefix(", ").ok_or_else(|| rest.chars().next().map(Wrong::Char))?;
            }
            let (string, after) = quoted(rest)?;
            list.push(string.to_owned());
            rest = after;
        }
        return Ok((Value::List(list), &rest[1..]));
    }
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    match text.chars().next() {
        Some(_) if digits > 0 && (digits == 1 || !text.starts_with('0')) => {
            Ok((Value::Number(text[..digits].to_owned()), &text[digits..]))
        }
        first => Err(first.map(Wrong::Char)),
    }
}

fn quoted(text: &str) -> Result<(&str, &str), Option<Wrong>> {
    let Some(inside) = text.strip_prefix('"') else { return Err(text.chars().next().map(Wrong::Char)) };
    inside.split_once('"').ok_or(Some(Wrong::OpenString))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::Number(number) => f.write_str(number),
            Value::List(list) => {
                let quoted: Vec<_> = list.iter().map(|s| format!("\"{s}\"")).collect();
                write!(f, "[{}]", quoted.join(", "))
            }
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { wrong, line, column } = self;
        let at = format!("at line {line} col {column}.");
        match wrong {
            Wrong::Char('\n') => write!(f, "UnexpectedCharError: Unexpected character: '\\n' {at}"),
            Wrong::Char(c) => write!(f, "UnexpectedCharError: Unexpected character: '{c}' {at}"),
            Wrong::End | Wrong::OpenString | Wrong::OpenHeader => {
                write!(f, "UnexpectedEofError: Unexpected end of file {at}")
            }
            Wrong::EmptyKey => write!(f, "EmptyKeyError: Empty key {at}"),
            Wrong::TableAgain(name) => write!(f, "ParseError: Key \"{name}\" already exists. {at}"),
            Wrong::KeyAgain(key) => write!(f, "KeyAlreadyPresent: Key \"{key}\" already exists.."),
        }
    }
}

impl ParseError {
    /// What containerd prints: go-toml's position, from 1, and words.
    pub fn as_containerd(&self) -> String {
        let ParseError { wrong, line, column } = self;
        let says = match wrong {
            Wrong::Char('"') | Wrong::OpenString => {
                return format!("({line}, 1): parsing error: unclosed string");
            }
            Wrong::OpenHeader => "unexpected token unclosed table key, was expecting a table key".to_owned(),
            Wrong::End | Wrong::Char('\n') => "was expecting token =, but got EOF instead".to_owned(),
            Wrong::Char(c) => format!("unexpected token {c}"),
            Wrong::EmptyKey => "keys cannot be empty".to_owned(),
            Wrong::TableAgain(name) => format!("duplicated tables: {name}"),
            Wrong::KeyAgain(key) => format!("The following key was defined twice: {key}"),
        };
        format!("({line}, {}): {says}", column + 1)
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}
