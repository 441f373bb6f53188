//! What the README says is what the code does, and what is generated is what is committed.

use dataproduct_operator::{
    governance::RULES,
    metrics::Family,
    status::{ConditionType, EventReason, Reason},
};

const README: &str = include_str!("../../README.md");

/// The rows of the table of the README that has a heading.
fn rows(heading: &str) -> Vec<&'static str> {
    let table = README.split(heading).nth(1).unwrap_or_default();
    table.lines().skip(2).take_while(|line| line.starts_with('|')).collect()
}

#[test]
fn every_reason_is_in_the_readme_with_its_meaning() {
    let row = |word: &str, meaning: &str| format!("| `{word}` | {} |", meaning.trim());
    let reasons = Reason::ALL.iter().map(|reason| row(reason.as_str(), reason.meaning()));
    assert_eq!(rows("| Reason | Means |"), reasons.collect::<Vec<_>>());
    let events = EventReason::ALL.iter().map(|reason| row(reason.as_str(), reason.meaning()));
    assert_eq!(rows("| Event | Means |"), events.collect::<Vec<_>>());
}

#[test]
fn every_condition_is_in_the_readme() {
    for type_ in ConditionType::ALL {
        assert!(README.contains(&format!("`{}`", type_.as_str())), "{type_:?}");
    }
}

#[test]
fn every_rule_is_in_the_readme() {
    let expected = RULES.iter().zip(1..).map(|(rule, number)| {
        let (severity, title) = (rule.severity.as_str(), rule.title);
        format!("| {number} | `{}` | {severity} | {:?} | {title} |", rule.id, rule.state)
    });
    assert_eq!(rows("| No. | Rule | Severity | State | Demands |"), expected.collect::<Vec<_>>());
}

#[test]
fn every_metric_is_in_the_readme() {
    let expected = Family::all().map(|family| {
        let labels = family.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let shape = family.shape.as_str();
        format!("| `{}` | {shape} | {labels} | {} |", family.full_name(), family.help)
    });
    assert_eq!(rows("| Metric | Type | Labels | Says |"), expected.collect::<Vec<_>>());
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

/// Fails unless a folder has the generated files and no other.
fn assert_current(folder: &str, generated: &[(String, String)]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for (name, content) in generated {
        let committed = std::fs::read_to_string(path.join(name)).unwrap_or_default();
        assert!(
            committed == *content,
            "{folder}/{name} is not what the code says; run `make generate` and commit"
        );
    }
    let files = std::fs::read_dir(path).expect(folder).count();
    assert_eq!(files, generated.len(), "{folder} has a file that nothing generates");
}

#[test]
fn the_generated_definitions_are_current() {
    assert_current("crds", &dataproduct_operator::cli::crds::documents().expect("the definitions"));
}

#[test]
fn the_generated_policies_are_current() {
    assert_current("deploy/policies", &dataproduct_operator::cli::policies::files().expect("the policies"));
}

#[test]
fn what_the_api_server_judges_is_current() {
    let generated = dataproduct_operator::cli::admission::documents().expect("what the API server judges");
    assert_current("deploy/admission", &generated);
}

#[cfg(feature = "aws")]
#[test]
fn the_generated_policies_and_the_table_of_calls_are_current() {
    use dataproduct_operator::cli::aws_policy::{documents, page};

    let page_now = include_str!("../../deploy/aws/README.md");
    let mut generated = documents().expect("the policies");
    generated.push(("README.md", page(page_now).expect("a page with the markers")));
    let generated = generated.into_iter().map(|(name, content)| (name.to_owned(), content));
    assert_current("deploy/aws", &generated.collect::<Vec<_>>());
}
