//! A machine: file systems, and the processes on it.

use crate::process::Process;
use crate::state::{DescriptionId, Directory, DurableNames, Inode, InodeId, InodeRef, Locks};
use bohr_kernel::{Name, Obj, digest};
use std::collections::{BTreeMap, BTreeSet};

/// A computer with file systems and processes.
#[derive(Copy, Clone, Debug)]
pub struct Machine {
    pub(crate) table: Obj<Table>,
    /// A bit for each process that has ended.
    pub(crate) ended: Obj<u64>,
    pub(crate) page: usize,
    pub(crate) power: bool,
}

/// What a machine is like.
#[derive(Copy, Clone, Debug)]
pub struct Options {
    /// How many bytes one step of a read or write moves.
    pub page: usize,
    /// Whether the power can fail: then what is durable is kept track of.
    pub power: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { page: 4096, power: false }
    }
}

/// What a power loss does to a file system.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A disk: what was synchronised stays.
    Disk,
    /// Memory: nothing stays.
    Memory,
}

/// Which changes of a directory since its last `fsync` a power loss may leave.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum NameOrder {
    /// Any of them: POSIX promises no order.
    #[default]
    AnySubset,
    /// The first ones up to some point, as a journalling file system does.
    Prefix,
}

/// A mounted file system, which is one flat directory here.
#[derive(Copy, Clone, Debug)]
pub struct Dir {
    pub(crate) state: Obj<Directory>,
    pub(crate) locks: Obj<Locks>,
}

/// A name in a directory, which may or may not exist.
#[derive(Copy, Clone, Debug)]
pub struct Path {
    pub(crate) dir: Dir,
    pub(crate) name: u64,
}

/// What the machine knows of its processes and inodes.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) processes: Vec<Obj<Process>>,
    pub(crate) dirs: Vec<Dir>,
    pub(crate) living: BTreeSet<InodeId>,
    pub(crate) described: BTreeSet<DescriptionId>,
}

impl Table {
    /// A number for a new inode made by `pid`, see [`InodeId`].
    pub(crate) fn inode_id(&mut self, pid: u32) -> InodeId {
        number(&mut self.living, pid)
    }

    /// A number for a new description made by `pid`, see [`DescriptionId`].
    pub(crate) fn description_id(&mut self, pid: u32) -> DescriptionId {
        number(&mut self.described, pid)
    }
}

/// The smallest number of `pid`'s that is not taken.
fn number(taken: &mut BTreeSet<u64>, pid: u32) -> u64 {
    let mut ids = (1..).map(|n: u64| (u64::from(pid) + 1) << 32 | n);
    let id = ids.find(|id| !taken.contains(id)).expect("there are enough numbers");
    taken.insert(id);
    id
}

impl Machine {
    /// A machine without file systems or processes.
    #[track_caller]
    pub fn new(options: Options) -> Self {
        let table = Obj::create("machine", "machine", Table::default());
        let ended = Obj::create("wait", "ended processes", 0);
        Machine { table, ended, page: options.page.max(1), power: options.power }
    }

    /// Mounts an empty file system.
    #[track_caller]
    pub fn mount(self, name: impl Into<Name>, kind: MountKind) -> Dir {
        let name = name.into();
        let locks = Obj::create("lock", name.clone(), Locks::default());
        let durable = (self.power && kind == MountKind::Disk).then(DurableNames::default);
        let state = Directory {
            name: name.clone(),
            names: BTreeMap::new(),
            spelled: BTreeMap::new(),
            durable,
            volatile: kind == MountKind::Memory,
            writing: Vec::new(),
        };
        let dir = Dir { state: Obj::create("directory", name, state), locks };
        self.table.poke(|t| t.dirs.push(dir));
        dir
    }

    /// Puts a file there before anything runs; it is durable.
    #[track_caller]
    pub fn put(self, path: Path, bytes: &[u8]) {
        let text = path.to_string();
        let durable = path.dir.state.peek(|d| d.durable.is_some());
        let mut inode = Inode::new(durable);
        inode.data = bytes.to_vec();
        inode.links = 1;
        inode.versions = durable.then(|| vec![bytes.to_vec()]);
        // As if made by a process that no other is.
        let id = self.table.poke(|t| t.inode_id(u32::MAX));
        let locks = Obj::create("lock", text.clone(), Locks::default());
        let inode = InodeRef { id, data: Obj::create("inode", text, inode), locks };
        path.dir.state.poke(|d| {
            d.names.insert(path.name, inode);
            if let Some(durable) = &mut d.durable {
                durable.names.insert(path.name, inode);
            }
        });
    }

    /// The bytes of a file, for oracles; nothing if there is none.
    pub fn look(self, path: Path) -> Option<Vec<u8>> {
        let inode = path.dir.state.peek(|d| d.names.get(&path.name).copied())?;
        Some(inode.data.peek(|i| i.data.clone()))
    }

    /// The names in a directory, for oracles.
    pub fn names(self, dir: Dir) -> Vec<String> {
        dir.state.peek(|d| d.names.keys().map(|n| d.spell(*n).to_owned()).collect())
    }
}

impl Dir {
    /// A name in this directory.
    pub fn path(self, name: &str) -> Path {
        let id = digest(name);
        self.state.poke(|d| {
            d.spelled.entry(id).or_insert_with(|| name.to_owned());
        });
        Path { dir: self, name: id }
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.dir.state.id() == other.dir.state.id()
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.dir.state.peek(|d| format!("{}/{}", d.name, d.spell(self.name)));
        f.write_str(&text)
    }
}
