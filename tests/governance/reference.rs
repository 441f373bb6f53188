//! Rules 1 to 7 against the code that the reference gives for them.
//!
//! The reference's document is not part of the repository: where it does not lie beside it, or where there is no
//! Python, the comparison says so and is skipped.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::{DataProduct, DataProductSpec, PlatformStandardsSpec, product::SchemaField},
    governance::{Input, RULES, Report, policies_of},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde::Deserialize;
use serde_json::json;

use crate::any;

/// Where the document is looked for, from the root of the repository.
const DOCUMENT: &str = "../shared/reference";
/// The first line of the engine's source in the document.
const BEGIN: &str = "# governance/policy_engine.py";
/// The heading that follows the source.
const END: &str = "Implementation Anti-Patterns";
/// Number of products that both judge.
const PRODUCTS: usize = 2000;

/// What the reference's engine says of one product.
#[derive(Deserialize)]
struct Verdict {
    violations: Vec<[String; 4]>,
    score: f64,
}

#[test]
fn rules_1_to_7_say_what_the_code_of_the_reference_says() -> Result<()> {
    let Some(engine) = engine()? else {
        eprintln!("skipped: the reference's policy engine is not in {DOCUMENT}");
        return Ok(());
    };
    let products = products()?;
    let Some(verdicts) = run(&engine, &products)? else {
        eprintln!("skipped: there is no python3 to run the reference's policy engine");
        return Ok(());
    };
    assert_eq!(verdicts.len(), products.len());
    for (product, verdict) in products.iter().zip(verdicts) {
        let standards = PlatformStandardsSpec::default();
        let input = Input::of(product, &standards);
        let report = policies_of(&RULES[..7]).evaluate(&input);
        let spec = serde_json::to_string(&product.spec)?;

        // The one documented difference: to us, a blank description is no description.
        let blank: Vec<_> = fields(product).filter(|field| is_blank(field)).collect();
        let mut expected = verdict.violations;
        expected.extend(blank.iter().map(|field| blank_description(field)));
        expected.sort();
        assert_eq!(ours(&report), expected, "{spec}");
        if blank.is_empty() {
            assert!((f64::from(report.score) - verdict.score).abs() < f64::EPSILON, "{spec}");
        }
    }
    Ok(())
}

fn ours(report: &Report) -> Vec<[String; 4]> {
    let mut violations: Vec<_> = report
        .violations
        .iter()
        .map(|v| [&*v.rule.id, v.severity.as_str(), &v.message, &v.remediation].map(str::to_owned))
        .collect();
    violations.sort();
    violations
}

fn fields(product: &DataProduct) -> impl Iterator<Item = &SchemaField> {
    product.spec.schema.iter().filter_map(|schema| schema.fields.as_ref()).flatten()
}

fn is_blank(field: &SchemaField) -> bool {
    field.description.as_ref().is_some_and(|text| text.trim().is_empty())
}

fn blank_description(field: &SchemaField) -> [String; 4] {
    [
        "SCHEMA-002".to_owned(),
        "warning".to_owned(),
        format!("Field '{}' missing description", field.name),
        "Add description to improve discoverability".to_owned(),
    ]
}

/// The source of the engine; `None` where the document is missing.
fn engine() -> Result<Option<String>> {
    let Ok(entries) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT)) else {
        return Ok(None);
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = fs::read_to_string(&path)?;
            let source = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
            if let Some((source, _)) = source {
                return Ok(Some(source.to_owned()));
            }
        }
    }
    Ok(None)
}

/// The same products in every run. All that rules 1 to 7 read varies; targets are percentages, because the
/// reference's code ends at any other.
fn products() -> Result<Vec<DataProduct>> {
    let text = prop_oneof![Just(None), Just(Some("Something".to_owned())), Just(Some(" ".to_owned()))];
    let parts = (any::schema(text), any::slo(any::percentage()), any::access());
    let product = parts.prop_map(|(schema, slo, access)| {
        let (domain, version) = ("customer".to_owned(), "1.0.0".to_owned());
        DataProduct::new(
            "any",
            DataProductSpec { domain, version, schema, slo, access, ..DataProductSpec::default() },
        )
    });
    let mut runner = TestRunner::deterministic();
    let sample = |_| Ok(product.new_tree(&mut runner).map_err(anyhow::Error::msg)?.current());
    (0..PRODUCTS).map(sample).collect()
}

/// The verdicts of the engine; `None` where there is no Python.
fn run(engine: &str, products: &[DataProduct]) -> Result<Option<Vec<Verdict>>> {
    let spawned = Command::new("python3")
        .args(["-c", include_str!("reference.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut python = match spawned {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        spawned => spawned.context("starting python3")?,
    };
    let work = serde_json::to_vec(&json!({"engine": engine, "products": products}))?;
    // The script reads everything before it writes anything, so that neither side waits for the other.
    python.stdin.take().context("python3 has an input")?.write_all(&work)?;
    let output = python.wait_with_output()?;
    ensure!(output.status.success(), "the reference's policy engine failed; its error is above");
    Ok(Some(serde_json::from_slice(&output.stdout)?))
}
