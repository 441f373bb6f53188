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
     "message": "provider local needs the block local, with the absolute path of its root directory"}
]))]
pub struct ProviderClassSpec {
    /// Backend that keeps the resources.
    pub provider: Backend,
    /// Settings of the backend `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalBackend>,
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
    /// Topic that is told when an alarm goes off.
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
