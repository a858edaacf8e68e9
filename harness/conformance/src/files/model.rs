//! The calls as a program for the harness.

use super::reference::got;
use super::{At, Call, Calls, Gave, How, MOST, NAMES, Shown, Who};
use bohr_explore::search::rerun;
use bohr_kernel::{Access, Blocked, Obj, Program, RunConfig, at_rest, when_blocked};
use bohr_posix::{Dir, Errno, Fd, Flags, Machine, MountKind, Options, Path, Proc};
use std::sync::{Arc, Mutex};

/// Makes the calls in the harness.
///
/// # Panics
/// If the program is wrong itself: it does not end, or panics.
pub fn run(calls: &Calls) -> Shown {
    let calls = Arc::new(Calls { calls: calls.calls.iter().take(MOST).copied().collect(), ..*calls });
    let shown = Arc::new(Mutex::new(Shown { gave: Vec::new(), tree: Vec::new() }));
    let program = {
        let (calls, shown) = (Arc::clone(&calls), Arc::clone(&shown));
        Program::new(move || body(&calls, &shown))
    };
    let outcome = rerun(&program, RunConfig::default(), Vec::new());
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
    let mut shown = shown.lock().expect("nobody panicked").clone();
    if shown.gave.len() < calls.calls.len() {
        shown.gave.push(Gave::Waits);
    }
    shown
}

type Sink = Arc<Mutex<Shown>>;

fn body(calls: &Arc<Calls>, shown: &Sink) {
    when_blocked(Blocked::Allowed);
    let machine = Machine::new(Options { page: usize::from(calls.page) + 1, power: false });
    let dirs = [machine.mount("0", MountKind::Disk), machine.mount("1", MountKind::Disk)];
    let turn = Obj::create("turn", "turn", 0usize);
    let children = Obj::create("children", "children", Vec::new());
    for who in [Who::P, Who::Q] {
        let (calls, shown) = (Arc::clone(calls), Arc::clone(shown));
        machine.spawn(format!("{who:?}"), 0, move |proc| {
            let mut process = Process { proc, dirs, children, got: Vec::new() };
            for (at, (_, call)) in calls.calls.iter().enumerate().filter(|(_, (by, _))| *by == who) {
                turn.op("wait for the turn", Access::Read)
                    .when_with(|t, at| *t as u64 == at, at as u64)
                    .run(|_, _| ());
                let gave = process.call(*call).unwrap_or_else(Gave::Failed);
                shown.lock().expect("nobody panicked").gave.push(gave);
                turn.op("pass the turn on", Access::Write).run(|t, _| *t += 1);
            }
            // What a process that ends takes along is not asked for.
            turn.op("stay", Access::Read).when(|_, _| false).run(|_, _| ());
            0
        });
    }
    let shown = Arc::clone(shown);
    at_rest(move || {
        let files = dirs.iter().enumerate().flat_map(|(dir, at)| {
            let look = move |name: &&str| Some((format!("{dir}/{name}"), machine.look(at.path(name))?));
            NAMES.iter().filter_map(look).collect::<Vec<_>>()
        });
        shown.lock().expect("nobody panicked").tree = files.collect();
    });
}

struct Process {
    proc: Proc,
    dirs: [Dir; 2],
    children: Obj<Vec<Proc>>,
    got: Vec<Fd>,
}

impl Process {
    fn call(&mut self, call: Call) -> Result<Gave, Errno> {
        let p = self.proc;
        let fd = match got(call) {
            None => None,
            Some(_) if self.got.is_empty() => return Ok(Gave::Skipped),
            Some(which) => Some(self.got[usize::from(which.0) % self.got.len()]),
        };
        let fd = || fd.expect("this call is about one");
        let done = |()| Gave::Done;
        match call {
            Call::Open(at, how) => p.open(self.path(at), flags(how)).map(|fd| self.give(fd)),
            Call::OpenDir(other) => Ok(self.give(p.open_dir(self.dirs[usize::from(other)]))),
            Call::Read(_) => p.read_to_end(fd()).map(Gave::Bytes),
            Call::Write(_, length, byte) => p.write(fd(), &vec![byte; usize::from(length % 8)]).map(done),
            Call::Truncate(_, length) => p.ftruncate(fd(), usize::from(length % 16)).map(done),
            Call::Close(_) => p.close(fd()).map(done),
            Call::Discard(_) => p.discard(fd()).map(done),
            Call::Dup(_) => p.dup(fd()).map(|fd| self.give(fd)),
            Call::Fsync(_) => p.fsync(fd()).map(done),
            Call::FsyncDir(other) => {
                p.fsync_dir(self.dirs[usize::from(other)]);
                Ok(Gave::Done)
            }
            Call::Unlink(at) => p.unlink(self.path(at)).map(done),
            Call::Rename(from, to) => p.rename(self.path(from), self.path(to)).map(done),
            Call::Link(old, new) => p.link(self.path(old), self.path(new)).map(done),
            Call::Exists(at) => Ok(Gave::Is(p.exists(self.path(at)))),
            Call::SameFile(_, at) => p.same_file(fd(), self.path(at)).map(Gave::Is),
            Call::List(other) => {
                let mut names = p.list(self.dirs[usize::from(other)]);
                names.sort_unstable();
                Ok(Gave::Names(names))
            }
            Call::Flock(_) => p.flock(fd()).map(done),
            Call::TryFlock(_) => p.try_flock(fd()).map(done),
            Call::Funlock(_) => p.funlock(fd()).map(done),
            Call::Fcntl(_) => p.fcntl_lock(fd()).map(done),
            Call::TryFcntl(_) => p.try_fcntl_lock(fd()).map(done),
            Call::Fork => {
                let child = p.fork_idle("child");
                self.children.poke(|children| children.push(child));
                Ok(Gave::Done)
            }
            Call::KillChild => Ok(match self.children.poke(Vec::pop) {
                None => Gave::Skipped,
                Some(child) => {
                    p.machine().kill(child);
                    Gave::Done
                }
            }),
        }
    }

    fn path(&self, at: At) -> Path {
        self.dirs[usize::from(at.other)].path(at.name())
    }

    fn give(&mut self, fd: Fd) -> Gave {
        self.got.push(fd);
        let number = fd.to_string();
        Gave::Fd(number.trim_start_matches("fd ").parse().expect("a descriptor shows its number"))
    }
}

fn flags(how: How) -> Flags {
    match how {
        How::Read => Flags::READ,
        How::Create => Flags::CREATE,
        How::CreateNew => Flags::CREATE_NEW,
        How::Truncate => Flags::TRUNCATE,
        How::Append => Flags::APPEND,
        How::TruncateAppend => Flags::TRUNCATE_APPEND,
    }
}
