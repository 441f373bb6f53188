//! What exists outside the cluster, and what is still to be done there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Instant;

/// What is still to be done outside the cluster.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// Hash of everything that the product wants outside the cluster. An approval names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub hash: Option<String>,
    /// The generation of the spec that the plan is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// One line for people, for example `2 to create, 1 to update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub summary: Option<String>,
    /// The steps that are left, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "atomic"))]
    pub actions: Vec<PlanAction>,
    /// What is done in another way than the spec says it, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 512)), extend("x-kubernetes-list-type" = "atomic"))]
    pub notes: Vec<String>,
}

/// One step that is left.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PlanAction {
    /// `create`, `update`, `adopt`, `release` or `delete`.
    #[schemars(length(max = 16))]
    pub verb: String,
    /// Kind and name of the resource.
    #[schemars(length(max = 320))]
    pub resource: String,
    /// The attributes that change, as `path: have -> want`; at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(max = 512)), extend("x-kubernetes-list-type" = "atomic"))]
    pub changes: Vec<String>,
}

/// One resource outside the cluster.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceStatus {
    /// `Bucket`, `EncryptionKey`, `CatalogDatabase`, `Grant` or `FreshnessAlarm`.
    #[schemars(length(max = 32))]
    pub kind: String,
    /// External name.
    #[schemars(length(max = 255))]
    pub name: String,
    /// The provider's own identifier, for example an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub id: Option<String>,
    /// How it is.
    pub state: ResourceState,
    /// How it differs from what the product asks for; at most 10 attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "atomic"))]
    pub drift: Vec<Drift>,
    /// The last failure, while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// When the state became what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_observed_at: Option<Instant>,
}

/// How a resource is.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceState {
    /// It is to be made and is not yet.
    Pending,
    /// It is being made.
    Creating,
    /// It is as the product asks.
    InSync,
    /// It is there and differs.
    Drifted,
    /// It was taken over and is as the product asks.
    Adopted,
    /// It is being removed.
    Deleting,
    /// It outlives its product.
    Released,
    /// It could not be read, made or changed.
    Failed,
    /// It existed, held data, and is gone.
    Lost,
}

/// One attribute that differs.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The attribute.
    #[schemars(length(max = 512))]
    pub path: String,
    /// What the product asks for; absent when the attribute should not be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub want: Option<String>,
    /// What was found; absent when the attribute is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub have: Option<String>,
}

/// A failure.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// What to expect of it.
    pub class: ErrorClass,
    /// What is wrong and what to do.
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// What to expect of a failure.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The operator tries again by itself.
    Transient,
    /// Somebody must change something.
    Terminal,
    /// Governance or a lock says no.
    Blocked,
}

/// Names that consumers and pipelines need.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// Name of the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub bucket: Option<String>,
    /// Identifier of the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub bucket_arn: Option<String>,
    /// Name of the catalog database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub catalog_database: Option<String>,
    /// Identifier of the encryption key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub encryption_key_arn: Option<String>,
    /// Name of the freshness alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub alarm_name: Option<String>,
}

/// Where an output port is reached.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Name of the output port.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Address.
    #[schemars(length(max = 2048))]
    pub uri: String,
    /// How callers prove who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub authentication: Option<String>,
    /// Whether it answered when it was last tried; absent when it is not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reachable: Option<bool>,
}
