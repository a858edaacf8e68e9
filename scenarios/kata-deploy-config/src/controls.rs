//! Correct alternatives to the fixed form, to show that the oracles are not simply strict.

use crate::mutants::{Backup, Lock, changed};

changed! {
    /// The lock belongs to process and inode. It is sound because the lock file is opened once.
    FcntlLock { lock: Lock::Fcntl }
    /// The directory is never replaced either.
    LockOnDirectory { lock: Lock::Directory }
    /// Sound because the configuration is only ever replaced, never written. Its cleanup also unlinks the
    /// backup, since `rename` does nothing while both names stand for one file.
    BackupByLink { backup: Backup::Linked }
    /// Whoever was granted an unlinked file starts over.
    UnlinkRechecked { lock: Lock::Rechecked }
}
