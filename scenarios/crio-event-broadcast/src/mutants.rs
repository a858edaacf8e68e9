//! Plausible wrong fixes. Each says what it changes; the rest is the buggy form's or upstream's fix's.

use crate::buggy;
use crate::objects::Signal;
use crate::upstream_fix;
use crate::world::{Conn, Form, SendError, Server, Stream};
use bohr_go::{Mutex, Once, WaitGroup, recover};
use bohr_kernel::{Access, Obj};
use std::sync::Arc;

/// Armed before it is visible, and still tripped by every failed send.
pub struct AddFirst;

impl Form for AddFirst {
    type Latch = WaitGroup;

    fn new() -> Self {
        AddFirst
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<WaitGroup> {
        server.start_broadcaster();
        let conn = Conn::new(stream, WaitGroup::new(stream.named("wg")));
        conn.latch.add(1);
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<WaitGroup>) {
        buggy::Events::wait(conn);
    }

    fn send_failed(conn: &Conn<WaitGroup>, error: SendError) {
        buggy::Events::send_failed(conn, error);
    }

    fn broadcast_over(conn: &Conn<WaitGroup>) {
        buggy::Events::broadcast_over(conn);
    }
}

/// A WaitGroup that is done once.
#[derive(Copy, Clone)]
pub struct DoneOnce {
    wg: WaitGroup,
    once: Once,
}

/// Tripped once, and still visible before it is armed.
pub struct OnceDone;

impl Form for OnceDone {
    type Latch = DoneOnce;

    fn new() -> Self {
        OnceDone
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<DoneOnce> {
        server.start_broadcaster();
        let conn = Conn::new(
            stream,
            DoneOnce { wg: WaitGroup::new(stream.named("wg")), once: Once::new(stream.named("once")) },
        );
        server.store(stream, conn);
        conn.latch.wg.add(1);
        conn
    }

    fn wait(conn: &Conn<DoneOnce>) {
        conn.latch.wg.wait();
    }

    fn send_failed(conn: &Conn<DoneOnce>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.once.do_once(|| conn.latch.wg.done());
    }

    fn broadcast_over(conn: &Conn<DoneOnce>) {
        conn.latch.once.do_once(|| conn.latch.wg.done());
    }
}

/// A WaitGroup and a mutex "to make it atomic".
#[derive(Copy, Clone)]
pub struct Locked {
    wg: WaitGroup,
    lock: Mutex,
}

impl Locked {
    #[track_caller]
    fn done(&self) {
        self.lock.lock();
        self.wg.done();
        self.lock.unlock();
    }
}

/// A mutex for each record: held over storing and arming, and over each done.
pub struct MutexAround;

impl Form for MutexAround {
    type Latch = Locked;

    fn new() -> Self {
        MutexAround
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Locked> {
        server.start_broadcaster();
        let conn = Conn::new(
            stream,
            Locked { wg: WaitGroup::new(stream.named("wg")), lock: Mutex::new(stream.named("lock")) },
        );
        conn.latch.lock.lock();
        server.store(stream, conn);
        conn.latch.wg.add(1);
        conn.latch.lock.unlock();
        conn
    }

    fn wait(conn: &Conn<Locked>) {
        conn.latch.wg.wait();
    }

    fn send_failed(conn: &Conn<Locked>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.done();
    }

    fn broadcast_over(conn: &Conn<Locked>) {
        conn.latch.done();
    }
}

/// A WaitGroup, and the processor that is given away behind each done.
#[derive(Copy, Clone)]
pub struct Yielding {
    wg: WaitGroup,
    processor: Obj<()>,
}

impl Yielding {
    /// Twenty yields are one step: twenty in a row allow no order that one does not.
    #[track_caller]
    fn done(&self) {
        self.wg.done();
        self.processor.op("Gosched x 20", Access::Read).run(|(), _| {});
    }
}

/// `AddFirst`, and the broadcaster yields twenty times behind each done: a bet on time.
pub struct Gosched;

impl Form for Gosched {
    type Latch = Yielding;

    fn new() -> Self {
        Gosched
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Yielding> {
        server.start_broadcaster();
        let conn = Conn::new(
            stream,
            Yielding {
                wg: WaitGroup::new(stream.named("wg")),
                processor: Obj::create("runtime", stream.named("P"), ()),
            },
        );
        conn.latch.wg.add(1);
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<Yielding>) {
        conn.latch.wg.wait();
    }

    fn send_failed(conn: &Conn<Yielding>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.done();
    }

    fn broadcast_over(conn: &Conn<Yielding>) {
        conn.latch.done();
    }
}

/// `AddFirst`, and a panic of the broadcaster is swallowed, behind the final Range that it runs.
pub struct RecoverLoop;

impl Form for RecoverLoop {
    type Latch = WaitGroup;

