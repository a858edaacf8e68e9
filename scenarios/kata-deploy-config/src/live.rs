//! The reported form and the fixed one as real processes on real files.
//!
//! The same step lists ([`crate::buggy`], [`crate::fixed`]) run over real system calls in a directory of their
//! own; nothing outside of it is touched. A parent starts installs and a cleanup with random offsets, kills
//! process groups, and reads the configuration every millisecond, as containerd may. Two delays imitate the
//! editor, or the windows would be microseconds: 300 ms between reading and opening the output, and 30 ms
//! until the write, both scaled.
//!
//! There is no API server (flag files stand for it), no full disk and no loss of power. What is found is
//! told with the bytes, the exit statuses and the time, never with a token: real processes have no schedule
//! to replay.

use crate::document::Schema;
use crate::os::{Edit, Errno, File, Flags, Os, Stop};
use crate::world::Form;
use crate::{buggy, fixed};
use rustix::process::{Pid, Signal, kill_process_group};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use toml_edit::{Array, DocumentMut, Item, Table, value};

/// What the environment of a worker says it is to do.
const WORKER: &str = "BOHR_KATA_DEPLOY_WORKER";

/// What to run.
#[derive(Clone, Debug)]
pub struct Live {
    /// How to start this program so that it comes to [`live_worker`].
    pub program: PathBuf,
    /// Its arguments for that.
    pub args: Vec<String>,
    /// A fresh directory; everything happens in it.
    pub dir: PathBuf,
    /// `buggy` or `fixed`.
    pub variant: String,
    /// How many rounds; a round takes a few seconds at most.
    pub rounds: u32,
    /// What the editor's delays are multiplied with; 0.1 is usual.
    pub scale: f64,
    /// When to stop, whatever is left to do.
    pub until: Instant,
    /// Set to stop early.
    pub stop: Arc<AtomicBool>,
}

impl Live {
    fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.until
    }
}

/// What the rounds have shown.
#[derive(Clone, Debug, Default)]
pub struct LiveReport {
    /// Rounds that ran to their end.
    pub rounds: u32,
    /// Rounds in which the final files were not as they must be.
    pub corrupt: u32,
    /// How often the configuration was read while programs ran.
    pub polls: u64,
    /// What was found, in order.
    pub findings: Vec<LiveFinding>,
}

/// Something that was not as it must be.
#[derive(Clone, Debug)]
pub struct LiveFinding {
    /// The round, from 1.
    pub round: u32,
    /// The oracle's id.
    pub oracle: &'static str,
    /// What is wrong.
    pub text: String,
    /// When, after the round's beginning.
    pub after: Duration,
    /// How the programs ended; empty while they run.
    pub exits: Vec<String>,
    /// The configuration as it was found.
    pub config: Vec<u8>,
}

impl LiveReport {
    /// How often each oracle was violated.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.oracle).or_default() += 1;
        }
        counts
    }
}

/// Does what a parent has asked for, if this process is a worker; then gives its exit status.
pub fn live_worker() -> Option<i32> {
    let task = std::env::var(WORKER).ok()?;
    let mut parts = task.splitn(5, ':');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (variant, job, pod, scale, dir) = (next(), next(), next(), next(), next());
    let descriptors = RefCell::new(Vec::new());
    let dir = PathBuf::from(dir);
    let pod = pod.parse().ok()?;
    let host = Host { dir: &dir, pod, scale: scale.parse().ok()?, descriptors: &descriptors };
    let result = match (variant.as_str(), job.as_str()) {
        ("buggy", "install") => buggy::Deploy::install(host),
        ("buggy", "cleanup") => buggy::Deploy::cleanup(host),
        ("fixed", "install") => fixed::Deploy::install(host),
        ("fixed", "cleanup") => fixed::Deploy::cleanup(host),
        _ => Err(Stop::Failed(64, format!("{task:?} is nothing to do"))),
    };
    Some(match result {
        Ok(()) => 0,
        Err(stop) => {
            if let Stop::Failed(_, says) = &stop {
                let _ = fs::write(dir.join(format!("stderr-{job}-{pod}")), says);
            }
            stop.status()
        }
    })
}

