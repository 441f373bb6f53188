//! How the resources of a product may be found, in every mixture, and the plans that follow.

use dataproduct_operator::{
    model::{
        attributes::Attributes,
        owner::{DeletionPolicy, Owner},
        resource::{Health, Key, Observed},
    },
    plan::{
        Plan,
        assess::{Fault, Memory, Observation, Observations, Wanted, assess_all},
        build::{Permissions, build},
        desired::desired,
        scope::{Scope, resolve},
        teardown::Departure,
    },
    provider::ErrorKind,
};
use proptest::prelude::*;

use crate::{outside::Outside, world::customer_360};

pub(crate) const ALL: Permissions =
    Permissions { create: true, correct: true, take_back: true, adopt: false, remove: true };

/// How one resource is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    Absent,
    Mine,
    Drifted,
    Predecessor,
    Released,
    Foreign,
    Unmarked,
    PendingDeletion,
    Disabled,
    Lost,
    Unknown,
}

pub(crate) fn found() -> impl Strategy<Value = Found> {
    use Found::{
        Absent, Disabled, Drifted, Foreign, Lost, Mine, PendingDeletion, Predecessor, Released, Unknown,
        Unmarked,
    };
    prop::sample::select(vec![
        Absent,
        Mine,
        Drifted,
        Predecessor,
        Released,
        Foreign,
        Unmarked,
        PendingDeletion,
        Disabled,
        Lost,
        Unknown,
    ])
}

pub(crate) fn scope() -> Scope {
    resolve(&customer_360()).expect("the example is bound")
}

pub(crate) fn wanted() -> Vec<Wanted> {
    desired(&customer_360().product, &scope()).expect("the example can be planned")
}

pub(crate) fn drifted(attributes: &Attributes) -> Attributes {
    match attributes.clone() {
        Attributes::EncryptionKey(mut key) => {
            key.rotation = false;
            Attributes::EncryptionKey(key)
        }
        Attributes::Bucket(mut bucket) => {
            bucket.versioning = false;
            bucket.tags.insert("Stray".into(), "x".into());
            Attributes::Bucket(bucket)
        }
        Attributes::CatalogDatabase(mut database) => {
            database.default_permissions = ["ALL".to_owned()].into();
            Attributes::CatalogDatabase(database)
        }
        Attributes::Grant(mut grants) => {
            grants.entries.insert("stranger".into(), ["SELECT".to_owned()].into());
            Attributes::Grant(grants)
        }
        Attributes::FreshnessAlarm(mut alarm) => {
            alarm.threshold_minutes = 999;
            Attributes::FreshnessAlarm(alarm)
        }
    }
}

/// The observations of a world in which each resource is found in its own way.
pub(crate) fn observations(found: &[Found]) -> (Observations, Outside) {
    let mut observations = Observations::new();
    let mut outside = Outside::default();
    for (wanted, found) in wanted().into_iter().zip(found) {
        let Wanted::Present(desired) = wanted else { continue };
        let key = desired.key.clone();
        let owner = desired.owner.clone();
        let base = Observed {
            key: key.clone(),
            id: format!("id:{key}"),
            owner: Some(owner.clone()),
            attributes: desired.attributes.clone(),
            health: Health::Live,
        };
        let observed = match found {
            Found::Absent => None,
            Found::Unknown => {
                let fault = Fault::new(ErrorKind::Timeout, "no answer");
                observations.insert(key, Observation::Unknown(fault));
                continue;
            }
            Found::Mine => Some(base),
            Found::Drifted => Some(Observed { attributes: drifted(&desired.attributes), ..base }),
            Found::Predecessor => {
                Some(Observed { owner: Some(Owner { uid: "older".into(), ..owner }), ..base })
            }
            Found::Released => {
                Some(Observed { owner: Some(Owner { cluster: "other".into(), ..owner }.released()), ..base })
            }
            Found::Foreign => {
                Some(Observed { owner: Some(Owner { purpose: "else/where".into(), ..owner }), ..base })
            }
            Found::Unmarked => Some(Observed { owner: None, ..base }),
            Found::PendingDeletion => Some(Observed { health: Health::PendingDeletion, ..base }),
            Found::Disabled => Some(Observed { health: Health::Disabled, ..base }),
            Found::Lost => Some(Observed { health: Health::Lost { last_known: "2 objects".into() }, ..base }),
        };
        match observed {
            None => {
                observations.insert(key, Observation::Absent);
            }
            Some(observed) => {
                outside.0.insert(key.clone(), observed.clone());
                observations.insert(key, Observation::Present(Box::new(observed)));
            }
        }
    }
    (observations, outside)
}

pub(crate) fn plan_of(observations: &Observations, may: Permissions) -> Plan {
    build(&assess_all(&wanted(), observations, &Memory::default()), may)
}

pub(crate) fn keys() -> Vec<Key> {
    scope().names.keys().collect()
}

pub(crate) fn departure(deletion: DeletionPolicy, confirmed: bool, consumers: Vec<String>) -> Departure {
    Departure {
        owner: Owner { deletion, ..scope().owner },
        name: "customer-360".into(),
        confirmation: confirmed.then(|| "customer-360".into()),
        consumers,
        horizon: None,
        key_window_days: 30,
        hands_off: None,
        begun: [].into(),
    }
}
