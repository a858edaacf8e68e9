//! How tasks, operations and source lines are called in a report.

use crate::document::Text;
use bohr_kernel::{ObjectId, Site, Step, TaskId, Trace};
use std::collections::BTreeSet;

/// The names in one run.
pub(crate) struct Names<'t> {
    trace: &'t Trace,
    files: BTreeSet<String>,
}

impl<'t> Names<'t> {
    /// The names for a run of which these steps are shown and these further lines are spoken of.
    pub(crate) fn new<'s>(
        trace: &'t Trace,
        shown: &[Step],
        more: impl IntoIterator<Item = &'s Site>,
    ) -> Self {
        let steps = shown.iter().map(|s| &s.site);
        let created = trace.tasks.iter().filter_map(|t| t.created.as_ref());
        let mut files: BTreeSet<_> = steps.chain(created).map(file).collect();
        files.extend(more.into_iter().map(file));
        Names { trace, files }
    }

    /// The same for another run, whose objects may have other numbers.
    pub(crate) fn of_run<'o>(&self, trace: &'o Trace) -> Names<'o> {
        Names { trace, files: self.files.clone() }
    }

    /// A task's name, with its id if several are called the same.
    pub(crate) fn task(&self, task: TaskId) -> String {
        let tasks = &self.trace.tasks;
        match tasks.get(task.0 as usize) {
            None => task.to_string(),
            Some(known) if tasks.iter().filter(|t| t.name == known.name).count() > 1 => {
                format!("{} ({task})", known.name)
            }
            Some(known) => known.name.clone(),
        }
    }

    /// An operation with its object: `mu.Lock`, `images map assign: raise the flag`, `select (a, b)`.
    pub(crate) fn operation(&self, step: &Step) -> String {
        self.named(&step.label, step.objects.iter().map(|(id, _)| *id))
    }

    /// The same, out of its parts.
    pub(crate) fn named(&self, label: &str, objects: impl Iterator<Item = ObjectId>) -> String {
        let sentence = label.contains(char::is_whitespace);
        let names = objects.filter_map(|id| self.object(id));
        // Parts of one thing (`images.flag`, `images[0].key`) go by its name where the label says which.
        let root =
            |name: &'t str| if sentence { name.split(['.', '[']).next().unwrap_or(name) } else { name };
        let mut names: Vec<_> = names.map(root).collect();
        names.dedup();
        match names[..] {
            [] => label.to_owned(),
            [object] if sentence => format!("{object} {label}"),
            [object] => format!("{object}.{label}"),
            _ => format!("{label} ({})", names.join(", ")),
        }
    }

    /// An object's name, unless it is the kernel's own: `sleep` says more than `time.sleep`.
    fn object(&self, id: ObjectId) -> Option<&'t str> {
        let object = self.trace.objects.get(id.0 as usize)?;
        let own = object.name == object.kind && is_kernels(&object.name);
        // What has no name, as a file that was unlinked, says nothing.
        (!own && !object.name.is_empty()).then_some(object.name.as_str())
    }

    /// True for an object that the modelled program knows of, and not only the harness.
    pub(crate) fn modelled(&self, id: ObjectId) -> bool {
        let object = self.trace.objects.get(id.0 as usize);
        self.object(id).is_some() && object.is_some_and(|o| o.kind != "history")
    }

    /// True if the step uses an object of this name.
    pub(crate) fn touches(&self, step: &Step, name: &str) -> bool {
        step.objects.iter().any(|(id, _)| self.object(*id) == Some(name))
    }

    /// A source line with as much of its path as tells the files of this run apart.
    pub(crate) fn site(&self, site: &Site) -> String {
        format!("{}:{}", self.short(&file(site)), site.line)
    }

    /// The files that [`site`](Names::site) does not give in full, with their full paths.
    pub(crate) fn shortened(&self) -> Vec<(&str, &str)> {
        let pairs = self.files.iter().map(|full| (self.short(full), full.as_str()));
        pairs.filter(|(short, full)| short != full).collect()
    }

    fn short<'a>(&self, full: &'a str) -> &'a str {
        let starts = full.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
        let ends_like = |file: &str, tail: &str| {
            file.strip_suffix(tail).is_some_and(|head| head.is_empty() || head.ends_with('/'))
        };
        let unique = |tail: &&str| self.files.iter().filter(|f| ends_like(f, tail)).count() <= 1;
        starts.map(|at| &full[at..]).find(unique).unwrap_or(full)
    }

    /// A step in running text: who did what, when, where, and what came of it.
    pub(crate) fn step(&self, index: usize) -> Text {
        let step = &self.trace.steps[index];
        let text = Text::new().code(self.task(step.task)).plain("'s ");
        text.text(self.own_step(index))
    }

    /// The same, where it is clear who did it.
    pub(crate) fn own_step(&self, index: usize) -> Text {
        let step = &self.trace.steps[index];
        let place = format!(" (step {}, {}", index + 1, self.site(&step.site));
        let text = Text::new().code(self.operation(step)).plain(place);
        match step.note.as_str() {
            "" => text.plain(")"),
            note => text.plain(": ").code(note).plain(")"),
        }
    }
}

/// True for the name of an object that the kernel made for itself, or for none.
pub(crate) fn is_kernels(object: &str) -> bool {
    ["", "time", "ends", "lane"].contains(&object)
}

/// The path of a source file, without what lies above the workspace.
fn file(site: &Site) -> String {
    let absolute = site.file.starts_with('/') || site.file.get(1..3) == Some(":/");
    let name = site.file.rsplit('/').next().unwrap_or(&site.file);
    if absolute { name.to_owned() } else { site.file.clone() }
}

/// A source line's file, with its whole path from the workspace on, and number.
pub(crate) fn split_site(site: &Site) -> (String, u32) {
    (file(site), site.line)
}

/// A source line with its whole path from the workspace on.
pub(crate) fn full_site(site: &Site) -> String {
    format!("{}:{}", file(site), site.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(file: &str) -> Site {
        Site { file: file.to_owned(), line: 7 }
    }

    #[test]
    fn paths_are_cut_as_far_as_they_stay_apart() {
        let trace = Trace::default();
        let sites =
            ["scenarios/x/src/buggy.rs", "scenarios/x/src/lib.rs", "harness/go/src/lib.rs", "/a/b.rs"]
                .map(site);
        let names = Names::new(&trace, &[], &sites);
        let short = sites.each_ref().map(|s| names.site(s));
        assert_eq!(short, ["buggy.rs:7", "x/src/lib.rs:7", "go/src/lib.rs:7", "b.rs:7"]);
        assert_eq!(names.shortened().len(), 3);
    }
}
