//! Workloads as data: written and read, made out of bytes, shrunk.

use arbitrary::{Arbitrary, Unstructured};
use bohr_kernel::scenario::{Scenario, Workload as _};
use submariner_image_log::ImageLog;
use submariner_image_log::workload::Workload;

/// Bytes that differ from seed to seed (xorshift64).
fn bytes(seed: u64) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x.to_le_bytes()
    };
    (0..16).flat_map(|_| next()).collect()
}

fn check_written(workload: &Workload) {
    let text = workload.to_string();
    assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_=+:,@!".contains(c)), "{text}");
    assert_eq!(text.parse::<Workload>().as_ref(), Ok(workload), "{text}");
}

#[test]
fn a_class_is_written_as_its_name() {
    for class in ImageLog.classes() {
        assert_eq!(class.workload.to_string(), class.name);
        check_written(&class.workload);
    }
    assert_eq!("steady".parse::<Workload>(), "steady-swiss-fine".parse());
    assert_eq!("passes-old".parse::<Workload>(), "passes-old-coarse".parse());
}

#[test]
fn what_bytes_give_can_be_written_and_shrinks_to_something_smaller() {
    for seed in 0..300 {
        let workload = Workload::arbitrary(&mut Unstructured::new(&bytes(seed))).expect("enough bytes");
        check_written(&workload);
        for smaller in workload.shrink() {
            assert!(smaller.size() < workload.size(), "{workload} to {smaller}");
            check_written(&smaller);
        }
    }
}

#[test]
fn what_is_no_workload_is_told() {
    let check = |text: &str, expected: &str| assert_eq!(text.parse::<Workload>(), Err(expected.to_owned()));
    check("steadily", "no class is called \"steadily\"");
    check("steady-slow", "\"slow\" is no runtime, granularity or `mixed`");
    check("swiss-fine-2,_", "there must be 1 to 4 actors");
    check("swiss-fine-2,_,S+:k", "\"k\" is not KEY=IMAGE");
    check("swiss-fine-0,_,S+:k=A", "there must be as many slots as entries, and 1 to 8");
    check("swiss-fine-2,k=A:k=B,S+:k=A", "the map holds a key twice");
    check("swiss-fine,_,S+:k=A", "\"swiss-fine\" is not RUNTIME-GRANULARITY-SLOTS");
}
