//! Choices as bytes.

use super::{read_schedule, write_schedule};

fn check(choices: &[u32], bytes: &[u8]) {
    let mut written = Vec::new();
    write_schedule(choices, &mut written);
    assert_eq!(written, bytes);
    let mut read = vec![7];
    read_schedule(bytes, &mut read);
    assert_eq!(read, choices);
}

#[test]
fn a_choice_is_a_byte_and_a_large_one_more() {
    check(&[], &[]);
    check(&[1], &[1]);
    check(&[0, 0, 3], &[0, 0, 3]);
    check(&[254], &[254]);
    check(&[255, 1], &[255, 0, 1]);
    check(&[0, 1_000, 2], &[0, 255, 255, 255, 235, 2]);
}

#[test]
fn what_was_cut_short_is_the_start_of_it() {
    let read = |bytes: &[u8]| {
        let mut choices = Vec::new();
        read_schedule(bytes, &mut choices);
        choices
    };
    assert_eq!(read(&[1, 0, 0]), [1]);
    assert_eq!(read(&[1, 255]), [1, 255]);
    assert_eq!(read(&[0, 0]), Vec::<u32>::new());
}
