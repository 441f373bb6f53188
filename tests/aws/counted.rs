//! How many calls it costs to make products and to watch over them. Counts are exact and gate.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use anyhow::Result;
use dataproduct_operator::{
    model::resource::Look,
    plan::Declared,
    provider::{
        SharedProvider,
        aws::{Call, Clock},
    },
};
use futures::future::try_join_all;

use crate::{
    mesh::{assert_done, product, visit},
    world::{AwsWorld, hand_turned},
};

/// Visits products at the same time.
async fn visit_all(provider: &SharedProvider, products: &mut [Declared], look: Look) -> Result<()> {
    let visits = try_join_all(products.iter_mut().map(|product| visit(provider, product, look))).await?;
    visits.iter().for_each(assert_done);
    Ok(())
}

fn products(count: usize) -> Vec<Declared> {
    (0..count).map(|number| product(&format!("p{number}"))).collect()
}

/// The writes among the calls so far, by operation.
fn writes(world: &AwsWorld) -> BTreeMap<&'static str, u64> {
    let made = Call::ALL
        .iter()
        .filter(|call| call.changes())
        .map(|call| (call.name(), world.calls.succeeded(*call)));
    made.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn one_product_costs_the_writes_that_are_documented() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    visit_all(&world.shared(), &mut products(1), Look::Full).await?;
    let expected = [
        ("BatchGrantPermissions", 1),
        ("CreateAlias", 1),
        ("CreateBucket", 1),
        ("CreateDatabase", 1),
        ("CreateKey", 1),
        ("CreateTopic", 1),
        ("EnableKeyRotation", 1),
        ("PutBucketEncryption", 1),
        ("PutBucketPolicy", 1),
        ("PutBucketVersioning", 1),
        ("PutMetricAlarm", 1),
        // Only here: the emulator does not close new buckets by itself, as the service does.
        ("PutPublicAccessBlock", 1),
    ];
    assert_eq!(writes(&world), expected.into());
    Ok(())
}

#[tokio::test]
async fn twenty_products_of_one_moment_share_their_grants_and_their_topic() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    visit_all(&world.shared(), &mut products(20), Look::Full).await?;
    let writes = writes(&world);
    let alone = ["CreateAlias", "CreateBucket", "CreateDatabase", "CreateKey", "EnableKeyRotation"];
    let more = ["PutBucketEncryption", "PutBucketPolicy", "PutBucketVersioning", "PutMetricAlarm"];
    for operation in alone.iter().chain(&more) {
        assert_eq!(writes.get(operation), Some(&20), "{operation}");
    }
    assert_eq!(writes.get("CreateTopic"), Some(&1), "one for the domain");
    let grants = writes.get("BatchGrantPermissions").copied().unwrap_or_default();
    assert!(grants < 20, "grants of one moment go together: {grants}");
    Ok(())
}

#[tokio::test]
async fn an_idle_sweep_of_two_hundred_products_costs_less_than_half_a_call_each() -> Result<()> {
    const PRODUCTS: usize = 200;
    const SWEEPS: u64 = 6;
    let (clock, seconds) = hand_turned();
    let world = AwsWorld::steady(clock).await?;
    let mut products = products(PRODUCTS);
    for some in products.chunks_mut(10) {
        visit_all(&world.shared(), some, Look::Full).await?;
    }

    let before = world.calls.total();
    // Ten minutes a sweep, in which the visits are spread as the operator spreads them.
    let pause = 600 / PRODUCTS as u64;
    for _ in 0..SWEEPS {
        for product in &mut products {
            seconds.fetch_add(pause, Ordering::SeqCst);
            let visit = visit(&world.shared(), product, Look::Usual).await?;
            assert!(visit.in_sync && visit.outcomes.is_empty(), "{:?}", visit.status.resources);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of a test")]
    let each = (world.calls.total() - before) as f64 / (PRODUCTS as u64 * SWEEPS) as f64;
    println!("{each:.3} calls a product and sweep: {:#?}", world.calls.snapshot());
    assert!(each <= 0.5, "{each} calls a product and sweep: {:#?}", world.calls.snapshot());
    Ok(())
}
