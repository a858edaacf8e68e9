//! Fuzz inputs: bytes that are a workload and a schedule.
//!
//! ```text
//! input    = length section schedule
//! length   = one byte: how many bytes the section has
//! section  = the workload as it writes itself, else bytes for `arbitrary`
//! schedule = one byte a choice; 255 is added to the byte that comes after it
//! ```
//!
//! Where the variant is part of the input, the section is `VARIANT/WORKLOAD`, else a byte that picks the variant and
//! then bytes for `arbitrary`. A choice of 0, or none, stays with the current task: so cutting an input short, which is
//! how libFuzzer shrinks, takes preemptions away. A choice that is not there is taken modulo the number of those that
//! are. Every byte string is an input, or none; none is an error.
//!
//! What a text may ask for is limited to what `arbitrary` gives and to the classes, and what `arbitrary` gives is
//! written as a text again: [`Input::encode`] gives the only form in which an input stays as it is.

mod mutate;
mod runner;
#[cfg(test)]
mod tests;
mod verdict;

use crate::strategy::Rng;
use crate::token::Token;
use arbitrary::Unstructured;
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Finding, Outcome, RunConfig};
pub use mutate::{crossover, mutate};
pub use runner::{Ran, Runner};
pub use verdict::{Surprise, surprise};

/// In the place of a variant's name: the variant is part of the input.
pub const ANY_VARIANT: &str = "any_variant";

/// The name of the fuzz target of a variant, or of [`ANY_VARIANT`]: what its folder of artifacts is called.
pub fn target(scenario: &str, variant: &str) -> String {
    format!("{scenario}_{variant}").replace('-', "_")
}

/// What a fuzz target runs its inputs on.
#[derive(Clone)]
pub struct Target {
    /// The scenario.
    pub scenario: &'static dyn AnyScenario,
    /// The variant; nothing if it is part of the input.
    pub variant: Option<&'static str>,
    /// The only workload that is run, if there is one: whatever an input says, it is this.
    pub workload: Option<String>,
    largest: usize,
}

/// A fuzz input, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The variant.
    pub variant: String,
    /// The workload, as it writes itself.
    pub workload: String,
    /// The choices. Those after its end are 0, and it does not end in 0.
    pub schedule: Vec<u32>,
}

impl Target {
    /// The target of a variant, or of [`ANY_VARIANT`]. Nothing if the scenario has no such variant.
    pub fn new(scenario: &'static dyn AnyScenario, variant: &str) -> Option<Target> {
        let known = || scenario.variants().into_iter().find(|v| v.name == variant).map(|v| v.name);
        let variant = if variant == ANY_VARIANT { None } else { Some(known()?) };
        Some(Target { scenario, variant, workload: None, largest: largest(scenario) })
    }

    /// The target of a [name](target): the scenario and the form that the folder of an artifact or a corpus speaks of.
    pub fn named(scenarios: &[&'static dyn AnyScenario], name: &str) -> Option<Target> {
        scenarios.iter().find_map(|scenario| {
            let forms = scenario.variants().into_iter().map(|v| v.name).chain([ANY_VARIANT]);
            let form = forms.into_iter().find(|form| target(scenario.info().name, form) == name)?;
            Target::new(*scenario, form)
        })
    }

    /// Its name.
    pub fn name(&self) -> String {
        target(self.scenario.info().name, self.variant.unwrap_or(ANY_VARIANT))
    }

    /// Inputs only for one workload.
    pub fn on(self, workload: String) -> Target {
        Target { workload: Some(workload), ..self }
    }

    /// How inputs are run. Where any finding is a crash the first ends the run; where findings are compared with what is
    /// expected, all that a run can show is.
    pub fn config(&self) -> RunConfig {
        RunConfig { keep_going: self.variant.is_none(), ..RunConfig::default() }
    }

    /// The variant and the workload that a section stands for. Nothing if `arbitrary` gives nothing for it.
    fn section(&self, section: &[u8]) -> Option<(String, String)> {
        if let Some(text) = std::str::from_utf8(section).ok().and_then(|text| self.read(text)) {
            return Some(text);
        }
        let (variant, bytes) = match (self.variant, section.split_first()) {
            (Some(variant), _) => (variant, section),
            (None, Some((byte, bytes))) => (self.numbered(*byte), bytes),
            (None, None) => (self.numbered(0), section),
        };
        let workload = match &self.workload {
            Some(only) => only.clone(),
            None => self.scenario.arbitrary(&mut Unstructured::new(bytes)).ok()?,
        };
        self.fits(&workload).then(|| (variant.to_owned(), workload))
    }

    /// A section that is a text.
    fn read(&self, text: &str) -> Option<(String, String)> {
        let (variant, workload) = match self.variant {
            Some(variant) => (variant, text),
            None => text.split_once('/')?,
        };
        let workload = self.workload.as_deref().unwrap_or(workload);
        (self.scenario.program(variant, workload).is_ok() && self.fits(workload))
            .then(|| (variant.to_owned(), workload.to_owned()))
    }

    /// Whether a workload is no larger than those that the scenario gives by itself.
    fn fits(&self, workload: &str) -> bool {
        self.workload.is_some() || self.scenario.size(workload) <= self.largest
    }

    fn numbered(&self, byte: u8) -> &'static str {
        let variants = self.scenario.variants();
        variants[usize::from(byte) % variants.len()].name
    }
}

