//! Small programs and every outcome that POSIX and Linux allow them, reasoned out by hand.

use bohr_explore::search::outcomes;
use bohr_kernel::{Access, Blocked, at_rest, blocked_tasks, lane, observe, spawn, when_blocked};
use bohr_posix::{Dir, Errno, Exit, Flags, Machine, MountKind, NameOrder, Options, Path, Proc};

fn check(program: impl Fn() + Send + Sync + 'static, expected: &[&str]) {
    let found = outcomes(program);
    let found: Vec<_> = found.iter().map(String::as_str).collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// A machine with pages of two bytes and one disk.
fn disk() -> (Machine, Dir) {
    when_blocked(Blocked::Allowed);
    let machine = Machine::new(Options { page: 2, power: false });
    (machine, machine.mount("d", MountKind::Disk))
}

fn show(machine: Machine, path: Path) {
    let bytes = machine.look(path);
    observe(bytes.map_or("absent".to_owned(), |b| format!("{:?}", String::from_utf8_lossy(&b))));
}

fn show_at_rest(machine: Machine, path: Path) {
    at_rest(move || show(machine, path));
}

fn cat(p: Proc, path: Path) -> String {
    match p.open(path, Flags::READ) {
        Ok(fd) => String::from_utf8_lossy(&p.read_to_end(fd).expect("it is open")).into_owned(),
        Err(errno) => errno.to_string(),
    }
}

fn store(p: Proc, path: Path, flags: Flags, bytes: &[u8]) {
    let fd = p.open(path, flags).expect("it can be opened");
    p.write(fd, bytes).expect("it can be written");
}

#[test]
fn two_opens_have_two_offsets_and_a_dup_shares_one() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            machine.put(path, b"abcd");
            machine.spawn("p", 0, move |p| {
                let one = p.open(path, Flags::READ).expect("exists");
                let two = p.open(path, Flags::READ).expect("exists");
                let same = p.dup(one).expect("is open");
                for fd in [one, two, same] {
                    observe(String::from_utf8_lossy(&p.read(fd).expect("is open")));
                }
                0
            });
        },
        &["ab ab cd"],
    );
}

#[test]
fn two_truncating_writers_leave_the_tail_of_the_longer() {
    // Each truncates and then writes at offset 0. Truncation of the second before both writes: the short
    // one's bytes over the long one's, or the long one's alone. The writes exclude each other.
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            for (name, bytes) in [("long", &b"LLLL"[..]), ("short", &b"ss"[..])] {
                machine.spawn(name, 0, move |p| {
                    store(p, path, Flags::TRUNCATE, bytes);
                    0
                });
            }
            show_at_rest(machine, path);
        },
        &["\"LLLL\"", "\"ss\"", "\"ssLL\""],
    );
}

#[test]
fn appending_writers_never_overlap() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            for (name, bytes) in [("a", &b"aaaa"[..]), ("b", &b"bb"[..])] {
                machine.spawn(name, 0, move |p| {
                    store(p, path, Flags::APPEND, bytes);
                    0
                });
            }
            show_at_rest(machine, path);
        },
        &["\"aaaabb\"", "\"bbaaaa\""],
    );
}

#[test]
fn a_write_beyond_the_end_fills_the_gap_with_nul() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            machine.spawn("p", 0, move |p| {
                let fd = p.open(path, Flags::CREATE).expect("can be made");
                p.write(fd, b"ab").expect("is open");
                p.ftruncate(fd, 0).expect("is open");
                p.write(fd, b"c").expect("is open");
                0
            });
            show_at_rest(machine, path);
        },
        &["\"\\0\\0c\""],
    );
}