/// Runs rounds and reports what they showed.
///
/// # Errors
/// If a file of the directory cannot be written, or a process not be started.
pub fn live(live: &Live) -> io::Result<LiveReport> {
    let mut report = LiveReport::default();
    let seed = RandomState::new().hash_one(std::process::id());
    for round in 1..=live.rounds {
        if live.over() {
            break;
        }
        let dir = live.dir.join(format!("round-{round}"));
        fs::create_dir_all(dir.join("etc"))?;
        fs::create_dir_all(dir.join("api"))?;
        fs::write(dir.join("etc/config.toml"), base())?;
        let mut round = Round { live, dir, number: round, began: Instant::now(), children: Vec::new(), seed };
        let ended = round.run(&mut report);
        // Whatever went wrong, nobody is left running.
        round.children.iter_mut().for_each(|child| child.end());
        report.rounds += u32::from(ended?);
    }
    Ok(report)
}

struct Round<'a> {
    live: &'a Live,
    dir: PathBuf,
    number: u32,
    began: Instant,
    children: Vec<Worker>,
    seed: u64,
}

struct Worker {
    name: String,
    pod: u32,
    child: Child,
    /// Its wait status, once it was reaped.
    ended: Option<std::process::ExitStatus>,
}

impl Worker {
    fn poll(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended.is_some()
    }

    fn kill(&mut self) {
        if !self.poll()
            && let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn end(&mut self) {
        self.kill();
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }

    fn exit(&self) -> String {
        match self.ended {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("{} exits with {code}", self.name),
                (_, Some(signal)) => format!("{} dies of signal {signal}", self.name),
                _ => format!("{} ends", self.name),
            },
            None => format!("{} runs", self.name),
        }
    }
}

