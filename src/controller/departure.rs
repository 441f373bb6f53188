//! The same corridor for a product that is being deleted: another planner, and at its end the finalizer.

use std::sync::Arc;

use kube::{Resource, ResourceExt};

use super::{
    apply,
    context::Context,
    gather,
    guard::Guarded,
    kubernetes::{self, RequestError},
    reconcile::{Visit, resync},
    report,
    schedule::{self, Ending},
};
use crate::{
    api::{DataDomain, DataProduct, FINALIZER, ProviderClass},
    model::resource::Look,
    plan::{
        Blocker, Declared, ProductName, World, assess::Observations, decide_teardown,
        scope::resolve_departing, teardown::Teardown,
    },
    status::{Release, departing},
};

/// Visits a product that is being deleted.
pub(super) async fn reconcile(ctx: &Context, product: &Arc<DataProduct>) -> Result<Visit, RequestError> {
    // What goes is not judged any more.
    ctx.tallies.judged(&ProductName::of(&**product), None);
    if !product.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        ctx.succeeded(&ProductName::of(&**product));
        return Ok(Visit::OVER);
    }
    let declared = gather::declared(ctx, product);
    let resolved = resolve_departing(&declared);
    let opened = match resolved {
        Ok(None) => {
            // Spec and status name no place at which anything of this product could be. The finalizer says that there
            // was something once, so that a lost status is the only way to come here.
            let note = "neither its domain nor its status says where its resources are; what it owned is not marked as released".to_owned();
            report::left_behind(ctx, product, note).await;
            return let_go(ctx, &**product).await;
        }
        Ok(Some(scope)) => gather::provider(ctx, &scope).await.map(|provider| (scope, provider)),
        Err(blocker) => Err(blocker),
    };
    let (scope, provider) = match opened {
        Ok(opened) => opened,
        Err(blocker) => return unreachable(ctx, declared, blocker).await,
    };

    let observations =
        gather::observe(&provider, &scope.owner, Look::Full, scope.keys_of(product).into_iter()).await;
    let mut world = World { declared, scope: Ok(scope.clone()), observations };
    let mut teardown = decide_teardown(&world, &scope);
    if teardown.is_complete() {
        return let_go(ctx, &**product).await;
    }

    let mut outcomes = Vec::new();
    if !teardown.plan.steps.is_empty() {
        // Something is taken away: the object must still be the one that was seen, and still be going.
        let live = kubernetes::live(&ctx.client, &ProductName::of(&**product)).await?;
        if !live.is_some_and(|live| live.uid() == product.uid() && live.metadata.deletion_timestamp.is_some())
        {
            return Ok(Visit::STALE);
        }
        outcomes = apply::apply(&provider, &teardown.plan).await;
        world.observations =
            apply::observe_again(&provider, &scope.owner, &world.observations, &outcomes).await;
        teardown = decide_teardown(&world, &scope);
    }
    if teardown.is_complete() {
        report::events(ctx, product, &product.status.clone().unwrap_or_default(), &outcomes).await;
        return let_go(ctx, &**product).await;
    }
    stay(ctx, &world, &Release::Under(&teardown, &outcomes)).await
}

/// Lets a product go because the operator itself is about to go: its finalizer is dropped, so that it can be deleted without
/// us, and everything that it has outside stays as it is and marked as its own.
pub(super) async fn leave(ctx: &Context, product: &Guarded) -> Result<Visit, RequestError> {
    if !product.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        return Ok(Visit::OVER);
    }
    let visit = let_go(ctx, product).await?;
    if visit == Visit::OVER {
        report::let_go(ctx, &product.object_ref(&())).await;
    }
    Ok(visit)
}

/// The provider cannot be asked. Under Retain a product whose class is gone for good may still go; it says what it
/// leaves behind.
async fn unreachable(ctx: &Context, declared: Declared, blocker: Blocker) -> Result<Visit, RequestError> {
    let product = Arc::clone(&declared.product);
    if retains(&product)
        && let Some(gone) = gone(ctx, &product, &blocker).await?
    {
        let left = product.status.iter().flat_map(|status| &status.resources);
        let left = left.map(|resource| format!("{}/{}", resource.kind, resource.name)).collect::<Vec<_>>();
        if !left.is_empty() {
            let left = left.join(", ");
            let note = format!("{gone} is gone; left behind and not marked as released: {left}");
            report::left_behind(ctx, &product, note).await;
        }
        return let_go(ctx, &*product).await;
    }
    let world = World { declared, scope: Err(blocker.clone()), observations: Observations::new() };
    stay(ctx, &world, &Release::Unreachable(&blocker)).await
}

/// What the provider cannot be asked without and is gone for good, asked live: the class, or the domain that says by
/// which role its account is entered.
async fn gone(
    ctx: &Context,
    product: &DataProduct,
    blocker: &Blocker,
) -> Result<Option<String>, RequestError> {
    match blocker {
        Blocker::ClassMissing { class }
            if !kubernetes::exists::<ProviderClass>(&ctx.client, class).await? =>
        {
            Ok(Some(format!("ProviderClass {class}")))
        }
        Blocker::ProviderUnusable { transient: false, .. } => {
            let domain = product.status.as_ref().and_then(|status| status.domain.as_ref());
            let domain = domain.map_or(&product.spec.domain, |domain| &domain.name);
            let exists = kubernetes::exists::<DataDomain>(&ctx.client, domain).await?;
            Ok((!exists).then(|| format!("DataDomain {domain}")))
        }
        _ => Ok(None),
    }
}

/// Whether the object itself says, or leaves open, that its data stays.
fn retains(product: &DataProduct) -> bool {
    let asked = product.spec.provisioning.as_ref().and_then(|provisioning| provisioning.deletion_policy);
    asked != Some(crate::api::product::DeletionPolicy::Delete)
}

async fn stay(ctx: &Context, world: &World, release: &Release<'_>) -> Result<Visit, RequestError> {
    let product = &world.declared.product;
    let status = departing(world, release);
    if report::status(ctx, product, &status).await? {
        report::events(ctx, product, &status, &[]).await;
    }
    let stalled = status.condition("Stalled").is_some();
    let ending = match release {
        Release::Under(Teardown { lock: Some(_), .. }, _) => Ending::Stalled,
        _ if stalled => Ending::Stalled,
        _ => Ending::Failed(ctx.failed(&ProductName::of(&**product))),
    };
    let uid = product.uid().unwrap_or_default();
    let pause = schedule::pause(ending, resync(world), None, (ctx.now)(), &uid, rand::random());
    Ok(Visit { ending, again: Some(pause) })
}

async fn let_go(ctx: &Context, product: &impl Resource<DynamicType = ()>) -> Result<Visit, RequestError> {
    ctx.succeeded(&ProductName::of(product));
    match kubernetes::remove_finalizer(&ctx.client, product).await {
        Ok(()) => Ok(Visit::OVER),
        Err(error) if error.is_stale() => Ok(Visit::STALE),
        Err(error) => Err(error),
    }
}
