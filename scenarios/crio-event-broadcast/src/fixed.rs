//! The code after PR #9014, with one change more: the error is written inside the one-shot.

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
}

/// Trips a connection's latch, if nobody has; and only then is there an outcome to write.
pub fn trip(conn: &Conn<Latch>, outcome: Option<SendError>) {
    conn.latch.once.do_once(|| {
        if let Some(error) = outcome {
            conn.set_err(error);
        }
        conn.latch.done.close();
    });
}

/// A channel that is closed once, behind the write of the first error.
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
        trip(conn, error.recorded());
    }

    fn broadcast_over(conn: &Conn<Latch>) {
        trip(conn, None);
    }
}
