//! Coroutines as the engine uses them.

use bohr_coroutine::{Coroutine, suspend};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

type Log = Rc<RefCell<Vec<&'static str>>>;

fn saying(log: &Log, lines: &'static [&'static str]) -> Coroutine {
    let log = Rc::clone(log);
    Coroutine::new(move || {
        for line in lines {
            log.borrow_mut().push(line);
            suspend();
        }
    })
}

#[test]
fn each_goes_on_where_it_was() {
    let log = Log::default();
    let (mut a, mut b) = (saying(&log, &["a1", "a2"]), saying(&log, &["b1"]));
    assert_eq!(
        [a.resume(), b.resume(), a.resume(), b.resume(), a.resume()],
        [false, false, false, true, true]
    );
    assert_eq!(*log.borrow(), ["a1", "b1", "a2"]);
}

#[test]
fn the_innermost_is_suspended() {
    let log = Log::default();
    let outer = Rc::clone(&log);
    let mut outer = Coroutine::new(move || {
        let mut inner = saying(&outer, &["inner"]);
        assert!(!inner.resume());
        outer.borrow_mut().push("outer");
        suspend();
        assert!(inner.resume());
        suspend();
    });
    assert_eq!([outer.resume(), outer.resume(), outer.resume()], [false, false, true]);
    assert_eq!(*log.borrow(), ["inner", "outer"]);
}

#[test]
fn a_panic_passes_to_whoever_resumed_and_leaves_it_inside_of_what_it_was() {
    let mut outer = Coroutine::new(|| {
        let mut inner = Coroutine::new(|| resume_unwind(Box::new("gone")));
        let payload = catch_unwind(AssertUnwindSafe(|| inner.resume())).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"gone"));
        suspend();
    });
    assert_eq!([outer.resume(), outer.resume()], [false, true]);
}

#[test]
fn what_it_held_is_freed_if_it_never_goes_on() {
    let held = Rc::new(());
    for resumed in [false, true] {
        let held = Rc::clone(&held);
        let mut coroutine = Coroutine::new(move || {
            suspend();
            drop(held);
        });
        if resumed {
            coroutine.resume();
        }
    }
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn outside_of_any_nothing_can_be_suspended() {
    assert!(catch_unwind(suspend).is_err());
}
