//! How far two runs are apart.

use crate::strategy::{Op, Place};
use std::collections::BTreeMap;

/// How many steps of a run would have to be moved, or left out, so that the rest come in the order of the
/// other run. What is more in the other run does not count: a run that fails has ended early.
pub(super) fn distance(run: &[Op], other: &[Op]) -> usize {
    let places: BTreeMap<Place, usize> = other.iter().enumerate().map(|(at, op)| (op.place, at)).collect();
    let kept = run.iter().filter_map(|op| places.get(&op.place).copied().filter(|at| other[*at] == *op));
    run.len() - longest_increasing(kept)
}

/// The length of the longest increasing subsequence of distinct numbers, by the least last number that one of
/// each length can have (Fredman 1975).
fn longest_increasing(numbers: impl Iterator<Item = usize>) -> usize {
    let mut least: Vec<usize> = Vec::new();
    for number in numbers {
        match least.partition_point(|last| *last < number) {
            at if at == least.len() => least.push(number),
            at => least[at] = number,
        }
    }
    least.len()
}

#[cfg(test)]
mod tests {
    use super::longest_increasing;

    #[test]
    fn what_stays_in_order_is_as_much_as_can_be() {
        for (numbers, length) in [
            (&[][..], 0),
            (&[0, 1, 2], 3),
            (&[2, 1, 0], 1),
            (&[0, 4, 1, 2, 3], 4),
            (&[3, 4, 0, 1, 2], 3),
            (&[1, 0, 3, 2, 5, 4], 3),
        ] {
            assert_eq!(longest_increasing(numbers.iter().copied()), length, "{numbers:?}");
        }
    }
}
