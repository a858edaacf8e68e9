//! Files: open, read, write, and what can be done to their names.

use crate::machine::{Dir, Path};
use crate::state::{
    Description, Directory, Inode, InodeRef, Locks, NameOp, Target, drop_descriptor, end_write,
    settle_description, settle_directory, settle_inode,
};
use crate::{Errno, Proc};
use bohr_kernel::{Access, Cx, MultiOp, Obj, Objects, digest};

/// A file descriptor.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fd(pub(crate) u32);

impl Fd {
    pub(crate) fn index(self) -> usize {
        (self.0 as usize).wrapping_sub(crate::process::FIRST)
    }
}

impl std::fmt::Display for Fd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "fd {}", self.0)
    }
}

/// How to open a file (POSIX.1-2024, open()). Every descriptor is close-on-exec.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    write: bool,
    create: bool,
    exclusive: bool,
    truncate: bool,
    append: bool,
}

impl Flags {
    /// `O_RDONLY`.
    pub const READ: Flags =
        Flags { write: false, create: false, exclusive: false, truncate: false, append: false };
    /// `O_WRONLY|O_CREAT`.
    pub const CREATE: Flags = Flags { write: true, create: true, ..Flags::READ };
    /// `O_WRONLY|O_CREAT|O_EXCL`: fails if the name exists.
    pub const CREATE_NEW: Flags = Flags { exclusive: true, ..Flags::CREATE };
    /// `O_WRONLY|O_CREAT|O_TRUNC`: cuts the file to nothing in the same step.
    pub const TRUNCATE: Flags = Flags { truncate: true, ..Flags::CREATE };
    /// `O_WRONLY|O_CREAT|O_APPEND`: each write begins at the end of the file.
    pub const APPEND: Flags = Flags { append: true, ..Flags::CREATE };
    /// `O_WRONLY|O_CREAT|O_TRUNC|O_APPEND`.
    pub const TRUNCATE_APPEND: Flags = Flags { append: true, ..Flags::TRUNCATE };

    /// Whether it opens for writing; for reading if not.
    pub fn writes(self) -> bool {
        self.write
    }

    /// Whether it makes a file that is absent.
    pub fn creates(self) -> bool {
        self.create
    }

    /// Whether it fails if the name exists.
    pub fn exclusive(self) -> bool {
        self.exclusive
    }

    /// Whether it cuts the file to nothing.
    pub fn truncates(self) -> bool {
        self.truncate
    }

    /// Whether each write begins at the end of the file.
    pub fn appends(self) -> bool {
        self.append
    }

    fn label(self) -> &'static str {
        match self {
            Flags { write: false, .. } => "open(O_RDONLY)",
            Flags { exclusive: true, .. } => "open(O_CREAT|O_EXCL)",
            Flags { truncate: true, append: true, .. } => "open(O_TRUNC|O_APPEND)",
            Flags { truncate: true, .. } => "open(O_TRUNC)",
            Flags { append: true, .. } => "open(O_APPEND)",
            Flags { .. } => "open(O_CREAT)",
        }
    }
}

impl Proc {
    /// `open`: a new description at offset 0. A truncating one waits while somebody is in the middle of
    /// writing the inode, as ext4 and xfs do (inode lock).
    ///
    /// # Errors
    /// ENOENT without `O_CREAT`, EEXIST with `O_EXCL`.
    #[track_caller]
    pub fn open(self, path: Path, flags: Flags) -> Result<Fd, Errno> {
        let dir = path.dir.state;
        let names = if flags.create { Access::Write } else { Access::Read };
        let mut op = self.op_on_self(flags.label(), dir, names);
        if flags.truncate {
            let at_rest: fn(&Directory, u64) -> bool =
                |dir, name| dir.names.get(&name).is_none_or(|inode| !dir.writing.contains(&inode.id));
            op = op.touch(self.machine.table, Access::Write).when(dir, at_rest, path.name);
        }
        op.run(|objects, cx| {
            let result = self.open_now(objects, cx, path, flags);
            if flags.create {
                settle_directory(objects, cx, dir);
            }
            self.settle(objects, cx);
            if flags.truncate {
                settle_table(objects, cx, self);
            }
            cx.learned(|| digest(&result));
            cx.note(|| {
                let dir = objects.get(dir);
                let name = dir.spell(path.name);
                match result {
                    Ok(fd) => format!("{}/{name} -> {fd}", dir.name),
                    Err(errno) => format!("{}/{name}: {errno}", dir.name),
                }
            });
            result
        })
    }

