//! Finding what a user means by a name.

use std::fmt;

/// No single thing is called so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    what: &'static str,
    asked: String,
    /// More than one thing that the name fits, or else the closest ones.
    close: Vec<String>,
    ambiguous: bool,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unknown { what, asked, close, ambiguous } = self;
        let close = close.join(", ");
        match (ambiguous, close.is_empty()) {
            (true, _) => write!(f, "{asked:?} fits more than one {what}: {close}; write more of it"),
            (false, true) => write!(f, "no {what} is called {asked:?}; `bohr list` shows what there is"),
            (false, false) => write!(f, "no {what} is called {asked:?}; did you mean {close}?"),
        }
    }
}

/// The index of the name that is meant: the same one, or the only one that begins with what was asked,
/// or the only one that contains it. Case does not matter, nor whether words are joined by `-` or `_`.
pub fn pick(what: &'static str, asked: &str, names: &[&str]) -> Result<usize, Unknown> {
    let wanted = plain(asked);
    let rules: [fn(&str, &str) -> bool; 3] = [
        |name, wanted| name == wanted,
        |name, wanted| name.starts_with(wanted),
        |name, wanted| name.contains(wanted),
    ];
    let unknown = |close: Vec<String>, ambiguous| Unknown { what, asked: asked.to_owned(), close, ambiguous };
    if !wanted.is_empty() {
        for fits in rules {
            let hits: Vec<usize> = (0..names.len()).filter(|&i| fits(&plain(names[i]), &wanted)).collect();
            match hits[..] {
                [] => {}
                [only] => return Ok(only),
                _ => return Err(unknown(hits.iter().map(|&i| names[i].to_owned()).collect(), true)),
            }
        }
    }
    Err(unknown(closest(&wanted, names), false))
}

fn closest(wanted: &str, names: &[&str]) -> Vec<String> {
    const SIMILAR: f64 = 0.7;
    const MOST: usize = 3;
    let mut scored: Vec<(f64, &str)> =
        names.iter().map(|name| (strsim::jaro_winkler(&plain(name), wanted), *name)).collect();
    scored.retain(|(score, _)| *score >= SIMILAR);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["buggy", "fixed", "mutex_all", "mutex_log_outside", "rlock_for_write"];

    fn check(asked: &str, expected: Result<&str, &str>) {
        let found = pick("variant", asked, &NAMES).map(|i| NAMES[i]).map_err(|e| e.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{asked:?}");
    }

    #[test]
    fn names_match_loosely() {
        check("buggy", Ok("buggy"));
        check("BUGGY", Ok("buggy"));
        check("mutex-all", Ok("mutex_all"));
        check("bug", Ok("buggy"));
        check("for-write", Ok("rlock_for_write"));
    }

    #[test]
    fn what_is_not_clear_is_explained() {
        let more = "\"mutex\" fits more than one variant: mutex_all, mutex_log_outside; write more of it";
        check("mutex", Err(more));
        check("bugyg", Err("no variant is called \"bugyg\"; did you mean buggy?"));
        check("zzz", Err("no variant is called \"zzz\"; `bohr list` shows what there is"));
        check("", Err("no variant is called \"\"; `bohr list` shows what there is"));
    }
}
