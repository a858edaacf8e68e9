//! Channels against the language specification, the memory model and the runtime's queues.

mod common;

use bohr_go::{Chan, Edges, go};
use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, join, observe, sleep_until, when_blocked};
use common::{DEADLOCK, RACE, check};

const SEND_ON_CLOSED: &str = "panic: send on closed channel";

#[test]
fn values_come_in_order() {
    for cap in 0..3 {
        check(
            move || {
                let ch = Chan::new("ch", cap);
                go("a", move || {
                    for i in 0..3 {
                        ch.send(i);
                    }
                    ch.close();
                });
                for i in ch.iter() {
                    observe(i);
                }
                observe(format!("{:?}", ch.recv()));
            },
            &["0 1 2 None"],
        );
    }
}

#[test]
fn a_buffer_takes_as_many_as_it_holds() {
    check(
        || {
            let ch = Chan::new("ch", 2);
            observe(format!("{:?}", ch.try_recv()));
            observe(format!("{:?}", ch.try_send(1)));
            observe(format!("{:?}", ch.try_send(2)));
            observe(format!("{:?}", ch.try_send(3)));
            observe(format!("{}/{}", ch.len(), ch.cap()));
            observe(format!("{:?}", ch.try_recv()));
            ch.close();
            observe(format!("{:?}", ch.recv()));
            observe(format!("{:?}", ch.recv()));
            observe(format!("{:?}", ch.try_recv()));
        },
        &["None Ok(()) Ok(()) Err(3) 2/2 Some(Some(1)) Some(2) None Some(None)"],
    );
    check(
        || {
            let ch = Chan::new("ch", 1);
            ch.send(1);
            ch.send(2);
        },
        &[DEADLOCK],
    );
}

#[test]
fn without_a_buffer_both_must_be_there() {
    check(|| Chan::new("ch", 0).send(1), &[DEADLOCK]);
    check(|| _ = Chan::<i32>::new("ch", 0).recv(), &[DEADLOCK]);
    check(
        || {
            let ch = Chan::new("ch", 0);
            go("a", move || _ = ch.recv());
            // Only to a receiver that is already waiting.
            observe(ch.try_send(1).is_ok());
        },
        &["false", "true"],
    );
    check(
        || {
            let ch = Chan::new("ch", 0);
            go("a", move || ch.send(1));
            observe(format!("{:?}", ch.try_recv()));
        },
        &["None", "Some(Some(1))"],
    );
}

#[test]
fn a_value_goes_to_the_receiver_that_waits_longest() {
    fn received(cap: usize) {
        when_blocked(Blocked::Allowed);
        let (ch, log) = (Chan::new("ch", cap), Obj::create("log", "log", String::new()));
        for (at, name) in [(1, "a"), (2, "b")] {
            go(name, move || {
                sleep_until(at);
                let value = ch.recv();
                log.op("log", Access::Write).run(|l, _| l.push_str(&format!("{name}{value:?}")));
            });
        }
        sleep_until(3);
        ch.send(1);
        at_rest(move || observe(log.peek(Clone::clone)));
    }
    check(|| received(0), &["aSome(1)"]);
    check(|| received(1), &["aSome(1)"]);
    // And the sender that waits longest is served first; its value goes behind those in the buffer.
    fn sent(cap: usize) {
        let ch = Chan::new("ch", cap);
        for (at, value) in [(1, "a"), (2, "b"), (3, "c")] {
            go(value, move || {
                sleep_until(at);
                ch.send(value);
            });
        }
        sleep_until(4);
        let all: Vec<_> = (0..3).filter_map(|_| ch.recv()).collect();
        observe(all.concat());
    }
    check(|| sent(0), &["abc"]);
    check(|| sent(1), &["abc"]);
}

#[test]
fn closing_wakes_everybody() {
    check(
        || {
            let ch = Chan::<i32>::new("ch", 0);
            let a = go("a", move || assert!(ch.recv().is_none()));
            let b = go("b", move || assert!(ch.recv().is_none()));
            ch.close();
            join(a);
            join(b);
            observe("all");
        },
        &["all"],
    );
    // A sender panics, whether it waits, comes later, or only tries.
    fn sender(cap: usize) {
        let ch = Chan::new("ch", cap);
        if cap == 1 {
            ch.send(0);
        }
        go("a", move || ch.send(1));
        ch.close();
    }
    check(|| sender(0), &[SEND_ON_CLOSED]);
    check(|| sender(1), &[SEND_ON_CLOSED]);
    check(
        || {
            let ch = Chan::new("ch", 1);
            ch.close();
            let _ = ch.try_send(1);
        },
        &[SEND_ON_CLOSED],
    );
    // With room in the buffer it depends on who is first; what was sent before is still received.
    check(
        || {
            let ch = Chan::new("ch", 1);
            go("a", move || ch.send(1));
            ch.close();
            at_rest(move || observe(format!("{:?}", ch.recv())));
        },
        &["Some(1)", SEND_ON_CLOSED],
    );
}

#[test]
fn misuse_has_gos_words() {
    check(
        || {
            let ch = Chan::<i32>::new("ch", 0);
            ch.close();
            ch.close();
        },
        &["panic: close of closed channel"],
    );
    check(|| Chan::<i32>::nil().close(), &["panic: close of nil channel"]);
    check(|| Chan::nil().send(1), &[DEADLOCK]);
    check(|| _ = Chan::<i32>::nil().recv(), &[DEADLOCK]);
    check(
        || {
            let ch = Chan::nil();
            observe(ch.try_send(1).is_ok());
            observe(ch.try_recv().is_some());
            observe(format!("{}/{}", ch.len(), ch.cap()));
        },
        &["false false 0/0"],
    );
}

