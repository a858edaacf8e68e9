//! Findings: what went wrong in a run.

use crate::{Site, TaskId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What sort of thing went wrong.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A modelled panic that nobody recovered: it ends the modelled process.
    Panic,
    /// A modelled runtime fatal error: it ends the process and nothing can recover it.
    Fatal,
    /// Two unordered accesses to plain memory, at least one a write.
    DataRace,
    /// Nothing can run and the main task is among the blocked.
    Deadlock,
    /// Tasks were still blocked when all else was quiet after main had ended.
    Leak,
    /// An invariant of the scenario was violated.
    Oracle,
    /// The run went over its step bound: a livelock, or a bound that is too low.
    StepBound,
    /// The scenario's own Rust code panicked. That is an error in the scenario, not a modelled one.
    ScenarioBug,
}

impl Kind {
    /// True if the modelled process is dead after it, so that no policy can go on.
    pub fn ends_the_run(self) -> bool {
        !matches!(self, Kind::DataRace | Kind::Oracle)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Panic => "panic",
            Kind::Fatal => "fatal error",
            Kind::DataRace => "data race",
            Kind::Deadlock => "deadlock",
            Kind::Leak => "leak",
            Kind::Oracle => "oracle violated",
            Kind::StepBound => "step bound exceeded",
            Kind::ScenarioBug => "error in the scenario's own code",
        })
    }
}

/// Something that went wrong, in the words the real system would print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What sort of thing.
    pub kind: Kind,
    /// The exact text, without the prefix (`panic: `, `fatal error: `) that the kind implies.
    pub text: String,
    /// The id of the oracle that speaks, if the scenario has one for it.
    pub oracle: Option<String>,
    /// The task in which it showed, if it showed in one.
    pub task: Option<TaskId>,
    /// The index of the step in which it showed: the number of steps before it.
    pub step: u32,
    /// Where the operation that showed it stands in the source.
    pub site: Option<Site>,
    /// What is particular to the kind.
    pub detail: Detail,
}

impl Finding {
    /// True if both are the same failure: same kind, same oracle, same text. The schedule that led
    /// there, and which of two symmetric tasks was hit, may differ.
    pub fn same_failure(&self, other: &Finding) -> bool {
        self.kind == other.kind && self.oracle == other.oracle && self.text == other.text
    }

    /// The line the real system would print first.
    pub fn headline(&self) -> String {
        match self.kind {
            Kind::Panic => format!("panic: {}", self.text),
            Kind::Fatal | Kind::Deadlock => format!("fatal error: {}", self.text),
            Kind::DataRace => format!("WARNING: DATA RACE on {}", self.text),
            Kind::Leak | Kind::Oracle | Kind::StepBound | Kind::ScenarioBug => {
                format!("{}: {}", self.kind, self.text)
            }
        }
    }
}

/// What is particular to one kind of finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// Nothing more to say.
    None,
    /// The two accesses of a data race.
    Race {
        /// The access that came first in this run.
        first: RaceAccess,
        /// The access that showed the race.
        second: RaceAccess,
    },
    /// Who was blocked at the end, and at what.
    Blocked(Vec<BlockedTask>),
}

/// One access of a data race.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceAccess {
    /// Who.
    pub task: TaskId,
    /// The task's name.
    pub task_name: String,
    /// Where the task was created; none for the main task.
    pub created: Option<Site>,
    /// Whether it wrote.
    pub write: bool,
    /// Where in the source.
    pub site: Site,
    /// The index of the step.
    pub step: u32,
}

/// A task that could not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedTask {
    /// Who.
    pub task: TaskId,
    /// The task's name.
    pub name: String,
    /// Go's name for the reason, such as `sync.Mutex.Lock`.
    pub reason: String,
    /// The name of the object it waits at.
    pub object: String,
    /// Where in the source it waits.
    pub site: Site,
    /// The tasks that hold the object: edges of the wait-for graph.
    pub held_by: Vec<TaskId>,
    /// Where the task was created; none for the main task.
    pub created: Option<Site>,
}
