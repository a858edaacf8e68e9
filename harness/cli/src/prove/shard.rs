//! A shard of `bohr prove`, and all of them together.
//!
//! Of a proof by traces, every shard does a part. A search by states shares what it has seen and cannot be split, so whole
//! proofs are dealt out.

use super::checkpoint::Checkpoint;
use super::one::{By, Covered, Limits, Prover};
use super::{Proved, conclude, print, subjects};
use crate::args;
use crate::exit::{Done, Error};
use crate::interrupt;
use crate::merge::{Merging, Shards};
use crate::output::Output;
use crate::progress::Progress;
use crate::shard::{Campaign, Shard, Work};
use crate::store::Store;
use crate::target::Subject;
use bohr_explore::proof::Proof;
use bohr_explore::strategy::Exhausted;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

/// What a shard has done of a proof.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Unit {
    /// Its parts.
    Traces {
        /// With the others left out.
        proof: Proof,
    },
    /// All of it.
    States {
        /// What was searched.
        exhausted: Exhausted,
        /// The choices that refute it.
        found: Option<Vec<u32>>,
    },
}

/// Runs the command for a shard. What is proved is told when all are put together.
pub fn prove(args: &args::Prove, shard: Shard, out: &mut Output) -> Result<Done, Error> {
    let subjects = subjects(&args.target, args.class.as_deref())?;
    let by = args.by.unwrap_or(if args.preemptions.is_some() { By::States } else { By::Traces });
    let of = Campaign::Prove {
        target: args.target.clone(),
        class: args.class.clone(),
        schedules: args.schedules,
        preemptions: args.preemptions,
        by,
        steps: args.steps,
    };
    let work = Work::<Unit>::open(&args.folder.out, of, shard)?;
    let stop = interrupt::flag();
    let limits = Limits::of(args, Some(by), &stop);
    let store = Store::open(&args.folder.out);
    let lacks = |unit: &usize| match by {
        By::Traces => work.lacks(*unit),
        By::States => work.wants(*unit),
    };
    let wanted: Vec<usize> = (0..subjects.len()).filter(lacks).collect();
    let progress = Progress::new(wanted.len());
    for unit in wanted {
        let subject = &subjects[unit];
        let prover = Prover::new(subject, &limits, &progress, &store)?;
        let done = match by {
            By::Traces => {
                let checkpoint = Checkpoint::of_shard(work.aside(unit), shard, subject, prover.config());
                Unit::Traces { proof: prover.go_on(checkpoint.read()?, &checkpoint, None)? }
            }
            By::States => {
                let (exhausted, found) = prover.search(limits.executions);
                Unit::States { exhausted, found }
            }
        };
        if stop.load(Ordering::Relaxed) {
            break;
        }
        keep_found(&prover, &done);
        work.keep(unit, done)?;
        progress.done();
    }
    progress.clear();
    work.conclude("proof", subjects.len(), stop.load(Ordering::Relaxed), &store, out)
}

/// What refutes a proof is kept the moment it is found. That it is the first of all, only all shards together can tell.
fn keep_found(prover: &Prover<'_>, unit: &Unit) {
    match unit {
        Unit::Traces { proof } => drop(proof.found().map(|choices| prover.keep(choices, 0))),
        Unit::States { found, .. } => drop(found.as_ref().map(|choices| prover.keep(choices, 0))),
    }
}

/// What all shards have shown.
pub fn merge(shards: &Shards, merging: &Merging<'_>, out: &mut Output) -> Result<Done, Error> {
    let Campaign::Prove { target, class, schedules, preemptions, by, steps } = shards.of() else {
        return Err(shards.unreadable());
    };
    let subjects = subjects(target, class.as_deref())?;
    let limits = Limits {
        executions: *schedules,
        steps: *steps,
        preemptions: *preemptions,
        by: Some(*by),
        until: None,
        stop: merging.stop.clone(),
        jobs: merging.jobs,
    };
    let parts: Vec<Vec<Unit>> = match by {
        By::Traces => shards.each(subjects.len())?,
        By::States => shards.dealt(subjects.len())?.into_iter().map(|unit| vec![unit]).collect(),
    };
    let progress = Progress::new(subjects.len());
    let mut proved = Vec::new();
    for (subject, parts) in subjects.into_iter().zip(parts) {
        let one = together(shards, subject, parts, &limits, &progress, merging.store)?;
        progress.above(|| if out.json { Ok(()) } else { print(&one, out) })?;
        proved.push(one);
    }
    progress.clear();
    conclude(&proved, &merging.stop, merging.store, out)
}

/// A proof out of what the shards have done of it.
fn together(
    shards: &Shards,
    subject: Subject,
    parts: Vec<Unit>,
    limits: &Limits,
    progress: &Progress,
    store: &Store,
) -> Result<Proved, Error> {
    let prover = Prover::new(&subject, limits, progress, store)?;
    let mut proofs = Vec::new();
    let mut searched = None;
    for part in parts {
        match part {
            Unit::Traces { proof } => proofs.push(proof),
            Unit::States { exhausted, found } => searched = Some((exhausted, found)),
        }
    }
    let (covered, found) = match searched {
        Some((exhausted, found)) => {
            let found = found.map(|choices| prover.keep(&choices, exhausted.complete));
            (Covered::States { exhausted, preemptions: limits.preemptions }, found)
        }
        None => {
            let proof = Proof::merged(&proofs)
                .map_err(|why| Error::Input(format!("cannot merge: {why}; {}", shards.of())))?;
            let explored = proof.explored();
            let found = proof.found().map(|choices| prover.keep(choices, explored.executions));
            (Covered::Traces(explored), found)
        }
    };
    drop(prover);
    Ok(Proved { subject, covered, found, checkpoint: None })
}
