//! The same as a graph: its parts, and its texts in the languages of Graphviz (dot) and Mermaid. Arrows go the way of the data.

use std::{collections::BTreeSet, fmt::Write};

use super::{
    known::{Known, Seen, Way},
    state,
};
use crate::{
    cli::{acts, look::Tone},
    plan::ProductName,
};

/// A part of the mesh around a product.
#[derive(Debug)]
pub struct Graph {
    /// The product that was asked for.
    pub(super) root: ProductName,
    /// Every product in it.
    pub(super) products: BTreeSet<ProductName>,
    /// Who is read, and by whom.
    pub(super) edges: BTreeSet<(ProductName, ProductName)>,
    /// Whether there are more products.
    pub(super) more: bool,
}

impl Graph {
    /// The products at most so many steps up or down from one.
    pub fn of(known: &Known, root: &ProductName, depth: usize) -> Self {
        let (up, more_up) = known.reach(root, Way::Up, depth);
        let (down, more_down) = known.reach(root, Way::Down, depth);
        let products = up.union(&down).cloned().collect::<BTreeSet<_>>();
        let mut edges = BTreeSet::new();
        for reader in &products {
            let upstreams = known.next(reader, Way::Up).into_iter().filter(|name| products.contains(name));
            edges.extend(upstreams.map(|upstream| (upstream, reader.clone())));
        }
        Self { root: root.clone(), products, edges, more: more_up || more_down }
    }

    /// In the language of Graphviz.
    pub fn dot(&self, known: &Known) -> String {
        let mut text = format!("digraph {} {{\n", dot_quoted(&self.root.to_string()));
        text.push_str(
            "  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n",
        );
        for name in &self.products {
            let [title, state] = labels(known, name);
            // A line break in a label is the two characters \n, which come after everything else is escaped.
            let label = format!("\"{}\\n{}\"", dot_escaped(&title), dot_escaped(&state));
            let (fill, border) = colours(known, name);
            let width = if *name == self.root { 3 } else { 1 };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "  {} [label={label}, fillcolor=\"{fill}\", color=\"{border}\", penwidth={width}];",
                dot_quoted(&name.to_string())
            );
        }
        if let Seen::Product(product) = known.look(&self.root) {
            for resource in product.status.iter().flat_map(|status| &status.resources) {
                let id = dot_quoted(&format!("{}: {} {}", self.root, resource.kind, resource.name));
                let [kind, name] = [&resource.kind, &resource.name].map(|text| dot_escaped(text));
                let _ = writeln!(
                    text,
                    "  {id} [label=\"{kind}\\n{name}\\n{:?}\", shape=note, style=solid];\n  {} -> {id} [style=dashed, arrowhead=none];",
                    resource.state,
                    dot_quoted(&self.root.to_string())
                );
            }
        }
        for (upstream, reader) in &self.edges {
            let _ = writeln!(
                text,
                "  {} -> {};",
                dot_quoted(&upstream.to_string()),
                dot_quoted(&reader.to_string())
            );
        }
        text.push_str("}\n");
        text
    }

    /// In the language of Mermaid, which is drawn in Markdown at many places.
    pub fn mermaid(&self, known: &Known) -> String {
        let id =
            |name: &ProductName| self.products.iter().position(|it| it == name).map(|it| format!("p{it}"));
        let mut text = "flowchart LR\n".to_owned();
        for name in &self.products {
            let Some(id) = id(name) else { continue };
            let [title, state] = labels(known, name).map(|label| mermaid_escaped(&label));
            let (fill, border) = colours(known, name);
            let width = if *name == self.root { 3 } else { 1 };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "  {id}[\"{title}<br/>{state}\"]\n  style {id} fill:{fill},stroke:{border},color:#000000,stroke-width:{width}px"
            );
        }
        if let (Seen::Product(product), Some(root)) = (known.look(&self.root), id(&self.root)) {
            let resources = product.status.iter().flat_map(|status| &status.resources);
            for (index, resource) in resources.enumerate() {
                let [kind, name] = [&resource.kind, &resource.name].map(|text| mermaid_escaped(text));
                let _ =
                    writeln!(text, "  {root} -.- r{index}([\"{kind}<br/>{name}<br/>{:?}\"])", resource.state);
            }
        }
        for (upstream, reader) in &self.edges {
            if let (Some(upstream), Some(reader)) = (id(upstream), id(reader)) {
                let _ = writeln!(text, "  {upstream} --> {reader}");
            }
        }
        text
    }
}

/// What a product is called, and how it is.
fn labels(known: &Known, name: &ProductName) -> [String; 2] {
    let seen = known.look(name);
    let state = state::of(name, seen);
    let title = match seen {
        Seen::Product(product) => format!("{name} {}", product.spec.version),
        Seen::Missing | Seen::Unseen(_) => name.to_string(),
    };
    let detail = state.detail();
    [title, if detail.is_empty() { state.word.to_owned() } else { format!("{}: {detail}", state.word) }]
}

/// The colours of a box and its border.
fn colours(known: &Known, name: &ProductName) -> (&'static str, &'static str) {
    match state::of(name, known.look(name)).tone {
        Tone::Good => ("#e6f4ea", "#137333"),
        Tone::Bad => ("#fce8e6", "#c5221f"),
        _ => ("#fef7e0", "#b06000"),
    }
}

/// A text between quotes, which in this language end at a quote alone.
fn dot_quoted(text: &str) -> String {
    format!("\"{}\"", dot_escaped(text))
}

/// A text of one line, without what acts on whoever shows it.
fn harmless(text: &str) -> String {
    text.chars().map(|it| if acts(it) { ' ' } else { it }).collect()
}

fn dot_escaped(text: &str) -> String {
    harmless(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// A text in which everything but letters, digits and a few signs is an entity, so that nothing of it is syntax, HTML or
/// Markdown.
fn mermaid_escaped(text: &str) -> String {
    let is_harmless = |it: char| it.is_alphanumeric() || matches!(it, ' ' | '/' | '.' | ',' | '-' | ':');
    harmless(text)
        .chars()
        .map(|it| if is_harmless(it) { it.to_string() } else { format!("#{};", u32::from(it)) })
        .collect()
}
