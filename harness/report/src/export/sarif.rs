//! SARIF 2.1.0, as GitHub's code scanning and the SARIF viewers of editors read it.
//!
//! A rule is an oracle, a result a way in which a form fails. A result with a failing run has a code flow with a thread
//! flow for each task, whose locations have the order in which they ran, how deep in calls they stand, and
//! what was seen there as state.
//!
//! A form that fails as it is stated to gives a result too, but a *suppressed* note. What holds gives none: GitHub
//! takes results of kind `pass` for alerts.

mod format;

use super::{Campaign, Failure, Seen, Standing, Tested, Verdict};
use crate::cause::{Cause, case_names, end, failing_step};
use crate::document::{Block, Text};
use crate::markdown;
use crate::model::{Case, OracleRow};
use crate::names::{Names, split_site};
use crate::report;
use crate::schedule::waiting;
use bohr_kernel::{BlockedTask, Detail, Finding, Kind, Site, TaskId};
use format::{
    ArtifactBase, ArtifactLocation, CodeFlow, Configuration, Driver, FlowLocation, Invocation, Level,
    Location, Log, LogicalLocation, Message, Notification, PhysicalLocation, Region, Rule, Run, Suppression,
    Tags, ThreadFlow, Tool,
};
use std::collections::BTreeMap;

/// What file names are relative to: the folder that the project was checked out to.
const ROOT: &str = "SRCROOT";
/// The rule of a verdict that is not the stated one although nothing failed.
const VERDICT: &str = "verdict";

/// Prints a campaign. `version` is that of the program that found it out.
pub fn render(campaign: &Campaign, version: &'static str) -> String {
    let mut rules = Rules::of(campaign);
    let results: Vec<_> = campaign.scenarios.iter().flat_map(|tested| results(tested, &mut rules)).collect();
    let root = "The folder that the project was checked out to.";
    let run = Run {
        tool: Tool { driver: Driver { name: "bohr", semantic_version: version, rules: rules.0 } },
        invocations: vec![invocation(campaign)],
        original_uri_base_ids: BTreeMap::from([(ROOT, ArtifactBase { description: plain(root) })]),
        column_kind: "unicodeCodePoints",
        results,
    };
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: vec![run],
    };
    // Fails only for maps whose keys are no strings.
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn invocation(campaign: &Campaign) -> Invocation {
    let note = |text: String| Notification { level: Level::Note, message: plain(&text) };
    let left = campaign.verdicts().filter_map(|(tested, verdict)| match &verdict.standing {
        Standing::NotJudged(why) => Some(note(format!("{} was not judged: {why}", tested.path(verdict)))),
        _ => None,
    });
    let ended = campaign.ended.iter().map(|why| note(format!("the run did not come to its end: {why}")));
    Invocation {
        command_line: campaign.command.clone(),
        execution_successful: campaign.ended.is_none(),
        tool_execution_notifications: ended.chain(left).collect(),
    }
}

struct Rules(Vec<Rule>);

impl Rules {
    fn of(campaign: &Campaign) -> Self {
        let of = |tested: &Tested| {
            tested
                .oracles
                .iter()
                .map(|oracle| rule(tested, &oracle.id, oracle_in_words(oracle)))
                .collect::<Vec<_>>()
        };
        Rules(campaign.scenarios.iter().flat_map(of).collect())
    }

    /// The place of a rule, which is made if it is none of the oracles.
    fn place(&mut self, tested: &Tested, name: &str, claim: &str) -> usize {
        let id = rule_id(tested, name);
        self.0.iter().position(|rule| rule.id == id).unwrap_or_else(|| {
            self.0.push(rule(tested, name, claim.to_owned()));
            self.0.len() - 1
        })
    }
}

fn oracle_in_words(oracle: &OracleRow) -> String {
    format!("{} (checked {})", oracle.claim, oracle.when)
}

fn rule_id(tested: &Tested, name: &str) -> String {
    format!("{}/{name}", tested.info.name)
}

