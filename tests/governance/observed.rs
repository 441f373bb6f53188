//! What the provider may have observed of the resources of a product: any of it, and all of it left open.

use dataproduct_operator::{
    governance::Resource,
    model::{
        attributes::{Attributes, Bucket, CatalogDatabase, EVERYBODY, EncryptionKey, Grants},
        owner::{DeletionPolicy, Owner},
        resource::{Desired, Health, Key, Observed, Tags},
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// A resource as it is wanted and as it was found.
pub(crate) type Pair = (Desired, Observed);

/// What the rules judge of some pairs.
pub(crate) fn resources(pairs: &[Pair]) -> Vec<Resource<'_>> {
    pairs.iter().map(|(desired, observed)| Resource { desired, observed }).collect()
}

fn owner() -> Owner {
    Owner {
        cluster: "cluster-1".to_owned(),
        uid: "uid-1".to_owned(),
        product: "customer/customer-360".to_owned(),
        purpose: "customer/customer-360".to_owned(),
        deletion: DeletionPolicy::Retain,
        released: false,
    }
}

/// A key, a bucket, a database and its grants, safe or open in every way that a rule knows.
fn attributes(safe: bool) -> [Attributes; 4] {
    let words = |open: &str| if safe { [].into() } else { [open.to_owned()].into() };
    let granted = if safe { "team" } else { EVERYBODY };
    [
        Attributes::EncryptionKey(EncryptionKey {
            description: String::new(),
            rotation: safe,
            named: true,
            surplus: [].into(),
            tags: Tags::new(),
        }),
        Attributes::Bucket(Bucket {
            encryption_key: safe.then(|| "customer-customer-360".to_owned()),
            bucket_key: true,
            versioning: true,
            public_access_blocked: safe,
            tls_only: true,
            tags: Tags::new(),
        }),
        Attributes::CatalogDatabase(CatalogDatabase {
            bucket: "customer-customer-360".to_owned(),
            default_permissions: words("SELECT"),
            tags: Tags::new(),
        }),
        Attributes::Grant(Grants { entries: [(granted.to_owned(), ["SELECT".to_owned()].into())].into() }),
    ]
}

fn pair(want: Attributes, have: Attributes, mark: Option<Owner>, health: Health) -> Pair {
    let key = Key::new(want.kind(), "customer-customer-360");
    let observed = Observed { key: key.clone(), id: "id".to_owned(), owner: mark, attributes: have, health };
    (Desired { key, owner: owner(), attributes: want }, observed)
}

/// A product's own resources, each open in every way that a rule knows.
pub(crate) fn left_open() -> Vec<Pair> {
    let pairs = attributes(true).into_iter().zip(attributes(false));
    pairs.map(|(want, have)| pair(want, have, Some(owner()), Health::Live)).collect()
}

/// Resources found in any way, of any mark; where they are in sync, they are as they are safe.
pub(crate) fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    let mark = option::of(select(vec![
        owner(),
        Owner { uid: "older".to_owned(), ..owner() },
        owner().released(),
        Owner { purpose: "else/where".to_owned(), ..owner() },
    ]));
    let health = select(vec![Health::Live, Health::Disabled, Health::PendingDeletion]);
    let found = (0..4usize, any::<bool>(), mark, health);
    vec(found, 0..6).prop_map(|found| {
        let pairs = found.into_iter().map(|(kind, safe, mark, health)| {
            pair(attributes(true)[kind].clone(), attributes(safe)[kind].clone(), mark, health)
        });
        pairs.collect()
    })
}

/// Whether a pair differs and is the product's own, by the mark and not by what the rules make of it.
pub(crate) fn is_own_and_open((desired, observed): &Pair) -> bool {
    let own = observed.owner.as_ref().is_some_and(|mark| {
        !mark.released && mark.product == desired.owner.product && mark.purpose == desired.owner.purpose
    });
    own && observed.health == Health::Live && observed.attributes != desired.attributes
}
