//! Tokens: a failing run in a line of text.
//!
//! `bohr1:SCENARIO/VARIANT/WORKLOAD:SCHEDULE`, where the schedule is the URL-safe base64 form
//! (RFC 4648) of: a byte of flags, the number of steps, a checksum of the finding, a fingerprint of
//! the whole run, a few checkpoints along it, the choices, and a checksum over the whole token.

use crate::bits;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bohr_kernel::{Finding, Outcome, RunConfig, Step, Trace, choices_of};
use std::fmt;
use std::str::FromStr;

/// A failing run: what it needs to be done again, and what tells whether it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's name.
    pub variant: String,
    /// The workload, as it writes itself.
    pub workload: String,
    /// Whether the run went on after findings that do not end the modelled process.
    pub keep_going: bool,
    /// Whether time moved by scheduling choice.
    pub eager_time: bool,
    /// The choices; what comes after them is always 0.
    pub choices: Vec<u32>,
    pub(crate) print: Fingerprint,
}

/// What a run looked like, in a few bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) steps: u32,
    pub(crate) finding: u16,
    pub(crate) run: u32,
    /// A byte of each prefix of the run, at evenly spaced steps.
    pub(crate) checkpoints: Vec<u8>,
}

/// Why a text is not a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has not the form of one.
    #[error("it is not a token: a token looks like bohr{VERSION}:SCENARIO/VARIANT/WORKLOAD:SCHEDULE")]
    Form,
    /// It was written by another version of the format.
    #[error(
        "it is of version {0}, and this program reads version {VERSION}: run it with the release that wrote it"
    )]
    Version(u32),
    /// Its checksum does not fit.
    #[error("it was cut short or altered (its checksum does not fit): copy it again, whole")]
    Damaged,
}

const VERSION: u32 = 1;
const MOST_CHECKPOINTS: u32 = 6;

impl Token {
    /// The token of a recorded run, for one of its findings.
    pub fn new(at: (&str, &str, &str), config: RunConfig, outcome: &Outcome, finding: &Finding) -> Self {
        let (scenario, variant, workload) = at;
        let trace = outcome.trace.as_ref();
        let mut choices = choices_of(&outcome.decisions);
        while choices.last() == Some(&0) {
            choices.pop();
        }
        Token {
            scenario: scenario.to_owned(),
            variant: variant.to_owned(),
            workload: workload.to_owned(),
            keep_going: config.keep_going,
            eager_time: config.eager_time,
            choices,
            print: trace.map_or_else(Fingerprint::empty, |t| Fingerprint::of(t, finding)),
        }
    }

    /// How the run is carried out again.
    pub fn config(&self) -> RunConfig {
        RunConfig { keep_going: self.keep_going, eager_time: self.eager_time, ..RunConfig::default() }
    }

    fn head(&self) -> String {
        format!("bohr{VERSION}:{}/{}/{}:", self.scenario, self.variant, self.workload)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.head();
        let mut bytes = vec![u8::from(self.keep_going) | u8::from(self.eager_time) << 1];
        bytes.extend(varint(self.print.steps));
        bytes.extend(self.print.finding.to_be_bytes());
        bytes.extend(self.print.run.to_be_bytes());
        bytes.push(self.print.checkpoints.len() as u8);
        bytes.extend(&self.print.checkpoints);
        bytes.extend(bits::pack(&self.choices));
        bytes.extend(&checksum(&head, &bytes).to_be_bytes()[1..]);
        write!(f, "{head}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let rest = text.strip_prefix("bohr").ok_or(TokenError::Form)?;
        let (version, rest) = rest.split_once(':').ok_or(TokenError::Form)?;
        let version: u32 = version.parse().map_err(|_| TokenError::Form)?;
        if version != VERSION {
            return Err(TokenError::Version(version));
        }
        let Some((path, schedule)) = rest.rsplit_once(':') else { return Err(TokenError::Form) };
        let mut names = path.splitn(3, '/');
        let (Some(scenario), Some(variant), Some(workload)) = (names.next(), names.next(), names.next())
        else {
            return Err(TokenError::Form);
        };
        let bytes = URL_SAFE_NO_PAD.decode(schedule).map_err(|_| TokenError::Damaged)?;
        let split = bytes.len().checked_sub(3).ok_or(TokenError::Damaged)?;
        let (body, sum) = bytes.split_at(split);
        let head = &text[..text.len() - schedule.len()];
        if checksum(head, body).to_be_bytes()[1..] != *sum {
            return Err(TokenError::Damaged);
        }
        let mut token = Token {
            scenario: scenario.to_owned(),
            variant: variant.to_owned(),
            workload: workload.to_owned(),
            keep_going: false,
            eager_time: false,
            choices: Vec::new(),
            print: Fingerprint::empty(),
        };
        token.read(body).ok_or(TokenError::Damaged)?;
        Ok(token)
    }
}

impl Token {
    fn read(&mut self, body: &[u8]) -> Option<()> {
        let (&flags, body) = body.split_first()?;
        self.keep_going = flags & 1 != 0;
        self.eager_time = flags & 2 != 0;
        let (steps, body) = read_varint(body)?;
        let (finding, body) = body.split_first_chunk()?;
        let (run, body) = body.split_first_chunk()?;
        let (&count, body) = body.split_first()?;
        let (checkpoints, body) = body.split_at_checked(count as usize)?;
        self.print = Fingerprint {
            steps,
            finding: u16::from_be_bytes(*finding),
            run: u32::from_be_bytes(*run),
            checkpoints: checkpoints.to_vec(),
        };
        self.choices = bits::unpack(body);
        Some(())
    }
}

impl Fingerprint {
    fn empty() -> Self {
        Fingerprint { steps: 0, finding: 0, run: 0, checkpoints: Vec::new() }
    }

