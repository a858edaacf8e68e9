//! Panics, deferred calls and nil pointers.

mod common;

use bohr_go::{Mutex, Nilable, go, panic, recover, with_defers};
use bohr_kernel::{observe, violated};
use common::check;

#[test]
fn an_unrecovered_panic_ends_the_process_from_any_goroutine() {
    check(|| panic("boom"), &["panic: boom"]);
    check(|| _ = go("a", || panic("boom")), &["panic: boom"]);
    // Until it has died others run: the second panic can be the one that is printed.
    check(
        || {
            go("a", || panic("first"));
            go("b", || panic("second"));
        },
        &["panic: first", "panic: second"],
    );
    check(
        || {
            go("a", || panic("boom"));
            violated("oracle", "seen before");
        },
        &["oracle violated: seen before"],
    );
}

#[test]
fn a_recovered_panic_is_over() {
    check(
        || {
            let result = recover(|| panic("boom"));
            observe(result.map_err(|p: bohr_go::GoPanic| p.message().to_owned()).unwrap_err());
            observe(recover(|| 7).unwrap_or(0));
        },
        &["boom 7"],
    );
    check(
        || {
            let Err(panic) = recover(|| panic("first"));
            panic.repanic()
        },
        &["panic: first [recovered, repanicked]"],
    );
    check(
        || {
            let Err(panic) = recover(|| panic("first"));
            panic.resume()
        },
        &["panic: first"],
    );
}

#[test]
fn deferred_calls_run_last_first_however_the_function_ends() {
    fn three(panics: bool) {
        let result = recover(|| {
            with_defers(|d| {
                d.defer(|| observe("1"));
                d.defer(|| observe("2"));
                observe("body");
                if panics {
                    panic("boom");
                }
                d.defer(|| observe("3"));
            });
        });
        observe(result.is_ok());
    }
    check(|| three(false), &["body 3 2 1 true"]);
    check(|| three(true), &["body 2 1 false"]);
    check(
        || {
            with_defers(|d| {
                d.defer(|| observe("still runs"));
                d.defer(|| panic("second"));
                panic("first")
            })
        },
        &["panic: first\n\tpanic: second"],
    );
    check(
        || {
            // What is deferred unlocks also on the way out of a panic.
            let mu = Mutex::new("mu");
            let result = recover(|| {
                with_defers(|d| {
                    mu.lock();
                    d.defer(move || mu.unlock());
                    panic("boom")
                })
            });
            let Err(_) = result;
            observe(mu.try_lock());
        },
        &["true"],
    );
}

#[test]
fn deferred_calls_do_not_run_when_the_run_ends() {
    check(
        || {
            with_defers(|d| {
                let mu = Mutex::new("mu");
                d.defer(move || mu.lock());
                d.defer(|| observe("never"));
                mu.unlock();
            });
        },
        &["fatal error: sync: unlock of unlocked mutex"],
    );
}

#[test]
fn a_nil_pointer_has_gos_words() {
    check(|| observe(Nilable::new(3).get()), &["3"]);
    check(
        || _ = Nilable::<i32>::nil().get(),
        &["panic: runtime error: invalid memory address or nil pointer dereference\n\
           [signal SIGSEGV: segmentation violation code=0x1]"],
    );
    check(
        || {
            let Err(panic) = recover(|| *Nilable::<i32>::nil().get()) else { return };
            observe(panic.message());
        },
        &["runtime error: invalid memory address or nil pointer dereference"],
    );
    check(
        || {
            let Err(panic) = recover(|| *Nilable::<i32>::nil().get()) else { return };
            panic.repanic();
        },
        &[
            "panic: runtime error: invalid memory address or nil pointer dereference [recovered, repanicked]\n\
           [signal SIGSEGV: segmentation violation code=0x1]",
        ],
    );
}
