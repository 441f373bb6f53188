//! Several replicas: one leads, and another takes over when it is killed, paused or asked to end.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        operator::Operator,
        wait::{Seen, wait_for},
    },
};

const PRODUCTS: usize = 12;

fn replica(mesh: &Mesh, name: &str) -> Result<Operator> {
    mesh.operator_in(&[("DATAPRODUCT_LEADER_ELECT", "true"), ("POD_NAME", name)])
}

/// The Lease, once a replica holds it. What it says of its holder begins with the name of the pod.
async fn led_by(mesh: &Mesh, name: &str) -> Result<LeaseSpec> {
    let leases: Api<Lease> = Api::namespaced(mesh.client.clone(), "default");
    wait_for(&format!("{name} leads"), PATIENCE, || async {
        let spec =
            leases.get_opt("dataproduct-operator").await?.and_then(|lease| lease.spec).unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        Ok(Seen::when(holder.starts_with(&format!("{name}_")), spec, holder))
    })
    .await
}

async fn ready(operator: &Operator) -> Result<()> {
    wait_for("the replica is ready", PATIENCE, || async {
        let answer = operator.probe("/readyz").await;
        Ok(Seen::when(answer.is_ok(), (), answer.map_err(|error| error.to_string())))
    })
    .await
}

/// Number of operations that a replica asked of providers.
async fn operations(operator: &Operator) -> Result<usize> {
    let metrics = operator.metrics().await?;
    Ok(metrics.lines().filter(|line| line.starts_with("datamesh_provider_operations_total{")).count())
}

fn name(number: usize) -> String {
    format!("p{number:02}")
}

fn apply_all(mesh: &Mesh) -> Result<()> {
    let products =
        (0..PRODUCTS).map(|number| small("orders", "orders", &name(number), "")).collect::<Vec<_>>();
    mesh.plane.apply(&products.join("\n---\n")).map(|_| ())
}

/// Waits until something is made.
async fn midway(mesh: &Mesh) -> Result<()> {
    wait_for("something is made", PATIENCE, || async {
        let rows = mesh.ledger().unwrap_or_default().len();
        Ok(Seen::when(rows > 0, (), rows))
    })
    .await
}

/// Every product is ready, and every resource is there once.
async fn converged(mesh: &Mesh) -> Result<()> {
    for number in 0..PRODUCTS {
        mesh.wait_condition(("orders", &name(number)), "Ready", "True", "Ready").await?;
    }
    let rows = mesh.ledger()?;
    let keys = rows.iter().filter(|(kind, ..)| kind == "EncryptionKey").count();
    ensure!((rows.len(), keys) == (PRODUCTS * 5, PRODUCTS), "{} rows, {keys} keys: {rows:?}", rows.len());
    ensure!(rows.iter().all(|(_, _, phase, released)| phase == "ready" && !released), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn when_the_leader_is_killed_another_takes_over_and_nothing_is_made_twice() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let mut first = replica(&mesh, "first")?;
    let lease = led_by(&mesh, "first").await?;
    ensure!(lease.lease_transitions == Some(1) && lease.lease_duration_seconds == Some(15), "{lease:?}");
    let second = replica(&mesh, "second")?;
    // It watches and would answer the webhook, so that it is ready, and does nothing else.
    ready(&second).await?;
    ensure!(second.probe("/healthz").await?.contains("ok"), "a replica that stands by is alive");
    apply_all(&mesh)?;
    midway(&mesh).await?;
    ensure!(operations(&second).await? == 0, "who stands by asks nothing of providers");
    first.kill9();
    let lease = led_by(&mesh, "second").await?;
    ensure!(lease.lease_transitions == Some(2), "{lease:?}");
    converged(&mesh).await
}

#[tokio::test]
async fn a_leader_that_slept_longer_than_its_lease_ends_itself() -> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let mut first = replica(&mesh, "first")?;
    led_by(&mesh, "first").await?;
    let second = replica(&mesh, "second")?;
    ready(&second).await?;
    apply_all(&mesh)?;
    midway(&mesh).await?;
    first.signal("STOP")?;
    led_by(&mesh, "second").await?;
    // Whoever sleeps in the middle of a write to the ledger keeps it locked, so that the second may have to wait until now.
    first.signal("CONT")?;
    wait_for("the first ends", PATIENCE, || {
        let running = first.is_running();
        async move { Ok(Seen::when(!running, (), "still running")) }
    })
    .await?;
    let log = std::fs::read_to_string(&first.log)?;
    ensure!(log.contains("the lease is lost"), "{log}");
    converged(&mesh).await
}

#[tokio::test]
async fn who_is_asked_to_end_gives_the_lease_back_and_who_stands_by_ends_at_once() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let first = replica(&mesh, "first")?;
    led_by(&mesh, "first").await?;
    let second = replica(&mesh, "second")?;
    ready(&second).await?;
    // Visits of the one that stands by wait, and must not hold up its end.
    mesh.plane.apply(&small("orders", "orders", "p", ""))?;
    mesh.wait_condition(("orders", "p"), "Ready", "True", "Ready").await?;
    second.terminate().await?;
    first.terminate().await?;
    let leases: Api<Lease> = Api::namespaced(mesh.client.clone(), "default");
    let spec = leases.get("dataproduct-operator").await?.spec.context("a spec")?;
    ensure!(spec.holder_identity.is_none(), "{spec:?}");
    let _third = replica(&mesh, "third")?;
    led_by(&mesh, "third").await.map(|_| ())
}