    fn open_now(self, objects: &mut Objects, cx: &mut Cx<'_>, path: Path, flags: Flags) -> Result<Fd, Errno> {
        let dir = path.dir.state;
        let inode = match objects.get(dir).names.get(&path.name).copied() {
            Some(_) if flags.exclusive => return Err(Errno::EEXIST),
            Some(inode) => inode,
            None if !flags.create => return Err(Errno::ENOENT),
            None => self.create(objects, cx, path),
        };
        let state = objects.get_mut(inode.data);
        state.opens += 1;
        if flags.truncate && !state.data.is_empty() {
            state.cut(0);
        }
        settle_inode(objects, cx, self.machine.table, inode);
        let target = Target::File { inode, dir };
        Ok(self.describe(objects, cx, target, flags))
    }

    fn create(self, objects: &mut Objects, cx: &mut Cx<'_>, path: Path) -> InodeRef {
        let dir = path.dir.state;
        let durable = objects.get(dir).durable.is_some();
        let name = objects.get(dir).spell(path.name).to_owned();
        let id = objects.get_mut(self.machine.table).inode_id(self.pid);
        let locks = cx.create(objects, "lock", name.clone(), Locks::default());
        cx.identify(objects, locks, |_| 0);
        let data = cx.create(objects, "inode", name, Inode::new(durable));
        objects.get_mut(data).links = 1;
        let inode = InodeRef { id, data, locks };
        objects.get_mut(dir).change(NameOp::Link(path.name, inode));
        inode
    }

    fn describe(self, objects: &mut Objects, cx: &mut Cx<'_>, target: Target, flags: Flags) -> Fd {
        let id = objects.get_mut(self.machine.table).description_id(self.pid);
        let description = Description {
            id,
            target,
            offset: 0,
            append: flags.append,
            readable: !flags.write,
            writable: flags.write,
            refs: 1,
        };
        let description = cx.create(objects, "description", "", description);
        let fd = objects.get_mut(self.me).insert(description);
        settle_description(objects, cx, description);
        fd
    }

    /// `open(O_RDONLY|O_DIRECTORY)`: a descriptor of the directory itself.
    #[track_caller]
    pub fn open_dir(self, dir: Dir) -> Fd {
        let op = self.op_on_self("open(O_DIRECTORY)", dir.state, Access::Read);
        op.run(|objects, cx| {
            let target = Target::Dir { dir };
            let fd = self.describe(objects, cx, target, Flags::READ);
            self.settle(objects, cx);
            cx.learned(|| digest(&fd));
            fd
        })
    }

    /// One page at the description's offset: what is there now, which may mix older and newer pages with
    /// those read before (Linux; POSIX would have reads and writes of regular files be atomic, XSH 2.9.7).
    /// Empty at the end of the file.
    ///
    /// # Errors
    /// EBADF, EISDIR.
    #[track_caller]
    pub fn read(self, fd: Fd) -> Result<Vec<u8>, Errno> {
        let description = self.description(fd)?;
        let inode = readable(description)?;
        let op = self.op_on("read", description, Access::Write).touch(inode.data, Access::Read);
        Ok(op.run(|objects, cx| {
            let at = objects.get(description).offset;
            let data = &objects.get(inode.data).data;
            let page = data.get(at..data.len().min(at + self.machine.page)).unwrap_or_default().to_vec();
            objects.get_mut(description).offset += page.len();
            settle_description(objects, cx, description);
            cx.learned(|| digest(&page));
            cx.note(|| format!("{} bytes at {at}", page.len()));
            page
        }))
    }

