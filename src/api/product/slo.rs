//! The service levels that a product promises, and the schema of durations and percentages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{duration, percent};

/// The CEL rule of a field that holds a duration.
pub(crate) fn duration_rule(field: &str, example: &str) -> Value {
    json!({
        "rule": format!("self.matches('{}')", duration::PATTERN),
        "message": format!(
            "{field} must be a whole number and one unit (second, minute, hour, day, week, month, year; short: s, m, h, d, w, mo, y), \
             for example '{example}'; compound forms such as 1h30m are not allowed, write 90m"
        ),
    })
}

/// The CEL rule of a field that holds a percentage.
pub(crate) fn percent_rule(field: &str, example: &str) -> Value {
    json!({
        "rule": format!("self.matches('{}')", percent::PATTERN),
        "message": format!(
            "{field} must be a percentage from 0% to 100% with at most 6 decimals and the sign, for example '{example}'"
        ),
    })
}

/// The CEL rule of a window: what a service level can be judged over.
fn window_rule() -> Value {
    let unit = |letter: &str| format!("self.matches('[0-9] ?{letter}')");
    let seconds = format!(
        "int(self.find('^[0-9]+')) * ({} ? 1 : {} ? 2592000 : {} ? 60 : {} ? 3600 : {} ? 86400 : {} ? 604800 : 31536000)",
        unit("s"),
        unit("mo"),
        unit("m"),
        unit("h"),
        unit("d"),
        unit("w")
    );
    json!({
        // A window that is no duration is refused by the other rule, in its own words.
        "rule": format!(
            "!self.matches('{}') || ({seconds} >= 3600 && {seconds} <= 7776000)",
            duration::PATTERN
        ),
        "message": "window must be from 1 hour to 90 days, for example '28d'",
    })
}

/// The service levels that a product promises.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Slo {
    /// How old the newest data may be, for example target `1 hour`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [on_target(&duration_rule("freshness target", "1 hour"))]))]
    pub freshness: Option<SloTarget>,
    /// Share of time in which the product answers, for example target `99.9%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [on_target(&percent_rule("availability target", "99.9%"))]))]
    pub availability: Option<SloTarget>,
    /// Share of required values that are there, for example target `99.5%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [on_target(&percent_rule("completeness target", "99.5%"))]))]
    pub completeness: Option<SloTarget>,
    /// Share of rows that pass validation, for example target `99%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [on_target(&percent_rule("accuracy target", "99%"))]))]
    pub accuracy: Option<SloTarget>,
}

/// Moves a rule on a string to the object that holds it under `target`.
fn on_target(rule: &Value) -> Value {
    let text = rule["rule"].as_str().unwrap_or_default().replacen("self", "self.target", 1);
    json!({"rule": text, "message": rule["message"]})
}

/// A promise and how it is measured.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SloTarget {
    /// The promised level: a duration for freshness, a percentage otherwise.
    #[schemars(length(min = 1, max = 32))]
    pub target: String,
    /// How it is measured. Each objective has its own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub measurement: Option<String>,
    /// The time over which the promise is judged, from 1 hour to 90 days. The default is 28 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [duration_rule("window", "28d"), window_rule()]))]
    pub window: Option<String>,
}
