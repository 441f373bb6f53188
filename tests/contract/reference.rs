//! Every manifest of the reference's document through `convert`.
//!
//! The document is not part of the repository: where it does not lie beside it, the test says so and is skipped.

use std::fs;

use anyhow::{Context, Result, ensure};
use dataproduct_operator::api::{self, DataProduct};
use serde_json::Value;

use crate::{golden::path, shell::run};

/// Where the document is looked for, from the root of the repository.
const DOCUMENT: &str = "../shared/reference";
/// What the page shows in place of the address that its author wrote.
const HIDDEN: &str = "[email\u{a0}protected]";
const ADDRESS: &str = "customer-data@example.com";

#[test]
fn every_manifest_of_the_reference_is_converted_to_what_the_definitions_take() -> Result<()> {
    let Some(document) = document()? else {
        eprintln!("skipped: the reference's document is not in {DOCUMENT}");
        return Ok(());
    };
    let product = listing(&document, "# data-product-spec.yaml").context("the product")?;
    let refused = run(&["convert", "-"], &product)?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(said.contains("metadata.owner.email: a list stands where a text"), "{said}");

    let product = converted(&product.replace(HIDDEN, ADDRESS))?;
    for comment in product.0.lines().filter(|line| line.trim_start().starts_with('#')) {
        ensure!(document.contains(comment.trim()), "{comment}");
    }
    ensure!(product.0.contains("# Input ports"), "the comments are gone:\n{}", product.0);
    let example: DataProduct =
        serde_saphyr::from_str(&fs::read_to_string(path("examples/customer-360.yaml"))?)?;
    let ours: DataProduct = serde_saphyr::from_str(&product.0)?;
    assert_eq!(ours.spec, example.spec);
    assert_eq!(product.1.matches(" is now ").count(), 3, "{}", product.1);
    legal(&product.0, "DataProduct")?;

    let standards = listing(&document, "# platform-standards.yaml").context("the standards")?;
    let standards = converted(&standards)?;
    ensure!(standards.0.contains("# For specific use cases only"), "{}", standards.0);
    legal(&standards.0, "PlatformStandards")?;

    for other in ["# platform-capabilities.yaml", "# data-mesh-kpis.yaml"] {
        let output = run(&["convert", "-"], &listing(&document, other).context(other)?)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // The KPIs are not even YAML: one of their values begins with a percent sign.
        let expected = if other.contains("kpis") {
            "standard input:12:18: unexpected"
        } else {
            "neither apiVersion nor kind"
        };
        ensure!(output.status.code() == Some(2) && said.contains(expected), "{other}: {said}");
    }
    Ok(())
}

fn converted(text: &str) -> Result<(String, String)> {
    let output = run(&["convert", "-"], text)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{said}");
    Ok((String::from_utf8(output.stdout)?, said))
}

/// Whether the schema of a definition takes a manifest.
fn legal(manifest: &str, kind: &str) -> Result<()> {
    let crd = api::crds()?.into_iter().find(|crd| crd.spec.names.kind == kind).context("a definition")?;
    let version = crd.spec.versions.into_iter().next().context("a version")?;
    let schema = version.schema.and_then(|schema| schema.open_api_v3_schema).context("a schema")?;
    let validator = jsonschema::validator_for(&serde_json::to_value(schema)?)?;
    let manifest: Value = serde_saphyr::from_str(manifest)?;
    let faults: Vec<_> = validator.iter_errors(&manifest).map(|error| format!("{error}")).collect();
    ensure!(faults.is_empty(), "{faults:?}");
    Ok(())
}

/// The listing that begins with a line, up to the first line that is no part of a YAML document.
fn listing(document: &str, first: &str) -> Option<String> {
    let lines = document.lines().skip_while(|line| *line != first);
    let is_yaml = |line: &&str| {
        let key = line.split(':').next().unwrap_or_default();
        let is_key = line.contains(':') && key.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
        line.is_empty() || line.starts_with([' ', '#']) || is_key
    };
    let text: String = lines.take_while(is_yaml).map(|line| format!("{line}\n")).collect();
    (!text.is_empty()).then_some(text)
}

fn document() -> Result<Option<String>> {
    let Ok(entries) = fs::read_dir(path(DOCUMENT)) else { return Ok(None) };
    for entry in entries {
        let text = fs::read_to_string(entry?.path())?;
        if text.contains("# data-product-spec.yaml") {
            return Ok(Some(text));
        }
    }
    Ok(None)
}