    /// Reads page by page until there is no more.
    ///
    /// # Errors
    /// EBADF, EISDIR.
    #[track_caller]
    pub fn read_to_end(self, fd: Fd) -> Result<Vec<u8>, Errno> {
        let mut all = Vec::new();
        loop {
            let page = self.read(fd)?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Writes all of `bytes`, one page a step, from the description's offset; with `O_APPEND` from where
    /// the end of the file is at the first step. Writers of one inode exclude each other, readers see the
    /// file grow. A gap before the offset is filled with NUL.
    ///
    /// # Errors
    /// ENOSPC by choice where [`Proc::full_disk`] allows it: that page and those after it are not written,
    /// those before stay. EBADF.
    #[track_caller]
    pub fn write(self, fd: Fd, bytes: &[u8]) -> Result<(), Errno> {
        let description = self.description(fd)?;
        let (inode, dir) = writable(description)?;
        let pages: Vec<&[u8]> = bytes.chunks(self.machine.page).collect();
        for (number, page) in pages.iter().enumerate() {
            let (first, last) = (number == 0, number + 1 == pages.len());
            let fills = self.me.peek(|p| p.full_disk > 0);
            let own = if fills { Access::Write } else { Access::Read };
            let mut op = self.op_on("write", inode.data, Access::Write);
            op = op.touch(description, Access::Write).touch(self.me, own);
            if first {
                op = op.when(inode.data, |inode, _| inode.writer.is_none(), 0);
            }
            let written = op.run_choosing(
                |_, _| if fills { 2 } else { 1 },
                |objects, cx, full| {
                    let id = objects.get(description).id;
                    if full == 1 {
                        objects.get_mut(self.me).full_disk -= 1;
                        self.settle(objects, cx);
                        end_write(objects, cx, inode, dir, id);
                        settle_inode(objects, cx, self.machine.table, inode);
                        settle_description(objects, cx, description);
                        cx.learned(|| 1);
                        cx.note(|| "ENOSPC");
                        return Err(Errno::ENOSPC);
                    }
                    if first && objects.get(description).append {
                        objects.get_mut(description).offset = objects.get(inode.data).data.len();
                    }
                    let at = objects.get(description).offset;
                    objects.get_mut(inode.data).put(at, page);
                    objects.get_mut(description).offset += page.len();
                    if first && !last {
                        objects.get_mut(inode.data).writer = Some(id);
                        objects.get_mut(dir).writing.push(inode.id);
                        objects.get_mut(dir).writing.sort_unstable();
                        settle_directory(objects, cx, dir);
                    } else if last {
                        end_write(objects, cx, inode, dir, id);
                    }
                    if fills {
                        self.settle(objects, cx);
                    }
                    settle_inode(objects, cx, self.machine.table, inode);
                    settle_description(objects, cx, description);
                    cx.learned(|| 0);
                    cx.note(|| {
                        let unlinked = objects.get(inode.data).links == 0;
                        let whither = if unlinked { ", of an inode that has no name" } else { "" };
                        format!("{} bytes at {at}{whither}", page.len())
                    });
                    Ok(())
                },
            );
            written?;
        }
        Ok(())
    }

    /// `ftruncate`.
    ///
    /// # Errors
    /// EBADF; EINVAL if it is open, but not for writing (ftruncate(2); POSIX allows both).
    #[track_caller]
    pub fn ftruncate(self, fd: Fd, length: usize) -> Result<(), Errno> {
        let description = self.description(fd)?;
        let (inode, _) = writable(description).map_err(|_| Errno::EINVAL)?;
        let op = self.op_on("ftruncate", description, Access::Read).touch(inode.data, Access::Write);
        op.when(inode.data, |inode, _| inode.writer.is_none(), 0).run(|objects, cx| {
            objects.get_mut(inode.data).cut(length);
            settle_inode(objects, cx, self.machine.table, inode);
            cx.learned(|| 0);
            cx.note(|| format!("to {length} bytes"));
        });
        Ok(())
    }

    /// `close`.
    ///
    /// # Errors
    /// EBADF.
    #[track_caller]
    pub fn close(self, fd: Fd) -> Result<(), Errno> {
        let description = self.description(fd)?;
        let op = self.touching(self.op_on_self("close", description, Access::Write), description);
        op.run(|objects, cx| {
            self.close_now(objects, cx, fd);
            cx.note(|| fd.to_string());
        });
        Ok(())
    }

    /// Closes a descriptor that was only read or written through, together with the last call through it:
    /// no operation of its own, because nobody can see when it happens. Not for one that holds a lock.
    ///
    /// # Errors
    /// EBADF.
    pub fn discard(self, fd: Fd) -> Result<(), Errno> {
        self.description(fd)?;
        bohr_kernel::aside(|objects, cx| self.close_now(objects, cx, fd));
        Ok(())
    }

    fn close_now(self, objects: &mut Objects, cx: &mut Cx<'_>, fd: Fd) {
        let descriptor = objects.get_mut(self.me).descriptors.get_mut(fd.index());
        if let Some(description) = descriptor.and_then(Option::take) {
            drop_descriptor(objects, cx, self.machine.table, description, self.pid);
        }
        self.settle(objects, cx);
        cx.learned(|| 0);
    }

    /// `dup`: another descriptor of the same description.
    ///
    /// # Errors
    /// EBADF.
    #[track_caller]
    pub fn dup(self, fd: Fd) -> Result<Fd, Errno> {
        let description = self.description(fd)?;
        Ok(self.op_on_self("dup", description, Access::Write).run(|objects, cx| {
            objects.get_mut(description).refs += 1;
            let fd = objects.get_mut(self.me).insert(description);
            settle_description(objects, cx, description);
            self.settle(objects, cx);
            cx.learned(|| digest(&fd));
            fd
        }))
    }

    /// `fsync` of a file: its content and length become durable, its *name* does not (fsync(2), Notes). Of a
    /// directory as [`Proc::fsync_dir`].
    ///
    /// # Errors
    /// EBADF.
    #[track_caller]
    pub fn fsync(self, fd: Fd) -> Result<(), Errno> {
        let description = self.description(fd)?;
        let inode = match description.peek(|d| d.target) {
            Target::File { inode, .. } => inode,
            Target::Dir { dir } => {
                self.fsync_dir(dir);
                return Ok(());
            }
        };
        let op = self.op_on("fsync", description, Access::Read).touch(inode.data, Access::Write);
        op.run(|objects, cx| {
            let state = objects.get_mut(inode.data);
            if state.versions.is_some() {
                state.versions = Some(vec![state.data.clone()]);
            }
            settle_inode(objects, cx, self.machine.table, inode);
            cx.learned(|| 0);
        });
        Ok(())
    }

    /// `fsync` of a directory: all its names become durable. Opening and closing it count as one step with
    /// it.
    #[track_caller]
    pub fn fsync_dir(self, dir: Dir) {
        self.op_on("fsync directory", dir.state, Access::Write).run(|objects, cx| {
            let state = objects.get_mut(dir.state);
            if let Some(durable) = &mut state.durable {
                durable.names = state.names.clone();
                durable.since.clear();
            }
            settle_directory(objects, cx, dir.state);
            cx.learned(|| 0);
            cx.note(|| objects.get(dir.state).name.clone());
        });
    }

    /// `unlink`: removes the name. The inode lives on while somebody has it open.
    ///
    /// # Errors
    /// ENOENT.
    #[track_caller]
    pub fn unlink(self, path: Path) -> Result<(), Errno> {
        self.change_names("unlink", path, path, |objects, cx| {
            let inode = find(objects, path)?;
            objects.get_mut(path.dir.state).change(NameOp::Unlink(path.name));
            self.lose_link(objects, cx, inode);
            Ok(())
        })
    }

    /// `rename`: the new name stands for the old inode at once; there is no instant without it
    /// (POSIX.1-2024, rename()). Open descriptions keep the inode that it stood for before. If both names stand
    /// for the same inode already, nothing happens, and both stay.
    ///
    /// # Errors
    /// EXDEV between file systems, ENOENT.
    #[track_caller]
    pub fn rename(self, from: Path, to: Path) -> Result<(), Errno> {
        self.change_names("rename", from, to, |objects, cx| {
            same_mount(from, to)?;
            let inode = find(objects, from)?;
            let replaced = find(objects, to).ok();
            if replaced.is_some_and(|r| r.id == inode.id) {
                return Ok(());
            }
            let op = NameOp::Rename { from: from.name, to: to.name, inode };
            objects.get_mut(to.dir.state).change(op);
            if let Some(replaced) = replaced {
                self.lose_link(objects, cx, replaced);
            }
            Ok(())
        })
    }

    /// `link`: a second name for the inode.
    ///
    /// # Errors
    /// ENOENT, EEXIST if the new name is taken, EXDEV between file systems; Linux looks in this order.
    #[track_caller]
    pub fn link(self, old: Path, new: Path) -> Result<(), Errno> {
        self.change_names("link", old, new, |objects, cx| {
            let inode = find(objects, old)?;
            if find(objects, new).is_ok() {
                return Err(Errno::EEXIST);
            }
            same_mount(old, new)?;
            objects.get_mut(inode.data).links += 1;
            objects.get_mut(new.dir.state).change(NameOp::Link(new.name, inode));
            settle_inode(objects, cx, self.machine.table, inode);
            Ok(())
        })
    }

    /// `stat`, for whether the name exists.
    #[track_caller]
    pub fn exists(self, path: Path) -> bool {
        self.op_on("stat", path.dir.state, Access::Read).run(|objects, cx| {
            let exists = find(objects, path).is_ok();
            cx.learned(|| exists.into());
            cx.note(|| objects.get(path.dir.state).spell(path.name).to_owned());
            exists
        })
    }

    /// Whether the path still stands for the file behind the descriptor (`fstat` and `stat`, whose device
    /// and inode are compared; one step, because what a descriptor stands for never changes).
    ///
    /// # Errors
    /// EBADF.
    #[track_caller]
    pub fn same_file(self, fd: Fd, path: Path) -> Result<bool, Errno> {
        let description = self.description(fd)?;
        let inode = file(description).map(|(inode, _)| inode.id);
        Ok(self.op_on("stat", path.dir.state, Access::Read).run(|objects, cx| {
            let same = find(objects, path).is_ok_and(|found| inode == Some(found.id));
            cx.learned(|| same.into());
            cx.note(|| if same { "same inode" } else { "another inode" });
            same
        }))
    }

    /// The names in a directory, in one step (`readdir` promises less; sorted by a digest of the name).
    #[track_caller]
    pub fn list(self, dir: Dir) -> Vec<String> {
        self.op_on("readdir", dir.state, Access::Read).run(|objects, cx| {
            let state = objects.get(dir.state);
            let names: Vec<_> = state.names.keys().map(|n| state.spell(*n).to_owned()).collect();
            cx.learned(|| digest(&names));
            cx.note(|| names.join(" "));
            names
        })
    }

    #[track_caller]
    fn change_names(
        self,
        label: &'static str,
        from: Path,
        to: Path,
        change: impl FnOnce(&mut Objects, &mut Cx<'_>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let op: MultiOp = self.op_on(label, from.dir.state, Access::Write);
        op.touch(to.dir.state, Access::Write).run(|objects, cx| {
            let result = change(objects, cx);
            for dir in [from.dir.state, to.dir.state] {
                settle_directory(objects, cx, dir);
            }
            cx.learned(|| digest(&result));
            cx.note(|| {
                let from_name = objects.get(from.dir.state).spell(from.name);
                let mut note = from_name.to_owned();
                if from != to {
                    note = format!("{note} -> {}", objects.get(to.dir.state).spell(to.name));
                }
                if let Err(errno) = result {
                    note = format!("{note}: {errno}");
                }
                note
            });
            result
        })
    }

    fn lose_link(self, objects: &mut Objects, cx: &mut Cx<'_>, inode: InodeRef) {
        objects.get_mut(inode.data).links -= 1;
        settle_inode(objects, cx, self.machine.table, inode);
    }
}

fn find(objects: &Objects, path: Path) -> Result<InodeRef, Errno> {
    objects.get(path.dir.state).names.get(&path.name).copied().ok_or(Errno::ENOENT)
}

fn same_mount(a: Path, b: Path) -> Result<(), Errno> {
    if a.dir.state.id() == b.dir.state.id() { Ok(()) } else { Err(Errno::EXDEV) }
}

fn settle_table(objects: &mut Objects, cx: &mut Cx<'_>, proc: Proc) {
    let table = proc.machine.table;
    cx.identify(objects, table, |objects| digest(&objects.get(table).processes.len()));
}

/// The file behind a description, if it is none of a directory.
fn file(description: Obj<Description>) -> Option<(InodeRef, Obj<Directory>)> {
    match description.peek(|d| d.target) {
        Target::File { inode, dir } => Some((inode, dir)),
        Target::Dir { .. } => None,
    }
}

fn readable(description: Obj<Description>) -> Result<InodeRef, Errno> {
    if !description.peek(|d| d.readable) {
        return Err(Errno::EBADF);
    }
    file(description).map(|(inode, _)| inode).ok_or(Errno::EISDIR)
}

fn writable(description: Obj<Description>) -> Result<(InodeRef, Obj<Directory>), Errno> {
    file(description).filter(|_| description.peek(|d| d.writable)).ok_or(Errno::EBADF)
}
