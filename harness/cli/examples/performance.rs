//! Renders what was measured as `docs/PERFORMANCE.md`, on standard output.
//!
//! `docs/performance.sh` measures and calls it. It reads the folder that it is given: `first_failure.jsonl`, `hardest.jsonl`
//! and `exhaust.jsonl`, which the examples of these names print, and `criterion`, where the benches leave their
//! estimates.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const INTRODUCTION: &str = "\
# Performance

Rendered by `docs/performance.sh`, which measures everything anew (over an hour, most of it plain shuttle on the two kernels).
Schedules and executions are the same on every machine. Times are of one machine with two shared cores: compare those
within one row.
";

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("give the folder with what was measured; docs/performance.sh does"));
    };
    let mut page = INTRODUCTION.to_owned();
    engines(&mut page, &folder.join("criterion"))?;
    exhaust(&mut page, &lines(&folder.join("exhaust.jsonl"))?);
    first_failures(&mut page, &lines(&folder.join("first_failure.jsonl"))?);
    hardest(&mut page, &lines(&folder.join("hardest.jsonl"))?);
    io::Write::write_all(&mut io::stdout().lock(), page.as_bytes())
}

fn lines(file: &Path) -> io::Result<Vec<Value>> {
    let text = fs::read_to_string(file).map_err(|e| io::Error::other(format!("{}: {e}", file.display())))?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// A table whose first column names its rows. Cells that nothing is known of stay empty.
#[derive(Default)]
struct Table {
    columns: Vec<String>,
    rows: Vec<(String, BTreeMap<usize, String>)>,
}

impl Table {
    fn set(&mut self, row: &str, column: &str, cell: String) {
        let at = self.columns.iter().position(|c| c == column).unwrap_or_else(|| {
            self.columns.push(column.to_owned());
            self.columns.len() - 1
        });
        match self.rows.iter_mut().find(|(name, _)| name == row) {
            Some((_, cells)) => drop(cells.insert(at, cell)),
            None => self.rows.push((row.to_owned(), BTreeMap::from([(at, cell)]))),
        }
    }

    fn print(&self, page: &mut String, corner: &str) {
        let line = |page: &mut String, cells: Vec<&str>| {
            let _ = writeln!(page, "| {} |", cells.join(" | "));
        };
        page.push('\n');
        line(page, std::iter::once(corner).chain(self.columns.iter().map(String::as_str)).collect());
        line(page, std::iter::once("---").chain(self.columns.iter().map(|_| "---:")).collect());
        for (name, cells) in &self.rows {
            let cell = |at| cells.get(&at).map_or("", String::as_str);
            line(page, std::iter::once(name.as_str()).chain((0..self.columns.len()).map(cell)).collect());
        }
    }
}

/// What criterion measured, in the order of the groups' names: nanoseconds for each thing that was counted.
fn engines(page: &mut String, criterion: &Path) -> io::Result<()> {
    let mut schedules = Table::default();
    let mut steps = Table::default();
    for group in folders(criterion)? {
        for bench in folders(&group)? {
            let (estimates, benchmark) = (bench.join("new/estimates.json"), bench.join("new/benchmark.json"));
            let (Ok(estimates), Ok(benchmark)) = (fs::read(estimates), fs::read(benchmark)) else { continue };
            let (estimates, benchmark): (Value, Value) =
                (serde_json::from_slice(&estimates)?, serde_json::from_slice(&benchmark)?);
            let (Some(time), Some(elements), Some(name)) = (
                estimates["median"]["point_estimate"].as_f64(),
                benchmark["throughput"]["Elements"].as_f64(),
                benchmark["function_id"].as_str(),
            ) else {
                continue;
            };
            let group = benchmark["group_id"].as_str().unwrap_or_default();
            match group.strip_prefix("steps of ") {
                Some(tasks) => {
                    let (what, length) = name.split_once(", ").unwrap_or((name, ""));
                    steps.set(&format!("{tasks}, {length}"), what, format!("{:.0}", time / elements));
                }
                None => schedules.set(group, name, grouped((1e9 * elements / time) as u64)),
            }
        }
    }
    page.push_str("\n## Engines\n\nSchedules a second, drawn uniformly at random. *Kernel on shuttle* runs Bohr's kernel on shuttle's threads,\n*plain shuttle* the same program written for shuttle. The first rows are small programs, the others fixed forms.\n");
    schedules.print(page, "program");
    page.push_str("\nNanoseconds a step of the fast engine, with what a run takes to begin and end spread over its steps. The column\n*clocks* is of a program that keeps vector clocks.\n");
    steps.print(page, "program");
    Ok(())
}

fn folders(of: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(of).map_err(|e| io::Error::other(format!("{}: {e}", of.display())))?;
    let mut folders: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    folders.retain(|path| path.is_dir() && path.file_name().is_some_and(|name| name != "report"));
    folders.sort();
    Ok(folders)
}

fn exhaust(page: &mut String, rows: &[Value]) {
    let mut table = Table::default();
    for row in rows {
        let executions = row["executions"].as_u64().unwrap_or_default();
        let cell = match (row["unfit"].as_str(), row["all"].as_bool()) {
            (Some(_), _) => "does not fit".to_owned(),
            (None, Some(true)) => grouped(executions),
            _ => format!("> {}", grouped(executions)),
        };
        table.set(text(row, "program"), text(row, "way"), cell);
    }
    page.push_str("\n## Executions to cover every schedule\n\nRuns to their end: by plain depth-first search; by a search that goes on once from each state; by partial-order\nreduction, one for each Mazurkiewicz trace; and by loom, which has threads for 5 tasks. At most 100,000, and\nof loom 20,000.\n");
    table.print(page, "program");
}

fn first_failures(page: &mut String, rows: &[Value]) {
    let mut table = Table::default();
    let caps = |shuttle| {
        let of = rows.iter().filter(move |row| text(row, "driver").starts_with("shuttle") == shuttle);
        of.filter_map(|row| row["cap"].as_u64()).max().map_or("none".to_owned(), grouped)
    };
    for row in rows {
        let name = format!("{} {}", text(row, "kernel"), text(row, "size"));
        table.set(&name, text(row, "driver"), first(row, "of"));
    }
    let _ = write!(
        page,
        "\n## Schedules to the first failure: two classic kernels\n\nMeans over the seeds that found one, of 20; in brackets \
         how many did, if not all. At most {} schedules a\nseed, and of plain shuttle {}. *reorder S+C*: S tasks set a and then b, \
         C check that both are set or none.\n*twostage A+B*: A tasks set one variable and then another, each under its lock, \
         and B compare them. Spawning a task is a\nscheduling point in shuttle and none in Bohr, which makes reorder harder \
         for shuttle.\n",
        caps(false),
        caps(true)
    );
    table.print(page, "kernel, tasks");
}

fn hardest(page: &mut String, rows: &[Value]) {
    let mut table = Table::default();
    for row in rows {
        let name = format!("{}/{}/{}", text(row, "scenario"), text(row, "variant"), text(row, "workload"));
        table.set(&name, text(row, "driver"), first(row, "seeds"));
    }
    page.push_str("\n## Schedules to the first failure: the scenarios' hardest variants\n\nAs above, with at most 20,000 schedules a seed. `greybox-blind` is the greybox driver without what is fed back.\n");
    table.print(page, "variant");
}

fn first(row: &Value, of: &str) -> String {
    let found = row["found"].as_u64();
    match row["mean"].as_f64() {
        None => "none".to_owned(),
        Some(mean) if found == row[of].as_u64() => rounded(mean),
        Some(mean) => format!("{} ({})", rounded(mean), found.unwrap_or_default()),
    }
}

fn rounded(mean: f64) -> String {
    if mean < 10.0 { format!("{mean:.1}") } else { grouped(mean.round() as u64) }
}

/// With a comma between groups of three digits.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let from_the_end = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits.char_indices().fold(String::new(), |text, (at, digit)| {
        if from_the_end(at) { format!("{text},{digit}") } else { format!("{text}{digit}") }
    })
}

fn text<'r>(row: &'r Value, field: &str) -> &'r str {
    row[field].as_str().unwrap_or_default()
}
