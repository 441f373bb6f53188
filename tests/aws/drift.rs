//! What others change behind the operator's back, and what a usual look sees of it.

use std::sync::{Arc, atomic::Ordering};

use anyhow::{Context, Result, ensure};
use aws_sdk_glue::types::DatabaseInput;
use aws_sdk_lakeformation::types::{DataLakePrincipal, DatabaseResource, Permission, Resource};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use dataproduct_operator::{
    api::{
        DriftPolicy,
        status::{ResourceState, SloState},
    },
    model::resource::{Kind, Look},
    plan::Declared,
    provider::aws::Clock,
};
use jiff::SignedDuration;

use crate::{
    audit::Auditor,
    mesh::{Visit, assert_done, class, key, product, subject, visit},
    world::{AwsWorld, hand_turned},
};

#[tokio::test]
async fn tags_of_others_are_no_drift_and_outlive_our_own_changes() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
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
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("drifting");
    class(&mut declared, |class| class.spec.drift_policy = Some(DriftPolicy::Report));
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    assert_done(&made);
    let arn = made.status.outputs.and_then(|outputs| outputs.encryption_key_arn).context("a key")?;
    meddle(&auditor, &declared, &arn).await?;

    let before = world.writes();
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(world.writes() == before, "the class says Report");
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
    ensure!(seen.told(Kind::Bucket).0 == ResourceState::Lost, "{:?}", seen.status.resources);
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
