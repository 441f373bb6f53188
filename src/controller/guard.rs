//! What keeps one product from harming the others: undecodable objects, panics and visits without end are turned
//! into a status of the product that causes them.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use kube::{
    Resource, ResourceExt,
    core::{DeserializeGuard, error_boundary::InvalidObject},
};
use tokio::time::Instant;
use tracing::{Instrument, field::Empty};

use super::{
    context::{Context, RECONCILE},
    departure,
    kubernetes::{self, RequestError},
    reconcile::{Visit, reconcile},
    schedule::{self, Ending, RESYNC},
};
use crate::{
    api::{DataProduct, DataProductStatus, RECONCILE_AT},
    plan::ProductName,
    status::{ConditionType, Reason, broken},
};

/// A product as a watch delivers it: decoded, or the reason why it cannot be.
pub type Guarded = DeserializeGuard<DataProduct>;

/// Visits whatever a watch delivered. Never panics, and never runs longer than its deadline.
pub async fn visit(ctx: &Arc<Context>, object: &Guarded) -> Result<Visit, RequestError> {
    ctx.until_synced().await;
    let span = tracing::info_span!(
        "visit",
        product = %ProductName::of(object),
        generation = object.meta().generation,
        trigger = trigger(object),
        otel.status_code = Empty,
    );
    let (_under_way, begun) = (ctx.pulse.visit(), Instant::now());
    let work = async {
        match &object.0 {
            _ if ctx.leaving => departure::leave(ctx, object).await,
            Err(invalid) => undecodable(ctx, invalid).await,
            Ok(product) if is_outdated(ctx, product) => Ok(Visit::STALE),
            Ok(product) => guarded(ctx, &Arc::new(product.clone())).await,
        }
    };
    let answer = work.instrument(span.clone()).await;
    if answer.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    ctx.visits.ended(&answer, begun.elapsed());
    answer
}

/// Why an object is visited, as far as it says so itself; otherwise something around it changed, or it was time.
fn trigger(object: &Guarded) -> &'static str {
    let Ok(product) = &object.0 else { return "undecodable" };
    let status = product.status.as_ref();
    if product.metadata.deletion_timestamp.is_some() {
        "deletion"
    } else if status.and_then(|status| status.observed_generation) != product.metadata.generation {
        "spec"
    } else if product.annotations().get(RECONCILE_AT)
        != status.and_then(|status| status.last_handled_reconcile_at.as_ref())
    {
        "request"
    } else {
        "surroundings"
    }
}

/// Whether the watch has not shown yet what we wrote ourselves: a decision on what was before would write it again.
fn is_outdated(ctx: &Context, product: &DataProduct) -> bool {
    ctx.is_outdated(&ProductName::of(product), &product.resource_version().unwrap_or_default())
}

async fn guarded(ctx: &Arc<Context>, product: &Arc<DataProduct>) -> Result<Visit, RequestError> {
    let work = AssertUnwindSafe(reconcile(ctx, product)).catch_unwind();
    match tokio::time::timeout(RECONCILE, work).await {
        Ok(Ok(visit)) => visit,
        Ok(Err(_panic)) => {
            ctx.visits.panicked();
            tracing::error!("a visit panicked; the product is set aside until it changes");
            let message = "reconciling this product made the operator fail; it is set aside until it changes and tried again in an hour. Please report it with the operator's log";
            set_aside(ctx, product, ConditionType::Stalled, Reason::Quarantined, message).await?;
            Ok(Visit { ending: Ending::Stalled, again: Some(RESYNC * 6) })
        }
        Err(_) => {
            let name = ProductName::of(product.as_ref());
            tracing::warn!("a visit took longer than {} s and was ended", RECONCILE.as_secs());
            let message = format!(
                "a visit took longer than {} s, because provider or API server answer slowly; it is tried again",
                RECONCILE.as_secs()
            );
            set_aside(ctx, product, ConditionType::Reconciling, Reason::ProviderUnavailable, &message)
                .await?;
            let pause = pause(ctx, &name, &product.uid().unwrap_or_default());
            Ok(Visit { ending: Ending::Failed(1), again: Some(pause) })
        }
    }
}

/// Says on a product that its visit came to nothing.
async fn set_aside(
    ctx: &Context,
    product: &DataProduct,
    abnormal: ConditionType,
    reason: Reason,
    message: &str,
) -> Result<(), RequestError> {
    let old = product.status.clone().unwrap_or_default();
    let generation = product.metadata.generation.unwrap_or_default();
    let status = broken(&old, generation, (ctx.now)(), abnormal, reason, message);
    super::report::status(ctx, product, &status).await.map(|_| ())
}

/// The pause after a visit that failed.
pub fn pause(ctx: &Context, name: &ProductName, uid: &str) -> Duration {
    schedule::pause(Ending::Failed(ctx.failed(name)), RESYNC, None, (ctx.now)(), uid, rand::random())
}

/// Reports on the object itself that it cannot be decoded, and leaves everything else alone.
async fn undecodable(ctx: &Context, invalid: &InvalidObject) -> Result<Visit, RequestError> {
    let metadata = &invalid.metadata;
    let name = ProductName {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
    };
    tracing::warn!(error = %invalid.error, "the object cannot be decoded");
    let Some(raw) = kubernetes::raw(&ctx.client, &name).await? else {
        return Ok(Visit::OVER);
    };
    let old = raw.data.get("status").cloned().unwrap_or_default();
    // A status that cannot be read either is replaced.
    let old: DataProductStatus = serde_json::from_value(old).unwrap_or_default();
    let message = format!(
        "the object cannot be read: {}; correct that field. Nothing is changed outside until then",
        invalid.error
    );
    let generation = metadata.generation.unwrap_or_default();
    let status = broken(&old, generation, (ctx.now)(), ConditionType::Stalled, Reason::Undecodable, &message);
    if status != old {
        let uid = metadata.uid.clone().unwrap_or_default();
        match kubernetes::write_status(&ctx.client, &name, &uid, None, &status).await {
            Err(error) if !error.is_about_another_object() => return Err(error),
            _ => {}
        }
    }
    Ok(Visit { ending: Ending::Stalled, again: None })
}
