//! What is found under a product's names and is not as it left it: others' resources, lost marks, lost keys, drift.

use std::sync::{Arc, atomic::Ordering};

use anyhow::{Context, Result, ensure};
use aws_sdk_glue::types::DatabaseInput;
use aws_sdk_lakeformation::types::{DataLakePrincipal, DatabaseResource, Permission, Resource};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use dataproduct_operator::{
    api::{
        AdoptionPolicy, DriftPolicy, ProviderClass,
        product::Management,
        status::{ResourceState, SloState},
    },
    model::resource::{Kind, Look},
    plan::{Declared, Verb},
    provider::{
        aws::{Call, Clock},
        conformance::World,
    },
};
use jiff::SignedDuration;

use crate::{
    audit::Auditor,
    mesh::{Visit, assert_done, depart, key, product, subject, visit},
    support::fault_proxy::{Effect, Fault, FaultProxy},
    world::{AwsWorld, OTHER_ACCOUNT, hand_turned, provider_at},
};

async fn world() -> Result<(AwsWorld, Auditor)> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    Ok((world, auditor))
}

/// Number of calls so far that changed something.
fn writes(world: &AwsWorld) -> u64 {
    Call::ALL.iter().filter(|call| call.changes()).map(|call| world.calls.made(*call)).sum()
}

fn state(visit: &Visit, kind: Kind) -> (ResourceState, String) {
    let found = visit.status.resources.iter().find(|resource| resource.kind == kind.as_str());
    let found = found.expect("a resource of every kind");
    (found.state, found.last_error.as_ref().map(|error| error.message.clone()).unwrap_or_default())
}

fn class(declared: &mut Declared, change: impl FnOnce(&mut ProviderClass)) {
    change(Arc::make_mut(declared.classes.get_mut("aws").expect("the class of the example")));
}

fn manage(declared: &mut Declared, management: Management) {
    Arc::make_mut(&mut declared.product).spec.provisioning.get_or_insert_default().management =
        Some(management);
}

#[tokio::test]
async fn a_lost_answer_to_create_key_leaves_one_key_and_two_with_the_plain_sdk() -> Result<()> {
    let (world, auditor) = world().await?;
    let proxy = FaultProxy::start(world.emulators.moto_url()).await?;
    let lost = Fault::nth(1, "kms", "CreateKey", Effect::Failed);
    proxy.set(std::slice::from_ref(&lost)).await?;

    let plain = auditor.kms.config().to_builder().endpoint_url(proxy.url()).build();
    let tag = aws_sdk_kms::types::Tag::builder().tag_key("datamesh.io/product").tag_value("plain").build()?;
    let made = aws_sdk_kms::Client::from_conf(plain).create_key().tags(tag).send().await;
    ensure!(made.is_ok(), "the SDK repeats the call by itself: {made:?}");
    ensure!(auditor.keys("plain").await? == (2, 0), "and leaves two keys");

    proxy.set(&[lost]).await?;
    let provider = provider_at(proxy.url(), world.emulators.ministack_url()).await?;
    let mut declared = product("ours");
    let first = visit(&provider, &mut declared, Look::Full).await?;
    ensure!(!first.in_sync, "the first visit has no answer");
    assert_done(&visit(&provider, &mut declared, Look::Full).await?);
    ensure!(auditor.keys("orders/ours").await? == (1, 0));
    ensure!(proxy.calls("kms", "CreateKey").await? == 3, "two of the SDK and one of ours");
    Ok(())
}

