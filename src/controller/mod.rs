//! The shell: watches, the corridor of stages, and what keeps one product from harming another.
//!
//! Everything here may wait and may fail; everything that is decided is decided in the pure rooms.

pub mod apply;
pub mod bench;
mod compile;
pub mod context;
mod departure;
pub mod gather;
pub mod guard;
pub mod kubernetes;
pub mod leader;
pub mod mesh;
pub mod outputs;
pub mod policies;
pub mod pulse;
pub mod reconcile;
pub mod recover;
pub mod report;
pub mod rights;
pub mod schedule;
pub mod visits;
pub mod watch;
pub mod watches;

use std::{
    fmt::Debug,
    future::{Future, pending, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Resource,
    api::ListParams,
    runtime::{
        Controller,
        controller::{self, Action},
        reflector::{ObjectRef, Store},
    },
};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::mpsc;

use self::{context::Context, guard::Guarded, kubernetes::RequestError, leader::Candidate};
use crate::{
    api::{
        DataDomain, DataProduct, DomainPolicy, GovernancePolicy, PlatformStandards, PolicyException,
        ProviderClass,
    },
    plan::ProductName,
    provider::registry::Registry,
};

/// Number of products that are visited at the same time.
pub const CONCURRENCY: u16 = 64;

/// Why the operator stopped.
#[derive(Debug, Error)]
pub enum ControllerError {
    /// The API server could not be asked for the identity of the cluster.
    #[error(
        "cannot read the kube-system namespace, whose uid identifies the cluster: {0}; name the cluster with --cluster-id"
    )]
    Cluster(#[source] RequestError),
    /// A definition is not installed.
    #[error(
        "the API server does not know {0}; install the definitions with `dataproduct crds | kubectl apply --server-side -f -`"
    )]
    NoDefinition(&'static str),
    /// The API server could not be asked for a kind.
    #[error("cannot list {0}: {1}; the operator needs to get, list and watch it")]
    Unreadable(&'static str, #[source] RequestError),
    /// Another process visits products now, or may do so soon.
    #[error(
        "the lease is lost; the process ends, so that two do not do the same, and stands by when it is started anew"
    )]
    LeaseLost,
    /// A watch ended although nobody asked it to.
    #[error("the watches ended by themselves; the process ends so that it is started anew")]
    WatchesEnded,
}

/// Makes the context of an operator, after a look at whether it can do its work at all. With a namespace it sees the products,
/// policies and exceptions of that one alone.
pub async fn connect(
    client: Client,
    cluster: Option<String>,
    namespace: Option<String>,
) -> Result<Context, ControllerError> {
    let within = namespace.as_deref();
    readable(kubernetes::within::<DataProduct>(&client, within), "dataproducts").await?;
    readable::<DataDomain>(Api::all(client.clone()), "datadomains").await?;
    readable::<ProviderClass>(Api::all(client.clone()), "providerclasses").await?;
    readable::<PlatformStandards>(Api::all(client.clone()), "platformstandards").await?;
    readable::<GovernancePolicy>(Api::all(client.clone()), "governancepolicies").await?;
    readable(kubernetes::within::<DomainPolicy>(&client, within), "domainpolicies").await?;
    readable(kubernetes::within::<PolicyException>(&client, within), "policyexceptions").await?;
    let chosen = within.map(kubernetes::named).map(|named| ListParams::default().fields(&named));
    chosen_readable::<Namespace>(Api::all(client.clone()), "namespaces", &chosen.unwrap_or_default()).await?;
    let cluster = match cluster {
        Some(cluster) => cluster,
        None => kubernetes::cluster_id(&client).await.map_err(ControllerError::Cluster)?,
    };
    let ctx = Context::new(client, cluster, Registry::default());
    ctx.write(|mesh| mesh.horizon = namespace);
    Ok(ctx)
}

/// Finds out at the start, and in plain words, what would otherwise be a watch that fails for ever.
async fn readable<K>(objects: Api<K>, plural: &'static str) -> Result<(), ControllerError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    chosen_readable(objects, plural, &ListParams::default()).await
}

