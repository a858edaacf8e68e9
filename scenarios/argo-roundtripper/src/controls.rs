//! Other correct forms. That the oracles pass them shows that they are not simply strict.

use crate::memory::{Lock, Plain};
use crate::world::{ConnectionField, Log, MetricsHook, Parts, Process, Request, Response, Transport};

/// The request counter is atomic.
pub const ATOMIC_COUNTER: Parts = Parts { atomic_counter: true, ..Parts::UPSTREAM };

/// A SPDY transport stores and hands over its connection under a mutex that nobody needs.
pub const REDUNDANT_LOCKS: Parts = Parts { connection: ConnectionField::Locked, ..Parts::UPSTREAM };

/// One global table of transports under a mutex. A round tripper holds only its key: global state may be
/// shared, if what is looked up is one's own.
pub struct Registry {
    lock: Lock,
    table: Vec<(Log, Plain<Option<Log>>)>,
    metrics: Plain<bool>,
}

/// A key of the table.
#[derive(Copy, Clone)]
pub struct Key(usize);

impl MetricsHook for Registry {
    type RoundTripper = Key;

    fn install(process: &Process) -> Self {
        let entry = |log: Log| (log, Plain::new(process.minds, format!("table[{log}]"), None));
        Registry {
            lock: Lock::new(process.minds, "table.lock"),
            table: process.logs().iter().copied().map(entry).collect(),
            metrics: Plain::new(process.minds, "handle", false),
        }
    }

    fn store_metrics(&self) {
        self.metrics.set(true);
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> Key {
        let rt = process.wrap_log(log, inner);
        let free = self.table.iter().position(|(key, _)| *key == log);
        let key = Key(free.expect("the table has a place for every wrap"));
        self.lock.lock();
        self.table[key.0].1.set(Some(rt));
        self.lock.unlock();
        key
    }

    fn round_trip(&self, process: &Process, key: Key, request: Request) -> Response {
        self.lock.lock();
        let rt = self.table[key.0].1.get();
        self.lock.unlock();
        let metrics = self.metrics.get();
        let response = process.send(rt, request);
        if metrics {
            process.count(true);
        }
        response
    }
}

/// Only the log wrapper is installed. It is accused together with the metrics wrapper, and is innocent.
pub struct LogOnly;

impl MetricsHook for LogOnly {
    type RoundTripper = Log;

    const COUNTS: bool = false;

    fn install(_: &Process) -> Self {
        LogOnly
    }

    fn store_metrics(&self) {}

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> Log {
        process.wrap_log(log, inner)
    }

    fn round_trip(&self, process: &Process, log: Log, request: Request) -> Response {
        process.send(Some(log), request)
    }
}
