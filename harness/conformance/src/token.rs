//! Tokens: the target `token`.
//!
//! The reference is a writer of the documented form, bit by bit. Whatever is read must be written so that it reads the
//! same again, and whatever can be read can be replayed: the run ends, and does not take the program with it.

use crate::scenarios;
use arbitrary::Arbitrary;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bohr_explore::replay::replay;
use bohr_explore::token::Token;

/// An input.
#[derive(Clone, Debug, Arbitrary)]
pub enum Input {
    /// Any text.
    Text(String),
    /// A text that begins as a token does.
    Almost(String),
    /// A token, put together by hand.
    Written(Written),
    /// A token that was damaged on its way.
    Damaged(Written, Vec<Damage>),
    /// Any bytes where the schedule should be, with a checksum that fits.
    Forged(String, Vec<u8>),
    /// A token of a scenario that there is, but not one that it has written.
    Foreign(Foreign),
}

/// What a token holds.
#[derive(Clone, Debug, PartialEq, Eq, Arbitrary)]
pub struct Written {
    /// The scenario, the variant and the workload.
    pub names: [String; 3],
    /// Whether the run goes on after some findings, and whether time moves by choice.
    pub flags: (bool, bool),
    /// The number of steps.
    pub steps: u32,
    /// The checksum of the finding.
    pub finding: u16,
    /// The fingerprint of the run.
    pub run: u32,
    /// Those of its prefixes.
    pub checkpoints: Vec<u8>,
    /// What was chosen, with how many zeros before it.
    pub choices: Vec<(u8, u8)>,
}

/// What can happen to a text.
#[derive(Copy, Clone, Debug, Arbitrary)]
pub enum Damage {
    /// A bit of a byte is flipped.
    Flip(u16, u8),
    /// It ends here.
    Cut(u16),
    /// A byte is missing.
    Drop(u16),
    /// A byte is there twice.
    Double(u16),
}

/// A token that names what there is.
#[derive(Clone, Debug, Arbitrary)]
pub struct Foreign {
    scenario: u8,
    variant: u8,
    class: u8,
    /// Characters of the workload are replaced by these.
    edits: Vec<(u8, char)>,
    /// Numbers in the workload get so many digits more.
    digits: u8,
    written: Written,
}

/// A deliberate error of the reference, for the test that differences are found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// One is added to each choice.
    Choice,
    /// There is one zero more before each.
    Zeros,
    /// The flags change places.
    Flags,
    /// The checksum leaves the names out.
    Checksum,
}

/// Checks one input.
///
/// # Errors
/// What is read or written wrongly.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    crate::decoded(bytes, |input| compare(input, None))
}

/// Checks an input against the reference, in which there may be a deliberate error.
///
/// # Errors
/// As for [`check`].
pub fn compare(input: &Input, wrong: Option<Wrong>) -> Result<(), String> {
    match input {
        Input::Text(text) => read(text).map(drop),
        Input::Almost(text) => read(&format!("bohr1:{text}")).map(drop),
        Input::Written(written) => round_trip(&written.plain(), wrong).map(drop),
        Input::Damaged(written, damages) => damaged(&written.plain().text(wrong), damages),
        Input::Forged(head, body) => read(&sealed(&format!("bohr1:{head}:"), body)).map(drop),
        Input::Foreign(foreign) => foreign.replayed(),
    }
}

/// Reads a text: if it is a token, then what is written of it reads the same, and is written the same again.
fn read(text: &str) -> Result<Option<Token>, String> {
    let Ok(token) = text.parse::<Token>() else { return Ok(None) };
    if !has_checksum(text.trim()) {
        return Err(format!("{text:?} is read, and its checksum does not fit"));
    }
    let again = token.to_string();
    if again.parse::<Token>().as_ref() != Ok(&token) {
        return Err(format!(
            "{text:?} is read as {token:?}, which is written as {again:?} and read as another"
        ));
    }
    Ok(Some(token))
}

fn round_trip(written: &Written, wrong: Option<Wrong>) -> Result<Token, String> {
    let text = written.text(wrong);
    let token = read(&text)?.ok_or_else(|| format!("{text:?} is not read"))?;
    let Token { scenario, variant, workload, keep_going, eager_time, choices, .. } = &token;
    let names = [scenario, variant, workload].map(String::as_str);
    let expected: Vec<u32> = written.all_choices();
    let same = names == written.names.each_ref().map(String::as_str)
        && (*keep_going, *eager_time) == written.flags
        && *choices == expected;
    if !same {
        return Err(format!("{text:?} is read as {token:?}"));
    }
    let printed = token.to_string();
    if printed == text { Ok(token) } else { Err(format!("{text:?} is written again as {printed:?}")) }
}

fn damaged(text: &str, damages: &[Damage]) -> Result<(), String> {
    let mut bytes = text.as_bytes().to_vec();
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let at = |place: u16| usize::from(place) % bytes.len();
        match *damage {
            Damage::Flip(place, bit) => {
                let at = at(place);
                bytes[at] ^= 1 << (bit % 8);
            }
            Damage::Cut(place) => bytes.truncate(at(place)),
            Damage::Drop(place) => drop(bytes.remove(at(place))),
            Damage::Double(place) => {
                let at = at(place);
                bytes.insert(at, bytes[at]);
            }
        }
    }
    read(&String::from_utf8_lossy(&bytes)).map(drop)
}

