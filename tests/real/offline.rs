//! What `check` says of a manifest without a cluster is what the API server says of it when unknown fields are refused.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::manifest::{Definitions, Source, objects};
use http::Request;
use kube::Client;
use serde_json::json;

use crate::{
    definitions::{SPECS, overlay},
    fixture::Mesh,
    support::control_plane::{ControlPlane, Options},
};

/// Specs as they stand in a file, with what only YAML can say.
const SPECS_AS_YAML: &[&str] = &[
    "descripton: x",
    "description: yes",
    "description: y",
    "description: 'yes'",
    "description: 1.0",
    "description: 2027-06-30",
    "description: 010",
    "description: null",
    "description: ~",
    "description: |\n    two\n    lines",
    "description: &a x\n  displayName: *a",
    "owner: &o {team: a}\n  quality: {tests: []}\n  slo: *o",
    // One that a key of its own overrides is left out: the API server's own YAML refuses it, and kubectl merges it into JSON.
    "owner: {<<: {team: a}, email: c@d.example}",
    "description: a\n  description: b",
    "suspend: off",
    "suspend: 'off'",
    "suspend: null",
    "suspend: 0",
    "tags: []",
    "tags: [null]",
    "tags: {}",
    "tags: null",
    "tags: ['']",
    "owner: []",
    "owner: null",
    "owner: {}",
    "owner: {team: null, email: null}",
    "owner: {teem: a}",
    "inputPorts: [{name: in}]",
    "inputPorts: [{type: s3}]",
    "inputPorts: [{name: null, type: s3}]",
    "inputPorts: [{name: in, type: kafka, topic: null}]",
    "inputPorts: [{name: in, type: kafka, topic: null, productRef: {name: p}}]",
    "inputPorts: [{name: in, type: data_product, productRef: {name: p, namespace: n1}}]",
    "outputPorts: [{name: 1, type: s3}]",
    "outputPorts: [{name: a, type: s3, unknown: {}}]",
    "schema: {fields: [{name: a, type: x, pii: no}]}",
    "schema: {fields: [{name: a, type: x, pii: 'no'}]}",
    "schema: {fields: [{name: a, type: x, tags: [a]}]}",
    "slo: {availability: {target: 99}}",
    "slo: {availability: {target: 99%, window: 0x1d}}",
    "slo: {freshness: {}}",
    "slo: {freshness: null}",
    "quality: {tests: [{type: range, column: a, min: 1e3, max: 2000}]}",
    "quality: {tests: [{type: range, column: a, min: 1.5e3, max: 10}]}",
    "quality: {tests: [{type: range, column: a, min: '1'}]}",
    "access: {roles: [{name: r}]}",
    "access: {roles: [{name: r, permissions: SELECT}]}",
    "access: {roles: [{name: r, permissions: [SELECT, SELECT]}]}",
    "access: {privacy: {pii_columns: [a], masking_policy: m}}",
    "access: {privacy: {piiColumns: [a]}}",
    "provisioning: {names: {bucket: null}}",
    "provisioning: {providerClassName: ''}",
    "deprecation: {sunsetDate: 2027-02-30}",
    "deprecation: {sunsetDate: 2027-6-30}",
    "documentation: https://ü.example",
];

/// Metadata of a product.
const METADATA: &[&str] = &[
    "name: p",
    "generateName: p-",
    "namespace: default",
    "name: p, labels: {a: b}, annotations: {c: d}",
    "name: p, labels: {a: null}",
    "name: p, labels: {a: true}",
    "name: p, labels: {a: 1}",
    "name: p, labels: {a: 'b c'}",
    "name: p, labels: {'a b': c}",
    "name: p, labels: {example.com/a: ''}",
    "name: p, labels: {Example.com/a: b}",
    "name: p, annotations: {'a b': c}",
    "name: p, annotations: {a: 1}",
    "name: p, label: {}",
    "name: p, creationTimestamp: null",
    "name: P",
    "name: p-",
    "name: p.q",
    "name: 5",
];

