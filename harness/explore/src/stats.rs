//! The little statistics that verdicts need. Written here because the crates that offer these also
//! bring linear algebra, for three formulas.

/// A 95 % interval.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Wilson's score interval at 95 % for a share of `hits` in `n` (Wilson, "Probable Inference, the Law
/// of Succession, and Statistical Inference", JASA 1927). Everything for `n` = 0.
pub fn wilson(hits: u64, n: u64) -> Interval {
    if n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    const Z: f64 = 1.959_963_984_540_054;
    let (p, n) = (hits as f64 / n as f64, n as f64);
    let middle = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Interval { low: ((middle - spread) / scale).max(0.0), high: ((middle + spread) / scale).min(1.0) }
}

/// The median of numbers, the lower one of two. Nothing without numbers.
pub fn median(numbers: &[u64]) -> Option<u64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// A 95 % interval for the median, by order statistics: the ranks between which the median lies by the
/// binomial distribution with one half (Conover, "Practical Nonparametric Statistics", section 3.2).
/// With fewer than 6 numbers it is the whole range, which covers less. Nothing without numbers.
pub fn median_interval(numbers: &[u64]) -> Option<(u64, u64)> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let n = sorted.len();
    let mut below = 0;
    let mut tail = 0.5f64.powi(n as i32);
    let mut term = tail;
    while tail <= 0.025 && below + 1 < n.div_ceil(2) {
        below += 1;
        term *= (n - below + 1) as f64 / below as f64;
        tail += term;
    }
    let low = below.saturating_sub(usize::from(tail > 0.025));
    Some((*sorted.get(low)?, *sorted.get(n - 1 - low)?))
}

/// The failing share that `n` passing runs rule out at 95 %: 3/n (the "rule of three", Hanley &
/// Lippman-Hand, JAMA 1983). It speaks of the driver's own distribution over schedules.
pub fn rule_of_three(n: u64) -> f64 {
    if n == 0 { 1.0 } else { (3.0 / n as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_published_values() {
        // Newcombe, Statistics in Medicine 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
        for (hits, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(hits, n);
            assert!((interval.low - low).abs() < 5e-5, "{hits}/{n}: {interval:?}");
            assert!((interval.high - high).abs() < 5e-5, "{hits}/{n}: {interval:?}");
        }
    }

    #[test]
    fn the_median_of_twenty_lies_between_the_sixth_and_the_fifteenth() {
        let numbers: Vec<u64> = (1..=20).rev().collect();
        assert_eq!(median(&numbers), Some(10));
        assert_eq!(median_interval(&numbers), Some((6, 15)));
        assert_eq!(median_interval(&[7]), Some((7, 7)));
        assert_eq!(median_interval(&[]), None);
    }
}
