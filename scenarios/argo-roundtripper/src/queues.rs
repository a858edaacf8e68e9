//! The second race of the same report: queues that register at the same time append to the same lists of
//! gauges.
//!
//! There are two gauges, "unfinished work" and "longest running", each with a growable list of queues.
//! Main has registered three, so each list has three entries and room for a fourth. Then each registrar
//! appends one entry to the first list and one to the second, and a scraper may read both.

use crate::memory::{Known, Lock, Minds, Plain};
use crate::workload::Queues;
use bohr_go::{atomic, go};
use bohr_kernel::{Obj, at_rest, join, violated};
use std::sync::Arc;

/// One form of upstream's work-queue metrics.
pub trait QueueMetrics: Send + Sync + 'static {
    /// True if lists are made large enough for everybody, and places are claimed one by one.
    const PREGROWN: bool = false;

    /// Registers a queue: appends it to a gauge's list.
    fn append(list: &List, entry: Entry);

    /// Reads all of a list, for the metrics endpoint.
    fn scrape(list: &List);
}

/// A queue, by number.
pub type Entry = u8;

/// How many queues main registers.
const FIRST: u8 = 3;

/// A growable list, as Go's slices are: a header and arrays that it may point to.
pub struct List {
    /// For the forms that lock.
    pub lock: Lock,
    header: Plain<Header>,
    /// The array that main made, and those that registrars allocate: one each at most, since each appends
    /// once.
    arrays: Vec<Vec<Plain<Option<Entry>>>>,
    claimed: atomic::Int64,
    claims: Obj<Known>,
    minds: Minds,
}

#[derive(Copy, Clone, Debug, Hash)]
struct Header {
    array: u8,
    length: u8,
    capacity: u8,
}

impl List {
    fn new<Q: QueueMetrics>(minds: Minds, name: &str, registrars: u8) -> Self {
        let capacity = if Q::PREGROWN { FIRST + registrars } else { 4 };
        let array = |number: u8| {
            let size = if number == 0 { capacity } else { 2 * capacity };
            let first = |i: u8| (number == 0 && i < FIRST).then_some(i);
            let at = |i: u8| format!("{name}.array{number}[{i}]");
            (0..size).map(|i| Plain::new(minds, at(i), first(i))).collect()
        };
        let arrays = if Q::PREGROWN { 0 } else { registrars };
        List {
            lock: Lock::new(minds, format!("{name}.lock")),
            header: Plain::new(minds, format!("{name}.header"), Header { array: 0, length: FIRST, capacity }),
            arrays: (0..=arrays).map(array).collect(),
            claimed: atomic::Int64::new(format!("{name}.claimed"), i64::from(FIRST)),
            claims: Obj::create("ghost", name.to_owned(), Known::default()),
            minds,
        }
    }

    /// Go's `append`: three steps and more.
    pub fn append(&self, entry: Entry) {
        let mut header = self.header.get();
        if header.length == header.capacity {
            let array = entry - FIRST + 1;
            for i in 0..header.length {
                let copied = self.arrays[header.array as usize][i as usize].get();
                self.arrays[array as usize][i as usize].set(copied);
            }
            header = Header { array, capacity: 2 * header.capacity, ..header };
        }
        self.arrays[header.array as usize][header.length as usize].set(Some(entry));
        self.header.set(Header { length: header.length + 1, ..header });
    }

    /// Goes through all entries.
    pub fn walk(&self) {
        let header = self.header.get();
        for i in 0..header.length {
            self.arrays[header.array as usize][i as usize].get();
        }
    }

    /// Claims a place of a list that was made large enough.
    pub fn claim(&self) -> usize {
        let place = self.claimed.add(1) - 1;
        self.minds.pass(self.claims);
        self.minds.saw(place);
        place as usize
    }

    /// How many places are claimed.
    pub fn claimed(&self) -> usize {
        let claimed = self.claimed.load();
        self.minds.learn(self.claims);
        self.minds.saw(claimed);
        claimed as usize
    }

    /// The element at a place of a list that was made large enough.
    pub fn element(&self, place: usize) -> Plain<Option<Entry>> {
        self.arrays[0][place]
    }

    fn contents<Q: QueueMetrics>(&self) -> Vec<Option<Entry>> {
        let header = self.header.peek();
        let length = if Q::PREGROWN { self.claimed.peek() as usize } else { header.length as usize };
        self.arrays[header.array as usize][..length].iter().map(Plain::peek).collect()
    }
}

/// Runs one form, as the main task.
pub(crate) fn run<Q: QueueMetrics>(workload: &Queues) {
    let minds = Minds::new();
    let Queues { registrars, scrapers } = *workload;
    let list = |name: &str| List::new::<Q>(minds, name, registrars);
    let lists = Arc::new([list("unfinished"), list("longest")]);
    let mut actors = Vec::new();
    for registrar in 0..registrars {
        let lists = Arc::clone(&lists);
        let register = move || lists.iter().for_each(|list| Q::append(list, FIRST + registrar));
        actors.push(go(format!("registrar {}", registrar + 1), register));
    }
    for scraper in 0..scrapers {
        let lists = Arc::clone(&lists);
        actors.push(go(format!("scraper {}", scraper + 1), move || lists.iter().for_each(Q::scrape)));
    }
    actors.into_iter().for_each(join);
    at_rest(move || {
        for (list, name) in lists.iter().zip(["unfinished", "longest"]) {
            judge(name, &list.contents::<Q>(), registrars);
        }
    });
}

fn judge(name: &str, contents: &[Option<Entry>], registrars: u8) {
    let all = FIRST + registrars;
    let lost = (0..all).find(|entry| contents.iter().filter(|e| **e == Some(*entry)).count() != 1);
    if lost.is_some() || contents.len() != usize::from(all) {
        violated(
            "O10",
            format!("the list {name} holds {} of {all} queues", contents.iter().flatten().count()),
        );
    }
}
