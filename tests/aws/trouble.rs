//! What is found under a product's names and is not as it left it: others' resources, lost marks, data of a predecessor.

use std::sync::Arc;

use anyhow::{Result, ensure};
use dataproduct_operator::{
    api::{AdoptionPolicy, product::Management, status::ResourceState},
    model::resource::{Kind, Look},
    plan::{Declared, Verb},
    provider::{
        aws::{Call, Clock},
        conformance::World,
    },
};

use crate::{
    audit::Auditor,
    mesh::{Visit, assert_done, class, confirm_deletion, depart, key, product, visit},
    world::{AwsWorld, OTHER_ACCOUNT},
};

fn manage(declared: &mut Declared, management: Management) {
    Arc::make_mut(&mut declared.product).spec.provisioning.get_or_insert_default().management =
        Some(management);
}

#[tokio::test]
async fn a_bucket_of_another_account_is_never_touched() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let mut declared = product("taken");
    let bucket = key(&declared, Kind::Bucket);
    world.emulators.put(OTHER_ACCOUNT, &bucket.name, "").await?;
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    let (state, message) = seen.told(Kind::Bucket);
    ensure!(
        state == ResourceState::Failed && message.contains("spec.provisioning.names.bucket"),
        "{message}"
    );
    ensure!(world.calls.made(Call::CreateBucket) == 0 && world.calls.made(Call::PutBucketTagging) == 0);
    ensure!(world.calls.made(Call::BatchGrantPermissions) == 0, "nothing is granted without a bucket");
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_lost_its_mark_is_left_alone_and_said_so() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("bare");
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    let bucket = key(&declared, Kind::Bucket);
    auditor.s3.delete_bucket_tagging().bucket(&bucket.name).send().await?;
    let before = world.writes();
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    let (state, message) = seen.told(Kind::Bucket);
    ensure!(state == ResourceState::Failed && message.contains("no mark"), "{state:?} {message}");
    ensure!(world.writes() == before);
    // A product that is told to take over what exists, by a class that allows it, gets it back.
    manage(&mut declared, Management::AdoptOnly);
    class(&mut declared, |class| class.spec.adoption = Some(AdoptionPolicy::Allowed));
    let taken = visit(&world.shared(), &mut declared, Look::Full).await?;
    assert_done(&taken);
    ensure!(taken.outcomes.iter().any(|outcome| outcome.verb == Verb::Adopt), "{:?}", taken.outcomes);
    Ok(())
}

#[tokio::test]
async fn two_products_of_one_name_never_share_a_resource() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let mut first = product("x-yard");
    assert_done(&visit(&world.shared(), &mut first, Look::Full).await?);
    // Domain orders-x and product yard join to the same names.
    let mut second = product("yard");
    Arc::make_mut(&mut second.product).spec.domain = "orders-x".to_owned();
    for domain in second.domains.iter_mut().filter(|domain| domain.metadata.name.as_deref() == Some("orders"))
    {
        Arc::make_mut(domain).metadata.name = Some("orders-x".to_owned());
    }
    ensure!(key(&first, Kind::Bucket) == key(&second, Kind::Bucket), "the names are the same");
    let before = world.writes();
    let seen = visit(&world.shared(), &mut second, Look::Full).await?;
    for kind in [Kind::EncryptionKey, Kind::Bucket, Kind::CatalogDatabase] {
        ensure!(seen.told(kind).1.contains("not this product's"), "{kind}: {:?}", seen.status.resources);
    }
    ensure!(world.writes() == before, "nothing was changed");
    Ok(())
}

#[tokio::test]
async fn what_was_retained_is_taken_back_by_the_same_manifest_in_a_rebuilt_cluster() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("again");
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    assert_done(&made);
    world.put_object(&key(&declared, Kind::Bucket)).await.map_err(anyhow::Error::msg)?;
    while !depart(&world.shared(), &declared).await? {}

    let mut heir = product("again");
    heir.cluster = "a-new-cluster".to_owned();
    Arc::make_mut(&mut heir.product).metadata.uid = Some("a-new-uid".to_owned());
    let taken = visit(&world.shared(), &mut heir, Look::Full).await?;
    assert_done(&taken);
    let arn = |visit: &Visit| visit.status.outputs.clone().and_then(|outputs| outputs.encryption_key_arn);
    ensure!(arn(&taken) == arn(&made), "the same key");
    ensure!(auditor.keys("orders/again").await? == (1, 0));
    let object = auditor.s3.get_object().bucket(key(&heir, Kind::Bucket).name).key("object").send().await;
    ensure!(object.is_ok(), "with its data: {object:?}");
    Ok(())
}

#[tokio::test]
async fn a_bucket_with_nothing_but_old_versions_is_not_empty() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("emptied");
    confirm_deletion(&mut declared);
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    let bucket = key(&declared, Kind::Bucket).name;
    auditor.s3.put_object().bucket(&bucket).key("object").body(Vec::from("data").into()).send().await?;
    auditor.s3.delete_object().bucket(&bucket).key("object").send().await?;
    for _ in 0..3 {
        ensure!(!depart(&world.shared(), &declared).await?, "it waits for somebody to empty the bucket");
    }
    ensure!(world.calls.made(Call::DeleteBucket) == 0, "the service is not even asked");
    ensure!(auditor.keys("orders/emptied").await? == (1, 0), "and the key stays as long as the bucket");
    Ok(())
}

#[tokio::test]
async fn who_only_observes_writes_nothing() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("watched");
    manage(&mut declared, Management::Observe);
    let bucket = key(&declared, Kind::Bucket);
    world.emulators.put("123456789012", &bucket.name, "").await?;
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(!seen.in_sync && seen.outcomes.is_empty());
    ensure!(world.writes() == 0, "{:?}", world.calls.snapshot());
    ensure!(auditor.keys("orders/watched").await? == (0, 0));
    Ok(())
}
