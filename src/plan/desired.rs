//! What a product wants outside the cluster, resource by resource, with the values of the reference's module.

use std::collections::BTreeSet;

use kube::ResourceExt;
use sha2::{Digest, Sha256};

use crate::{
    api::{
        Backend, DataProduct,
        product::{Classification, DataProductSpec, Lifecycle, Role},
    },
    model::{
        arn,
        attributes::{Attributes, Bucket, CatalogDatabase, EncryptionKey, FreshnessAlarm},
        duration::Period,
        owner::MANAGED_BY,
        resource::{Desired, Kind, Removal, Tags},
    },
    plan::{assess::Wanted, blocker::Blocker, grants, scope::Scope},
};

/// Length of one period of the freshness alarm, in seconds.
pub const ALARM_PERIOD_SECONDS: i32 = 300;
/// Number of periods that must breach before the alarm goes off.
pub const ALARM_PERIODS: i32 = 2;
/// Name of the freshness metric.
pub const FRESHNESS_METRIC: &str = "DataFreshnessMinutes";
/// The tag value of a product that does not say how sensitive it is.
const UNCLASSIFIED: &str = "unclassified";

/// What is done in another way than the spec says it, and why.
pub fn notes(product: &DataProduct, scope: &Scope) -> Vec<String> {
    grants::notes(&product.spec, scope)
}

/// Everything that the product wants, in the order of creation.
pub fn desired(product: &DataProduct, scope: &Scope) -> Result<Vec<Wanted>, Blocker> {
    let spec = &product.spec;
    let tags = tags(product, scope);
    let retired = spec.lifecycle == Some(Lifecycle::Retired);
    let attributes = |kind| -> Result<Option<Attributes>, Blocker> {
        Ok(match kind {
            Kind::EncryptionKey => Some(Attributes::EncryptionKey(key(product, scope, &tags))),
            Kind::Bucket => Some(Attributes::Bucket(bucket(scope, &tags))),
            Kind::CatalogDatabase => Some(Attributes::CatalogDatabase(database(spec, scope, &tags))),
            Kind::Grant => (!retired).then(|| Attributes::Grant(grants::grants(spec, scope))),
            Kind::FreshnessAlarm if retired => None,
            Kind::FreshnessAlarm => alarm(product, scope, &tags)?.map(Attributes::FreshnessAlarm),
        })
    };
    Kind::ALL.into_iter().map(|kind| Ok(wanted(scope, kind, attributes(kind)?))).collect()
}

fn wanted(scope: &Scope, kind: Kind, attributes: Option<Attributes>) -> Wanted {
    let key = scope.names.key(kind);
    let owner = scope.owner.clone();
    match attributes {
        Some(attributes) => Wanted::Present(Box::new(Desired { key, owner, attributes })),
        None => Wanted::Absent(Removal { key, owner, key_window_days: scope.key_window_days() }),
    }
}

