//! Calls that are given up and done all the same, after whoever made them has tried again.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{
    audit::Auditor,
    cluster::WRITES,
    mesh::{confirm_deletion, leave, product, rest, settle},
    support::{
        emulators::Emulators,
        fault_proxy::{Effect, Fault, FaultProxy},
        wait::{Seen, wait_for},
    },
    world::provider_at,
};

/// When a late call is done: two seconds after the backend has given it up.
const LATE: Effect = Effect::Late(7_000);
/// Longest wait for a late call.
const PATIENCE: Duration = Duration::from_mins(1);

/// The writes of a deletion under Delete.
const REMOVALS: [(&str, &str); 6] = [
    ("cloudwatch", "DeleteAlarms"),
    ("lakeformation", "BatchRevokePermissions"),
    ("glue", "DeleteDatabase"),
    ("s3", "DeleteBucket"),
    ("kms", "DeleteAlias"),
    ("kms", "ScheduleKeyDeletion"),
];

/// A proxy that delays, before one that counts what has come through to the emulator.
struct Chain {
    delays: FaultProxy,
    counts: FaultProxy,
}

impl Chain {
    async fn before(emulator: &str) -> Result<Self> {
        let counts = FaultProxy::start(emulator).await?;
        Ok(Self { delays: FaultProxy::start(counts.url()).await?, counts })
    }

    /// Waits until every call of some operations that was made has been done.
    async fn done(&self, calls: &[(&'static str, &'static str)]) -> Result<()> {
        for (service, operation) in calls {
            let made = self.delays.calls(service, operation).await?;
            wait_for("the late call is done", PATIENCE, || async {
                let done = self.counts.calls(service, operation).await?;
                Ok(Seen::when(done == made, (), format!("{operation}: {done} of {made}")))
            })
            .await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_is_done_after_it_was_given_up_is_there_once() -> Result<()> {
    let emulators = Emulators::start().await?;
    let auditor = Auditor::of(&emulators);
    let (moto, ministack) =
        tokio::try_join!(Chain::before(emulators.moto_url()), Chain::before(emulators.ministack_url()))?;
    let provider = provider_at(moto.delays.url(), ministack.delays.url()).await?;
    let late = |calls: &[(&'static str, &'static str)]| {
        calls.iter().map(|(service, operation)| Fault::nth(1, service, operation, LATE)).collect::<Vec<_>>()
    };
    let chain = |service: &str| if service == "cloudwatch" { &ministack } else { &moto };

    let mut declared = product("late");
    for chain in [&moto, &ministack] {
        chain.delays.set(&late(&WRITES)).await?;
    }
    settle(&provider, &mut declared).await?;
    for call in WRITES {
        chain(call.0).done(&[call]).await.with_context(|| format!("{call:?}"))?;
    }
    settle(&provider, &mut declared).await?;
    rest(&provider, &mut declared).await?;
    ensure!(auditor.keys("orders/late").await? == (1, 0), "one key");
    // The key is never asked for again while it may still appear; everything else is.
    ensure!(moto.counts.calls("kms", "CreateKey").await? == 1);
    ensure!(moto.counts.calls("s3", "CreateBucket").await? > 1, "the late call came after another one");

    confirm_deletion(&mut declared);
    settle(&provider, &mut declared).await?;
    for chain in [&moto, &ministack] {
        chain.delays.set(&late(&REMOVALS)).await?;
    }
    leave(&provider, &declared).await?;
    for call in REMOVALS {
        chain(call.0).done(&[call]).await.with_context(|| format!("{call:?}"))?;
    }
    leave(&provider, &declared).await?;
    ensure!(auditor.keys("orders/late").await? == (0, 1), "the key ends");
    let bucket = auditor.s3.head_bucket().bucket("orders-late-123456789012").send().await;
    ensure!(bucket.is_err(), "the bucket is gone");
    Ok(())
}
