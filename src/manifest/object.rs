//! The objects of a text that are ours: lists are unfolded, others are counted, and what is almost ours is a fault.

use std::ops::Range;

use super::{Definitions, Fault, Node, SCHEMA, Source, place::entry_place, read::read};
use crate::api::GROUP;

/// An object of one of our kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its value.
    pub node: Node,
    /// Its kind.
    pub kind: String,
    /// Its name; empty where it has none.
    pub name: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// The template that it was rendered from, where the text says so, as helm does.
    pub rendered_from: Option<String>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// What a text holds.
#[derive(Debug, Default)]
pub struct Reading {
    /// The objects of our kinds, in the order of the text.
    pub objects: Vec<Object>,
    /// Namespaces, with their labels in them: they decide to which domain a product belongs.
    pub namespaces: Vec<Node>,
    /// Number of the other documents.
    pub others: usize,
    /// What is wrong with the text as a whole.
    pub faults: Vec<Fault>,
}

/// Kinds whose items are objects of their own.
const LIST: &str = "List";
/// Before the name of a template in the output of helm.
const RENDERED_FROM: &str = "# Source: ";

/// Reads the objects of a text.
pub fn objects(source: &Source, definitions: &Definitions) -> Reading {
    let read = read(source);
    let mut reading = Reading { faults: read.faults, ..Reading::default() };
    for root in read.roots {
        let rendered_from = rendered_from(source.text().get(root.before).unwrap_or_default());
        reading.take(root.node, rendered_from, definitions, true);
    }
    reading
}

impl Reading {
    fn take(&mut self, node: Node, rendered_from: Option<String>, definitions: &Definitions, unfold: bool) {
        let word = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
        let (api_version, kind) = (word("apiVersion"), word("kind"));
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let is_list = kind.ends_with(LIST) && (api_version == "v1" || group == GROUP);
        if is_list
            && unfold
            && let Some(items) = node.get("items")
        {
            for item in items.items() {
                self.take(item.clone(), rendered_from.clone(), definitions, false);
            }
            return;
        }
        if api_version == "v1" && kind == "Namespace" {
            self.namespaces.push(node);
            self.others += 1;
            return;
        }
        match foreign(&node, &group, &kind, definitions) {
            Some(Foreign::Other) => self.others += 1,
            Some(Foreign::Almost(fault)) => self.faults.push(fault),
            None => {
                let text = |path: &[&str]| node.at(path).and_then(Node::text).map(str::to_owned);
                let (name, namespace) = (text(&["metadata", "name"]), text(&["metadata", "namespace"]));
                let faults = definitions.faults(&node, &api_version, &kind);
                let name = name.unwrap_or_default();
                self.objects.push(Object { node, kind, name, namespace, rendered_from, faults });
            }
        }
    }
}

/// Why a document is no object of ours.
enum Foreign {
    /// It belongs to others.
    Other,
    /// It was meant to be ours.
    Almost(Fault),
}

fn foreign(node: &Node, group: &str, kind: &str, definitions: &Definitions) -> Option<Foreign> {
    let is_ours = definitions.has(kind);
    if group == GROUP && is_ours {
        return None;
    }
    let place = |key: &str| node.entry(key).map(entry_place);
    let first = || node.entries().first().map(|entry| entry.key_span.clone()).unwrap_or(first_line(node));
    let fault = |key: &str, message: String, remediation: String| {
        let place = place(key).unwrap_or_else(first);
        Some(Foreign::Almost(Fault::new(SCHEMA, place, message, remediation).at(key)))
    };
    if group == GROUP {
        let kinds = definitions.kinds().collect::<Vec<_>>();
        let message = match kind {
            "" => "there is no kind".to_owned(),
            kind => format!("{GROUP} has no kind {kind}"),
        };
        return fault("kind", message, super::schema::one_of("kind", kind, &kinds));
    }
    if !is_ours {
        return Some(Foreign::Other);
    }
    let version = definitions.version(kind).unwrap_or_default();
    match group {
        "" if node.get("apiVersion").is_none() => {
            fault("apiVersion", "there is no apiVersion".to_owned(), format!("Write apiVersion: {version}"))
        }
        // A slip of the pen must not make a product slip through; a kind of that name in another group is of others.
        group if group.is_empty() || strsim::osa_distance(group, GROUP) <= 2 => fault(
            "apiVersion",
            format!("the group of {kind} is {GROUP}, not {group:?}"),
            format!("Write apiVersion: {version}"),
        ),
        _ => Some(Foreign::Other),
    }
}

fn first_line(node: &Node) -> Range<usize> {
    node.span.start..node.span.start
}

/// The template that the last comment before a document names.
fn rendered_from(before: &str) -> Option<String> {
    let mut names = before.lines().filter_map(|line| line.strip_prefix(RENDERED_FROM));
    names.next_back().map(|name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Reading {
        let (source, _) = Source::new("a.yaml", text.as_bytes().to_vec());
        objects(&source, &Definitions::new().expect("the definitions"))
    }

    fn minimal(name: &str) -> String {
        format!(
            "apiVersion: datamesh.io/v1\nkind: DataProduct\nmetadata: {{name: {name}}}\nspec: {{domain: a, version: 1.0.0}}\n"
        )
    }

    #[test]
    fn lists_are_unfolded_and_others_are_counted() {
        let indented = minimal("b").replace('\n', "\n  ");
        let text = format!(
            "---\n# Source: chart/templates/a.yaml\n{}---\napiVersion: apps/v1\nkind: Deployment\n---\njust: a file\n---\n# Source: b.yaml\napiVersion: v1\nkind: List\nitems:\n- {indented}\n- {{apiVersion: v1, kind: Namespace, metadata: {{name: n}}}}\n",
            minimal("a"),
        );
        let reading = reading(&text);
        assert_eq!(reading.faults, vec![]);
        let told = reading.objects.iter().map(|object| {
            (object.name.as_str(), object.rendered_from.as_deref().unwrap_or_default(), object.faults.len())
        });
        assert_eq!(told.collect::<Vec<_>>(), [("a", "chart/templates/a.yaml", 0), ("b", "b.yaml", 0)]);
        assert_eq!((reading.others, reading.namespaces.len()), (3, 1));
    }

    #[test]
    fn what_is_almost_ours_does_not_slip_through() {
        let product = minimal("a");
        let cases = [
            (product.replace("DataProduct", "DataProdukt"), "has no kind DataProdukt", "DataProduct"),
            (product.replace("kind: DataProduct\n", ""), "there is no kind", "DataProduct"),
            (product.replace("apiVersion: datamesh.io/v1\n", ""), "there is no apiVersion", "datamesh.io/v1"),
            (product.replace("datamesh.io/v1", "datamesh.oi/v1"), "not \"datamesh.oi\"", "datamesh.io/v1"),
            (product.replace("datamesh.io/v1", "v1"), "not \"\"", "datamesh.io/v1"),
        ];
        for (text, message, remediation) in cases {
            let reading = reading(&text);
            assert_eq!((reading.objects.len(), reading.others), (0, 0), "{text}");
            let fault = &reading.faults[0];
            assert!(fault.message.contains(message) && fault.remediation.contains(remediation), "{fault:?}");
        }
        let other = reading(&product.replace("datamesh.io/v1", "example.com/v1"));
        assert_eq!((other.objects.len(), other.others, other.faults.len()), (0, 1, 0), "a kind of others");
    }
}
