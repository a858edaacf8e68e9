//! What a run is known by: which write each operation read from.

/// An operation as it stands in the source, done by a task of some role. A number given by
/// [`Names`](super::names::Names).
pub(super) type Event = u32;

/// What is read from if nobody has written yet.
pub(super) const NOBODY: Event = 0;

/// In what way one operation follows another.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// It sees the object as the other has left it.
    ReadsFrom,
    /// It changes what the other was the last to look at.
    Overwrites,
    /// No other operation: it drew the value that stands in the place of one.
    Draws,
}

/// A pair of operations on an object, one of which follows the other. What they are and not where in a run they
/// are: the same pair shows in many runs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) kind: Kind,
    /// The object's role; 0 for a drawn value.
    pub(super) object: u32,
    /// The operation that is followed.
    pub(super) from: Event,
    /// Whether one task did both.
    pub(super) own: bool,
    /// The operation that follows.
    pub(super) to: Event,
}

/// Every pair that was seen, by number, and in how many runs.
#[derive(Debug, Default)]
pub(super) struct Flows {
    all: Vec<Flow>,
    hits: Vec<u64>,
    /// The run that a pair was seen in last.
    last_run: Vec<u64>,
    /// By the operation that follows. Lists and not maps: an operation follows few others.
    by_event: Vec<Vec<u32>>,
    run: u64,
    /// See [`Flows::shown`].
    shown: Vec<u32>,
}

impl Flows {
    pub(super) fn begin_run(&mut self) {
        self.run += 1;
        self.shown.clear();
    }

    /// A pair was seen.
    pub(super) fn see(&mut self, flow: Flow) {
        let event = flow.to as usize;
        if event >= self.by_event.len() {
            self.by_event.resize_with(event + 1, Vec::new);
        }
        let known = self.by_event[event].iter().copied().find(|id| self.all[*id as usize] == flow);
        let id = known.unwrap_or_else(|| {
            let id = self.all.len() as u32;
            self.all.push(flow);
            self.hits.push(0);
            self.last_run.push(0);
            self.by_event[event].push(id);
            id
        });
        let place = id as usize;
        if self.last_run[place] != self.run {
            self.last_run[place] = self.run;
            self.hits[place] += 1;
            self.shown.push(id);
        }
    }

    /// The pairs of the run, in the order in which they showed.
    pub(super) fn shown(&self) -> &[u32] {
        &self.shown
    }

    /// In how many runs a pair was seen.
    pub(super) fn hits(&self, id: u32) -> u64 {
        self.hits[id as usize]
    }

    /// In how many runs a pair was seen, which may be none.
    pub(super) fn hits_of(&self, flow: Flow) -> u64 {
        let known = self.by_event.get(flow.to as usize).into_iter().flatten();
        known.copied().find(|id| self.all[*id as usize] == flow).map_or(0, |id| self.hits(id))
    }

    /// The pair with a number.
    pub(super) fn get(&self, id: u32) -> Flow {
        self.all[id as usize]
    }

    /// All of them, by number.
    pub(super) fn all(&self) -> &[Flow] {
        &self.all
    }

    /// The number of runs so far, with the one that goes on.
    pub(super) fn runs(&self) -> u64 {
        self.run
    }
}
