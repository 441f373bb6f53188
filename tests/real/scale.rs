//! Two hundred products: the operator is killed in the middle, and at rest it is silent.

use anyhow::{Result, ensure};
use dataproduct_operator::api::DataProduct;
use kube::{Api, api::ListParams};

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

const PRODUCTS: usize = 200;

#[tokio::test]
async fn two_hundred_products_survive_kill_9_and_then_rest() -> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let manifests =
        (0..PRODUCTS).map(|n| small("orders", "orders", &format!("p{n}"), "")).collect::<Vec<_>>();
    mesh.plane.apply(&manifests.join("---\n"))?;
    let products: Api<DataProduct> = mesh.products("orders");
    let ready = || async {
        let listed = products.list(&ListParams::default()).await?;
        let ready = |product: &&DataProduct| {
            let status = product.status.as_ref();
            status.and_then(|status| status.condition("Ready")).is_some_and(|ready| ready.status == "True")
        };
        anyhow::Ok(listed.items.iter().filter(ready).count())
    };
    // Killed again and again, each time when some more of the work is done.
    for part in [1, 40, 120] {
        let mut operator = mesh.operator()?;
        wait_for("some are ready", PATIENCE, || async {
            let count = ready().await?;
            Ok(Seen::when(count >= part, (), count))
        })
        .await?;
        operator.kill9();
    }
    let _operator = mesh.operator()?;
    wait_for("all are ready", PATIENCE, || async {
        let count = ready().await?;
        Ok(Seen::when(count == PRODUCTS, (), count))
    })
    .await?;

    let rows = mesh.ledger()?;
    for kind in ["EncryptionKey", "Bucket", "CatalogDatabase", "Grant", "FreshnessAlarm"] {
        let count = rows.iter().filter(|row| row.0 == kind && row.2 == "ready" && !row.3).count();
        ensure!(count == PRODUCTS, "{count} of {kind}");
    }
    ensure!(rows.len() == 5 * PRODUCTS, "nothing more than that: {}", rows.len());

    // Three rounds of looks at everything: not one write but the echo that each look asks for, and none without.
    let before = mesh.product_writes()?;
    mesh.plane.kubectl(&["label", "dp", "--all", "-n", "orders", "touched=yes"])?;
    mesh.annotate(("orders", "p0"), "datamesh.io/reconcile-at=last")?;
    wait_for("the last look is echoed", PATIENCE, || async {
        let echoed = mesh.status("orders", "p0").await?.last_handled_reconcile_at;
        Ok(Seen::when(echoed.as_deref() == Some("last"), (), echoed))
    })
    .await?;
    mesh.expect_writes(before + 1).await?;
    Ok(())
}
