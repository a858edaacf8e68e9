//! Files as the manual pages have them, with nothing but maps and vectors.

use super::{At, Call, Calls, Gave, Got, How, MOST, Shown, Tree, Who};
use bohr_posix::Errno;
use std::collections::BTreeMap;

/// A deliberate error, for the test that such errors are found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A `dup` has an offset of its own.
    DupHasOffset,
    /// A write with `O_APPEND` goes to where the last one ended.
    AppendsWhereItWas,
    /// Renaming one name of a file to another of it takes the first away.
    RenameToItself,
    /// An unlinked file is cut to nothing.
    UnlinkCuts,
    /// A lock of `flock` goes with the first descriptor of its description that closes.
    FlockGoesEarly,
    /// Closing another descriptor of the file keeps the lock of `fcntl`.
    FcntlStays,
    /// The highest descriptor is given out next.
    HighestDescriptor,
    /// A gap is not filled.
    NoGap,
    /// A killed child keeps what it had.
    KilledKeeps,
}

/// The files, and who has them open.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    wrong: Option<Wrong>,
    /// The two directories: which file each name stands for.
    names: [BTreeMap<&'static str, usize>; 2],
    /// By number, never used again.
    files: Vec<File>,
    descriptions: Vec<Description>,
    /// P, Q, and all their children.
    processes: Vec<Process>,
    /// The children that live, by process, in the order in which they were made.
    children: Vec<usize>,
    /// The holders of the locks on each directory.
    dir_locks: [Locks; 2],
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    locks: Locks,
}

#[derive(Clone, Debug, Default)]
struct Locks {
    /// The description.
    flock: Option<usize>,
    /// The process.
    fcntl: Option<usize>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Opened {
    File(usize),
    Dir(usize),
}

#[derive(Clone, Debug)]
struct Description {
    what: Opened,
    how: How,
    offset: usize,
}

#[derive(Clone, Debug, Default)]
struct Process {
    /// Open descriptors, and the description of each.
    open: BTreeMap<u32, usize>,
    /// All that it ever got.
    got: Vec<u32>,
}

/// Input, output and error are 0 to 2.
const FIRST: u32 = 3;

impl Reference {
    /// Makes the calls, one after another.
    pub fn run(calls: &Calls, wrong: Option<Wrong>) -> Shown {
        let mut reference =
            Reference { wrong, processes: vec![Process::default(); 2], ..Reference::default() };
        let mut gave = Vec::new();
        for (who, call) in calls.calls.iter().take(MOST) {
            let who = usize::from(*who == Who::Q);
            let result = reference.call(who, *call).unwrap_or_else(Gave::Failed);
            let waits = result == Gave::Waits;
            gave.push(result);
            if waits {
                break;
            }
        }
        Shown { gave, tree: reference.tree() }
    }

    fn tree(&self) -> Tree {
        let dirs = self.names.iter().enumerate();
        let file =
            |dir: usize, name: &str, file: usize| (format!("{dir}/{name}"), self.files[file].bytes.clone());
        dirs.flat_map(|(dir, names)| names.iter().map(move |(name, at)| file(dir, name, *at))).collect()
    }

