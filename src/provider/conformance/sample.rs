//! Resources of every kind, for the cases.

use std::collections::BTreeSet;

use crate::model::{
    attributes::{Attributes, Bucket, CatalogDatabase, EncryptionKey, FreshnessAlarm, Grants},
    name::{Names, Overrides},
    owner::{DeletionPolicy, Owner},
    resource::{Desired, Key, Kind, Tags},
};

/// The account in which the cases run.
const ACCOUNT: &str = "000000000000";

fn tags(case: &str) -> Tags {
    [("Domain", "conformance"), ("DataProduct", case), ("ManagedBy", "datamesh-operator")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The mark of the product of a case.
pub(super) fn owner(case: &str) -> Owner {
    Owner {
        cluster: "conformance".to_owned(),
        uid: format!("uid-of-{case}"),
        product: format!("conformance/{case}"),
        purpose: format!("conformance/{case}"),
        deletion: DeletionPolicy::Retain,
        released: false,
    }
}

/// The mark of somebody else.
pub(super) fn stranger() -> Owner {
    Owner { purpose: "somebody/else".to_owned(), product: "somebody/else".to_owned(), ..owner("stranger") }
}

/// The key of a resource of a case.
pub(super) fn key(case: &str, kind: Kind) -> Result<Key, String> {
    let names =
        Names::of("conformance", case, ACCOUNT, Overrides::default()).map_err(|error| error.to_string())?;
    Ok(names.key(kind))
}

/// A resource of a case as its product wants it.
pub(super) fn desired(case: &str, kind: Kind) -> Result<Desired, String> {
    Ok(Desired { key: key(case, kind)?, owner: owner(case), attributes: attributes(case, kind)? })
}

fn attributes(case: &str, kind: Kind) -> Result<Attributes, String> {
    let tags = tags(case);
    Ok(match kind {
        Kind::EncryptionKey => Attributes::EncryptionKey(EncryptionKey {
            description: format!("KMS key for conformance/{case}"),
            rotation: true,
            named: true,
            surplus: BTreeSet::new(),
            tags,
        }),
        Kind::Bucket => Attributes::Bucket(Bucket {
            encryption_key: Some(key(case, Kind::EncryptionKey)?.name),
            bucket_key: true,
            versioning: true,
            public_access_blocked: true,
            tls_only: true,
            tags,
        }),
        Kind::CatalogDatabase => Attributes::CatalogDatabase(CatalogDatabase {
            bucket: key(case, Kind::Bucket)?.name,
            default_permissions: BTreeSet::new(),
            tags,
        }),
        Kind::Grant => Attributes::Grant(Grants {
            entries: [("role/team".to_owned(), BTreeSet::from(["ALL".to_owned()]))].into(),
        }),
        Kind::FreshnessAlarm => Attributes::FreshnessAlarm(FreshnessAlarm {
            namespace: "DataMesh/conformance".to_owned(),
            metric: "DataFreshnessMinutes".to_owned(),
            product: case.to_owned(),
            statistic: "Maximum".to_owned(),
            comparison: "GreaterThanThreshold".to_owned(),
            period_seconds: 300,
            evaluation_periods: 2,
            threshold_minutes: 60,
            missing_data: "breaching".to_owned(),
            description: format!("Data of conformance/{case} is late"),
            topic: None,
            tags,
        }),
    })
}

/// The same resource with some attributes changed.
pub(super) fn changed(desired: &Desired) -> Desired {
    let mut changed = desired.clone();
    match &mut changed.attributes {
        Attributes::EncryptionKey(key) => key.description.push_str(" (changed)"),
        Attributes::Bucket(bucket) => {
            bucket.tags.insert("Version".to_owned(), "2.0.0".to_owned());
        }
        Attributes::CatalogDatabase(database) => {
            database.default_permissions.insert("SELECT".to_owned());
        }
        Attributes::Grant(grants) => {
            grants.entries.insert("role/reader".to_owned(), BTreeSet::from(["SELECT".to_owned()]));
        }
        Attributes::FreshnessAlarm(alarm) => alarm.threshold_minutes = 120,
    }
    changed
}
