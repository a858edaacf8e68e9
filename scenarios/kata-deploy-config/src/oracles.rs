//! The invariants, and when they are checked.
//!
//! A run is judged at its check points: as each load completes, before the recovery from a fault, and at
//! the end. What fails at one of them is not looked at again at a later one.

use crate::document::{Document, Value};
use crate::os::{Errno, Os, SUPERSEDED};
use crate::workload::Plan;
use crate::world::{Actor, BASE, IMPORT, Job, World, entry};
use bohr_kernel::scenario::{Oracle, When};
use bohr_kernel::{blocked_tasks, violated, with_kernel};
use bohr_posix::{Exit, Proc};

macro_rules! oracle {
    ($id:literal, $when:ident, $claim:literal) => {
        Oracle { id: $id, when: When::$when, claim: $claim }
    };
}

/// All of them.
pub static ORACLES: [Oracle; 15] = [
    oracle!("O1", Safety, "load: what containerd loads exists, parses, and is complete under one schema"),
    oracle!("O2", AtRest, "parses: the configuration exists and parses"),
    oracle!("O3", AtRest, "schema: no table of the legacy schema beside `version = 2`"),
    oracle!(
        "O4",
        AtRest,
        "complete: what the administrator wrote is there, and each runtime has all its keys"
    ),
    oracle!("O5", AtRest, "updates: the runtimes of every install that succeeded are there"),
    oracle!("O6", AtRest, "backup: there is none, or it has the bytes of the original"),
    oracle!("O7", AtRest, "kata_backup: while there is a runtime of Kata there is a backup"),
    oracle!(
        "O8",
        AtRest,
        "desired: after a cleanup that succeeded all is as it was before the first install; \
                           after an install of a newer pod its runtime is there"
    ),
    oracle!("O9", Safety, "one_holder: one process at a time is between locking and publishing"),
    oracle!("O10", AtRest, "exit_ok: nobody fails who was neither killed nor out of space"),
    oracle!("O11", AtRest, "recovers: after a fault, starting again puts everything right"),
    oracle!("O12", AtRest, "durable: what succeeded before the power failed is still done after it"),
    oracle!("O13", AtRest, "no_litter: no temporary file is left"),
    oracle!("O14", Liveness, "progress: nobody waits for ever"),
    oracle!("O15", AtRest, "imports: the drop-in is imported once or not at all"),
];

/// What is to be judged: the world, and what its actors had to do.
#[derive(Clone, Debug)]
pub struct Judge {
    world: World,
    plan: Plan,
    actors: Vec<(Job, Actor)>,
}

impl Judge {
    /// Nobody yet.
    pub fn new(world: World, plan: Plan) -> Self {
        Judge { world, plan, actors: Vec::new() }
    }

    /// Also judges this actor.
    pub fn add(&mut self, (job, actor): (Job, Actor)) {
        self.actors.push((job, actor));
    }

    /// The first actor: the one that faults strike.
    pub fn first(&self) -> Proc {
        self.actors[0].1.p
    }

    fn succeeded(&self, job: Job) -> impl Iterator<Item = Actor> + '_ {
        let done = |p: Proc| p.ended() == Some(Exit::Code(0));
        self.actors.iter().filter(move |(j, a)| *j == job && done(a.p)).map(|(_, a)| *a)
    }
}

/// A safety oracle is violated: that ends the run, also where others go on after a finding.
pub fn violated_at_once(p: Proc, oracle: &str, text: String) -> ! {
    violated(oracle, text);
    p.machine().freeze(p)
}

/// O1: judges what containerd has just read.
pub fn load(p: Proc, bytes: Result<Vec<u8>, Errno>, keys: u8) {
    const PATH: &str = "/etc/containerd/config.toml";
    let says = match bytes {
        Err(errno) => Some(format!("open {PATH}: {}", errno.text())),
        Ok(bytes) => match Document::parse(&bytes) {
            Err(wrong) => Some(format!("containerd: failed to load TOML: {PATH}: {}", wrong.as_containerd())),
            Ok(document) => schema(&document)
                .map(|_| {
                    let plugin = "invalid plugin key URI \"cri\" expect io.containerd.x.vx";
                    format!("containerd: failed to load TOML from {PATH}: {plugin}")
                })
                .or_else(|| incomplete(&document, keys).map(|what| format!("containerd loads {what}"))),
        },
    };
    if let Some(says) = says {
        violated_at_once(p, "O1", says);
    }
}

