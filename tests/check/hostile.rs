//! Files that cost more than they are worth, or that no editor shows as they are: each gets an error with a line.

use crate::run::{Said, check, check_in, folder, product, text};

/// What is said of one file, and the lines with a place.
fn said(content: &[u8]) -> (Said, String) {
    let folder = folder(&[("case.yaml", content)]);
    let said = check(&[text(&folder.path().join("case.yaml")), "-o", "wide"]);
    let places =
        said.out.lines().filter_map(|line| line.split_once("case.yaml:").map(|(_, rest)| rest.to_owned()));
    let places = places.collect::<Vec<_>>().join("\n");
    (said, places)
}

#[test]
fn what_costs_too_much_or_is_no_yaml_gets_an_error_with_a_line_and_ends_with_1() {
    let bomb = (1..10).fold("l0: &l0 [a, b]\n".to_owned(), |text, level| {
        format!("{text}l{level}: &l{level} [{}]\n", vec![format!("*l{}", level - 1); 10].join(", "))
    });
    let cases: [(&str, Vec<u8>, &str, &str); 9] = [
        ("a bomb of aliases", bomb.into_bytes(), "6:", "more than 400000 values"),
        ("10,000 levels", "[".repeat(10_000).into_bytes(), "1:", "deeper than 64 levels"),
        (
            "a key twice",
            product("a", "  description: a\n  description: b\n").into_bytes(),
            "10:3",
            "it stands in line 9 already",
        ),
        ("tabs", product("a", "  owner:\n\tteam: a\n").into_bytes(), "10:1", "a tab stands where"),
        (
            "1,001 documents",
            format!("{}---\n", product("a", "")).repeat(1_001).into_bytes(),
            "9000:1 ",
            "more than 1000 documents",
        ),
        ("50 MB", vec![b'x'; 50_000_000], "1:1", "larger than 8 MiB"),
        (
            "bytes that are no text",
            [product("a", "  description: ").into_bytes(), vec![0xFF, b'\n']].concat(),
            "9:16",
            "not UTF-8",
        ),
        (
            "UTF-16",
            [vec![0xFF, 0xFE], product("a", "").encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
            "1:1",
            "UTF-16",
        ),
        (
            "a template",
            product("{{ .Values.name }}", "").into_bytes(),
            "4:",
            "a list or a mapping is used as a key",
        ),
    ];
    for (case, content, place, message) in cases {
        let (said, places) = said(&content);
        assert_eq!(said.code, 1, "{case}: {}", said.err);
        let line = places.lines().find(|line| line.contains(message));
        assert!(
            line.is_some_and(|line| line.starts_with(place)),
            "{case}: {}",
            places.get(..500).unwrap_or(&places)
        );
    }
}

#[test]
fn columns_are_those_that_an_editor_shows() {
    let with = |more: &str| product("a", more);
    let cases = [
        ("ends of lines of Windows", with("  descripton: a\n").replace('\n', "\r\n").into_bytes(), "9:3 "),
        ("a mark at the beginning", ["\u{feff}", &with("  descripton: a\n")].concat().into_bytes(), "9:3 "),
        ("letters of several bytes", with("  owner: {team: 日本語ü, emial: x}\n").into_bytes(), "9:23 "),
        ("an alias", with("  owner: &o {team: a}\n  access: *o\n").into_bytes(), "9:14 "),
    ];
    for (case, content, place) in cases {
        let (_, places) = said(&content);
        let line = places.lines().find(|line| line.contains("unknown field"));
        assert!(line.is_some_and(|line| line.starts_with(place)), "{case}: {places}");
    }
}

#[test]
fn no_manifest_says_anything_to_a_terminal_or_to_github() {
    let evil = product(
        "a",
        "  displayName: \"\\e[31m\\n::error::pwned\"\n  \"\\e[2J\\n::set-output name=x::\": 1\n",
    );
    for form in ["human", "wide", "github", "markdown"] {
        let said = check_in(&["-", "-o", form], &[], &evil);
        assert_eq!(said.code, 1);
        assert!(!said.out.contains('\u{1b}'), "{form}: {}", said.out);
        assert!(
            !said
                .out
                .lines()
                .any(|line| line.starts_with("::set-output") || line.contains("::error::pwned\n")),
            "{form}: {}",
            said.out
        );
    }
}

#[test]
fn a_thousand_findings_in_one_line_are_told_with_a_part_of_the_line() {
    let item = r#"{"apiVersion":"datamesh.io/v1","kind":"DataProduct","metadata":{"name":"p"},"spec":{"domain":"a","version":"v1"}}"#;
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, vec![item; 900].join(","));
    let said = check_in(&["-"], &[], &list);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.lines().all(|line| line.chars().count() < 400), "a line is too long");
    assert!(said.out.contains("900 products in 900 objects of 1 file"), "{}", said.out);
}

#[test]
fn what_is_larger_than_its_definition_allows_is_refused_and_judged_by_nothing_that_relies_on_it() {
    let fields = (0..30_000).map(|n| format!("    - {{name: f{n}, type: string}}\n")).collect::<String>();
    let columns = (0..30_000).map(|n| format!("g{n}")).collect::<Vec<_>>().join(", ");
    let schema = format!("  schema:\n    fields:\n{fields}");
    let large = product("a", &format!("{schema}  access: {{privacy: {{pii_columns: [{columns}]}}}}\n"));
    let said = check_in(&["-"], &[], &large);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("fields has 30000 items, and may have 512"), "{}", said.out);
    assert!(said.out.contains("sales/a  score -  Refused  2 errors"), "{}", said.out);
}

#[test]
fn a_word_without_end_is_told_with_its_beginning() {
    let long = "x".repeat(1_000_000);
    let content = product("a", &format!("  ? {long}\n  : 1\n  ? {long}\n  : 2\n  displayName: {long}\n"));
    for form in ["human", "wide", "json", "github"] {
        let said = check_in(&["-", "-o", form], &[], &content);
        assert_eq!(said.code, 1, "{form}: {}", said.err);
        assert!(said.out.len() < 100_000, "{form}: {} bytes", said.out.len());
    }
}
