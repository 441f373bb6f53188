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
    mesh::{assert_done, class, product, visit},
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

/// The calls of one product as the page says them: between these lines is a table of calls and how often each is made.
fn documented() -> BTreeMap<String, u64> {
    const BEGIN: &str = "<!-- Counted by tests/aws/counted.rs. -->";
    const END: &str = "<!-- End of what is counted. -->";
    let page = include_str!("../../deploy/aws/README.md");
    let table = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).expect("the table").0;
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (call, times) = (cells.next()?.trim_matches('`'), cells.next()?.parse().ok()?);
        Some((call.to_owned(), times))
    });
    rows.collect()
}

#[tokio::test]
async fn one_product_costs_the_calls_that_are_documented() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    visit_all(&world.shared(), &mut products(1), Look::Full).await?;
    let made = Call::ALL.iter().map(|call| (call.name().to_owned(), world.calls.made(*call)));
    let made = made.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>();
    assert_eq!(made, documented(), "the page deploy/aws/README.md says otherwise");
    Ok(())
}

#[tokio::test]
async fn without_the_policy_on_tls_a_product_costs_nine_writes() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let mut products = products(1);
    class(&mut products[0], |class| class.spec.aws.get_or_insert_default().tls_only = Some(false));
    visit_all(&world.shared(), &mut products, Look::Full).await?;
    let mut writes = writes(&world);
    // The topic is the domain's, and the service closes new buckets by itself.
    assert_eq!((writes.remove("CreateTopic"), writes.remove("PutPublicAccessBlock")), (Some(1), Some(1)));
    assert_eq!(writes.values().sum::<u64>(), 9, "{writes:?}");
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
    println!("{grants} calls granted for twenty products");
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
