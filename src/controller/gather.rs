//! The first stage: reads everything that a decision rests on, and changes nothing.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use kube::ResourceExt;

use super::{context::Context, mesh::Mesh};
use crate::{
    api::{DataProduct, RECONCILE_AT},
    model::{
        measurement::{Reading, Subject},
        owner::Owner,
        resource::{Key, Kind, Look, Sought},
    },
    plan::{
        Blocker, Declared, Neighbours, ProductName, World,
        assess::{Fault, Observation, Observations},
        scope::{Scope, resolve},
    },
    provider::{ErrorKind, ProviderError, SharedProvider, registry::Place},
    slo,
};

/// What people declared, from what the watches have shown.
pub fn declared(ctx: &Context, product: &Arc<DataProduct>) -> Declared {
    gathered(ctx, product, |mesh, _| mesh.neighbours(product))
}

/// The same for a product that somebody is about to apply, among the others as they are.
pub fn declared_if(ctx: &Context, product: &Arc<DataProduct>) -> Declared {
    gathered(ctx, product, |mesh, now| mesh.neighbours_if(product, now))
}

fn gathered(
    ctx: &Context,
    product: &Arc<DataProduct>,
    neighbours: impl FnOnce(&Mesh, Timestamp) -> Neighbours,
) -> Declared {
    let now = (ctx.now)();
    ctx.read(|mesh| Declared {
        now,
        cluster: ctx.cluster.clone(),
        product: Arc::clone(product),
        previous: None,
        namespace_labels: mesh
            .namespaces
            .get(&product.namespace().unwrap_or_default())
            .cloned()
            .unwrap_or_default(),
        domains: mesh.domains.values().cloned().collect(),
        classes: mesh.classes.clone(),
        standards: mesh.standards.clone(),
        policies: Arc::clone(mesh.policies()),
        precedents: ctx.precedents(&ProductName::of(&**product)),
        exceptions: mesh.exceptions_of(&ProductName::of(&**product)),
        neighbours: neighbours(mesh, now),
    })
}

/// The provider of a scope, with every kind that a product needs.
pub async fn provider(ctx: &Context, scope: &Scope) -> Result<SharedProvider, Blocker> {
    let unusable = |error: ProviderError| Blocker::ProviderUnusable {
        message: error.to_string(),
        transient: error.is_transient(),
    };
    let place = Place {
        account: scope.account.clone(),
        region: scope.region.clone(),
        role: scope.operator_role.clone(),
    };
    let provider = ctx.registry.provider(&scope.class_name, &scope.class, &place).await.map_err(unusable)?;
    let capabilities = provider.capabilities();
    let missing =
        Kind::ALL.into_iter().filter(|kind| !capabilities.contains(kind)).map(|kind| kind.to_string());
    let missing = missing.collect::<Vec<_>>();
    if missing.is_empty() { Ok(provider) } else { Err(Blocker::Unsupported { kinds: missing }) }
}

/// Observes a product that lives.
pub async fn world(ctx: &Context, declared: Declared) -> (World, Option<SharedProvider>) {
    let opened = match resolve(&declared) {
        Ok(scope) => provider(ctx, &scope).await.map(|provider| (scope, provider)),
        Err(blocker) => Err(blocker),
    };
    match opened {
        Err(blocker) => (World { declared, scope: Err(blocker), observations: Observations::new() }, None),
        Ok((scope, provider)) => {
            let look = look(&declared.product);
            let observations = observe(&provider, &scope.owner, look, scope.names.keys()).await;
            (World { declared, scope: Ok(scope), observations }, Some(provider))
        }
    }
}

/// How closely to look: every attribute, unless this is the regular visit to a product that is ready and that nobody
/// changed or asked to visit.
fn look(product: &DataProduct) -> Look {
    let status = product.status.as_ref();
    let settled = status.is_some_and(|status| {
        let ready = status.condition("Ready").is_some_and(|ready| ready.status == "True");
        let asked = product.annotations().get(RECONCILE_AT) != status.last_handled_reconcile_at.as_ref();
        ready && !asked && status.observed_generation == product.metadata.generation
    });
    if settled { Look::Usual } else { Look::Full }
}

/// Observes resources of an owner, all at once.
pub async fn observe(
    provider: &SharedProvider,
    owner: &Owner,
    look: Look,
    keys: impl Iterator<Item = Key>,
) -> Observations {
    let reads = keys.map(|key| async move {
        let sought = Sought { key, owner: owner.clone(), look };
        let observation = Observation::from(provider.observe(&sought).await);
        (sought.key, observation)
    });
    join_all(reads).await.into_iter().collect()
}

/// Measures the service levels of a product, after its steps, so that a bucket just made counts.
pub async fn measure(
    provider: Option<&SharedProvider>,
    world: &World,
    after: &Observations,
) -> Result<Vec<Reading>, Fault> {
    let declared = &world.declared;
    let (Some(provider), Ok(scope)) = (provider, &world.scope) else {
        return Err(Fault::new(ErrorKind::Unavailable, "the product has no provider to measure it"));
    };
    let bucket = scope.names.key(Kind::Bucket);
    let objectives = slo::objectives(&declared.product).map(|(objective, _)| objective).collect::<Vec<_>>();
    if objectives.is_empty() || after.get(&bucket) == Some(&Observation::Absent) {
        return Ok(Vec::new());
    }
    let subject = Subject {
        domain: scope.domain.clone(),
        product: declared.product.name_any(),
        bucket,
        alarm: scope.names.key(Kind::FreshnessAlarm),
        objectives,
        look: look(&declared.product),
    };
    provider.measure(&subject).await.map_err(|error| Fault::from(&error))
}
