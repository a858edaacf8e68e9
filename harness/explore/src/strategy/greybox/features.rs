//! What a run is known by, as numbers that do not depend on the runs before it.

use super::flow::{Flow, Kind};
use super::watch::Watch;
use bohr_kernel::{Kernel, TaskId};

/// Watches runs, and names the pairs of [`Greybox`](super::Greybox) that each of them shows: which write an operation
/// read from, what a write came after that had read what it overwrites, which value was drawn after an operation.
///
/// The names are hashes of source lines and of the roles of tasks and objects, the same in every process that is built
/// from the same source.
#[derive(Debug, Default)]
pub struct Features {
    watch: Watch,
    /// By the number of the pair.
    hashes: Vec<u64>,
    shown: Vec<u64>,
}

impl Features {
    /// Begins a run.
    pub fn begin_run(&mut self) {
        self.watch.begin_run();
    }

    /// As [`Strategy::runs`](bohr_kernel::Strategy::runs).
    pub fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        self.watch.look_at(kernel, task);
        self.watch.step(task);
    }

    /// A task drew a value.
    pub fn draws(&mut self, task: TaskId, value: u32) {
        self.watch.draws(self.watch.did(task), value);
    }

    /// What the run has shown, each once, in the order in which it showed.
    pub fn shown(&mut self) -> &[u64] {
        let Features { watch, hashes, shown } = self;
        let flows = &watch.flows;
        for flow in &flows.all()[hashes.len()..] {
            hashes.push(hash_of(watch, *flow));
        }
        shown.clear();
        shown.extend(flows.shown().iter().map(|id| hashes[*id as usize]));
        shown
    }
}

fn hash_of(watch: &Watch, flow: Flow) -> u64 {
    let Flow { kind, object, from, own, to } = flow;
    let names = &watch.names;
    let from = if kind == Kind::Draws { u64::from(from) } else { names.event_hash(from) };
    let parts = [kind as u64, names.object_hash(object), from, u64::from(own), names.event_hash(to)];
    hash(parts.iter().flat_map(|part| part.to_le_bytes()))
}

/// FNV-1a (Fowler, Noll & Vo), 64 bits.
pub(super) fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
