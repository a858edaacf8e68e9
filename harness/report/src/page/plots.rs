//! The numbers of a report as plots. Each stands above a table that holds the same numbers.

use crate::json::{Driver, Holds, Report, Variant};
use crate::numbers::{count, percent};
use maud::{Markup, html};

/// A plot's width, and what its labels have of it.
const WIDTH: i32 = 560;
const LABELS: i32 = 84;
const ROW: i32 = 34;
const TOP: i32 = 10;

/// For each driver, when each of its seeds found the bug.
pub(super) fn first_failures(drivers: &[Driver]) -> Markup {
    let most = drivers.iter().map(|d| d.budget.max(d.firsts.last().copied().unwrap_or(1))).max().unwrap_or(1);
    let scale = Log::new(most, LABELS + 12, WIDTH - 16);
    html! {
        (plot(drivers.len(), "Schedules until the first failure, a dot for each seed", html! {
            (scale.grid(drivers.len()))
            @for (row, driver) in drivers.iter().enumerate() {
                @let y = middle(row);
                (label(y, word(&driver.name)))
                @for (at, first) in driver.firsts.iter().enumerate() {
                    @let same = driver.firsts[..at].iter().filter(|f| *f == first).count() as i32;
                    @let offset = (same % 5 + 1) / 2 * if same % 2 == 0 { 1 } else { -1 };
                    circle class="seed" cx=(scale.x(*first)) cy=(y + 4 * offset) r="3.5" {}
                }
                @if let Some(median) = median(&driver.firsts, driver.seeds) {
                    line class="median" x1=(scale.x(median)) x2=(scale.x(median)) y1=(y - 13) y2=(y + 13) {}
                }
            }
        }))
    }
}

/// For each driver, the share of schedules that fail.
pub(super) fn failing_shares(drivers: &[Driver]) -> Markup {
    let highest = drivers.iter().filter_map(|d| d.failing.as_ref()).map(|s| s.high).fold(0.0, f64::max);
    let top = [0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5].into_iter().find(|top| highest <= *top).unwrap_or(1.0);
    let (left, right) = (LABELS + 12, WIDTH - 76);
    let x = |share: f64| left + (share / top * f64::from(right - left)).round() as i32;
    html! {
        (plot(drivers.len(), "Share of schedules that fail, with 95 % intervals", html! {
            @for part in 0..=4 {
                @let share = top * f64::from(part) / 4.0;
                (tick(x(share), drivers.len(), &percent(share)))
            }
            @for (row, driver) in drivers.iter().enumerate() {
                @let y = middle(row);
                (label(y, word(&driver.name)))
                @if let Some(share) = &driver.failing {
                    @let value = if share.of == 0 { 0.0 } else { share.hits as f64 / share.of as f64 };
                    line class="bar" x1=(x(0.0)) x2=(x(value)) y1=(y) y2=(y) {}
                    line class="interval" x1=(x(share.low)) x2=(x(share.high)) y1=(y) y2=(y) {}
                    circle class="value" cx=(x(value)) cy=(y) r="5" {}
                    text class="said" x=(x(share.high) + 12) y=(y + 4) { (percent(value)) }
                }
            }
        }))
    }
}

/// How many runs each proof took.
pub(super) fn proofs(holds: &[Holds]) -> Markup {
    /// The width of a letter, and the most of them that a name has.
    const LETTER: f64 = 7.4;
    const LONGEST: usize = 42;
    let name = |it: &Holds| cut(&format!("{} · {}", it.variant, it.workload), LONGEST);
    let rows: Vec<_> = holds.iter().map(|it| (name(it), it)).collect();
    let longest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let names = (longest as f64 * LETTER).ceil() as i32;
    let width = names + 330;
    let most = holds.iter().map(|h| h.schedules).max().unwrap_or(1);
    let scale = Log::new(most, names + 12, width - 84);
    let height = TOP + 22 * holds.len() as i32 + 26;
    html! {
        svg.plot viewBox={ "0 0 " (width) " " (height) } role="img" aria-label="The number of runs of each proof" {
            @for decade in scale.decades() {
                line class="grid" x1=(scale.x(decade)) x2=(scale.x(decade)) y1=(TOP) y2=(height - 24) {}
                text class="axis" x=(scale.x(decade)) y=(height - 8) { (count(decade)) }
            }
            @for (row, (name, it)) in rows.iter().enumerate() {
                @let y = TOP + 22 * row as i32 + 11;
                text class="name" x=(names) y=(y + 4) { (name) }
                rect class=(if it.proved { "proof" } else { "sample" }) x=(names + 12) y=(y - 6) height="12" rx="3"
                    width=((scale.x(it.schedules) - names - 12).max(3)) {}
                text class="said" x=(scale.x(it.schedules).max(names + 15) + 8) y=(y + 4) { (count(it.schedules)) }
            }
        }
    }
}

