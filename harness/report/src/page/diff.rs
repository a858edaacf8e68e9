//! What the fix changes.

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

/// The lines that stay around a change.
const CONTEXT: usize = 3;

/// Two files as a patch.
pub(super) fn patch(old: (&str, &str), new: (&str, &str)) -> Markup {
    let diff = TextDiff::from_lines(old.1, new.1);
    let groups = diff.grouped_ops(CONTEXT);
    let caption = format!("What changes from {} to {}", old.0, new.0);
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table.patch {
                caption.hidden { (caption) }
                thead.hidden { tr { th scope="col" { "old line" } th scope="col" { "new line" } th scope="col" { "change" } th scope="col" { "text" } } }
                @for (at, group) in groups.iter().enumerate() {
                    tbody class=[(at > 0).then_some("apart")] {
                        @for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                            @let (class, sign, said) = match change.tag() {
                                ChangeTag::Equal => ("same", " ", "same"),
                                ChangeTag::Delete => ("gone", "\u{2212}", "removed"),
                                ChangeTag::Insert => ("new", "+", "added"),
                            };
                            tr class=(class) {
                                td.line { @if let Some(line) = change.old_index() { (line + 1) } }
                                td.line { @if let Some(line) = change.new_index() { (line + 1) } }
                                td.sign { span aria-hidden="true" { (sign) } span.hidden { (said) } }
                                td.text { code { (change.value().trim_end_matches('\n')) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