fn rule(tested: &Tested, name: &str, claim: String) -> Rule {
    let info = &tested.info;
    let fact = |what: &str, text: &str| Text::new().strong(what).plain(": ").text(Text::prose(text));
    let help = [
        fact("Must hold", &claim),
        fact("The bug", &format!("{} ({})", info.title, info.system)),
        fact("Cause", &info.cause),
        fact("Fix", &info.fix),
    ];
    Rule {
        id: rule_id(tested, name),
        short_description: plain(&format!("{name}: {claim}")),
        full_description: plain(&info.title),
        help_uri: info.references.first().map(|reference| reference.url.clone()),
        help: paragraphs(&help),
        default_configuration: Configuration { level: Level::Error },
        properties: Tags { tags: vec!["concurrency".to_owned(), info.name.clone()] },
    }
}

fn results(tested: &Tested, rules: &mut Rules) -> Vec<format::Finding> {
    let mut results: Vec<_> =
        tested.failures.iter().map(|failure| of_failure(tested, failure, rules)).collect();
    for verdict in &tested.verdicts {
        let Standing::Surprise(why) = &verdict.standing else { continue };
        let unexpected: Vec<&Seen> = verdict.seen.iter().filter(|seen| !seen.expected).collect();
        for seen in unexpected.iter().filter(|seen| !shown(tested, verdict, seen)) {
            let name = seen.oracle.as_deref().unwrap_or(VERDICT);
            let text = Text::new().plain(format!("{}. ", seen.headline)).plain(seen.again());
            results.push(without_run(tested, verdict, name, &seen.headline, text, rules));
        }
        if unexpected.is_empty() {
            let text = Text::new().code(&verdict.variant).plain(format!(" ({}) {why}. ", verdict.role));
            let text = text.plain("Look for it: ").code(format!("bohr run {}", tested.path(verdict)));
            results.push(without_run(tested, verdict, VERDICT, why, text, rules));
        }
    }
    results
}

/// Whether the failure is among those whose run is there.
fn shown(tested: &Tested, verdict: &Verdict, seen: &Seen) -> bool {
    tested.failures.iter().any(|failure| {
        let case = &failure.case;
        let same = case.finding.headline() == seen.headline
            || (case.finding.kind == Kind::Oracle && case.finding.oracle == seen.oracle);
        case.variant == verdict.variant && same
    })
}

fn of_failure(tested: &Tested, failure: &Failure, rules: &mut Rules) -> format::Finding {
    let Failure { case, expected, workloads } = failure;
    let finding = &case.finding;
    let name = finding.oracle.clone().unwrap_or_else(|| finding.kind.to_string().replace(' ', "-"));
    let rule_index = rules.place(tested, &name, "No run may end so.");
    let cause = Cause::of(case);
    let names = case_names(case);
    let text = [
        Text::new().plain(format!("{} in ", finding.headline())).code(path(case)).plain("."),
        cause.sentence.clone(),
        Text::new().plain("Reproduce it: ").code(report::command(case)),
    ];
    let properties = BTreeMap::from([
        ("token", case.token.clone()),
        ("variant", case.variant.clone()),
        ("workload", case.workload.clone()),
        ("workloads", workloads.to_string()),
        ("preemptions", case.preemptions.to_string()),
    ]);
    let suppression = || Suppression {
        kind: "external",
        status: "accepted",
        justification: "the scenario states that this form fails so",
    };
    format::Finding {
        rule_id: rule_id(tested, &name),
        rule_index,
        kind: "fail",
        level: if *expected { Level::Note } else { level(finding.kind) },
        message: paragraphs(&text),
        locations: vec![Location { logical_locations: vec![logical(path(case))], ..at(primary(case)) }],
        partial_fingerprints: BTreeMap::from([("bohrFailure/v1", identity(case))]),
        code_flows: vec![flow(case, &cause, &names)],
        related_locations: related(case, &cause, &names),
        suppressions: expected.then(suppression).into_iter().collect(),
        properties,
    }
}

