//! What the actors are given to do.
//!
//! A workload is written as the name of its class, or in full: `W2-E1-C1-m4-B0` is 2 workers with 1 exec
//! each, 1 caller with 4 calls and no builder, and an `-ordered` behind it says that a worker prepares all of its
//! execs before it streams the first. `R2-S1` is 2 registrars of queues and 1 scraper.

use crate::world::Log;
use arbitrary::{Arbitrary, Unstructured};
use std::fmt::{self, Display};
use std::str::FromStr;

/// The actors: of the main workload, or of the second one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Requests to the API server.
    Requests(Requests),
    /// Queues that register.
    Queues(Queues),
}

/// Who sends requests to the API server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// Pod-cleanup workers.
    pub workers: u8,
    /// Execs of each worker, each for a pod of its own.
    pub execs: u8,
    /// Callers of ordinary requests.
    pub callers: u8,
    /// Ordinary requests of each caller.
    pub calls: u8,
    /// Builders, which only create a client.
    pub builders: u8,
    /// A worker prepares all of its execs before it streams the first.
    pub ordered: bool,
}

/// Who registers queues and looks at their gauges.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Queues {
    /// Controllers that register a queue.
    pub registrars: u8,
    /// Requests of the metrics endpoint.
    pub scrapers: u8,
}

impl Requests {
    /// Long-lived clients that main makes: one for each caller, and at least one.
    pub fn clients(&self) -> u8 {
        self.callers.max(1)
    }

    /// Every log wrapper there will be.
    pub fn logs(&self) -> Vec<Log> {
        let pods = self.workers * self.execs;
        let clients = (0..self.clients()).map(Log::Client);
        let execs = (0..pods).flat_map(|pod| [Log::Address(pod), Log::Executor(pod)]);
        clients.chain(execs).chain((0..self.builders).map(Log::Builder)).collect()
    }
}

/// A named class.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is the smallest configuration for.
    pub summary: &'static str,
    /// What the actors do.
    pub workload: Workload,
    /// False for the class that is too large to exhaust.
    pub smallest: bool,
}

const fn requests(workers: u8, execs: u8, callers: u8, calls: u8, builders: u8) -> Workload {
    Workload::Requests(Requests { workers, execs, callers, calls, builders, ordered: false })
}

/// The classes.
#[rustfmt::skip]
pub static CLASSES: [Row; 9] = [
    Row { name: "solo", smallest: true, workload: requests(1, 1, 0, 1, 0),
        summary: "one exec at a time: nothing goes wrong" },
    Row { name: "ordered", smallest: true,
        workload: Workload::Requests(Requests {
            workers: 1, execs: 2, callers: 0, calls: 1, builders: 0, ordered: true,
        }),
        summary: "one goroutine prepares two execs, then streams them: the panic without any race" },
    Row { name: "pair", smallest: true, workload: requests(2, 1, 0, 1, 0),
        summary: "two execs: the panic, a failed exec, cross-talk" },
    Row { name: "event", smallest: true, workload: requests(1, 1, 1, 1, 0),
        summary: "an exec and an ordinary call: misrouting, and an exec on an ordinary connection" },
    Row { name: "builder", smallest: true, workload: requests(1, 1, 0, 1, 1),
        summary: "an exec, and somebody who only creates a client: the exec fails" },
    Row { name: "mixed", smallest: true, workload: requests(2, 1, 1, 1, 0),
        summary: "two execs and an ordinary call: everything" },
    Row { name: "stress", smallest: false, workload: requests(4, 3, 2, 4, 0),
        summary: "as many workers as by default, with several execs, and callers" },
    Row { name: "queues", smallest: true, workload: Workload::Queues(Queues { registrars: 2, scrapers: 0 }),
        summary: "two controllers register their queues: an entry is lost" },
    Row { name: "queues_scrape", smallest: true, workload: Workload::Queues(Queues { registrars: 2, scrapers: 1 }),
        summary: "two controllers register their queues while the metrics are scraped" },
];

impl Workload {
    /// The class that this is.
    pub fn class(&self) -> Option<&'static Row> {
        CLASSES.iter().find(|row| row.workload == *self)
    }

    fn check(&self) -> Result<(), String> {
        let within = |what: &str, n: u8, least: u8, most: u8| {
            let fits = (least..=most).contains(&n);
            if fits { Ok(()) } else { Err(format!("there must be {least} to {most} {what}, not {n}")) }
        };
        match *self {
            Workload::Requests(Requests { workers, execs, callers, calls, builders, .. }) => {
                within("workers", workers, 1, 5)?;
                within("execs", execs, 1, 4)?;
                within("callers", callers, 0, 4)?;
                within("calls", calls, 1, 8)?;
                within("builders", builders, 0, 4)
            }
            Workload::Queues(Queues { registrars, scrapers }) => {
                within("registrars", registrars, 1, 4)?;
                within("scrapers", scrapers, 0, 2)
            }
        }
    }
}

