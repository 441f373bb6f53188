//! Two operators that do not know of each other: the Lease is for speed, and without it nothing may be made twice.

use anyhow::{Result, ensure};

use crate::{audit::Auditor, cluster::Cluster, fixture::small};

const PRODUCTS: usize = 6;

#[tokio::test]
async fn two_replicas_without_a_lease_make_one_of_each_and_leave_nothing() -> Result<()> {
    let cluster = Cluster::start().await?;
    let auditor = Auditor::of(&cluster.emulators);
    let _first = cluster.operator()?;
    let _second = cluster.operator()?;
    let names = (0..PRODUCTS).map(|number| format!("p{number}")).collect::<Vec<_>>();
    let all = names.iter().map(|name| small("orders", "orders", name, "")).collect::<Vec<_>>();
    cluster.mesh.plane.apply(&all.join("\n---\n"))?;
    for name in &names {
        cluster.ready(name).await?;
        let keys = auditor.keys(&format!("orders/{name}")).await?;
        ensure!(keys == (1, 0), "{name}: {keys:?}");
    }
    for name in &names {
        cluster.mesh.plane.kubectl(&["delete", "dp", name, "-n", "orders", "--timeout=60s"])?;
        let keys = auditor.keys(&format!("orders/{name}")).await?;
        ensure!(keys == (1, 0), "the key of {name} stays: {keys:?}");
    }
    Ok(())
}
