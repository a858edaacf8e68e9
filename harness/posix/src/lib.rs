//! Files, descriptors, locks and processes that can be killed, as POSIX has them, on the kernel.
//!
//! A [`Machine`] runs [`Proc`]esses, which make system calls. Every system call is one operation, except
//! that [`Proc::read`] and [`Proc::write`] move one page a step, since no file system promises more.
//! Handles (`Machine`, [`Dir`], [`Path`], `Proc`, [`Fd`]) are plain numbers: copy them everywhere.
//!
//! The semantics are those of POSIX.1-2024 (IEEE Std 1003.1-2024), and where it is silent those of Linux
//! (man-pages 6); each call names its source. What a step may leave behind after a power loss follows
//! `fsync` in both: content and names become durable separately, and only when somebody asks.
//!
//! # What conflicts with what
//!
//! Operations declare what they touch, so that an explorer can tell which of them commute. A call through a
//! descriptor touches its open file description and its inode; a call with a path touches the directory. Four
//! cannot know beforehand which inodes they reach: an `open` that truncates, `fork`, a kill and a power loss.
//! They *write* the object of the machine, which every other call *reads*.
//!
//! Values are identified as values ([`bohr_kernel::Cx::identify`]): two schedules that lead to the same
//! files, descriptors and locks lead to the same state. A process says what it still remembers with
//! [`Proc::knows`].
//!
//! # Left out
//!
//! Subdirectories, symbolic links, permissions, signals other than SIGKILL, byte ranges of `fcntl` locks
//! (they cover the file) and shared locks.

#![forbid(unsafe_code)]

mod errno;
mod fault;
mod file;
mod lock;
mod machine;
mod process;
mod state;

pub use errno::Errno;
pub use file::{Fd, Flags};
pub use machine::{Dir, Machine, MountKind, NameOrder, Options, Path};
pub use process::{Exit, Proc};
