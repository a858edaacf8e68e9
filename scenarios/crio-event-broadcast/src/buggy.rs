//! The code as it was reported: `GetContainerEvents` and `broadcastEvents` in
//! `server/container_events.go` before PR #9014.

use crate::world::{Conn, Form, SendError, Server, Stream};
use bohr_go::WaitGroup;
use std::sync::Arc;

/// A WaitGroup that is to be done when the connection is over.
pub struct Events;

impl Form for Events {
    type Latch = WaitGroup;

    fn new() -> Self {
        Events
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<WaitGroup> {
        server.start_broadcaster();
        let conn = Conn::new(stream, WaitGroup::new(stream.named("wg")));
        server.store(stream, conn);
        conn.latch.add(1);
        conn
    }

    fn wait(conn: &Conn<WaitGroup>) {
        conn.latch.wait();
    }

    fn send_failed(conn: &Conn<WaitGroup>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.done();
    }

    fn broadcast_over(conn: &Conn<WaitGroup>) {
        conn.latch.done();
    }
}
