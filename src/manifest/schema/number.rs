//! Numbers of the schema: whole ones, their sizes and their bounds.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::Number;

/// Whether a number is of the type and the format of a schema. `2.0` is a whole number.
pub(super) fn is_of_type(number: &Number, schema: &JSONSchemaProps) -> bool {
    if schema.type_.as_deref() != Some("integer") {
        return true;
    }
    let whole = number.as_i64().or_else(|| whole(number.as_f64()?));
    match schema.format.as_deref() {
        Some("int32") => whole.is_some_and(|whole| i32::try_from(whole).is_ok()),
        _ => whole.is_some(),
    }
}

/// A number without a part behind the point, as long as it is exact.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = number.fract() == 0.0 && number.abs() <= EXACT;
    #[allow(clippy::cast_possible_truncation, reason = "it is whole and within what is exact")]
    is_whole.then_some(number as i64)
}

/// What is wrong with the size of a number, and what to do.
pub(super) fn out_of_bounds(number: &Number, schema: &JSONSchemaProps) -> Option<(String, String)> {
    let value = number.as_f64()?;
    let below = schema.minimum.filter(|least| value < *least);
    let above = schema.maximum.filter(|most| value > *most);
    let bound = below.or(above)?;
    let side = if below.is_some() { "less" } else { "more" };
    let range = match (schema.minimum, schema.maximum) {
        (Some(least), Some(most)) => format!("from {least} to {most}"),
        (Some(least), None) => format!("of at least {least}"),
        (None, Some(most)) => format!("of at most {most}"),
        (None, None) => return None,
    };
    Some((format!("{number} is {side} than {bound}"), format!("Write a number {range}")))
}
