//! A scenario small enough to count by hand: workers that add one to a counter, with and without a lock.

use arbitrary::Arbitrary;
use bohr_kernel::scenario::{
    Class, Expected, Info, Oracle, Reference, Role, Scenario, Variant, Violation, When, Workload,
};
use bohr_kernel::{Access, Finding, Obj, at_rest, spawn, violated};
use std::fmt;
use std::str::FromStr;

pub struct Toy;

/// How many workers, and how many idle tasks that only stand in the way.
#[derive(Clone, Debug, PartialEq, Arbitrary)]
pub struct Workers {
    pub adding: u8,
    pub idle: u8,
}

impl fmt::Display for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.adding, self.idle)
    }
}

impl FromStr for Workers {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (adding, idle) = text.split_once('+').ok_or("it looks like 2+0")?;
        let number = |n: &str| n.parse().map_err(|e| format!("{n:?}: {e}"));
        Ok(Workers { adding: number(adding)?, idle: number(idle)? })
    }
}

impl Workload for Workers {
    fn size(&self) -> usize {
        usize::from(self.adding) + usize::from(self.idle)
    }
    fn shrink(&self) -> Vec<Self> {
        let fewer = |adding: Option<u8>, idle: Option<u8>| Some(Workers { adding: adding?, idle: idle? });
        let idle = fewer(Some(self.adding), self.idle.checked_sub(1));
        let adding = fewer(self.adding.checked_sub(1), Some(self.idle));
        idle.into_iter().chain(adding).collect()
    }
}

fn count(workers: &Workers, locked: bool) {
    let lock = Obj::create("lock", "l", false);
    let counter = Obj::create("counter", "c", 0u8);
    for i in 0..workers.adding {
        spawn(format!("adder {i}"), move || {
            if locked {
                lock.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
            }
            let seen = counter.op("load", Access::Read).run(|c, _| *c);
            counter.op("store", Access::Write).run(move |c, cx| {
                *c = seen + 1;
                cx.note(|| format!("{}", seen + 1));
            });
            if locked {
                lock.op("unlock", Access::Write).run(|held, _| *held = false);
            }
        });
    }
    for i in 0..workers.idle {
        let own = Obj::create("own", format!("own {i}"), ());
        spawn(format!("idle {i}"), move || own.op("touch", Access::Write).run(|(), _| {}));
    }
    let wanted = workers.adding;
    at_rest(move || {
        if counter.peek(|c| *c) != wanted {
            violated("SUM", "an update was lost");
        }
    });
}

impl Scenario for Toy {
    type Workload = Workers;

    fn info(&self) -> &'static Info {
        &Info {
            name: "toy",
            system: "none",
            title: "lost update",
            symptom: "a counter is too low",
            reported: "SUM",
            cause: "load and store are two steps",
            fix: "a lock",
            references: &[Reference { what: "report", name: "none", url: "none" }],
        }
    }

    fn variants(&self) -> &'static [Variant<Workers>] {
        const VARIANTS: &[Variant<Workers>] = &[
            Variant { name: "buggy", role: Role::Buggy, summary: "no lock", run: |w| count(w, false) },
            Variant { name: "fixed", role: Role::Fixed, summary: "a lock", run: |w| count(w, true) },
        ];
        VARIANTS
    }

    fn oracles(&self) -> &'static [Oracle] {
        &[Oracle { id: "SUM", when: When::AtRest, claim: "the counter is the number of workers" }]
    }

    fn classes(&self) -> Vec<Class<Workers>> {
        let workload = Workers { adding: 2, idle: 0 };
        vec![Class { name: "2+0".into(), summary: "two workers", workload, smallest: true }]
    }

    fn classify(_: &Finding) -> Option<&'static str> {
        None
    }

    fn expected(&self, variant: &str, workload: &Workers) -> Option<Expected> {
        Some(match variant {
            "buggy" if workload.adding > 1 => {
                Expected::Fails(vec![Violation { oracle: "SUM", preemptions: Some(1) }])
            }
            _ => Expected::Holds,
        })
    }
}