#[test]
fn a_reader_sees_prefixes_and_may_mix_old_and_new_pages() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            machine.put(path, b"abcd");
            machine.spawn("w", 0, move |p| {
                store(p, path, Flags::CREATE, b"ABCD");
                0
            });
            machine.spawn("r", 0, move |p| {
                observe(cat(p, path));
                0
            });
        },
        // First page old: the second old or new. First page new: the same.
        &["ABCD", "ABcd", "abCD", "abcd"],
    );
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            machine.put(path, b"abcd");
            machine.spawn("w", 0, move |p| {
                store(p, path, Flags::TRUNCATE, b"ABCD");
                0
            });
            machine.spawn("r", 0, move |p| {
                observe(format!("{:?}", cat(p, path)));
                0
            });
        },
        // Read before the truncation, cut off by it after a page, empty, a prefix, all; or the first page
        // old and the second new.
        &["\"\"", "\"AB\"", "\"ABCD\"", "\"ab\"", "\"abCD\"", "\"abcd\""],
    );
}

#[test]
fn a_truncating_open_waits_for_a_writer() {
    // "abcd" is written in two steps; the truncation comes before, or after both, never between.
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            machine.spawn("w", 0, move |p| {
                store(p, path, Flags::CREATE, b"abcd");
                0
            });
            machine.spawn("t", 0, move |p| {
                p.open(path, Flags::TRUNCATE).expect("can be made");
                0
            });
            show_at_rest(machine, path);
        },
        &["\"\"", "\"abcd\""],
    );
}

#[test]
fn exclusive_creation_has_one_winner() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            for name in ["a", "b"] {
                machine.spawn(name, 0, move |p| {
                    observe(p.open(path, Flags::CREATE_NEW).map_or_else(|e| e.to_string(), |_| name.into()));
                    0
                });
            }
        },
        &["a EEXIST", "b EEXIST"],
    );
}

#[test]
fn rename_leaves_no_instant_without_the_name_and_unlink_does() {
    fn replace(unlink_first: bool) {
        let (machine, dir) = disk();
        let (path, new) = (dir.path("f"), dir.path("new"));
        machine.put(path, b"ab");
        machine.put(new, b"cd");
        machine.spawn("w", 0, move |p| {
            if unlink_first {
                p.unlink(path).expect("exists");
            }
            p.rename(new, path).expect("exists");
            0
        });
        machine.spawn("r", 0, move |p| {
            observe(cat(p, path));
            0
        });
    }
    check(|| replace(false), &["ab", "cd"]);
    check(|| replace(true), &["ENOENT", "ab", "cd"]);
}

#[test]
fn an_unlinked_file_lives_on_for_those_who_have_it_open() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            machine.put(path, b"ab");
            machine.spawn("p", 0, move |p| {
                let (r, w) = (p.open(path, Flags::READ), p.open(path, Flags::CREATE));
                p.unlink(path).expect("exists");
                p.write(w.expect("exists"), b"cd").expect("is open");
                observe(String::from_utf8_lossy(&p.read(r.expect("exists")).expect("is open")));
                observe(p.exists(path));
                0
            });
            show_at_rest(machine, path);
        },
        &["cd false absent"],
    );
}

#[test]
fn errors_are_named() {
    check(
        || {
            let (machine, dir) = disk();
            let tmp = machine.mount("tmp", MountKind::Memory);
            let (a, b, c) = (dir.path("a"), dir.path("b"), tmp.path("c"));
            machine.put(a, b"");
            machine.put(b, b"");
            machine.spawn("p", 0, move |p| {
                let errors = [
                    p.rename(a, c),
                    p.link(a, c),
                    p.link(a, b),
                    p.unlink(c),
                    p.rename(c, tmp.path("d")),
                    p.open(a, Flags::READ).and_then(|fd| p.write(fd, b"x")),
                    p.open(a, Flags::CREATE).and_then(|fd| p.read(fd).map(drop)),
                ];
                for error in errors {
                    observe(error.expect_err("each of them fails"));
                }
                0
            });
        },
        &["EXDEV EXDEV EEXIST ENOENT ENOENT EBADF EBADF"],
    );
}

