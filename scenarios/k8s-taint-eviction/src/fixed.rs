//! The code with a queue that is right: upstream's fix leaves it open to timers, cancels and replaced
//! pods. An entry knows its work (by a token that is never used again), its pod's uid, and whether the work
//! is still to come; a worker that begins claims its entry first. The handler and the test are
//! upstream's.

use crate::queue::{self, Flow, Path};
use crate::world::{Entry, Key, Step, Timer, Work, WorkId};

pub use crate::upstream_fix::{Controller, Tester};

/// `TimedWorkerQueue`.
pub struct Queue;

impl queue::Queue for Queue {
    const CLAIMS: bool = true;

    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            let worker = *entry.worker.get();
            if worker.timer == Timer::Running && worker.uid == work.uid {
                step.note(|| "keeping existing work, already in progress");
                return Flow::Done;
            }
            if worker.timer == Timer::Armed {
                if worker.uid == work.uid && worker.fire_at == work.fire_at {
                    return Flow::Done;
                }
                step.stop(entry.owner);
            }
            // Work that runs for another uid is left alone: the API server's checks make it harmless.
        }
        let entry = new_entry(step, &work);
        step.store(work.key, entry);
        Flow::Done
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, path: Path) -> bool {
        let Some(entry) = step.entry(key) else { return false };
        let armed = entry.worker.get().timer == Timer::Armed;
        if armed {
            step.stop(entry.owner);
        }
        if armed || path == Path::Deleted {
            step.remove(key);
        }
        armed
    }

    fn begin(step: &mut Step<'_, '_>, key: Key, id: WorkId) -> bool {
        let Some(entry) = step.entry(key).filter(|entry| entry.owner == id) else { return false };
        step.store(key, entry.with(Timer::Running));
        true
    }

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        if step.entry(key).is_some_and(|entry| entry.owner == id) {
            step.remove_finished(key, id);
        }
    }
}

/// Starts work if its time has come, arms a timer otherwise. Running covers work that was started and
/// has not claimed its entry yet.
pub(crate) fn new_entry(step: &mut Step<'_, '_>, work: &Work) -> Entry {
    if work.fire_at <= work.now {
        Entry::new(step.start(work), work, Timer::Running)
    } else {
        Entry::new(step.arm(work), work, Timer::Armed)
    }
}
