//! The life of products: made ready, changed, kept in sync, looked at on demand, and quiet at rest.

use std::fs;

use anyhow::{Context, Result, ensure};
use dataproduct_operator::api::status::ResourceState;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

const CUSTOMER: (&str, &str) = ("customer", "customer-360");
/// Its score, with four warnings of its own and two upstream products that do not exist here.
const SCORE: i32 = 88;

#[tokio::test]
async fn a_product_becomes_ready_with_two_writes_and_then_rests() -> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let _operator = mesh.operator()?;
    mesh.apply_example("customer-360.yaml")?;
    let status = mesh.wait_condition(CUSTOMER, "Ready", "True", "Ready").await?;
    ensure!(
        status.governance.as_ref().and_then(|governance| governance.score) == Some(SCORE),
        "{:?}",
        status.governance
    );
    // Finalizer and status.
    mesh.expect_writes(2).await?;
    ensure!(mesh.bucket("customer-customer-360-000000000000").is_dir(), "the bucket is a directory");
    ensure!(mesh.ledger()?.len() == 5, "{:?}", mesh.ledger()?);

    // A change that means nothing outside costs one status write.
    mesh.patch_product((CUSTOMER.0, CUSTOMER.1), r#"{"spec":{"description":"Other words."}}"#)?;
    mesh.wait_condition(CUSTOMER, "Ready", "True", "Ready").await?;
    mesh.expect_writes(3).await?;

    // A look on demand is echoed.
    mesh.annotate((CUSTOMER.0, CUSTOMER.1), "datamesh.io/reconcile-at=now")?;
    wait_for("the look is echoed", PATIENCE, || async {
        let echoed = mesh.status(CUSTOMER.0, CUSTOMER.1).await?.last_handled_reconcile_at;
        Ok(Seen::when(echoed.as_deref() == Some("now"), (), echoed))
    })
    .await?;
    mesh.expect_writes(4).await?;

    // kubectl's own wait works, and the event tells the story.
    mesh.plane.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "dp/customer-360",
        "-n",
        "customer",
        "--timeout=10s",
    ])?;
    let events = mesh.plane.kubectl(&["get", "events", "-n", "customer"])?;
    ensure!(events.contains("ResourceCreated") && events.contains("Ready"), "{events}");
    Ok(())
}

#[tokio::test]
async fn what_was_changed_behind_the_back_is_corrected_and_a_lost_bucket_is_not_hidden() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    mesh.apply_example("customer-360.yaml")?;
    mesh.wait_condition(CUSTOMER, "Ready", "True", "Ready").await?;
    let look =
        |token: &str| mesh.annotate((CUSTOMER.0, CUSTOMER.1), &format!("datamesh.io/reconcile-at={token}"));

    // Somebody grants a stranger access, stretches the alarm and opens new tables to everybody: all is put right.
    let ledger = rusqlite::Connection::open(mesh.root.join("ledger.db"))?;
    ledger.execute("UPDATE resources SET attributes = replace(attributes, '\"threshold_minutes\":60', '\"threshold_minutes\":999') WHERE kind = 'FreshnessAlarm'", [])?;
    ledger.execute("UPDATE resources SET attributes = replace(attributes, '{\"entries\":{', '{\"entries\":{\"stranger\":[\"ALL\"],') WHERE kind = 'Grant'", [])?;
    ledger.execute("UPDATE resources SET attributes = replace(attributes, '\"default_permissions\":[]', '\"default_permissions\":[\"SELECT\"]') WHERE kind = 'CatalogDatabase'", [])?;
    let drifted = || -> Result<String> {
        let mut rows = ledger.prepare(
            "SELECT group_concat(attributes) FROM resources WHERE kind IN ('Grant', 'FreshnessAlarm', 'CatalogDatabase')",
        )?;
        Ok(rows.query_row([], |row| row.get(0))?)
    };
    let signs = ["stranger", "999", "\"default_permissions\":[\"SELECT\"]"];
    let before = drifted()?;
    ensure!(signs.iter().all(|sign| before.contains(sign)), "{before}");
    look("drift")?;
    wait_for("the drift is corrected", PATIENCE, || async {
        let now = drifted()?;
        Ok(Seen::when(!signs.iter().any(|sign| now.contains(sign)), (), now))
    })
    .await?;

    // What the visit found is against a rule; what it says is how things are after it.
    let said = wait_for("the look is echoed", PATIENCE, || async {
        let status = mesh.status(CUSTOMER.0, CUSTOMER.1).await?;
        let echoed = status.last_handled_reconcile_at.clone();
        Ok(Seen::when(echoed.as_deref() == Some("drift"), status, echoed))
    })
    .await?;
    let governance = said.governance.context("a judgement")?;
    let observed = governance.violations.iter().find(|violation| violation.path.starts_with("status."));
    ensure!(governance.score == Some(SCORE) && observed.is_none(), "{governance:?}");

    wait_for("the correction is told", PATIENCE, || async {
        let events = mesh.plane.kubectl(&["get", "events", "-n", CUSTOMER.0])?;
        let told = ["thresholdMinutes: 999 -> 60", "principals.stranger: ALL -> absent"];
        Ok(Seen::when(told.iter().all(|change| events.contains(change)), (), events))
    })
    .await?;

    // Data arrives, is measured, and vanishes.
    let bucket = mesh.bucket("customer-customer-360-000000000000");
    fs::write(bucket.join("part-1.parquet"), b"PAR1")?;
    look("data")?;
    let met = mesh.wait_condition(CUSTOMER, "SLOsMet", "True", "Succeeded").await?;
    ensure!(
        met.slo.and_then(|slo| slo.state).map(dataproduct_operator::api::status::SloState::as_str)
            == Some("Met"),
        "freshness is met"
    );
    fs::remove_dir_all(&bucket)?;
    look("loss")?;
    let lost = mesh.wait_condition(CUSTOMER, "Ready", "False", "ResourceLost").await?;
    let resource = lost.resources.iter().find(|resource| resource.kind == "Bucket").context("a bucket")?;
    let message = resource.last_error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
    ensure!(resource.state == ResourceState::Lost && message.contains("1 object, 4 bytes"), "{message}");
    ensure!(!bucket.exists(), "nothing is replaced silently");

    // The owner accepts the loss with the words that the status gives.
    let token = message.split('"').nth(1).context("the token")?;
    mesh.annotate((CUSTOMER.0, CUSTOMER.1), &format!("datamesh.io/accept-loss={token}"))?;
    mesh.wait_condition(CUSTOMER, "Ready", "True", "Ready").await?;
    ensure!(bucket.is_dir(), "the bucket is made anew");
    Ok(())
}