/// Every form, and which oracles catch it.
pub(super) fn matrix(report: &Report) -> Markup {
    let hit = |variant: &Variant, oracle: &str| {
        let is = |ids: &[String]| ids.iter().any(|id| id == oracle);
        if is(&variant.violated) {
            html! { td.hit { span aria-hidden="true" { "\u{2715}" } span.hidden { "violated" } } }
        } else if is(&variant.observed) {
            html! { td.seen { span aria-hidden="true" { "\u{25cb}" } span.hidden { "observed" } } }
        } else {
            html! { td.none { span aria-hidden="true" { "\u{00b7}" } span.hidden { "no" } } }
        }
    };
    let caption = "Which oracle each form violates";
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table.matrix {
                caption.hidden { (caption) }
                thead {
                    tr {
                        th scope="col" { "form" }
                        th scope="col" { "role" }
                        @for oracle in &report.oracles {
                            th.oracle scope="col" { abbr title=(oracle.claim) { (oracle.id) } }
                        }
                        th scope="col" { "what it is" }
                    }
                }
                tbody {
                    @for variant in &report.variants {
                        @let class = if variant.violated.is_empty() { "holds" } else { "fails" };
                        tr class={ (class) " " (variant.role.replace(' ', "-")) } {
                            th scope="row" { code { (variant.name) } }
                            td.role { (variant.role) }
                            @for oracle in &report.oracles { (hit(variant, &oracle.id)) }
                            td.what { (super::blocks::text(&crate::document::Text::prose(&variant.summary))) }
                        }
                    }
                }
            }
        }
        p.key {
            span.hit { "\u{2715}" } " violated by some schedule   "
            span.seen { "\u{25cb}" } " only on workloads that show what no form was meant to prevent"
        }
    }
}

fn plot(rows: usize, label: &str, content: Markup) -> Markup {
    let height = TOP + ROW * rows as i32 + 26;
    html! {
        svg.plot viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(label) { (content) }
    }
}

fn middle(row: usize) -> i32 {
    TOP + ROW * row as i32 + ROW / 2
}

fn label(y: i32, words: &str) -> Markup {
    html! { text class="name" x=(LABELS) y=(y + 4) { (cut(words, 12)) } }
}

fn tick(x: i32, rows: usize, words: &str) -> Markup {
    let bottom = TOP + ROW * rows as i32;
    html! {
        line class="grid" x1=(x) x2=(x) y1=(TOP) y2=(bottom) {}
        text class="axis" x=(x) y=(bottom + 18) { (words) }
    }
}

/// A driver's name, without what it looked for.
fn word(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

fn cut(words: &str, most: usize) -> String {
    match words.char_indices().nth(most) {
        Some((at, _)) => format!("{}\u{2026}", &words[..at]),
        None => words.to_owned(),
    }
}

/// Seeds that found nothing count as later than all others.
fn median(firsts: &[u64], seeds: u64) -> Option<u64> {
    let middle = (seeds as usize).checked_sub(1)? / 2;
    firsts.get(middle).copied()
}

/// A logarithmic axis from 1 on.
struct Log {
    most: f64,
    from: i32,
    to: i32,
}

impl Log {
    fn new(most: u64, from: i32, to: i32) -> Self {
        Log { most: (most.max(10) as f64).log10(), from, to }
    }

    fn x(&self, value: u64) -> i32 {
        let share = (value.max(1) as f64).log10() / self.most;
        self.from + (share * f64::from(self.to - self.from)).round() as i32
    }

    fn decades(&self) -> Vec<u64> {
        let decades = (0..20).map(|power| 10u64.pow(power));
        decades.take_while(|decade| (*decade as f64).log10() <= self.most + 1e-9).collect()
    }

    fn grid(&self, rows: usize) -> Markup {
        html! { @for decade in self.decades() { (tick(self.x(decade), rows, &count(decade))) } }
    }
}
