//! What the platform team has applied, whether providers answer, and whether products are looked after.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kube::{Client, ResourceExt};

use super::{Found, some};
use crate::{
    api::{Backend, DataDomain, DataProduct, GovernancePolicy, PlatformStandards, ProviderClass},
    cli::places::{Placed, places},
    controller::kubernetes::{Listed, all, all_within},
    model::{
        owner::{DeletionPolicy, Owner},
        resource::{Key, Kind, Look, Sought},
    },
    plan::ProductName,
    provider::registry::Registry,
};

/// How long a product may wait to be seen for the first time.
const UNSEEN: SignedDuration = SignedDuration::from_mins(2);

/// Looks at all of it. Providers are asked by whoever has the operator's credentials.
pub(super) async fn look(client: &Client, watched: Option<&str>, providers: bool) -> Vec<Found> {
    let mut found = vec![standards(client).await, policies(client).await];
    let (domains, classes) = (all::<DataDomain>(client).await, all::<ProviderClass>(client).await);
    match (domains, classes) {
        (Ok(domains), Ok(classes)) => {
            found.extend(domains_and_classes(&domains.objects, &classes.objects));
            if providers {
                found.extend(reached(&domains.objects, &classes.objects).await);
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            found.push(Found::unanswered("domains", "DataDomains and ProviderClasses", &error));
        }
    }
    found.push(match all_within::<DataProduct>(client, watched).await {
        Ok(products) => looked_after(&products, Timestamp::now()),
        Err(error) => Found::unanswered("products", "DataProducts", &error),
    });
    found
}

async fn standards(client: &Client) -> Found {
    const CHECK: &str = "standards";
    match all::<PlatformStandards>(client).await {
        Ok(Listed { objects, .. }) if objects.is_empty() => Found::failed(
            CHECK,
            "there is no PlatformStandards, so that no product can be judged; apply one named default",
        ),
        Ok(_) => Found::ok(CHECK, "there are PlatformStandards"),
        Err(error) => Found::unanswered(CHECK, "PlatformStandards", &error),
    }
}

async fn policies(client: &Client) -> Found {
    const CHECK: &str = "policies";
    let policies = match all::<GovernancePolicy>(client).await {
        Ok(listed) => listed.objects,
        Err(error) => return Found::unanswered(CHECK, "GovernancePolicies", &error),
    };
    let faulty = policies.iter().filter(|policy| policy.status.as_ref().is_some_and(|it| it.faults > 0));
    let faulty = faulty.map(ResourceExt::name_any).collect::<Vec<_>>();
    if policies.is_empty() {
        let how = "`dataproduct policies | kubectl apply --server-side -f -`";
        Found::failed(
            CHECK,
            format!("there is no GovernancePolicy, so that nothing is judged; apply some: {how}"),
        )
    } else if faulty.is_empty() {
        Found::ok(CHECK, format!("{} of the central group", policies.len()))
    } else {
        let faulty = some(&faulty);
        Found::failed(CHECK, format!("rules of {faulty} cannot be evaluated; their status says why"))
    }
}

fn domains_and_classes(domains: &[DataDomain], classes: &[ProviderClass]) -> Vec<Found> {
    const CHECK: &str = "domains";
    let known = classes.iter().map(ResourceExt::name_any).collect::<BTreeSet<_>>();
    let lacking = domains.iter().flat_map(|domain| {
        let unknown = domain.spec.provider_classes.iter().filter(|class| !known.contains(*class));
        unknown.map(|class| format!("{class} of {}", domain.name_any())).collect::<Vec<_>>()
    });
    let lacking = lacking.collect::<Vec<_>>();
    vec![if domains.is_empty() {
        Found::note(CHECK, "there is no DataDomain yet, so that no namespace can have products")
    } else if lacking.is_empty() {
        Found::ok(CHECK, format!("{} with {} provider classes", domains.len(), classes.len()))
    } else {
        Found::failed(
            CHECK,
            format!("there is no ProviderClass {}; apply it, or take it out of the domain", some(&lacking)),
        )
    }]
}

/// Asks each provider, in each account, for a bucket that nobody has.
async fn reached(domains: &[DataDomain], classes: &[ProviderClass]) -> Vec<Found> {
    const CHECK: &str = "providers";
    let registry = Registry::default();
    let (mut wrong, mut answered) = (Vec::new(), 0_usize);
    for Placed { class, place, domain } in places(domains, classes) {
        if class.spec.provider == Backend::Local {
            continue;
        }
        let name = class.name_any();
        let answer = match registry.provider(&name, &class.spec, &place).await {
            Ok(provider) => provider.observe(&nobodys()).await.map(|_| ()),
            Err(error) => Err(error),
        };
        match answer {
            Ok(()) => answered += 1,
            Err(error) => wrong.push(Found::failed(
                CHECK,
                format!("{name} in {}/{} for {domain}: {error}", place.account, place.region),
            )),
        }
    }
    let locals = classes.iter().filter(|class| class.spec.provider == Backend::Local);
    let locals = locals.map(ResourceExt::name_any).collect::<Vec<_>>();
    if wrong.is_empty() && answered > 0 {
        wrong.push(Found::ok(CHECK, format!("answer in {answered} places")));
    }
    if !locals.is_empty() {
        let locals = some(&locals);
        wrong.push(Found::ok(CHECK, format!("{locals}: on a volume of the operator, which only it has")));
    }
    wrong
}

/// A resource that no product can have.
fn nobodys() -> Sought {
    let nobody = "dataproduct-doctor".to_owned();
    Sought {
        key: Key::new(Kind::Bucket, "dataproduct-doctor-looks-for-nothing"),
        owner: Owner {
            cluster: nobody.clone(),
            uid: nobody.clone(),
            product: nobody.clone(),
            purpose: nobody,
            deletion: DeletionPolicy::Retain,
            released: false,
        },
        look: Look::Full,
    }
}

/// Whether the operator has seen every product as it is now.
fn looked_after(products: &Listed<DataProduct>, now: Timestamp) -> Found {
    const CHECK: &str = "products";
    let unseen = products.objects.iter().filter(|product| {
        let observed = product.status.as_ref().and_then(|status| status.observed_generation).unwrap_or(-1);
        let created = product.metadata.creation_timestamp.as_ref().map(|created| created.0);
        let young = created.is_some_and(|created| now.duration_since(created) < UNSEEN);
        observed < 0 && !young
    });
    let unseen = unseen.map(|product| ProductName::of(product).to_string()).collect::<Vec<_>>();
    let with = |type_: &str| {
        let is_true = |product: &&DataProduct| {
            let status = product.status.as_ref();
            status
                .and_then(|status| status.condition(type_))
                .is_some_and(|condition| condition.status == "True")
        };
        products.objects.iter().filter(is_true).count()
    };
    if !unseen.is_empty() {
        let unseen = some(&unseen);
        return Found::failed(
            CHECK,
            format!("the operator has never seen {unseen}; it does not run, or may not list them"),
        );
    }
    let said = format!("{}: {} ready, {} stalled", products.objects.len(), with("Ready"), with("Stalled"));
    match products.undecodable {
        0 => Found::ok(CHECK, said),
        more => Found::note(CHECK, format!("{said}, {more} that cannot be read")),
    }
}