#[test]
fn blocked_goroutines_show_gos_reasons() {
    fn stuck(f: fn()) {
        when_blocked(Blocked::GoNoLeaks);
        go("stuck", f);
    }
    let leak = |reason: &str| format!("leak: still blocked after main ended: stuck [{reason}]");
    check(|| stuck(|| Chan::new("ch", 0).send(1)), &[&leak("chan send")]);
    check(|| stuck(|| _ = Chan::<i32>::new("ch", 0).recv()), &[&leak("chan receive")]);
    check(|| stuck(|| _ = Chan::<i32>::new("ch", 0).iter().count()), &[&leak("chan receive")]);
    check(|| stuck(|| Chan::nil().send(1)), &[&leak("chan send (nil chan)")]);
    check(|| stuck(|| _ = Chan::<i32>::nil().recv()), &[&leak("chan receive (nil chan)")]);
}

/// `a` writes, then does `first`; main does `second`, then writes.
fn in_order<T: Send + 'static>(
    ch: fn() -> Chan<T>,
    first: fn(Chan<T>),
    second: fn(Chan<T>),
) -> impl Fn() + Send + Sync {
    move || {
        let (ch, x) = (ch(), Var::new("x", 0));
        let a = go("a", move || {
            x.set(1);
            first(ch);
        });
        second(ch);
        x.set(2);
        join(a);
    }
}

#[test]
fn a_send_is_ordered_before_its_receive() {
    for ch in [|| Chan::new("ch", 0), || Chan::new("ch", 1)] {
        check(in_order(ch, |ch| ch.send(1), |ch| _ = ch.recv()), &[""]);
        check(in_order(ch, |ch| ch.close(), |ch| _ = ch.recv()), &[""]);
    }
}

#[test]
fn a_receive_is_ordered_before_the_end_of_the_send_that_needs_its_place() {
    check(in_order(|| Chan::new("ch", 0), |ch| _ = ch.recv(), |ch| ch.send(1)), &[""]);
    // With room for one, the second send takes the place that the first receive makes.
    let two = |ch: Chan<i32>| {
        ch.send(1);
        ch.send(2);
    };
    check(in_order(|| Chan::new("ch", 1), |ch| _ = ch.recv(), two), &[""]);
    // The first send orders nothing back.
    check(in_order(|| Chan::new("ch", 1), |ch| _ = ch.recv(), |ch| ch.send(1)), &[RACE]);
}

#[test]
fn what_comes_after_a_send_is_not_ordered() {
    check(
        || {
            let (ch, x) = (Chan::new("ch", 1), Var::new("x", 0));
            go("a", move || {
                ch.send(1);
                x.set(1);
            });
            ch.recv();
            x.set(2);
        },
        &[RACE],
    );
    // Places of the buffer are apart: a receive of the first value knows nothing of the second.
    check(
        || {
            let (ch, x) = (Chan::new("ch", 2), Var::new("x", 0));
            ch.send(1);
            go("a", move || {
                x.set(1);
                ch.send(2);
            });
            ch.recv();
            x.set(2);
        },
        &[RACE],
    );
    // `len` orders nothing.
    check(
        || {
            let (ch, x) = (Chan::new("ch", 1), Var::new("x", 0));
            go("a", move || {
                x.set(1);
                ch.send(1);
            });
            if ch.len() == 1 {
                x.set(2);
            }
        },
        &["", RACE],
    );
}

#[test]
fn the_detector_sees_a_close_beside_a_send() {
    fn beside(edges: Edges) {
        let ch = Chan::with_edges("x", 1, edges);
        let a = go("a", move || _ = bohr_go::recover(|| ch.send(1)));
        ch.close();
        join(a);
    }
    check(|| beside(Edges::Spec), &[""]);
    check(|| beside(Edges::Detector), &[RACE]);
    // A receive beside it is none.
    check(
        || {
            let ch = Chan::<i32>::with_edges("x", 1, Edges::Detector);
            go("a", move || _ = ch.recv());
            ch.close();
        },
        &[""],
    );
}

#[test]
fn for_the_detector_all_places_of_a_zero_size_type_are_one() {
    // A semaphore of two: what the first holder did is not ordered before what the second does, even if
    // they never hold it together. The detector thinks so if the elements have no size.
    fn semaphore<T: Send + 'static>(edges: Edges, token: fn() -> T) {
        let (ch, x) = (Chan::with_edges("ch", 2, edges), Var::new("x", 0));
        for name in ["a", "b"] {
            go(name, move || {
                ch.send(token());
                x.set(1);
                ch.recv();
            });
        }
    }
    check(|| semaphore(Edges::Spec, || ()), &[RACE]);
    check(|| semaphore(Edges::Detector, || 1), &[RACE]);
    check(|| semaphore(Edges::Detector, || ()), &["", RACE]);
    fn in_turn<T: Send + 'static>(edges: Edges, token: fn() -> T) {
        let (ch, x) = (Chan::with_edges("ch", 2, edges), Var::new("x", 0));
        go("a", move || {
            x.set(1);
            ch.send(token());
        });
        sleep_until(1);
        ch.send(token());
        x.set(2);
    }
    check(|| in_turn(Edges::Spec, || ()), &[RACE]);
    check(|| in_turn(Edges::Detector, || 1), &[RACE]);
    check(|| in_turn(Edges::Detector, || ()), &[""]);
}

#[test]
fn a_lone_channel_is_a_channel() {
    check(
        || {
            let ch = Chan::lone("ch", 0);
            go("a", move || ch.send(1));
            observe(format!("{:?}", ch.recv()));
        },
        &["Some(1)"],
    );
}