/// A hash of everything wanted: two equal hashes want the same world. An approval names it.
pub fn hash(wanted: &[Wanted]) -> String {
    let mut digest = Sha256::new();
    for wanted in wanted {
        digest.update(wanted.key().to_string());
        if let Wanted::Present(desired) = wanted {
            for (path, value) in desired.attributes.rows().into_iter().chain(desired.owner.rows()) {
                digest.update([0]);
                digest.update(path);
                digest.update([0]);
                digest.update(value);
            }
        }
        digest.update([1]);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn tags(product: &DataProduct, scope: &Scope) -> Tags {
    let domain_owner =
        scope.domain_spec.as_ref().and_then(|domain| domain.spec.owner.clone()).unwrap_or_default();
    let owner = product.spec.owner.clone().unwrap_or_default();
    let contact = owner.email.or(owner.team).or(domain_owner.email).or(domain_owner.team);
    let classification = classification(&product.spec).map_or(UNCLASSIFIED, Classification::as_str);
    let mut tags: Tags = scope.class.tags.clone();
    tags.extend(
        [
            ("Domain", scope.domain.clone()),
            ("DataProduct", product.name_any()),
            ("Owner", contact.unwrap_or_else(|| "unknown".to_owned())),
            ("Classification", classification.to_owned()),
            ("ManagedBy", MANAGED_BY.to_owned()),
            ("Version", product.spec.version.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    tags.into_iter().map(|(key, value)| (taggable(&key, 128), taggable(&value, 256))).collect()
}

/// A text as every provider takes it in a tag: letters, digits, spaces and a few signs, and not too long.
fn taggable(text: &str, longest: usize) -> String {
    let legal = |c: char| if c.is_alphanumeric() || " +-=._:/@".contains(c) { c } else { '_' };
    text.trim().chars().map(legal).take(longest).collect()
}

fn classification(spec: &DataProductSpec) -> Option<Classification> {
    spec.access.as_ref().and_then(|access| access.classification)
}

fn key(product: &DataProduct, scope: &Scope, tags: &Tags) -> EncryptionKey {
    EncryptionKey {
        description: format!("KMS key for {}/{}", scope.domain, product.name_any()),
        rotation: true,
        named: true,
        surplus: BTreeSet::new(),
        tags: tags.clone(),
    }
}

fn bucket(scope: &Scope, tags: &Tags) -> Bucket {
    Bucket {
        encryption_key: Some(scope.names.encryption_key.clone()),
        bucket_key: true,
        versioning: true,
        public_access_blocked: true,
        tls_only: scope.class.aws.as_ref().and_then(|aws| aws.tls_only).unwrap_or(true),
        tags: tags.clone(),
    }
}

fn database(spec: &DataProductSpec, scope: &Scope, tags: &Tags) -> CatalogDatabase {
    // Open SELECT would bypass the grants, so only data that everybody may read has it.
    let open = matches!(classification(spec), Some(Classification::Public | Classification::Internal));
    let default_permissions = open.then(|| "SELECT".to_owned()).into_iter().collect();
    CatalogDatabase { bucket: scope.names.bucket.clone(), default_permissions, tags: tags.clone() }
}

/// The roles of a product.
pub fn roles(spec: &DataProductSpec) -> impl Iterator<Item = &Role> {
    spec.access.iter().flat_map(|access| &access.roles)
}

/// The topic of a class that names none: on `aws` one for each domain, which the operator makes.
fn own_topic(scope: &Scope) -> Option<String> {
    (scope.class.provider == Backend::Aws).then(|| arn::alerts(&scope.account, &scope.region, &scope.domain))
}

fn alarm(product: &DataProduct, scope: &Scope, tags: &Tags) -> Result<Option<FreshnessAlarm>, Blocker> {
    let Some(freshness) = product.spec.slo.as_ref().and_then(|slo| slo.freshness.as_ref()) else {
        return Ok(None);
    };
    let target: Period = freshness
        .target
        .parse()
        .map_err(|error| Blocker::BadSpec { message: format!("spec.slo.freshness.target: {error}") })?;
    let settings = scope.class.alarm.clone().unwrap_or_default();
    Ok(Some(FreshnessAlarm {
        namespace: format!("DataMesh/{}", scope.domain),
        metric: FRESHNESS_METRIC.to_owned(),
        product: product.name_any(),
        statistic: "Maximum".to_owned(),
        comparison: "GreaterThanThreshold".to_owned(),
        period_seconds: ALARM_PERIOD_SECONDS,
        evaluation_periods: ALARM_PERIODS,
        threshold_minutes: settings.threshold_minutes.map_or_else(|| target.minutes(), i64::from),
        missing_data: "breaching".to_owned(),
        description: format!(
            "Data of {}/{} is older than {}",
            scope.domain,
            product.name_any(),
            freshness.target
        ),
        topic: settings.topic.or_else(|| own_topic(scope)),
        tags: tags.clone(),
    }))
}