/// Judges a run without a fault.
pub fn at_the_end(judge: &Judge) {
    let Judge { world, plan, .. } = judge;
    if failed() || stuck() {
        return;
    }
    let document = files_are_sound(judge);
    exits_are_ok(judge);
    let no_cleanup =
        matches!(plan, Plan::TwoInstalls | Plan::ThreeInstalls | Plan::ReadInstall | Plan::DiskFull);
    if let (true, Some(document)) = (no_cleanup, &document) {
        updates_are_there(judge, document, "O5");
    }
    match plan {
        Plan::Delete | Plan::DeleteKill => {
            let cleaned = [Job::Cleanup, Job::Pod].into_iter().flat_map(|job| judge.succeeded(job)).next();
            if let Some(actor) = cleaned
                && !as_before(world)
            {
                violated("O8", format!("{} succeeded, and {}", actor.p.name(), difference(world)));
            }
        }
        Plan::ReadCleanup if !config_as_before(world) => violated("O8", difference(world)),
        Plan::Apply | Plan::ApplyKill => {
            if let Some(document) = &document {
                updates_are_there(judge, document, "O8");
            }
        }
        _ => {}
    }
    if *plan == Plan::DropIn
        && let Some(document) = &document
    {
        let imports = document.get("", "imports");
        let times = match imports {
            Some(Value::List(list)) => list.iter().filter(|path| *path == IMPORT).count(),
            _ => 0,
        };
        if times > 1 {
            violated("O15", format!("the drop-in is imported {times} times"));
        }
    }
    let killed = judge.actors.iter().any(|(_, a)| matches!(a.p.ended(), Some(Exit::Killed)));
    if !killed {
        no_litter(world);
    }
}

/// Judges what a fault has left; false if there is nothing left to recover from.
pub fn before_recovery(judge: &Judge) -> bool {
    if failed() {
        return false;
    }
    let document = files_are_sound(judge);
    exits_are_ok(judge);
    if matches!(judge.plan, Plan::PowerInstall | Plan::PowerCleanup) {
        for actor in judge.succeeded(Job::Install) {
            let there = document.as_ref().is_some_and(|d| all_installed(d, actor));
            let (_, backup) = judge.world.files();
            if !there || backup.is_none() {
                violated("O12", format!("{} succeeded, and is undone", actor.p.name()));
            }
        }
        if judge.succeeded(Job::Cleanup).next().is_some() && !as_before(&judge.world) {
            violated("O12", format!("the cleanup succeeded, and {}", difference(&judge.world)));
        }
    }
    !failed()
}

/// Judges the recovery from a fault.
pub fn after_recovery(judge: &Judge) {
    if failed() || stuck() {
        return;
    }
    for (_, actor) in &judge.actors {
        if actor.p.ended() != Some(Exit::Code(0)) {
            let text = format!("{} did not succeed: {}", actor.p.name(), actor.p.said());
            violated("O11", text.trim_end_matches([' ', ':']).to_owned());
        }
    }
    let world = &judge.world;
    let wrong = match judge.actors[0].0 {
        Job::Install => {
            let (config, backup) = world.files();
            let document = config.as_deref().map(Document::parse);
            let keys = world.keys();
            match document {
                None => Some("there is no config.toml".to_owned()),
                Some(Err(wrong)) => Some(wrong.to_string()),
                Some(Ok(d)) => schema(&d).or_else(|| incomplete(&d, keys)).or_else(|| {
                    let there = judge.actors.iter().all(|(_, actor)| all_installed(&d, *actor));
                    let backed_up = backup.is_some_and(|b| b == world.base.as_bytes());
                    match (there, backed_up) {
                        (false, _) => Some("a runtime is missing".to_owned()),
                        (_, false) => Some("the backup is not the original".to_owned()),
                        (true, true) => None,
                    }
                }),
            }
        }
        _ => (!as_before(world)).then(|| difference(world)),
    };
    if let Some(wrong) = wrong {
        violated("O11", wrong);
    }
    no_litter(world);
}

/// O2, O3, O4, O6 and O7. Gives the document, if it is one.
fn files_are_sound(judge: &Judge) -> Option<Document> {
    let world = &judge.world;
    let (config, backup) = world.files();
    let document = match config.as_deref().map(Document::parse) {
        None => {
            violated("O2", "there is no config.toml");
            None
        }
        Some(Err(wrong)) => {
            violated("O2", format!("tomlq: Error running jq: {wrong}"));
            None
        }
        Some(Ok(document)) => Some(document),
    };
    if let Some(document) = &document {
        if let Some(text) = schema(document) {
            violated("O3", text);
        }
        if let Some(text) = incomplete(document, world.keys()) {
            violated("O4", text);
        }
    }
    if let Some(backup) = &backup
        && backup != world.base.as_bytes()
    {
        let what = match () {
            () if backup.is_empty() => "is empty",
            () if world.base.as_bytes().starts_with(backup) => "is cut off",
            () if String::from_utf8_lossy(backup).contains(".k") => "holds runtimes of Kata",
            () => "is not the original",
        };
        violated("O6", format!("the backup {what}"));
    }
    if let Some(document) = &document
        && let Some(table) = document.tables_under("rt.k").chain(document.tables_under("cri.k")).next()
        && backup.is_none()
    {
        violated("O7", format!("[{table}] is there, and no backup"));
    }
    document
}

