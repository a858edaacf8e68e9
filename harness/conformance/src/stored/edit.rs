//! Edits of a JSON document.

use arbitrary::Arbitrary;
use serde_json::{Value, json};

/// An edit of one value in a document.
#[derive(Clone, Debug, Arbitrary)]
pub struct Edit {
    /// Which value: its number in reading order, modulo how many there are.
    at: u16,
    what: What,
}

#[derive(Clone, Debug, Arbitrary)]
enum What {
    Null,
    Flag(bool),
    Number(i64),
    Positive(u64),
    Small(u8),
    Fraction(f64),
    Text(String),
    /// A list or a map loses this member.
    Without(u8),
    /// A list has this member twice.
    Twice(u8),
    /// Another value of the document.
    CopyOf(u16),
    /// The value in so many lists.
    Within(u8),
}

/// The document after the edits.
pub fn apply(original: &Value, edits: &[Edit]) -> Value {
    let mut document = original.clone();
    for Edit { at, what } in edits.iter().take(8) {
        let copied = match what {
            What::CopyOf(of) => nth(&mut document, *of).map(|value| value.clone()),
            _ => None,
        };
        if let Some(value) = nth(&mut document, *at) {
            change(value, what, copied);
        }
    }
    document
}

fn change(value: &mut Value, what: &What, copied: Option<Value>) {
    match what {
        What::Null => *value = Value::Null,
        What::Flag(flag) => *value = json!(flag),
        What::Number(number) => *value = json!(number),
        What::Positive(number) => *value = json!(number),
        What::Small(number) => *value = json!(number),
        What::Fraction(number) => *value = json!(number),
        What::Text(text) => *value = json!(text),
        What::CopyOf(_) => *value = copied.unwrap_or_default(),
        What::Within(depth) => (0..*depth).for_each(|_| *value = json!([value.take()])),
        What::Without(which) => match value {
            Value::Array(list) if !list.is_empty() => drop(list.remove(usize::from(*which) % list.len())),
            Value::Object(map) if !map.is_empty() => {
                let name = map.keys().nth(usize::from(*which) % map.len()).cloned();
                name.map(|name| map.remove(&name));
            }
            _ => {}
        },
        What::Twice(which) => {
            if let Value::Array(list) = value
                && !list.is_empty()
            {
                let at = usize::from(*which) % list.len();
                list.insert(at, list[at].clone());
            }
        }
    }
}

/// A value by its number in reading order.
fn nth(document: &mut Value, which: u16) -> Option<&mut Value> {
    let mut left = usize::from(which) % count(document);
    find(document, &mut left)
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

fn find<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|member| find(member, left)),
        Value::Object(map) => map.values_mut().find_map(|member| find(member, left)),
        _ => None,
    }
}