#[test]
fn renaming_one_of_two_names_of_a_file_to_the_other_does_nothing() {
    check(
        || {
            let (machine, dir) = disk();
            let (a, b) = (dir.path("a"), dir.path("b"));
            machine.put(a, b"ab");
            machine.spawn("p", 0, move |p| {
                p.link(a, b).expect("can be linked");
                p.rename(b, a).expect("succeeds");
                observe(p.exists(b));
                0
            });
        },
        &["true"],
    );
}

#[test]
fn a_link_is_the_same_file_until_the_other_name_is_replaced() {
    check(
        || {
            let (machine, dir) = disk();
            let (a, b, c) = (dir.path("a"), dir.path("b"), dir.path("c"));
            machine.put(a, b"ab");
            machine.put(c, b"cd");
            machine.spawn("p", 0, move |p| {
                p.link(a, b).expect("can be linked");
                let fd = p.open(b, Flags::READ).expect("exists");
                observe(p.same_file(fd, a).expect("is open"));
                p.rename(c, a).expect("exists");
                observe(p.same_file(fd, a).expect("is open"));
                0
            });
            show_at_rest(machine, a);
            show_at_rest(machine, b);
        },
        &["true false \"cd\" \"ab\""],
    );
}

// ---- locks ----

/// Two processes that add one to a number in a file, each with its own way to lock.
fn count(lock: fn(Proc, Dir)) -> impl Fn() + Send + Sync + 'static {
    move || {
        let (machine, dir) = disk();
        let path = dir.path("n");
        machine.put(path, b"0");
        for name in ["a", "b"] {
            machine.spawn(name, 0, move |p| {
                lock(p, dir);
                let seen = cat(p, path).as_bytes()[0];
                store(p, path, Flags::CREATE, &[seen + 1]);
                0
            });
        }
        show_at_rest(machine, path);
    }
}

#[test]
fn locks_exclude_until_the_process_ends() {
    check(count(|_, _| {}), &["\"1\"", "\"2\""]);
    check(
        count(|p, dir| {
            let fd = p.open(dir.path("lock"), Flags::CREATE).expect("can be made");
            p.flock(fd).expect("is open");
        }),
        &["\"2\""],
    );
    check(
        count(|p, dir| {
            let fd = p.open(dir.path("lock"), Flags::CREATE).expect("can be made");
            p.fcntl_lock(fd).expect("is open");
        }),
        &["\"2\""],
    );
    check(
        count(|p, dir| {
            let fd = p.open_dir(dir);
            p.flock(fd).expect("is open");
        }),
        &["\"2\""],
    );
    // The lock belongs to the inode, and each has made its own.
    check(
        count(|p, dir| {
            let path = dir.path("lock");
            let _ = p.unlink(path);
            let fd = p.open(path, Flags::CREATE).expect("can be made");
            p.flock(fd).expect("is open");
        }),
        &["\"1\"", "\"2\""],
    );
}

#[test]
fn closing_any_descriptor_drops_a_fcntl_lock_but_no_flock() {
    fn with_second_descriptor(fcntl: bool) -> impl Fn() + Send + Sync {
        move || {
            let (machine, dir) = disk();
            let path = dir.path("lock");
            machine.put(path, b"");
            machine.spawn("p", 0, move |p| {
                let one = p.open(path, Flags::CREATE).expect("exists");
                if fcntl { p.fcntl_lock(one) } else { p.flock(one) }.expect("is open");
                let two = p.open(path, Flags::READ).expect("exists");
                p.close(two).expect("is open");
                machine.spawn("q", 0, move |q| {
                    let fd = q.open(path, Flags::CREATE).expect("exists");
                    observe(match if fcntl { q.try_fcntl_lock(fd) } else { q.try_flock(fd) } {
                        Ok(()) => "granted",
                        Err(_) => "held",
                    });
                    0
                });
                wait_for_ever(p);
                0
            });
        }
    }
    check(with_second_descriptor(true), &["granted"]);
    check(with_second_descriptor(false), &["held"]);
}

