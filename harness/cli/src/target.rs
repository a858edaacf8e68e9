//! What a command is about: which variants on which workloads.

use crate::exit::Error;
use crate::names::pick;
use crate::scenarios;
use bohr_kernel::Program;
use bohr_kernel::scenario::{AnyScenario, Role, VariantInfo};

/// A variant on a workload.
#[derive(Clone)]
pub struct Subject {
    /// The scenario.
    pub scenario: &'static dyn AnyScenario,
    /// The variant.
    pub variant: VariantInfo,
    /// The workload, written.
    pub workload: String,
    /// Whether it is among the smallest, or was asked for by its name.
    pub thorough: bool,
}

impl Subject {
    /// The program. Subjects are made only of what their scenario knows.
    pub fn program(&self) -> Result<Program, Error> {
        self.scenario.program(self.variant.name, &self.workload).map_err(Error::Input)
    }

    /// Whether failures on this workload are only observed, and do not count against the form.
    pub fn only_observes(&self) -> bool {
        self.scenario.only_observes(&self.workload)
    }

    /// `SCENARIO/VARIANT/WORKLOAD`
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.scenario.info().name, self.variant.name, self.workload)
    }
}

/// What the user asked for as `SCENARIO[/VARIANT[/WORKLOAD]]`, in the scenarios' own order; everything
/// if nothing was named. Where no variant is named, only those whose role is `wanted`.
pub fn subjects(asked: &[String], wanted: fn(Role) -> bool) -> Result<Vec<Subject>, Error> {
    let mut subjects: Vec<Subject> = Vec::new();
    let all: Vec<String> = scenarios::ALL.iter().map(|s| s.info().name.to_owned()).collect();
    for target in if asked.is_empty() { &all } else { asked } {
        for subject in of_target(target, wanted)? {
            if subjects.iter().all(|s| s.path() != subject.path()) {
                subjects.push(subject);
            }
        }
    }
    Ok(subjects)
}

/// The form and the workload that the user asked for as `SCENARIO/VARIANT[/WORKLOAD]`, or as `SCENARIO/VARIANT` and a
/// class; without a workload the form on the smallest ones. `no_variant` says what is wrong where no form is named.
pub fn of_form(
    asked: &str,
    class: Option<&str>,
    no_variant: impl FnOnce() -> Error,
) -> Result<Vec<Subject>, Error> {
    if asked.split('/').nth(1).is_none_or(str::is_empty) {
        return Err(no_variant());
    }
    let target = match class {
        Some(class) => format!("{}/{class}", asked.trim_end_matches('/')),
        None => asked.to_owned(),
    };
    let mut subjects = subjects(&[target], |_| true)?;
    subjects.retain(|subject| subject.thorough);
    Ok(subjects)
}

/// The scenario that is meant by a name.
pub fn scenario(asked: &str) -> Result<&'static dyn AnyScenario, Error> {
    let names: Vec<&str> = scenarios::ALL.iter().map(|s| s.info().name).collect();
    Ok(scenarios::ALL[pick("scenario", asked, &names).map_err(input)?])
}

fn of_target(target: &str, wanted: fn(Role) -> bool) -> Result<Vec<Subject>, Error> {
    let mut parts = target.splitn(3, '/');
    let scenario = scenario(parts.next().unwrap_or_default())?;
    let mut variants = scenario.variants();
    match parts.next().filter(|name| !name.is_empty()) {
        Some(asked) => {
            let names: Vec<&str> = variants.iter().map(|v| v.name).collect();
            variants = vec![variants[pick("variant", asked, &names).map_err(input)?]];
        }
        None => variants.retain(|v| wanted(v.role)),
    }
    let workloads = match parts.next().filter(|text| !text.is_empty()) {
        Some(asked) => vec![(workload(scenario, variants[0].name, asked)?, true)],
        None => scenario.classes().into_iter().map(|class| (class.name, class.smallest)).collect(),
    };
    let on = |variant: VariantInfo| {
        let subject = move |(workload, thorough): &(String, bool)| {
            let (workload, thorough) = (workload.clone(), *thorough);
            Subject { scenario, variant, workload, thorough }
        };
        workloads.iter().map(subject).collect::<Vec<_>>()
    };
    Ok(variants.into_iter().flat_map(on).collect())
}

/// A class by its name, or a workload as it is written in a token.
fn workload(scenario: &dyn AnyScenario, variant: &str, asked: &str) -> Result<String, Error> {
    let classes = scenario.classes();
    let names: Vec<&str> = classes.iter().map(|c| c.name.as_str()).collect();
    match scenario.program(variant, asked) {
        Ok(_) => Ok(asked.to_owned()),
        Err(unparsed) => match pick("workload class", asked, &names) {
            Ok(class) => Ok(names[class].to_owned()),
            Err(unknown) => Err(Error::Input(format!("{unknown} (and {unparsed})"))),
        },
    }
}

fn input(unknown: crate::names::Unknown) -> Error {
    Error::Input(unknown.to_string())
}
