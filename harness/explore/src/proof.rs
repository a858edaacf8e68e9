//! Proofs that take long: on all cores, and with breaks.
//!
//! A proof is split into parts by its first few choices, always the same parts, so that what it shows depends
//! neither on the number of cores nor on where it was interrupted. Machines that know nothing of each other can each do
//! a [share](Share) of the parts, whose results [come together](Proof::merged) as if one had done them all. What is
//! above the parts each of them explores for itself: that is how it gets to know them, and costs a few runs.

use crate::jobs::run_all;
use crate::search::prove_on;
use crate::strategy::{Explored, Limits, Progress};
use bohr_kernel::{Outcome, Program, RunConfig, choices_of};
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
    /// Which parts are to be done; all, if it is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share: Option<Share>,
}

/// Which of a proof's parts are one's own: each `of`-th, from `index` on. Parts are dealt out in turn because
/// neighbours resemble each other in size.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Which share, from 0.
    pub index: usize,
    /// Of how many.
    pub of: usize,
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

/// Why shares of a proof do not come together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWhole {
    /// One is missing, or there twice.
    #[error("share {} of {of} is there {times} times", index + 1)]
    Share {
        /// Which, from 0.
        index: usize,
        /// Of how many.
        of: usize,
        /// How often.
        times: usize,
    },
    /// They are of different things.
    #[error("a share is of `{0}`, and another of `{1}`")]
    Of(String, String),
    /// What is above the parts differs, so the program does.
    #[error("the shares of the proof of `{0}` begin differently: they are of different programs")]
    Top(String),
}

impl Proof {
    /// A proof that has not begun. `name` is what it is of, such as the names of scenario, variant and
    /// workload. What is below the first `choices` choices among tasks is split into parts.
    pub fn new(name: &str, config: &RunConfig, choices: usize) -> Self {
        let parts = vec![Progress::split_at(choices)];
        Proof { of: of(name, config), parts, found: None, share: None }
    }

    /// As [`new`](Proof::new), but only a share of the parts.
    pub fn share(name: &str, config: &RunConfig, choices: usize, share: Share) -> Self {
        Proof { share: Some(share), ..Proof::new(name, config, choices) }
    }

    /// The whole of a proof, of all its shares: what it would be if one had done it. Which run is found does not
    /// depend on the number of shares either.
    ///
    /// # Errors
    /// If they are not all the shares of one proof, each once.
    pub fn merged(shares: &[Proof]) -> Result<Proof, NotWhole> {
        let of = shares.len();
        let of_index = |index| {
            let mut same = shares.iter().filter(|proof| proof.share == Some(Share { index, of }));
            match (same.next(), same.count()) {
                (Some(proof), 0) => Ok(proof),
                (first, more) => {
                    Err(NotWhole::Share { index, of, times: usize::from(first.is_some()) + more })
                }
            }
        };
        let shares: Vec<&Proof> = (0..of).map(of_index).collect::<Result<_, _>>()?;
        let [first, others @ ..] = &shares[..] else {
            return Err(NotWhole::Share { index: 0, of: 1, times: 0 });
        };
        for other in others {
            if other.of != first.of {
                return Err(NotWhole::Of(first.of.clone(), other.of.clone()));
            }
            if other.parts[0] != first.parts[0] || other.parts.len() != first.parts.len() {
                return Err(NotWhole::Top(first.of.clone()));
            }
        }
        let parts = (0..first.parts.len()).map(|part| shares[part % of].parts[part].clone()).collect();
        let found = shares.iter().filter_map(|proof| proof.found.clone()).min_by_key(|(part, _)| *part);
        Ok(Proof { parts, found, share: None, ..(*first).clone() })
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
        let own = (0..parts).filter(|part| self.is_own(*part)).map(|part| &self.parts[part]);
        Explored { all: self.found.is_none() && self.done(parts), ..Progress::sum(own) }
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
        let share = self.share;
        let work = |(at, part): &(usize, Progress)| {
            if all.over_for(*at) || part.finished() || !(*at == 0 || is_own(share, *at)) {
                return part.clone();
            }
            let (all, at) = (Arc::clone(&all), *at);
            prove_on(program, config, limits, part.clone(), move |outcome| all.goes_on(at, &outcome))
        };
        if let [top] = &self.parts[..] {
            let mut top = work(&(0, top.clone()));
            let mut parts = if top.finished() { top.take_parts() } else { Vec::new() };
            // What others do need not be kept.
            let others = parts.iter_mut().enumerate().filter(|(n, _)| !is_own(share, n + 1));
            others.for_each(|(_, part)| *part = Progress::default());
            self.parts = std::iter::once(top).chain(parts).collect();
        }
        let parts: Vec<_> = std::mem::take(&mut self.parts).into_iter().enumerate().collect();
        self.parts = run_all(&parts, jobs, work, |_, _| {});
        self.found = all.found.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.explored()
    }

    /// True if of these parts, the first ones, its own are done. What is above them must be for all.
    fn done(&self, parts: usize) -> bool {
        let own = (0..parts).filter(|part| *part == 0 || self.is_own(*part));
        Progress::sum(own.map(|part| &self.parts[part])).all
    }

    /// True if what this part shows is counted here.
    fn is_own(&self, part: usize) -> bool {
        is_own(self.share, part)
    }
}

fn is_own(share: Option<Share>, part: usize) -> bool {
    share.is_none_or(|share| part % share.of == share.index)
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
                    *found = Some((part, choices_of(&outcome.decisions)));
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