#[tokio::test]
async fn a_key_that_never_came_into_being_is_made_after_the_wait_and_not_before() -> Result<()> {
    let (world, auditor) = world().await?;
    let proxy = FaultProxy::start(world.emulators.moto_url()).await?;
    // Reset before it is done: nobody can tell this from an answer that was lost.
    proxy.set(&[Fault::nth(1, "kms", "CreateKey", Effect::Reset)]).await?;
    let provider = provider_at(proxy.url(), world.emulators.ministack_url()).await?;
    let mut declared = product("late");
    for minutes in [0, 5, 9] {
        declared.now = declared.now.checked_add(SignedDuration::from_mins(minutes))?;
        let visit = visit(&provider, &mut declared, Look::Full).await?;
        let (state, message) = state(&visit, Kind::EncryptionKey);
        ensure!(state == ResourceState::Creating, "{state:?} {message}");
        ensure!(message.contains("looked for until"), "{message}");
        ensure!(proxy.calls("kms", "CreateKey").await? == 1, "it may still appear");
    }
    declared.now = declared.now.checked_add(SignedDuration::from_mins(1))?;
    assert_done(&visit(&provider, &mut declared, Look::Full).await?);
    ensure!(auditor.keys("orders/late").await? == (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_key_that_appears_after_all_is_scheduled_for_deletion_and_nothing_refers_to_it() -> Result<()> {
    let (world, auditor) = world().await?;
    let mut declared = product("twin");
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    // The effect of a call that was given up long ago: a second key with the same tags.
    let arn = declared
        .product
        .status
        .as_ref()
        .and_then(|status| status.outputs.clone())
        .and_then(|it| it.encryption_key_arn);
    let id = arn.clone().context("a key")?;
    let id = id.rsplit('/').next().context("an identifier")?;
    let tags = auditor.kms.list_resource_tags().key_id(id).send().await?.tags;
    auditor.kms.create_key().set_tags(tags).send().await?;
    ensure!(auditor.keys("orders/twin").await? == (2, 0));

    let found = visit(&world.shared(), &mut declared, Look::Full).await?;
    assert_done(&found);
    ensure!(auditor.keys("orders/twin").await? == (1, 1));
    let now = found.status.outputs.and_then(|outputs| outputs.encryption_key_arn);
    ensure!(now == arn, "the product keeps its key");
    Ok(())
}

#[tokio::test]
async fn a_name_that_leads_to_another_key_costs_the_first_one_nothing() -> Result<()> {
    let (world, auditor) = world().await?;
    let mut declared = product("moved");
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    let arn = made.status.outputs.and_then(|outputs| outputs.encryption_key_arn).context("a key")?;
    let id = arn.rsplit('/').next().context("an identifier")?;
    let tags = auditor.kms.list_resource_tags().key_id(id).send().await?.tags;
    let other = auditor.kms.create_key().set_tags(tags).send().await?.key_metadata.context("a key")?.key_id;
    auditor.kms.update_alias().alias_name("alias/orders-moved").target_key_id(other).send().await?;
    let before = writes(&world);
    for _ in 0..2 {
        let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
        let (state, message) = state(&seen, Kind::EncryptionKey);
        ensure!(state == ResourceState::Lost && message.contains(&arn), "{state:?} {message}");
    }
    ensure!(
        writes(&world) == before && auditor.keys("orders/moved").await? == (2, 0),
        "nothing is scheduled"
    );
    Ok(())
}

#[tokio::test]
async fn a_key_that_ends_or_is_switched_off_is_reported_and_never_replaced() -> Result<()> {
    let (world, auditor) = world().await?;
    let mut declared = product("dying");
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    let arn = made.status.outputs.and_then(|outputs| outputs.encryption_key_arn).context("a key")?;
    let id = arn.rsplit('/').next().context("an identifier")?;
    auditor.kms.disable_key().key_id(id).send().await?;
    let before = writes(&world);
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(state(&seen, Kind::EncryptionKey).1.contains("disabled"), "{:?}", seen.status.resources);
    auditor.kms.schedule_key_deletion().key_id(id).send().await?;
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(
        state(&seen, Kind::EncryptionKey).1.contains("deletion is scheduled"),
        "{:?}",
        seen.status.resources
    );
    let ready = seen.status.condition("Ready").context("Ready")?;
    ensure!((ready.status.as_str(), ready.reason.as_str()) == ("False", "ResourceUnusable"), "{ready:?}");
    ensure!(writes(&world) == before, "nothing was changed");
    Ok(())
}

#[tokio::test]
async fn tags_of_others_are_no_drift_and_outlive_our_own_changes() -> Result<()> {
    let (world, auditor) = world().await?;
    let mut declared = product("tagged");
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    let bucket = key(&declared, Kind::Bucket).name;
    let theirs = aws_sdk_s3::types::Tag::builder().key("CostCenter").value("4711").build()?;
    let mut tags = auditor.s3.get_bucket_tagging().bucket(&bucket).send().await?.tag_set;
    tags.push(theirs.clone());
    let tagging = aws_sdk_s3::types::Tagging::builder().set_tag_set(Some(tags)).build()?;
    auditor.s3.put_bucket_tagging().bucket(&bucket).tagging(tagging).send().await?;
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(seen.in_sync && seen.outcomes.is_empty(), "{:?}", seen.status.resources);

    "2.0.0".clone_into(&mut Arc::make_mut(&mut declared.product).spec.version);
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    let tags = auditor.s3.get_bucket_tagging().bucket(&bucket).send().await?.tag_set;
    let version = tags.iter().find(|tag| tag.key == "Version").map(|tag| tag.value.as_str());
    ensure!(tags.contains(&theirs) && version == Some("2.0.0"), "{tags:?}");
    Ok(())
}

#[tokio::test]
async fn a_bucket_of_another_account_is_never_touched() -> Result<()> {
    let (world, _) = world().await?;
    let mut declared = product("taken");
    let bucket = key(&declared, Kind::Bucket);
    world.emulators.put(OTHER_ACCOUNT, &bucket.name, "").await?;
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    let (state, message) = state(&seen, Kind::Bucket);
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
    let (world, auditor) = world().await?;
    let mut declared = product("bare");
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    let bucket = key(&declared, Kind::Bucket);
    auditor.s3.delete_bucket_tagging().bucket(&bucket.name).send().await?;
    let before = writes(&world);
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    let (state, message) = state(&seen, Kind::Bucket);
    ensure!(state == ResourceState::Failed && message.contains("no mark"), "{state:?} {message}");
    ensure!(writes(&world) == before);
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
    let (world, _) = world().await?;
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
    let before = writes(&world);
    let seen = visit(&world.shared(), &mut second, Look::Full).await?;
    for kind in [Kind::EncryptionKey, Kind::Bucket, Kind::CatalogDatabase] {
        ensure!(state(&seen, kind).1.contains("not this product's"), "{kind}: {:?}", seen.status.resources);
    }
    ensure!(writes(&world) == before, "nothing was changed");
    Ok(())
}

#[tokio::test]
async fn what_was_retained_is_taken_back_by_the_same_manifest_in_a_rebuilt_cluster() -> Result<()> {
    let (world, auditor) = world().await?;
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
async fn who_only_observes_writes_nothing() -> Result<()> {
    let (world, auditor) = world().await?;
    let mut declared = product("watched");
    manage(&mut declared, Management::Observe);
    let bucket = key(&declared, Kind::Bucket);
    world.emulators.put("123456789012", &bucket.name, "").await?;
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(!seen.in_sync && seen.outcomes.is_empty());
    ensure!(writes(&world) == 0, "{:?}", world.calls.snapshot());
    ensure!(auditor.keys("orders/watched").await? == (0, 0));
    Ok(())
}

/// Changes everything that is managed, behind the operator's back.
async fn meddle(auditor: &Auditor, declared: &Declared, arn: &str) -> Result<()> {
    let id = arn.rsplit('/').next().context("an identifier")?;
    auditor.kms.disable_key_rotation().key_id(id).send().await?;
    auditor.kms.update_key_description().key_id(id).description("theirs").send().await?;
    let bucket = key(declared, Kind::Bucket).name;
    let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    auditor.s3.put_bucket_versioning().bucket(&bucket).versioning_configuration(suspended).send().await?;
    auditor.s3.delete_public_access_block().bucket(&bucket).send().await?;
    auditor.s3.delete_bucket_encryption().bucket(&bucket).send().await?;
    auditor.s3.delete_bucket_policy().bucket(&bucket).send().await?;
    let database = key(declared, Kind::CatalogDatabase).name;
    let input = DatabaseInput::builder().name(&database).location_uri("s3://elsewhere/").build()?;
    auditor.glue.update_database().name(&database).database_input(input).send().await?;
    let granted = Resource::builder().database(DatabaseResource::builder().name(&database).build()?).build();
    let everybody =
        DataLakePrincipal::builder().data_lake_principal_identifier("IAM_ALLOWED_PRINCIPALS").build();
    let grant = auditor.lakeformation.grant_permissions().principal(everybody).resource(granted);
    grant.permissions(Permission::All).send().await?;
    let alarm = auditor.cloudwatch.put_metric_alarm().alarm_name(key(declared, Kind::FreshnessAlarm).name);
    let alarm = alarm.metric_name("Other").namespace("Other").period(60).evaluation_periods(1).threshold(1.0);
    alarm
        .comparison_operator(aws_sdk_cloudwatch::types::ComparisonOperator::LessThanThreshold)
        .send()
        .await?;
    Ok(())
}

/// The paths that [`meddle`] changes and a status shows, which has ten of each resource.
const MEDDLED: [&str; 17] = [
    "rotation",
    "description",
    "versioning",
    "publicAccessBlocked",
    "encryptionKey",
    "bucketKey",
    "tlsOnly",
    "bucket",
    "defaultPermissions",
    "principals.IAM_ALLOWED_PRINCIPALS",
    "metric",
    "namespace",
    "periodSeconds",
    "evaluationPeriods",
    "thresholdMinutes",
    "comparison",
    "missingData",
];

#[tokio::test]
async fn drift_of_every_managed_attribute_is_found_shown_and_corrected() -> Result<()> {
    let (world, auditor) = world().await?;
    let mut declared = product("drifting");
    class(&mut declared, |class| class.spec.drift_policy = Some(DriftPolicy::Report));
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    assert_done(&made);
    let arn = made.status.outputs.and_then(|outputs| outputs.encryption_key_arn).context("a key")?;
    meddle(&auditor, &declared, &arn).await?;

    let before = writes(&world);
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(writes(&world) == before, "the class says Report");
    let drift = seen.status.resources.iter().flat_map(|resource| &resource.drift);
    let paths = drift.clone().map(|drift| drift.path.as_str()).collect::<Vec<_>>();
    for path in MEDDLED {
        ensure!(paths.contains(&path), "{path} is not among {paths:?}");
    }
    let location = drift.clone().find(|drift| drift.path == "bucket").context("the location")?;
    ensure!(location.have.as_deref() == Some("elsewhere") && location.want.is_some(), "{location:?}");

    class(&mut declared, |class| class.spec.drift_policy = Some(DriftPolicy::Correct));
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    Ok(())
}

#[tokio::test]
async fn a_usual_look_finds_what_is_gone_and_what_others_changed_in_the_listings() -> Result<()> {
    let (clock, seconds) = hand_turned();
    let world = AwsWorld::steady(clock).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("swept");
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    assert_done(&visit(&world.shared(), &mut declared, Look::Usual).await?);

    let name = key(&declared, Kind::Bucket).name;
    auditor.s3.delete_bucket().bucket(&name).send().await?;
    let seen = visit(&world.shared(), &mut declared, Look::Usual).await?;
    ensure!(seen.in_sync, "the listing is still believed");
    seconds.fetch_add(301, Ordering::SeqCst);
    let seen = visit(&world.shared(), &mut declared, Look::Usual).await?;
    ensure!(state(&seen, Kind::Bucket).0 == ResourceState::Lost, "{:?}", seen.status.resources);
    Ok(())
}

#[tokio::test]
async fn silence_is_a_breach_once_the_target_has_passed() -> Result<()> {
    let (clock, seconds) = hand_turned();
    let world = AwsWorld::steady(clock).await?;
    let mut declared = product("silent");
    declared.now = jiff::Timestamp::now();
    let freshness = |visit: &Visit| {
        let slo = visit.status.slo.clone().expect("service levels");
        slo.objectives.iter().map(|objective| (objective.name.clone(), objective.state)).collect::<Vec<_>>()
    };
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    assert_done(&made);
    let unknown = ("availability".to_owned(), SloState::Unknown);
    ensure!(
        freshness(&made) == [("freshness".to_owned(), SloState::Unknown), unknown.clone()],
        "{:?}",
        freshness(&made)
    );
    declared.now = declared.now.checked_add(SignedDuration::from_mins(61))?;
    let silent = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(
        freshness(&silent) == [("freshness".to_owned(), SloState::Breached), unknown],
        "{:?}",
        freshness(&silent)
    );

    declared.now = jiff::Timestamp::now();
    world.publish(&subject(&declared), "DataFreshnessMinutes", 12.0).await?;
    world.publish(&subject(&declared), "DataAvailabilityPercent", 98.5).await?;
    // Values that were read a moment ago are good for a minute.
    seconds.fetch_add(61, Ordering::SeqCst);
    let told = visit(&world.shared(), &mut declared, Look::Full).await?;
    let expected = [("freshness".to_owned(), SloState::Met), ("availability".to_owned(), SloState::Breached)];
    ensure!(freshness(&told) == expected, "{:?}", told.status.slo);
    Ok(())
}
