//! Schedules drawn at random.

use bohr_kernel::{Kernel, Outcome, Point, Strategy, TaskId};

/// Makes the choices of one run after another from a seed.
pub trait Policy: 'static {
    /// Begins a run.
    fn begin(&mut self);

    /// Chooses an alternative, below [`Point::alternatives`].
    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> u32;

    /// As [`Strategy::sees_steps`].
    fn sees_steps(&self) -> bool {
        false
    }

    /// As [`Strategy::runs`].
    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        let _ = (kernel, task);
    }

    /// Learns what the run has shown.
    fn end(&mut self, outcome: &Outcome) {
        let _ = outcome;
    }
}

/// A policy for so many runs, each of which it hands to a sink, until that has had enough.
#[derive(Debug)]
pub struct Sampling<P, F> {
    policy: P,
    left: u64,
    sink: F,
}

impl<P: Policy, F: FnMut(Outcome) -> bool> Sampling<P, F> {
    /// Up to `schedules` runs by `policy`.
    pub fn new(policy: P, schedules: u64, sink: F) -> Self {
        Sampling { policy, left: schedules, sink }
    }

    /// The policy, to go on with.
    pub fn into_policy(self) -> P {
        self.policy
    }
}

impl<P: Policy, F: FnMut(Outcome) -> bool + 'static> Strategy for Sampling<P, F> {
    fn begin(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        self.policy.begin();
        true
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        Some(self.policy.choose(kernel, point))
    }

    fn sees_steps(&self) -> bool {
        self.policy.sees_steps()
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        self.policy.runs(kernel, task);
    }

    fn end(&mut self, outcome: Outcome) {
        self.policy.end(&outcome);
        if !(self.sink)(outcome) {
            self.left = 0;
        }
    }
}

/// Uniform random walk: every alternative is as likely as any other.
#[derive(Clone, Debug)]
pub struct Random(Rng);

impl Random {
    /// The walk of a seed.
    pub fn new(seed: u64) -> Self {
        Random(Rng::new(seed))
    }
}

impl Policy for Random {
    fn begin(&mut self) {}

    fn choose(&mut self, _: &Kernel, point: &Point<'_>) -> u32 {
        self.0.below(point.alternatives())
    }
}

/// SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): a
/// number takes a nanosecond, and neighbouring seeds give unrelated numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// For a policy that must not draw the same numbers as another one with the same seed.
    pub(crate) fn salted(seed: u64, policy: &str) -> Self {
        Rng(policy.bytes().fold(seed, |seed, byte| Rng(seed ^ u64::from(byte)).next()))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, each with the same chance up to `n` in 2^32.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.below_wide(u64::from(n)) as u32
    }

    /// A number below `n`, which is far below 2^64.
    pub(crate) fn below_wide(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// An index, each with a chance in proportion to its weight. Nothing if no weight is above 0.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> Option<usize> {
        let total = weights.clone().sum();
        let mut drawn = if total > 0 { self.below_wide(total) } else { return None };
        weights.into_iter().position(|weight| match drawn.checked_sub(weight) {
            Some(rest) => {
                drawn = rest;
                false
            }
            None => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // The first numbers of the reference implementation (Vigna, splitmix64.c) from seed 1234567.
        let mut rng = Rng::new(1_234_567);
        let numbers = [rng.next(), rng.next(), rng.next()];
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn every_number_below_is_as_likely_as_any_other() {
        let mut rng = Rng::new(1);
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[rng.below(3) as usize] += 1;
        }
        // Each count has mean 10,000 and deviation 82: six of them are missed once in 10^8 seeds.
        assert!(counts.iter().all(|n| n.abs_diff(10_000) < 500), "{counts:?}");
    }
}
