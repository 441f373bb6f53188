//! The managed attributes of each kind of resource, and their flat form in which drift is found and shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::resource::{Delta, Kind, Tags};

/// The principal that stands for everybody whom an account's own permissions allow.
pub const EVERYBODY: &str = "IAM_ALLOWED_PRINCIPALS";

/// The managed attributes of a resource. A provider reads and writes these and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attributes {
    /// See [`EncryptionKey`].
    EncryptionKey(EncryptionKey),
    /// See [`Bucket`].
    Bucket(Bucket),
    /// See [`CatalogDatabase`].
    CatalogDatabase(CatalogDatabase),
    /// See [`Grants`].
    Grant(Grants),
    /// See [`FreshnessAlarm`].
    FreshnessAlarm(FreshnessAlarm),
}

/// The product's own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionKey {
    /// `KMS key for <domain>/<product>`.
    pub description: String,
    /// Whether the key material is rotated every year.
    pub rotation: bool,
    /// Whether its name leads to it. A key without its name exists and must not be used yet.
    pub named: bool,
    /// Identifiers of further keys that carry the same mark, left by a create whose answer was lost. Nothing refers to
    /// them, so none is wanted.
    pub surplus: BTreeSet<String>,
    /// Informational tags.
    pub tags: Tags,
}

/// The product's storage bucket.
#[expect(clippy::struct_excessive_bools, reason = "each is one setting, on or off, independent of the rest")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Name of the key that encrypts new objects; `None` when objects are not encrypted with a key of ours.
    pub encryption_key: Option<String>,
    /// Whether objects share data keys, so that few calls reach the key service.
    pub bucket_key: bool,
    /// Whether old versions of objects are kept.
    pub versioning: bool,
    /// Whether every way of making objects public is closed.
    pub public_access_blocked: bool,
    /// Whether requests without TLS are refused.
    pub tls_only: bool,
    /// Informational tags.
    pub tags: Tags,
}

/// The product's database in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogDatabase {
    /// Name of the bucket in which its tables live.
    pub bucket: String,
    /// What every principal that the account's own permissions allow may do with new tables. `SELECT` for public and
    /// internal products, nothing for others: it would bypass the grants.
    pub default_permissions: BTreeSet<String>,
    /// Informational tags.
    pub tags: Tags,
}

/// Everything that is granted on the product's catalog database, by principal.
///
/// It is one resource, so that a grant which nobody asks for is found without remembering it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Permissions (`SELECT`, `ALL` …) by principal.
    pub entries: BTreeMap<String, BTreeSet<String>>,
}

/// The alarm on the product's freshness metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshnessAlarm {
    /// Metric namespace, `DataMesh/<domain>`.
    pub namespace: String,
    /// Metric name, `DataFreshnessMinutes`.
    pub metric: String,
    /// Value of the dimension `DataProduct`.
    pub product: String,
    /// Statistic over one period, `Maximum`.
    pub statistic: String,
    /// Comparison with the threshold, `GreaterThanThreshold`.
    pub comparison: String,
    /// Length of a period in seconds.
    pub period_seconds: i32,
    /// Number of periods that must breach.
    pub evaluation_periods: i32,
    /// Threshold in minutes.
    pub threshold_minutes: i64,
    /// What missing data counts as: `breaching`, because silence is never a pass.
    pub missing_data: String,
    /// Text that people see in the alarm.
    pub description: String,
    /// Topic that is told; `None` when the class names none.
    pub topic: Option<String>,
    /// Informational tags.
    pub tags: Tags,
}

impl Attributes {
    /// The kind that these attributes belong to.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::EncryptionKey(_) => Kind::EncryptionKey,
            Self::Bucket(_) => Kind::Bucket,
            Self::CatalogDatabase(_) => Kind::CatalogDatabase,
            Self::Grant(_) => Kind::Grant,
            Self::FreshnessAlarm(_) => Kind::FreshnessAlarm,
        }
    }

    /// The attributes as flat `path → value` rows: the one form in which drift is computed and shown.
    pub fn rows(&self) -> BTreeMap<String, String> {
        match self {
            Self::EncryptionKey(key) => with_tags(
                &key.tags,
                [
                    row("description", &key.description),
                    row("rotation", key.rotation),
                    row("named", key.named),
                ]
                .into_iter()
                .chain(key.surplus.iter().map(|id| row(&format!("surplus.{id}"), "exists"))),
            ),
            Self::Bucket(bucket) => with_tags(
                &bucket.tags,
                [
                    row("bucketKey", bucket.bucket_key),
                    row("versioning", bucket.versioning),
                    row("publicAccessBlocked", bucket.public_access_blocked),
                    row("tlsOnly", bucket.tls_only),
                ]
                .into_iter()
                .chain(bucket.encryption_key.iter().map(|key| row("encryptionKey", key))),
            ),
            Self::CatalogDatabase(database) => with_tags(
                &database.tags,
                [
                    row("bucket", &database.bucket),
                    row("defaultPermissions", words(&database.default_permissions)),
                ]
                .into_iter(),
            ),
            Self::Grant(grants) => grants.rows(),
            Self::FreshnessAlarm(alarm) => alarm.rows(),
        }
    }
}

