//! The calls on real directories.

use bohr_conformance::files::{At, Call, Calls, Gave, Got, How, MOST, NAMES, Shown};
use bohr_posix::Errno;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// Makes the calls on two file systems: where temporary files are, and in memory. The numbers of descriptors are counted here,
/// since other threads of the test have some as well.
pub fn run(calls: &Calls) -> Shown {
    let dirs =
        [tempfile::tempdir().expect("there is room"), TempDir::new_in("/dev/shm").expect("Linux has one")];
    let mut process = Process { dirs, open: BTreeMap::new(), got: Vec::new() };
    let mut gave = Vec::new();
    for (_, call) in calls.calls.iter().take(MOST) {
        let result = process.call(*call).unwrap_or_else(Gave::Failed);
        let waits = result == Gave::Waits;
        gave.push(result);
        if waits {
            break;
        }
    }
    let names = (0..2).flat_map(|dir| NAMES.map(|name| (dir, name)));
    let file = |(dir, name): (usize, &str)| {
        let bytes = std::fs::read(process.dirs[dir].path().join(name)).ok()?;
        Some((format!("{dir}/{name}"), bytes))
    };
    Shown { gave, tree: names.filter_map(file).collect() }
}

struct Process {
    dirs: [TempDir; 2],
    open: BTreeMap<u32, OwnedFd>,
    got: Vec<u32>,
}

impl Process {
    fn call(&mut self, call: Call) -> Result<Gave, Errno> {
        let got = match call {
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
            | Call::TryFcntl(got) => got,
            _ => return self.without(call),
        };
        self.with(call, got)
    }

    fn without(&mut self, call: Call) -> Result<Gave, Errno> {
        let path = |at: At| self.path(at.other).join(at.name());
        let done = |result: std::io::Result<()>| result.map(|()| Gave::Done).map_err(Errno::from);
        let real = |result: rustix::io::Result<()>| done(result.map_err(Into::into));
        match call {
            Call::Open(at, how) => {
                let fd = fs::open(path(at), flags(how) | OFlags::CLOEXEC, Mode::from_raw_mode(0o600));
                fd.map(|fd| self.give(fd)).map_err(errno)
            }
            Call::OpenDir(other) => {
                let fd = fs::open(self.path(other), OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
                fd.map(|fd| self.give(fd)).map_err(errno)
            }
            // What is synchronised cannot be seen without a power loss, and takes long.
            Call::FsyncDir(_) => Ok(Gave::Done),
            Call::Unlink(at) => real(fs::unlink(path(at))),
            Call::Rename(from, to) => real(fs::rename(path(from), path(to))),
            Call::Link(old, new) => {
                real(fs::linkat(fs::CWD, path(old), fs::CWD, path(new), AtFlags::empty()))
            }
            Call::Exists(at) => Ok(Gave::Is(fs::stat(path(at)).is_ok())),
            Call::List(other) => {
                let entries = std::fs::read_dir(self.path(other))?;
                let name = |entry: std::io::Result<std::fs::DirEntry>| {
                    Ok(entry?.file_name().to_string_lossy().into_owned())
                };
                let mut names = entries.map(name).collect::<std::io::Result<Vec<_>>>()?;
                names.sort_unstable();
                Ok(Gave::Names(names))
            }
            other => unreachable!("{other:?} is about a descriptor, or was left out"),
        }
    }

    fn with(&mut self, call: Call, Got(which): Got) -> Result<Gave, Errno> {
        if self.got.is_empty() {
            return Ok(Gave::Skipped);
        }
        let number = self.got[usize::from(which) % self.got.len()];
        if let Call::Close(_) | Call::Discard(_) = call {
            return self.open.remove(&number).map(|_| Gave::Done).ok_or(Errno::EBADF);
        }
        let fd = self.open.get(&number).ok_or(Errno::EBADF)?.as_fd();
        let done = |result: rustix::io::Result<()>| result.map(|()| Gave::Done).map_err(errno);
        match call {
            Call::Read(_) => {
                let mut bytes = vec![0; 4096];
                let length = rustix::io::read(fd, &mut bytes).map_err(errno)?;
                bytes.truncate(length);
                Ok(Gave::Bytes(bytes))
            }
            Call::Write(_, length, byte) => {
                let bytes = vec![byte; usize::from(length % 8)];
                let written = rustix::io::write(fd, &bytes).map_err(errno)?;
                assert_eq!(written, bytes.len(), "so few bytes are written at once");
                Ok(Gave::Done)
            }
            Call::Truncate(_, length) => done(fs::ftruncate(fd, u64::from(length % 16))),
            Call::Dup(_) => {
                let fd = rustix::io::fcntl_dupfd_cloexec(fd, 0).map_err(errno)?;
                Ok(self.give(fd))
            }
            Call::Fsync(_) => Ok(Gave::Done),
            Call::SameFile(_, at) => {
                let stat = fs::fstat(fd).map_err(errno)?;
                let other = fs::stat(self.path(at.other).join(at.name()));
                Ok(Gave::Is(other.is_ok_and(|o| (o.st_dev, o.st_ino) == (stat.st_dev, stat.st_ino))))
            }
            Call::Flock(_) => match fs::flock(fd, FlockOperation::NonBlockingLockExclusive) {
                Err(rustix::io::Errno::WOULDBLOCK) => Ok(Gave::Waits),
                result => done(result),
            },
            Call::TryFlock(_) => done(fs::flock(fd, FlockOperation::NonBlockingLockExclusive)),
            Call::Funlock(_) => done(fs::flock(fd, FlockOperation::Unlock)),
            // Nobody else has one, so it never waits.
            _ => done(fs::fcntl_lock(fd, FlockOperation::NonBlockingLockExclusive)),
        }
    }

    fn path(&self, other: bool) -> &Path {
        self.dirs[usize::from(other)].path()
    }

    fn give(&mut self, fd: OwnedFd) -> Gave {
        let number = (3..).find(|n| !self.open.contains_key(n)).expect("there are numbers enough");
        self.open.insert(number, fd);
        self.got.push(number);
        Gave::Fd(number)
    }
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from(std::io::Error::from(error))
}

fn flags(how: How) -> OFlags {
    let write = OFlags::WRONLY | OFlags::CREATE;
    match how {
        How::Read => OFlags::RDONLY,
        How::Create => write,
        How::CreateNew => write | OFlags::EXCL,
        How::Truncate => write | OFlags::TRUNC,
        How::Append => write | OFlags::APPEND,
        How::TruncateAppend => write | OFlags::TRUNC | OFlags::APPEND,
    }
}