async fn chosen_readable<K>(
    objects: Api<K>,
    plural: &'static str,
    chosen: &ListParams,
) -> Result<(), ControllerError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    match kubernetes::can_list(objects, chosen).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_about_another_object() => Err(ControllerError::NoDefinition(plural)),
        Err(error) => Err(ControllerError::Unreadable(plural, error)),
    }
}

/// Runs the operator until `shutdown` completes; visits that are under way are finished first. With a candidate, products are
/// visited while it holds the Lease; everything is watched from the start, so that it can take over at once.
pub async fn run(
    ctx: Arc<Context>,
    mut candidate: Option<Candidate>,
    shutdown: impl Future<Output = ()> + Send + Sync + 'static,
) -> Result<(), ControllerError> {
    let (triggers, touched) = mpsc::unbounded_channel::<ProductName>();
    let (changed, store) = watch::products(&ctx, &triggers);
    let known = store.clone();
    ctx.knows(store.clone());
    let touched = stream::unfold(touched, |mut touched| async move {
        touched.recv().await.map(|name| (watch::reference(&name), touched))
    });
    let surroundings = watch::surroundings(Arc::clone(&ctx), triggers.clone());
    let compiled = compile::keep(Arc::clone(&ctx), triggers);
    let policies = policies::report(Arc::clone(&ctx));
    let asked = Arc::new(AtomicBool::new(false));
    let visits = Controller::for_stream(changed, store)
        .with_config(controller::Config::default().concurrency(CONCURRENCY))
        .reconcile_on(touched)
        .graceful_shutdown_on({
            let (asked, ctx) = (Arc::clone(&asked), Arc::clone(&ctx));
            async move {
                shutdown.await;
                asked.store(true, Ordering::SeqCst);
                ctx.leadership.end();
            }
        })
        .run(move |object, ctx| visit(known.clone(), object, ctx), after_error, Arc::clone(&ctx))
        .for_each(|visited| {
            match visited {
                Ok(_) => {}
                Err(controller::Error::QueueError(error)) => {
                    ctx.watches.interrupted(&DataProduct::kind(&()), &error);
                }
                Err(error) => tracing::debug!(%error, "a visit ended early"),
            }
            ready(())
        });
    let leads = async {
        if let Some(candidate) = &mut candidate {
            candidate.lead(&ctx.leadership).await;
        } else {
            ctx.leadership.begin();
            pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        () = visits => if asked.load(Ordering::SeqCst) { Ok(()) } else { Err(ControllerError::WatchesEnded) },
        () = surroundings => Err(ControllerError::WatchesEnded),
        () = policies => Err(ControllerError::WatchesEnded),
        () = compiled => Err(ControllerError::WatchesEnded),
        () = ctx.pulse.beat() => Err(ControllerError::WatchesEnded),
        () = leads => Err(ControllerError::LeaseLost),
    };
    if let Some(candidate) = candidate {
        candidate.release().await;
    }
    ended
}

async fn visit(
    known: Store<Guarded>,
    mut object: Arc<Guarded>,
    ctx: Arc<Context>,
) -> Result<Action, RequestError> {
    if !ctx.leadership.is_leader() {
        let led = ctx.leadership.until_leader().await;
        // Another process has changed it meanwhile.
        let now = known.get(&ObjectRef::from_obj(object.as_ref())).filter(|_| led);
        let Some(now) = now else { return Ok(Action::await_change()) };
        object = now;
    }
    let visit = guard::visit(&ctx, &object).await?;
    Ok(visit.again.map_or_else(Action::await_change, Action::requeue))
}

fn after_error(object: Arc<Guarded>, error: &RequestError, ctx: Arc<Context>) -> Action {
    use kube::ResourceExt;
    let name = ProductName::of(object.as_ref());
    tracing::warn!(product = %name, %error, "the status could not be written");
    let pause: Duration = guard::pause(&ctx, &name, &object.uid().unwrap_or_default());
    Action::requeue(pause)
}
