//! Several operators on one mesh: the Lease is for speed, and without it, or when its holder sleeps, nothing may be made twice.

use anyhow::{Result, ensure};

use crate::{
    audit::Auditor,
    cluster::Cluster,
    fixture::{PATIENCE, small},
    support::wait::{Seen, wait_for},
};

const PRODUCTS: usize = 6;

#[tokio::test]
async fn two_replicas_without_a_lease_make_one_of_each_and_leave_nothing() -> Result<()> {
    let cluster = Cluster::start().await?;
    let auditor = Auditor::of(&cluster.emulators);
    let first = cluster.operator()?;
    let second = cluster.operator()?;
    let names = apply_all(&cluster)?;
    converged(&cluster, &names).await?;
    for replica in [&first, &second] {
        let metrics = replica.metrics().await?;
        ensure!(metrics.contains("datamesh_provider_operations_total{"), "both were at work: {metrics}");
    }
    for name in &names {
        cluster.mesh.plane.kubectl(&["delete", "dp", name, "-n", "orders", "--timeout=60s"])?;
        let keys = auditor.keys(&format!("orders/{name}")).await?;
        ensure!(keys == (1, 0), "the key of {name} stays: {keys:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_leader_that_sleeps_is_followed_and_finds_nothing_to_do_when_it_wakes() -> Result<()> {
    let cluster = Cluster::start().await?;
    let mut first = cluster.replica("first")?;
    wait_for("the first leads", PATIENCE, || async {
        let text = first.metrics().await.unwrap_or_default();
        Ok(Seen::when(
            text.contains("leader_election_master_status{name=\"dataproduct-operator\"} 1"),
            (),
            text,
        ))
    })
    .await?;
    let _second = cluster.replica("second")?;
    let names = apply_all(&cluster)?;
    let before = cluster.moto.calls("kms", "CreateKey").await?;
    wait_for("something is made", PATIENCE, || async {
        let calls = cluster.moto.calls("kms", "CreateKey").await?;
        Ok(Seen::when(calls > before, (), calls))
    })
    .await?;
    first.signal("STOP")?;
    converged(&cluster, &names).await?;
    first.signal("CONT")?;
    wait_for("the first ends", PATIENCE, || {
        let running = first.is_running();
        async move { Ok(Seen::when(!running, (), "still running")) }
    })
    .await?;
    converged(&cluster, &names).await
}

fn apply_all(cluster: &Cluster) -> Result<Vec<String>> {
    let names = (0..PRODUCTS).map(|number| format!("p{number}")).collect::<Vec<_>>();
    let all = names.iter().map(|name| small("orders", "orders", name, "")).collect::<Vec<_>>();
    cluster.mesh.plane.apply(&all.join("\n---\n"))?;
    Ok(names)
}

/// Every product is ready, and its key is there once.
async fn converged(cluster: &Cluster, names: &[String]) -> Result<()> {
    let auditor = Auditor::of(&cluster.emulators);
    for name in names {
        cluster.ready(name).await?;
        let keys = auditor.keys(&format!("orders/{name}")).await?;
        ensure!(keys == (1, 0), "{name}: {keys:?}");
    }
    Ok(())
}