/// Waits for something that does not come.
fn wait_for_ever(p: Proc) {
    let never = lane();
    p.op("pause").touch(never, Access::Read).when(never, |(), _| false, 0).run(|_, _| {});
}

#[test]
fn a_second_description_of_the_same_process_waits_for_ever_under_flock_and_not_under_fcntl() {
    fn twice(fcntl: bool) -> impl Fn() + Send + Sync {
        move || {
            let (machine, dir) = disk();
            let path = dir.path("lock");
            machine.put(path, b"");
            machine.spawn("p", 0, move |p| {
                for _ in 0..2 {
                    let fd = p.open(path, Flags::CREATE).expect("exists");
                    if fcntl { p.fcntl_lock(fd) } else { p.flock(fd) }.expect("is open");
                }
                0
            });
            at_rest(|| {
                let blocked = blocked_tasks();
                observe(blocked.first().map_or("done".to_owned(), |b| b.reason.clone()));
            });
        }
    }
    check(twice(false), &["lock.flock(LOCK_EX)"]);
    check(twice(true), &["done"]);
}

/// A description was once known by the descriptor that it was opened with. After `dup` and `close` another one had that
/// number too, and shared its lock.
#[test]
fn a_descriptor_that_is_used_again_is_no_part_of_the_lock_before() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("lock");
            machine.spawn("p", 0, move |p| {
                let first = p.open(path, Flags::CREATE).expect("can be made");
                let kept = p.dup(first).expect("is open");
                p.close(first).expect("is open");
                let second = p.open(path, Flags::CREATE).expect("exists");
                p.flock(kept).expect("is open");
                observe(format!("{first} {second} {:?}", p.try_flock(second)));
                0
            });
        },
        &["fd 3 fd 3 Err(EWOULDBLOCK)"],
    );
}

/// What Linux says of descriptors that are not for this, and in which order `link` looks; the model once said EBADF to all of
/// them, locked for writing through a descriptor for reading, and looked for another file system first.
#[test]
fn what_a_descriptor_is_not_for_fails_as_on_linux() {
    check(
        || {
            let (machine, dir) = disk();
            let other = machine.mount("e", MountKind::Disk);
            let (path, taken) = (dir.path("f"), other.path("f"));
            machine.put(path, b"abcd");
            machine.put(taken, b"");
            machine.spawn("p", 0, move |p| {
                let (read, folder) = (p.open(path, Flags::READ).expect("exists"), p.open_dir(dir));
                observe(format!("{:?}", p.read(folder)));
                observe(format!("{:?}", p.ftruncate(read, 0)));
                observe(format!("{:?} {:?}", p.fcntl_lock(read), p.try_fcntl_lock(folder)));
                observe(format!("{:?} {:?}", p.fsync(folder), p.same_file(folder, path)));
                let absent = p.link(dir.path("g"), taken);
                observe(format!("{absent:?} {:?} {:?}", p.link(path, taken), p.link(path, other.path("g"))));
                0
            });
        },
        &[
            "Err(EISDIR) Err(EINVAL) Err(EBADF) Err(EBADF) Ok(()) Ok(false) Err(ENOENT) Err(EEXIST) Err(EXDEV)",
        ],
    );
}

#[test]
fn the_names_are_durable_once_a_descriptor_of_the_directory_is_synchronised() {
    check(
        || {
            when_blocked(Blocked::Allowed);
            let machine = Machine::new(Options { page: 2, power: true });
            let dir = machine.mount("d", MountKind::Disk);
            let path = dir.path("f");
            machine.spawn("p", 0, move |p| {
                p.open(path, Flags::CREATE).expect("can be made");
                let folder = p.open_dir(dir);
                p.fsync(folder).expect("is open");
                machine.power_loss(NameOrder::AnySubset);
                0
            });
            show_at_rest(machine, path);
        },
        &["\"\""],
    );
}

