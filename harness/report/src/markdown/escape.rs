//! What keeps text from being taken for markup.

/// Where text stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the start of a block, where a number or a dash would begin a list.
    Start,
    /// Inside a line.
    Inside,
    /// In a cell of a table, where a bar would end it.
    Cell,
}

/// Words, to be read as they are.
pub(super) fn plain(words: &str, place: Place) -> String {
    let mut out = String::new();
    let mut previous = None;
    let mut rest = words.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let inside_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' | '&' | '$' => true,
            '|' => place == Place::Cell,
            '_' => !(inside_word(previous) && inside_word(next)),
            '#' | '>' | '+' | '-' | '=' => place == Place::Start && previous.is_none(),
            '.' | ')' => place == Place::Start && out.chars().all(|c| c.is_ascii_digit()),
            _ => false,
        };
        if markup {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
        previous = Some(c);
    }
    out
}

/// Something out of a program, shown in its own type.
pub(super) fn code(code: &str, place: Place) -> String {
    let code: String = code.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if code.trim().is_empty() {
        return String::new();
    }
    // Forges disagree on a bar between backticks in a table; none misreads the element.
    if place == Place::Cell && code.contains('|') {
        return format!("<code>{}</code>", entities(&code));
    }
    let ticks = "`".repeat(longest_run(&code, '`') + 1);
    let pad = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{code}{pad}{ticks}")
}

/// An address between the parentheses of a link.
pub(super) fn url(url: &str) -> String {
    let encode = |c: char| match c {
        '(' | ')' | '<' | '>' | '|' | '\\' | '`' | ' ' => format!("%{:02X}", c as u32),
        c if c.is_control() => String::new(),
        c => c.to_string(),
    };
    url.chars().map(encode).collect()
}

/// The length of the longest run of `c`.
pub(super) fn longest_run(text: &str, c: char) -> usize {
    text.split(|other| other != c).map(|run| run.chars().count()).max().unwrap_or(0)
}

fn entities(text: &str) -> String {
    let encode = |c: char| match c {
        '|' | '&' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '$' => format!("&#{};", c as u32),
        c => c.to_string(),
    };
    text.chars().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_markup() {
        let check = |words: &str, place, expected: &str| assert_eq!(plain(words, place), expected);
        check("a|b", Place::Cell, r"a\|b");
        check("a|b", Place::Inside, "a|b");
        check(r"a\|b", Place::Cell, r"a\\\|b");
        check("map_read _x_ *y* `z`", Place::Inside, r"map_read \_x\_ \*y\* \`z\`");
        check("<b> & [x](y) ~~z~~ $1$", Place::Inside, r"\<b> \& \[x\](y) \~\~z\~\~ \$1\$");
        check("1. one", Place::Start, r"1\. one");
        check("v1. one", Place::Start, "v1. one");
        check("- a - b", Place::Start, r"\- a - b");
        check("- a", Place::Inside, "- a");
        check("# a", Place::Start, r"\# a");
        check("two\nlines", Place::Cell, "two lines");
    }

    #[test]
    fn code_holds_anything() {
        let check = |text: &str, place, expected: &str| assert_eq!(code(text, place), expected);
        check("m.load", Place::Cell, "`m.load`");
        check("a`b", Place::Cell, "``a`b``");
        check("`a``", Place::Inside, "``` `a`` ```");
        check("a|b", Place::Inside, "`a|b`");
        check("a|b_`<", Place::Cell, "<code>a&#124;b&#95;&#96;&#60;</code>");
        check("a\nb", Place::Inside, "`a b`");
        check("", Place::Inside, "");
    }

    #[test]
    fn addresses_stay_inside_their_parentheses() {
        assert_eq!(url("https://x.org/a_(b)?c=|d"), "https://x.org/a_%28b%29?c=%7Cd");
    }
}