impl Round<'_> {
    /// In turn: two installs at once; apply, delete, apply with a kill at the end of the grace period; an
    /// install that is killed at any time, and then a cleanup. False if it had to stop before its end.
    fn run(&mut self, report: &mut LiveReport) -> io::Result<bool> {
        let kind = (self.number - 1) % 3;
        // All edits of one install, without the lock.
        let whole = (RUNTIMES * KEYS) as f64 * 0.33 * self.live.scale;
        self.flag("created-1")?;
        match kind {
            0 => {
                self.flag("created-2")?;
                self.start("install", 1)?;
                self.wait(self.random(0.1 * whole), report);
                self.start("install", 2)?;
            }
            1 => {
                self.start("install", 1)?;
                self.wait(0.1 * whole + self.random(0.5 * whole), report);
                self.flag("deleted-1")?;
                self.start("cleanup", 1)?;
                self.wait(self.random(0.2 * whole), report);
                self.flag("created-2")?;
                self.start("install", 2)?;
                self.wait(whole, report);
                self.children.iter_mut().filter(|c| c.pod == 1).for_each(Worker::kill);
            }
            _ => {
                self.start("install", 1)?;
                self.wait(self.random(whole), report);
                self.children.iter_mut().for_each(Worker::kill);
            }
        }
        let patience = 10.0 + 10.0 * whole;
        if !self.wait_all(patience, report) {
            return Ok(false);
        }
        self.judge(kind, report);
        if kind == 2 {
            // Whatever the kill has left, starting again puts it right.
            self.children.clear();
            self.start("cleanup", 1)?;
            if !self.wait_all(patience, report) {
                return Ok(false);
            }
            let (config, backup) = self.files();
            if config.as_deref() != Some(base().as_bytes()) || backup.is_some() {
                self.report(
                    report,
                    "O11",
                    "the cleanup after a kill does not restore the original".to_owned(),
                );
            }
        }
        Ok(true)
    }

    fn start(&mut self, job: &str, pod: u32) -> io::Result<()> {
        let Live { variant, scale, program, args, .. } = self.live;
        let task = format!("{variant}:{job}:{pod}:{scale}:{}", self.dir.display());
        let mut command = Command::new(program);
        command.args(args).env(WORKER, task).process_group(0);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        self.children.push(Worker { name: format!("{job} {pod}"), pod, child, ended: None });
        Ok(())
    }

    fn flag(&self, name: &str) -> io::Result<()> {
        fs::write(self.dir.join("api").join(name), "")
    }

    /// A number of seconds below `most`.
    fn random(&self, most: f64) -> f64 {
        let mixed = self.seed ^ u64::from(self.number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ self.children.len() as u64;
        most * (mixed >> 11) as f64 / (1u64 << 53) as f64
    }

    fn wait(&mut self, seconds: f64, report: &mut LiveReport) {
        let until = Instant::now() + Duration::from_secs_f64(seconds);
        while Instant::now() < until && !self.live.over() {
            self.load(report);
        }
    }

    /// Waits for the programs to end, and not longer than they may take. False if it had to stop before.
    fn wait_all(&mut self, seconds: f64, report: &mut LiveReport) -> bool {
        let until = Instant::now() + Duration::from_secs_f64(seconds);
        while !self.children.iter_mut().all(Worker::poll) {
            if self.live.over() {
                return false;
            }
            if Instant::now() >= until {
                let still: Vec<_> =
                    self.children.iter().filter(|c| c.ended.is_none()).map(Worker::exit).collect();
                self.report(report, "O14", format!("not done after {seconds:.0} s: {}", still.join(", ")));
                self.children.iter_mut().for_each(Worker::end);
                return true;
            }
            self.load(report);
        }
        true
    }

    /// Reads the configuration as containerd does, once a millisecond. One finding a round is enough.
    fn load(&self, report: &mut LiveReport) {
        report.polls += 1;
        let wrong = match fs::read(self.dir.join("etc/config.toml")) {
            Err(error) => Some(format!("containerd: {error}")),
            Ok(bytes) => unsound(&bytes).map(|(_, text)| format!("containerd loads a file with {text}")),
        };
        let known = report.findings.iter().any(|f| f.round == self.number && f.oracle == "O1");
        if let (Some(text), false) = (wrong, known) {
            self.report(report, "O1", text);
        }
        std::thread::sleep(Duration::from_millis(1));
    }

    fn files(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let read = |name| fs::read(self.dir.join("etc").join(name)).ok();
        (read("config.toml"), read("config.toml.bak"))
    }

    /// The oracles at rest.
    fn judge(&self, kind: u32, report: &mut LiveReport) {
        let before = report.findings.len();
        let (config, backup) = self.files();
        let succeeded = |name: &str| {
            self.children.iter().any(|c| c.name == name && c.ended.is_some_and(|s| s.code() == Some(0)))
        };
        match &config {
            None => self.report(report, "O2", "there is no config.toml".to_owned()),
            Some(bytes) => {
                if let Some((oracle, text)) = unsound(bytes) {
                    self.report(report, oracle, text);
                }
                if let Ok(document) = parse(bytes) {
                    let lost = [1, 2].into_iter().find(|pod| {
                        succeeded(&format!("install {pod}"))
                            && runtimes(*pod)
                                .iter()
                                .any(|r| !installed(&document, *r, "io.containerd.grpc.v1.cri"))
                    });
                    if let (Some(pod), true) = (lost, kind == 0 || lost == Some(2)) {
                        let oracle = if kind == 0 { "O5" } else { "O8" };
                        self.report(
                            report,
                            oracle,
                            format!("install {pod} succeeded, and its runtimes are not there"),
                        );
                    }
                    let any = (1..=2).flat_map(runtimes).find(|r| table(&document, *r).is_some());
                    if let (Some(runtime), true) = (any, backup.is_none()) {
                        self.report(report, "O7", format!("kata-{runtime} is there, and no backup"));
                    }
                }
            }
        }
        if backup.is_some_and(|b| b != base().as_bytes()) {
            self.report(report, "O6", "the backup is not the original".to_owned());
        }
        for child in &self.children {
            if child.ended.and_then(|s| s.code()).is_some_and(|c| c != 0 && c != crate::os::SUPERSEDED) {
                let name = format!("stderr-{}", child.name.replace(' ', "-"));
                let says = fs::read_to_string(self.dir.join(name)).unwrap_or_default();
                self.report(report, "O10", format!("{}: {says}", child.exit()));
            }
        }
        let killed = self.children.iter().any(|c| c.ended.is_some_and(|s| s.signal().is_some()));
        let names = fs::read_dir(self.dir.join("etc")).into_iter().flatten().flatten();
        let litter =
            names.filter_map(|entry| entry.file_name().into_string().ok()).find(|n| n.ends_with(".tmp"));
        if let (Some(name), false) = (litter, killed) {
            self.report(report, "O13", format!("{name} is left"));
        }
        report.corrupt += u32::from(report.findings.len() > before);
    }

    fn report(&self, report: &mut LiveReport, oracle: &'static str, text: String) {
        let exits = self.children.iter().filter(|c| c.ended.is_some()).map(Worker::exit).collect();
        let config = self.files().0.unwrap_or_default();
        let (round, after) = (self.number, self.began.elapsed());
        report.findings.push(LiveFinding { round, oracle, text, after, exits, config });
    }
}

