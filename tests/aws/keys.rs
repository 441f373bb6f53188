//! Keys, which have no name of their own: lost answers, late effects, names that lead elsewhere, and ends.

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::status::ResourceState,
    model::resource::{Kind, Look},
    provider::aws::Clock,
};
use jiff::SignedDuration;

use crate::{
    audit::Auditor,
    mesh::{assert_done, product, visit},
    support::fault_proxy::{Effect, Fault, FaultProxy},
    world::{AwsWorld, provider_at},
};

#[tokio::test]
async fn a_lost_answer_to_create_key_leaves_one_key_and_two_with_the_plain_sdk() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
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
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let proxy = FaultProxy::start(world.emulators.moto_url()).await?;
    // Reset before it is done: nobody can tell this from an answer that was lost.
    proxy.set(&[Fault::nth(1, "kms", "CreateKey", Effect::Reset)]).await?;
    let provider = provider_at(proxy.url(), world.emulators.ministack_url()).await?;
    let mut declared = product("late");
    for minutes in [0, 5, 9] {
        declared.now = declared.now.checked_add(SignedDuration::from_mins(minutes))?;
        let visit = visit(&provider, &mut declared, Look::Full).await?;
        let (state, message) = visit.told(Kind::EncryptionKey);
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
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
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
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("moved");
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    let arn = made.status.outputs.and_then(|outputs| outputs.encryption_key_arn).context("a key")?;
    let id = arn.rsplit('/').next().context("an identifier")?;
    let tags = auditor.kms.list_resource_tags().key_id(id).send().await?.tags;
    let other = auditor.kms.create_key().set_tags(tags).send().await?.key_metadata.context("a key")?.key_id;
    auditor.kms.update_alias().alias_name("alias/orders-moved").target_key_id(other).send().await?;
    let before = world.writes();
    for _ in 0..2 {
        let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
        let (state, message) = seen.told(Kind::EncryptionKey);
        ensure!(state == ResourceState::Lost && message.contains(&arn), "{state:?} {message}");
    }
    ensure!(
        world.writes() == before && auditor.keys("orders/moved").await? == (2, 0),
        "nothing is scheduled"
    );
    Ok(())
}

#[tokio::test]
async fn a_key_that_ends_or_is_switched_off_is_reported_and_never_replaced() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let auditor = Auditor::of(&world.emulators);
    let mut declared = product("dying");
    let made = visit(&world.shared(), &mut declared, Look::Full).await?;
    let arn = made.status.outputs.and_then(|outputs| outputs.encryption_key_arn).context("a key")?;
    let id = arn.rsplit('/').next().context("an identifier")?;
    auditor.kms.disable_key().key_id(id).send().await?;
    let before = world.writes();
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(seen.told(Kind::EncryptionKey).1.contains("disabled"), "{:?}", seen.status.resources);
    auditor.kms.schedule_key_deletion().key_id(id).send().await?;
    let seen = visit(&world.shared(), &mut declared, Look::Full).await?;
    ensure!(
        seen.told(Kind::EncryptionKey).1.contains("deletion is scheduled"),
        "{:?}",
        seen.status.resources
    );
    let ready = seen.status.condition("Ready").context("Ready")?;
    ensure!((ready.status.as_str(), ready.reason.as_str()) == ("False", "ResourceUnusable"), "{ready:?}");
    ensure!(world.writes() == before, "nothing was changed");
    Ok(())
}