impl Attributes {
    /// These attributes without what a lost answer left beside them.
    #[must_use]
    pub fn without_surplus(mut self) -> Self {
        if let Self::EncryptionKey(key) = &mut self {
            key.surplus.clear();
        }
        self
    }

    /// These attributes with those that `delta` names taken from `desired`, and nothing else touched.
    #[must_use]
    pub fn patched(mut self, desired: &Self, delta: &Delta) -> Self {
        match (&mut self, desired) {
            (Self::EncryptionKey(have), Self::EncryptionKey(want)) => {
                take(delta, "description", &mut have.description, &want.description);
                take(delta, "rotation", &mut have.rotation, &want.rotation);
                take(delta, "named", &mut have.named, &want.named);
                take(delta, "surplus", &mut have.surplus, &want.surplus);
                patch_map(delta, "tags", &mut have.tags, &want.tags);
            }
            (Self::Bucket(have), Self::Bucket(want)) => {
                take(delta, "encryptionKey", &mut have.encryption_key, &want.encryption_key);
                take(delta, "bucketKey", &mut have.bucket_key, &want.bucket_key);
                take(delta, "versioning", &mut have.versioning, &want.versioning);
                take(
                    delta,
                    "publicAccessBlocked",
                    &mut have.public_access_blocked,
                    &want.public_access_blocked,
                );
                take(delta, "tlsOnly", &mut have.tls_only, &want.tls_only);
                patch_map(delta, "tags", &mut have.tags, &want.tags);
            }
            (Self::CatalogDatabase(have), Self::CatalogDatabase(want)) => {
                take(delta, "bucket", &mut have.bucket, &want.bucket);
                take(delta, "defaultPermissions", &mut have.default_permissions, &want.default_permissions);
                patch_map(delta, "tags", &mut have.tags, &want.tags);
            }
            (Self::Grant(have), Self::Grant(want)) => {
                patch_map(delta, "principals", &mut have.entries, &want.entries);
            }
            (Self::FreshnessAlarm(have), Self::FreshnessAlarm(want)) => have.patch(want, delta),
            // A delta between different kinds names nothing that both have.
            _ => {}
        }
        self
    }
}

fn take<T: Clone>(delta: &Delta, path: &str, have: &mut T, want: &T) {
    if delta.touches(path) {
        have.clone_from(want);
    }
}

fn patch_map<T: Clone>(
    delta: &Delta,
    prefix: &str,
    have: &mut BTreeMap<String, T>,
    want: &BTreeMap<String, T>,
) {
    for key in delta.below(prefix) {
        match want.get(key) {
            Some(value) => have.insert(key.to_owned(), value.clone()),
            None => have.remove(key),
        };
    }
}

impl Grants {
    fn rows(&self) -> BTreeMap<String, String> {
        self.entries
            .iter()
            .map(|(principal, permissions)| (format!("principals.{principal}"), words(permissions)))
            .collect()
    }
}

impl FreshnessAlarm {
    fn patch(&mut self, want: &Self, delta: &Delta) {
        take(delta, "namespace", &mut self.namespace, &want.namespace);
        take(delta, "metric", &mut self.metric, &want.metric);
        take(delta, "dimensions.DataProduct", &mut self.product, &want.product);
        take(delta, "statistic", &mut self.statistic, &want.statistic);
        take(delta, "comparison", &mut self.comparison, &want.comparison);
        take(delta, "periodSeconds", &mut self.period_seconds, &want.period_seconds);
        take(delta, "evaluationPeriods", &mut self.evaluation_periods, &want.evaluation_periods);
        take(delta, "thresholdMinutes", &mut self.threshold_minutes, &want.threshold_minutes);
        take(delta, "missingData", &mut self.missing_data, &want.missing_data);
        take(delta, "description", &mut self.description, &want.description);
        take(delta, "topic", &mut self.topic, &want.topic);
        patch_map(delta, "tags", &mut self.tags, &want.tags);
    }

    fn rows(&self) -> BTreeMap<String, String> {
        let fixed = [
            row("namespace", &self.namespace),
            row("metric", &self.metric),
            row("dimensions.DataProduct", &self.product),
            row("statistic", &self.statistic),
            row("comparison", &self.comparison),
            row("periodSeconds", self.period_seconds),
            row("evaluationPeriods", self.evaluation_periods),
            row("thresholdMinutes", self.threshold_minutes),
            row("missingData", &self.missing_data),
            row("description", &self.description),
        ];
        with_tags(&self.tags, fixed.into_iter().chain(self.topic.iter().map(|topic| row("topic", topic))))
    }
}

/// A set as text; an empty one is `none`.
fn words(set: &BTreeSet<String>) -> String {
    if set.is_empty() { "none".to_owned() } else { set.iter().cloned().collect::<Vec<_>>().join(",") }
}

fn row(path: &str, value: impl ToString) -> (String, String) {
    (path.to_owned(), value.to_string())
}

fn with_tags(tags: &Tags, rows: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    rows.chain(tags.iter().map(|(key, value)| (format!("tags.{key}"), value.clone()))).collect()
}
