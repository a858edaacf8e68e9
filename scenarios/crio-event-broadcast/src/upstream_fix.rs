//! The code after PR #9014: a channel that is closed once.

use crate::objects::Signal;
use crate::world::{Conn, Form, SendError, Server, Stream};
use bohr_go::Once;
use std::sync::Arc;

/// A channel that is closed when the connection is over, and the once that closes it.
#[derive(Copy, Clone)]
pub struct Latch {
    once: Once,
    done: Signal,
}

impl Latch {
    /// One that is armed.
    #[track_caller]
    pub fn new(stream: Stream) -> Self {
        Latch { once: Once::new(stream.named("once")), done: stream.signal() }
    }

    /// Waits until it is tripped.
    #[track_caller]
    pub fn wait(&self) {
        self.done.recv();
    }

    /// Trips it, if nobody has.
    #[track_caller]
    pub fn trip(&self) {
        self.once.do_once(|| self.done.close());
    }
}

/// A channel that is closed once; the error is written each time that a send fails.
pub struct Events;

impl Form for Events {
    type Latch = Latch;

    fn new() -> Self {
        Events
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Latch> {
        server.start_broadcaster();
        let conn = Conn::new(stream, Latch::new(stream));
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<Latch>) {
        conn.latch.wait();
    }

    fn send_failed(conn: &Conn<Latch>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.trip();
    }

    fn broadcast_over(conn: &Conn<Latch>) {
        conn.latch.trip();
    }
}
