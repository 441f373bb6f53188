//! Least privilege: with the generated policy everything works, and without any of its actions something does not.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use dataproduct_operator::{
    model::resource::Kind,
    provider::{
        ErrorKind, SharedProvider,
        aws::{Call, Calls, Policy},
        conformance::check,
    },
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    guarded::{Guarded, GuardedWorld},
    tour::Tour,
    world::OTHER_ACCOUNT,
};

/// The service that no emulator guards: that its permissions are needed is known only from the calls that are made.
const UNGUARDED: &str = "cloudwatch";
/// Accounts that are looked at side by side. More would only wait for each other: the emulator does one thing at a time.
const SIDE_BY_SIDE: usize = 4;

#[tokio::test]
async fn the_policy_suffices_and_none_of_its_actions_can_be_spared() -> Result<()> {
    let guarded = Guarded::start().await?;
    let policy = Policy::of_role();
    guarded.admit(OTHER_ACCOUNT, &policy).await?;
    let people = guarded.people(OTHER_ACCOUNT).await?;
    let looked_at = Call::ALL.iter().filter(|call| call.service() != UNGUARDED);
    let actions: BTreeSet<_> = looked_at.flat_map(|call| call.actions()).copied().collect();
    let spared: Vec<_> = (1..).zip(actions).map(|(n, action)| (format!("4{n:011}"), action)).collect();
    for (account, action) in &spared {
        guarded.admit(account, &policy.clone().without(action)).await?;
    }
    guarded.enforce().await?;

    let calls = Arc::new(Calls::default());
    let provider: SharedProvider = Arc::new(guarded.open(OTHER_ACCOUNT, &calls).await?);
    let world = GuardedWorld { guarded: &guarded, provider, people };
    assert_eq!(check(&world).await, []);
    let product = |name| Tour::of(world.provider.as_ref(), &calls, OTHER_ACCOUNT, name);
    product("tour")?.walk(&Kind::ALL).await?;
    product("adopted")?.adopt_key(&world.people).await?;
    let unmade = Call::ALL.iter().filter(|call| calls.succeeded(**call) == 0).collect::<Vec<_>>();
    ensure!(
        unmade.is_empty(),
        "nothing makes these calls, so that nobody needs their permissions: {unmade:?}"
    );

    let breaks = |(account, action): (String, &'static str)| {
        let guarded = &guarded;
        async move { breaks(guarded, &account, action).await.context(action) }
    };
    stream::iter(spared).map(breaks).buffer_unordered(SIDE_BY_SIDE).try_collect().await
}

/// The kinds of resource that may need an action; the others would only take time.
fn kinds(action: &str) -> &'static [Kind] {
    match action.split(':').next() {
        Some("kms" | "s3" | "tag") => &[Kind::EncryptionKey, Kind::Bucket],
        Some("glue" | "lakeformation") => &[Kind::CatalogDatabase, Kind::Grant],
        Some("sns") => &[Kind::FreshnessAlarm],
        _ => &Kind::ALL,
    }
}

/// Whether the way through the backend ends where an action is missing, and at a call that needs it.
async fn breaks(guarded: &Guarded, account: &str, action: &str) -> Result<()> {
    let calls = Arc::new(Calls::default());
    let provider = guarded.open(account, &calls).await?;
    let product = format!("tour-{account}");
    let Err(error) = Tour::of(&provider, &calls, account, &product)?.walk(kinds(action)).await else {
        bail!("nothing breaks without it");
    };
    let snapshot = calls.snapshot();
    let denied = snapshot.keys().filter(|(_, outcome)| *outcome == ErrorKind::Denied.as_str());
    let denied = denied.map(|(call, _)| *call).collect::<Vec<_>>();
    let all = denied.iter().all(|call| call.actions().contains(&action));
    ensure!(all && !denied.is_empty(), "another failure: {error:#}; denied: {denied:?}");
    Ok(())
}
