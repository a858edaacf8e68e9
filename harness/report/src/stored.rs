//! Findings as files hold them, and the token of whatever a file holds.

use crate::Case;
use serde::{Deserialize, Serialize};

/// The version of the files' format.
pub const VERSION: u32 = 1;

/// Why most files are of no use.
pub const NO_TOKEN: &str = "there is no token in it";

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The version of the format.
    pub version: u32,
    /// The failing run.
    pub case: Case,
}

impl Stored {
    /// A failing run, to be written by this version.
    pub fn new(case: Case) -> Self {
        Stored { version: VERSION, case }
    }
}

/// The token in the bytes of a file: of a stored finding, or the first in any text.
///
/// # Errors
/// Why there is none, as a clause.
pub fn token_in(bytes: &[u8]) -> Result<String, String> {
    if let Ok(stored) = serde_json::from_slice::<StoredToken>(bytes) {
        if stored.version != VERSION {
            let theirs = stored.version;
            return Err(format!(
                "it is a finding of version {theirs}, and this program reads version {VERSION}"
            ));
        }
        return Ok(stored.case.token);
    }
    let text = String::from_utf8_lossy(bytes);
    let between = |c: char| c.is_whitespace() || "\"'`<>()[]|\\".contains(c);
    let token = text.split(between).find(|word| looks_like_a_token(word) && word.contains('/'));
    token.map(str::to_owned).ok_or_else(|| NO_TOKEN.to_owned())
}

/// True for `bohr`, a number and a colon.
pub fn looks_like_a_token(text: &str) -> bool {
    let version = text.trim().strip_prefix("bohr").and_then(|rest| rest.split_once(':'));
    version.is_some_and(|(version, _)| !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()))
}

/// Of a stored finding no more than is needed: the rest may grow.
#[derive(Deserialize)]
struct StoredToken {
    version: u32,
    case: CaseToken,
}

#[derive(Deserialize)]
struct CaseToken {
    token: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_any_text() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let found = token_in(text.as_bytes());
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        };
        check("run `bohr replay bohr1:a/b/c:AAAA` again", Ok("bohr1:a/b/c:AAAA"));
        check("bohr1:a/b/c:AAAA\n", Ok("bohr1:a/b/c:AAAA"));
        check(r#"{"version": 1, "case": {"token": "bohr1:a/b/c:AAAA"}}"#, Ok("bohr1:a/b/c:AAAA"));
        check(
            r#"{"version": 9, "case": {"token": "bohr1:a/b/c:AAAA"}}"#,
            Err("it is a finding of version 9, and this program reads version 1"),
        );
        check("", Err("there is no token in it"));
        check("bohr is a physicist: yes/no", Err("there is no token in it"));
    }
}
