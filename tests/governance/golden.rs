//! Products in, reports out. `UPDATE_GOLDEN=1` writes the reports anew; read the difference before it is committed.

use std::{env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::{self, DataProduct, Enforcement, PlatformStandards, PolicyRule, product::Classification},
    governance::{Input, Need, Policy, PolicySet, RULES, Report, Resource, policies_of},
    model::lineage::{Neighbours, ProductName, Sensitivity, Upstream, UpstreamFacts},
};
use serde::de::DeserializeOwned;

use crate::observed::{left_open, resources};

/// Fixture, number of the last rule that is applied, and the expected score and result.
const CASES: &[(&str, usize, i32, &str)] = &[
    ("customer-360", 7, 100, "Pass"),
    ("customer-360", 20, 100, "Pass"),
    ("customer-360", 39, 92, "Warn"),
    ("empty", 7, 48, "Fail"),
    ("empty", 20, 0, "Fail"),
    ("bare-field", 7, 88, "Fail"),
    ("availability-99", 7, 100, "Pass"),
    ("availability-98-99", 7, 98, "Warn"),
    ("eleven-errors", 7, 0, "Fail"),
    ("all-wrong", 43, 0, "Fail"),
    ("inconsistent", 20, 100, "Pass"),
    ("inconsistent", 43, 50, "Fail"),
];

#[test]
fn every_fixture_gets_the_report_beside_it() -> Result<()> {
    let standards: PlatformStandards = read("standards")?;
    for &(fixture, last, score, result) in CASES {
        let product: DataProduct = read(fixture)?;
        let report = policies_of(&RULES[..last]).evaluate(&Input::of(&product, &standards.spec));
        assert_eq!((report.score, report.result.as_str()), (score, result), "{fixture}, rules 1 to {last}");
        compare(&format!("{fixture}.rules-1-{last}.txt"), &text(&report)?)?;
    }
    Ok(())
}

#[test]
fn resources_that_were_left_open_are_in_the_report_beside_the_fixture() -> Result<()> {
    let standards: PlatformStandards = read("standards")?;
    let product: DataProduct = read("customer-360")?;
    let pairs = left_open();
    let observed = resources(&pairs);
    let report = policies_of(RULES).evaluate(&input(&product, &standards, &observed));
    assert_eq!((report.score, report.result.as_str()), (42, "Fail"));
    compare("customer-360.left-open.txt", &text(&report)?)
}

#[test]
fn under_no_policy_does_what_was_observed_stop_the_change_that_mends_it() -> Result<()> {
    let standards: PlatformStandards = read("standards")?;
    let product: DataProduct = read("customer-360")?;
    let pairs = left_open();
    let observed = resources(&pairs);
    let rules =
        ["SEC-004", "SEC-005", "SEC-008"].map(|id| PolicyRule { id: id.to_owned(), ..PolicyRule::default() });
    let declared =
        api::Policy { state: Enforcement::Enforced, rules: rules.into(), ..api::Policy::default() };
    let policies: PolicySet = [Policy::global("strict", &declared, None)].into_iter().collect();
    let report = policies.evaluate(&input(&product, &standards, &observed));
    ensure!(report.errors == 5, "{:?}", report.violations);
    ensure!(report.enforced_errors(Enforcement::Enforced).count() == 0, "{:?}", report.violations);
    Ok(())
}

#[test]
fn a_product_at_odds_with_its_neighbours_has_the_report_beside_the_fixture() -> Result<()> {
    let standards: PlatformStandards = read("standards")?;
    let product: DataProduct = read("inconsistent")?;
    let neighbours = neighbours();
    let mesh = Input {
        neighbours: Some(&neighbours),
        bound_domain: Some("sales"),
        ..Input::of(&product, &standards.spec)
    };
    compare("inconsistent.among-others.txt", &text(&policies_of(RULES).evaluate(&mesh))?)
}

#[test]
fn every_rule_is_broken_by_some_fixture() -> Result<()> {
    let standards: PlatformStandards = read("standards")?;
    let (pairs, neighbours) = (left_open(), neighbours());
    let observed = resources(&pairs);
    for rule in RULES.iter().filter(|rule| rule.needs != Some(Need::History)) {
        let broken = CASES.iter().try_fold(false, |broken, (fixture, ..)| -> Result<bool> {
            let product: DataProduct = read(fixture)?;
            let input = Input {
                neighbours: Some(&neighbours),
                bound_domain: Some("sales"),
                ..input(&product, &standards, &observed)
            };
            Ok(broken || !policies_of(&[*rule]).evaluate(&input).violations.is_empty())
        })?;
        assert!(broken, "no fixture breaks {}", rule.id);
    }
    Ok(())
}

/// Neighbours with which something is wrong in every way.
fn neighbours() -> Neighbours {
    let name = |text: &str| ProductName::parse(text, "customer");
    let restricted = Sensitivity { classification: Some(Classification::Restricted), pii: true };
    let found = Some(UpstreamFacts { sensitivity: restricted, ..UpstreamFacts::default() });
    Neighbours {
        name_taken: Some(("customer-inconsistent".to_owned(), name("sales/older"))),
        consumers: [(name("marketing/campaigns"), "marketing".to_owned())].into(),
        upstreams: vec![
            Upstream { name: name("crm-contacts"), found },
            Upstream { name: name("gone"), found: None },
        ],
        beyond: Vec::new(),
        horizon: None,
        cycle: vec![name("inconsistent"), name("crm-contacts"), name("inconsistent")],
    }
}

fn input<'a>(
    product: &'a DataProduct,
    standards: &'a PlatformStandards,
    observed: &'a [Resource<'a>],
) -> Input<'a> {
    Input { observed: Some(observed), ..Input::of(product, &standards.spec) }
}

/// A report as text. The hash is left out, because it is another one in each release.
fn text(report: &Report) -> Result<String> {
    let Report { score, result, errors, warnings, infos, violations, not_evaluated, .. } = report;
    let mut text = String::new();
    writeln!(
        text,
        "score {score}, {}: errors {errors}, warnings {warnings}, infos {infos}",
        result.as_str()
    )?;
    for violation in violations {
        let enforced = violation.enforcement(Enforcement::Enforced) == Enforcement::Enforced;
        let mark = if enforced { " (enforced)" } else { "" };
        writeln!(text, "\n{} {} {}{mark}", violation.severity.as_str(), violation.rule.id, violation.path)?;
        writeln!(text, "  {}", violation.message)?;
        writeln!(text, "  {}", violation.remediation)?;
    }
    if !not_evaluated.is_empty() {
        writeln!(text, "\nnot evaluated: {}", not_evaluated.join(", "))?;
    }
    Ok(text)
}

fn compare(name: &str, actual: &str) -> Result<()> {
    let path = path(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, actual).with_context(|| format!("writing {name}"));
    }
    let expected = fs::read_to_string(&path).with_context(|| format!("reading {name}"))?;
    ensure!(actual == expected, "{name} differs; the report is now:\n{actual}");
    Ok(())
}

fn read<T: DeserializeOwned>(fixture: &str) -> Result<T> {
    let name = format!("{fixture}.yaml");
    let text = fs::read_to_string(path(&name)).with_context(|| format!("reading {name}"))?;
    serde_saphyr::from_str(&text).with_context(|| format!("decoding {name}"))
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/governance/fixtures").join(name)
}
