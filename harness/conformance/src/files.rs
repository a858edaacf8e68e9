//! The files of `bohr_posix` beside a plain reference: the target `posix_files`.
//!
//! Two processes make system calls in a given order, one at a time. Each result, the files and their contents in the end
//! must be the same in both. That the reference is what Linux does is checked by the tests, on a real directory.

mod model;
mod reference;

pub use model::run as run_model;
pub use reference::{Reference, Wrong};

use arbitrary::{Arbitrary, Result as Decoded, Unstructured};
use bohr_posix::Errno;

/// The names there are in each of the two directories, which are on different file systems.
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// System calls, each by one of the two processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The number of bytes that a step of the model moves, less one.
    pub page: u8,
    /// In the order in which they are made.
    pub calls: Vec<(Who, Call)>,
}

/// Which of the two processes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Arbitrary)]
pub enum Who {
    /// The first.
    P,
    /// The second.
    Q,
}

/// A name in one of the two directories.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// It is in the second directory.
    pub other: bool,
    /// Its number, modulo the number of [`NAMES`].
    pub name: u8,
}

impl At {
    /// The name.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.name) % NAMES.len()]
    }
}

/// How a file is opened.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Arbitrary)]
pub enum How {
    /// `O_RDONLY`.
    Read,
    /// `O_WRONLY|O_CREAT`.
    Create,
    /// `O_WRONLY|O_CREAT|O_EXCL`.
    CreateNew,
    /// `O_WRONLY|O_CREAT|O_TRUNC`.
    Truncate,
    /// `O_WRONLY|O_CREAT|O_APPEND`.
    Append,
    /// `O_WRONLY|O_CREAT|O_TRUNC|O_APPEND`.
    TruncateAppend,
}

/// Which of the descriptors that the process has got so far, closed ones included; modulo their number.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Arbitrary)]
pub struct Got(pub u8);

/// A system call.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Arbitrary)]
pub enum Call {
    /// `open`.
    Open(At, How),
    /// `open(O_RDONLY|O_DIRECTORY)` of the first or second directory.
    OpenDir(bool),
    /// `read`, to the end.
    Read(Got),
    /// `write`, of so many times (modulo 8) this byte.
    Write(Got, u8, u8),
    /// `ftruncate`, to a length modulo 16.
    Truncate(Got, u8),
    /// `close`.
    Close(Got),
    /// `close`, which is no step of its own in the model.
    Discard(Got),
    /// `dup`.
    Dup(Got),
    /// `fsync`.
    Fsync(Got),
    /// `fsync` of a directory.
    FsyncDir(bool),
    /// `unlink`.
    Unlink(At),
    /// `rename`.
    Rename(At, At),
    /// `link`.
    Link(At, At),
    /// `stat`, for whether it is there.
    Exists(At),
    /// `fstat` and `stat`, for whether they are the same file.
    SameFile(Got, At),
    /// `readdir`.
    List(bool),
    /// `flock(LOCK_EX)`.
    Flock(Got),
    /// `flock(LOCK_EX|LOCK_NB)`.
    TryFlock(Got),
    /// `flock(LOCK_UN)`.
    Funlock(Got),
    /// `fcntl(F_SETLKW)`, for writing.
    Fcntl(Got),
    /// `fcntl(F_SETLK)`, for writing.
    TryFcntl(Got),
    /// `fork`: a child that keeps the descriptors, and does nothing.
    Fork,
    /// SIGKILL for the child that was made last and still lives.
    KillChild,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gave {
    /// Nothing in particular.
    Done,
    /// A descriptor, by its number.
    Fd(u32),
    /// What was read.
    Bytes(Vec<u8>),
    /// The answer to a question.
    Is(bool),
    /// Names, sorted.
    Names(Vec<String>),
    /// It failed.
    Failed(Errno),
    /// It waits for ever. No other call is made after it.
    Waits,
    /// There is nothing that it could be made with.
    Skipped,
}

/// The files of both directories at the end, by name.
pub type Tree = Vec<(String, Vec<u8>)>;

/// What all the calls gave, and what they left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What each call gave, up to one that waits for ever.
    pub gave: Vec<Gave>,
    /// What is there at the end.
    pub tree: Tree,
}

/// As many calls as there are bytes for, since a vector out of random bytes is short. Small numbers, so that calls meet.
impl<'a> Arbitrary<'a> for Calls {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Decoded<Self> {
        let mut calls = Calls { page: bytes.int_in_range(0..=4)?, calls: Vec::new() };
        // Every other input is about the locks of one file.
        let locks = bytes.arbitrary()?;
        while !bytes.is_empty() && calls.calls.len() < MOST {
            let who = if bytes.ratio(1, 3)? { Who::Q } else { Who::P };
            calls.calls.push((who, if locks { locking(bytes)? } else { bytes.arbitrary()? }));
        }
        Ok(calls)
    }
}

/// A call that has to do with locks.
fn locking(bytes: &mut Unstructured<'_>) -> Decoded<Call> {
    let got = Got(bytes.arbitrary()?);
    let how = if bytes.ratio(1, 8)? { How::Read } else { How::Create };
    Ok(match bytes.int_in_range(0..=10u8)? {
        0..=2 => Call::Open(At { other: false, name: 0 }, how),
        3 | 4 => Call::Close(got),
        5 => Call::Dup(got),
        6 => Call::TryFlock(got),
        7 => Call::Funlock(got),
        8 => Call::TryFcntl(got),
        9 => Call::Fork,
        _ => Call::KillChild,
    })
}

impl<'a> Arbitrary<'a> for At {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Decoded<Self> {
        let both = u8::try_from(NAMES.len()).unwrap_or(u8::MAX) * 4;
        let one: u8 = bytes.int_in_range(0..=both - 1)?;
        // One in four is in the second directory.
        Ok(At { other: one.is_multiple_of(4), name: one / 4 })
    }
}

/// The largest number of calls that are made of an input.
pub const MOST: usize = 64;

/// Checks one input.
///
/// # Errors
/// The first call that gives something else than the reference says, or how the files differ.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    crate::decoded(bytes, |calls| compare(calls, None))
}

/// Compares the model with the reference, in which there may be a deliberate error.
///
/// # Errors
/// As for [`check`].
pub fn compare(calls: &Calls, wrong: Option<Wrong>) -> Result<(), String> {
    same(calls, &run_model(calls), &Reference::run(calls, wrong))
}

/// Compares what two have shown: `got` and what it should be.
///
/// # Errors
/// As for [`check`].
pub fn same(calls: &Calls, got: &Shown, wanted: &Shown) -> Result<(), String> {
    for (at, (who, call)) in calls.calls.iter().take(MOST).enumerate() {
        let (got, wanted) = (got.gave.get(at), wanted.gave.get(at));
        if got != wanted {
            return Err(format!("call {at}, {who:?}: {call:?} gives {got:?} and not {wanted:?}"));
        }
    }
    if got.tree == wanted.tree {
        Ok(())
    } else {
        Err(format!("the files are {:?} and not {:?}", got.tree, wanted.tree))
    }
}
