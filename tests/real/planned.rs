//! `dataproduct plan` against a live mesh: what it says is what the operator then does.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    fixture::{Mesh, example},
    support::control_plane::Options,
};

/// What is planned for a file, and the exit code.
fn plan(mesh: &Mesh, manifest: &str, more: &[&str]) -> Result<(Option<i32>, Value)> {
    let (code, told, _) = planned(mesh, manifest, more)?;
    Ok((code, told))
}

/// The same with what is said beside it.
fn planned(mesh: &Mesh, manifest: &str, more: &[&str]) -> Result<(Option<i32>, Value, String)> {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    std::fs::write(file.path(), manifest)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataproduct"));
    command.arg("plan").arg(file.path()).args(["-o", "json"]).args(more);
    let output = command.arg("--kubeconfig").arg(mesh.plane.kubeconfig_path()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = serde_json::from_slice(&output.stdout).with_context(|| said.clone())?;
    Ok((output.status.code(), told, said))
}

/// The resources that a plan touches with a verb.
fn resources(told: &Value, verb: &str) -> BTreeSet<String> {
    let steps = told["products"][0]["steps"].as_array().into_iter().flatten();
    let of_verb = steps.filter(|step| step["verb"] == verb);
    of_verb
        .filter_map(|step| Some(format!("{}/{}", step["kind"].as_str()?, step["name"].as_str()?)))
        .collect()
}

#[tokio::test]
async fn what_a_plan_says_is_what_the_operator_does() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let manifest = example("customer-360.yaml")?;
    let name = ("customer", "customer-360");

    let (code, new) = plan(&mesh, &manifest, &[])?;
    ensure!(code == Some(1) && resources(&new, "create").len() == 5, "{new:#}");
    let operator = mesh.operator()?;
    mesh.plane.apply(&manifest)?;
    let status = mesh.wait_condition(name, "Ready", "True", "Ready").await?;
    let made = status.resources.iter().map(|it| format!("{}/{}", it.kind, it.name)).collect::<BTreeSet<_>>();
    ensure!(resources(&new, "create") == made, "{new:#}");

    let (code, same) = plan(&mesh, &manifest, &[])?;
    ensure!(code == Some(0) && same["changed"] == false, "{same:#}");
    let hash = status.plan.and_then(|plan| plan.hash);
    ensure!(same["products"][0]["hash"].as_str() == hash.as_deref(), "{same:#} and {hash:?}");

    let changed = manifest.replace("target: 1 hour", "target: 3 hours");
    ensure!(changed != manifest, "the example promises something else");
    let (code, told) = plan(&mesh, &changed, &[])?;
    let updated = BTreeSet::from(["FreshnessAlarm/customer-customer-360-freshness".to_owned()]);
    ensure!(code == Some(1) && resources(&told, "update") == updated, "{told:#}");
    ensure!(told["products"][0]["steps"].as_array().is_some_and(|steps| steps.len() == 1), "{told:#}");
    mesh.plane.apply(&changed)?;
    let status = mesh.wait_condition(name, "Ready", "True", "Ready").await?;
    let hash = status.plan.and_then(|plan| plan.hash);
    ensure!(told["products"][0]["hash"].as_str() == hash.as_deref(), "{told:#} and {hash:?}");
    let events = mesh.plane.kubectl(&[
        "get",
        "events.events.k8s.io",
        "-n",
        "customer",
        "--field-selector=reason=ResourceUpdated",
        "-o",
        "jsonpath={.items[*].note}",
    ])?;
    ensure!(events.starts_with("FreshnessAlarm/customer-customer-360-freshness: "), "{events}");

    let (code, told) = plan(&mesh, &changed, &["--delete"])?;
    ensure!(code == Some(1) && resources(&told, "release").len() == 3, "{told:#}");
    ensure!(resources(&told, "delete").len() == 2, "{told:#}");
    operator.terminate().await?;

    // What the operator does not judge, it does not change.
    mesh.plane.kubectl(&["delete", "platformstandards", "default"])?;
    let (code, told, said) = planned(&mesh, &manifest, &[])?;
    ensure!(!said.contains("judge"), "{said}");
    let why = told["products"][0]["blockers"][0].as_str().unwrap_or_default();
    ensure!(code == Some(1) && why.starts_with("there is no PlatformStandards named default"), "{told:#}");
    ensure!(told["products"][0]["steps"][0]["held"] == true, "{told:#}");
    Ok(())
}
