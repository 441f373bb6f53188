//! Mappings that are merged into another one.

use std::collections::HashSet;

use super::{Entry, Node, Value};

/// The key that merges another mapping.
pub(super) const MERGE: &str = "<<";

/// Adds the entries of merged mappings: what the mapping says itself comes first, then what was merged first.
pub(super) fn merge(entries: &mut Vec<Entry>, merged: Vec<Node>) {
    if merged.is_empty() {
        return;
    }
    let mut known = entries.iter().map(|entry| entry.key.clone()).collect::<HashSet<_>>();
    let sources = merged.into_iter().flat_map(|node| match node.value {
        Value::List(items) => items,
        value => vec![Node { value, ..node }],
    });
    for source in sources {
        let Value::Map(more) = source.value else { continue };
        entries.extend(more.into_iter().filter(|entry| known.insert(entry.key.clone())));
    }
}
