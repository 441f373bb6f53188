//! The product's place in the mesh: domain, neighbours, access.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Instant;

/// The domain that a product belongs to and where its resources live.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DomainStatus {
    /// Name of the domain.
    #[schemars(length(max = 63))]
    pub name: String,
    /// `SourceAligned`, `ConsumerAligned` or `Aggregate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub kind: Option<String>,
    /// Whether the namespace is bound to the domain.
    #[serde(default)]
    pub bound: bool,
    /// The `ProviderClass` that provisions the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub provider_class: Option<String>,
    /// Account that holds the resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12))]
    pub account_id: Option<String>,
    /// Region that holds the resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub region: Option<String>,
}

/// The products above and below a product.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LineageStatus {
    /// The products that this one reads; at most 128.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub upstream: Vec<UpstreamStatus>,
    /// Number of products that read this one.
    #[serde(default)]
    pub downstream_count: i32,
    /// Domains that read this product; at most 64, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 63)), extend("x-kubernetes-list-type" = "atomic"))]
    pub consumer_domains: Vec<String>,
    /// The products of a cycle through this one, when there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), inner(length(max = 127)), extend("x-kubernetes-list-type" = "atomic"))]
    pub cycle: Vec<String>,
}

/// A product that this one reads.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamStatus {
    /// Its name.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Its namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Whether it exists.
    #[serde(default)]
    pub resolved: bool,
    /// Whether it is ready.
    #[serde(default)]
    pub ready: bool,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
}

/// Who has access.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AccessStatus {
    /// Each grant; at most 128, and fewer where the whole status would be larger than 64 KiB.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub grants: Vec<GrantStatus>,
}

/// One grant.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GrantStatus {
    /// Who has it.
    #[schemars(length(max = 2048))]
    pub principal: String,
    /// The role that gives it.
    #[schemars(length(max = 128))]
    pub role: String,
    /// What it permits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(max = 16)), extend("x-kubernetes-list-type" = "set"))]
    pub permissions: Vec<String>,
    /// Where it comes from: `domain`, `role`, or an access request.
    #[schemars(length(max = 320))]
    pub from: String,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// Whether the provider has it.
    #[serde(default)]
    pub observed: bool,
}

/// Instants from which lead times are computed.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// When the product was ready for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_ready_at: Option<Instant>,
    /// When its deletion began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_started_at: Option<Instant>,
}
