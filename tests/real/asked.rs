//! The validating webhook as a real API server calls it: what it tells and what it refuses.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        operator::Operator,
        ports::free_port,
        wait::{Seen, wait_for},
    },
};

/// Lets the API server call a webhook at a port of this machine.
pub(crate) fn register(mesh: &Mesh, port: u16) -> Result<()> {
    let url = format!("https://127.0.0.1:{port}/validate");
    let printed = Command::new(env!("CARGO_BIN_EXE_dataproduct"))
        .args(["admission", "--webhook", "--webhook-url", &url])
        .output()?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    mesh.plane.apply(&String::from_utf8(printed.stdout)?).map(drop)
}

/// Starts the operator as a process whose webhook the API server already knows.
fn operator(mesh: &Mesh, action: &str) -> Result<Operator> {
    let port = free_port()?;
    register(mesh, port)?;
    mesh.operator_in(&[
        ("DATAPRODUCT_WEBHOOK_BIND_ADDRESS", &format!("127.0.0.1:{port}")),
        ("DATAPRODUCT_WEBHOOK_HOST", "127.0.0.1"),
        ("DATAPRODUCT_WEBHOOK_ACTION", action),
    ])
}

/// What is said of a product that is not kept; an error where it is refused.
pub(crate) fn said(mesh: &Mesh, product: &str) -> Result<Vec<String>> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), product)?;
    mesh.plane.warnings(&["create", "--dry-run=server", "-f", &file.path().display().to_string()])
}

/// A product that reads what nobody has.
pub(crate) fn astray() -> String {
    small("orders", "orders", "astray", "  lineage: {upstreamProducts: [nowhere]}\n")
}

/// Waits until the webhook answers out of a complete index.
pub(crate) async fn wait_answers(mesh: &Mesh) -> Result<()> {
    wait_for("an answer of the webhook", PATIENCE, || async {
        let said = said(mesh, &astray())?;
        Ok(Seen::when(said.iter().any(|line| line.contains("LINEAGE-001")), (), said))
    })
    .await
}

#[tokio::test]
async fn whoever_applies_a_product_is_told_of_taken_names_unknown_upstreams_and_another_domain() -> Result<()>
{
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let mut operator = operator(&mesh, "warn")?;
    wait_answers(&mesh).await?;
    let shared = "  provisioning: {names: {bucket: orders-shared}}\n";
    mesh.plane.apply(&small("orders", "orders", "first", shared))?;
    mesh.wait_condition(("orders", "first"), "Ready", "True", "Ready").await?;
    let writes = mesh.product_writes()?;

    let undescribed = small("orders", "orders", "third", "").replace("  description: A small product.\n", "");
    let unclassified = small("orders", "orders", "third", "").replace("classification: internal, ", "");
    let cases = [
        ("a good one", small("orders", "orders", "second", ""), None),
        (
            "a name that is taken",
            small("orders", "orders", "second", shared),
            Some("the external name orders-shared belongs to the older product orders/first"),
        ),
        (
            "an unknown upstream",
            astray(),
            Some("[LINEAGE-001] The upstream product orders/nowhere does not exist"),
        ),
        (
            "itself as upstream",
            small("orders", "orders", "round", "  lineage: {upstreamProducts: [round]}\n"),
            Some("[LINEAGE-002] The product reads itself"),
        ),
        (
            "the domain of others",
            small("orders", "customer", "third", ""),
            Some("spec.domain is customer, but namespace orders belongs to domain orders"),
        ),
        (
            "an error in grace",
            undescribed,
            Some("[DOC-001] Product description missing. Add spec.description"),
        ),
        // What the API server's own policies tell is left to them.
        ("an enforced error", unclassified, None),
    ];
    for (case, product, expected) in cases {
        let said = said(&mesh, &product).with_context(|| case)?;
        let found = expected.is_none_or(|expected| said.iter().any(|line| line.contains(expected)));
        ensure!(found && said.is_empty() == expected.is_none(), "{case}: {said:#?}");
    }
    ensure!(mesh.product_writes()? == writes, "an answer writes nothing");
    let counted = operator.metrics().await?;
    for result in ["allowed", "warned"] {
        let none = format!("datamesh_admission_answers_total{{result=\"{result}\"}} 0\n");
        ensure!(counted.contains(&none.replace(" 0\n", " ")) && !counted.contains(&none), "{counted}");
    }

    // Without the operator nobody warns, and nobody is kept from anything.
    operator.kill9();
    let silent = said(&mesh, &astray())?;
    ensure!(silent.is_empty(), "{silent:?}");
    mesh.plane.apply(&astray()).map(drop)
}

