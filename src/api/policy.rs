//! `GovernancePolicy` and `DomainPolicy`: rules as data, of the central group and of a domain.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Enforcement,
    product::{Classification, Lifecycle},
    status::Severity,
};

/// Rules of the central group, for every domain or for some.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "datamesh.io",
    version = "v1",
    kind = "GovernancePolicy",
    plural = "governancepolicies",
    singular = "governancepolicy",
    shortname = "gpol",
    category = "datamesh",
    derive = "PartialEq",
    status = "PolicyStatus",
    doc = "Rules of the central governance group, for the products of every domain or of some."
)]
#[schemars(extend("x-kubernetes-validations" = [grace_rule()]))]
pub struct GovernancePolicySpec {
    /// What it demands, and how strictly.
    #[serde(flatten)]
    pub policy: Policy,
    /// Which products are judged. Left out, all of them are.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<PolicyMatch>,
}

/// Rules that a domain adds for its own products.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "datamesh.io",
    version = "v1",
    kind = "DomainPolicy",
    plural = "domainpolicies",
    singular = "domainpolicy",
    shortname = "dpol",
    category = "datamesh",
    namespaced,
    derive = "PartialEq",
    status = "PolicyStatus",
    doc = "Rules that a domain adds for its own products. They can neither switch off nor soften a rule of the central group."
)]
#[schemars(extend("x-kubernetes-validations" = [grace_rule()]))]
pub struct DomainPolicySpec {
    /// What it demands, and how strictly.
    #[serde(flatten)]
    pub policy: Policy,
    /// Which products of the domain are judged. Left out, all of them are.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<ProductMatch>,
}

/// What a policy demands, and how strictly.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// How far the policy is phased in: `Draft` is reported, `Grace` is reported as what will stop change later,
    /// `Enforced` stops change, where the product's domain is enforced too and the severity is error.
    pub state: Enforcement,
    /// Last day of grace, for example `2027-06-30`; from the day after it the policy is enforced. Without it grace lasts
    /// until the state changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), extend("format" = "date"))]
    pub grace_until: Option<String>,
    /// Values that the expressions of the rules share. Each may use those before it, as `variables.<name>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub variables: Vec<PolicyVariable>,
    /// The rules. In a DomainPolicy their ids begin with the domain's name in capitals, for example `CUSTOMER-001`.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub rules: Vec<PolicyRule>,
}

fn grace_rule() -> serde_json::Value {
    serde_json::json!({
        "rule": "!has(self.graceUntil) || self.state == 'Grace'",
        "message": "graceUntil belongs to state Grace; remove it or set state: Grace",
    })
}

/// Which products a global policy judges: those that every part selects.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PolicyMatch {
    /// Names of domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 40)), extend("x-kubernetes-list-type" = "set"))]
    pub domains: Vec<String>,
    /// What is asked of the product itself.
    #[serde(flatten)]
    pub product: ProductMatch,
}

/// Which products a policy judges: those that every part selects.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ProductMatch {
    /// Classes of data. A product that is not classified is in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub classification: Vec<Classification>,
    /// States in the product's life. A product that says none is Active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub lifecycle: Vec<Lifecycle>,
    /// Labels of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// One rule of a policy.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [one_kind_rule()]))]
pub struct PolicyRule {
    /// Name of the rule, for example `SLO-001`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$"))]
    pub id: String,
    /// How grave a breach is. The default is what the built-in rule says, and error for an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The built-in rule that is meant. The default is the one of the same name as `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub builtin: Option<String>,
    /// What a product must satisfy, in place of a built-in rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cel: Option<CelRule>,
    /// Settings by name, for example `minimum: 99.5%`: of the built-in rule, or those that an expression reads as
    /// `params.<name>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16), inner(length(max = 256)))]
    pub parameters: BTreeMap<String, String>,
    /// What to do about a breach, in place of what the built-in rule says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub remediation: Option<String>,
}

fn one_kind_rule() -> serde_json::Value {
    serde_json::json!({
        "rule": "!(has(self.builtin) && has(self.cel))",
        "message": "a rule is built in or written; remove builtin or cel",
    })
}

/// A rule that is written as an expression in the Common Expression Language.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [message_rule()]))]
pub struct CelRule {
    /// What holds for a product that keeps the rule. It may name `object` and `oldObject` (the product, without its status),
    /// `params`, `variables`, `domain`, `upstreams`, `standards`, `observed` and `now` (the first instant of the day).
    #[schemars(length(min = 1, max = 2048))]
    pub expression: String,
    /// What is wrong with a product that breaks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub message: Option<String>,
    /// An expression that gives the message. Where it gives none, `message` is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub message_expression: Option<String>,
    /// Where a product breaks it, for example `spec.slo`. The default is `spec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub path: Option<String>,
}

fn message_rule() -> serde_json::Value {
    serde_json::json!({
        "rule": "has(self.message) || has(self.messageExpression)",
        "message": "a rule that is written says what is wrong; give it a message or a messageExpression",
    })
}

/// A value that the expressions of a policy share.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PolicyVariable {
    /// Its name.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub name: String,
    /// Its value.
    #[schemars(length(min = 1, max = 2048))]
    pub expression: String,
}

/// What became of a policy.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// Generation of the spec that this status is about; -1 until the operator has seen the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Number of products that the policy judges.
    #[serde(default)]
    pub evaluated: i32,
    /// Number of products that break one of its rules.
    #[serde(default)]
    pub failing: i32,
    /// Number of violations of its rules.
    #[serde(default)]
    pub violations: i32,
    /// Number of rules that cannot be evaluated as they are written.
    #[serde(default)]
    pub faults: i32,
    /// What is wrong with these rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub errors: Vec<PolicyFault>,
}

/// Why a rule cannot be evaluated.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PolicyFault {
    /// The rule.
    #[schemars(length(max = 63))]
    pub rule: String,
    /// What is wrong, what is allowed and what to do.
    #[schemars(length(max = 1024))]
    pub message: String,
}
