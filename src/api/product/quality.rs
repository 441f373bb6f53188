//! The checks that the data passes before it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::slo::{duration_rule, percent_rule};

/// The checks that the data passes before it is published.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// The checks, in the order in which they run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "atomic"))]
    pub tests: Vec<QualityTest>,
}

/// One check.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!(self.type in ['uniqueness', 'range', 'freshness', 'referential_integrity', 'accepted_values', 'regex']) || has(self.column)",
     "message": "this type of test needs column"},
    {"rule": "self.type != 'not_null' || has(self.column) || has(self.columns)",
     "message": "a not_null test needs column or columns"},
    {"rule": "!(has(self.column) && has(self.columns))",
     "message": "a test has column or columns, never both; remove one"},
    {"rule": "self.type != 'range' || has(self.min) || has(self.max)",
     "message": "a range test needs min or max"},
    {"rule": "!has(self.min) || !has(self.max) || double(self.min) <= double(self.max)",
     "message": "min must not be greater than max"},
    {"rule": "self.type != 'freshness' || has(self.max_age)",
     "message": "a freshness test needs max_age, for example '2 hours'"},
    {"rule": "self.type != 'referential_integrity' || has(self.reference)",
     "message": "a referential_integrity test needs reference, for example dim_channels.channel_code"}
]))]
pub struct QualityTest {
    /// What is checked.
    #[serde(rename = "type")]
    pub type_: TestType,
    /// Name of the test. The default is made of type and column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub name: Option<String>,
    /// The column that is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub column: Option<String>,
    /// The columns that are checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 255)), extend("x-kubernetes-list-type" = "set"))]
    pub columns: Vec<String>,
    /// Share of rows that must pass. The default is `100%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12))]
    #[schemars(extend("x-kubernetes-validations" = [percent_rule("threshold", "99.5%")]))]
    pub threshold: Option<String>,
    /// Lowest allowed value of a range test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub min: Option<serde_json::Number>,
    /// Highest allowed value of a range test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub max: Option<serde_json::Number>,
    /// How old the newest value of a freshness test may be, for example `2 hours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [duration_rule("max_age", "2 hours")]))]
    pub max_age: Option<String>,
    /// Where the referenced values are, as `table.column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512), regex(pattern = r"^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+$"))]
    pub reference: Option<String>,
    /// Whether a failure stops publication (`error`) or is only reported (`warning`). The default is `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<TestSeverity>,
}

/// What a test checks.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum TestType {
    /// No two rows have the same value.
    Uniqueness,
    /// Every row has a value.
    NotNull,
    /// Values are between min and max.
    Range,
    /// The newest value is not older than `max_age`.
    Freshness,
    /// Every value exists in the referenced column.
    ReferentialIntegrity,
    /// The number of rows is plausible.
    RowCount,
    /// Every value is in a list.
    AcceptedValues,
    /// Every value matches a pattern.
    Regex,
    /// Anything else.
    Custom,
}

impl TestType {
    /// The word used in specs and standards.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uniqueness => "uniqueness",
            Self::NotNull => "not_null",
            Self::Range => "range",
            Self::Freshness => "freshness",
            Self::ReferentialIntegrity => "referential_integrity",
            Self::RowCount => "row_count",
            Self::AcceptedValues => "accepted_values",
            Self::Regex => "regex",
            Self::Custom => "custom",
        }
    }
}

/// How serious a failed test is.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum TestSeverity {
    /// Publication stops.
    Error,
    /// It is only reported.
    Warning,
}