fn without_run(
    tested: &Tested,
    verdict: &Verdict,
    name: &str,
    what: &str,
    text: Text,
    rules: &mut Rules,
) -> format::Finding {
    let path = tested.path(verdict);
    let rule_index = rules.place(tested, name, "The verdict is the one that the scenario states.");
    format::Finding {
        rule_id: rule_id(tested, name),
        rule_index,
        kind: "fail",
        level: Level::Error,
        message: paragraphs(&[text]),
        locations: vec![Location {
            logical_locations: vec![logical(path.clone())],
            ..at(verdict.begins.as_ref())
        }],
        partial_fingerprints: BTreeMap::from([("bohrFailure/v1", format!("{path}: {what}"))]),
        code_flows: Vec::new(),
        related_locations: Vec::new(),
        suppressions: Vec::new(),
        properties: BTreeMap::from([
            ("variant", verdict.variant.clone()),
            ("workload", verdict.workload.clone()),
        ]),
    }
}

fn level(kind: Kind) -> Level {
    match kind {
        Kind::Leak | Kind::StepBound => Level::Warning,
        Kind::Panic | Kind::Fatal | Kind::DataRace | Kind::Deadlock | Kind::Oracle | Kind::ScenarioBug => {
            Level::Error
        }
    }
}

fn path(case: &Case) -> String {
    format!("{}/{}/{}", case.scenario, case.variant, case.workload)
}

/// What makes two failures the same, whatever the schedule and the workload, and wherever the code has moved to.
fn identity(case: &Case) -> String {
    let Finding { kind, oracle, text, .. } = &case.finding;
    // The words of a scenario's oracle hold values.
    let words = if *kind == Kind::Oracle { "" } else { text };
    let words =
        [&case.scenario, &case.variant, &kind.to_string(), oracle.as_deref().unwrap_or_default(), words];
    words.join("/")
}

/// Where it showed.
fn primary(case: &Case) -> Option<&Site> {
    let blocked = match &case.finding.detail {
        // Who waits for one that waits too says more than main, which waits for all.
        Detail::Blocked(tasks) => {
            let held = tasks.iter().find(|task| !task.held_by.is_empty());
            held.or(tasks.first()).map(|task| &task.site)
        }
        Detail::Race { second, .. } => Some(&second.site),
        Detail::None => None,
    };
    let last = case.trace.steps[..end(case)].last().map(|step| &step.site);
    blocked.or(case.finding.site.as_ref()).or(last)
}

/// The other places that the failure is about.
fn related(case: &Case, cause: &Cause, names: &Names<'_>) -> Vec<Location> {
    let mut places: Vec<(Site, String)> = Vec::new();
    match &case.finding.detail {
        Detail::Race { first, .. } => {
            let did = if first.write { "wrote" } else { "read" };
            places.push((first.site.clone(), format!("{} {did} before", names.task(first.task))));
        }
        Detail::Blocked(tasks) => {
            let waits = |task: &BlockedTask| format!("{} waits: {}", names.task(task.task), task.reason);
            places.extend(tasks.iter().map(|task| (task.site.clone(), waits(task))));
        }
        Detail::None => {}
    }
    let unreached = cause.unreached.iter();
    places.extend(
        unreached
            .map(|it| (it.site.clone(), format!("{} does not reach {}", names.task(it.task), it.operation))),
    );
    let ids = (0..).map(TaskId);
    places.extend(case.trace.tasks.iter().zip(ids).filter_map(|(task, id)| {
        Some((task.created.clone()?, format!("{} was created here", names.task(id))))
    }));
    let location = |(at, (site, text)): (usize, (Site, String))| Location {
        id: Some(at + 1),
        message: Some(plain(&text)),
        ..self::at(Some(&site))
    };
    places.into_iter().enumerate().map(location).collect()
}