impl bohr_kernel::scenario::Workload for Workload {
    fn size(&self) -> usize {
        match *self {
            Workload::Requests(w) => {
                // About the number of steps; what nobody uses counts a little.
                let [workers, execs, callers, calls, builders] =
                    [w.workers, w.execs, w.callers, w.calls, w.builders].map(usize::from);
                let steps = 24 * workers * execs + 8 * callers * calls + 4 * builders;
                steps + calls + usize::from(w.ordered)
            }
            Workload::Queues(w) => 6 * usize::from(w.registrars) + 8 * usize::from(w.scrapers),
        }
    }

    fn shrink(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        match *self {
            Workload::Requests(w) => {
                let mut with = |change: &dyn Fn(&mut Requests)| {
                    let mut w = w;
                    change(&mut w);
                    smaller.push(Workload::Requests(w));
                };
                with(&|w| w.workers = w.workers.saturating_sub(1));
                with(&|w| w.execs -= 1);
                with(&|w| w.callers = w.callers.saturating_sub(1));
                with(&|w| w.builders = w.builders.saturating_sub(1));
                with(&|w| w.calls = 1);
                with(&|w| w.calls -= 1);
                with(&|w| w.ordered = false);
            }
            Workload::Queues(w) => {
                smaller.push(Workload::Queues(Queues { registrars: w.registrars - 1, ..w }));
                smaller.push(Workload::Queues(Queues { scrapers: w.scrapers.saturating_sub(1), ..w }));
            }
        }
        let size = self.size();
        smaller.retain(|w| w.check().is_ok() && w.size() < size);
        smaller.dedup();
        smaller
    }
}

impl<'a> Arbitrary<'a> for Workload {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        if u.ratio(1, 8)? {
            let (registrars, scrapers) = (u.int_in_range(1..=3)?, u.int_in_range(0..=1)?);
            return Ok(Workload::Queues(Queues { registrars, scrapers }));
        }
        let workers = u.int_in_range(1..=3)?;
        let execs = u.int_in_range(1..=2)?;
        let callers = u.int_in_range(0..=2)?;
        let calls = if callers == 0 { 1 } else { u.int_in_range(1..=4)? };
        let builders = u.int_in_range(0..=1)?;
        let ordered = execs > 1 && u.arbitrary()?;
        Ok(Workload::Requests(Requests { workers, execs, callers, calls, builders, ordered }))
    }
}

impl Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = self.class() {
            return f.pad(class.name);
        }
        match *self {
            Workload::Requests(Requests { workers, execs, callers, calls, builders, ordered }) => {
                write!(f, "W{workers}-E{execs}-C{callers}-m{calls}-B{builders}")?;
                f.write_str(if ordered { "-ordered" } else { "" })
            }
            Workload::Queues(Queues { registrars, scrapers }) => write!(f, "R{registrars}-S{scrapers}"),
        }
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(class) = CLASSES.iter().find(|row| row.name == text) {
            return Ok(class.workload);
        }
        let parts: Vec<_> = text.split('-').collect();
        let workload = match parts[..] {
            [w, e, c, m, b, ref rest @ ..] if rest.is_empty() || *rest == ["ordered"] => {
                Workload::Requests(Requests {
                    workers: number("W", w)?,
                    execs: number("E", e)?,
                    callers: number("C", c)?,
                    calls: number("m", m)?,
                    builders: number("B", b)?,
                    ordered: !rest.is_empty(),
                })
            }
            [r, s] => Workload::Queues(Queues { registrars: number("R", r)?, scrapers: number("S", s)? }),
            _ => return Err("it is neither a class nor like W2-E1-C1-m1-B0 or R2-S1".to_owned()),
        };
        workload.check()?;
        Ok(workload)
    }
}

fn number(prefix: &str, text: &str) -> Result<u8, String> {
    let digits = text.strip_prefix(prefix).ok_or_else(|| format!("{text:?} does not begin with {prefix}"))?;
    digits.parse().map_err(|_| format!("{digits:?} is no number"))
}
