//! What a query of Prometheus names. Its grammar is Prometheus' own affair, which `promtool` checks; this reads names and labels
//! alone, because the parsers for Rust bring a parser generator with them.

use std::collections::BTreeSet;

use regex::Regex;

/// A metric in a query, with the labels and values that choose its series.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) matchers: Vec<(String, String)>,
}

/// All that a query names.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) selectors: Vec<Selector>,
    /// The labels by which series are grouped and joined.
    pub(super) grouped: BTreeSet<String>,
}

const WORDS: [&str; 7] = ["and", "or", "unless", "bool", "offset", "on", "by"];

/// Reads a query.
pub(super) fn read(text: &str) -> Query {
    let pattern = |pattern: &str| Regex::new(pattern).expect("a pattern");
    let grouping = pattern(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)");
    let matcher = pattern(r#"([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)""#);
    // Strings may hold anything, so that what stands in braces is taken out first.
    let selection = pattern(r#"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}"#);
    let mut query = Query::default();
    for found in selection.captures_iter(text) {
        let matchers = matcher.captures_iter(&found[2]).map(|it| (it[1].to_owned(), it[2].to_owned()));
        query.selectors.push(Selector { metric: found[1].to_owned(), matchers: matchers.collect() });
    }
    let rest = selection.replace_all(text, " ");
    for found in grouping.captures_iter(&rest) {
        let labels = found[2].split(',').map(str::trim).filter(|label| !label.is_empty());
        query.grouped.extend(labels.map(str::to_owned));
    }
    let rest = grouping.replace_all(&rest, " ");
    let rest = pattern(r"\[[^\]]*\]").replace_all(&rest, " ");
    let name = pattern(r"(?:^|[^a-zA-Z0-9_:$.])([a-zA-Z_:][a-zA-Z0-9_:]*)(\s*\()?");
    for found in name.captures_iter(&rest) {
        let call = found.get(2).is_some();
        // What groups stands between an aggregation and its bracket, and was taken out.
        if !call && !WORDS.contains(&&found[1]) {
            query.selectors.push(Selector { metric: found[1].to_owned(), matchers: Vec::new() });
        }
    }
    query
}

#[test]
fn names_and_labels_are_read_out_of_any_query() {
    let query = read(
        r#"sum by (a, b) (rate(one_total{x="1}",y!~"2|3"}[5m])) / on (a) group_left (c) two:three > 0.5 and 1h_x offset 5m or up"#,
    );
    let names = query.selectors.iter().map(|selector| selector.metric.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["one_total", "two:three", "up"]);
    let matchers = [("x".to_owned(), "1}".to_owned()), ("y".to_owned(), "2|3".to_owned())];
    assert_eq!(query.selectors[0].matchers, matchers);
    assert_eq!(query.grouped, ["a", "b", "c"].map(str::to_owned).into());
}
