//! How the platform provisions a product.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the platform provisions a product.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Provisioning {
    /// The `ProviderClass` to use, one of those that the domain allows. The default is the domain's. It cannot change
    /// while resources exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub provider_class_name: Option<String>,
    /// What happens to the data when this object is deleted. `Delete` also needs that nobody consumes the product and
    /// the annotation `datamesh.io/confirm-deletion: <product name>`; a bucket that is not empty always stays. The
    /// default is the class's, else `Retain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `Manage` makes and changes resources, `AdoptOnly` takes over what exists and makes nothing, `Observe` only
    /// looks. The default is `Manage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<Management>,
    /// `Manual` waits until somebody sets the annotation `datamesh.io/approve-plan` to the hash in `status.plan.hash`.
    /// The default is `Automatic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// External names, for products whose computed names are taken or already exist. They cannot change once set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<ChosenNames>,
}

/// What happens to data when its product is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletionPolicy {
    /// The data stays, marked as released.
    Retain,
    /// The data goes, once nobody consumes it and the deletion is confirmed.
    Delete,
}

/// How far the operator's hands reach.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Management {
    /// It makes, changes and removes.
    #[default]
    Manage,
    /// It takes over what exists and makes nothing.
    AdoptOnly,
    /// It only looks.
    Observe,
}

/// Whether a plan waits for a person.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Approval {
    /// It does not.
    #[default]
    Automatic,
    /// It does.
    Manual,
}

/// External names that replace the computed ones.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(oldSelf.bucket) || (has(self.bucket) && self.bucket == oldSelf.bucket)",
     "message": "names.bucket cannot change once set: the data would stay behind under the old name"},
    {"rule": "!has(oldSelf.database) || (has(self.database) && self.database == oldSelf.database)",
     "message": "names.database cannot change once set: the tables would stay behind under the old name"},
    {"rule": "!has(oldSelf.alarm) || (has(self.alarm) && self.alarm == oldSelf.alarm)",
     "message": "names.alarm cannot change once set: the old alarm would stay behind"}
]))]
pub struct ChosenNames {
    /// Name of the bucket: 3 to 63 lower-case letters, digits and hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub bucket: Option<String>,
    /// Name of the catalog database: lower-case letters, digits and underscores.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9_]+$"))]
    pub database: Option<String>,
    /// Name of the freshness alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub alarm: Option<String>,
}
