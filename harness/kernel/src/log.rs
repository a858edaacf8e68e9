//! The log of a run: what partial-order reduction needs to know of it, and no more.

use crate::{Access, ObjectId, TaskId};
use smallvec::SmallVec;

/// What an operation touches, and how.
pub type Footprint = SmallVec<[(ObjectId, Access); 2]>;

/// Something that happened in a run, other than a choice. Kept only if the run is to
/// [log](crate::RunConfig::log).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task stops before an operation. A new task does so right after the step in which it was
    /// spawned.
    Publishes {
        /// Who.
        task: TaskId,
        /// What the operation touches. Nothing for joining, which only has to come after all that the
        /// other task does.
        objects: Footprint,
        /// Whose end the operation waits for.
        joins: Option<TaskId>,
    },
    /// A task carries out what it has published. What it does on its way to its next operation belongs to
    /// this step.
    Runs {
        /// Who.
        task: TaskId,
        /// Everybody who could have gone on instead, and the task itself.
        enabled: SmallVec<[TaskId; 4]>,
    },
    /// The step also touched this, which was not published.
    Touches(ObjectId, Access),
    /// Virtual time moved because nothing else could happen.
    TimeMoves,
    /// The step stopped the run.
    Stops,
}
