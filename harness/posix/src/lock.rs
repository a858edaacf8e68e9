//! Advisory locks, with the release rules that they really have.

use crate::state::{Description, Locks, Target, settle_description, settle_locks};
use crate::{Errno, Fd, Proc};
use bohr_kernel::{Access, Cx, Obj, Objects};

impl Proc {
    /// `flock(fd, LOCK_EX)`, waiting (flock(2)). The lock belongs to the open file *description*: it
    /// conflicts with every other description of the same inode, even one of the same process; `dup` and
    /// `fork` share it; it goes when the last descriptor closes, or by `LOCK_UN` through any of them. Any
    /// waiter may get it next.
    ///
    /// # Errors
    /// EBADF.
    #[track_caller]
    pub fn flock(self, fd: Fd) -> Result<(), Errno> {
        let description = self.description(fd)?;
        let (id, locks) = description.peek(|d| (d.id, d.target.locks()));
        let op = self.op_on("flock(LOCK_EX)", locks, Access::Write).touch(description, Access::Read);
        let free = |locks: &Locks, id| locks.flock.is_none_or(|holder| holder == id);
        op.when(locks, free, id).run(|objects, cx| self.grant(objects, cx, fd));
        Ok(())
    }

    /// `flock(fd, LOCK_EX | LOCK_NB)`.
    ///
    /// # Errors
    /// EWOULDBLOCK if another description holds it; EBADF.
    #[track_caller]
    pub fn try_flock(self, fd: Fd) -> Result<(), Errno> {
        let description = self.description(fd)?;
        let (id, locks) = description.peek(|d| (d.id, d.target.locks()));
        let op = self.op_on("flock(LOCK_EX|LOCK_NB)", locks, Access::Write).touch(description, Access::Read);
        op.run(|objects, cx| {
            if objects.get(locks).flock.is_some_and(|holder| holder != id) {
                cx.identify_locks(objects, locks);
                cx.learned(|| 1);
                cx.note(|| "EWOULDBLOCK");
                return Err(Errno::EWOULDBLOCK);
            }
            self.grant(objects, cx, fd);
            Ok(())
        })
    }

    /// `flock(fd, LOCK_UN)`: gives up the lock of the description, whoever of its sharers took it.
    ///
    /// # Errors
    /// EBADF.
    #[track_caller]
    pub fn funlock(self, fd: Fd) -> Result<(), Errno> {
        let description = self.description(fd)?;
        let locks = description.peek(|d| d.target.locks());
        let op = self.op_on("flock(LOCK_UN)", locks, Access::Write).touch(description, Access::Read);
        op.run(|objects, cx| {
            let id = objects.get(description).id;
            let state = objects.get_mut(locks);
            if state.flock == Some(id) {
                state.flock = None;
                cx.disown(locks);
            }
            cx.identify_locks(objects, locks);
            cx.learned(|| 0);
        });
        Ok(())
    }

    /// `fcntl(fd, F_SETLKW)` with a write lock on the whole file, waiting (fcntl(2), "Advisory record
    /// locking"). The lock belongs to the *process* and the inode: no conflict inside one process; closing
    /// any descriptor of that inode drops it; a child does not inherit it. It and `flock` do not see each
    /// other.
    ///
    /// # Errors
    /// EBADF, also if it is not open for writing.
    #[track_caller]
    pub fn fcntl_lock(self, fd: Fd) -> Result<(), Errno> {
        let (description, locks) = self.write_locks(fd)?;
        let op = self.op_on("fcntl(F_SETLKW)", locks, Access::Write).touch(description, Access::Read);
        let free = |locks: &Locks, pid| locks.fcntl.is_none_or(|holder| u64::from(holder) == pid);
        op.when(locks, free, u64::from(self.pid)).run(|objects, cx| {
            objects.get_mut(locks).fcntl = Some(self.pid);
            cx.own(locks);
            cx.identify_locks(objects, locks);
            cx.learned(|| 0);
        });
        Ok(())
    }

    /// `fcntl(fd, F_SETLK)` with a write lock on the whole file.
    ///
    /// # Errors
    /// EWOULDBLOCK (POSIX allows EACCES and EAGAIN, which is the same number) if another process holds it;
    /// EBADF, also if it is not open for writing.
    #[track_caller]
    pub fn try_fcntl_lock(self, fd: Fd) -> Result<(), Errno> {
        let (description, locks) = self.write_locks(fd)?;
        let op = self.op_on("fcntl(F_SETLK)", locks, Access::Write).touch(description, Access::Read);
        op.run(|objects, cx| {
            let state = objects.get_mut(locks);
            let free = state.fcntl.is_none_or(|holder| holder == self.pid);
            if free {
                state.fcntl = Some(self.pid);
                cx.own(locks);
            }
            cx.identify_locks(objects, locks);
            cx.learned(|| free.into());
            if free { Ok(()) } else { Err(Errno::EWOULDBLOCK) }
        })
    }

    /// A description and the locks of what it stands for, if `fcntl` can lock it for writing.
    fn write_locks(self, fd: Fd) -> Result<(Obj<Description>, Obj<Locks>), Errno> {
        let description = self.description(fd)?;
        let (writable, locks) = description.peek(|d| (d.writable, d.target.locks()));
        if writable { Ok((description, locks)) } else { Err(Errno::EBADF) }
    }

    fn grant(self, objects: &mut Objects, cx: &mut Cx<'_>, fd: Fd) {
        let Some(description) = objects.get(self.me).description(fd) else { return };
        let (id, target) = (objects.get(description).id, objects.get(description).target);
        let locks = target.locks();
        objects.get_mut(locks).flock = Some(id);
        cx.own(locks);
        cx.identify_locks(objects, locks);
        settle_description(objects, cx, description);
        cx.learned(|| 0);
        cx.note(|| match target {
            Target::File { .. } => "granted",
            Target::Dir { .. } => "granted on the directory",
        });
    }
}

/// So that the calls above read well.
trait IdentifyLocks {
    fn identify_locks(&mut self, objects: &mut Objects, locks: Obj<Locks>);
}

impl IdentifyLocks for Cx<'_> {
    fn identify_locks(&mut self, objects: &mut Objects, locks: Obj<Locks>) {
        settle_locks(objects, self, locks, u64::from(locks.id().0));
    }
}
