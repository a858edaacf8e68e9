//! How far an exploration has come, as data that can be kept.

use super::Explored;
use super::stack::Stack;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How far an exploration, or a part of one, has come. [`Dpor::resume`](super::Dpor::resume) goes on from here,
/// and what it explores is what it would have explored without the break.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub(super) stack: Stack,
    /// After how many choices among tasks it leaves the rest to others.
    pub(super) split_at: Option<usize>,
    /// The rests.
    parts: Vec<Stack>,
    pub(super) executions: u64,
    pub(super) sleep_blocked: u64,
    pub(super) traces: BTreeSet<u64>,
    pub(super) finished: bool,
    /// The program did something else than before when the same choices were made.
    #[serde(skip)]
    pub(super) changed: bool,
}

impl Progress {
    /// An exploration that has not begun and will leave what is below this many choices among tasks to
    /// other ones: its [parts](Progress::take_parts). For that it tries above all that can be tried, whether it
    /// races or not. With sleep sets no execution comes twice all the same.
    pub fn split_at(choices: usize) -> Self {
        Progress { split_at: Some(choices), ..Progress::default() }
    }

    /// The parts that it has left so far, none of which has begun. They know nothing of each other.
    pub fn take_parts(&mut self) -> Vec<Progress> {
        let parts = std::mem::take(&mut self.parts);
        parts.into_iter().map(|stack| Progress { stack, ..Progress::default() }).collect()
    }

    /// What was explored, by all of these together.
    pub fn sum<'p>(all: impl IntoIterator<Item = &'p Progress>) -> Explored {
        let all: Vec<&Progress> = all.into_iter().collect();
        let traces: BTreeSet<u64> = all.iter().flat_map(|part| part.traces.iter().copied()).collect();
        Explored {
            all: all.iter().all(|part| part.finished && part.parts.is_empty()),
            executions: all.iter().map(|part| part.executions).sum(),
            sleep_blocked: all.iter().map(|part| part.sleep_blocked).sum(),
            traces: traces.len() as u64,
        }
    }

    /// True if it was not the same program any more: then it is worth nothing.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// True if there is nothing left to do, other than in parts.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Leaves what is below the present choices to a part.
    pub(super) fn leave(&mut self) {
        self.parts.push(self.stack.below());
    }

    pub(super) fn runs(&self) -> u64 {
        self.executions + self.sleep_blocked
    }
}
