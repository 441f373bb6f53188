//! What the operator knows of a product. Every list is bounded and sorted, and nothing moves with time alone.

mod governance;
mod mesh;
mod provisioning;
mod service;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use governance::{
    ContractBreak, ContractChange, ContractItem, ContractStatus, GovernanceStatus, Impact, PolicyEnforcement,
    ReportResult, Severity, Violation,
};
pub use mesh::{AccessStatus, DomainStatus, GrantStatus, LineageStatus, Times, UpstreamStatus};
pub use provisioning::{
    Drift, Endpoint, ErrorClass, LastError, Outputs, PlanAction, PlanStatus, ResourceState, ResourceStatus,
};
pub use service::{BurnRate, ObjectiveStatus, QualityStatus, SloState, SloStatus, TestResult, TestStatus};

/// What the operator knows of a product.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DataProductStatus {
    /// The generation of the spec that this status is about; -1 until the operator has seen the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions Ready, DomainBound, GovernanceCompliant, ContractCompatible, Planned, Provisioned, AccessSynced,
    /// LineageResolved and SLOsMet; Reconciling and Stalled only while they are true, never both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The value of the annotation `datamesh.io/reconcile-at` that was last acted upon.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
    /// The domain that the product belongs to and where its resources live; needed when the product is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainStatus>,
    /// What the policies say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governance: Option<GovernanceStatus>,
    /// The contract that consumers rely on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractStatus>,
    /// What is still to be done outside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanStatus>,
    /// What exists outside the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub resources: Vec<ResourceStatus>,
    /// Names that consumers and pipelines need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
    /// Where each output port is reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub endpoints: Vec<Endpoint>,
    /// The service levels as measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo: Option<SloStatus>,
    /// The results of the quality tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityStatus>,
    /// The products above and below this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineage: Option<LineageStatus>,
    /// Who has access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessStatus>,
    /// Instants from which lead times are computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
}

impl DataProductStatus {
    /// The condition of a type.
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == type_)
    }

    /// Whether the product has, or had, anything of its own outside the cluster. Only what is its own has an identifier.
    pub fn has_resources(&self) -> bool {
        self.resources.iter().any(|resource| resource.id.is_some())
    }
}

/// An instant as the status shows it: whole seconds, UTC.
pub type Instant = Time;
