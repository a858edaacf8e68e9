//! Where everything stands in a picture, and how it is drawn.

use super::rows::{Row, rows};
use crate::json::{EdgeKind, FailingCase, Operation, Run};
use crate::numbers;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Left of the lanes, for the steps' numbers.
const GUTTER: i32 = 44;
/// The least distance between two lanes.
const LANE: i32 = 132;
/// The width of a letter, and of a small one.
const LETTER: f64 = 7.55;
const SMALL: f64 = 6.65;
/// Where the first row begins.
const TOP: i32 = 58;
/// The legend's height.
const LEGEND: i32 = 34;

pub(super) struct Drawing<'r> {
    case: &'r FailingCase,
    run: &'r Run,
    id: &'r str,
    rows: Vec<Row>,
    /// The middle of each row.
    middles: Vec<i32>,
    /// The tasks that have a lane.
    lanes: Vec<u32>,
    lane_width: i32,
    width: i32,
    bottom: i32,
}

impl<'r> Drawing<'r> {
    pub(super) fn of(case: &'r FailingCase, run: &'r Run, id: &'r str) -> Self {
        let rows = rows(case, run);
        let mut y = TOP;
        let mut middles = Vec::new();
        for row in &rows {
            middles.push(y + row.height() / 2);
            y += row.height();
        }
        let mut lanes: BTreeSet<u32> = run.steps.iter().map(|s| s.task).collect();
        lanes.extend(case.task);
        lanes.extend(rows.iter().filter_map(|row| match row {
            Row::Undone { task, .. } => Some(*task),
            _ => None,
        }));
        let lanes: Vec<u32> = lanes.into_iter().collect();
        let names = lanes.iter().map(|task| letters(&run.tasks[*task as usize].name, LETTER) + 30);
        let lane_width = names.max().unwrap_or(0).max(LANE);
        let mut drawing = Drawing { case, run, id, rows, middles, lanes, lane_width, width: 0, bottom: y };
        drawing.width = drawing.widest();
        drawing
    }

    pub(super) fn size(&self) -> (i32, i32) {
        (self.width, self.bottom + LEGEND)
    }

    pub(super) fn markup(&self) -> Markup {
        let (width, height) = self.size();
        html! {
            defs {
                (self.tip("edge-tip"))
                (self.tip("pair-tip"))
            }
            rect class="bg" x="0" y="0" width=(width) height=(height) rx="8" {}
            @for task in &self.lanes { (self.lane(*task)) }
            @for at in 1..self.run.steps.len() { (self.switch(at)) }
            (self.edges())
            (self.pair())
            @for (at, row) in self.rows.iter().enumerate() { (self.row(row, self.middles[at])) }
            (self.legend())
        }
    }

