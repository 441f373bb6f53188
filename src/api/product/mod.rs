//! `DataProduct`: what a domain team declares.

mod access;
mod lineage;
mod owner;
mod ports;
mod provisioning;
mod quality;
mod schema;
pub mod slo;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use access::{Access, Classification, Permission, Privacy, Role};
pub use lineage::{Lineage, Transformation};
pub use owner::Owner;
pub use ports::{Authentication, InputPort, OutputPort, ProductRef};
pub use provisioning::{Approval, ChosenNames, DeletionPolicy, Management, Provisioning};
pub use quality::{Quality, QualityTest, TestSeverity, TestType};
pub use schema::{DataSchema, SchemaField};
pub use slo::{Slo, SloTarget};

use super::status::DataProductStatus;

/// A data product: a curated, documented and contracted data set that one domain owns and others consume.
/// The operator judges it by the platform's policies, makes its bucket, encryption key, catalog database, grants and
/// freshness alarm, measures its service levels, and writes what it knows into the status.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "datamesh.io",
    version = "v1",
    kind = "DataProduct",
    plural = "dataproducts",
    singular = "dataproduct",
    shortname = "dp",
    category = "datamesh",
    namespaced,
    status = "DataProductStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A data product: a curated, documented and contracted data set that one domain owns and others consume.",
    selectable = ".spec.domain",
    selectable = ".spec.version",
    selectable = ".spec.lifecycle",
    selectable = ".spec.access.classification",
    selectable = ".spec.owner.team",
    printcolumn(
        name = "Domain",
        type_ = "string",
        json_path = ".spec.domain",
        description = "Business domain that owns the product."
    ),
    printcolumn(
        name = "Version",
        type_ = "string",
        json_path = ".spec.version",
        description = "Semantic version of the product's contract."
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Whether the platform did what the spec asks. It says nothing about how fresh the data is."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why the product is ready or not, as one word of a documented set."
    ),
    printcolumn(
        name = "Score",
        type_ = "integer",
        json_path = ".status.governance.score",
        description = "Governance score, 0 to 100: 100 minus the weight of every violation."
    ),
    printcolumn(
        name = "Valid",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='GovernanceCompliant')].status",
        description = "Whether no enforced policy is violated."
    ),
    printcolumn(
        name = "SLO",
        type_ = "string",
        json_path = ".status.slo.state",
        description = "Worst measured service-level objective: Met, AtRisk, Breached, or Unknown."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the product was created."
    ),
    printcolumn(
        name = "Owner",
        type_ = "string",
        json_path = ".spec.owner.team",
        priority = "1",
        description = "Team that answers for the product."
    ),
    printcolumn(
        name = "Class",
        type_ = "string",
        json_path = ".spec.access.classification",
        priority = "1",
        description = "Classification of the data: public, internal, confidential or restricted."
    ),
    printcolumn(
        name = "Errors",
        type_ = "integer",
        json_path = ".status.governance.errors",
        priority = "1",
        description = "Number of policy violations of severity error."
    ),
    printcolumn(
        name = "Warnings",
        type_ = "integer",
        json_path = ".status.governance.warnings",
        priority = "1",
        description = "Number of policy violations of severity warning."
    ),
    printcolumn(
        name = "Consumers",
        type_ = "integer",
        json_path = ".status.lineage.downstreamCount",
        priority = "1",
        description = "Number of products that consume this one."
    ),
    printcolumn(
        name = "Budget",
        type_ = "string",
        json_path = ".status.slo.objectives[0].budgetRemaining",
        priority = "1",
        description = "Error budget that is left of the first objective, where one is computed."
    ),
    printcolumn(
        name = "Bucket",
        type_ = "string",
        json_path = ".status.outputs.bucket",
        priority = "1",
        description = "Storage bucket of the product."
    ),
    printcolumn(
        name = "Provider",
        type_ = "string",
        json_path = ".status.domain.providerClass",
        priority = "1",
        description = "ProviderClass that provisions the product."
    )
)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(oldSelf.lifecycle) || oldSelf.lifecycle == 'Draft' || !has(self.lifecycle) || self.lifecycle != 'Draft'",
     "message": "lifecycle cannot go back to Draft; publish a new product or keep Active"},
    {"rule": "has(oldSelf.lifecycle) || !has(self.lifecycle) || self.lifecycle != 'Draft'",
     "message": "lifecycle cannot go back to Draft: a product without a lifecycle is already Active"},
    {"rule": "!has(oldSelf.provisioning) || !has(oldSelf.provisioning.names) || (has(self.provisioning) && has(self.provisioning.names))",
     "message": "provisioning.names cannot be removed once set: what was made under these names would stay behind"},
    {"rule": "!has(self.lifecycle) || self.lifecycle != 'Deprecated' || has(self.deprecation)",
     "message": "a Deprecated product needs spec.deprecation: say until when it lives (sunsetDate) and what replaces it (replacedBy)"}
]))]
pub struct DataProductSpec {
    /// Business domain that owns the product, for example `customer`. It must be the domain that the platform team
    /// bound to this namespace, and it cannot change.
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self == oldSelf", "message": "domain cannot change: create a product in the other domain and deprecate this one"}
    ]))]
    pub domain: String,
    /// Semantic version of the contract, without a leading `v`, for example `2.1.0`.
    #[schemars(length(min = 5, max = 64))]
    #[schemars(extend("x-kubernetes-validations" = [
        version_rule("version")
    ]))]
    pub version: String,
    /// Who answers for the product. What is left out is taken from the domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Name for people. The default is the object's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// What the data is, where it comes from, and how often it is updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub description: Option<String>,
    /// Address of further documentation; `https` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self.startsWith('https://')", "message": "documentation must be an https address, for example https://wiki.example.com/customer-360"}
    ]))]
    pub documentation: Option<String>,
    /// Where the product is in its life. `Draft` is judged and not provisioned, `Active` is provisioned, `Deprecated`
    /// is kept and announced as ending, `Retired` loses its grants and its alarm and keeps its data. The default is
    /// `Active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// What consumers of a deprecated product need to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
    /// Stops every change outside the cluster while it is true, those of a deletion included; the status is still
    /// refreshed. The default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Free words by which people find the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub tags: Vec<String>,
    /// Where the data comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub input_ports: Vec<InputPort>,
    /// How consumers reach the data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub output_ports: Vec<OutputPort>,
    /// The fields of the data, with meaning and sensitivity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<DataSchema>,
    /// The service levels that the product promises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo: Option<Slo>,
    /// The checks that the data passes before it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// What the product is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// Who may read the data, how sensitive it is and how long it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// How the platform provisions the product. Everything has a sensible default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<Provisioning>,
}