// ---- the real document ----

/// Runtimes of an install, and keys of a runtime.
const RUNTIMES: u32 = 3;
const KEYS: u32 = 5;

/// The runtimes that a pod installs; two installs at once belong to pods with different lists.
fn runtimes(pod: u32) -> Vec<u8> {
    let first = 10 * pod;
    (first..first + RUNTIMES).filter_map(|r| u8::try_from(r).ok()).collect()
}

/// A configuration like containerd's default one: its size and shape, and its last two tables.
pub fn base() -> String {
    let mut text = "version = 2\nroot = \"/var/lib/containerd\"\nstate = \"/run/containerd\"\n\n".to_owned();
    text += "[grpc]\naddress = \"/run/containerd/containerd.sock\"\nuid = 0\ngid = 0\n\n";
    for plugin in 0..24 {
        text += &format!("[plugins.\"io.containerd.model.v1.part{plugin}\"]\n");
        for key in 0..10 {
            text += &format!("setting_{key} = \"value {plugin} of {key}\"\n");
        }
        text += "\n";
    }
    text += "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n";
    text += "runtime_type = \"io.containerd.runc.v2\"\n\n";
    text += "[timeouts]\n\"io.containerd.timeout.shim.shutdown\" = \"3s\"\n";
    text += "\"io.containerd.timeout.task.state\" = \"2s\"\n\n[ttrpc]\naddress = \"\"\ngid = 0\nuid = 0\n";
    text
}

fn parse(bytes: &[u8]) -> Result<DocumentMut, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    text.parse().map_err(|error: toml_edit::TomlError| {
        // Its first line says where; a picture of the place follows.
        let all = error.to_string();
        format!("{}: {}", all.lines().next().unwrap_or_default(), error.message().replace('\n', ", "))
    })
}

/// What containerd calls a plugin under either schema.
fn plugin(schema: Schema) -> &'static str {
    if schema == Schema::Current { "io.containerd.grpc.v1.cri" } else { "cri" }
}

fn runtimes_table<'a>(document: &'a DocumentMut, plugin: &str) -> Option<&'a Table> {
    let runtimes = document.get("plugins")?.get(plugin)?.get("containerd")?.get("runtimes")?;
    runtimes.as_table()
}

fn table(document: &DocumentMut, runtime: u8) -> Option<&Table> {
    let name = format!("kata-{runtime}");
    let found = ["io.containerd.grpc.v1.cri", "cri"].into_iter().filter_map(|p| runtimes_table(document, p));
    found.filter_map(|t| t.get(&name)).find_map(Item::as_table)
}

