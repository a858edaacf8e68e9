//! Traces: what happened in a run, step by step.

use crate::{Access, ObjectId, Site, TaskId};
use serde::{Deserialize, Serialize};

/// Everything that a reader needs to follow a run. Recorded only when asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Every task, by id.
    pub tasks: Vec<TaskInfo>,
    /// Every object, by id.
    pub objects: Vec<ObjectInfo>,
    /// Every step, in the order in which they ran.
    pub steps: Vec<Step>,
    /// What tasks had published, and did not get to do before the run ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<Undone>,
}

/// An operation that a task had published when the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// Whose it is.
    pub task: TaskId,
    /// What it is called.
    pub label: String,
    /// What it would have touched.
    pub objects: Vec<ObjectId>,
    /// Where it stands in the source.
    pub site: Site,
    /// True if it could not have run, because a guard did not hold.
    #[serde(default)]
    pub blocked: bool,
}

/// A task, for reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// Its name.
    pub name: String,
    /// Who created it; none for the main task.
    pub parent: Option<TaskId>,
    /// Where it was created; none for the main task.
    pub created: Option<Site>,
    /// The number of steps before it was created.
    #[serde(default)]
    pub born: u32,
}

/// An object, for reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// The type in the source's own words: `sync.Mutex`, `map`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Where it was created.
    pub created: Site,
}

/// One operation that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who ran it.
    pub task: TaskId,
    /// What it is called: `Lock`, `map assign: raise the flag`.
    pub label: String,
    /// What it touched, and how.
    pub objects: Vec<(ObjectId, Access)>,
    /// What it saw and did, in words: `locked`, `flag 0 -> 1`. May be empty.
    pub note: String,
    /// Where it stands in the source.
    pub site: Site,
    /// The virtual time at which it ran, in nanoseconds.
    pub time: u64,
    /// True if it ran after the schedule was over, alone, while the oracles looked.
    pub at_rest: bool,
    /// Another task ran before it although that one could have gone on.
    pub preempts: bool,
    /// Who could not go on just before it, because a guard did not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<TaskId>,
}
