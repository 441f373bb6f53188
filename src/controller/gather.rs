//! The first stage: reads everything that a decision rests on, and changes nothing.

use std::sync::Arc;

use futures::future::join_all;
use kube::ResourceExt;

use super::context::Context;
use crate::{
    api::DataProduct,
    model::{
        measurement::{Reading, Subject},
        resource::{Key, Kind},
    },
    plan::{
        Blocker, Declared, World,
        assess::{Fault, Observation, Observations},
        scope::{Scope, resolve},
    },
    provider::{ErrorKind, ProviderError, SharedProvider},
};

/// What people declared, from what the watches have shown.
pub fn declared(ctx: &Context, product: &Arc<DataProduct>) -> Declared {
    ctx.read(|mesh| Declared {
        now: (ctx.now)(),
        cluster: ctx.cluster.clone(),
        product: Arc::clone(product),
        namespace_labels: mesh
            .namespaces
            .get(&product.namespace().unwrap_or_default())
            .cloned()
            .unwrap_or_default(),
        domains: mesh.domains.values().cloned().collect(),
        classes: mesh.classes.clone(),
        standards: mesh.standards.clone(),
        neighbours: mesh.neighbours(product),
    })
}

/// The provider of a scope, with every kind that a product needs.
pub async fn provider(ctx: &Context, scope: &Scope) -> Result<SharedProvider, Blocker> {
    let unusable = |error: ProviderError| Blocker::ProviderUnusable {
        message: error.to_string(),
        transient: error.is_transient(),
    };
    let provider = ctx
        .registry
        .provider(&scope.class_name, &scope.class, &scope.account, &scope.region)
        .await
        .map_err(unusable)?;
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
            let observations = observe(&provider, scope.names.keys()).await;
            (World { declared, scope: Ok(scope), observations }, Some(provider))
        }
    }
}

/// Observes resources, all at once.
pub async fn observe(provider: &SharedProvider, keys: impl Iterator<Item = Key>) -> Observations {
    let reads = keys.map(|key| async move {
        let observation = Observation::from(provider.observe(&key).await);
        (key, observation)
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
        let message = "the product has no provider to measure it".to_owned();
        return Err(Fault { kind: ErrorKind::Unavailable, message });
    };
    let bucket = scope.names.key(Kind::Bucket);
    if declared.product.spec.slo.is_none() || after.get(&bucket) == Some(&Observation::Absent) {
        return Ok(Vec::new());
    }
    let subject = Subject { domain: scope.domain.clone(), product: declared.product.name_any(), bucket };
    provider.measure(&subject).await.map_err(|error| Fault::from(&error))
}
