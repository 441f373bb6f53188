//! What the README says is what the code does, and what is generated is what is committed.

use dataproduct_operator::{api::Enforcement, governance::RULES, status::Reason};

const README: &str = include_str!("../../README.md");

#[test]
fn every_reason_is_in_the_readme_with_its_meaning() {
    for reason in Reason::ALL {
        let row = format!("| `{}` | {} |", reason.as_str(), reason.meaning().trim());
        assert!(README.contains(&row), "the README lacks the row\n{row}");
    }
    let rows = README.split("| Reason | Means |").nth(1).unwrap_or_default();
    let rows = rows.lines().skip(2).take_while(|line| line.starts_with('|')).count();
    assert_eq!(rows, Reason::ALL.len(), "the README has a reason that the code lacks");
}

#[test]
fn the_enforced_rules_are_in_the_readme() {
    let enforced = RULES.iter().filter(|rule| rule.state == Enforcement::Enforced).map(|rule| rule.id);
    for id in enforced {
        assert!(README.contains(id), "{id} is enforced");
    }
}

#[test]
fn every_manifest_that_the_readme_names_exists() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for word in
        README.split(|c: char| c.is_whitespace() || c == '`').filter(|word| word.starts_with("examples/"))
    {
        let name = word.trim_start_matches("examples/").trim_end_matches(['.', ',']);
        assert!(name.is_empty() || examples.join(name).is_file(), "{word} is missing");
    }
}

#[test]
fn the_generated_definitions_are_current() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let generated = dataproduct_operator::cli::crds::documents().expect("the definitions");
    for (name, content) in &generated {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            committed == *content,
            "crds/{name} is not what the code says; run `make generate` and commit"
        );
    }
    let files = std::fs::read_dir(folder).expect("crds/").count();
    assert_eq!(files, generated.len(), "crds/ has a file that nothing generates");
}
