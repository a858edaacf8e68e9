//! Numbers for reading.

/// A count with its thousands apart: `29,617`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A measured number of things: a half is kept, more digits would say nothing.
pub(crate) fn measured(x: f64) -> String {
    let halves = (x * 2.0).round();
    let whole = count((halves / 2.0).floor() as u64);
    if halves % 2.0 == 0.0 { whole } else { format!("{whole}.5") }
}

/// A fraction as a percentage, with two significant digits below 1 %.
pub(crate) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent <= 0.0 {
        return "0 %".to_owned();
    }
    let digits = if percent >= 1.0 { 1 } else { (1.0 - percent.log10().floor()) as usize };
    let text = format!("{percent:.digits$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short} %")
}

/// A count and what it counts: `1 step`, `2 steps`.
pub(crate) fn of(n: u64, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Nanoseconds in the largest unit that leaves no fraction.
pub(crate) fn duration(ns: u64) -> String {
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let unit = units.into_iter().find(|(size, _)| ns > 0 && ns.is_multiple_of(*size));
    let (size, unit) = unit.unwrap_or((1, "ns"));
    format!("{} {unit}", count(ns / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([7.0, 7.5, 1_234.49].map(measured), ["7", "7.5", "1,234.5"]);
        assert_eq!(
            [0.0, 1.0, 0.78, 0.0123, 0.005, 0.000_012_3].map(percent),
            ["0 %", "100 %", "78 %", "1.2 %", "0.5 %", "0.0012 %"]
        );
        assert_eq!([0, 20, 1_500, 500_000_000].map(duration), ["0 ns", "20 ns", "1,500 ns", "500 ms"]);
        assert_eq!([of(1, "step"), of(2, "step")], ["1 step", "2 steps"]);
    }
}
