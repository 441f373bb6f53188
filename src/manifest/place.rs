//! From a path such as `spec.schema.fields[email].pii` to the place in the text that it means, or that is nearest to it.

use std::ops::Range;

use super::node::{Entry, Node, Value};

/// A part of a path.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    /// The key of a mapping.
    Key(&'a str),
    /// An item of a list by its name or its index, or a key that has dots.
    Item(&'a str),
}

/// The bytes that a path means. Where the end of the path does not exist, that is what exists of its beginning: who is told
/// that something is missing looks where it belongs. `None` where not even the beginning exists.
pub fn place(root: &Node, path: &str) -> Option<Range<usize>> {
    let mut found = None;
    let mut node = root;
    for part in parts(path) {
        let next = match part {
            Part::Key(key) => node.entry(key).map(|entry| (entry_place(entry), &entry.value)),
            Part::Item(name) => item(node, name)
                .map(|item| (item_place(item), item))
                .or_else(|| node.entry(name).map(|entry| (entry_place(entry), &entry.value))),
        };
        let Some((at, value)) = next else { break };
        found = Some(at);
        node = value;
    }
    found
}

/// Where an entry is shown: at a value on its own, else at its key, because a whole mapping would be too much.
pub(super) fn entry_place(entry: &Entry) -> Range<usize> {
    if entry.value.is_scalar() { entry.value.span.clone() } else { entry.key_span.clone() }
}

/// Where an item is shown: a mapping at what names it, else at its first key.
pub(super) fn item_place(item: &Node) -> Range<usize> {
    match (named(item), item.entries().first()) {
        (Some(name), _) => name.span.clone(),
        (None, Some(first)) => first.key_span.clone(),
        (None, None) => item.span.clone(),
    }
}

/// What names an item of a list.
fn named(item: &Node) -> Option<&Node> {
    NAMES.iter().find_map(|key| item.get(key))
}

/// The keys that name an item, as the definitions have them.
const NAMES: [&str; 3] = ["name", "id", "type"];

/// The item of a list that has a name, or an index where none is called so.
fn item<'a>(list: &'a Node, name: &str) -> Option<&'a Node> {
    let Value::List(items) = &list.value else { return None };
    let is_called = |item: &&Node| item.text().or_else(|| named(item).and_then(Node::text)) == Some(name);
    // A product is named with its namespace, and written without it where that is its own.
    let is_local = |item: &&Node| {
        let local = item.text().and_then(|text| name.strip_suffix(text));
        local.is_some_and(|namespace| namespace.ends_with('/'))
    };
    let by_index = || name.parse::<usize>().ok().and_then(|index| items.get(index));
    items.iter().find(is_called).or_else(by_index).or_else(|| items.iter().find(is_local))
}

/// The parts of a path. A bracket ends at the first `]` that is followed by another part or by nothing.
fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let ends = inner.match_indices(']').map(|(at, _)| at);
            let end = ends.into_iter().find(|at| {
                inner.get(at + 1..).is_some_and(|after| after.is_empty() || after.starts_with(['.', '[']))
            });
            let (item, after) = match end.and_then(|end| Some((inner.get(..end)?, inner.get(end + 1..)?))) {
                Some(split) => split,
                None => (inner, ""),
            };
            parts.push(Part::Item(item));
            rest = after;
        } else {
            let rest_of = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest_of.find(['.', '[']).unwrap_or(rest_of.len());
            let (key, after) = rest_of.split_at_checked(end).unwrap_or((rest_of, ""));
            if !key.is_empty() {
                parts.push(Part::Key(key));
            }
            rest = after;
            // Two dots in a row name nothing.
            if key.is_empty() && rest.starts_with('.') {
                rest = rest.trim_start_matches('.');
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Source, read::read};

    const TEXT: &str = "metadata:
  annotations: {datamesh.io/x: y}
spec:
  schema:
    fields:
    - name: 'a]b'
      type: string
    - {type: int, name: email}
    - type: only
  lineage:
    upstreamProducts: [orders, sales/orders]
  quality:
    tests: [{type: range, column: a}, {type: unique}]
  empty:
";

    #[test]
    fn a_path_leads_to_what_it_names_or_to_the_nearest_that_exists() {
        let (source, _) = Source::new("a", TEXT.as_bytes().to_vec());
        let root = &read(&source).roots[0].node;
        let cases = [
            ("spec.schema.fields[email].pii", "8 email"),
            ("spec.schema.fields[email].type", "8 int"),
            ("spec.schema.fields[a]b].type", "7 string"),
            ("spec.schema.fields[1].name", "8 email"),
            ("spec.schema.fields[only]", "9 only"),
            ("spec.schema.fields[gone].pii", "5 fields"),
            ("spec.schema.type", "4 schema"),
            ("spec.schema", "4 schema"),
            ("spec.lineage.upstreamProducts[orders]", "11 orders"),
            ("spec.lineage.upstreamProducts[sales/orders]", "11 sales/orders"),
            ("spec.lineage.upstreamProducts[other/orders]", "11 orders"),
            ("spec.quality.tests[1]", "13 unique"),
            ("spec.quality.tests[0].column", "13 a"),
            ("spec.empty.more", "14 empty"),
            ("metadata.annotations[datamesh.io/x]", "2 y"),
            ("metadata.name", "1 metadata"),
            ("spec..schema", "4 schema"),
            ("spec.schema.fields[", "5 fields"),
        ];
        for (path, expected) in cases {
            let range = place(root, path).unwrap_or_else(|| panic!("{path} has no place"));
            let told = format!("{} {}", source.position(range.start).line, &source.text()[range]);
            assert_eq!(told.replace('\'', ""), expected, "{path}");
        }
        assert_eq!(place(root, "status.resources[a]"), None);
        assert_eq!(place(root, ""), None);
    }
}