#[tokio::test]
async fn what_will_stop_change_is_refused_where_that_is_asked_and_nothing_else() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let unclassified =
        |name: &str| small("orders", "orders", name, "").replace("classification: internal, ", "");
    mesh.plane.apply(&unclassified("before"))?;
    let operator = operator(&mesh, "deny")?;
    wait_answers(&mesh).await?;
    let refused = |product: &str, expected: &str| {
        let Err(error) = said(&mesh, product) else { anyhow::bail!("let in: {product}") };
        let error = format!("{error:#}");
        ensure!(error.contains("denied the request") && error.contains(expected), "{error}");
        Ok(())
    };
    refused(&small("orders", "customer", "new", ""), "spec.domain is customer, but namespace orders")?;
    refused(&unclassified("new"), "[SEC-001] Data classification not specified")?;
    let shared = "  provisioning: {names: {bucket: orders-shared}}\n";
    mesh.plane.apply(&small("orders", "orders", "first", shared))?;
    mesh.wait_condition(("orders", "first"), "Ready", "True", "Ready").await?;
    refused(&small("orders", "orders", "new", shared), "belongs to the older product orders/first")?;
    // A draft, a warning and an error in grace stop nothing.
    let draft = unclassified("new").replace("version:", "lifecycle: Draft\n  version:");
    said(&mesh, &draft)?;
    let undescribed = small("orders", "orders", "new", "").replace("  description: A small product.\n", "");
    said(&mesh, &undescribed)?;

    // What was let in before can be labelled, and its spec must be good from then on.
    mesh.plane.kubectl(&["label", "dp", "before", "-n", "orders", "tier=gold"])?;
    let change = r#"{"spec":{"description":"Other words."}}"#;
    let changed = mesh.patch_product(("orders", "before"), change);
    ensure!(changed.is_err_and(|error| error.to_string().contains("SEC-001")), "a change is refused");

    // An exception counts here as everywhere.
    let expires = jiff::Timestamp::now().checked_add(SignedDuration::from_hours(24))?;
    mesh.plane.apply(&format!(
        "apiVersion: datamesh.io/v1beta1
kind: PolicyException
metadata: {{name: moving, namespace: orders}}
spec: {{productRef: {{name: before}}, policyIds: [SEC-001], reason: It moves, expiresAt: {expires}}}
"
    ))?;
    let approval = r#"{"status":{"approval":{"decision":"Approved","by":"alice","generation":1}}}"#;
    let target =
        ["patch", "pex", "moving", "-n", "orders", "--subresource=status", "--type", "merge", "-p", approval];
    mesh.plane.kubectl(&target)?;
    wait_for("the exception counts", PATIENCE, || async {
        let changed = mesh.patch_product(("orders", "before"), change);
        Ok(Seen::when(changed.is_ok(), (), changed))
    })
    .await?;
    // In a domain that is not enforced yet, an error is a warning.
    mesh.patch("datadomain", "orders", r#"{"spec":{"enforcement":"Grace"}}"#)?;
    wait_for("the domain is in grace", PATIENCE, || async {
        let said = said(&mesh, &unclassified("new"));
        let warned = said.as_ref().is_ok_and(|said| said.iter().any(|line| line.contains("[SEC-001]")));
        Ok(Seen::when(warned, (), said))
    })
    .await?;
    operator.terminate().await
}
