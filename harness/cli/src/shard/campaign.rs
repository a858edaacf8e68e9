//! What shards are of: a command, and all that its results depend on.

use crate::prove::By;
use bohr_explore::driver::Driver;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A command that was split. Two shards belong together if theirs are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Campaign {
    /// `bohr run`
    Run {
        /// What to run.
        targets: Vec<String>,
        /// The first seed.
        seed: u64,
        /// The most schedules of one seed.
        schedules: Option<u64>,
        /// The only driver.
        driver: Option<Driver>,
    },
    /// `bohr prove`
    Prove {
        /// What to prove.
        target: String,
        /// The workload class.
        class: Option<String>,
        /// The most executions of each proof, or of each shard's part of it.
        schedules: u64,
        /// The bound on preemptions.
        preemptions: Option<u32>,
        /// What is told apart.
        by: By,
        /// The most steps of one execution.
        steps: u32,
    },
    /// `bohr fuzz`
    Fuzz {
        /// What to run.
        target: String,
        /// The first seed.
        seed: u64,
        /// How many.
        seeds: u64,
        /// The most schedules, over all workloads and seeds.
        schedules: u64,
    },
}

impl Campaign {
    /// The command's name.
    pub fn command(&self) -> &'static str {
        match self {
            Campaign::Run { .. } => "run",
            Campaign::Prove { .. } => "prove",
            Campaign::Fuzz { .. } => "fuzz",
        }
    }
}

/// As it would be typed.
impl fmt::Display for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bohr {}", self.command())?;
        match self {
            Campaign::Run { targets, seed, schedules, driver } => {
                targets.iter().try_for_each(|target| write!(f, " {}", word(target)))?;
                write!(f, " --seed {seed}")?;
                option(f, "schedules", schedules.as_ref())?;
                option(f, "driver", driver.as_ref())
            }
            Campaign::Prove { target, class, schedules, preemptions, by, steps } => {
                write!(f, " {}", word(target))?;
                option(f, "class", class.as_deref().map(word).as_ref())?;
                option(f, "preemptions", preemptions.as_ref())?;
                write!(f, " --by {by} --schedules {schedules} --steps {steps}")
            }
            Campaign::Fuzz { target, seed, seeds, schedules } => {
                write!(f, " {} --seed {seed} --seeds {seeds} --schedules {schedules}", word(target))
            }
        }
    }
}

fn option(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " --{name} {value}"))
}

/// Quoted for a shell, if it has to be.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+=:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
