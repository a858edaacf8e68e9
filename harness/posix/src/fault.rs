//! Faults: SIGKILL and the loss of power. They are steps of whoever inflicts them, at any point.

use crate::machine::{Dir, Machine, NameOrder};
use crate::process::{Exit, Proc};
use crate::state::{InodeRef, settle_directory, settle_inode};
use bohr_kernel::{Access, Cx, MultiOp, Objects, aside, digest};
use std::collections::BTreeMap;
use std::panic::Location;

impl Machine {
    /// SIGKILL for one process. What it was about to do does not happen, a write of several pages ends
    /// where it is, its descriptors close and its locks go in the same step; the file system stays.
    #[track_caller]
    pub fn kill(self, victim: Proc) {
        self.kill_where("SIGKILL", |objects, proc| {
            proc.pid == victim.pid && objects.get(proc.me).exit.is_none()
        });
    }

    /// SIGKILL for all processes of a container, forked children and those that have not begun included.
    #[track_caller]
    pub fn kill_container(self, container: u32) {
        self.kill_where("SIGKILL the container", |objects, proc| objects.get(proc.me).container == container);
    }

    #[track_caller]
    fn kill_where(self, label: &'static str, dies: impl Fn(&Objects, Proc) -> bool) {
        let op = MultiOp::new(label).touch(self.table, Access::Write).at(Location::caller());
        op.touch(self.ended, Access::Add).run(|objects, cx| {
            let victims = self.processes(objects).into_iter().filter(|p| dies(objects, *p));
            for proc in victims.collect::<Vec<_>>() {
                self.strike(objects, cx, proc, Exit::Killed);
            }
            self.settle_table(objects, cx);
            cx.learned(|| 0);
        });
    }

    /// The power fails and comes back. All processes die; memory file systems are empty; on disks every
    /// inode has one of the contents since its last `fsync`, and the directory is the durable one with
    /// some of what happened to it since (POSIX.1-2024, fsync(), Rationale).
    ///
    /// Which, is a choice: one for the names of each disk, one for the content of each file they leave.
    #[track_caller]
    pub fn power_loss(self, order: NameOrder) {
        let site = Location::caller();
        let op = MultiOp::new("power loss").touch(self.table, Access::Write).at(site);
        op.touch(self.ended, Access::Add).run(|objects, cx| {
            for proc in self.processes(objects) {
                self.strike(objects, cx, proc, Exit::PowerLoss);
            }
            for dir in objects.get(self.table).dirs.clone() {
                let state = objects.get_mut(dir.state);
                state.writing.clear();
                if state.volatile {
                    state.names.clear();
                }
                settle_directory(objects, cx, dir.state);
            }
            self.settle_table(objects, cx);
            cx.learned(|| 0);
        });
        let dirs = self.table.peek(|t| t.dirs.clone());
        for dir in dirs.into_iter().filter(|d| d.state.peek(|d| d.durable.is_some())) {
            let names = name_states(dir, order);
            let op = MultiOp::new("names after the loss").touch(self.table, Access::Write).at(site);
            op.touch(dir.state, Access::Write).run_choosing(
                |_, _| names.len() as u32,
                |objects, cx, chosen| {
                    let kept = &names[chosen as usize];
                    for inode in objects.get(dir.state).names.values().copied().collect::<Vec<_>>() {
                        objects.get_mut(inode.data).links = 0;
                    }
                    for inode in kept.values() {
                        objects.get_mut(inode.data).links = 0;
                    }
                    for inode in kept.values() {
                        objects.get_mut(inode.data).links += 1;
                    }
                    let state = objects.get_mut(dir.state);
                    state.names.clone_from(kept);
                    if let Some(durable) = &mut state.durable {
                        durable.names.clone_from(kept);
                        durable.since.clear();
                    }
                    settle_directory(objects, cx, dir.state);
                    self.settle_table(objects, cx);
                    cx.learned(|| 0);
                    cx.note(|| {
                        let state = objects.get(dir.state);
                        kept.keys().map(|n| state.spell(*n)).collect::<Vec<_>>().join(" ")
                    });
                },
            );
            let kept: BTreeMap<u64, InodeRef> =
                dir.state.peek(|d| d.names.values().map(|inode| (inode.id, *inode)).collect());
            for inode in kept.into_values() {
                let versions = inode.data.peek(|i| i.versions.clone()).unwrap_or_default();
                let op = MultiOp::new("content after the loss").touch(self.table, Access::Write).at(site);
                op.touch(inode.data, Access::Write).run_choosing(
                    |_, _| versions.len() as u32,
                    |objects, cx, chosen| {
                        let state = objects.get_mut(inode.data);
                        state.data.clone_from(&versions[chosen as usize]);
                        state.versions = Some(vec![state.data.clone()]);
                        settle_inode(objects, cx, self.table, inode);
                        self.settle_table(objects, cx);
                        cx.learned(|| 0);
                        cx.note(|| format!("{} bytes", objects.get(inode.data).data.len()));
                    },
                );
            }
        }
    }

    /// Nothing on this machine runs any more, the calling process included: for a run that has been judged.
    /// It is no step, and nobody can see it.
    pub fn freeze(self, caller: Proc) -> ! {
        aside(|objects, cx| {
            for proc in self.processes(objects) {
                if let (None, Some(task)) = (objects.get(proc.me).exit, objects.get(proc.me).task) {
                    cx.kill(objects, task);
                }
            }
        });
        caller.never()
    }

    fn strike(self, objects: &mut Objects, cx: &mut Cx<'_>, victim: Proc, how: Exit) {
        if objects.get(victim.me).exit.is_some() {
            return;
        }
        cx.note(|| format!("{:?} dies", objects.get(victim.me).name));
        if let Some(task) = objects.get(victim.me).task {
            cx.kill(objects, task);
        }
        victim.end(objects, cx, how);
    }

    fn settle_table(self, objects: &mut Objects, cx: &mut Cx<'_>) {
        cx.identify(objects, self.table, |objects| digest(&objects.get(self.table).processes.len()));
    }

    fn processes(self, objects: &Objects) -> Vec<Proc> {
        let processes = objects.get(self.table).processes.iter().enumerate();
        processes.map(|(pid, me)| Proc { machine: self, me: *me, pid: pid as u32 }).collect()
    }
}

/// The different sets of names that a power loss may leave in a directory.
fn name_states(dir: Dir, order: NameOrder) -> Vec<BTreeMap<u64, InodeRef>> {
    let durable = dir.state.peek(|d| d.durable.clone()).unwrap_or_default();
    let since = &durable.since;
    let all = 1u64 << since.len().min(20);
    let kept: Box<dyn Iterator<Item = u64>> = match order {
        NameOrder::AnySubset => Box::new(0..all),
        NameOrder::Prefix => Box::new((0..=since.len() as u32).map(|n| (1 << n) - 1)),
    };
    let mut states: Vec<BTreeMap<u64, InodeRef>> = Vec::new();
    for mask in kept {
        let mut names = durable.names.clone();
        for (_, op) in since.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1) {
            op.apply(&mut names);
        }
        let ids = |names: &BTreeMap<u64, InodeRef>| names.iter().map(|(n, i)| (*n, i.id)).collect::<Vec<_>>();
        if !states.iter().any(|known| ids(known) == ids(&names)) {
            states.push(names);
        }
    }
    states
}