#[tokio::test]
async fn a_change_of_class_domain_or_standards_reaches_just_the_products_that_it_touches() -> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let _operator = mesh.operator()?;
    for name in ["customer-360.yaml", "orders.yaml", "customer-orders.yaml"] {
        mesh.apply_example(name)?;
    }
    let products = [CUSTOMER, ("orders", "order-events"), ("insight", "customer-orders")];
    for product in products {
        mesh.wait_condition(product, "Ready", "True", "Ready").await?;
    }
    // The aggregate knows when what it reads is ready, and the sources know who reads them.
    wait_for("the neighbours are known", PATIENCE, || async {
        let aggregate = mesh.status("insight", "customer-orders").await?.lineage.unwrap_or_default();
        let source = mesh.status("orders", "order-events").await?.lineage.unwrap_or_default();
        let known = aggregate.upstream.len() == 2 && aggregate.upstream.iter().all(|upstream| upstream.ready);
        Ok(Seen::when(known && source.downstream_count == 1, (), (aggregate, source)))
    })
    .await?;

    // Only one domain leaves Enforced, and only its product says so.
    mesh.patch("datadomain", "orders", r#"{"spec":{"owner":{"email":"new@example.com"}}}"#)?;
    let tags = || -> Result<Vec<String>> {
        let ledger = rusqlite::Connection::open(mesh.root.join("ledger.db"))?;
        let mut rows = ledger.prepare(
            "SELECT name FROM resources WHERE attributes LIKE '%new@example.com%' AND kind = 'Bucket'",
        )?;
        Ok(rows.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    };
    wait_for("the domain's new owner is on its bucket", PATIENCE, || async {
        let tagged = tags()?;
        Ok(Seen::when(tagged == ["orders-order-events-000000000000"], (), tagged))
    })
    .await?;

    // Stricter standards reach everybody.
    let before = mesh
        .status(CUSTOMER.0, CUSTOMER.1)
        .await?
        .governance
        .and_then(|governance| governance.policy_set_hash);
    mesh.patch(
        "platformstandards",
        "default",
        r#"{"spec":{"standards":{"formats":{"required":["avro"],"optional":[]}}}}"#,
    )?;
    for product in products {
        mesh.wait_condition(product, "GovernanceCompliant", "False", "InGrace").await?;
        mesh.wait_condition(product, "Ready", "True", "Ready").await?;
    }
    let after = mesh
        .status(CUSTOMER.0, CUSTOMER.1)
        .await?
        .governance
        .and_then(|governance| governance.policy_set_hash);
    ensure!(before != after, "the hash of the rules moves with the standards");

    // An enforced error stops change, and what exists stays.
    let worse = r#"{"spec":{"version":"3.0.0","access":{"classification":null}}}"#;
    mesh.patch_product((CUSTOMER.0, CUSTOMER.1), worse)?;
    let stopped = mesh.wait_condition(CUSTOMER, "Ready", "False", "PolicyErrors").await?;
    let held = stopped.plan.map(|plan| plan.actions.len()).unwrap_or_default();
    ensure!(held > 0, "the change is held and shown");
    ensure!(
        mesh.ledger()?.len() == 15,
        "governance stops change and tears nothing down: {:?}",
        mesh.ledger()?
    );
    Ok(())
}

#[tokio::test]
async fn suspension_approval_observation_and_adoption_do_what_they_say() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    let product = |name: &str, provisioning: &str| small("orders", "orders", name, provisioning);

    mesh.plane.apply(&product("resting", "  suspend: true"))?;
    mesh.wait_condition(("orders", "resting"), "Ready", "False", "Suspended").await?;
    mesh.plane.apply(&product("drafted", "  lifecycle: Draft"))?;
    mesh.wait_condition(("orders", "drafted"), "Ready", "True", "Draft").await?;
    mesh.plane.apply(&product("looking", "  provisioning: {management: Observe}"))?;
    mesh.wait_condition(("orders", "looking"), "Ready", "False", "Missing").await?;
    mesh.plane.apply(&product("asking", "  provisioning: {approval: Manual}"))?;
    let asking = mesh.wait_condition(("orders", "asking"), "Ready", "False", "AwaitingApproval").await?;
    ensure!(mesh.ledger()?.is_empty(), "nothing is made before anybody allows it: {:?}", mesh.ledger()?);

    let hash = asking.plan.and_then(|plan| plan.hash).context("a hash")?;
    mesh.annotate(("orders", "asking"), &format!("datamesh.io/approve-plan={hash}"))?;
    mesh.wait_condition(("orders", "asking"), "Ready", "True", "Ready").await?;

    // A directory that somebody else made is not taken, until product and class both say so.
    let bucket = mesh.bucket("orders-found-000000000000");
    fs::create_dir_all(&bucket)?;
    fs::write(bucket.join("precious"), b"data")?;
    mesh.plane.apply(&product("found", ""))?;
    mesh.wait_condition(("orders", "found"), "Ready", "False", "NotOwned").await?;
    mesh.plane.apply(&product("found", "  provisioning: {management: AdoptOnly}"))?;
    mesh.wait_condition(("orders", "found"), "Ready", "False", "NotOwned").await?;
    mesh.patch("providerclass", "local", r#"{"spec":{"adoption":"Allowed"}}"#)?;
    wait_for("the bucket is adopted", PATIENCE, || async {
        let rows = mesh.ledger()?;
        Ok(Seen::when(
            rows.iter().any(|row| row.0 == "Bucket" && row.1 == "orders-found-000000000000"),
            (),
            rows,
        ))
    })
    .await?;
    ensure!(fs::read(bucket.join("precious"))? == b"data", "adoption keeps every file");
    Ok(())
}

#[tokio::test]
async fn a_name_that_two_products_share_is_refused_before_anything_is_made() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    mesh.plane.apply(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: ab}\n---\napiVersion: datamesh.io/v1\nkind: DataDomain\nmetadata: {name: orders-eu}\nspec: {kind: SourceAligned, enforcement: Enforced, owner: {team: t, email: t@example.com}, namespaces: [ab], providerClasses: [local]}\n",
    )?;
    let _operator = mesh.operator()?;
    // orders + eu-daily and orders-eu + daily both want the bucket orders-eu-daily-<account>.
    mesh.plane.apply(&small("orders", "orders", "eu-daily", ""))?;
    mesh.wait_condition(("orders", "eu-daily"), "Ready", "True", "Ready").await?;
    mesh.plane.apply(&small("ab", "orders-eu", "daily", ""))?;
    let refused = mesh.wait_condition(("ab", "daily"), "Ready", "False", "NameConflict").await?;
    let message = &refused.condition("Ready").context("Ready")?.message;
    ensure!(message.contains("orders/eu-daily") && message.contains("spec.provisioning.names"), "{message}");
    ensure!(mesh.ledger()?.len() == 5, "only the older product has resources: {:?}", mesh.ledger()?);

    // Once the older one is gone for good, the name is free; its data stays its own.
    mesh.plane.kubectl(&["delete", "dp", "eu-daily", "-n", "orders"])?;
    mesh.wait_condition(("ab", "daily"), "Ready", "False", "NotOwned").await?;
    Ok(())
}
