//! Writing reports, and telling which is stale and why.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The most characters of a line that are quoted.
const QUOTED: usize = 160;

/// A file of a report.
pub struct Page {
    /// Where it stands.
    pub file: PathBuf,
    /// What belongs in it.
    pub text: String,
}

/// What became of a file.
#[derive(Serialize)]
pub struct Fate {
    /// The file.
    pub file: PathBuf,
    /// How it is.
    pub state: State,
    /// Why it is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// How a file is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was written anew.
    Written,
    /// It is what would be written.
    Unchanged,
    /// It is not what would be written.
    Stale,
    /// Nothing writes it.
    Unreferenced,
}

impl State {
    /// True if it is as it should be.
    pub fn is_good(self) -> bool {
        matches!(self, State::Written | State::Unchanged)
    }
}

/// Writes a page, unless it is there already.
pub fn write(page: &Page) -> io::Result<Fate> {
    let unchanged = fs::read_to_string(&page.file).is_ok_and(|old| old == page.text);
    if !unchanged {
        fs::write(&page.file, &page.text)?;
    }
    let state = if unchanged { State::Unchanged } else { State::Written };
    Ok(Fate { file: page.file.clone(), state, because: None })
}

/// Compares a page with what is there.
pub fn check(page: &Page) -> Fate {
    let file = page.file.clone();
    let because = match fs::read_to_string(&file) {
        Ok(old) if old == page.text => return Fate { file, state: State::Unchanged, because: None },
        Ok(old) => difference(&old, &page.text),
        Err(e) => format!("failed to read it: {e}"),
    };
    Fate { file, state: State::Stale, because: Some(because) }
}

/// What stands among the reports and is none of these pages.
pub fn unreferenced(folder: &Path, pages: &[Page]) -> io::Result<Vec<Fate>> {
    let known: BTreeSet<&Path> = pages.iter().map(|page| page.file.as_path()).collect();
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if known.contains(path.as_path()) {
                continue;
            }
            if path.is_dir() && pages.iter().any(|page| page.file.starts_with(&path)) {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    let fate = |file| {
        let because = Some("no scenario has it".to_owned());
        Fate { file, state: State::Unreferenced, because }
    };
    Ok(found.into_iter().map(fate).collect())
}

/// Where two texts differ first: a field of their data, if that differs, or else a line.
fn difference(old: &str, new: &str) -> String {
    if let (Some(old), Some(new)) = (data(old), data(new))
        && let Some(field) = field("", &old, &new)
    {
        return field;
    }
    let mut news = new.lines();
    let mut olds = old.lines();
    let mut line = 0;
    loop {
        line += 1;
        match (olds.next(), news.next()) {
            (None, None) => return "only its line ends differ".to_owned(),
            (old, new) if old != new => {
                let end = "the end of the file";
                let (old, new) = (old.unwrap_or(end).trim(), new.unwrap_or(end).trim());
                let from = old.char_indices().zip(new.chars()).find(|((_, a), b)| a != b);
                let from = from.map_or(old.len().min(new.len()), |((at, _), _)| at);
                let (old, new) = (around(old, from), around(new, from));
                return format!("line {line} is\n  {old}\nand should be\n  {new}\n");
            }
            _ => {}
        }
    }
}

/// A JSON file, or what a page holds as such.
fn data(text: &str) -> Option<Value> {
    let start = bohr_report::page::DATA_START;
    let json = match text.split_once(start) {
        Some((_, rest)) => rest.split_once("</script>")?.0,
        None => text,
    };
    serde_json::from_str(json).ok()
}

/// The first field that differs, and how.
fn field(path: &str, old: &Value, new: &Value) -> Option<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let null = Value::Null;
            keys.into_iter().find_map(|key| {
                let of =
                    |map: &'_ serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(null.clone());
                field(&format!("{path}/{key}"), &of(old), &of(new))
            })
        }
        (Value::Array(old), Value::Array(new)) => {
            let differing = old.iter().zip(new).enumerate();
            let differing =
                differing.filter_map(|(at, (old, new))| field(&format!("{path}/{at}"), old, new)).next();
            let lengths = || format!("{path} has {} entries and should have {}", old.len(), new.len());
            differing.or_else(|| (old.len() != new.len()).then(lengths))
        }
        (old, new) if old == new => None,
        (old, new) => Some(format!(
            "{path} is {} and should be {}",
            around(&old.to_string(), 0),
            around(&new.to_string(), 0)
        )),
    }
}

/// What a long line has around a place.
fn around(line: &str, at: usize) -> String {
    let before = line[..at.min(line.len())].chars().count();
    if line.chars().count() <= QUOTED {
        return line.to_owned();
    }
    let skipped = before.saturating_sub(QUOTED / 2);
    let shown: String = line.chars().skip(skipped).take(QUOTED).collect();
    let lead = if skipped > 0 { "..." } else { "" };
    format!("{lead}{shown}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_names_the_place_and_stays_short() {
        assert_eq!(difference("a\nb\n", "a\nc\n"), "line 2 is\n  b\nand should be\n  c\n");
        assert_eq!(difference("a", "a\n"), "only its line ends differ");
        let (old, new) = (r#"{"a":[{"b":1},{"c":"x"}]}"#, r#"{"a":[{"b":1},{"c":"y"}]}"#);
        assert_eq!(difference(old, new), r#"/a/1/c is "x" and should be "y""#);
        assert_eq!(difference(r#"{"a":[1]}"#, r#"{"a":[1,2]}"#), "/a has 1 entries and should have 2");
        let page = |json: &str| format!("<p>\n{}{json}</script>", bohr_report::page::DATA_START);
        assert_eq!(difference(&page(old), &page(new)), r#"/a/1/c is "x" and should be "y""#);
        let long = |c: char| format!("{}{c}{}", "-".repeat(9_000), "-".repeat(9_000));
        let reason = difference(&long('x'), &long('y'));
        assert!(reason.len() < 500 && reason.contains("-x-") && reason.contains("-y-"), "{reason}");
    }

    #[test]
    fn what_nothing_writes_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["bug", "gone"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("report.md"), "").unwrap();
        }
        fs::write(path("bug/old.md"), "").unwrap();
        let pages = [Page { file: path("bug/report.md"), text: String::new() }];
        let found: Vec<_> =
            unreferenced(folder.path(), &pages).unwrap().into_iter().map(|f| f.file).collect();
        assert_eq!(found, [path("bug/old.md"), path("gone")]);
    }
}