    fn new() -> Self {
        RecoverLoop
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<WaitGroup> {
        server.start_broadcaster();
        let conn = Conn::new(stream, WaitGroup::new(stream.named("wg")));
        conn.latch.add(1);
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<WaitGroup>) {
        buggy::Events::wait(conn);
    }

    fn send_failed(conn: &Conn<WaitGroup>, error: SendError) {
        buggy::Events::send_failed(conn, error);
    }

    fn broadcast_over(conn: &Conn<WaitGroup>) {
        buggy::Events::broadcast_over(conn);
    }

    fn broadcast_events(server: &Server<Self>) {
        server.swallowing(|| server.event_loop(|event| server.send_to_all(event)));
        server.swallowing(|| server.final_range());
    }
}

/// `AddFirst`, and the panic of each single done is swallowed where it happens.
pub struct RecoverDone;

impl Form for RecoverDone {
    type Latch = WaitGroup;

    fn new() -> Self {
        RecoverDone
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<WaitGroup> {
        server.start_broadcaster();
        let conn = Conn::new(stream, WaitGroup::new(stream.named("wg")));
        conn.latch.add(1);
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<WaitGroup>) {
        buggy::Events::wait(conn);
    }

    fn send_failed(conn: &Conn<WaitGroup>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        let _ = recover(|| conn.latch.done());
    }

    fn broadcast_over(conn: &Conn<WaitGroup>) {
        let _ = recover(|| conn.latch.done());
    }
}

/// A channel instead of the WaitGroup, closed without a once.
pub struct Chan;

impl Form for Chan {
    type Latch = Signal;

    fn new() -> Self {
        Chan
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Signal> {
        server.start_broadcaster();
        let conn = Conn::new(stream, stream.signal());
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<Signal>) {
        conn.latch.recv();
    }

    fn send_failed(conn: &Conn<Signal>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.close();
    }

    fn broadcast_over(conn: &Conn<Signal>) {
        conn.latch.close();
    }
}

/// An unbuffered channel on which the broadcaster sends: the second time nobody is there.
pub struct Unbuf;

impl Form for Unbuf {
    type Latch = Signal;

    fn new() -> Self {
        Unbuf
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Signal> {
        server.start_broadcaster();
        let conn = Conn::new(stream, stream.signal());
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<Signal>) {
        conn.latch.recv();
    }

    fn send_failed(conn: &Conn<Signal>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.send();
    }

    fn broadcast_over(conn: &Conn<Signal>) {
        conn.latch.send();
    }
}

/// The same with a default: whoever has not arrived yet is never told.
pub struct Select;

impl Form for Select {
    type Latch = Signal;

    fn new() -> Self {
        Select
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Signal> {
        server.start_broadcaster();
        let conn = Conn::new(stream, stream.signal());
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<Signal>) {
        conn.latch.recv();
    }

    fn send_failed(conn: &Conn<Signal>, error: SendError) {
        if let Some(error) = error.recorded() {
            conn.set_err(error);
        }
        conn.latch.try_send();
    }

    fn broadcast_over(conn: &Conn<Signal>) {
        conn.latch.try_send();
    }
}

/// Upstream's fix, but a failed send ends the Range of this event.
pub struct BreakRange;

impl Form for BreakRange {
    type Latch = upstream_fix::Latch;

    fn new() -> Self {
        BreakRange
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<upstream_fix::Latch> {
        server.start_broadcaster();
        let conn = Conn::new(stream, upstream_fix::Latch::new(stream));
        server.store(stream, conn);
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

    fn broadcast_events(server: &Server<Self>) {
        server.event_loop(|event| {
            server.range(|stream, conn| match stream.send(event) {
                Ok(()) => true,
                Err(error) => {
                    Self::send_failed(conn, error);
                    false
                }
            });
        });
        server.final_range();
    }
}

/// Upstream's fix without the final Range.
pub struct NoDefer;

impl Form for NoDefer {
    type Latch = upstream_fix::Latch;

    fn new() -> Self {
        NoDefer
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<upstream_fix::Latch> {
        server.start_broadcaster();
        let conn = Conn::new(stream, upstream_fix::Latch::new(stream));
        server.store(stream, conn);
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

    fn broadcast_events(server: &Server<Self>) {
        server.event_loop(|event| server.send_to_all(event));
        server.return_at_once();
    }
}

/// A channel that is closed once.
#[derive(Copy, Clone)]
pub struct ClosedOnce {
    once: Once,
    done: Signal,
}

/// The fixed form, but the latch opens first and the error is written second.
pub struct ErrAfterTrip;

impl Form for ErrAfterTrip {
    type Latch = ClosedOnce;

    fn new() -> Self {
        ErrAfterTrip
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<ClosedOnce> {
        server.start_broadcaster();
        let conn =
            Conn::new(stream, ClosedOnce { once: Once::new(stream.named("once")), done: stream.signal() });
        server.store(stream, conn);
        conn
    }

    fn wait(conn: &Conn<ClosedOnce>) {
        conn.latch.done.recv();
    }

    fn send_failed(conn: &Conn<ClosedOnce>, error: SendError) {
        conn.latch.once.do_once(|| {
            conn.latch.done.close();
            if let Some(error) = error.recorded() {
                conn.set_err(error);
            }
        });
    }

    fn broadcast_over(conn: &Conn<ClosedOnce>) {
        conn.latch.once.do_once(|| conn.latch.done.close());
    }
}
