//! Deletion: data stays unless three locks are open, and a product can go when its surroundings are gone.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

fn delete(mesh: &Mesh, name: &str) -> Result<()> {
    mesh.plane.kubectl(&["delete", "dp", name, "-n", "orders", "--wait=false"]).map(|_| ())
}

#[tokio::test]
async fn data_is_retained_and_taken_back_by_the_same_manifest() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    let manifest = small("orders", "orders", "kept", "");
    mesh.plane.apply(&manifest)?;
    let first = mesh.wait_condition(("orders", "kept"), "Ready", "True", "Ready").await?;
    fs::write(mesh.bucket("orders-kept-000000000000").join("file"), b"data")?;
    delete(&mesh, "kept")?;
    mesh.wait_gone("orders", "kept").await?;
    let left = mesh
        .ledger()?
        .into_iter()
        .map(|(kind, _, phase, released)| (kind, phase, released))
        .collect::<Vec<_>>();
    let stays = |kind: &str| (kind.to_owned(), "ready".to_owned(), true);
    ensure!(left == [stays("Bucket"), stays("CatalogDatabase"), stays("EncryptionKey")], "{left:?}");

    mesh.plane.apply(&manifest)?;
    let second = mesh.wait_condition(("orders", "kept"), "Ready", "True", "Ready").await?;
    let key = |status: &dataproduct_operator::api::DataProductStatus| {
        status.outputs.clone().and_then(|it| it.encryption_key_arn)
    };
    ensure!(key(&first) == key(&second), "the same key is taken back");
    ensure!(fs::read(mesh.bucket("orders-kept-000000000000").join("file"))? == b"data", "with the data");
    Ok(())
}

#[tokio::test]
async fn data_goes_only_with_policy_confirmation_no_consumers_and_an_empty_bucket() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "doomed", "  provisioning: {deletionPolicy: Delete}"))?;
    mesh.plane.apply(&small("orders", "orders", "reader", "  lineage: {upstreamProducts: [doomed]}"))?;
    mesh.wait_condition(("orders", "doomed"), "Ready", "True", "Ready").await?;
    mesh.wait_condition(("orders", "reader"), "Ready", "True", "Ready").await?;
    let bucket = mesh.bucket("orders-doomed-000000000000");
    fs::write(bucket.join("file"), b"data")?;
    let blocked = |word: &'static str| {
        let mesh = &mesh;
        async move {
            wait_for(word, PATIENCE, || async {
                let status = mesh.status("orders", "doomed").await?;
                let stalled = status.condition("Stalled").cloned();
                let is_so = stalled
                    .as_ref()
                    .is_some_and(|it| it.reason == "DeletionBlocked" && it.message.contains(word));
                Ok(Seen::when(is_so, (), stalled))
            })
            .await
        }
    };
    delete(&mesh, "doomed")?;
    blocked("still consume it").await?;
    mesh.patch_product(("orders", "reader"), r#"{"spec":{"lineage":null}}"#)?;
    blocked("confirm").await?;
    mesh.annotate(("orders", "doomed"), "datamesh.io/confirm-deletion=doomed")?;
    blocked("not empty").await?;
    ensure!(fs::read(bucket.join("file"))? == b"data", "nothing is ever emptied");
    fs::remove_file(bucket.join("file"))?;
    mesh.annotate(("orders", "doomed"), "datamesh.io/reconcile-at=emptied")?;
    mesh.wait_gone("orders", "doomed").await?;
    let left = mesh.ledger()?.into_iter().filter(|row| row.1.contains("doomed")).collect::<Vec<_>>();
    ensure!(left.len() == 1 && left[0].0 == "EncryptionKey" && left[0].2 == "pending-deletion", "{left:?}");
    ensure!(!bucket.exists(), "the bucket is gone");
    Ok(())
}

#[tokio::test]
async fn a_product_can_go_when_its_domain_or_its_class_is_gone() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    for name in ["one", "two"] {
        mesh.plane.apply(&small("orders", "orders", name, ""))?;
        mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
    }
    mesh.plane.kubectl(&["delete", "datadomain", "orders"])?;
    mesh.wait_condition(("orders", "one"), "Ready", "False", "NoDomain").await?;
    delete(&mesh, "one")?;
    mesh.wait_gone("orders", "one").await?;
    let released = mesh.ledger()?.into_iter().filter(|row| row.1.contains("one")).collect::<Vec<_>>();
    ensure!(released.len() == 3 && released.iter().all(|row| row.3), "{released:?}");

    mesh.plane.kubectl(&["delete", "providerclass", "local"])?;
    delete(&mesh, "two")?;
    mesh.wait_gone("orders", "two").await?;
    let events = mesh.plane.kubectl(&["get", "events", "-n", "orders"])?;
    ensure!(events.contains("LeftBehind"), "what is left behind is said: {events}");
    Ok(())
}