fn flow(case: &Case, cause: &Cause, names: &Names<'_>) -> CodeFlow {
    let mut threads: BTreeMap<TaskId, Vec<FlowLocation>> = BTreeMap::new();
    let mut depths: BTreeMap<TaskId, u32> = BTreeMap::new();
    let failing = failing_step(case);
    let steps = &case.trace.steps[..end(case)];
    for (index, step) in steps.iter().enumerate() {
        let depth = depths.entry(step.task).or_default();
        let call = step.objects.iter().any(|(object, _)| {
            case.trace.objects.get(object.0 as usize).is_some_and(|object| object.kind == "history")
        });
        if call && step.label == "return" {
            *depth = depth.saturating_sub(1);
        }
        let failed =
            if failing == Some(index) { format!(": {}", case.finding.headline()) } else { String::new() };
        let named = cause.steps.contains(&(index as u32)) || failing == Some(index);
        let seen = |object: &bohr_kernel::ObjectId| {
            case.trace.objects.get(object.0 as usize).map(|o| o.name.clone())
        };
        let state = step.objects.iter().filter_map(|(object, _)| Some((seen(object)?, plain(&step.note))));
        threads.entry(step.task).or_default().push(FlowLocation {
            location: Location {
                message: Some(plain(&(names.operation(step) + &failed))),
                ..at(Some(&step.site))
            },
            state: state.filter(|_| !step.note.is_empty()).collect(),
            nesting_level: *depth,
            execution_order: index + 1,
            importance: if named {
                "essential"
            } else if step.at_rest {
                "unimportant"
            } else {
                "important"
            },
        });
        if call && step.label == "call" {
            *depth += 1;
        }
    }
    if let Detail::Blocked(tasks) = &case.finding.detail {
        for task in tasks {
            threads.entry(task.task).or_default().push(FlowLocation {
                location: Location {
                    message: Some(plain(&format!("waits: {}", waiting(task)))),
                    ..at(Some(&task.site))
                },
                state: BTreeMap::new(),
                nesting_level: depths.get(&task.task).copied().unwrap_or(0),
                // All of them wait at once.
                execution_order: steps.len() + 1,
                importance: "essential",
            });
        }
    }
    let thread = |(task, locations): (TaskId, Vec<FlowLocation>)| ThreadFlow {
        id: names.task(task),
        message: plain(&format!("What {} does.", names.task(task))),
        locations,
    };
    CodeFlow {
        message: plain("The failing schedule: the order of the steps is that of their executionOrder."),
        thread_flows: threads.into_iter().map(thread).collect(),
    }
}

fn at(site: Option<&Site>) -> Location {
    let physical = |site: &Site| {
        let (file, line) = split_site(site);
        let artifact_location = ArtifactLocation { uri: uri(&file), uri_base_id: ROOT };
        PhysicalLocation { artifact_location, region: Region { start_line: line.max(1) } }
    };
    Location { id: None, physical_location: site.map(physical), logical_locations: Vec::new(), message: None }
}

fn logical(fully_qualified_name: String) -> LogicalLocation {
    LogicalLocation { fully_qualified_name }
}

/// A path as a relative reference (RFC 3986): what would mean something else there is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(byte.into())
            }
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

fn plain(text: &str) -> Message {
    Message { text: literal(text), markdown: None }
}

fn paragraphs(texts: &[Text]) -> Message {
    let blocks: Vec<Block> = texts.iter().cloned().map(Block::Paragraph).collect();
    let lines: Vec<String> = texts.iter().map(Text::to_string).collect();
    Message {
        text: literal(&lines.join("\n")),
        markdown: Some(literal(markdown::render(&blocks).trim_end())),
    }
}

/// In a message, single braces stand around the number of an argument.
fn literal(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_or_a_message_is_escaped() {
        assert_eq!(uri("scenarios/a b/src/数#1.rs"), "scenarios/a%20b/src/%E6%95%B0%231.rs");
        assert_eq!(literal("map[{1 0}]"), "map[{{1 0}}]");
    }
}
