//! `ProviderClass`: how and where a platform provisions.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::product::{DeletionPolicy, slo::duration_rule};

/// How and where the platform provisions data products.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "datamesh.io",
    version = "v1",
    kind = "ProviderClass",
    plural = "providerclasses",
    singular = "providerclass",
    shortname = "pcls",
    category = "datamesh",
    derive = "PartialEq",
    doc = "How and where the platform provisions data products.",
    printcolumn(
        name = "Provider",
        type_ = "string",
        json_path = ".spec.provider",
        description = "Backend that keeps the resources."
    ),
    printcolumn(
        name = "Deletion",
        type_ = "string",
        json_path = ".spec.deletionPolicy",
        description = "Deletion policy of products that set none; Retain when empty."
    ),
    printcolumn(
        name = "Drift",
        type_ = "string",
        json_path = ".spec.driftPolicy",
        description = "What happens to resources that were changed behind the operator's back; Correct when empty."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the class was created."
    )
)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.provider != 'local' || has(self.local)",
     "message": "provider local needs the block local, with the absolute path of its root directory"},
    {"rule": "self.provider == 'aws' || !has(self.aws)",
     "message": "the block aws belongs to provider aws; remove it, or set provider to aws"},
    {"rule": "!has(self.tags) || self.tags.all(key, key.size() <= 128 && !key.startsWith('aws:') && !key.startsWith('datamesh.io/'))",
     "message": "keys of tags have at most 128 characters and do not begin with aws: or datamesh.io/, which belong to others"}
]))]
pub struct ProviderClassSpec {
    /// Backend that keeps the resources.
    pub provider: Backend,
    /// Settings of the backend `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalBackend>,
    /// Settings of the backend `aws`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsBackend>,
    /// Deletion policy of products that set none. The default is `Retain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens to resources that were changed behind the operator's back. The default is `Correct`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// Whether products may take over resources that the operator did not make. The default is `Denied`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption: Option<AdoptionPolicy>,
    /// Days during which a deleted encryption key can be taken back, 7 to 30. The default is 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 7, max = 30))]
    pub key_deletion_window_days: Option<i32>,
    /// Settings of the freshness alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<AlarmDefaults>,
    /// Tags that every resource gets beside the operator's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), inner(length(max = 256)))]
    pub tags: BTreeMap<String, String>,
    /// How many calls a second the backend takes. The default is 500, with bursts of 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Time between two looks at resources that nobody changed, for example `10 minutes`. The default is 10 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [duration_rule("resyncInterval", "10 minutes")]))]
    pub resync_interval: Option<String>,
}

/// A backend.
#[derive(
    Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Directories and a ledger on the operator's own file system.
    #[default]
    Local,
    /// S3, KMS, Glue, Lake Formation and CloudWatch in the accounts of the domains.
    Aws,
}

impl Backend {
    /// The word used in specs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Aws => "aws",
        }
    }
}

/// Settings of the backend `aws`. Credentials come from the operator's own environment, and from there by the role that
/// each domain names; no field here holds any.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AwsBackend {
    /// Account number of domains that name none, 12 digits. Without it every domain must name its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12), regex(pattern = r"^[0-9]{12}$"))]
    pub account_id: Option<String>,
    /// Region of domains that name none, for example `eu-central-1`. Without it every domain must name its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z0-9-]+$"))]
    pub region: Option<String>,
    /// Addresses that replace the public ones, for private endpoints and emulators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<AwsEndpoints>,
    /// Whether bucket policies refuse requests without TLS. The default is true. The operator manages one statement of
    /// the policy and leaves the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_only: Option<bool>,
    /// How long a key whose create got no answer is looked for before another one is made. The default is `15 minutes`;
    /// shorter than the provider's tags take to appear may leave a second key, which is then found and scheduled for
    /// deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [duration_rule("lostCreateWait", "15 minutes")]))]
    pub lost_create_wait: Option<String>,
    /// Time between two looks at every attribute of resources that nobody changed. In between, at every resync, the
    /// listings of the account tell whether they still exist and are marked as ours. The default is `12 hours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [duration_rule("fullLookInterval", "12 hours")]))]
    pub full_look_interval: Option<String>,
}

/// Addresses that replace the public ones of AWS services.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AwsEndpoints {
    /// Every service that names none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub default: Option<String>,
    /// S3. Buckets are then addressed by path and not by host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub s3: Option<String>,
    /// Key Management Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub kms: Option<String>,
    /// Glue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub glue: Option<String>,
    /// Lake Formation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub lakeformation: Option<String>,
    /// CloudWatch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub cloudwatch: Option<String>,
    /// Simple Notification Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub sns: Option<String>,
    /// Security Token Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub sts: Option<String>,
    /// Resource Groups Tagging.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://"))]
    pub tagging: Option<String>,
}

/// Settings of the backend `local`.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LocalBackend {
    /// Absolute path of the directory that holds buckets and ledger. It must exist and be writable by the operator.
    #[schemars(length(min = 2, max = 512))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self.startsWith('/') && !self.contains('/../') && !self.endsWith('/..')",
         "message": "root must be an absolute path without .., for example /var/lib/datamesh"}
    ]))]
    pub root: String,
    /// Account number of domains that name none, 12 digits. The default is `000000000000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12), regex(pattern = r"^[0-9]{12}$"))]
    pub account_id: Option<String>,
    /// Region of domains that name none. The default is `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z0-9-]+$"))]
    pub region: Option<String>,
}

/// What happens to resources that were changed behind the operator's back.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DriftPolicy {
    /// They are changed back.
    #[default]
    Correct,
    /// The difference is reported and stays.
    Report,
}

/// Whether products may take over resources that the operator did not make.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AdoptionPolicy {
    /// They may, when the product asks for it.
    Allowed,
    /// They may not.
    #[default]
    Denied,
}

/// Settings of the freshness alarm.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AlarmDefaults {
    /// Threshold in minutes of every alarm of the class. The default is each product's freshness target.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 525_600))]
    pub threshold_minutes: Option<i32>,
    /// Topic that is told when an alarm goes off, for the backend `aws` its ARN. There the default is a topic
    /// `datamesh-<domain>-alerts` for each domain, which the operator makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub topic: Option<String>,
}

/// How many calls a second a backend takes.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Calls a second in the long run, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: i32,
    /// Calls at once, 1 to 1000. The default is twice the rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub burst: Option<i32>,
}