fn installed(document: &DocumentMut, runtime: u8, plugin: &str) -> bool {
    let tables = runtimes_table(document, plugin);
    let entries = tables.and_then(|t| t.get(&format!("kata-{runtime}"))).and_then(Item::as_table);
    entries.is_some_and(|entries| entries.len() == KEYS as usize)
}

/// O2, O3 or O4: what is wrong with a configuration.
fn unsound(bytes: &[u8]) -> Option<(&'static str, String)> {
    let mut document = match parse(bytes) {
        Ok(document) => document,
        Err(wrong) => return Some(("O2", wrong)),
    };
    if document.contains_key("version") && runtimes_table(&document, "cri").is_some() {
        return Some(("O3", "a table of the legacy schema beside version = 2".to_owned()));
    }
    let kata: Vec<u8> = (1..=2).flat_map(runtimes).filter(|r| table(&document, *r).is_some()).collect();
    if let Some(half) = kata.iter().find(|r| !installed(&document, **r, "io.containerd.grpc.v1.cri")) {
        return Some(("O4", format!("kata-{half} without all its keys")));
    }
    if let Some(tables) = document
        .get_mut("plugins")
        .and_then(|p| p.get_mut("io.containerd.grpc.v1.cri"))
        .and_then(|p| p.get_mut("containerd")?.get_mut("runtimes")?.as_table_mut())
    {
        kata.iter().for_each(|r| {
            tables.remove(&format!("kata-{r}"));
        });
    }
    let plain = |document: &DocumentMut| {
        let mut lines: Vec<_> = document.to_string().lines().map(str::trim).map(str::to_owned).collect();
        lines.retain(|line| !line.is_empty());
        lines.sort_unstable();
        lines
    };
    let original = parse(base().as_bytes()).expect("the base is valid");
    (plain(&document) != plain(&original))
        .then(|| ("O4", "less or more than the administrator wrote".to_owned()))
}

// ---- the real system ----

/// The system under a real process.
#[derive(Copy, Clone)]
struct Host<'a> {
    dir: &'a Path,
    pod: u32,
    scale: f64,
    /// By number; so that a descriptor can be copied.
    descriptors: &'a RefCell<Vec<Option<fs::File>>>,
}

impl Host<'_> {
    fn path(self, file: File) -> PathBuf {
        let etc = self.dir.join("etc");
        let me = std::process::id();
        match file {
            File::Config => etc.join("config.toml"),
            File::Backup => etc.join("config.toml.bak"),
            File::Lock => self.dir.join("kata-deploy.lock"),
            File::ConfigTemp => etc.join(format!("config.toml.{me}.tmp")),
            File::BackupTemp => etc.join(format!("config.toml.bak.{me}.tmp")),
        }
    }

    fn with<R>(self, fd: usize, action: impl FnOnce(&mut fs::File) -> io::Result<R>) -> Result<R, Errno> {
        let mut descriptors = self.descriptors.borrow_mut();
        let file = descriptors.get_mut(fd).and_then(Option::as_mut).ok_or(Errno::EBADF)?;
        Ok(action(file)?)
    }

    fn flag(self, name: &str) -> bool {
        self.dir.join("api").join(name).exists()
    }

    fn pause(self, seconds: f64) {
        std::thread::sleep(Duration::from_secs_f64(seconds * self.scale));
    }
}

