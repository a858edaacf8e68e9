//! Where a token comes from: the command line, or a file.

use crate::exit::Error;
use crate::scenarios;
use crate::target::Subject;
use bohr_explore::input::{Input, Target};
use bohr_explore::token::Token;
use bohr_report::stored::{NO_TOKEN, looks_like_a_token, token_in};
use std::fs;
use std::path::Path;

/// A token of a scenario that is here.
pub struct Source {
    /// The token.
    pub token: Token,
    /// What it is about.
    pub subject: Subject,
    /// The fuzz target whose crash file it was in.
    pub target: Option<String>,
    /// What that file holds.
    pub bytes: Option<Vec<u8>>,
}

/// Reads a token, or the file that holds one.
pub fn read(given: &str) -> Result<Source, Error> {
    read_as(given, None)
}

/// As [`read`], of a file that is an input of this fuzz target, whatever its folder is called.
pub fn read_as(given: &str, target: Option<&str>) -> Result<Source, Error> {
    let named =
        target.map(|name| Target::named(scenarios::ALL, name).ok_or_else(|| no_target(name))).transpose()?;
    let (text, target, bytes) = if looks_like_a_token(given) && named.is_none() {
        (given.to_owned(), None, None)
    } else {
        let path = Path::new(given);
        let bytes = bytes(path)?;
        let target = named.or_else(|| fuzz_target(path));
        let unusable = |e| input(format!("cannot use {path:?}: {e}"));
        match target {
            Some(target) => {
                let text = token_of_fuzz_input(&target, &bytes).map_err(unusable)?;
                (text, Some(target.name()), Some(bytes))
            }
            None => (token_of_file(&bytes).map_err(unusable)?, None, None),
        }
    };
    let token: Token = text.parse().map_err(|e| input(format!("cannot read {text:?}: {e}")))?;
    let subject = subject(&token).map_err(|e| input(format!("cannot replay {text:?}: {e}")))?;
    Ok(Source { token, subject, target, bytes })
}

fn no_target(name: &str) -> Error {
    let example = scenarios::ALL[0].info().name.replace('-', "_");
    input(format!(
        "no fuzz target is called {name:?}; they are called as {example}_buggy, after scenario and form"
    ))
}

/// What a token is about. Its names are exact: a token is not typed by hand.
fn subject(token: &Token) -> Result<Subject, String> {
    let names = || scenarios::ALL.iter().map(|s| s.info().name).collect::<Vec<_>>().join(", ");
    let scenario = scenarios::named(&token.scenario)
        .ok_or_else(|| format!("there is no scenario {:?} here; there are {}", token.scenario, names()))?;
    scenario
        .program(&token.variant, &token.workload)
        .map_err(|e| format!("{} has changed since the token was written: {e}", token.scenario))?;
    let variants = scenario.variants();
    let variant = variants.into_iter().find(|v| v.name == token.variant);
    let variant = variant.ok_or_else(|| format!("no variant is called {:?}", token.variant))?;
    Ok(Subject { scenario, variant, workload: token.workload.clone(), thorough: true })
}

/// What a file holds.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let neither = "it is neither a token (bohr1:SCENARIO/VARIANT/WORKLOAD:SCHEDULE) nor a file";
    if path.is_dir() {
        return Err(input(format!("cannot read {path:?}: it is a folder; name one file in it")));
    }
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(input(format!("cannot read {path:?}: {neither} that exists")))
        }
        Err(e) => Err(input(format!("cannot read {path:?}: {e}"))),
    }
}

/// The token in a stored finding, or in any text with a token in it.
fn token_of_file(bytes: &[u8]) -> Result<String, String> {
    token_in(bytes).map_err(|why| match why.as_str() {
        NO_TOKEN => format!("{NO_TOKEN}, and its folder is not called as a fuzz target"),
        _ => why,
    })
}

/// What a crash file is about is told by the folder that the fuzzer puts it in.
fn fuzz_target(path: &Path) -> Option<Target> {
    let path = path.canonicalize().ok()?;
    Target::named(scenarios::ALL, path.parent()?.file_name()?.to_str()?)
}

fn token_of_fuzz_input(target: &Target, bytes: &[u8]) -> Result<String, String> {
    let name = target.name();
    let input = Input::decode(target, bytes).ok_or_else(|| format!("it is no input of {name}"))?;
    let failed = input.token(target)?;
    let (_, token) = failed.ok_or_else(|| {
        format!("it does not fail as an input of {name}: the scenario has changed since, or it is another target's")
    })?;
    Ok(token.to_string())
}

fn input(text: String) -> Error {
    Error::Input(text)
}
