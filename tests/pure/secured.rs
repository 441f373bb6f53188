//! What SECURITY.md says is there: the tests that it names exist, and what it says of workflows holds.

use std::{collections::BTreeSet, fs, path::Path};

const PAGE: &str = include_str!("../../SECURITY.md");

/// The text of every file with an extension below a folder of the repository.
fn texts(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(&folder).expect("a folder") {
            let path = file.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                let text = fs::read_to_string(&path).expect("a text");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

#[test]
fn every_threat_that_is_defended_names_tests_that_exist() {
    let table = PAGE.split("| Threat | What stops it | Shown by |\n").nth(1).expect("the table");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect::<Vec<_>>();
    assert!(rows.len() > 15, "{rows:?}");
    let sources = [texts("src", "rs"), texts("tests", "rs")].concat();
    // A test has its attribute right above it, or is within `proptest!`, where the attribute is there too.
    let tests = sources.iter().flat_map(|(_, text)| {
        let lines = text.lines().collect::<Vec<_>>();
        let named =
            lines.windows(2).filter(|pair| pair[0].trim().starts_with("#[") && pair[0].contains("test"));
        let named =
            named.filter_map(|pair| pair[1].split("fn ").nth(1)?.split('(').next().map(str::to_owned));
        named.collect::<Vec<_>>()
    });
    let tests = tests.collect::<BTreeSet<_>>();
    for row in rows {
        let shown = row.split('|').nth(3).expect("a third column");
        let names =
            shown.split('`').skip(1).step_by(2).filter(|name| !name.contains(' ')).collect::<Vec<_>>();
        assert!(!names.is_empty(), "nothing shows that this is defended: {row}");
        for name in names {
            assert!(tests.contains(name), "there is no test {name}");
        }
    }
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    let workflows = texts(".github/workflows", "yaml");
    assert!(workflows.len() > 2);
    for (path, text) in workflows {
        assert!(text.contains("\npermissions: {}\n"), "{path} has permissions that no job asked for");
        let uses =
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "));
        for action in uses.filter(|action| !action.starts_with("./")) {
            let (_, version) = action.split_once('@').expect("a version");
            let (commit, comment) = version.split_once(" # v").expect("the version as people call it");
            let is_commit = commit.len() == 40 && commit.chars().all(|it| it.is_ascii_hexdigit());
            assert!(is_commit && !comment.is_empty(), "{path}: {action}");
        }
    }
}