    fn call(&mut self, who: usize, call: Call) -> Result<Gave, Errno> {
        let Some(fd) = self.descriptor(who, call) else { return Ok(Gave::Skipped) };
        // A descriptor that is not open comes before all else that may be wrong.
        let description = self.processes[who].open.get(&fd).copied();
        let description = if names_descriptor(call) { description.ok_or(Errno::EBADF)? } else { 0 };
        Ok(match call {
            Call::Open(at, how) => self.open(who, at, how)?,
            Call::OpenDir(other) => self.describe(who, Opened::Dir(other.into()), How::Read),
            Call::Read(_) => Gave::Bytes(self.read(description)?),
            Call::Write(_, length, byte) => {
                self.write(description, &vec![byte; usize::from(length % 8)])?;
                Gave::Done
            }
            Call::Truncate(_, length) => {
                let file =
                    self.file(description).filter(|_| self.writes(description)).ok_or(Errno::EINVAL)?;
                self.files[file].bytes.resize(usize::from(length % 16), 0);
                Gave::Done
            }
            Call::Close(_) | Call::Discard(_) => {
                self.close(who, fd);
                Gave::Done
            }
            Call::Dup(_) => {
                let of = &self.descriptions[description];
                let own = (self.wrong == Some(Wrong::DupHasOffset)).then(|| of.clone());
                match own {
                    Some(own) => self.describe(who, own.what, own.how),
                    None => self.give(who, description),
                }
            }
            Call::Fsync(_) | Call::FsyncDir(_) => Gave::Done,
            Call::Unlink(at) => {
                let file = self.names[dir(at)].remove(at.name()).ok_or(Errno::ENOENT)?;
                if self.wrong == Some(Wrong::UnlinkCuts) {
                    self.files[file].bytes.clear();
                }
                Gave::Done
            }
            Call::Rename(from, to) => self.rename(from, to)?,
            Call::Link(old, new) => {
                let file = *self.names[dir(old)].get(old.name()).ok_or(Errno::ENOENT)?;
                if self.names[dir(new)].contains_key(new.name()) {
                    return Err(Errno::EEXIST);
                }
                if old.other != new.other {
                    return Err(Errno::EXDEV);
                }
                self.names[dir(new)].insert(new.name(), file);
                Gave::Done
            }
            Call::Exists(at) => Gave::Is(self.names[dir(at)].contains_key(at.name())),
            Call::SameFile(_, at) => {
                let named = self.names[dir(at)].get(at.name()).copied();
                Gave::Is(named.is_some() && named == self.file(description))
            }
            Call::List(other) => {
                let names = self.names[usize::from(other)].keys();
                Gave::Names(names.map(|name| (*name).to_owned()).collect())
            }
            Call::Flock(_) | Call::TryFlock(_) => {
                let locks = self.locks(description);
                match locks.flock {
                    Some(holder) if holder != description && matches!(call, Call::Flock(_)) => Gave::Waits,
                    Some(holder) if holder != description => return Err(Errno::EWOULDBLOCK),
                    _ => {
                        locks.flock = Some(description);
                        Gave::Done
                    }
                }
            }
            Call::Funlock(_) => {
                let locks = self.locks(description);
                locks.flock = locks.flock.filter(|holder| *holder != description);
                Gave::Done
            }
            // A lock for writing needs a descriptor for writing.
            Call::Fcntl(_) | Call::TryFcntl(_) if !self.writes(description) => return Err(Errno::EBADF),
            Call::Fcntl(_) | Call::TryFcntl(_) => {
                let locks = self.locks(description);
                match locks.fcntl {
                    Some(holder) if holder != who && matches!(call, Call::Fcntl(_)) => Gave::Waits,
                    Some(holder) if holder != who => return Err(Errno::EWOULDBLOCK),
                    _ => {
                        locks.fcntl = Some(who);
                        Gave::Done
                    }
                }
            }
            Call::Fork => {
                let child = self.processes[who].clone();
                self.children.push(self.processes.len());
                self.processes.push(child);
                Gave::Done
            }
            Call::KillChild => match self.children.pop() {
                None => Gave::Skipped,
                Some(_) if self.wrong == Some(Wrong::KilledKeeps) => Gave::Done,
                Some(child) => {
                    for fd in self.processes[child].open.keys().copied().collect::<Vec<_>>() {
                        self.close(child, fd);
                    }
                    Gave::Done
                }
            },
        })
    }

    /// The number of the descriptor that a call is about, 0 for one that is about none. Nothing if the process never got
    /// any.
    fn descriptor(&self, who: usize, call: Call) -> Option<u32> {
        let Some(Got(which)) = got(call) else { return Some(0) };
        let got = &self.processes[who].got;
        (!got.is_empty()).then(|| got[usize::from(which) % got.len()])
    }

    fn open(&mut self, who: usize, at: At, how: How) -> Result<Gave, Errno> {
        let known = self.names[dir(at)].get(at.name()).copied();
        let file = match known {
            Some(_) if how == How::CreateNew => return Err(Errno::EEXIST),
            Some(file) => file,
            None if how == How::Read => return Err(Errno::ENOENT),
            None => {
                self.files.push(File::default());
                self.names[dir(at)].insert(at.name(), self.files.len() - 1);
                self.files.len() - 1
            }
        };
        if matches!(how, How::Truncate | How::TruncateAppend) {
            self.files[file].bytes.clear();
        }
        Ok(self.describe(who, Opened::File(file), how))
    }

