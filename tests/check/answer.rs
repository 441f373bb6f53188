//! One answer: what `check` says of the fixtures is what the golden reports of the operator's evaluator say.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{api::Enforcement, governance::RULES};
use serde_json::{Value, json};

use crate::run::{check, folder, root, text};

/// Fixtures and the number of the last rule of their golden reports.
const CASES: [(&str, usize); 10] = [
    ("customer-360", 7),
    ("customer-360", 20),
    ("customer-360", 39),
    ("empty", 7),
    ("empty", 20),
    ("bare-field", 7),
    ("availability-98-99", 7),
    ("eleven-errors", 7),
    ("all-wrong", 43),
    ("inconsistent", 43),
];

/// The first rules as policies, each in the state in which it comes.
fn policies(last: usize) -> String {
    let of = |state: Enforcement| {
        let rules =
            RULES[..last].iter().filter(|rule| rule.state == state).map(|rule| json!({"id": rule.id}));
        let rules = rules.collect::<Vec<_>>();
        let name = format!("{state:?}").to_lowercase();
        let policy = json!({
            "apiVersion": "datamesh.io/v1", "kind": "GovernancePolicy", "metadata": {"name": name},
            "spec": {"state": state, "rules": rules},
        });
        if rules.is_empty() { String::new() } else { format!("---\n{policy}\n") }
    };
    [Enforcement::Draft, Enforcement::Grace, Enforcement::Enforced].map(of).concat()
}

/// Score, result and the violations of a golden report: severity, rule, path, message and remediation.
fn golden(text: &str) -> Result<(String, BTreeSet<[String; 5]>)> {
    let mut blocks = text.split("\n\n");
    let head = blocks.next().and_then(|head| head.split(':').next()).context("a head")?;
    let violations = blocks.filter(|block| !block.starts_with("not evaluated")).map(|block| {
        let lines = block.lines().map(str::trim).collect::<Vec<_>>();
        let [first, message, remediation] = lines[..] else { anyhow::bail!("no violation: {block}") };
        let words = first.trim_end_matches(" (enforced)").splitn(3, ' ').collect::<Vec<_>>();
        let [severity, id, path] = words[..] else { anyhow::bail!("no violation: {block}") };
        Ok([severity, id, path, message, remediation].map(str::to_owned))
    });
    Ok((head.to_owned(), violations.collect::<Result<_>>()?))
}

#[test]
fn what_is_said_of_a_fixture_is_what_the_operator_says_of_it() -> Result<()> {
    let fixtures = root().join("tests/governance/fixtures");
    let standards = fixtures.join("standards.yaml");
    for (fixture, last) in CASES {
        let policies = folder(&[("policies.yaml", policies(last).as_bytes())]);
        let product = fixtures.join(format!("{fixture}.yaml"));
        let arguments = [
            text(&product),
            "--policies",
            text(policies.path()),
            "--policies",
            text(&standards),
            "-o",
            "json",
        ];
        let said = check(&arguments);
        let output: Value = serde_json::from_str(&said.out).with_context(|| said.err.clone())?;
        let name = format!("{fixture}.rules-1-{last}.txt");
        let (head, violations) = golden(&fs::read_to_string(fixtures.join(&name))?)?;
        let judged = &output["products"][0];
        // The definitions refuse a fixture that is about what they refuse; its score is told all the same.
        let score = format!("score {}, ", judged["score"]);
        ensure!(head.starts_with(&score), "{name}: {head} is not {judged}");
        let found =
            output["findings"].as_array().context("findings")?.iter().filter(|it| it["policy"].is_string());
        let found = found.map(|it| {
            ["severity", "id", "path", "message", "remediation"]
                .map(|key| it[key].as_str().unwrap_or_default().to_owned())
        });
        let found = found.collect::<BTreeSet<_>>();
        ensure!(found == violations, "{name}: {found:#?}\nis not\n{violations:#?}");
    }
    Ok(())
}
