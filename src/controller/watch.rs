//! The watches: they keep the mesh up to date and name the products that an event touches.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Resource, ResourceExt,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        WatchStreamExt, predicates,
        reflector::{self, ObjectRef, Store},
        utils::Predicate,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    context::{Context, Watched},
    guard::Guarded,
    kubernetes,
    mesh::Mesh,
    recover, report,
};
use crate::{
    api::{DataDomain, DomainPolicy, GovernancePolicy, PlatformStandards, PolicyException, ProviderClass},
    plan::ProductName,
};

/// What every annotation of ours begins with.
const ANNOTATIONS: &str = "datamesh.io/";

/// Products to visit, by name.
pub type Triggers = UnboundedSender<ProductName>;

/// The stream of products to visit because they changed themselves, and the store that it fills.
pub fn products(
    ctx: &Arc<Context>,
    triggers: &Triggers,
) -> (impl Stream<Item = Result<Guarded, watcher::Error>> + Send + 'static, Store<Guarded>) {
    let (reader, writer) = reflector::store::<Guarded>();
    let (ctx, triggers) = (Arc::clone(ctx), triggers.clone());
    let mut listed = BTreeSet::new();
    let api: Api<Guarded> = kubernetes::within(&ctx.client, ctx.horizon().as_deref());
    let stream = recover::watch(api)
        .modify(prune)
        .inspect_ok(move |event| {
            let touched = product_event(&ctx, event, &mut listed);
            send(&ctx, &triggers, touched);
        })
        .reflect(writer)
        .applied_objects()
        .predicate_filter(
            // Policies may select by labels, which are no part of the generation.
            predicates::generation
                .combine(predicates::finalizers)
                .combine(predicates::labels)
                .combine(asked)
                .combine(deletion),
            kube::runtime::PredicateConfig::default(),
        );
    (stream, reader)
}

/// A deletion changes neither the generation of every object nor its finalizers.
fn deletion(object: &Guarded) -> Option<u64> {
    object.meta().deletion_timestamp.as_ref().map(|_| 1)
}

/// The annotations that ask for something: a visit, an approval, a confirmation.
#[expect(clippy::unnecessary_wraps, reason = "a predicate has this type")]
fn asked(object: &Guarded) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let ours = object.annotations().iter().filter(|(key, _)| key.starts_with(ANNOTATIONS));
    ours.for_each(|pair| pair.hash(&mut hasher));
    Some(hasher.finish())
}

/// Drops what no decision needs, and what takes most of the memory.
fn prune(object: &mut Guarded) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}

fn product_event(
    ctx: &Context,
    event: &Event<Guarded>,
    listed: &mut BTreeSet<ProductName>,
) -> BTreeSet<ProductName> {
    match event {
        Event::Init => {
            listed.clear();
            BTreeSet::new()
        }
        Event::InitApply(object) => {
            listed.insert(ProductName::of(object));
            take_up(ctx, object)
        }
        Event::Apply(object) => take_up(ctx, object),
        Event::Delete(object) => {
            let name = ProductName::of(object);
            ctx.forget(&name);
            ctx.write(|mesh| mesh.product_gone(&name))
        }
        Event::InitDone => {
            let gone = ctx
                .read(Mesh::products)
                .into_iter()
                .filter(|name| !listed.contains(name))
                .collect::<Vec<_>>();
            let touched = gone.iter().flat_map(|name| ctx.write(|mesh| mesh.product_gone(name))).collect();
            listed.clear();
            ctx.mark_synced(Watched::Products);
            touched
        }
    }
}

fn take_up(ctx: &Context, object: &Guarded) -> BTreeSet<ProductName> {
    match &object.0 {
        Ok(product) => ctx.write(|mesh| mesh.product(product)),
        // What cannot be read claims nothing and reads nobody.
        Err(_) => ctx.write(|mesh| mesh.product_gone(&ProductName::of(object))),
    }
}

pub(super) fn send(ctx: &Context, triggers: &Triggers, products: BTreeSet<ProductName>) {
    // Before everything was listed once, every product is visited anyway.
    if ctx.is_synced() {
        for product in products {
            // Nobody listens any more only when the process is ending.
            let _ = triggers.send(product);
        }
    }
}