    fn describe(&mut self, who: usize, what: Opened, how: How) -> Gave {
        self.descriptions.push(Description { what, how, offset: 0 });
        self.give(who, self.descriptions.len() - 1)
    }

    fn give(&mut self, who: usize, description: usize) -> Gave {
        let process = &mut self.processes[who];
        let mut fd = FIRST;
        while process.open.contains_key(&fd) {
            fd += 1;
        }
        if self.wrong == Some(Wrong::HighestDescriptor) {
            fd = process.open.keys().next_back().map_or(FIRST, |last| last + 1);
        }
        process.open.insert(fd, description);
        process.got.push(fd);
        Gave::Fd(fd)
    }

    fn read(&mut self, description: usize) -> Result<Vec<u8>, Errno> {
        if self.writes(description) {
            return Err(Errno::EBADF);
        }
        let file = self.file(description).ok_or(Errno::EISDIR)?;
        let (bytes, offset) = (&self.files[file].bytes, &mut self.descriptions[description].offset);
        let read = bytes.get(*offset..).unwrap_or_default().to_vec();
        *offset += read.len();
        Ok(read)
    }

    fn write(&mut self, description: usize, bytes: &[u8]) -> Result<(), Errno> {
        let file = self.file(description).filter(|_| self.writes(description)).ok_or(Errno::EBADF)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let (file, at) = (&mut self.files[file].bytes, &mut self.descriptions[description]);
        let appends = matches!(at.how, How::Append | How::TruncateAppend);
        if appends && self.wrong != Some(Wrong::AppendsWhereItWas) {
            at.offset = file.len();
        }
        if file.len() < at.offset && self.wrong == Some(Wrong::NoGap) {
            at.offset = file.len();
        }
        while file.len() < at.offset {
            file.push(0);
        }
        for byte in bytes {
            match file.get_mut(at.offset) {
                Some(there) => *there = *byte,
                None => file.push(*byte),
            }
            at.offset += 1;
        }
        Ok(())
    }

    fn rename(&mut self, from: At, to: At) -> Result<Gave, Errno> {
        if from.other != to.other {
            return Err(Errno::EXDEV);
        }
        let names = &mut self.names[dir(from)];
        let file = *names.get(from.name()).ok_or(Errno::ENOENT)?;
        let nothing_to_do = names.get(to.name()) == Some(&file);
        if !nothing_to_do || self.wrong == Some(Wrong::RenameToItself) {
            names.remove(from.name());
            names.insert(to.name(), file);
        }
        Ok(Gave::Done)
    }

    fn close(&mut self, who: usize, fd: u32) {
        let Some(description) = self.processes[who].open.remove(&fd) else { return };
        let last = !self.processes.iter().any(|p| p.open.values().any(|d| *d == description));
        let (early, stays) =
            (self.wrong == Some(Wrong::FlockGoesEarly), self.wrong == Some(Wrong::FcntlStays));
        let locks = self.locks(description);
        if last || early {
            locks.flock = locks.flock.filter(|holder| *holder != description);
        }
        if !stays {
            locks.fcntl = locks.fcntl.filter(|holder| *holder != who);
        }
    }

    fn file(&self, description: usize) -> Option<usize> {
        match self.descriptions[description].what {
            Opened::File(file) => Some(file),
            Opened::Dir(_) => None,
        }
    }

    fn writes(&self, description: usize) -> bool {
        self.descriptions[description].how != How::Read
    }

    fn locks(&mut self, description: usize) -> &mut Locks {
        match self.descriptions[description].what {
            Opened::File(file) => &mut self.files[file].locks,
            Opened::Dir(dir) => &mut self.dir_locks[dir],
        }
    }
}

fn dir(at: At) -> usize {
    usize::from(at.other)
}

/// Which descriptor a call is about.
pub(super) fn got(call: Call) -> Option<Got> {
    match call {
        Call::Read(got)
        | Call::Write(got, ..)
        | Call::Truncate(got, _)
        | Call::Close(got)
        | Call::Discard(got)
        | Call::Dup(got)
        | Call::Fsync(got)
        | Call::SameFile(got, _)
        | Call::Flock(got)
        | Call::TryFlock(got)
        | Call::Funlock(got)
        | Call::Fcntl(got)
        | Call::TryFcntl(got) => Some(got),
        _ => None,
    }
}

fn names_descriptor(call: Call) -> bool {
    got(call).is_some()
}