impl Os for Host<'_> {
    type Fd = usize;

    fn runtimes(self) -> Vec<u8> {
        runtimes(self.pod)
    }
    fn keys(self) -> u8 {
        KEYS as u8
    }

    fn open(self, file: File, flags: Flags) -> Result<usize, Errno> {
        let mut options = OpenOptions::new();
        options.read(!flags.writes()).create(flags.creates()).create_new(flags.exclusive());
        options.truncate(flags.truncates());
        if flags.appends() {
            options.append(true)
        } else {
            options.write(flags.writes())
        };
        let file = options.open(self.path(file))?;
        let mut descriptors = self.descriptors.borrow_mut();
        descriptors.push(Some(file));
        Ok(descriptors.len() - 1)
    }
    fn read_to_end(self, fd: usize) -> Result<Vec<u8>, Errno> {
        self.with(fd, |file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        })
    }
    fn write(self, fd: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.with(fd, |file| file.write_all(bytes))
    }
    fn discard(self, fd: usize) {
        self.close(fd);
    }
    fn close(self, fd: usize) {
        if let Some(file) = self.descriptors.borrow_mut().get_mut(fd) {
            *file = None;
        }
    }
    fn fsync(self, fd: usize) -> Result<(), Errno> {
        self.with(fd, |file| file.sync_all())
    }
    fn fsync_dir(self) {
        let _ = fs::File::open(self.dir.join("etc")).and_then(|dir| dir.sync_all());
    }
    fn rename(self, from: File, to: File) -> Result<(), Errno> {
        Ok(fs::rename(self.path(from), self.path(to))?)
    }
    fn unlink(self, file: File) -> Result<(), Errno> {
        Ok(fs::remove_file(self.path(file))?)
    }
    fn exists(self, file: File) -> bool {
        self.path(file).exists()
    }
    fn flock(self, fd: usize) {
        // The standard library's lock is flock on Linux.
        self.with(fd, |file| file.lock()).expect("a lock that waits is granted");
    }
    fn temps(self) -> Vec<String> {
        let names = fs::read_dir(self.dir.join("etc")).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.ends_with(".tmp")).collect()
    }
    fn unlink_temp(self, name: &str) {
        let _ = fs::remove_file(self.dir.join("etc").join(name));
    }

    fn deleted(self) -> bool {
        self.flag(&format!("deleted-{}", self.pod))
    }
    fn newer_alive(self) -> bool {
        let alive = |pod| self.flag(&format!("created-{pod}")) && !self.flag(&format!("deleted-{pod}"));
        (self.pod + 1..self.pod + 4).any(alive)
    }
    fn wait_deleted(self) {
        while !self.deleted() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn edit(self, bytes: &[u8], edit: Edit) -> Result<Vec<u8>, String> {
        let mut document = parse(bytes).map_err(|wrong| format!("tomlq: Error running jq: {wrong}"))?;
        let Edit::Key { runtime, schema, key } = edit else {
            return Err("only whole files are edited".to_owned());
        };
        let mut tables = document.as_table_mut();
        for name in ["plugins", plugin(schema), "containerd", "runtimes", &format!("kata-{runtime}")] {
            let item = tables.entry(name).or_insert_with(|| {
                let mut table = Table::new();
                table.set_implicit(!name.starts_with("kata-"));
                Item::Table(table)
            });
            tables = item.as_table_mut().ok_or("tomlq: Error running jq: not a table")?;
        }
        let name =
            ["runtime_type", "runtime_path", "privileged", "pod_annotations", "options"][usize::from(key)];
        tables[name] = match name {
            "privileged" => value(true),
            "pod_annotations" => value(Array::from_iter(["io.katacontainers.*"])),
            _ => value(format!("io.containerd.kata-{runtime}.v2 {name}")),
        };
        Ok(document.to_string().into_bytes())
    }
    fn validate(self, bytes: &[u8], runtimes: &[u8]) -> Result<(), String> {
        if let Some((_, wrong)) = unsound(bytes) {
            return Err(wrong);
        }
        let document = parse(bytes)?;
        let missing = runtimes.iter().find(|r| !installed(&document, **r, "io.containerd.grpc.v1.cri"));
        missing.map_or(Ok(()), |r| Err(format!("kata-{r} is missing")))
    }
    fn edits(self) {
        self.pause(0.3);
    }
    fn serialises(self) {
        self.pause(0.03);
    }
}
