use serde_json::json;

use super::*;
use crate::manifest::limits::MAX_BYTES;

fn source(text: &str) -> Source {
    let (source, fault) = Source::new("a.yaml", text.as_bytes().to_vec());
    assert_eq!(fault, None);
    source
}

/// The documents of a text and its faults as `line:column message`.
fn all(text: &str) -> (Vec<serde_json::Value>, Vec<String>) {
    let source = source(text);
    let read = read(&source);
    let told = read.faults.iter().map(|fault| {
        let at = source.position(fault.place.start);
        format!("{}:{} {}", at.line, at.column, fault.message)
    });
    (read.roots.iter().map(|root| root.node.to_json()).collect(), told.collect())
}

#[test]
fn documents_are_read_and_empty_ones_are_none() {
    let text =
        "# a comment\n---\n---\na: [1, yes, 'yes']\n...\n---\n# nothing\n---\nb: |\n  two\n  lines\n---\n";
    let (documents, faults) = all(text);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(documents, [json!({"a": [1, true, "yes"]}), json!({"b": "two\nlines\n"})]);
    assert_eq!(all("").0, Vec::<serde_json::Value>::new());
    assert_eq!(all("\t\n# only this\n").0, Vec::<serde_json::Value>::new());
}

#[test]
fn json_is_yaml_with_tabs_too() {
    let (documents, faults) = all("{\n\t\"a\": {\n\t\t\"b\": [1, null]\n\t}\n}\n");
    assert_eq!((documents, faults), (vec![json!({"a": {"b": [1, null]}})], vec![]));
}

#[test]
fn aliases_and_merges_are_unfolded() {
    let (documents, faults) =
        all("a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\nf: {<<: [{g: 1}, {g: 2, h: 3}]}\n");
    assert_eq!(faults, Vec::<String>::new());
    let expected =
        json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}, "e": {"c": 3, "b": 1}, "f": {"g": 1, "h": 3}});
    assert_eq!(documents, [expected]);
}

#[test]
fn every_value_stands_where_it_was_written() {
    let source = source("a:\n  grün: [x, \"y\"]\n  leer:\n  b: >\n    text\nc: &n 5\nd: *n\n");
    let read = read(&source);
    let root = &read.roots[0].node;
    let slice = |node: &Node| source.text()[node.span.clone()].to_owned();
    let list = root.at(&["a", "grün"]).expect("the list");
    assert_eq!((slice(list), slice(&list.items()[1])), ("[x, \"y\"]".to_owned(), "\"y\"".to_owned()));
    assert_eq!(slice(root.at(&["a", "leer"]).expect("nothing")), "leer", "nothing stands at its key");
    assert_eq!(slice(root.get("d").expect("the alias")), "*n");
    assert_eq!(slice(root.get("c").expect("the anchor")), "5");
    assert!(slice(root.get("a").expect("a mapping")).ends_with("text"));
}

#[test]
fn what_is_wrong_has_a_line_and_the_other_documents_are_read() {
    let cases = [
        ("a key twice", "a: 1\nb: 2\na: 3\n", "3:1 the key a occurs twice; it stands in line 1 already", 1),
        ("a tab", "a:\n\tb: 1\n---\nc: 1\n", "2:1 a tab stands", 1),
        ("an open bracket", "a: [1\n---\nc: 1\n", "", 1),
        ("no colon", "a: 1\nb\nc: 1\n---\nd: 1\n", "", 1),
        ("a list as key", "? [a]\n: 1\n---\nd: 1\n", "1:3 a list or a mapping is used as a key", 1),
        ("nothing as key", "~: 1\n", "1:1 this key is no text", 0),
        ("infinity", "a: .inf\n", "1:4 .inf is a number that JSON cannot have", 0),
        ("an unknown alias", "a: *b\n---\nd: 1\n", "1:", 1),
        ("an alias of itself", "a: &x [*x]\n---\nd: 1\n", "1:8 the alias repeats", 1),
        ("a template", "a: {{ .Values.a }}\n---\nd: 1\n", "1:", 1),
    ];
    for (case, text, expected, documents) in cases {
        let (read, faults) = all(text);
        assert_eq!(faults.len(), 1, "{case}: {faults:?}");
        assert!(faults[0].starts_with(expected), "{case}: {faults:?}");
        assert_eq!(read.len(), documents, "{case}");
    }
}

#[test]
fn remedies_name_tabs_and_templates() {
    let remedy = |text: &str| read(&source(text)).faults[0].remediation.clone();
    assert!(remedy("a:\n\tb: 1\n").contains("spaces"));
    assert!(remedy("a: {{ .Values.a }}\n").contains("helm template"));
}

#[test]
fn what_costs_too_much_is_refused_with_a_line() {
    let bomb: String = (1..9)
        .map(|level| {
            let before = level - 1;
            format!("l{level}: &l{level} [{}]\n", vec![format!("*l{before}"); 10].join(", "))
        })
        .collect();
    let merges =
        (1..40).map(|n| format!("m{n}: &m{n} {{<<: [*m{0}, *m{0}], k{n}: 1}}\n", n - 1)).collect::<String>();
    let cases = [
        ("an alias bomb", format!("l0: &l0 [a, b]\n{bomb}"), "values, counting those that aliases repeat"),
        (
            "a bomb of merges",
            format!("m0: &m0 {{a: 1}}\n{merges}"),
            "values, counting those that aliases repeat",
        ),
        ("deep lists", "[".repeat(10_000), "deeper than 64 levels"),
        (
            "deep blocks",
            (0..10_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
            "deeper than 64 levels",
        ),
        ("deep dashes", "- ".repeat(10_000), "deeper than 64 levels"),
        (
            "deep aliases",
            (1..70).fold("a0: &a0 [1]\n".to_owned(), |text, n| format!("{text}a{n}: &a{n} [*a{}]\n", n - 1)),
            "deeper than 64 levels",
        ),
        ("many documents", "a: 1\n---\n".repeat(1_001), "more than 1000 documents"),
        ("many values", format!("[{}]", "1,".repeat(MAX_NODES + 1)), "more than 400000 values"),
        (
            "many aliases",
            format!("a: &a 1\nb: [{}]", "*a,".repeat(MAX_ALIASES + 1)),
            "more than 1000 aliases",
        ),
        (
            "many anchors",
            (0..3_000).fold("a: [".to_owned(), |text, n| format!("{text}&a{n} [")),
            "deeper than 64 levels",
        ),
    ];
    for (case, text, expected) in cases {
        assert!(text.len() < MAX_BYTES || case == "deep blocks", "{case}");
        let (source, _) = Source::new("a", text.into_bytes().into_iter().take(MAX_BYTES).collect());
        let read = read(&source);
        let told = read.faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>();
        assert!(told.iter().any(|message| message.contains(expected)), "{case}: {told:?}");
        assert!(read.roots.len() <= MAX_DOCUMENTS, "{case}");
    }
}
