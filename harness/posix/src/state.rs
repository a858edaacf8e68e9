//! The state behind the handles: inodes, directories, open file descriptions and locks.

use crate::machine::{Dir, Table};
use bohr_kernel::{Cx, Name, Obj, Objects, digest};
use std::collections::BTreeMap;

/// Names an inode: who made it, and the smallest number free among the living ones of that process. Not the
/// order of creation, so that the same files are the same state whoever came first.
pub(crate) type InodeId = u64;

/// Names an open file description: who opened it, and the smallest number free among the living ones of that process.
/// Not its descriptor, which can be another's by the time it closes.
pub(crate) type DescriptionId = u64;

#[derive(Copy, Clone, Debug)]
pub(crate) struct InodeRef {
    pub(crate) id: InodeId,
    pub(crate) data: Obj<Inode>,
    pub(crate) locks: Obj<Locks>,
}

#[derive(Debug)]
pub(crate) struct Inode {
    pub(crate) data: Vec<u8>,
    /// Who is in the middle of a `write` of several pages.
    pub(crate) writer: Option<DescriptionId>,
    pub(crate) links: u32,
    pub(crate) opens: u32,
    /// The contents that a power loss may leave: those since the last `fsync`, each once. Nothing where no
    /// power loss can come.
    pub(crate) versions: Option<Vec<Vec<u8>>>,
}

impl Inode {
    pub(crate) fn new(durable: bool) -> Self {
        let versions = durable.then(|| vec![Vec::new()]);
        Inode { data: Vec::new(), writer: None, links: 0, opens: 0, versions }
    }

    /// Takes note that the content has changed.
    pub(crate) fn changed(&mut self) {
        if let Some(versions) = &mut self.versions
            && !versions.contains(&self.data)
        {
            versions.push(self.data.clone());
        }
    }

    /// Puts bytes at an offset; a gap before it is filled with NUL.
    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        if self.data.len() < at + bytes.len() {
            self.data.resize(at + bytes.len(), 0);
        }
        self.data[at..at + bytes.len()].copy_from_slice(bytes);
        self.changed();
    }

    pub(crate) fn cut(&mut self, length: usize) {
        self.data.resize(length, 0);
        self.changed();
    }
}

/// The locks on one inode or directory. `flock` and `fcntl` do not see each other.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    pub(crate) flock: Option<DescriptionId>,
    /// The process.
    pub(crate) fcntl: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) name: Name,
    pub(crate) names: BTreeMap<u64, InodeRef>,
    /// How the names that were ever used here are written.
    pub(crate) spelled: BTreeMap<u64, String>,
    /// What a power loss may leave of the names; nothing where no power loss can come.
    pub(crate) durable: Option<DurableNames>,
    /// Whether a power loss empties it.
    pub(crate) volatile: bool,
    /// Inodes here with a writer: kept with the names, because a truncating `open` waits for it.
    pub(crate) writing: Vec<InodeId>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DurableNames {
    /// The names at the last `fsync` of the directory.
    pub(crate) names: BTreeMap<u64, InodeRef>,
    /// What has happened to them since.
    pub(crate) since: Vec<NameOp>,
}

/// One indivisible change of the names of a directory.
#[derive(Copy, Clone, Debug)]
pub(crate) enum NameOp {
    Link(u64, InodeRef),
    Unlink(u64),
    Rename { from: u64, to: u64, inode: InodeRef },
}

impl NameOp {
    pub(crate) fn apply(self, names: &mut BTreeMap<u64, InodeRef>) {
        match self {
            NameOp::Link(name, inode) => {
                names.insert(name, inode);
            }
            NameOp::Unlink(name) => {
                names.remove(&name);
            }
            NameOp::Rename { from, to, inode } => {
                names.remove(&from);
                names.insert(to, inode);
            }
        }
    }

    fn number(self) -> (u64, u64, u64) {
        match self {
            NameOp::Link(name, inode) => (name, inode.id, 0),
            NameOp::Unlink(name) => (name, 0, 1),
            NameOp::Rename { from, to, inode } => (from, inode.id, to),
        }
    }
}

impl Directory {
    pub(crate) fn change(&mut self, op: NameOp) {
        op.apply(&mut self.names);
        if let Some(durable) = &mut self.durable {
            durable.since.push(op);
        }
    }

    pub(crate) fn spell(&self, name: u64) -> &str {
        self.spelled.get(&name).map_or("?", String::as_str)
    }
}

