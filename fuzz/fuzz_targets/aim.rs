//! One variant, and one workload if it is named, by `BOHR_AIM=SCENARIO/VARIANT[/WORKLOAD]`: any finding is a crash. To
//! look for a failure, and to measure how soon one is found.
#![no_main]

use bohr_explore::input::Target;
use bohr_fuzz::{Crashes, Plug};

fn plug() -> Plug {
    let asked = std::env::var("BOHR_AIM").unwrap_or_default();
    let target = aimed(&asked);
    Plug::of(target.unwrap_or_else(|e| panic!("cannot aim at {asked:?}: {e}")), Crashes::Anything)
}

fn aimed(asked: &str) -> Result<Target, String> {
    let mut parts = asked.splitn(3, '/');
    let (Some(scenario), Some(variant)) = (parts.next(), parts.next()) else {
        return Err("set BOHR_AIM=SCENARIO/VARIANT[/WORKLOAD]; `bohr list` shows the names".to_owned());
    };
    let known = bohr_fuzz::SCENARIOS.iter().find(|s| s.info().name == scenario);
    let known = known.ok_or_else(|| format!("no scenario is called {scenario:?}"))?;
    let target = Target::new(*known, variant).ok_or_else(|| format!("no variant is called {variant:?}"))?;
    let Some(workload) = parts.next() else { return Ok(target) };
    known.program(variant, workload)?;
    Ok(target.on(workload.to_owned()))
}

bohr_fuzz::plug_in!(plug());