impl Written {
    /// The same, as the form allows it: two names without slashes, and so many checkpoints as a byte counts.
    fn plain(&self) -> Written {
        let mut plain = self.clone();
        for name in &mut plain.names[..2] {
            name.retain(|c| c != '/');
        }
        plain.checkpoints.truncate(usize::from(u8::MAX));
        plain
    }

    /// The choices one by one; those that are 0 at the end are not written.
    fn all_choices(&self) -> Vec<u32> {
        let mut all = Vec::new();
        for (zeros, choice) in &self.choices {
            all.extend((0..*zeros).map(|_| 0));
            all.push(u32::from(*choice));
        }
        while all.last() == Some(&0) {
            all.pop();
        }
        all
    }

    /// The documented form of it.
    pub fn text(&self, wrong: Option<Wrong>) -> String {
        let [scenario, variant, workload] = &self.names;
        let (mut keep_going, mut eager_time) = self.flags;
        if wrong == Some(Wrong::Flags) {
            std::mem::swap(&mut keep_going, &mut eager_time);
        }
        let mut body = vec![u8::from(keep_going) + 2 * u8::from(eager_time)];
        // Seven bits a byte, the lowest first; all bytes but the last have the top bit.
        let mut steps = self.steps;
        while steps > 127 {
            body.push((steps % 128) as u8 + 128);
            steps /= 128;
        }
        body.push(steps as u8);
        body.extend(self.finding.to_be_bytes());
        body.extend(self.run.to_be_bytes());
        body.push(self.checkpoints.len() as u8);
        body.extend(&self.checkpoints);
        let mut bits = String::new();
        let mut zeros = 0u32;
        for choice in self.all_choices() {
            if choice == 0 {
                zeros += 1;
                continue;
            }
            // Elias gamma: as many zeros as the number has bits after its first, then the number.
            let number = format!("{:b}", zeros + 1 + u32::from(wrong == Some(Wrong::Zeros)));
            bits += &"0".repeat(number.len() - 1);
            bits += &number;
            bits += &"1".repeat(choice as usize - usize::from(wrong != Some(Wrong::Choice)));
            bits.push('0');
            zeros = 0;
        }
        let bytes = bits.as_bytes().chunks(8).map(|bits| {
            let bits = std::str::from_utf8(bits).unwrap_or_default();
            u8::from_str_radix(&format!("{bits:0<8}"), 2).unwrap_or_default()
        });
        body.extend(bytes);
        let head = format!("bohr1:{scenario}/{variant}/{workload}:");
        if wrong == Some(Wrong::Checksum) {
            return sealed("", &body).replacen("", &head, 1);
        }
        sealed(&head, &body)
    }
}

impl Foreign {
    /// Reads it and does the run again, if there is one: it comes to an end within the step bound.
    fn replayed(&self) -> Result<(), String> {
        let all = scenarios::ALL;
        let scenario = all[usize::from(self.scenario) % all.len()];
        let variants = scenario.variants();
        let classes = scenario.classes();
        let workload = &classes[usize::from(self.class) % classes.len()].name;
        let names = [
            scenario.info().name.to_owned(),
            variants[usize::from(self.variant) % variants.len()].name.to_owned(),
            self.edited(workload),
        ];
        let text = Written { names, ..self.written.clone() }.plain().text(None);
        let token = read(&text)?.ok_or_else(|| format!("{text:?} is not read"))?;
        let Ok(replayed) = replay(scenario, &token) else { return Ok(()) };
        // What differs is told in words.
        let _ = replayed.drift.map(|drift| drift.to_string());
        match replayed.outcome.steps {
            steps if steps <= token.config().max_steps + 1 => Ok(()),
            steps => Err(format!("the replay of {text:?} takes {steps} steps")),
        }
    }

    fn edited(&self, workload: &str) -> String {
        let mut chars: Vec<char> = workload.chars().collect();
        for (at, new) in self.edits.iter().take(3) {
            let at = usize::from(*at) % chars.len().max(1);
            if let Some(char) = chars.get_mut(at) {
                *char = *new;
            }
        }
        let more = "9".repeat(usize::from(self.digits % 12));
        let mut text = String::new();
        for (at, char) in chars.iter().enumerate() {
            text.push(*char);
            let ends = char.is_ascii_digit() && !chars.get(at + 1).is_some_and(char::is_ascii_digit);
            text += if ends { more.as_str() } else { "" };
        }
        text
    }
}

/// A token's text: what comes before the schedule, the schedule's bytes, and the checksum over both.
fn sealed(head: &str, body: &[u8]) -> String {
    let mut bytes = body.to_vec();
    bytes.extend(checksum(head, body));
    format!("{head}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn has_checksum(text: &str) -> bool {
    let at = text.rfind(':').map_or(0, |at| at + 1);
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(&text[at..]) else { return false };
    let Some((body, sum)) = bytes.split_last_chunk::<3>() else { return false };
    checksum(&text[..at], body) == *sum
}

/// The lower three bytes of the CRC-32 of both.
fn checksum(head: &str, body: &[u8]) -> [u8; 3] {
    let [_, sum @ ..] = crc32fast::hash(&[head.as_bytes(), body].concat()).to_be_bytes();
    sum
}