/// Whole manifests of the other kinds, with what they are called in the API.
const OTHERS: &[(&str, &str)] = &[
    (
        "datadomains",
        "kind: DataDomain\nmetadata: {name: d}\nspec: {kind: SourceAligned, enforcement: Enforced, namespaces: [a], providerClasses: [x]}",
    ),
    (
        "datadomains",
        "kind: DataDomain\nmetadata: {name: d, namespace: default}\nspec: {kind: SourceAligned, enforcement: Enforced, namespaces: [a], providerClasses: [x]}",
    ),
    (
        "datadomains",
        "kind: DataDomain\nmetadata: {name: d}\nspec: {kind: SourceAligned, enforcement: Enforced, namespaces: [a], namespaceSelector: null, providerClasses: [x]}",
    ),
    (
        "datadomains",
        "kind: DataDomain\nmetadata: {name: d}\nspec: {kind: SourceAligned, enforcement: Enforced, namespaces: [a], namespaceSelector: {}, providerClasses: [x]}",
    ),
    (
        "datadomains",
        "kind: DataDomain\nmetadata: {name: d}\nspec: {kind: SourceAligned, enforcement: Enforced, namespaces: [a], providerClasses: [x], account: {id: 123456789012}}",
    ),
    (
        "datadomains",
        "kind: DataDomain\nmetadata: {name: d}\nspec: {kind: SourceAligned, enforcement: Enforced, namespaceSelector: {matchExpressions: [{key: d, operator: In, values: []}]}, providerClasses: [x]}",
    ),
    (
        "providerclasses",
        "kind: ProviderClass\nmetadata: {name: c}\nspec: {provider: local, local: {root: /var/lib}, tags: {aws:a: b}}",
    ),
    (
        "providerclasses",
        "kind: ProviderClass\nmetadata: {name: c}\nspec: {provider: local, local: {root: /var/lib}, tags: {a: b}}",
    ),
    (
        "providerclasses",
        "kind: ProviderClass\nmetadata: {name: c}\nspec: {provider: local, local: {root: /var/lib}, tags: {a: null}}",
    ),
    (
        "providerclasses",
        "kind: ProviderClass\nmetadata: {name: c}\nspec: {provider: local, local: {root: /var/lib}, keyDeletionWindowDays: 7.0}",
    ),
    (
        "providerclasses",
        "kind: ProviderClass\nmetadata: {name: c}\nspec: {provider: local, local: {root: /var/lib}, keyDeletionWindowDays: 7.5}",
    ),
    (
        "providerclasses",
        "kind: ProviderClass\nmetadata: {name: c}\nspec: {provider: local, local: {root: /var/lib}, keyDeletionWindowDays: 31}",
    ),
    (
        "providerclasses",
        "kind: ProviderClass\nmetadata: {name: c}\nspec: {provider: aws, local: {root: /var/lib}}",
    ),
    (
        "platformstandards",
        "kind: PlatformStandards\nmetadata: {name: default}\nspec: {standards: {}, scoring: {error: 10, warning: -1}}",
    ),
    ("platformstandards", "kind: PlatformStandards\nmetadata: {name: other}\nspec: {standards: {}}"),
    (
        "governancepolicies",
        "kind: GovernancePolicy\nmetadata: {name: g}\nspec: {state: Grace, rules: [{id: A-1}, {id: A-1}]}",
    ),
    (
        "governancepolicies",
        "kind: GovernancePolicy\nmetadata: {name: g}\nspec: {state: Grace, rules: [{id: A-1, parameters: {minimum: 99}}]}",
    ),
    (
        "governancepolicies",
        "kind: GovernancePolicy\nmetadata: {name: g}\nspec: {state: grace, rules: [{id: A-1}]}",
    ),
    (
        "governancepolicies",
        "kind: GovernancePolicy\nmetadata: {name: g}\nspec: {state: Grace, graceUntil: 2027-06-30, rules: [{id: A-1}]}",
    ),
    (
        "governancepolicies",
        "kind: GovernancePolicy\nmetadata: {name: g}\nspec: {state: Grace, rules: [{id: A-1}]}\nstatus: {unheard: of}",
    ),
    (
        "governancepolicies",
        "kind: GovernancePolicy\nmetadata: {name: g}\nspec: {state: Grace, rules: [{id: A-1}]}\nstatus: {evaluated: many}",
    ),
    (
        "governancepolicies",
        "kind: GovernancePolicy\nmetadata: {name: g}\nspec: {state: Grace, rules: [{id: A-1}]}\nunheard: of",
    ),
    ("governancepolicies", "kind: GovernancePolicy\nmetadata: {name: g}"),
];

