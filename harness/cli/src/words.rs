//! Verdicts in words that say no more than is known.

use bohr_explore::campaign::{Hardness, Share};
use bohr_explore::cell::{Cell, Coverage};
use bohr_explore::stats::rule_of_three;
use bohr_explore::unseen::Traces;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// How a verdict compares with the expected one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "because")]
pub enum Assessment {
    /// It is the expected one.
    Expected,
    /// It fails as expected, as far as schedules that were only sampled can tell.
    Partly(String),
    /// Nothing is stated for it.
    Unstated,
    /// The work ended before it was known.
    Unfinished,
    /// The driver that was asked for cannot run the program.
    DoesNotFit(String),
    /// It is another one.
    Surprise(String),
}

/// Compares a verdict with the expected one.
pub fn assess(cell: &Cell) -> Assessment {
    if let Some(why) = cell.does_not_fit {
        return Assessment::DoesNotFit(why.to_string());
    }
    let Some(surprise) = cell.surprise() else {
        return match (&cell.expected, runs(&cell.coverage)) {
            (None, _) => Assessment::Unstated,
            (Some(_), 0) => Assessment::Unfinished,
            (Some(_), _) => Assessment::Expected,
        };
    };
    let violated = cell.oracles();
    let named: BTreeSet<&str> = cell.violations().iter().map(|v| v.oracle).collect();
    let only_missing = violated.is_subset(&named);
    let missing = || cell.violations().iter().filter(|v| !violated.contains(v.oracle));
    let missing_ids = || missing().map(|v| v.oracle).collect::<Vec<_>>().join(", ");
    let may_need_more = |bound| missing().all(|v| v.preemptions.is_none_or(|least| least > bound));
    match cell.coverage {
        _ if !only_missing => Assessment::Surprise(surprise),
        _ if !cell.complete => Assessment::Unfinished,
        Coverage::Sampled { schedules } if !cell.violated.is_empty() => Assessment::Partly(format!(
            "{} did not show in {}",
            missing_ids(),
            counted(schedules, "schedule")
        )),
        Coverage::Bounded { preemptions, .. } if !cell.violated.is_empty() && may_need_more(preemptions) => {
            let within = counted(preemptions.into(), "preemption");
            Assessment::Partly(format!("{} did not show within {within}", missing_ids()))
        }
        Coverage::Sampled { schedules } => {
            Assessment::Surprise(format!("{surprise} in {}", counted(schedules, "schedule")))
        }
        Coverage::Exhausted { .. } | Coverage::Bounded { .. } => Assessment::Surprise(surprise),
    }
}

/// Whether a form holds, given which oracles were violated and those that only observations violate.
pub fn verdict(violated: &BTreeSet<&str>, observed: &BTreeSet<&str>) -> String {
    let list = |ids: &BTreeSet<&str>| {
        let mut ids: Vec<&str> = ids.iter().copied().collect();
        ids.sort_by_key(|id| (id.len(), *id));
        ids.join(", ")
    };
    let verdict = if violated.is_empty() { "holds".to_owned() } else { format!("fails: {}", list(violated)) };
    if observed.is_empty() { verdict } else { format!("{verdict} (observed: {})", list(observed)) }
}

/// What the verdicts of one variant on several workloads rest on.
pub fn coverage(cells: &[&Cell]) -> String {
    let mut parts = Vec::new();
    let workloads = |n: usize| counted(n as u64, "workload");
    let (unfit, cells): (Vec<&Cell>, Vec<&Cell>) = cells.iter().partition(|c| c.does_not_fit.is_some());
    let of = |wanted: fn(&Coverage) -> bool| cells.iter().copied().filter(move |c| wanted(&c.coverage));
    let exhausted = of(|c| matches!(c, Coverage::Exhausted { .. })).count();
    if exhausted > 0 {
        parts.push(format!("every schedule of {}", workloads(exhausted)));
    }
    let bounds: BTreeSet<u32> = cells.iter().filter_map(|c| bound_of(&c.coverage)).collect();
    for bound in bounds {
        let within = cells.iter().filter(|c| bound_of(&c.coverage) == Some(bound)).count();
        let preemptions = counted(bound.into(), "preemption");
        parts.push(format!("every one with up to {preemptions} of {}", workloads(within)));
    }
    let sampled: Vec<&Cell> = of(|c| matches!(c, Coverage::Sampled { .. })).collect();
    if !sampled.is_empty() {
        parts.push(sample(&sampled));
    }
    let reasons: BTreeSet<String> =
        unfit.iter().filter_map(|c| c.does_not_fit).map(|why| why.to_string()).collect();
    if !reasons.is_empty() {
        let reasons: Vec<String> = reasons.into_iter().collect();
        parts.push(format!("not {}: {}", workloads(unfit.len()), reasons.join("; ")));
    }
    parts.join("; ")
}

