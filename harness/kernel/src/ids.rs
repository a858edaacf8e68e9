//! Names of tasks and objects inside one run.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// What a task or an object is called in reports. Mostly a literal, which no run has to copy.
pub type Name = Cow<'static, str>;

/// A task: a goroutine, a process, or the main program (task 0).
///
/// Ids are dense and given in the order of spawning, so the same schedule gives the same ids.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub u32);

impl TaskId {
    /// The task that runs the program's body.
    pub const MAIN: TaskId = TaskId(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.0)
    }
}

/// An object that operations touch. Dense, in the order of creation.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(pub u32);

impl ObjectId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A source position, with the path as the compiler saw it (relative to the workspace).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Site {
    /// Path of the file, `/` between folders.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl Site {
    /// The position of a caller, with any folder above the workspace cut off, so that a report has
    /// the same bytes wherever the project was checked out.
    pub fn of(location: &std::panic::Location<'_>) -> Self {
        let path = location.file().replace('\\', "/");
        let start = ["scenarios/", "harness/", "fuzz/"].iter().filter_map(|root| path.find(root)).min();
        let file = match start {
            Some(at) if path.starts_with('/') => path[at..].to_owned(),
            _ => path,
        };
        Site { file, line: location.line() }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
