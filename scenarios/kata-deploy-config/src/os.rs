//! What an install or a cleanup needs of the system it runs on.
//!
//! The reported program and its fixes are written against this, so that the same step lists run in the
//! model ([`crate::world::Actor`]) and as real processes on real files ([`crate::live`]).

use crate::document::Schema;
pub use bohr_posix::{Errno, Flags};
use std::hash::Hash;

/// A file that all pods of a node share, or that one process makes for itself.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum File {
    /// `/etc/containerd/config.toml`.
    Config,
    /// `/etc/containerd/config.toml.bak`.
    Backup,
    /// The lock file of the fixed forms, on the host's `/run/lock`.
    Lock,
    /// This process's own temporary file for a new configuration, in the configuration's directory.
    ConfigTemp,
    /// The same for a new backup.
    BackupTemp,
}

/// A change of the configuration.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Sets one key of a runtime's table.
    Key {
        /// Which runtime.
        runtime: u8,
        /// Under which schema's name.
        schema: Schema,
        /// Which of its keys, from 0.
        key: u8,
    },
    /// Appends the drop-in's path to `imports`, without looking.
    AppendImport,
    /// Makes `imports` hold the drop-in's path exactly once.
    SetImport,
    /// Removes every copy of it.
    RemoveImport,
}

/// How a program ends before its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// It failed, with this status and this line on standard error.
    Failed(i32, String),
    /// It found out that it is not wanted any more.
    Superseded,
}

/// The status with which a superseded program exits here, to tell it from one that did its work.
pub const SUPERSEDED: i32 = 75;

impl Stop {
    /// The exit status.
    pub fn status(&self) -> i32 {
        match self {
            Stop::Failed(status, _) => *status,
            Stop::Superseded => SUPERSEDED,
        }
    }

    /// Fails with status 1 for this reason.
    pub fn because(errno: Errno) -> Self {
        Stop::Failed(1, format!("config.toml: {}", errno.text()))
    }
}

/// The system that a process of kata-deploy runs on.
pub trait Os: Copy {
    /// A descriptor.
    type Fd: Copy;

    // ---- what it is to do ----

    /// The runtimes to install.
    fn runtimes(self) -> Vec<u8>;
    /// How many keys each runtime has.
    fn keys(self) -> u8;

    // ---- system calls ----

    /// `open`.
    #[track_caller]
    fn open(self, file: File, flags: Flags) -> Result<Self::Fd, Errno>;
    /// `read` until there is no more.
    #[track_caller]
    fn read_to_end(self, fd: Self::Fd) -> Result<Vec<u8>, Errno>;
    /// `write` of everything.
    #[track_caller]
    fn write(self, fd: Self::Fd, bytes: &[u8]) -> Result<(), Errno>;
    /// `close` of a descriptor that was only read from: nobody can see when.
    fn discard(self, fd: Self::Fd);
    /// `close`.
    #[track_caller]
    fn close(self, fd: Self::Fd);
    /// `fsync`.
    #[track_caller]
    fn fsync(self, fd: Self::Fd) -> Result<(), Errno>;
    /// `fsync` of the configuration's directory.
    #[track_caller]
    fn fsync_dir(self);
    /// `rename`.
    #[track_caller]
    fn rename(self, from: File, to: File) -> Result<(), Errno>;
    /// `unlink`.
    #[track_caller]
    fn unlink(self, file: File) -> Result<(), Errno>;
    /// `stat`.
    #[track_caller]
    fn exists(self, file: File) -> bool;
    /// `flock(LOCK_EX)`, waiting.
    #[track_caller]
    fn flock(self, fd: Self::Fd);
    /// The temporary files of this program in the configuration's directory, whoever made them.
    #[track_caller]
    fn temps(self) -> Vec<String>;
    /// `unlink` of one of them.
    #[track_caller]
    fn unlink_temp(self, name: &str);

    // ---- the cluster ----

    /// Asks the API server whether the own pod is deleted.
    #[track_caller]
    fn deleted(self) -> bool;
    /// Asks it whether a newer pod is alive.
    #[track_caller]
    fn newer_alive(self) -> bool;
    /// Waits until the own pod is deleted.
    #[track_caller]
    fn wait_deleted(self);

    // ---- the document ----

    /// The document after an edit; or what the editor prints.
    fn edit(self, bytes: &[u8], edit: Edit) -> Result<Vec<u8>, String>;
    /// Whether a document can be published: it parses, its schema is consistent, the base is there, and so
    /// are all keys of these runtimes.
    fn validate(self, bytes: &[u8], runtimes: &[u8]) -> Result<(), String>;
    /// The time for which the editor holds the document before it opens its output.
    fn edits(self) {}
    /// The time between that and its write.
    fn serialises(self) {}

    // ---- for the harness ----

    /// `locals` and the line that calls this are all that the process still remembers.
    #[track_caller]
    fn knows(self, _locals: impl Hash) {}
    /// `locals` and the line that calls this are all that the callers still remember.
    #[track_caller]
    fn within(self, _locals: impl Hash) {}
    /// It holds the lock, and may change things.
    fn entered(self) {}
    /// It has published its changes, or begins to unlock without any.
    fn left(self) {}
}