#[test]
fn a_child_keeps_the_flock_and_any_sharer_can_release_it() {
    fn forked(unlock: bool) -> impl Fn() + Send + Sync {
        move || {
            let (machine, dir) = disk();
            let path = dir.path("lock");
            machine.put(path, b"");
            let first = machine.spawn("p", 0, move |p| {
                let fd = p.open(path, Flags::READ).expect("exists");
                p.flock(fd).expect("is open");
                p.fork_idle("child");
                if unlock {
                    p.funlock(fd).expect("is open");
                }
                p.close(fd).expect("is open");
                0
            });
            machine.wait(&[first]);
            machine.spawn("q", 0, move |q| {
                let fd = q.open(path, Flags::READ).expect("exists");
                observe(q.try_flock(fd).map_or_else(|e| e.to_string(), |()| "granted".into()));
                0
            });
        }
    }
    check(forked(false), &["EWOULDBLOCK"]);
    check(forked(true), &["granted"]);
}

// ---- faults ----

#[test]
fn a_kill_ends_a_write_between_two_pages_and_frees_its_locks() {
    check(
        || {
            let (machine, dir) = disk();
            let (path, lock) = (dir.path("f"), dir.path("lock"));
            let writer = machine.spawn("w", 0, move |p| {
                let fd = p.open(lock, Flags::CREATE).expect("can be made");
                p.flock(fd).expect("is open");
                store(p, path, Flags::TRUNCATE, b"abcd");
                0
            });
            spawn("killer", move || machine.kill(writer));
            machine.wait(&[writer]);
            observe(match writer.ended() {
                Some(Exit::Killed) => "killed:",
                _ => "done:",
            });
            let after = machine.spawn("after", 0, move |p| {
                let fd = p.open(lock, Flags::CREATE).expect("can be made");
                p.flock(fd).expect("is open");
                store(p, path, Flags::APPEND, b"+");
                0
            });
            machine.wait(&[after]);
            show(machine, path);
        },
        // Before it made the file; empty; a page; both; and not at all.
        &["killed: \"+\"", "killed: \"ab+\"", "killed: \"abcd+\"", "done: \"abcd+\""],
    );
}

#[test]
fn a_kill_of_the_container_takes_the_child_and_a_single_kill_does_not() {
    fn holder(all: bool) -> impl Fn() + Send + Sync {
        move || {
            let (machine, dir) = disk();
            let lock = dir.path("lock");
            machine.put(lock, b"");
            let first = machine.spawn("p", 7, move |p| {
                let fd = p.open(lock, Flags::READ).expect("exists");
                p.flock(fd).expect("is open");
                p.fork_idle("child");
                0
            });
            machine.wait(&[first]);
            if all {
                machine.kill_container(7)
            } else {
                machine.kill(first)
            }
            machine.spawn("q", 0, move |q| {
                let fd = q.open(lock, Flags::READ).expect("exists");
                observe(q.try_flock(fd).map_or_else(|e| e.to_string(), |()| "granted".into()));
                0
            });
        }
    }
    check(holder(true), &["granted"]);
    check(holder(false), &["EWOULDBLOCK"]);
}

#[test]
fn a_full_disk_fails_one_page_and_keeps_those_before_it() {
    check(
        || {
            let (machine, dir) = disk();
            let path = dir.path("f");
            machine.spawn("p", 0, move |p| {
                p.full_disk(1);
                let fd = p.open(path, Flags::TRUNCATE).expect("can be made");
                observe(p.write(fd, b"abcd").map_or_else(|e| e.to_string(), |()| "written".into()));
                0
            });
            show_at_rest(machine, path);
        },
        &["ENOSPC \"\"", "ENOSPC \"ab\"", "written \"abcd\""],
    );
}

