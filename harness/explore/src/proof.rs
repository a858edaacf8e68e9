//! Proofs that take long: on all cores, and with breaks.
//!
//! A proof is split into parts by its first few choices, always the same parts, so that what it shows depends
//! neither on the number of cores nor on where it was interrupted.

use crate::jobs::run_all;
use crate::search::prove_on;
use crate::strategy::{Explored, Limits, Progress};
use bohr_kernel::{Outcome, Program, RunConfig};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The version of the form in which proofs are written. The first had no checksum.
const VERSION: u32 = 2;

/// How far a proof has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What is proved of what.
    of: String,
    /// The first is what is above the others.
    parts: Vec<Progress>,
    /// The earliest part in which a run was found, and its choices.
    found: Option<(usize, Vec<u32>)>,
}

/// How a proof goes on after a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It goes on.
    GoOn,
    /// It ends here for now.
    Stop,
    /// The run refutes what was to be proved: what comes before it is still looked at, what comes after is not.
    Found,
}

impl From<bool> for Then {
    fn from(goes_on: bool) -> Self {
        if goes_on { Then::GoOn } else { Then::Stop }
    }
}

/// Why a stored proof cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is no proof.
    #[error("not a proof: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is no longer what was written.
    #[error("it was cut short or altered (its checksum does not fit)")]
    Damaged,
    /// Another version wrote it.
    #[error("written in version {0} of the format, and this program reads version {VERSION}")]
    Version(u32),
    /// It is of something else.
    #[error("a proof of `{found}`, and not of `{expected}`")]
    OfAnother {
        /// Of what.
        found: String,
        /// Of what it should be.
        expected: String,
    },
}

impl Proof {
    /// A proof that has not begun. `name` is what it is of, such as the names of scenario, variant and
    /// workload. What is below the first `choices` choices among tasks is split into parts.
    pub fn new(name: &str, config: &RunConfig, choices: usize) -> Self {
        Proof { of: of(name, config), parts: vec![Progress::split_at(choices)], found: None }
    }

    /// As text, to store.
    ///
    /// # Panics
    /// Never: there is nothing in it that could not be written.
    pub fn to_json(&self) -> String {
        let proof = serde_json::to_string(self).expect("numbers and names can be written");
        format!(r#"{{"version":{VERSION},"checksum":{},"proof":{proof}}}"#, crc32fast::hash(proof.as_bytes()))
    }

    /// From text that was stored. `name` and `config` must be what it was begun with.
    ///
    /// # Errors
    /// If it is anything else than a proof of that by this version.
    pub fn from_json(text: &str, name: &str, config: &RunConfig) -> Result<Self, Unusable> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        #[derive(Deserialize)]
        struct Whole {
            checksum: u32,
            proof: Proof,
        }
        let Head { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(Unusable::Version(version));
        }
        let Whole { checksum, proof } = serde_json::from_str(text)?;
        let written = serde_json::to_string(&proof)?;
        let (expected, parts) = (of(name, config), proof.parts.len());
        // A part that is not there would prove nothing, and be missed later.
        let is_whole = parts > 0 && proof.found.as_ref().is_none_or(|(part, _)| *part < parts);
        if checksum != crc32fast::hash(written.as_bytes()) || !is_whole {
            return Err(Unusable::Damaged);
        }
        if proof.of == expected { Ok(proof) } else { Err(Unusable::OfAnother { found: proof.of, expected }) }
    }

    /// How far it has come; once there is a run to [show](Proof::found), up to the end of its part.
    pub fn explored(&self) -> Explored {
        let parts = self.found.as_ref().map_or(self.parts.len(), |(part, _)| part + 1);
        Explored { all: self.found.is_none() && self.done(parts), ..Progress::sum(&self.parts[..parts]) }
    }

    /// The choices of the first run that was found, in an order that does not depend on the number of threads.
    /// Nothing as long as an earlier one may be found.
    pub fn found(&self) -> Option<&[u32]> {
        let (part, choices) = self.found.as_ref()?;
        self.done(*part).then_some(choices)
    }

    /// True if the program that it last went on with was another than that which it was begun with, as far as that showed.
    /// Then it proves nothing of either.
    pub fn changed(&self) -> bool {
        self.parts.iter().any(Progress::changed)
    }

    /// True if there is nothing left to do.
    pub fn over(&self) -> bool {
        self.found().is_some() || self.explored().all
    }

    /// Goes on, with up to `jobs` threads, until everything is explored, every part has reached its limits,
    /// or `sink` says otherwise. Which of the parts have got how far by then may differ from one time to the next;
    /// what they add up to in the end does not, nor which run is found. To keep a proof from time to time, let
    /// `sink` stop it, store it, and go on. It stops if the program [has changed](Proof::changed).
    pub fn go_on<T: Into<Then>>(
        &mut self,
        program: &Program,
        config: RunConfig,
        limits: Limits,
        jobs: usize,
        sink: impl Fn(&Outcome) -> T + Send + Sync + 'static,
    ) -> Explored {
        let end = self.found.as_ref().map_or(usize::MAX, |(part, _)| *part);
        let all = Arc::new(All {
            sink: Box::new(move |outcome| sink(outcome).into()),
            stop: AtomicBool::new(false),
            end: AtomicUsize::new(end),
            found: Mutex::new(self.found.take()),
        });
        let work = |(at, part): &(usize, Progress)| {
            if all.over_for(*at) || part.finished() {
                return part.clone();
            }
            let (all, at) = (Arc::clone(&all), *at);
            prove_on(program, config, limits, part.clone(), move |outcome| all.goes_on(at, &outcome))
        };
        if let [top] = &self.parts[..] {
            let mut top = work(&(0, top.clone()));
            let parts = if top.finished() { top.take_parts() } else { Vec::new() };
            self.parts = std::iter::once(top).chain(parts).collect();
        }
        let parts: Vec<_> = std::mem::take(&mut self.parts).into_iter().enumerate().collect();
        self.parts = run_all(&parts, jobs, work, |_, _| {});
        self.found = all.found.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.explored()
    }

    /// True if these parts, the first ones, are done.
    fn done(&self, parts: usize) -> bool {
        Progress::sum(&self.parts[..parts]).all
    }
}

/// What the threads of a proof share.
struct All {
    sink: Box<dyn Fn(&Outcome) -> Then + Send + Sync>,
    stop: AtomicBool,
    /// Only parts before this need be gone on with.
    end: AtomicUsize,
    found: Mutex<Option<(usize, Vec<u32>)>>,
}

impl All {
    fn over_for(&self, part: usize) -> bool {
        self.stop.load(Ordering::Relaxed) || part >= self.end.load(Ordering::Relaxed)
    }

    fn goes_on(&self, part: usize, outcome: &Outcome) -> bool {
        match (self.sink)(outcome) {
            Then::GoOn => {}
            Then::Stop => self.stop.store(true, Ordering::Relaxed),
            Then::Found => {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                if part < self.end.fetch_min(part, Ordering::Relaxed) {
                    *found = Some((part, outcome.decisions.iter().map(|d| d.chosen).collect()));
                }
            }
        }
        !self.over_for(part)
    }
}

/// What a proof is of.
fn of(name: &str, config: &RunConfig) -> String {
    let RunConfig { keep_going, max_steps, eager_time, .. } = config;
    format!("{name} (keep_going {keep_going}, max_steps {max_steps}, eager_time {eager_time})")
}