/// What both say of a text: the faults of the one and the answer of the other.
async fn compare(client: &Client, collection: &str, text: &str) -> Result<()> {
    let (source, unreadable) = Source::new("case.yaml", text.as_bytes().to_vec());
    let reading = objects(&source, &Definitions::new()?);
    let faults = unreadable.iter().chain(&reading.faults);
    let faults = faults.chain(reading.objects.iter().flat_map(|object| &object.faults)).collect::<Vec<_>>();
    let version = if collection == EXCEPTIONS { "v1beta1" } else { "v1" };
    let target = format!("/apis/datamesh.io/{version}/{collection}?dryRun=All&fieldValidation=Strict");
    let request =
        Request::post(target).header("Content-Type", "application/yaml").body(text.as_bytes().to_vec())?;
    let answer = client.request::<serde_json::Value>(request).await;
    let told = answer.as_ref().map_or_else(ToString::to_string, |_| "accepted".to_owned());
    ensure!(answer.is_ok() == faults.is_empty(), "{text}\noffline: {faults:#?}\nAPI server: {told}");
    Ok(())
}

const PRODUCTS: &str = "namespaces/default/dataproducts";
const EXCEPTIONS: &str = "namespaces/default/policyexceptions";

/// What is asked for in an exception.
const ASKED: &[&str] = &[
    "reason: It moves, expiresAt: 2027-01-31T00:00:00Z",
    "reason: It moves, expiresAt: '2027-01-31T00:00:00.5+01:00'",
    "reason: It moves, expiresAt: 2027-01-31",
    "reason: It moves, expiresAt: 2027-01-31T25:00:00Z",
    "reason: It moves, expiresAt: soon",
    "reason: It moves, expiresAt: null",
    "reason: '  ', expiresAt: 2027-01-31T00:00:00Z",
    "reason: It moves, expiresAt: 2027-01-31T00:00:00Z, until: later",
];

#[tokio::test]
async fn every_manifest_is_taken_or_refused_as_the_api_server_does() -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    plane.install_crds()?;
    let client = plane.client().await?;
    let mut differences = Vec::new();
    for (text, _) in SPECS {
        let product = json!({
            "apiVersion": "datamesh.io/v1", "kind": "DataProduct", "metadata": {"name": "p"}, "spec": overlay(text)?,
        });
        differences.extend(compare(&client, PRODUCTS, &product.to_string()).await.err());
    }
    let product = |metadata: &str, spec: &str| {
        format!(
            "apiVersion: datamesh.io/v1\nkind: DataProduct\nmetadata: {{{metadata}}}\nspec:\n  domain: sales\n  version: 1.0.0\n  {spec}\n"
        )
    };
    for spec in SPECS_AS_YAML {
        differences.extend(compare(&client, PRODUCTS, &product("name: p", spec)).await.err());
    }
    for metadata in METADATA {
        differences.extend(compare(&client, PRODUCTS, &product(metadata, "")).await.err());
    }
    for name in ["a.b", "1st", &"n".repeat(49), &"n".repeat(45), &"n".repeat(44)] {
        differences.extend(compare(&client, PRODUCTS, &product(&format!("name: {name}"), "")).await.err());
    }
    for (collection, text) in OTHERS {
        let text = format!("apiVersion: datamesh.io/v1\n{text}\n");
        differences.extend(compare(&client, collection, &text).await.err());
    }
    for asked in ASKED {
        let text = format!(
            "apiVersion: datamesh.io/v1beta1\nkind: PolicyException\nmetadata: {{name: e}}\nspec: {{productRef: {{name: p}}, policyIds: [SEC-001], {asked}}}\n"
        );
        differences.extend(compare(&client, EXCEPTIONS, &text).await.err());
    }
    let told = differences.iter().map(|error| format!("{error:#}")).collect::<Vec<_>>().join("\n\n");
    ensure!(differences.is_empty(), "{} differences:\n\n{told}", differences.len());
    // The server is one that refuses what it does not know: else nothing above was asked.
    compare(&client, PRODUCTS, &product("name: p", "")).await.context("a plain product")
}