/// Runs `body` on a disk with the file `f` = "old", cuts the power after it, and shows `f` and `t`.
fn power(order: NameOrder, body: fn(Proc, Dir)) -> impl Fn() + Send + Sync {
    move || {
        when_blocked(Blocked::Allowed);
        let machine = Machine::new(Options { page: 8, power: true });
        let dir = machine.mount("d", MountKind::Disk);
        machine.put(dir.path("f"), b"old");
        let p = machine.spawn("p", 0, move |p| {
            body(p, dir);
            0
        });
        machine.wait(&[p]);
        machine.power_loss(order);
        show(machine, dir.path("f"));
        show(machine, dir.path("t"));
    }
}

#[test]
fn what_is_not_synchronised_may_be_lost_in_any_part() {
    // In place: the content is any of its states, the name was durable.
    check(
        power(NameOrder::AnySubset, |p, dir| store(p, dir.path("f"), Flags::TRUNCATE, b"new")),
        &["\"\" absent", "\"new\" absent", "\"old\" absent"],
    );
    // A new name alone: there or not; its content empty or all.
    check(
        power(NameOrder::AnySubset, |p, dir| store(p, dir.path("t"), Flags::CREATE_NEW, b"t")),
        &["\"old\" \"\"", "\"old\" \"t\"", "\"old\" absent"],
    );
}

#[test]
fn a_rename_can_be_durable_before_the_data() {
    fn replace(p: Proc, dir: Dir, sync_file: bool, sync_dir: bool) {
        let (path, temp) = (dir.path("f"), dir.path("t"));
        let fd = p.open(temp, Flags::CREATE_NEW).expect("can be made");
        p.write(fd, b"new").expect("is open");
        if sync_file {
            p.fsync(fd).expect("is open");
        }
        p.rename(temp, path).expect("exists");
        if sync_dir {
            p.fsync_dir(dir);
        }
    }
    check(power(NameOrder::AnySubset, |p, d| replace(p, d, true, true)), &["\"new\" absent"]);
    // The creation of the temporary name alone may have become durable, or the rename alone.
    let names = ["\"new\" absent", "\"old\" \"new\"", "\"old\" absent"];
    check(power(NameOrder::AnySubset, |p, d| replace(p, d, true, false)), &names);
    check(power(NameOrder::Prefix, |p, d| replace(p, d, true, false)), &names);
    check(power(NameOrder::AnySubset, |p, d| replace(p, d, false, true)), &["\"\" absent", "\"new\" absent"]);
}

#[test]
fn a_journal_keeps_the_order_of_names() {
    fn two(p: Proc, dir: Dir) {
        p.rename(dir.path("f"), dir.path("g")).expect("exists");
        let fd = p.open(dir.path("t"), Flags::CREATE_NEW).expect("can be made");
        p.fsync(fd).expect("is open");
    }
    check(
        power(NameOrder::AnySubset, two),
        &["\"old\" \"\"", "\"old\" absent", "absent \"\"", "absent absent"],
    );
    check(power(NameOrder::Prefix, two), &["\"old\" absent", "absent \"\"", "absent absent"]);
}

#[test]
fn memory_is_empty_after_a_power_loss() {
    check(
        || {
            let machine = Machine::new(Options { page: 8, power: true });
            let run = machine.mount("run", MountKind::Memory);
            machine.put(run.path("lock"), b"");
            machine.power_loss(NameOrder::AnySubset);
            show(machine, run.path("lock"));
        },
        &["absent"],
    );
}

#[test]
fn an_error_has_the_number_and_the_words_that_linux_gives_it() {
    for (errno, number, text) in [
        (Errno::ENOENT, 2, "No such file or directory"),
        (Errno::EXDEV, 18, "Invalid cross-device link"),
        (Errno::ENOSPC, 28, "No space left on device"),
    ] {
        assert_eq!((errno.number(), errno.text()), (number, text));
    }
}
