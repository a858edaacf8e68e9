//! The shared world: the controllers' workers, the log, and what is recorded for the oracles.

use crate::oracles::{self, Previous};
use crate::workload::{Controller, Image, Key, Workload};
use bohr_go::SyncMap;
use bohr_go::map::{Map, Words};
use bohr_kernel::{Access, History, Obj, at_rest, join, spawn, violated};
use std::sync::Arc;

/// One form of upstream's `logIfChanged`, with its state.
pub trait ImageLog: Send + Sync + 'static {
    /// The state at first.
    fn new(workload: &Workload) -> Self;

    /// Logs a line if `result` is not what was logged last under `key`; gives `result`.
    fn log_if_changed(&self, caller: &Caller, key: Key, result: Image) -> Image;

    /// The plain map, if there is one, for the oracle that looks at its structure.
    fn plain_map(&self) -> Option<&Map<Key, Image>> {
        None
    }
}

/// Runs one form, as the main task.
pub fn run<V: ImageLog>(workload: &Workload) {
    let world = Arc::new(World::<V>::new(workload));
    let start = |actor: usize| {
        let world = Arc::clone(&world);
        spawn(workload.name(actor), move || world.act(actor))
    };
    let actors: Vec<_> = (0..workload.actors.len()).map(start).collect();
    actors.into_iter().for_each(join);
    at_rest(move || world.judge());
}

/// The plain map of a form that uses one.
pub fn plain_map(workload: &Workload) -> Map<Key, Image> {
    Map::with_layout("lastImages", workload.layout, workload.initial.iter().copied())
}

/// The `sync.Map` of a form that uses one.
pub fn sync_map(workload: &Workload) -> SyncMap<Key, Image> {
    let map = SyncMap::new("lastImages");
    for (key, image) in &workload.initial {
        map.store(*key, *image);
    }
    map
}

/// Who calls `log_if_changed`.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its place among the actors.
    pub actor: usize,
    /// Whose worker it is.
    pub controller: Controller,
    /// True if it runs a cleanup.
    pub cleanup: bool,
    /// True after all actors have ended, when the calls only look.
    probing: bool,
    /// Its own lines. One log for all would order the actors, which upstream's standard error does not.
    log: Obj<Vec<Line>>,
}

/// A line of the log.
#[derive(Copy, Clone, Debug)]
struct Line {
    previous: Previous,
}

impl Caller {
    /// Decides, by itself, whether there is something to log.
    pub fn changed(&self, previous: impl Into<Previous>, result: Image) -> bool {
        let previous = previous.into();
        if let Some(words) = previous.0.filter(|words| !self.probing && words.is_torn()) {
            violated("O2", format!("read a torn string: {words}"));
        }
        previous != Previous::of(result)
    }

    /// Writes a line if there is something to log. A step of its own even if there is not.
    #[track_caller]
    pub fn log(&self, changed: bool, key: Key, previous: impl Into<Previous>, result: Image) {
        let label = if changed { "log the image" } else { "log nothing" };
        let previous = previous.into();
        self.log.op(label, Access::Write).run(|log, cx| {
            if changed {
                cx.note(|| format!("{key}: {previous} -> {result}"));
                log.push(Line { previous });
            }
        });
    }

    fn lines(&self) -> usize {
        self.log.peek(Vec::len)
    }

    /// The line that the call logged that began after `before` lines.
    fn line_after(&self, before: usize) -> Option<Previous> {
        self.log.peek(|log| log.get(before).map(|line| line.previous))
    }
}

/// What a call is given: who called, with which image.
#[derive(Copy, Clone, Debug)]
pub struct Given {
    /// The actor.
    pub actor: usize,
    /// True for the calls that only look, after all actors have ended.
    pub probing: bool,
    /// The image.
    pub result: Image,
}

/// The calls under one key: each with the previous image of the line that it logged, if it did.
pub type Calls = History<Given, Option<Previous>>;

struct World<V> {
    form: V,
    workload: Workload,
    callers: Vec<Caller>,
    calls: Vec<(Key, Calls)>,
}

impl<V: ImageLog> World<V> {
    fn new(workload: &Workload) -> Self {
        let caller = |actor: usize| Caller {
            actor,
            controller: workload.actors[actor].controller,
            cleanup: workload.actors[actor].cleanup,
            probing: false,
            log: Obj::create("log", format!("log of {}", workload.name(actor)), Vec::new()),
        };
        let calls = |key: Key| (key, History::new(format!("calls under {key}")));
        World {
            form: V::new(workload),
            workload: workload.clone(),
            callers: (0..workload.actors.len()).map(caller).collect(),
            calls: workload.keys().into_iter().map(calls).collect(),
        }
    }

    fn act(&self, actor: usize) {
        for (key, result) in &self.workload.actors[actor].calls {
            self.call(&self.callers[actor], *key, *result);
        }
    }

    fn call(&self, caller: &Caller, key: Key, result: Image) {
        let (_, calls) = self.calls.iter().find(|(k, _)| *k == key).expect("every called key has a history");
        let given = Given { actor: caller.actor, probing: caller.probing, result };
        let before = caller.lines();
        let open = calls.begin(given);
        let returned = self.form.log_if_changed(caller, key, result);
        calls.end(open, caller.line_after(before));
        if returned != result {
            violated("O6", format!("the call under {key} gave {returned}, not its own {result}"));
        }
    }

    /// When all actors have ended: looks at the map's structure, then calls once more as every actor
    /// under every key, which shows what the form remembers, and judges the lines.
    fn judge(&self) {
        if let Some(map) = self.form.plain_map() {
            oracles::check_structure(&map.contents());
        }
        for caller in &self.callers {
            let caller = Caller { probing: true, ..caller.clone() };
            for (key, _) in &self.calls {
                self.call(&caller, *key, Image::probe(caller.actor));
            }
        }
        for (key, calls) in &self.calls {
            let initial = self.workload.initial.iter().find(|(k, _)| k == key);
            let initial = Previous(initial.map(|(_, image)| Words::whole(*image)));
            oracles::check_lines(&self.workload, *key, initial, &calls.calls());
        }
    }
}