#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) id: DescriptionId,
    pub(crate) target: Target,
    pub(crate) offset: usize,
    pub(crate) append: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// Descriptors that point here.
    pub(crate) refs: u32,
}

#[derive(Copy, Clone, Debug)]
pub(crate) enum Target {
    File { inode: InodeRef, dir: Obj<Directory> },
    Dir { dir: Dir },
}

impl Target {
    pub(crate) fn locks(self) -> Obj<Locks> {
        match self {
            Target::File { inode, .. } => inode.locks,
            Target::Dir { dir } => dir.locks,
        }
    }
}

// What follows says what the value of each kind of object is, after an action has changed it.

pub(crate) fn settle_inode(objects: &mut Objects, cx: &mut Cx<'_>, table: Obj<Table>, inode: InodeRef) {
    let state = objects.get(inode.data);
    if state.links == 0 && state.opens == 0 && state.versions.is_none() {
        cx.identify(objects, inode.data, |_| 0);
        objects.get_mut(table).living.remove(&inode.id);
        return;
    }
    cx.identify(objects, inode.data, |objects| {
        let state = objects.get(inode.data);
        digest(&(inode.id, &state.data, state.writer, &state.versions, state.links, state.opens))
    });
}

pub(crate) fn settle_locks(objects: &mut Objects, cx: &mut Cx<'_>, locks: Obj<Locks>, of: u64) {
    cx.identify(objects, locks, |objects| {
        let state = objects.get(locks);
        let free = state.flock.is_none() && state.fcntl.is_none();
        if free { 0 } else { digest(&(of, state.flock, state.fcntl)) }
    });
}

pub(crate) fn settle_directory(objects: &mut Objects, cx: &mut Cx<'_>, dir: Obj<Directory>) {
    let names = |names: &BTreeMap<u64, InodeRef>| names.iter().map(|(n, i)| (*n, i.id)).collect::<Vec<_>>();
    cx.identify(objects, dir, |objects| {
        let state = objects.get(dir);
        let durable = state.durable.as_ref();
        let durable =
            durable.map(|d| (names(&d.names), d.since.iter().map(|op| op.number()).collect::<Vec<_>>()));
        digest(&(&state.name, names(&state.names), durable, &state.writing))
    });
}

pub(crate) fn settle_description(objects: &mut Objects, cx: &mut Cx<'_>, description: Obj<Description>) {
    cx.identify(objects, description, |objects| {
        let state = objects.get(description);
        let target = match state.target {
            Target::File { inode, .. } => inode.id,
            Target::Dir { .. } => 1,
        };
        match state.refs {
            0 => 0,
            refs => digest(&(state.id, target, state.offset, state.append, state.writable, refs)),
        }
    });
}

/// A descriptor is gone: the description goes with its last one, and takes its lock and an unfinished write
/// along (close(2), flock(2)).
pub(crate) fn drop_descriptor(
    objects: &mut Objects,
    cx: &mut Cx<'_>,
    table: Obj<Table>,
    description: Obj<Description>,
    pid: u32,
) {
    let state = objects.get_mut(description);
    state.refs -= 1;
    let (id, target, last) = (state.id, state.target, state.refs == 0);
    settle_description(objects, cx, description);
    let locks = target.locks();
    let of = if let Target::File { inode, .. } = target { inode.id } else { 1 };
    let held = objects.get_mut(locks);
    let mut released = false;
    // fcntl(2): closing any descriptor of the file drops the locks of the process.
    if held.fcntl == Some(pid) {
        held.fcntl = None;
        released = true;
    }
    if last && held.flock == Some(id) {
        held.flock = None;
        released = true;
    }
    if released {
        cx.disown(locks);
        settle_locks(objects, cx, locks, of);
    }
    if last {
        objects.get_mut(table).described.remove(&id);
    }
    if let (true, Target::File { inode, dir }) = (last, target) {
        end_write(objects, cx, inode, dir, id);
        objects.get_mut(inode.data).opens -= 1;
        settle_inode(objects, cx, table, inode);
    }
}

/// The inode's write lock is free again, if `id` held it.
pub(crate) fn end_write(
    objects: &mut Objects,
    cx: &mut Cx<'_>,
    inode: InodeRef,
    dir: Obj<Directory>,
    id: DescriptionId,
) {
    let state = objects.get_mut(inode.data);
    if state.writer == Some(id) {
        state.writer = None;
        objects.get_mut(dir).writing.retain(|w| *w != inode.id);
        settle_directory(objects, cx, dir);
    }
}
