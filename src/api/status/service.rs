//! Service levels and quality as measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Instant;

/// The service levels as measured.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SloStatus {
    /// The worst of the measured objectives; Unknown when none is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SloState>,
    /// Each objective of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub objectives: Vec<ObjectiveStatus>,
}

/// How an objective is.
#[derive(
    Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum SloState {
    /// Kept.
    Met,
    /// Kept, and soon not.
    AtRisk,
    /// Not measured.
    #[default]
    Unknown,
    /// Not kept.
    Breached,
}

impl SloState {
    /// The word that the status shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "Met",
            Self::AtRisk => "AtRisk",
            Self::Unknown => "Unknown",
            Self::Breached => "Breached",
        }
    }
}

/// One objective.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveStatus {
    /// `freshness`, `availability`, `completeness` or `accuracy`.
    #[schemars(length(max = 63))]
    pub name: String,
    /// The target as the spec writes it.
    #[schemars(length(max = 32))]
    pub target: String,
    /// The target in its unit, for example `3600 s` or `99.9 %`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub target_value: Option<String>,
    /// The measured value that the verdict rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub current: Option<String>,
    /// The verdict.
    pub state: SloState,
    /// Why the verdict is what it is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub message: Option<String>,
    /// The time over which it is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub window: Option<String>,
    /// Share of the error budget that is left, as a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub budget_remaining: Option<String>,
    /// How fast the error budget is spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burn_rate: Option<BurnRate>,
    /// When the error budget will be spent at this pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exhausted_at: Option<Instant>,
    /// Since when the verdict holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// Where the measurement comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub source: Option<String>,
    /// The upstream product that causes a breach.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 127))]
    pub cause: Option<String>,
}

/// How many times faster than allowed an error budget is spent.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
pub struct BurnRate {
    /// Over the last hour.
    #[serde(rename = "1h", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub one_hour: Option<String>,
    /// Over the last six hours.
    #[serde(rename = "6h", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub six_hours: Option<String>,
    /// Over the last three days.
    #[serde(rename = "3d", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub three_days: Option<String>,
}

/// The results of the quality tests.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct QualityStatus {
    /// Share of tests that passed, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<i32>,
    /// When the tests last ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Instant>,
    /// Each test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub tests: Vec<TestStatus>,
}

/// One quality test.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TestStatus {
    /// Name of the test.
    #[schemars(length(max = 128))]
    pub name: String,
    /// How it ended.
    pub result: TestResult,
    /// The measured value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub value: Option<String>,
}

/// How a quality test ended.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum TestResult {
    /// The data passed.
    Pass,
    /// The data failed a test of severity error.
    Fail,
    /// The data failed a test of severity warning.
    Warn,
    /// The test could not run.
    Error,
    /// The test was not run.
    Skipped,
}