#[tokio::test]
async fn a_removed_definition_takes_the_products_along_and_none_of_their_data() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let mut operator = mesh.operator()?;
    let names = ["one", "two", "three"];
    for name in names {
        mesh.plane.apply(&small("orders", "orders", name, ""))?;
        mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
        fs::write(mesh.bucket(&format!("orders-{name}-000000000000")).join("file"), b"data")?;
    }
    let definition = ["crd", "dataproducts.datamesh.io"];
    mesh.plane.kubectl(&["delete", definition[0], definition[1], "--wait=false"])?;
    wait_for("the definition is gone", PATIENCE, || async {
        let found = mesh.plane.kubectl_raw(&["get", definition[0], definition[1]])?;
        Ok(Seen::when(!found.status.success(), (), String::from_utf8_lossy(&found.stdout).into_owned()))
    })
    .await?;
    let left = mesh.ledger()?;
    ensure!(left.len() == 9 && left.iter().all(|row| row.3), "all of it released: {left:?}");

    mesh.plane.install_crds()?;
    for name in names {
        mesh.plane.apply(&small("orders", "orders", name, ""))?;
        mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
        let file = mesh.bucket(&format!("orders-{name}-000000000000")).join("file");
        ensure!(fs::read(file)? == b"data", "the data is taken back");
    }
    ensure!(operator.is_running(), "by the same process");
    Ok(())
}

#[tokio::test]
async fn a_suspended_product_stays_until_it_may_let_go() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "held", ""))?;
    mesh.wait_condition(("orders", "held"), "Ready", "True", "Ready").await?;
    mesh.plane.apply(&small("orders", "orders", "held", "  suspend: true"))?;
    let before = mesh.ledger()?;
    delete(&mesh, "held")?;
    let status = mesh.wait_condition(("orders", "held"), "Stalled", "True", "DeletionBlocked").await?;
    let message = status.condition("Stalled").map(|stalled| stalled.message.clone()).unwrap_or_default();
    ensure!(message.contains("spec.suspend"), "{message}");
    ensure!(mesh.ledger()? == before, "nothing is touched: {:?}", mesh.ledger()?);
    mesh.plane.apply(&small("orders", "orders", "held", "  suspend: false"))?;
    mesh.wait_gone("orders", "held").await
}

#[tokio::test]
async fn a_namespace_with_twenty_products_can_be_deleted() -> Result<()> {
    let mesh = Mesh::start(Options { controller_manager: true, ..Options::default() }).await?;
    let _operator = mesh.operator()?;
    let manifests =
        (0..20).map(|n| small("orders", "orders", &format!("p{n}"), "")).collect::<Vec<_>>().join("---\n");
    mesh.plane.apply(&manifests)?;
    for n in 0..20 {
        mesh.wait_condition(("orders", &format!("p{n}")), "Ready", "True", "Ready").await?;
    }
    mesh.plane.kubectl(&["delete", "namespace", "orders", "--wait=false"])?;
    wait_for("the namespace is gone", PATIENCE, || async {
        let answer = mesh.plane.kubectl_raw(&["get", "namespace", "orders"])?;
        Ok(Seen::when(!answer.status.success(), (), String::from_utf8_lossy(&answer.stdout).into_owned()))
    })
    .await?;
    let rows = mesh.ledger()?;
    ensure!(
        rows.len() == 60 && rows.iter().all(|row| row.3),
        "every bucket, key and database is released: {}",
        rows.len()
    );
    Ok(())
}

#[tokio::test]
async fn delete_and_recreate_under_the_same_name_ends_with_the_new_object_ready() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    let manifest = small("orders", "orders", "again", "");
    let mut before = None;
    for _ in 0..3 {
        mesh.plane.apply(&manifest)?;
        mesh.wait_condition(("orders", "again"), "Ready", "True", "Ready").await?;
        let uid = mesh.products("orders").get("again").await?.metadata.uid;
        ensure!(uid != before, "it is another object");
        before = uid;
        mesh.plane.kubectl(&["delete", "dp", "again", "-n", "orders"])?;
    }
    // The finalizer taken away by force leaves marks of an object that cannot exist any more; the next one takes over.
    mesh.plane.apply(&manifest)?;
    mesh.wait_condition(("orders", "again"), "Ready", "True", "Ready").await?;
    mesh.patch("providerclass", "local", r#"{"spec":{"driftPolicy":"Report"}}"#)?;
    let rows = mesh.ledger()?;
    ensure!(rows.len() == 5 && rows.iter().all(|row| !row.3), "{rows:?}");
    mesh.products("orders").get("again").await?.metadata.finalizers.context("our finalizer")?;
    Ok(())
}

#[tokio::test]
async fn a_domain_that_moves_to_another_account_strands_nothing() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "rooted", ""))?;
    mesh.wait_condition(("orders", "rooted"), "Ready", "True", "Ready").await?;
    let elsewhere = r#"{"spec":{"account":{"id":"111111111111"}}}"#;
    mesh.patch("datadomain", "orders", elsewhere)?;
    let refused = mesh.wait_condition(("orders", "rooted"), "Ready", "False", "PlaceChanged").await?;
    ensure!(refused.condition("Stalled").is_some(), "somebody must decide");
    ensure!(mesh.ledger()?.len() == 5, "nothing is made a second time: {:?}", mesh.ledger()?);
    delete(&mesh, "rooted")?;
    mesh.wait_gone("orders", "rooted").await?;
    let left = mesh.ledger()?;
    ensure!(left.len() == 3 && left.iter().all(|row| row.3), "released where it is: {left:?}");
    Ok(())
}
