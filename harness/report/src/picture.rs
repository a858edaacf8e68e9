//! A failing run as a space-time diagram: a lane a task, time downwards (Lamport, CACM 1978; Mattern 1989).

mod draw;
mod rows;

use crate::json::{FailingCase, Run};
use maud::{Markup, PreEscaped, html};

/// The rules by which a picture looks, in a file of its own and in a page.
pub(crate) const CSS: &str = include_str!("../assets/picture.css");

/// The picture of a case's failing run, as a file.
pub fn file(case: &FailingCase) -> String {
    let Some(run) = case.runs.first() else { return String::new() };
    svg(case, run, "p", true).into_string() + "\n"
}

/// The same, to stand in a page. `id` tells the pictures of a page apart.
pub(crate) fn inline(case: &FailingCase, id: &str) -> Markup {
    case.runs.first().map(|run| svg(case, run, id, false)).unwrap_or_default()
}

/// What the picture shows, for those who do not see it.
pub fn title(case: &FailingCase) -> String {
    format!("{} on workload {}: {}", case.variant, case.workload, case.headline)
}

fn svg(case: &FailingCase, run: &Run, id: &str, alone: bool) -> Markup {
    let drawing = draw::Drawing::of(case, run, id);
    let (width, height) = drawing.size();
    let box_ = format!("0 0 {width} {height}");
    let cause: String = case.cause.iter().map(|w| w.text.as_str()).collect();
    let xmlns = alone.then_some("http://www.w3.org/2000/svg");
    html! {
        svg class="pic" xmlns=[xmlns] viewBox=(box_) width=(width) height=(height) role="img" aria-labelledby={ (id) "-title " (id) "-desc" } {
            title id={ (id) "-title" } { "A failing schedule of " (title(case)) }
            desc id={ (id) "-desc" } { (cause) }
            @if alone { style { (PreEscaped(CSS)) } }
            (drawing.markup())
        }
    }
}
