//! The custom resources of `datamesh.io`, and nothing else: their doc comments are what `kubectl explain` shows.
//!
//! Shape is validated here, by schema and CEL; whether a product is complete is judged by [`crate::governance`].
//! Keys that the reference spells in `snake_case` stay so, so that a `spec` block written for it pastes unchanged.

#![allow(clippy::doc_markdown, reason = "kubectl explain shows these comments as plain text")]

mod crds;
mod domain;
mod exception;
mod policy;
pub mod product;
mod provider_class;
mod standards;
pub mod status;

pub use crds::{CrdError, crds};
pub use domain::{Account, DataDomain, DataDomainSpec, DomainKind, Enforcement};
pub use exception::{
    Approval, ExceptedProduct, ExceptionDecision, ExceptionState, PolicyException, PolicyExceptionSpec,
    PolicyExceptionStatus,
};
pub use policy::{
    CelRule, DomainPolicy, DomainPolicySpec, GovernancePolicy, GovernancePolicySpec, Policy, PolicyFault,
    PolicyMatch, PolicyRule, PolicyStatus, PolicyVariable, ProductMatch,
};
pub use product::{DataProduct, DataProductSpec};
pub use provider_class::{
    AdoptionPolicy, AlarmDefaults, AwsBackend, AwsEndpoints, Backend, DriftPolicy, LocalBackend,
    ProviderClass, ProviderClassSpec, RateLimit,
};
pub use standards::{
    ApiStandards, FormatStandards, Limits, PlatformStandards, PlatformStandardsSpec, QualityStandards,
    Scoring, Standards, StorageStandards,
};
pub use status::DataProductStatus;

/// The API group of every kind.
pub const GROUP: &str = "datamesh.io";
/// The finalizer that the operator keeps on a product from its first side effect on.
pub const FINALIZER: &str = "datamesh.io/dataproduct";
/// The one field manager under which the operator writes.
pub const FIELD_MANAGER: &str = "dataproduct-operator";
/// Annotation: any new value asks for a reconcile now; the value is echoed in `status.lastHandledReconcileAt`.
pub const RECONCILE_AT: &str = "datamesh.io/reconcile-at";
/// Annotation: repeats the product's name to confirm that its data may be deleted.
pub const CONFIRM_DELETION: &str = "datamesh.io/confirm-deletion";
/// Annotation: the hash of the plan that a person approves.
pub const APPROVE_PLAN: &str = "datamesh.io/approve-plan";
/// Annotation: `<resource name>@<time of the loss>` accepts the loss of a resource and lets it be made anew, empty.
pub const ACCEPT_LOSS: &str = "datamesh.io/accept-loss";
/// Annotation: says why a format from the optional list is needed.
pub const FORMAT_JUSTIFICATION: &str = "datamesh.io/format-justification";
/// Annotation: the stable identifier of a product in the contracts that are exported from it.
pub const ID: &str = "datamesh.io/id";
/// The only name that a `PlatformStandards` object may have.
pub const STANDARDS_NAME: &str = "default";
