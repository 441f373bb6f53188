//! `PlatformStandards`: the standards that the built-in rules read.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::product::slo::duration_rule;

/// The platform's standards. There is one object, named `default`.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "datamesh.io",
    version = "v1",
    kind = "PlatformStandards",
    plural = "platformstandards",
    singular = "platformstandards",
    shortname = "pstd",
    category = "datamesh",
    derive = "PartialEq",
    doc = "The platform's standards, which the built-in rules read. There is one object, named default.",
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the standards were created."
    )
)]
pub struct PlatformStandardsSpec {
    /// What products may use and must have.
    pub standards: Standards,
    /// What violations cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// Targets of the mesh's key performance indicators, by name, for example `slo_compliance: 95%`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), inner(length(max = 128)))]
    pub kpi_targets: BTreeMap<String, String>,
    /// Longest times that may be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// What products may use and must have.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
pub struct Standards {
    /// Technologies of output ports that hold data.
    #[serde(default)]
    pub storage: StorageStandards,
    /// Formats of output ports.
    #[serde(default)]
    pub formats: FormatStandards,
    /// Protocols and authentication of output ports that are APIs.
    #[serde(default)]
    pub apis: ApiStandards,
    /// Quality tests and documentation.
    #[serde(default)]
    pub quality: QualityStandards,
}

/// Technologies of output ports that hold data.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
pub struct StorageStandards {
    /// Types that are allowed, for example `snowflake`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub allowed: Vec<String>,
    /// Types that are forbidden, for example `on_premise_databases`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub not_allowed: Vec<String>,
}

/// Formats of output ports.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
pub struct FormatStandards {
    /// Formats that every product may use, for example `iceberg`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub required: Vec<String>,
    /// Formats that need a justification, for example `csv`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub optional: Vec<String>,
}

/// Protocols and authentication of output ports that are APIs.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
pub struct ApiStandards {
    /// Protocols that are allowed, for example `rest`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub required_protocols: Vec<String>,
    /// Authentication that is allowed, for example `oauth2`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub required_authentication: Vec<String>,
}

/// Quality tests and documentation.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
pub struct QualityStandards {
    /// Types of test that every product has, for example `uniqueness`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub required_tests: Vec<String>,
    /// Parts of the documentation that every product has: `schema`, `description`, `owner`, `slo`.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub required_documentation: Vec<String>,
}

/// What violations cost.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Scoring {
    /// Points that an error costs, 0 to 100. The default is 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub error: Option<i32>,
    /// Points that a warning costs, 0 to 100. The default is 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub warning: Option<i32>,
}

/// Longest times that may be asked for.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Longest life of a policy exception, for example `90 days`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [duration_rule("maxExceptionDuration", "90 days")]))]
    pub max_exception_duration: Option<String>,
    /// Longest life of a granted access, for example `1 year`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [duration_rule("maxAccessDuration", "1 year")]))]
    pub max_access_duration: Option<String>,
}
