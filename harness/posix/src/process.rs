//! Processes: they start, fork, and end by themselves or by SIGKILL.

use crate::machine::Machine;
use crate::state::{Description, drop_descriptor, settle_description};
use crate::{Errno, Fd};
use bohr_kernel::{Access, Cx, MultiOp, Name, Obj, Objects, TaskId, current_task, digest, knows, spawn};
use std::hash::Hash;
use std::panic::Location;

/// A process.
#[derive(Copy, Clone, Debug)]
pub struct Proc {
    pub(crate) machine: Machine,
    pub(crate) me: Obj<Process>,
    pub(crate) pid: u32,
}

/// How a process ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By SIGKILL.
    Killed,
    /// With the power.
    PowerLoss,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: Name,
    pub(crate) exit: Option<Exit>,
    /// By number, from [`FIRST`].
    pub(crate) descriptors: Vec<Option<Obj<Description>>>,
    pub(crate) container: u32,
    /// How many more page writes may fail because the disk is full.
    pub(crate) full_disk: u32,
    pub(crate) task: Option<TaskId>,
    /// What [`Proc::within`] said last.
    pub(crate) frame: u64,
    /// The last line on standard error.
    pub(crate) said: String,
}

/// Standard input, output and error come before it.
pub(crate) const FIRST: usize = 3;

impl Process {
    pub(crate) fn description(&self, fd: Fd) -> Option<Obj<Description>> {
        self.descriptors.get(fd.index()).copied().flatten()
    }

    /// The lowest free descriptor, as POSIX says ("File Descriptor Allocation", XSH 2.6).
    pub(crate) fn insert(&mut self, description: Obj<Description>) -> Fd {
        let free = self.descriptors.iter().position(Option::is_none);
        let at = free.unwrap_or(self.descriptors.len());
        if at == self.descriptors.len() {
            self.descriptors.push(None);
        }
        self.descriptors[at] = Some(description);
        Fd((at + FIRST) as u32)
    }
}

impl Machine {
    /// Starts a process, which ends with the status that `body` gives. `container` is what it can be
    /// killed together with.
    #[track_caller]
    pub fn spawn(
        self,
        name: impl Into<Name>,
        container: u32,
        body: impl FnOnce(Proc) -> i32 + Send + 'static,
    ) -> Proc {
        let name = name.into();
        let process = Process {
            name: name.clone(),
            exit: None,
            descriptors: Vec::new(),
            container,
            full_disk: 0,
            task: None,
            said: String::new(),
            frame: 0,
        };
        let me = Obj::create("process", name.clone(), process);
        let pid = self.table.poke(|t| {
            t.processes.push(me);
            t.processes.len() as u32 - 1
        });
        let proc = Proc { machine: self, me, pid };
        let task = spawn(name, move || {
            let task = current_task();
            proc.me.poke(|p| p.task = Some(task));
            let code = body(proc);
            proc.exit(code);
        });
        // On OS threads the child may not have got so far.
        me.poke(|p| p.task = Some(task));
        proc
    }

    /// Waits until each of these has ended (waitpid(2), for all of them).
    #[track_caller]
    pub fn wait(self, processes: &[Proc]) {
        let mask = processes.iter().fold(0, |mask, p| mask | p.bit());
        let op = MultiOp::new("waitpid").touch(self.ended, Access::Read).at(Location::caller());
        op.when(self.ended, |ended, mask| ended & mask == mask, mask).run(|_, cx| cx.learned(|| 0));
    }
}

impl Proc {
    /// How it ended, for oracles; nothing while it runs.
    pub fn ended(self) -> Option<Exit> {
        self.me.peek(|p| p.exit)
    }

    /// Its name.
    pub fn name(self) -> String {
        self.me.peek(|p| p.name.to_string())
    }

    /// Prints a line on standard error, which tells nobody anything but the reader of a report.
    pub fn complain(self, line: impl Into<String>) {
        let line = line.into();
        self.me.poke(|p| p.said = line);
    }

    /// The last line that it printed on standard error.
    pub fn said(self) -> String {
        self.me.peek(|p| p.said.clone())
    }

    /// The machine it runs on.
    pub fn machine(self) -> Machine {
        self.machine
    }

    /// The task that it is.
    pub fn task(self) -> Option<TaskId> {
        self.me.peek(|p| p.task)
    }

    /// Says that `locals`, the line that calls this, and what [`Proc::within`] was told last, are all that
    /// the process still remembers: what it read before does not matter any more. See
    /// [`bohr_kernel::knows`].
    #[track_caller]
    pub fn knows(self, locals: impl Hash) {
        let here = Location::caller();
        let frame = self.me.peek(|p| p.frame);
        knows(|| digest(&(here.file(), here.line(), frame, locals)));
    }

    /// Says what the callers of the function that runs still remember, for a function that calls
    /// [`Proc::knows`] and cannot see it.
    #[track_caller]
    pub fn within(self, locals: impl Hash) {
        let here = Location::caller();
        let frame = digest(&(here.file(), here.line(), locals));
        self.me.poke(|p| p.frame = frame);
    }

    /// An operation of this process on something that is no file. It conflicts with a kill, as all that a
    /// process does must.
    #[track_caller]
    pub fn op(self, label: &'static str) -> MultiOp {
        let op = MultiOp::new(label).touch(self.machine.table, Access::Read);
        op.touch(self.me, Access::Read).at(Location::caller())
    }

