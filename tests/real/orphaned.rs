//! `dataproduct orphans`: what is left outside the cluster, told from what still has its product.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    fixture::{Mesh, small},
    support::control_plane::Options,
};

/// The number of resources by state and product, and the exit code.
fn orphans(mesh: &Mesh) -> Result<(BTreeMap<String, usize>, Option<i32>)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataproduct"));
    command.args(["orphans", "-o", "json", "--kubeconfig"]).arg(mesh.plane.kubeconfig_path());
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let left: Vec<Value> = serde_json::from_slice(&output.stdout).context(said)?;
    let mut counts = BTreeMap::new();
    for left in left {
        let told = format!(
            "{} {}",
            left["state"].as_str().unwrap_or_default(),
            left["product"].as_str().unwrap_or_default()
        );
        *counts.entry(told).or_default() += 1;
    }
    Ok((counts, output.status.code()))
}

#[tokio::test]
async fn only_what_nobody_let_go_is_orphaned() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    for name in ["stays", "leaves", "torn", "again"] {
        mesh.plane.apply(&small("orders", "orders", name, ""))?;
        mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
    }
    ensure!(orphans(&mesh)? == (BTreeMap::new(), Some(0)), "{:?}", orphans(&mesh)?);
    mesh.plane.kubectl(&["delete", "dp", "leaves", "-n", "orders", "--timeout=60s"])?;
    operator.terminate().await?;

    // Without the operator, and without its consent.
    for name in ["torn", "again"] {
        mesh.patch_product(("orders", name), r#"{"metadata":{"finalizers":null}}"#)?;
        mesh.plane.kubectl(&["delete", "dp", name, "-n", "orders", "--timeout=60s"])?;
    }
    mesh.plane.apply(&small("orders", "orders", "again", ""))?;
    let (left, code) = orphans(&mesh)?;
    let states = left.keys().map(String::as_str).collect::<Vec<_>>();
    ensure!(
        states == ["Orphaned orders/torn", "Released orders/leaves", "Superseded orders/again"],
        "{left:?}"
    );
    ensure!(left.get("Orphaned orders/torn") == left.get("Superseded orders/again"), "{left:?}");
    ensure!(code == Some(1), "{code:?}");

    // Who comes back takes its own back.
    let operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "torn", ""))?;
    for name in ["torn", "again"] {
        mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
    }
    let (left, code) = orphans(&mesh)?;
    ensure!(left.keys().map(String::as_str).collect::<Vec<_>>() == ["Released orders/leaves"], "{left:?}");
    ensure!(code == Some(0), "{code:?}");
    operator.terminate().await
}
