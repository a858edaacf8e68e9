//! Workloads as text, from bytes, and smaller.

use arbitrary::{Arbitrary, Unstructured};
use argo_roundtripper::workload::{CLASSES, Workload};
use bohr_kernel::scenario::Workload as _;

/// Some bytes that look random (SplitMix64).
fn bytes(seed: u64) -> Vec<u8> {
    let number = |i: u64| {
        let mut z = seed.wrapping_mul(977).wrapping_add(i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)) as u8
    };
    (0..64).map(number).collect()
}

fn some() -> Vec<Workload> {
    let drawn = (0..500).map(|seed| Workload::arbitrary(&mut Unstructured::new(&bytes(seed))).unwrap());
    drawn.chain(CLASSES.iter().map(|class| class.workload)).collect()
}

#[test]
fn a_workload_is_what_its_text_says() {
    for workload in some() {
        let text = workload.to_string();
        assert_eq!(text.parse(), Ok(workload), "{text}");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+:,@!".contains(c);
        assert!(text.chars().all(plain), "{text}");
    }
    for class in &CLASSES {
        assert_eq!(class.workload.to_string(), class.name);
    }
    let full: Workload = "W2-E1-C1-m4-B0".parse().unwrap();
    assert_eq!(full.to_string(), "W2-E1-C1-m4-B0");
}

#[test]
fn what_is_no_workload_is_refused() {
    for text in [
        "",
        "none",
        "W0-E1-C0-m1-B0",
        "W2-E1-C1-m4",
        "W9-E1-C0-m1-B0",
        "R0-S0",
        "R2-S1-ordered",
        "W2-E1-C1-m4-B0-x",
    ] {
        assert!(text.parse::<Workload>().is_err(), "{text}");
    }
}

#[test]
fn smaller_workloads_are_smaller_and_can_be_written() {
    for workload in some() {
        for smaller in workload.shrink() {
            assert!(smaller.size() < workload.size(), "{workload} to {smaller}");
            assert_eq!(smaller.to_string().parse(), Ok(smaller));
        }
    }
}