    pub(crate) fn of(trace: &Trace, finding: &Finding) -> Self {
        let steps = trace.steps.len() as u32;
        let count = MOST_CHECKPOINTS.min(steps.div_ceil(4));
        let prefix = |i| prefix_sum(trace, Self::checkpoint_step(steps, count, i)) as u8;
        Fingerprint {
            steps,
            finding: finding_sum(finding),
            run: prefix_sum(trace, steps as usize),
            checkpoints: (0..count).map(prefix).collect(),
        }
    }

    /// The longest prefix, in steps, that is known to be as recorded, and the shortest known not to be.
    pub(crate) fn drift(&self, trace: &Trace) -> (u32, u32) {
        let count = self.checkpoints.len() as u32;
        let mut same = 0;
        for (i, recorded) in self.checkpoints.iter().enumerate() {
            let step = Self::checkpoint_step(self.steps, count, i as u32);
            if step > trace.steps.len() || prefix_sum(trace, step) as u8 != *recorded {
                return (same, step as u32);
            }
            same = step as u32;
        }
        (same, self.steps)
    }

    fn checkpoint_step(steps: u32, count: u32, i: u32) -> usize {
        (steps * (i + 1) / (count + 1)) as usize
    }
}

/// Sums up the first steps of a run by what they are, not by where they stand in the source: moving
/// code must not break a token.
fn prefix_sum(trace: &Trace, steps: usize) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for Step { task, label, objects, note, .. } in &trace.steps[..steps] {
        sum.update(&task.0.to_be_bytes());
        sum.update(label.as_bytes());
        for (object, _) in objects {
            sum.update(trace.objects[object.0 as usize].name.as_bytes());
        }
        sum.update(note.as_bytes());
    }
    sum.finalize()
}

pub(crate) fn finding_sum(finding: &Finding) -> u16 {
    let text = format!("{}|{}|{}", finding.kind, finding.oracle.as_deref().unwrap_or(""), finding.text);
    crc32fast::hash(text.as_bytes()) as u16
}

fn checksum(head: &str, body: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(head.as_bytes());
    sum.update(body);
    sum.finalize()
}

fn varint(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn read_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f).checked_shl(7 * i as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            scenario: "bug".into(),
            variant: "buggy".into(),
            workload: "a:1,b:2".into(),
            keep_going: true,
            eager_time: false,
            choices: vec![0, 1, 0, 0, 2],
            print: Fingerprint { steps: 300, finding: 7, run: 9, checkpoints: vec![1, 2, 3] },
        }
    }

    #[test]
    fn a_token_survives_being_written() {
        assert_eq!(token().to_string().parse(), Ok(token()));
    }

    #[test]
    fn any_cut_or_changed_character_is_noticed() {
        let text = token().to_string();
        for end in 0..text.len() {
            assert!(text[..end].parse::<Token>().is_err(), "cut at {end}");
        }
        for at in 0..text.len() {
            for new in ['A', 'x', '_', '/'] {
                let mut altered: Vec<char> = text.chars().collect();
                if std::mem::replace(&mut altered[at], new) != new {
                    let altered: String = altered.into_iter().collect();
                    assert!(altered.parse::<Token>().is_err(), "{altered}");
                }
            }
        }
    }

    #[test]
    fn another_version_says_so() {
        let text = token().to_string().replacen("bohr1", "bohr2", 1);
        assert_eq!(text.parse::<Token>(), Err(TokenError::Version(2)));
    }

    #[test]
    fn other_texts_are_not_tokens() {
        for text in
            ["", "bohr", "bohr1", "bohr1:", "bohr1:a/b/c", "bohr1:a/b:AAAA", "crash-1234", "bohrx:a/b/c:AAAA"]
        {
            assert!(text.parse::<Token>().is_err(), "{text:?}");
        }
    }
}