/// Follows domains, classes, standards and namespaces for as long as it is polled.
pub async fn surroundings(ctx: Arc<Context>, triggers: Triggers) {
    let horizon = ctx.horizon();
    let domains = follow(
        &ctx,
        &triggers,
        Watched::Domains,
        Api::all(ctx.client.clone()),
        |mesh: &mut Mesh, name: &str, domain: Option<Arc<DataDomain>>| {
            domain_changed(&ctx, mesh, name, domain)
        },
    );
    let classes = follow(
        &ctx,
        &triggers,
        Watched::Classes,
        Api::all(ctx.client.clone()),
        |mesh: &mut Mesh, name: &str, class: Option<Arc<ProviderClass>>| {
            let before = mesh.classes.get(name).map(|before| before.spec.clone());
            if before.as_ref() == class.as_ref().map(|class| &class.spec) {
                return BTreeSet::new();
            }
            match class {
                Some(class) => mesh.classes.insert(name.to_owned(), class),
                None => mesh.classes.remove(name),
            };
            let mut touched = mesh.products_of_class(name);
            touched.extend(mesh.reclaim(&touched));
            touched
        },
    );
    let standards = follow(
        &ctx,
        &triggers,
        Watched::Standards,
        Api::all(ctx.client.clone()),
        |mesh: &mut Mesh, _: &str, standards: Option<Arc<PlatformStandards>>| {
            if mesh.standards.as_ref().map(|before| &before.spec)
                == standards.as_ref().map(|standards| &standards.spec)
            {
                return BTreeSet::new();
            }
            mesh.standards = standards;
            mesh.products()
        },
    );
    let global_policies = follow(
        &ctx,
        &triggers,
        Watched::GovernancePolicies,
        Api::all(ctx.client.clone()),
        |mesh: &mut Mesh, name: &str, policy: Option<Arc<GovernancePolicy>>| {
            match policy {
                Some(policy) => mesh.global_policies.insert(name.to_owned(), policy),
                None => mesh.global_policies.remove(name),
            };
            mesh.policies_changed();
            ctx.compile.notify_one();
            BTreeSet::new()
        },
    );
    let domain_policies = follow(
        &ctx,
        &triggers,
        Watched::DomainPolicies,
        kubernetes::within(&ctx.client, horizon.as_deref()),
        |mesh: &mut Mesh, name: &str, policy: Option<Arc<DomainPolicy>>| {
            match policy {
                Some(policy) => mesh.domain_policies.insert(name.to_owned(), policy),
                None => mesh.domain_policies.remove(name),
            };
            mesh.policies_changed();
            ctx.compile.notify_one();
            BTreeSet::new()
        },
    );
    let exceptions = follow(
        &ctx,
        &triggers,
        Watched::Exceptions,
        kubernetes::within(&ctx.client, horizon.as_deref()),
        |mesh: &mut Mesh, name: &str, exception: Option<Arc<PolicyException>>| {
            ctx.tallies.touch();
            mesh.exception(name, exception)
        },
    );
    let namespaces = namespaces(&ctx, &triggers);
    tokio::join!(domains, classes, standards, global_policies, domain_policies, exceptions, namespaces);
}

/// Takes up a domain, or its absence, and names the products that this touches.
fn domain_changed(
    ctx: &Context,
    mesh: &mut Mesh,
    name: &str,
    domain: Option<Arc<DataDomain>>,
) -> BTreeSet<ProductName> {
    let before = mesh.domains.get(name).cloned();
    if before.as_ref().map(|before| &before.spec) == domain.as_ref().map(|domain| &domain.spec) {
        return BTreeSet::new();
    }
    let touched = |mesh: &Mesh, domain: Option<&Arc<DataDomain>>| {
        domain.map(|domain| mesh.products_of_domain(domain)).unwrap_or_default()
    };
    let mut products_touched = touched(mesh, before.as_ref());
    match domain {
        Some(domain) => mesh.domains.insert(name.to_owned(), domain),
        None => mesh.domains.remove(name),
    };
    let now = mesh.domains.get(name).cloned();
    products_touched.extend(touched(mesh, now.as_ref()));
    products_touched.extend(mesh.reclaim(&products_touched));
    // A policy of a domain judges the products of the domain that its namespace belongs to.
    mesh.policies_changed();
    ctx.compile.notify_one();
    products_touched
}

