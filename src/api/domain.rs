//! `DataDomain`: a business domain, its namespaces, its account and how strictly it is governed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::product::Owner;

/// A business domain: which namespaces it owns, where its resources live, and how strictly its products are judged.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "datamesh.io",
    version = "v1",
    kind = "DataDomain",
    plural = "datadomains",
    singular = "datadomain",
    shortname = "dd",
    category = "datamesh",
    derive = "PartialEq",
    doc = "A business domain: which namespaces it owns, where its resources live, and how strictly its products are judged.",
    printcolumn(
        name = "Kind",
        type_ = "string",
        json_path = ".spec.kind",
        description = "Place of the domain in the flow of data."
    ),
    printcolumn(
        name = "Enforcement",
        type_ = "string",
        json_path = ".spec.enforcement",
        description = "Whether policy errors stop change: Draft, Grace or Enforced."
    ),
    printcolumn(
        name = "Account",
        type_ = "string",
        json_path = ".spec.account.id",
        description = "Account that holds the domain's resources."
    ),
    printcolumn(
        name = "Class",
        type_ = "string",
        json_path = ".spec.providerClasses[0]",
        description = "First of the provider classes that the domain may use."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the domain was created."
    )
)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.namespaces) != has(self.namespaceSelector)",
     "message": "a domain has namespaces or namespaceSelector, exactly one of them"},
    {"rule": "!has(self.namespaceSelector) || (has(self.namespaceSelector.matchLabels) && size(self.namespaceSelector.matchLabels) > 0) || (has(self.namespaceSelector.matchExpressions) && size(self.namespaceSelector.matchExpressions) > 0)",
     "message": "namespaceSelector must have matchLabels or matchExpressions: an empty one would take every namespace"},
    {"rule": "!has(self.defaultProviderClass) || self.defaultProviderClass in self.providerClasses",
     "message": "defaultProviderClass must be one of providerClasses"}
]))]
pub struct DataDomainSpec {
    /// Place of the domain in the flow of data.
    pub kind: DomainKind,
    /// Name for people. The default is the object's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// What the domain is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// Who answers for the domain, and for every product that names no owner of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The namespaces of the domain. A namespace belongs to one domain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub namespaces: Vec<String>,
    /// Selects the namespaces of the domain by their labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Where the domain's resources live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The provider classes that products of the domain may use.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub provider_classes: Vec<String>,
    /// The class of products that name none. The default is the first of `providerClasses`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub default_provider_class: Option<String>,
    /// Whether policy errors stop change. It has no default, because every default would be wrong for somebody.
    pub enforcement: Enforcement,
}

/// Place of a domain in the flow of data.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DomainKind {
    /// It makes the data that its business produces.
    #[default]
    SourceAligned,
    /// It shapes data for particular consumers.
    ConsumerAligned,
    /// It combines the data of other domains.
    Aggregate,
}

impl DomainKind {
    /// The word used in specs and status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SourceAligned => "SourceAligned",
            Self::ConsumerAligned => "ConsumerAligned",
            Self::Aggregate => "Aggregate",
        }
    }
}

/// Whether policy errors stop change.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// Violations are reported.
    Draft,
    /// Violations are reported as ones that will stop change later.
    Grace,
    /// Violations of severity error stop every change; what exists stays.
    #[default]
    Enforced,
}

/// Where a domain's resources live.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Account number, 12 digits. The default is the provider class's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12), regex(pattern = r"^[0-9]{12}$"))]
    pub id: Option<String>,
    /// Region, for example `eu-central-1`. The default is the provider class's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z0-9-]+$"))]
    pub region: Option<String>,
    /// Role that the operator assumes in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub operator_role_arn: Option<String>,
    /// Role of the domain's team, which is granted everything on its products. The default is
    /// `arn:aws:iam::<account>:role/<domain>-team-role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub team_role_arn: Option<String>,
}
