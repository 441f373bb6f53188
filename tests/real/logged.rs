//! What the operator logs: one line when something turned, in JSON where that is asked for, and none otherwise.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        operator::Operator,
        wait::{Seen, wait_for},
    },
};

const JSON: (&str, &str) = ("DATAPRODUCT_LOG_FORMAT", "json");

/// The lines of a log so far, each of which has to be an object.
fn lines(operator: &Operator) -> Result<Vec<Value>> {
    let log = fs::read_to_string(&operator.log)?;
    // The last may be in the midst of being written.
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    whole.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// Asks for a visit and waits until it is over.
async fn visit(mesh: &Mesh, name: &str, token: &str) -> Result<()> {
    mesh.annotate(("orders", name), &format!("datamesh.io/reconcile-at={token}"))?;
    wait_for("the visit is over", PATIENCE, || async {
        let handled = mesh.status("orders", name).await?.last_handled_reconcile_at;
        Ok(Seen::when(handled.as_deref() == Some(token), (), handled))
    })
    .await
}

#[tokio::test]
async fn a_turn_is_one_line_and_visits_that_change_nothing_are_none() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator_in(&[JSON])?;
    mesh.plane.apply(&small("orders", "orders", "sound", ""))?;
    mesh.wait_condition(("orders", "sound"), "Ready", "True", "Ready").await?;
    visit(&mesh, "sound", "0").await?;
    let turned = lines(&operator)?;
    let of_ready = turned.iter().filter(|line| line["fields"]["condition"] == "Ready").collect::<Vec<_>>();
    ensure!(of_ready.len() == 1, "{of_ready:#?}");
    let line = of_ready[0];
    ensure!(line["level"] == "INFO" && line["timestamp"].is_string(), "{line}");
    ensure!(line["fields"]["status"] == "True" && line["fields"]["reason"] == "Ready", "{line}");
    ensure!(line["span"]["product"] == "orders/sound" && line["span"]["name"] == "visit", "{line}");
    ensure!(line["span"]["generation"] == 1, "{line}");

    for token in ["1", "2", "3"] {
        visit(&mesh, "sound", token).await?;
    }
    let rested = lines(&operator)?;
    ensure!(
        rested.len() == turned.len(),
        "visits that change nothing are told: {:#?}",
        &rested[turned.len()..]
    );

    mesh.patch_product(("orders", "sound"), r#"{"spec": {"access": {"classification": null}}}"#)?;
    mesh.wait_condition(("orders", "sound"), "Ready", "False", "PolicyErrors").await?;
    visit(&mesh, "sound", "4").await?;
    let broken = lines(&operator)?;
    let told = &broken[rested.len()..];
    ensure!(told.len() == 1 && told[0]["fields"]["reason"] == "PolicyErrors", "{told:#?}");
    ensure!(told[0]["span"]["trigger"] == "spec" && told[0]["span"]["generation"] == 2, "{told:#?}");
    Ok(())
}

#[tokio::test]
async fn a_failure_that_lasts_is_one_line() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator_in(&[JSON])?;
    // A bucket of somebody else is in the way.
    mesh.plane.apply(&small(
        "orders",
        "orders",
        "first",
        "  provisioning: {names: {bucket: taken-by-hand}}",
    ))?;
    mesh.wait_condition(("orders", "first"), "Ready", "True", "Ready").await?;
    mesh.plane.apply(&small(
        "orders",
        "orders",
        "second",
        "  provisioning: {names: {bucket: taken-by-hand}}",
    ))?;
    mesh.wait_condition(("orders", "second"), "Ready", "False", "NameConflict").await?;
    visit(&mesh, "second", "0").await?;
    let first = lines(&operator)?;
    let of_second =
        |lines: &[Value]| lines.iter().filter(|it| it["span"]["product"] == "orders/second").count();
    ensure!(of_second(&first) >= 1, "{first:#?}");
    for token in ["1", "2", "3"] {
        visit(&mesh, "second", token).await?;
    }
    let later = lines(&operator)?;
    ensure!(of_second(&later) == of_second(&first), "{later:#?}");
    Ok(())
}