/// The reference under which the controller knows a product.
pub fn reference(name: &ProductName) -> ObjectRef<Guarded> {
    ObjectRef::new(&name.name).within(&name.namespace)
}

/// Follows a kind. `change` takes up one object, or its absence, by its name, with its namespace before it where it has
/// one, and names the products that it touches.
async fn follow<K>(
    ctx: &Arc<Context>,
    triggers: &Triggers,
    watched: Watched,
    api: Api<DeserializeGuard<K>>,
    change: impl Fn(&mut Mesh, &str, Option<Arc<K>>) -> BTreeSet<ProductName>,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut events = std::pin::pin!(recover::watch(api));
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut listed: BTreeSet<String> = BTreeSet::new();
    while let Some(event) = events.next().await {
        let touched = match event {
            Err(error) => {
                ctx.watches.interrupted(&K::kind(&()), &error);
                continue;
            }
            Ok(Event::Init) => {
                listed.clear();
                continue;
            }
            Ok(Event::InitApply(object) | Event::Apply(object)) => {
                let name = full_name(&object);
                known.insert(name.clone());
                listed.insert(name.clone());
                let reference = object.object_ref(&());
                match object.0 {
                    Ok(object) => ctx.write(|mesh| change(mesh, &name, Some(Arc::new(object)))),
                    Err(invalid) => {
                        // In a box, because it is seldom needed and would make every future around it larger.
                        Box::pin(report::undecodable(ctx, reference, &invalid.error)).await;
                        tracing::error!(kind = %K::kind(&()), name, error = %invalid.error, "an object cannot be decoded and counts as absent");
                        ctx.write(|mesh| change(mesh, &name, None))
                    }
                }
            }
            Ok(Event::Delete(object)) => {
                let name = full_name(&object);
                known.remove(&name);
                ctx.write(|mesh| change(mesh, &name, None))
            }
            Ok(Event::InitDone) => {
                let gone = known.difference(&listed).cloned().collect::<Vec<_>>();
                known.retain(|name| listed.contains(name));
                let touched =
                    gone.iter().flat_map(|name| ctx.write(|mesh| change(mesh, name, None))).collect();
                ctx.mark_synced(watched);
                touched
            }
        };
        send(ctx, triggers, touched);
    }
}

/// The name of an object, as `namespace/name` where it has a namespace.
fn full_name(object: &impl ResourceExt) -> String {
    match object.namespace() {
        Some(namespace) => format!("{namespace}/{}", object.name_any()),
        None => object.name_any(),
    }
}

/// Follows the labels of namespaces, by which domains may select them; those of one alone where no other is seen.
async fn namespaces(ctx: &Arc<Context>, triggers: &Triggers) {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(ctx.client.clone());
    let chosen = match ctx.horizon() {
        Some(namespace) => watcher::Config::default().fields(&kubernetes::named(&namespace)),
        None => watcher::Config::default(),
    };
    let mut events = std::pin::pin!(recover::watch_chosen(api, chosen));
    let mut listed: BTreeSet<String> = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Err(error) => ctx.watches.interrupted(&Namespace::kind(&()), &error),
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(namespace) | Event::Apply(namespace)) => {
                let name = namespace.name_any();
                listed.insert(name.clone());
                let labels = namespace.labels().clone();
                let touched = ctx.write(|mesh| {
                    let before = mesh.namespaces.insert(name.clone(), labels.clone());
                    if before == Some(labels) {
                        return BTreeSet::new();
                    }
                    mesh.policies_changed();
                    ctx.compile.notify_one();
                    mesh.products_of_namespace(&name)
                });
                send(ctx, triggers, touched);
            }
            Ok(Event::Delete(namespace)) => {
                ctx.write(|mesh| mesh.namespaces.remove(&namespace.name_any()));
            }
            Ok(Event::InitDone) => {
                ctx.write(|mesh| mesh.namespaces.retain(|name, _| listed.contains(name)));
                ctx.mark_synced(Watched::Namespaces);
            }
        }
    }
}