fn bound_of(coverage: &Coverage) -> Option<u32> {
    match *coverage {
        Coverage::Bounded { preemptions, .. } => Some(preemptions),
        Coverage::Exhausted { .. } | Coverage::Sampled { .. } => None,
    }
}

/// What is not covered by a search. A sample that failed is only counted; one that passed says what it
/// rules out; and schedules of a search that was cut off are no sample.
fn sample(cells: &[&Cell]) -> String {
    let workloads = counted(cells.len() as u64, "workload");
    let drawn = |c: &Cell| c.hardness.iter().map(|h| h.schedules).sum::<u64>();
    let all = cells.iter().map(|c| runs(&c.coverage)).sum();
    let fewest = cells.iter().map(|c| drawn(c)).min().unwrap_or(0);
    if cells.iter().any(|c| !c.violated.is_empty()) {
        return format!("{} of {workloads}", counted(all, "sampled schedule"));
    }
    if fewest == 0 {
        return format!(
            "not refuted in {} of {workloads}, by a search that was cut off",
            counted(all, "schedule")
        );
    }
    let each = if cells.len() == 1 { "" } else { " or more each" };
    let traces: Vec<Traces> =
        cells.iter().map(|c| Traces::sum(c.hardness.iter().map(|h| &h.traces))).collect();
    let parts = [seen(&traces), Some(bound(fewest))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("not refuted in {}{each} of {workloads}: {}", counted(fewest, "schedule"), parts.join("; "))
}

/// What samples have seen, one a workload: how many traces, and how much they have not, where that is most.
fn seen(samples: &[Traces]) -> Option<String> {
    let distinct = samples.iter().map(Traces::distinct).sum::<u64>();
    let unseen = samples.iter().map(Traces::unseen).fold(0.0, f64::max);
    (distinct > 0).then(|| format!("{}, {}", counted(distinct, "distinct trace"), words_of(unseen)))
}

fn words_of(unseen: f64) -> String {
    let chance =
        if unseen < 0.001 { "less than 0.1 %".to_owned() } else { format!("about {:.1} %", 100.0 * unseen) };
    format!("the next schedule is a new one with a chance of {chance}")
}

/// What so many passing schedules rule out.
pub fn bound(schedules: u64) -> String {
    let share = 100.0 * rule_of_three(schedules);
    format!("failing share below 3/{} = {share:.2} % at 95 %", thousands(schedules))
}

/// How many schedules until the first failure, for each driver; and until each oracle that took more.
pub fn hardness(hardness: &[Hardness]) -> String {
    hardness.iter().map(of_driver).collect::<Vec<_>>().join(", ")
}

fn of_driver(h: &Hardness) -> String {
    let (Some(median), Some((low, high))) = (h.median, h.interval) else {
        return format!("{} none in {}", h.driver, counted(h.schedules, "schedule"));
    };
    let mut text = format!("{} {median} [{low}, {high}]", h.driver);
    if h.found < h.seeds {
        text += &format!(" from {}/{} seeds", h.found, h.seeds);
    }
    let later = h.oracles.iter().filter(|(_, (_, first))| *first > median);
    let later: Vec<String> = later.map(|(oracle, (_, first))| format!("{oracle} {first}")).collect();
    if !later.is_empty() {
        text += &format!(" ({})", later.join(" "));
    }
    text
}

/// Which members of a portfolio saw failures.
pub fn shares(shares: &[Share]) -> String {
    let all = counted(shares.iter().map(|s| s.schedules).sum(), "schedule");
    let failing = |s: &Share| format!("{} {:.1} %", s.driver, 100.0 * s.failing as f64 / s.schedules as f64);
    let each: Vec<String> = shares.iter().map(failing).collect();
    format!("portfolio: of {all}, those that failed: {}", each.join(", "))
}

fn runs(coverage: &Coverage) -> u64 {
    match *coverage {
        Coverage::Exhausted { schedules }
        | Coverage::Bounded { schedules, .. }
        | Coverage::Sampled { schedules } => schedules,
    }
}

/// `1 step`, `2 steps`, `1,000 steps`
pub fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// With a comma between groups of three digits.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A path, in quotes if it has spaces.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) { format!("'{text}'") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bohr_explore::campaign::{Found, Shown};
    use bohr_explore::driver::Driver;
    use bohr_explore::engine::DoesNotFit;
    use bohr_kernel::scenario::{Expected, Violation};
    use bohr_kernel::{Detail, Finding, Kind};

    #[test]
    fn numbers_are_grouped_and_their_words_agree() {
        assert_eq!(counted(0, "run"), "0 runs");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(1_234_567, "run"), "1,234,567 runs");
    }

    fn cell(coverage: Coverage, violated: &[&str], expected: Expected) -> Cell {
        let finding = Finding {
            kind: Kind::Oracle,
            text: String::new(),
            oracle: None,
            task: None,
            step: 0,
            site: None,
            detail: Detail::None,
        };
        let found = Found { finding, decisions: Vec::new(), schedule: 1, times: 1 };
        Cell {
            variant: "buggy".to_owned(),
            workload: "two".to_owned(),
            expected: Some(expected),
            violated: violated.iter().map(|id| ((*id).to_owned(), found.clone())).collect(),
            coverage,
            hardness: Vec::new(),
            complete: true,
            does_not_fit: None,
        }
    }

    #[test]
    fn what_may_need_more_preemptions_than_the_bound_is_no_surprise() {
        let fails = |least| {
            let violation = |oracle, preemptions| Violation { oracle, preemptions };
            Expected::Fails(vec![violation("A", Some(0)), violation("B", least)])
        };
        let assessed = |coverage, violated: &[&str], least| assess(&cell(coverage, violated, fails(least)));
        let (bounded, all) =
            (Coverage::Bounded { preemptions: 1, schedules: 9 }, Coverage::Exhausted { schedules: 9 });
        assert_eq!(assessed(bounded, &["A", "B"], None), Assessment::Expected);
        let partly = Assessment::Partly("B did not show within 1 preemption".to_owned());
        assert_eq!(assessed(bounded, &["A"], None), partly);
        assert_eq!(assessed(bounded, &["A"], Some(2)), partly);
        let surprises = [
            assessed(bounded, &["A"], Some(1)),
            assessed(bounded, &["B"], None),
            assessed(bounded, &[], None),
            assessed(bounded, &["A", "C"], None),
            assessed(all, &["A"], None),
        ];
        for surprise in surprises {
            assert!(matches!(surprise, Assessment::Surprise(_)), "{surprise:?}");
        }
    }

    #[test]
    fn observations_do_not_count() {
        let verdict = |violated: &[&str], observed: &[&str]| {
            verdict(&violated.iter().copied().collect(), &observed.iter().copied().collect())
        };
        assert_eq!(verdict(&[], &[]), "holds");
        assert_eq!(verdict(&[], &["O10", "O9"]), "holds (observed: O9, O10)");
        assert_eq!(verdict(&["O1"], &["O9"]), "fails: O1 (observed: O9)");
    }

    #[test]
    fn what_does_not_fit_is_no_surprise() {
        let violation = Violation { oracle: "A", preemptions: None };
        let mut cell = cell(Coverage::Sampled { schedules: 0 }, &[], Expected::Fails(vec![violation]));
        assert!(matches!(assess(&cell), Assessment::Surprise(_)));
        cell.does_not_fit = Some(DoesNotFit::Tasks(7));
        let why = "7 tasks, and loom has threads for 5";
        assert_eq!(assess(&cell), Assessment::DoesNotFit(why.to_owned()));
        assert_eq!(coverage(&[&cell]), format!("not 1 workload: {why}"));
    }

    #[test]
    fn members_of_a_portfolio_are_compared_by_their_own_schedules() {
        let share = |driver, schedules, failing| Share { driver, schedules, failing, firsts: Vec::new() };
        let text = shares(&[share(Driver::Random, 600, 3), share(Driver::Pos, 599, 599)]);
        assert_eq!(text, "portfolio: of 1,199 schedules, those that failed: random 0.5 %, pos 100.0 %");
    }

    #[test]
    fn a_sample_says_how_much_it_has_not_seen() {
        let mut passed = cell(Coverage::Sampled { schedules: 4 }, &[], Expected::Holds);
        let mut shown = Shown { schedules: 4, ..Shown::default() };
        [1, 1, 2, 3].into_iter().for_each(|trace| shown.traces.add(trace));
        passed.hardness = vec![Hardness::of(Driver::Portfolio, &[shown])];
        assert_eq!(
            coverage(&[&passed]),
            "not refuted in 4 schedules of 1 workload: 3 distinct traces, the next schedule is a new one with a \
             chance of about 50.0 %; failing share below 3/4 = 75.00 % at 95 %"
        );
    }

    #[test]
    fn a_bound_shows_its_arithmetic() {
        assert_eq!(bound(30_000), "failing share below 3/30,000 = 0.01 % at 95 %");
    }
}
