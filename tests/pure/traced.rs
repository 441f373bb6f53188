//! `dataproduct trace`: the same mesh as a tree, as graphs and as JSON, compared with what lies beside it, and hostile words.
//!
//! `UPDATE_GOLDEN=1` writes the files anew; read the difference before you commit it.

use std::{collections::BTreeSet, fs, path::Path};

use dataproduct_operator::{
    api::DataProduct,
    cli::trace::{Graph, Known, Unseen, json, tree},
    plan::ProductName,
};
use serde_json::json;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pure/trace")
}

fn mesh() -> Vec<DataProduct> {
    let text = fs::read_to_string(folder().join("mesh.yaml")).expect("the mesh");
    serde_saphyr::from_multiple(&text).expect("products")
}

fn name(text: &str) -> ProductName {
    ProductName::parse(text, "default")
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn assert_golden(file: &str, actual: &str) {
    let path = folder().join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("a writable golden file");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{} differs; what there is now:\n{actual}", path.display());
}

#[test]
fn a_mesh_is_shown_as_it_lies_beside_it() {
    let (known, root) = (Known::of(mesh()), name("insight/customer-orders"));
    let graph = Graph::of(&known, &root, 3);
    assert_golden("tree.txt", &plain(&tree(&known, &root, 3)));
    assert_golden("upstream.txt", &plain(&tree(&known, &name("customer/clicks"), 9)));
    assert_golden("mesh.dot", &graph.dot(&known));
    assert_golden("mesh.mmd", &graph.mermaid(&known));
    let document = json(&graph, &known).expect("JSON");
    assert_golden("mesh.json", &format!("{}\n", serde_json::to_string_pretty(&document).expect("JSON")));
}

#[test]
fn a_trace_goes_no_further_than_it_is_asked_to() {
    let (known, root) = (Known::of(mesh()), name("insight/customer-orders"));
    for (depth, expected) in [(0, 0), (1, 4), (2, 5), (3, 6), (64, 7)] {
        let text = plain(&tree(&known, &root, depth));
        let graph = Graph::of(&known, &root, depth);
        let others = mesh().iter().map(ProductName::of).filter(|name| *name != root).collect::<BTreeSet<_>>();
        let others = others.into_iter().chain([name("crm/contacts")]);
        let shown = others.filter(|name| text.contains(&format!("─ {name}"))).count();
        assert_eq!(shown, expected, "{depth}: {text}");
        let document = json(&graph, &known).expect("JSON");
        assert_eq!(document["products"].as_array().map(Vec::len), Some(expected + 1), "{depth}");
        assert_eq!(text.contains("--depth"), expected < 7, "{depth}: {text}");
        assert_eq!(document["truncated"], json!(expected < 7), "{depth}");
    }
}

#[test]
fn who_may_not_see_everything_is_told_so() {
    let root = name("insight/customer-orders");
    let products =
        mesh().into_iter().filter(|product| product.metadata.namespace.as_deref() == Some("insight"));
    let mut known = Known::in_part(products);
    let unknown = known.unknown(&root, 3);
    assert_eq!(unknown, ["crm/contacts", "customer/customer-360", "orders/order-events"].map(name));
    known.hide(name("customer/customer-360"), Unseen::Forbidden);
    known.hide(name("orders/order-events"), Unseen::Unreadable);
    let text = plain(&tree(&known, &root, 3));
    assert!(text.contains("you may not read the products of namespace customer"), "{text}");
    assert!(text.contains("Unreadable  the object is not what a DataProduct should be"), "{text}");
    assert!(text.contains("the status counts 1 readers, of board"), "{text}");
    assert_eq!(json(&Graph::of(&known, &root, 3), &known).expect("JSON")["allReaders"], json!(false));
}

/// A product full of what means something to terminals, Graphviz, Mermaid, Markdown and HTML.
fn hostile() -> Vec<DataProduct> {
    let words =
        "a\"];b\\\"c\\\n`d`<img src=x onerror=alert(1)>#35;e&quot;{f}|g --> h\u{1b}[2J\u{202e}%%{init}%%end";
    let product = json!({
        "apiVersion": "datamesh.io/v1", "kind": "DataProduct",
        "metadata": {"name": words, "namespace": words, "generation": 1},
        "spec": {"domain": words, "version": words, "lineage": {"upstreamProducts": ["\";x", "\"]\nsubgraph"]}},
        "status": {
            "observedGeneration": 1,
            "conditions": [{"type": words, "status": words, "reason": words, "message": words,
                            "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "resources": [{"kind": words, "name": words, "id": words, "state": "InSync"}],
            "access": {"grants": [{"principal": words, "role": words, "permissions": [words], "from": words}]},
        },
    });
    vec![serde_json::from_value(product).expect("a product")]
}

#[test]
fn hostile_words_are_words_everywhere() {
    let products = hostile();
    let root = ProductName::of(&products[0]);
    let known = Known::of(products);
    let text = plain(&tree(&known, &root, 3));
    assert!(text.chars().all(|it| it == '\n' || !it.is_control() && it != '\u{202e}'), "{text:?}");
    let styled = tree(&known, &root, 3);
    assert!(!styled.contains("\u{1b}[2J"), "{styled:?}");

    let graph = Graph::of(&known, &root, 3);
    let mermaid = graph.mermaid(&known);
    let nodes = mermaid.lines().filter(|line| line.contains("[\"")).collect::<Vec<_>>();
    assert_eq!(nodes.len(), 4, "{mermaid}");
    for line in nodes {
        let label = line.split_once("[\"").and_then(|(_, rest)| rest.split_once("\"]")).expect("a label").0;
        let label = label.replace("<br/>", "");
        let is_harmless = |it: char| it.is_alphanumeric() || " /.,-:#;".contains(it);
        assert!(!label.contains("#8238;"), "{label}");
        assert!(label.chars().all(is_harmless), "{label}");
        let entities = label.split('#').skip(1);
        assert!(
            entities.filter_map(|it| it.split_once(';')).all(|(it, _)| it.parse::<u32>().is_ok()),
            "{label}"
        );
    }
    assert_dot(&graph.dot(&known), 4);
}

#[test]
fn what_is_drawn_is_a_graph_in_the_language_of_graphviz() {
    let known = Known::of(mesh());
    // Seven products that there are, one that there is not, and four resources.
    assert_dot(&Graph::of(&known, &name("insight/customer-orders"), 64).dot(&known), 8 + 4);
}

/// Reads a graph as Graphviz does and counts its nodes.
fn assert_dot(text: &str, nodes: usize) {
    let mut parser = layout::gv::DotParser::new(text);
    let graph = parser.process().unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let mut builder = layout::gv::GraphBuilder::new();
    builder.visit_graph(&graph);
    let drawn = builder.get();
    assert_eq!(drawn.num_nodes(), nodes, "{text}");
}