/// Runs `dataproduct check` on an example with what a cluster has.
fn check(mesh: &Mesh, example: &str) -> Result<Output> {
    let kubeconfig = mesh.plane.kubeconfig_path();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataproduct"));
    command.args(["check", example, "-o", "json", "--cluster", "--kubeconfig"]).arg(kubeconfig);
    Ok(command.current_dir(env!("CARGO_MANIFEST_DIR")).output()?)
}

/// What a policy would do to the products that are there, and that nothing is changed.
fn simulate(mesh: &Mesh) -> Result<()> {
    let policy = "apiVersion: datamesh.io/v1
kind: GovernancePolicy
metadata: {name: tagged}
spec:
  state: Grace
  rules:
  - {id: TAGS-001, severity: warning, cel: {expression: 'object.spec.?tags.orValue([]).size() > 20', message: Few tags, path: spec.tags}}
";
    let file = tempfile::NamedTempFile::with_suffix(".yaml")?;
    std::fs::write(file.path(), policy)?;
    let products = mesh.plane.kubectl(&["get", "dp", "-A", "--no-headers"])?.lines().count();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataproduct"));
    command.args(["policy", "simulate"]).arg(file.path());
    let output = command.arg("--kubeconfig").arg(mesh.plane.kubeconfig_path()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    ensure!(said.matches("  + TAGS-001 at spec.tags\n").count() == products, "each of {products}: {said}");
    ensure!(said.ends_with("Nothing was changed.\n"), "{said}");
    let policies = mesh.plane.kubectl(&["get", "gpol", "-o", "name"])?;
    ensure!(!policies.contains("tagged"), "{policies}");
    Ok(())
}

#[tokio::test]
async fn with_a_cluster_its_policies_its_domains_and_its_other_products_bear_on_the_judgement() -> Result<()>
{
    let mut mesh = Mesh::start(Options::default()).await?;
    mesh.apply_example("orders.yaml")?;
    let found = |output: &Output| -> Result<(serde_json::Value, Vec<(String, String)>)> {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).context(told)?;
        let findings = answer["findings"].as_array().context("findings")?.iter();
        let word = |it: &serde_json::Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let findings = findings.map(|it| (word(it, "id"), word(it, "path")));
        let others = ["LINEAGE-", "PROD-"];
        let findings =
            findings.filter(|(id, _)| others.iter().any(|family| id.starts_with(family))).collect();
        Ok((answer, findings))
    };
    let missing =
        ("LINEAGE-001".to_owned(), "spec.lineage.upstreamProducts[customer/customer-360]".to_owned());
    let output = check(&mesh, "examples/customer-orders.yaml")?;
    let (answer, findings) = found(&output)?;
    ensure!(findings == [missing], "only the upstream product that is not there: {findings:?}");
    ensure!(
        output.stderr.is_empty(),
        "the cluster has all that judges: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let policies = answer["products"][0]["policies"].as_array().context("policies")?;
    ensure!(policies.len() == 3, "those of the cluster: {policies:?}");
    mesh.apply_example("customer-360.yaml")?;
    let (_, findings) = found(&check(&mesh, "examples/customer-orders.yaml")?)?;
    ensure!(findings.is_empty(), "{findings:?}");
    // A product that is there already is judged as the file says, and is no rival of itself.
    let (_, findings) = found(&check(&mesh, "examples/customer-360.yaml")?)?;
    ensure!(findings.iter().all(|(id, _)| id != "PROD-003"), "{findings:?}");
    simulate(&mesh)?;
    mesh.plane.stop_api_server();
    let output = check(&mesh, "examples/customer-orders.yaml")?;
    ensure!(output.status.code() == Some(3), "{output:?}");
    Ok(())
}