/// O10.
fn exits_are_ok(judge: &Judge) {
    let full = judge.plan == Plan::DiskFull;
    for (_, actor) in &judge.actors {
        let out_of_space = full && actor.p.full_disk_left() == 0;
        match actor.p.ended() {
            Some(Exit::Code(code)) if code != 0 && code != SUPERSEDED && !out_of_space => {
                violated("O10", format!("{} exits with {code}: {}", actor.p.name(), actor.p.said()));
            }
            _ => {}
        }
    }
}

/// O5, and a part of O8.
fn updates_are_there(judge: &Judge, document: &Document, oracle: &str) {
    let newest = judge.actors.iter().map(|(_, a)| a.pod).max().unwrap_or_default();
    for actor in judge.succeeded(Job::Install) {
        if (oracle == "O5" || actor.pod == newest) && !all_installed(document, actor) {
            violated(oracle, format!("{} succeeded, and its runtime is not there", actor.p.name()));
        }
    }
}

fn no_litter(world: &World) {
    let names = world.machine.names(world.etc);
    if let Some(name) = names.iter().find(|name| name.ends_with(".tmp") || name.ends_with(".new")) {
        violated("O13", format!("{name} is left"));
    }
}

/// O14. Cleanup's endless sleep and a pod that waits for its deletion are not waiting.
fn stuck() -> bool {
    let blocked = blocked_tasks();
    let waits = |reason: &str| !reason.starts_with("wait");
    let Some(task) = blocked.into_iter().find(|b| waits(&b.reason)) else { return false };
    violated("O14", format!("{} waits for ever [{}]", task.name, task.reason));
    true
}

/// True once an oracle is violated.
fn failed() -> bool {
    with_kernel(|k| !k.findings().is_empty())
}

// ---- what a document is like ----

/// O3: a table of the legacy schema beside `version = 2`.
pub fn schema(document: &Document) -> Option<String> {
    document.get("", "version")?;
    let table = document.tables_under("cri.").next()?;
    Some(format!("[{table}] is there, beside version = 2"))
}

/// O4: what is missing or not as it was.
pub fn incomplete(document: &Document, keys: u8) -> Option<String> {
    let base = Document::parse(BASE.as_bytes()).expect("the base is valid");
    if document.get("", "version") != base.get("", "version") {
        return Some("no version".to_owned());
    }
    for table in ["rt.runc", "timeouts"] {
        if document.entries(table) != base.entries(table) {
            return Some(format!("[{table}] is not as it was"));
        }
    }
    let half = |table: &&str| {
        let runtime = table.strip_prefix("rt.k").and_then(|r| r.parse().ok());
        runtime.is_none_or(|r: u8| r == 0 || !installed(document, r, keys))
    };
    let half = document.tables_under("rt.k").find(half)?;
    Some(format!("[{half}] has not exactly its keys"))
}

/// Whether a runtime's table is there, under the current schema, with exactly its keys.
pub fn installed(document: &Document, runtime: u8, keys: u8) -> bool {
    complete(document, &format!("rt.k{runtime}"), runtime, keys)
}

fn complete(document: &Document, table: &str, runtime: u8, keys: u8) -> bool {
    let Some(entries) = document.entries(table) else { return false };
    let wanted = (0..keys).map(|key| entry(runtime, key));
    entries.len() == usize::from(keys)
        && wanted.into_iter().all(|(key, value)| entries.iter().any(|(k, v)| k == key && *v == value))
}

/// Whether an actor's runtimes are there, under either schema: which one it must be is another question.
fn all_installed(document: &Document, actor: Actor) -> bool {
    let there = |prefix: &str, r: u8| complete(document, &format!("{prefix}.k{r}"), r, actor.keys());
    actor.runtimes().into_iter().all(|r| there("rt", r) || there("cri", r))
}

fn config_as_before(world: &World) -> bool {
    world.files().0.as_deref() == Some(world.base.as_bytes())
}

fn as_before(world: &World) -> bool {
    config_as_before(world) && world.files().1.is_none()
}

/// How the files differ from what was there before the first install.
fn difference(world: &World) -> String {
    match world.files() {
        (None, _) => "there is no config.toml".to_owned(),
        (Some(config), _) if config != world.base.as_bytes() => "config.toml is not the original".to_owned(),
        (_, Some(_)) => "a backup is left".to_owned(),
        _ => "all is as before".to_owned(),
    }
}