/// How a product names another one.
pub(crate) const PRODUCT: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// The CEL rule of a semantic version, with the grammar of Semantic Versioning 2.0.0.
pub(crate) fn version_rule(field: &str) -> serde_json::Value {
    let number = "(0|[1-9][0-9]*)";
    let pre = "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
    let build = "[0-9A-Za-z-]+";
    serde_json::json!({
        "rule": format!(
            "self.matches('^{number}[.]{number}[.]{number}(-{pre}([.]{pre})*)?([+]{build}([.]{build})*)?$')"
        ),
        "message": format!("{field} must be a semantic version without a leading v, for example 2.1.0"),
    })
}

/// Where a product is in its life.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Lifecycle {
    /// Judged, not provisioned.
    Draft,
    /// Provisioned.
    #[default]
    Active,
    /// Provisioned, and announced as ending.
    Deprecated,
    /// Without grants and alarm; data kept.
    Retired,
}

/// What consumers of a deprecated product need to know.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Deprecation {
    /// Last day on which the product is served, for example `2027-06-30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), extend("format" = "date"))]
    pub sunset_date: Option<String>,
    /// The product to use instead, as `name` or `namespace/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 127))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": format!("self.matches('{PRODUCT}')"), "message": "replacedBy must name a product as name or namespace/name, for example sales/orders"}
    ]))]
    pub replaced_by: Option<String>,
    /// What else consumers should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}
