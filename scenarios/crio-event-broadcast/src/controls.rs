//! Other correct forms. That the oracles pass them shows that they are not simply strict; and upstream's
//! later order of registration, which has upstream's one residual.

use crate::objects::Signal;
use crate::world::{Conn, Form, SendError, Server, Stream};
use crate::{fixed, upstream_fix};
use bohr_go::{Cond, Mutex, Once, WaitGroup, atomic};
use bohr_kernel::Var;
use std::sync::Arc;

/// A WaitGroup that is done once.
#[derive(Copy, Clone)]
pub struct DoneOnce {
    wg: WaitGroup,
    once: Once,
}

fn done_once(conn: &Conn<DoneOnce>, outcome: Option<SendError>) {
    conn.latch.once.do_once(|| {
        if let Some(error) = outcome {
            conn.set_err(error);
        }
        conn.latch.wg.done();
    });
}

/// The WaitGroup is kept: armed before it is visible, and a one-shot around error and done.
pub struct OnceAdd;

impl Form for OnceAdd {
    type Latch = DoneOnce;

    fn new() -> Self {
        OnceAdd
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<DoneOnce> {
        server.start_broadcaster();
        let conn = Conn::new(
            stream,
            DoneOnce { wg: WaitGroup::new(stream.named("wg")), once: Once::new(stream.named("once")) },
        );
        conn.latch.wg.add(1);
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<DoneOnce>) {
        conn.latch.wg.wait();
    }

    fn send_failed(conn: &Conn<DoneOnce>, error: SendError) {
        done_once(conn, error.recorded());
    }

    fn broadcast_over(conn: &Conn<DoneOnce>) {
        done_once(conn, None);
    }
}

/// A channel, and a plain flag that only the broadcaster reads and writes.
#[derive(Copy, Clone)]
pub struct Flagged {
    tripped: Var<bool>,
    done: Signal,
}

fn trip_flagged(conn: &Conn<Flagged>, outcome: Option<SendError>) {
    if conn.latch.tripped.get() {
        return;
    }
    conn.latch.tripped.set(true);
    if let Some(error) = outcome {
        conn.set_err(error);
    }
    conn.latch.done.close();
}

/// No once: a plain flag does, because nobody but the broadcaster trips.
pub struct PlainFlag;

impl Form for PlainFlag {
    type Latch = Flagged;

    fn new() -> Self {
        PlainFlag
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Flagged> {
        server.start_broadcaster();
        let conn = Conn::new(
            stream,
            Flagged { tripped: Var::new(stream.named("tripped"), false), done: stream.signal() },
        );
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<Flagged>) {
        conn.latch.done.recv();
    }

    fn send_failed(conn: &Conn<Flagged>, error: SendError) {
        trip_flagged(conn, error.recorded());
    }

    fn broadcast_over(conn: &Conn<Flagged>) {
        trip_flagged(conn, None);
    }
}

/// A flag under a mutex, with a condition variable.
#[derive(Copy, Clone)]
pub struct Waited {
    changed: Cond<Mutex>,
    over: Var<bool>,
}

fn end_waited(conn: &Conn<Waited>, outcome: Option<SendError>) {
    let lock = conn.latch.changed.lock;
    lock.lock();
    if conn.latch.over.get() {
        lock.unlock();
        return;
    }
    conn.latch.over.set(true);
    if let Some(error) = outcome {
        conn.set_err(error);
    }
    lock.unlock();
    conn.latch.changed.broadcast();
}

/// A flag and the error in one critical section, and a condition variable.
pub struct CondFlag;

impl Form for CondFlag {
    type Latch = Waited;

    fn new() -> Self {
        CondFlag
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Waited> {
        server.start_broadcaster();
        let lock = Mutex::new(stream.named("lock"));
        let changed = Cond::new(stream.named("cond"), lock);
        let over = Var::new(stream.named("over"), false);
        let conn = Conn::new(stream, Waited { changed, over });
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<Waited>) {
        let lock = conn.latch.changed.lock;
        lock.lock();
        while !conn.latch.over.get() {
            conn.latch.changed.wait();
        }
        lock.unlock();
    }

    fn send_failed(conn: &Conn<Waited>, error: SendError) {
        end_waited(conn, error.recorded());
    }

    fn broadcast_over(conn: &Conn<Waited>) {
        end_waited(conn, None);
    }
}

/// The fixed form, and a handler that comes too late releases itself.
pub struct LateSafe {
    /// The broadcaster is about to take the keys for the last time.
    finished: atomic::Bool,
}

impl Form for LateSafe {
    type Latch = fixed::Latch;

    fn new() -> Self {
        LateSafe { finished: atomic::Bool::new("finished", false) }
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<fixed::Latch> {
        let conn = Conn::new(stream, fixed::Latch::new(stream));
        server.store(stream, conn);
        server.start_broadcaster();
        if server.form.finished.load() {
            fixed::trip(&conn, None);
        }
        conn
    }

    fn wait(conn: &Conn<fixed::Latch>) {
        fixed::Events::wait(conn);
    }

    fn send_failed(conn: &Conn<fixed::Latch>, error: SendError) {
        fixed::Events::send_failed(conn, error);
    }

    fn broadcast_over(conn: &Conn<fixed::Latch>) {
        fixed::Events::broadcast_over(conn);
    }

    fn broadcast_events(server: &Server<Self>) {
        server.event_loop(|event| server.send_to_all(event));
        server.form.finished.store(true);
        server.final_range();
    }
}

/// Upstream's fix in the order of PR #10243: stores the client, then starts the broadcaster.
pub struct UpstreamStoreFirst;

impl Form for UpstreamStoreFirst {
    type Latch = upstream_fix::Latch;

    fn new() -> Self {
        UpstreamStoreFirst
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<upstream_fix::Latch> {
        let conn = Conn::new(stream, upstream_fix::Latch::new(stream));
        server.store(stream, conn);
        server.start_broadcaster();
        conn
    }

    fn wait(conn: &Conn<upstream_fix::Latch>) {
        upstream_fix::Events::wait(conn);
    }

    fn send_failed(conn: &Conn<upstream_fix::Latch>, error: SendError) {
        upstream_fix::Events::send_failed(conn, error);
    }

    fn broadcast_over(conn: &Conn<upstream_fix::Latch>) {
        upstream_fix::Events::broadcast_over(conn);
    }
}
