//! `PolicyException`: a product may break a rule for a while, where somebody who may say so has said so.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::Instant;

/// What an exception asks for. It has an effect only once it is approved, in its status, by somebody who may write that.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "datamesh.io",
    version = "v1beta1",
    kind = "PolicyException",
    plural = "policyexceptions",
    singular = "policyexception",
    shortname = "pex",
    category = "datamesh",
    namespaced,
    derive = "PartialEq",
    status = "PolicyExceptionStatus",
    doc = "Asks that a product may break some rules for a while. It has an effect once it is approved in its status.",
    printcolumn(
        name = "Product",
        type_ = "string",
        json_path = ".spec.productRef.name",
        description = "The product that may break the rules."
    ),
    printcolumn(
        name = "Rules",
        type_ = "string",
        json_path = ".spec.policyIds",
        description = "The rules that it may break."
    ),
    printcolumn(
        name = "State",
        type_ = "string",
        json_path = ".status.state",
        description = "Pending, Active, Denied, Expired or Refused."
    ),
    printcolumn(
        name = "Expires",
        type_ = "date",
        json_path = ".spec.expiresAt",
        description = "When it ends."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since it was asked for."
    )
)]
pub struct PolicyExceptionSpec {
    /// The product, in the namespace of the exception.
    pub product_ref: ExceptedProduct,
    /// The ids of the rules that it may break, for example `STD-001`.
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub policy_ids: Vec<String>,
    /// Why, for whoever approves it and for whoever reads it later.
    #[schemars(length(min = 1, max = 1024))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self.matches('[^ ]')", "message": "reason must say why; it is blank"}
    ]))]
    pub reason: String,
    /// Where it is tracked, for example `GOV-17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub ticket: Option<String>,
    /// When it ends, for example `2027-01-31T00:00:00Z`. The longest time from its creation is `limits.maxExceptionDuration`
    /// of PlatformStandards, 90 days where that says nothing.
    pub expires_at: Instant,
}

/// The product of an exception.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ExceptedProduct {
    /// Its name.
    #[schemars(length(min = 1, max = 48))]
    pub name: String,
}

/// What became of an exception. The approval is written by whoever may approve, the rest by the operator.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PolicyExceptionStatus {
    /// Generation of the spec that the state is about; -1 until the operator has seen the exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What was decided, by a person or by a tool of yours. The operator never writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Where the exception stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ExceptionState>,
    /// What that means and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// A decision on an exception.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// What was decided.
    pub decision: ExceptionDecision,
    /// Who decided.
    #[schemars(length(min = 1, max = 253))]
    pub by: String,
    /// Generation of the spec that was decided on: another one needs another decision.
    pub generation: i64,
    /// What else is to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// What was decided on an exception.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExceptionDecision {
    /// The product may break the rules.
    Approved,
    /// It may not.
    #[default]
    Denied,
}

/// Where an exception stands.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionState {
    /// It waits for a decision.
    Pending,
    /// The product may break the rules.
    Active,
    /// It was decided against.
    Denied,
    /// Its time is over.
    Expired,
    /// It cannot be granted as it is, whoever approves it.
    Refused,
}
