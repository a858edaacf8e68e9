//! The code as it was reported: `pkg/controller/tainteviction/timed_workers.go`, the pod handler of
//! `pkg/controller/devicetainteviction`, and its test, before PR #130947.

use crate::queue::{self, Flow, Path};
use crate::world::{Api, Key, Pod, Step, Work, WorkId};

/// `TimedWorkerQueue`.
pub struct Queue;

impl queue::Queue for Queue {
    fn update_work(step: &mut Step<'_, '_>, work: Work) -> Flow {
        if let Some(entry) = step.entry(work.key) {
            if entry.worker.get().fire_at == work.fire_at {
                return Flow::Done;
            }
            step.stop(entry.owner);
        }
        let entry = step.create_worker(&work);
        step.store(work.key, entry);
        Flow::Done
    }

    fn cancel_work(step: &mut Step<'_, '_>, key: Key, _: Path) -> bool {
        let Some(entry) = step.entry(key) else { return false };
        let armed = !entry.worker.is_nil();
        if armed {
            step.stop(entry.owner);
        }
        step.remove(key);
        armed
    }

    fn finish(step: &mut Step<'_, '_>, key: Key, id: WorkId) {
        step.remove_finished(key, id);
    }
}

/// The pod handler.
pub struct Controller;

impl queue::Controller for Controller {
    fn unchanged(_: &Pod, _: &Pod) -> bool {
        // The claim statuses are compared, and they never change here.
        true
    }
}

/// `TestEviction`.
pub struct Tester;

impl queue::Tester for Tester {
    fn evicted(api: &Api, pods: u8) -> bool {
        api.metric == pods
    }
}
