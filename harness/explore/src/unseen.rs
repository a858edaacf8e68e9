//! How much of what a driver can show it has not shown yet.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The traces that a driver's schedules followed. Schedules that differ only in the order of operations that do
/// not conflict follow the same trace, and show the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Traces {
    /// How often each was followed, by its [hash](bohr_kernel::Outcome::trace_hash). Only counted, so the order
    /// of a hash map is of no account.
    times: HashMap<u64, u32>,
    schedules: u64,
}

impl Traces {
    /// Another schedule followed this trace.
    pub fn add(&mut self, trace: u64) {
        self.times.entry(trace).and_modify(|times| *times = times.saturating_add(1)).or_insert(1);
        self.schedules += 1;
    }

    /// Those of several seeds.
    pub fn sum<'t>(seeds: impl IntoIterator<Item = &'t Traces>) -> Traces {
        let mut sum = Traces::default();
        for seed in seeds {
            for (trace, times) in &seed.times {
                let all = sum.times.entry(*trace).or_insert(0);
                *all = all.saturating_add(*times);
            }
            sum.schedules += seed.schedules;
        }
        sum
    }

    /// The number of schedules.
    pub fn schedules(&self) -> u64 {
        self.schedules
    }

    /// The number of distinct traces.
    pub fn distinct(&self) -> u64 {
        self.times.len() as u64
    }

    /// An estimate of the probability that the driver's next schedule follows a trace that it has not
    /// followed before: the share of schedules whose trace came once (Good, "The population frequencies of species
    /// and the estimation of population parameters", Biometrika 1953, after Turing; for testing programs: Böhme, "STADS:
    /// Software testing as species discovery", TOSEM 2018). 1 before the first schedule.
    ///
    /// It is about the driver's own distribution over schedules. Where that changes as it learns, as a portfolio's
    /// does, it is about the mix so far.
    pub fn unseen(&self) -> f64 {
        if self.schedules == 0 {
            return 1.0;
        }
        let once = self.times.values().filter(|times| **times == 1).count();
        once as f64 / self.schedules as f64
    }
}

/// As it is written: in order, so that the same traces give the same text.
#[derive(Serialize, Deserialize)]
struct Written {
    times: BTreeMap<u64, u32>,
    schedules: u64,
}

impl From<Traces> for Written {
    fn from(traces: Traces) -> Self {
        Written { times: traces.times.into_iter().collect(), schedules: traces.schedules }
    }
}

impl From<Written> for Traces {
    fn from(written: Written) -> Self {
        Traces { times: written.times.into_iter().collect(), schedules: written.schedules }
    }
}

#[cfg(test)]
mod tests {
    use super::Traces;
    use bohr_kernel::digest;

    fn traces(all: &[u64]) -> Traces {
        let mut traces = Traces::default();
        all.iter().for_each(|trace| traces.add(*trace));
        traces
    }

    #[test]
    fn what_came_once_tells_of_what_did_not_come() {
        assert_eq!(traces(&[]).unseen(), 1.0);
        assert_eq!(traces(&[1, 2, 3]).unseen(), 1.0);
        assert_eq!(traces(&[1, 1, 2, 2]).unseen(), 0.0);
        let some = traces(&[1, 1, 2, 3]);
        assert_eq!((some.schedules(), some.distinct(), some.unseen()), (4, 3, 0.5));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let written = serde_json::to_string(&traces(&[u64::MAX, 7, 7])).unwrap();
        assert_eq!(written, r#"{"times":{"7":2,"18446744073709551615":1},"schedules":3}"#);
        assert_eq!(serde_json::from_str::<Traces>(&written).unwrap(), traces(&[7, 7, u64::MAX]));
    }

    #[test]
    fn seeds_add_up() {
        assert_eq!(Traces::sum([&traces(&[1, 2]), &traces(&[2, 3])]), traces(&[1, 2, 2, 3]));
    }

    #[test]
    fn the_estimate_is_near_the_truth() {
        // 1,000 draws out of 2,000: each is missed with a chance of (1 - 1/2000)^1000, so the unseen mass is
        // e^-0.5 = 0.607 with a deviation of 0.01; the estimate's own is 0.02.
        let drawn: Vec<u64> = (0..1_000).map(|n: u64| digest(&n) % 2_000).collect();
        let traces = traces(&drawn);
        let truth = 1.0 - traces.distinct() as f64 / 2_000.0;
        assert!((truth - 0.607).abs() < 0.05 && (traces.unseen() - truth).abs() < 0.1, "{truth}");
    }
}
