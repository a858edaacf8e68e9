//! `sync.RWMutex`.

use bohr_kernel::{Access, Clock, Cx, Name, Obj};

/// A reader/writer lock, as `sync.RWMutex` (sync/rwmutex.go): its counters, not an abstraction of them.
///
/// A writer that waits keeps new readers out, so a goroutine that read-locks twice deadlocks if a
/// writer comes in between. Readers that came while a writer held the lock get it before the next
/// writer. Wrong use is noticed only in the states in which Go notices it.
#[derive(Copy, Clone, Debug)]
pub struct RWMutex(Obj<State>);

/// The number that a pending writer subtracts from the count of readers (`rwmutexMaxReaders`).
const MAX_READERS: i32 = 1 << 30;

#[derive(Default)]
struct State {
    /// Readers that hold or want the lock, less `MAX_READERS` while a writer holds or wants it.
    reader_count: i32,
    /// Readers that the pending writer waits for.
    reader_wait: i32,
    /// The inner mutex: held by the one writer that has come first.
    w: bool,
    /// Permits of the two semaphores.
    reader_sem: u32,
    writer_sem: u32,
    /// What the detector annotates: a writer's unlock, and readers' unlocks.
    written: Clock,
    read: Clock,
}

impl RWMutex {
    /// An unlocked one.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        RWMutex(Obj::create("sync.RWMutex", name, State::default()))
    }

    /// Locks for reading. Blocked goroutines show `sync.RWMutex.RLock`.
    #[track_caller]
    pub fn rlock(&self) {
        let admitted = self.0.op("RLock", Access::Write).run(|s, cx| {
            s.reader_count = s.reader_count.wrapping_add(1);
            let admitted = s.reader_count >= 0;
            if admitted {
                self.enter_reader(s, cx);
            } else {
                cx.note(|| "a writer is pending");
            }
            admitted
        });
        if !admitted {
            self.0.op("RLock", Access::Write).when(|s, _| s.reader_sem > 0).run(|s, cx| {
                s.reader_sem -= 1;
                self.enter_reader(s, cx);
            });
        }
    }

    /// Locks for reading unless a writer holds or wants the lock, and says whether it did.
    #[track_caller]
    pub fn try_rlock(&self) -> bool {
        self.0.op("TryRLock", Access::Write).run(|s, cx| {
            if s.reader_count < 0 {
                cx.note(|| "a writer is pending: false");
                return false;
            }
            s.reader_count += 1;
            self.enter_reader(s, cx);
            true
        })
    }

    /// Ends one reader's lock, whoever took it.
    ///
    /// Fatal: `sync: RUnlock of unlocked RWMutex`.
    #[track_caller]
    pub fn runlock(&self) {
        self.0.op("RUnlock", Access::Write).run(|s, cx| {
            let before = s.reader_count;
            s.reader_count = before.wrapping_sub(1);
            cx.release_merge(&mut s.read);
            if s.reader_count < 0 {
                if before == 0 || before == -MAX_READERS {
                    cx.fatal("sync: RUnlock of unlocked RWMutex");
                    return;
                }
                s.reader_wait = s.reader_wait.wrapping_sub(1);
                if s.reader_wait == 0 {
                    s.writer_sem += 1;
                    cx.note(|| "wakes the writer");
                }
            }
            cx.disown(self.0);
        });
    }

    /// Locks for writing. A goroutine blocked behind another writer shows `sync.Mutex.Lock`, behind
    /// readers `sync.RWMutex.Lock`.
    #[track_caller]
    pub fn lock(&self) {
        let inner = self.0.op("Lock: inner mutex", Access::Write).reason("sync.Mutex.Lock");
        inner.when(|s, _| !s.w).run(|s, _| s.w = true);
        let admitted = self.0.op("Lock", Access::Write).run(|s, cx| {
            let readers = s.reader_count;
            s.reader_count = readers.wrapping_sub(MAX_READERS);
            // From here on it keeps new readers out.
            cx.own(self.0);
            s.reader_wait = s.reader_wait.wrapping_add(readers);
            let admitted = readers == 0 || s.reader_wait == 0;
            if admitted {
                enter_writer(s, cx);
            } else {
                cx.note(|| format!("waits for {readers} readers"));
            }
            admitted
        });
        if !admitted {
            self.0.op("Lock", Access::Write).when(|s, _| s.writer_sem > 0).run(|s, cx| {
                s.writer_sem -= 1;
                enter_writer(s, cx);
            });
        }
    }

    /// Locks for writing if nobody holds the lock, and says whether it did. While it tries it holds the
    /// inner mutex, so two that try at once can both fail.
    #[track_caller]
    pub fn try_lock(&self) -> bool {
        let inner = self.0.op("TryLock: inner mutex", Access::Write).run(|s, cx| {
            if s.w {
                cx.note(|| "another writer: false");
            }
            !std::mem::replace(&mut s.w, true)
        });
        if !inner {
            return false;
        }
        let locked = self.0.op("TryLock", Access::Write).run(|s, cx| {
            if s.reader_count != 0 {
                cx.note(|| "readers: false");
                return false;
            }
            s.reader_count = -MAX_READERS;
            cx.own(self.0);
            enter_writer(s, cx);
            true
        });
        if !locked {
            self.0.op("TryLock: give up the inner mutex", Access::Write).run(|s, _| s.w = false);
        }
        locked
    }

    /// Ends the writer's lock, whoever took it.
    ///
    /// Fatal: `sync: Unlock of unlocked RWMutex`.
    #[track_caller]
    pub fn unlock(&self) {
        self.0.op("Unlock", Access::Write).run(|s, cx| {
            cx.release(&mut s.written);
            s.reader_count = s.reader_count.wrapping_add(MAX_READERS);
            if s.reader_count >= MAX_READERS {
                cx.fatal("sync: Unlock of unlocked RWMutex");
                return;
            }
            // Not negative, except after more RUnlocks than Go notices: then its loop does nothing.
            let queued = u32::try_from(s.reader_count).unwrap_or(0);
            s.reader_sem += queued;
            cx.disown(self.0);
            cx.note(|| format!("lets {queued} readers in"));
        });
        self.0.op("Unlock: inner mutex", Access::Write).run(|s, cx| {
            if !s.w {
                cx.fatal("sync: unlock of unlocked mutex");
            }
            s.w = false;
        });
    }

    fn enter_reader(&self, s: &State, cx: &mut Cx<'_>) {
        cx.acquire(&s.written);
        cx.own(self.0);
        cx.note(|| "reads");
    }
}

fn enter_writer(s: &State, cx: &mut Cx<'_>) {
    cx.acquire(&s.written);
    cx.acquire(&s.read);
    cx.note(|| "writes");
}
