//! Errors, by their names in `<errno.h>`.

use std::fmt;

/// Why a system call failed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::upper_case_acronyms)]
pub enum Errno {
    /// Not an open descriptor, or not open for this.
    EBADF,
    /// The name is taken.
    EEXIST,
    /// Not open for this, where Linux says so and not EBADF.
    EINVAL,
    /// The device failed.
    EIO,
    /// A directory, of which bytes cannot be read.
    EISDIR,
    /// No such name.
    ENOENT,
    /// No space left on the device.
    ENOSPC,
    /// The lock is held, and the call was not to wait.
    EWOULDBLOCK,
    /// The two names are on different file systems.
    EXDEV,
}

impl Errno {
    /// Its number on Linux.
    pub fn number(self) -> u8 {
        match self {
            Errno::ENOENT => 2,
            Errno::EIO => 5,
            Errno::EBADF => 9,
            Errno::EWOULDBLOCK => 11,
            Errno::EEXIST => 17,
            Errno::EXDEV => 18,
            Errno::EISDIR => 21,
            Errno::EINVAL => 22,
            Errno::ENOSPC => 28,
        }
    }

    /// What `strerror` says.
    pub fn text(self) -> &'static str {
        match self {
            Errno::ENOENT => "No such file or directory",
            Errno::EIO => "Input/output error",
            Errno::EBADF => "Bad file descriptor",
            Errno::EWOULDBLOCK => "Resource temporarily unavailable",
            Errno::EEXIST => "File exists",
            Errno::EXDEV => "Invalid cross-device link",
            Errno::EISDIR => "Is a directory",
            Errno::EINVAL => "Invalid argument",
            Errno::ENOSPC => "No space left on device",
        }
    }
}

impl From<std::io::Error> for Errno {
    /// What a real system call failed with; what is not modelled is EIO.
    fn from(error: std::io::Error) -> Self {
        let all = [
            Errno::EBADF,
            Errno::EEXIST,
            Errno::EINVAL,
            Errno::EIO,
            Errno::EISDIR,
            Errno::ENOENT,
            Errno::ENOSPC,
            Errno::EWOULDBLOCK,
            Errno::EXDEV,
        ];
        let same = |errno: &Errno| error.raw_os_error() == Some(i32::from(errno.number()));
        all.into_iter().find(same).unwrap_or(Errno::EIO)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Errno {}
