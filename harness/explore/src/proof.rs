//! Proofs that take long: on all cores, and with breaks.
//!
//! A proof is split into parts by its first few choices, always the same parts, so that what it shows depends
//! neither on the number of cores nor on where it was interrupted.

use crate::jobs::run_all;
use crate::search::prove_on;
use crate::strategy::{Explored, Limits, Progress};
use bohr_kernel::{Outcome, Program, RunConfig};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The version of the form in which proofs are written.
const VERSION: u32 = 1;

/// How far a proof has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    version: u32,
    /// What is proved of what.
    of: String,
    /// The first is what is above the others.
    parts: Vec<Progress>,
}

/// Why a stored proof cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is no proof.
    #[error("not a proof: {0}")]
    Malformed(#[from] serde_json::Error),
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
        Proof { version: VERSION, of: of(name, config), parts: vec![Progress::split_at(choices)] }
    }

    /// As text, to store.
    ///
    /// # Panics
    /// Never: there is nothing in it that could not be written.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and names can be written")
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
        let Head { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(Unusable::Version(version));
        }
        let proof: Proof = serde_json::from_str(text)?;
        let expected = of(name, config);
        if proof.of == expected { Ok(proof) } else { Err(Unusable::OfAnother { found: proof.of, expected }) }
    }

    /// How far it has come.
    pub fn explored(&self) -> Explored {
        Progress::sum(&self.parts)
    }

    /// Goes on, with up to `jobs` threads, until everything is explored, every part has reached its limits,
    /// or `sink` says false. Which of the parts have got how far by then may differ from one time to the next;
    /// what they add up to in the end does not. To keep a proof from time to time, let `sink` say false,
    /// store it, and go on.
    ///
    /// # Panics
    /// If the program is not the one that the proof was begun with.
    pub fn go_on(
        &mut self,
        program: &Program,
        config: RunConfig,
        limits: Limits,
        jobs: usize,
        sink: impl Fn(Outcome) -> bool + Send + Sync + 'static,
    ) -> Explored {
        let sink = Arc::new(sink);
        let stop = Arc::new(AtomicBool::new(false));
        let work = |part: &Progress| {
            if stop.load(Ordering::Relaxed) || part.finished() {
                return part.clone();
            }
            let (sink, stop) = (Arc::clone(&sink), Arc::clone(&stop));
            prove_on(program, config, limits, part.clone(), move |outcome| {
                if !sink(outcome) {
                    stop.store(true, Ordering::Relaxed);
                }
                !stop.load(Ordering::Relaxed)
            })
        };
        if let [top] = &mut self.parts[..] {
            *top = work(top);
            if top.finished() {
                let parts = top.take_parts();
                self.parts.extend(parts);
            }
        }
        self.parts = run_all(&self.parts, jobs, work, |_, _| {});
        self.explored()
    }
}

/// What a proof is of.
fn of(name: &str, config: &RunConfig) -> String {
    let RunConfig { keep_going, max_steps, eager_time, .. } = config;
    format!("{name} (keep_going {keep_going}, max_steps {max_steps}, eager_time {eager_time})")
}