    /// An operation that changes the process itself, such as its descriptors.
    #[track_caller]
    pub(crate) fn op_on_self<S>(self, label: &'static str, object: Obj<S>, access: Access) -> MultiOp {
        let op = MultiOp::new(label).touch(object, access).touch(self.machine.table, Access::Read);
        op.touch(self.me, Access::Write).at(Location::caller())
    }

    /// An operation on `object`, which comes first in what reports say of it.
    #[track_caller]
    pub(crate) fn op_on<S>(self, label: &'static str, object: Obj<S>, access: Access) -> MultiOp {
        let op = MultiOp::new(label).touch(object, access).touch(self.machine.table, Access::Read);
        op.touch(self.me, Access::Read).at(Location::caller())
    }

    /// Up to `times` page writes of this process may fail with ENOSPC, each by choice.
    pub fn full_disk(self, times: u32) {
        self.me.poke(|p| p.full_disk = times);
    }

    /// Whether a page write of this process has failed for want of space, given how many may.
    pub fn full_disk_left(self) -> u32 {
        self.me.peek(|p| p.full_disk)
    }

    /// Makes a child that does nothing but keep every descriptor that this process has, which then share
    /// their descriptions (fork(2)). It is in the same container, and a kill of one is no kill of the other.
    #[track_caller]
    pub fn fork_idle(self, name: impl Into<Name>) -> Proc {
        let name = name.into();
        let site = Location::caller();
        let op = MultiOp::new("fork").touch(self.machine.table, Access::Write).at(site);
        let op = op.touch(self.me, Access::Write).touch(self.machine.ended, Access::Add);
        op.run(|objects, cx| {
            let parent = objects.get(self.me);
            let child = Process {
                name: name.clone(),
                exit: None,
                descriptors: parent.descriptors.clone(),
                container: parent.container,
                full_disk: 0,
                task: None,
                said: String::new(),
                frame: 0,
            };
            for description in child.descriptors.iter().flatten() {
                objects.get_mut(*description).refs += 1;
                settle_description(objects, cx, *description);
            }
            let me = cx.create(objects, "process", name.clone(), child);
            let table = objects.get_mut(self.machine.table);
            table.processes.push(me);
            let pid = table.processes.len() as u32 - 1;
            let child = Proc { machine: self.machine, me, pid };
            self.settle(objects, cx);
            child.settle(objects, cx);
            cx.identify(objects, self.machine.table, |_| digest(&(pid as usize + 1)));
            cx.learned(|| 0);
            cx.note(|| format!("child {name:?} keeps {} descriptors", self.open_count(objects)));
            child
        })
    }

    fn open_count(self, objects: &Objects) -> usize {
        objects.get(self.me).descriptors.iter().flatten().count()
    }

    /// Ends the process (exit(3)): its descriptors close.
    #[track_caller]
    fn exit(self, code: i32) {
        let mut op = self.op_on_self("exit", self.machine.ended, Access::Add);
        for description in self.me.peek(|p| p.descriptors.clone()).into_iter().flatten() {
            op = self.touching(op, description);
        }
        op.run(|objects, cx| {
            cx.note(|| format!("status {code}"));
            self.end(objects, cx, Exit::Code(code));
            cx.learned(|| digest(&code));
        });
        knows(|| digest(&code));
    }

    /// Declares what closing a descriptor of a description touches.
    pub(crate) fn touching(self, op: MultiOp, description: Obj<Description>) -> MultiOp {
        let target = description.peek(|d| d.target);
        op.touch(description, Access::Write).touch(target.locks(), Access::Write)
    }

    /// The process is over, however it came about.
    pub(crate) fn end(self, objects: &mut Objects, cx: &mut Cx<'_>, exit: Exit) {
        let process = objects.get_mut(self.me);
        if process.exit.is_some() {
            return;
        }
        process.exit = Some(exit);
        for description in std::mem::take(&mut process.descriptors).into_iter().flatten() {
            drop_descriptor(objects, cx, self.machine.table, description, self.pid);
        }
        *objects.get_mut(self.machine.ended) |= self.bit();
        let ended = self.machine.ended;
        cx.identify(objects, ended, |objects| digest(objects.get(ended)));
        self.settle(objects, cx);
    }

    pub(crate) fn settle(self, objects: &mut Objects, cx: &mut Cx<'_>) {
        cx.identify(objects, self.me, |objects| {
            let process = objects.get(self.me);
            let ids: Vec<_> = process.descriptors.iter().map(|d| d.map(|d| objects.get(d).id)).collect();
            digest(&(self.pid, process.exit, ids, process.full_disk, &process.said))
        });
    }

    pub(crate) fn bit(self) -> u64 {
        1 << (self.pid % 64)
    }

    /// The description behind a descriptor. Only the process itself changes its descriptors, so it can look
    /// before its operation.
    pub(crate) fn description(self, fd: Fd) -> Result<Obj<Description>, Errno> {
        let (ended, description) = self.me.peek(|p| (p.exit.is_some(), p.description(fd)));
        if ended {
            // On OS threads a process can be killed between two calls: it does not come back from this one.
            self.never();
        }
        description.ok_or(Errno::EBADF)
    }

    /// Does nothing any more, until the run ends.
    pub(crate) fn never(self) -> ! {
        loop {
            let op = self.op("end").reason("wait for the end of the run");
            op.when(self.me, |_, _| false, 0).run(|_, _| {});
        }
    }
}