    fn tip(&self, kind: &str) -> Markup {
        html! {
            marker id={ (self.id) "-" (kind) } viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto" {
                path class=(kind) d="M0 0L8 4L0 8z" {}
            }
        }
    }

    /// The middle of a task's lane.
    fn x(&self, task: u32) -> i32 {
        let place = self.lanes.iter().position(|t| *t == task).unwrap_or(0) as i32;
        GUTTER + 28 + place * self.lane_width
    }

    /// Which of the six colours a task has.
    fn hue(&self, task: u32) -> usize {
        self.lanes.iter().position(|t| *t == task).unwrap_or(0) % 6
    }

    /// The height at which a step stands; that of its fold if it is folded.
    fn y(&self, step: usize) -> i32 {
        let holds = |row: &Row| match row {
            Row::Step(at) => *at == step,
            Row::Fold(from, to) => (*from..*to).contains(&step),
            _ => false,
        };
        self.rows.iter().position(holds).map_or(self.bottom - 22, |row| self.middles[row])
    }

    fn folded(&self, step: usize) -> bool {
        let holds = |row: &Row| matches!(row, Row::Fold(from, to) if (*from..*to).contains(&step));
        self.rows.iter().any(holds)
    }

    fn lane(&self, task: u32) -> Markup {
        let known = &self.run.tasks[task as usize];
        let x = self.x(task);
        let born = self.birth(task);
        let steps = || self.run.steps.iter().enumerate().filter(|(_, s)| s.task == task).map(|(at, _)| at);
        let goes_on = self.case.task == Some(task)
            || self.run.undone.iter().any(|u| u.task == task)
            || self.run.unreached.iter().any(|u| u.task == task);
        let end = match steps().next_back() {
            Some(last) if !goes_on => self.y(last),
            _ => self.bottom - 44,
        };
        let half = letters(&known.name, LETTER) / 2 + 10;
        // Names of the leftmost lane must not leave the picture.
        let middle = x.max(half + 6);
        let runs = steps().filter(|at| *at > 0 && self.run.steps[at - 1].task == task);
        html! {
            line class="lane" x1=(x) y1=(born) x2=(x) y2=(end) {}
            @if !goes_on { line class="stop" x1=(x - 7) y1=(end + 10) x2=(x + 7) y2=(end + 10) {} line class="lane" x1=(x) y1=(end) x2=(x) y2=(end + 10) {} }
            @for b in self.run.blocked.iter().filter(|b| b.task == task) {
                line class="wait" x1=(x) y1=(self.y(b.from as usize) - 14) x2=(x) y2=(self.y(b.to as usize - 1) + 14) {}
            }
            @for at in runs { line class={ "run t" (self.hue(task)) } x1=(x) y1=(self.y(at - 1)) x2=(x) y2=(self.y(at)) {} }
            rect class="head" x=(middle - half) y="12" width=(2 * half) height="26" rx="6" {}
            text class={ "name t" (self.hue(task)) } x=(middle) y="29" { (known.name) }
        }
    }

    /// Where a task's lane begins.
    fn birth(&self, task: u32) -> i32 {
        match self.run.tasks[task as usize].born as usize {
            0 => TOP - 16,
            // Below what the step says.
            at => self.y(at - 1) + 20,
        }
    }

    fn switch(&self, at: usize) -> Markup {
        let (before, now) = (&self.run.steps[at - 1], &self.run.steps[at]);
        if before.task == now.task || (self.folded(at - 1) && self.folded(at)) {
            return Markup::default();
        }
        let (x1, y1) = (self.x(before.task), self.y(at - 1));
        let (x2, y2) = (self.x(now.task), self.y(at));
        let middle = y2 - 15;
        let path = format!(
            "M{x1} {y1}V{}Q{x1} {middle} {} {middle}H{}Q{x2} {middle} {x2} {}V{y2}",
            middle - 8,
            x1 + 8 * (x2 - x1).signum(),
            x2 - 8 * (x2 - x1).signum(),
            middle + 8
        );
        html! { path class=(if now.preempts { "switch preempts" } else { "switch" }) d=(path) {} }
    }

    /// What woke whom, and who made whom after the start.
    fn edges(&self) -> Markup {
        let edges = self.run.edges.iter().filter(|e| match e.kind {
            EdgeKind::Wakes => true,
            EdgeKind::Spawns => false,
            EdgeKind::Order => self.tells(e.from, e.to),
        });
        let made = self.lanes.iter().filter(|task| self.run.tasks[**task as usize].born > 0);
        html! {
            @for task in made {
                @let at = self.run.tasks[*task as usize].born as usize - 1;
                @let (x1, x2, y) = (self.x(self.run.steps[at].task), self.x(*task), self.birth(*task));
                path class="edge" d={ "M" (x1) " " (y) "H" (x2 - 4 * (x2 - x1).signum()) } marker-end={ "url(#" (self.id) "-edge-tip)" } {}
            }
            @for edge in edges {
                @let [from, to] = [edge.from as usize, edge.to as usize];
                @if self.run.steps[from].task != self.run.steps[to].task && !(self.folded(from) && self.folded(to)) {
                    (self.arrow("edge", (self.x(self.run.steps[from].task), self.y(from)), (self.x(self.run.steps[to].task), self.y(to))))
                }
            }
        }
    }

    /// Of the orders of steps those matter in which the cause names a step, and of which the pair is not drawn anyway.
    fn tells(&self, from: u32, to: u32) -> bool {
        let named = |at: u32| self.run.named.contains(&at);
        (named(from) || named(to)) && !(named(from) && named(to))
    }

    /// The two that must not be in this order.
    fn pair(&self) -> Markup {
        let place = |at: u32| (self.x(self.run.steps[at as usize].task), self.y(at as usize));
        let ends = match (self.run.named[..].first(), self.run.named.last(), &self.run.unreached) {
            (_, Some(last), Some(it)) => Some((place(*last), (self.x(it.task), self.undone(it.task)))),
            (Some(first), Some(last), None) if first != last => Some((place(*first), place(*last))),
            _ => None,
        };
        html! {
            @if let Some((from, to)) = ends {
                @if from.0 != to.0 { (self.arrow("pair", from, to)) }
            }
        }
    }

    fn undone(&self, task: u32) -> i32 {
        let holds = |row: &Row| matches!(row, Row::Undone { task: t, named: true, .. } if *t == task);
        self.rows.iter().position(holds).map_or(self.bottom, |row| self.middles[row])
    }

    /// From dot to dot, short of both. What stands beside a dot is on its right, so an arrow from there comes in from
    /// above.
    fn arrow(&self, kind: &str, (x1, y1): (i32, i32), (x2, y2): (i32, i32)) -> Markup {
        let path = if x2 > x1 {
            let bend = (y2 - y1) / 2;
            format!(
                "M{} {}C{} {} {} {} {} {}",
                x1 + 6,
                y1 + 4,
                x1 + 30,
                y1 + bend,
                x2 - 44,
                y2 - bend / 3,
                x2 - 9,
                y2 - 1
            )
        } else {
            format!("M{} {}C{} {} {x2} {} {x2} {}", x1 - 6, y1 + 4, x1 - 50, y1 + 26, y2 - 36, y2 - 9)
        };
        html! { path class=(kind) d=(path) marker-end={ "url(#" (self.id) "-" (kind) "-tip)" } {} }
    }

    fn row(&self, row: &Row, y: i32) -> Markup {
        match row {
            Row::Step(at) => self.step(*at, y),
            Row::Fold(from, to) => {
                let text = format!("\u{22ee} {} folded", numbers::of((to - from) as u64, "step"));
                html! { text class="fold halo" x=(GUTTER + 8) y=(y + 4) { (text) } }
            }
            Row::Preempted(task) => html! {
                text class="small halo waiting" x=(self.x(*task) + 14) y=(y + 4) { "preempted here" }
            },
            Row::Undone { task, operation, named } => self.left(*task, *operation, *named, y),
            Row::Failure(task) => {
                let x = task.map_or(GUTTER, |task| self.x(task) - 14);
                let width = letters(&self.case.headline, LETTER * 1.03) + 28;
                let x = x.min(self.width - width - 10).max(10);
                html! {
                    rect class="banner" x=(x) y=(y - 15) width=(width) height="30" rx="6" {}
                    text class="banner-text" x=(x + 14) y=(y + 5) { (self.case.headline) }
                }
            }
        }
    }

    fn step(&self, at: usize, y: i32) -> Markup {
        let step = &self.run.steps[at];
        let operation = &self.run.operations[step.operation as usize];
        let x = self.x(step.task);
        let named = self.run.named.contains(&(at as u32)) || self.run.failing_step == Some(at as u32);
        html! {
            g class=(if named { "step named" } else { "step" }) data-step=(at) {
                text class="number" x=(GUTTER - 12) y=(y + 4) { (at + 1) }
                circle class={ "dot t" (self.hue(step.task)) } cx=(x) cy=(y) r="6" {}
                text class="op halo" x=(x + 14) y=(y - 2) { (operation.name) }
                text class="small halo" x=(x + 14) y=(y + 13) { (self.below(&step.note, operation)) }
            }
        }
    }

    fn left(&self, task: u32, operation: u32, named: bool, y: i32) -> Markup {
        let operation = &self.run.operations[operation as usize];
        let x = self.x(task);
        html! {
            g class=(if named { "step named" } else { "step" }) {
                circle class="hollow" cx=(x) cy=(y) r="6" {}
                text class="op halo" x=(x + 14) y=(y - 2) { (operation.name) }
                text class="small halo" x=(x + 14) y=(y + 13) { (self.undone_words()) " · " (self.place(operation)) }
            }
        }
    }

    fn undone_words(&self) -> &'static str {
        if ["deadlock", "leak"].contains(&self.case.kind.as_str()) { "waits for ever" } else { "not reached" }
    }

    fn legend(&self) -> Markup {
        let y = self.bottom + 10;
        let items = [
            (!self.run.blocked.is_empty()).then_some(("wait", "waits")),
            self.run.steps.iter().any(|s| s.preempts).then_some(("switch preempts", "preempted")),
            Some(("switch", "another goes on")),
            (!self.run.named.is_empty()).then_some(("pair", "what decides")),
        ];
        let mut x = GUTTER - 28;
        let mut placed = Vec::new();
        for (class, words) in items.into_iter().flatten() {
            placed.push((class, words, x));
            x += 36 + letters(words, SMALL) + 22;
        }
        html! {
            @for (class, words, x) in placed {
                line class=(class) x1=(x) y1=(y) x2=(x + 26) y2=(y) {}
                text class="small" x=(x + 34) y=(y + 4) { (words) }
            }
        }
    }

    /// What stands below an operation: what it saw or did, and where.
    fn below(&self, note: &str, operation: &Operation) -> String {
        match note {
            "" => self.place(operation),
            note => format!("\u{2192} {} · {}", short(note), self.place(operation)),
        }
    }

    fn place(&self, operation: &Operation) -> String {
        let file = &self.run.files[operation.file as usize];
        format!("{}:{}", file.rsplit('/').next().unwrap_or(file), operation.line)
    }

    fn widest(&self) -> i32 {
        let wide = |x: i32, operation: &Operation, below: &str| {
            x + 14 + letters(&operation.name, LETTER).max(letters(below, SMALL))
        };
        let operation = |number: u32| &self.run.operations[number as usize];
        let rows = self.rows.iter().map(|row| match row {
            Row::Step(at) => {
                let step = &self.run.steps[*at];
                let operation = operation(step.operation);
                wide(self.x(step.task), operation, &self.below(&step.note, operation))
            }
            Row::Undone { task, operation: number, .. } => wide(
                self.x(*task),
                operation(*number),
                &format!("waits for ever · {}", self.place(operation(*number))),
            ),
            Row::Failure(_) => letters(&self.case.headline, LETTER * 1.03) + 40,
            Row::Fold(..) | Row::Preempted(_) => 0,
        });
        let heads = self
            .lanes
            .iter()
            .map(|task| self.x(*task) + letters(&self.run.tasks[*task as usize].name, LETTER) / 2 + 12);
        rows.chain(heads).max().unwrap_or(0).max(420) + 16
    }
}

/// What fits below an operation.
fn short(words: &str) -> String {
    const MOST: usize = 48;
    match words.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}\u{2026}", &words[..at]),
        None => words.to_owned(),
    }
}

/// The width of a line of text.
fn letters(text: &str, width: f64) -> i32 {
    (text.chars().count() as f64 * width).ceil() as i32
}