impl Input {
    /// A variant on a workload under a schedule.
    pub fn new(variant: &str, workload: &str, mut schedule: Vec<u32>) -> Input {
        trim(&mut schedule);
        Input { variant: variant.to_owned(), workload: workload.to_owned(), schedule }
    }

    /// Decodes bytes. Nothing if `arbitrary` gives no workload for them.
    pub fn decode(target: &Target, bytes: &[u8]) -> Option<Input> {
        let (section, schedule) = split(bytes);
        let (variant, workload) = target.section(section)?;
        let mut choices = Vec::new();
        read_schedule(schedule, &mut choices);
        Some(Input { variant, workload, schedule: choices })
    }

    /// The bytes that decode to this.
    ///
    /// # Errors
    /// If none do: it is of another variant than the target, or the workload is larger than what is fuzzed.
    pub fn encode(&self, target: &Target) -> Result<Vec<u8>, String> {
        let Input { variant, workload, schedule } = self;
        let text = match target.variant {
            None => format!("{variant}/{workload}"),
            Some(only) if only == variant => workload.clone(),
            Some(only) => return Err(format!("{} runs {only} and not {variant}", target.name())),
        };
        target.scenario.program(variant, workload)?;
        if target.read(&text).as_ref() != Some(&(variant.clone(), workload.clone())) {
            return Err(format!("{workload:?} is larger than the workloads that are fuzzed"));
        }
        let length = u8::try_from(text.len());
        let length = length.map_err(|_| format!("{text:?} has more than 255 characters"))?;
        let mut bytes = vec![length];
        bytes.extend(text.bytes());
        write_schedule(schedule, &mut bytes);
        Ok(bytes)
    }

    /// The input that does what a token does, on a target that runs its variant.
    ///
    /// # Errors
    /// If the token's time moves by choice, which inputs cannot say.
    pub fn of_token(token: &Token) -> Result<Input, String> {
        if token.eager_time {
            return Err("its time moves by choice, which a fuzz input cannot say".to_owned());
        }
        Ok(Input::new(&token.variant, &token.workload, token.choices.clone()))
    }

    /// Runs it.
    ///
    /// # Errors
    /// If the scenario does not know the variant or the workload.
    pub fn run(&self, target: &Target, record: bool) -> Result<Outcome, String> {
        let program = target.scenario.program(&self.variant, &self.workload)?;
        let config = RunConfig { record, ..target.config() };
        Ok(runner::once(&program, config, &self.schedule))
    }

    /// The finding that an input leads to and its token. Nothing if it leads to none. On a target whose inputs hold the
    /// variant it is the first that is a [surprise], if there is one.
    ///
    /// # Errors
    /// If the scenario does not know the variant or the workload.
    pub fn token(&self, target: &Target) -> Result<Option<(Finding, Token)>, String> {
        let outcome = self.run(target, true)?;
        let surprising = surprise(target.scenario, &self.variant, &self.workload, &outcome);
        let finding = surprising.map(|s| s.finding).or_else(|| outcome.findings.first().cloned());
        let at = (target.scenario.info().name, self.variant.as_str(), self.workload.as_str());
        Ok(finding.map(|finding| {
            let token = Token::new(at, target.config(), &outcome, &finding);
            (finding, token)
        }))
    }
}

/// The section and the schedule of an input.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((&length, rest)) = bytes.split_first() else { return (&[], &[]) };
    rest.split_at(usize::from(length).min(rest.len()))
}

/// What is added to the byte after it.
const MORE: u8 = u8::MAX;

/// Reads choices, in place of those that were there.
fn read_schedule(bytes: &[u8], choices: &mut Vec<u32>) {
    choices.clear();
    let mut more = 0u32;
    for &byte in bytes {
        more = more.saturating_add(u32::from(byte));
        if byte != MORE {
            choices.push(std::mem::take(&mut more));
        }
    }
    choices.push(more);
    trim(choices);
}

fn write_schedule(choices: &[u32], bytes: &mut Vec<u8>) {
    let last = choices.iter().rposition(|choice| *choice != 0);
    for &choice in &choices[..last.map_or(0, |last| last + 1)] {
        let (full, rest) = (choice / u32::from(MORE), choice % u32::from(MORE));
        bytes.extend((0..full).map(|_| MORE));
        bytes.push(rest as u8);
    }
}

fn trim(choices: &mut Vec<u32>) {
    while choices.last() == Some(&0) {
        choices.pop();
    }
}

/// The size of the largest workload that a scenario gives by itself: a class, or what `arbitrary` makes of many bytes.
fn largest(scenario: &dyn AnyScenario) -> usize {
    let classes = scenario.classes().into_iter().map(|class| class.name);
    let mut rng = Rng::new(0);
    let drawn = (0..DRAWN).filter_map(|_| {
        let bytes: Vec<u8> = (0..SECTION_BYTES).map(|_| rng.next() as u8).collect();
        scenario.arbitrary(&mut Unstructured::new(&bytes)).ok()
    });
    classes.chain(drawn).map(|workload| scenario.size(&workload)).max().unwrap_or(0)
}

/// How many workloads are drawn to know how large they get.
const DRAWN: usize = 1_000;
/// More than any workload takes.
const SECTION_BYTES: usize = 64;
