//! What the standard's own fields cannot say, as custom properties, and back.
//!
//! Every part of a contract first says what it can in the standard's fields. What that would read back as is compared
//! with what was to be said, and only the rest becomes custom properties, each named by [`PREFIX`] and the field. So
//! nothing is said twice, and whoever edits a contract edits the one place that counts.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    ContractError,
    note::Notes,
    odcs::{Custom, CustomProperty},
};

/// What the names of our custom properties begin with.
pub const PREFIX: &str = "datamesh.";

/// The custom properties that turn what is read back into what was to be said.
pub(super) fn remainder<T: Serialize>(wanted: &T, read_back: &T) -> Result<Custom, ContractError> {
    let (wanted, read_back) = (serde_json::to_value(wanted)?, serde_json::to_value(read_back)?);
    let Some(Value::Object(fields)) = difference(&wanted, &read_back) else { return Ok(None) };
    Ok(some(fields.into_iter().map(|(field, value)| property(&field, value)).collect()))
}

/// A custom property of ours.
pub(super) fn property(field: &str, value: Value) -> CustomProperty {
    CustomProperty { property: format!("{PREFIX}{field}"), value }
}

/// A list, unless it is empty.
pub(super) fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

/// Adds to what the standard's fields say what our custom properties say. Those of others are noted as lost, and so are
/// those of ours that name no field.
pub(super) fn overlay<'a, T: Serialize + DeserializeOwned>(
    read: T,
    custom: impl IntoIterator<Item = &'a CustomProperty>,
    path: &str,
    notes: &mut Notes,
) -> Result<T, ContractError> {
    let mut value = serde_json::to_value(&read)?;
    let mut ours = Vec::new();
    for CustomProperty { property, value: said } in custom {
        let Some(field) = property.strip_prefix(PREFIX) else {
            foreign(path, property, notes);
            continue;
        };
        json_patch::merge(&mut value, &Value::Object(Map::from_iter([(field.to_owned(), said.clone())])));
        ours.push((field, said));
    }
    if ours.is_empty() {
        return Ok(read);
    }
    let whole: T = serde_json::from_value(value).map_err(|error| ContractError::Custom {
        path: format!("{path}customProperties"),
        said: error.to_string(),
    })?;
    let kept = serde_json::to_value(&whole)?;
    for (field, said) in ours {
        if !said.is_null() && kept.get(field).is_none() {
            foreign(path, &format!("{PREFIX}{field}"), notes);
        }
    }
    Ok(whole)
}

fn foreign(path: &str, property: &str, notes: &mut Notes) {
    notes.lost(format!("{path}customProperties[{property}]"), "a DataProduct has no field for it");
}

/// The value of one of our custom properties.
pub(super) fn value<'a>(custom: &'a Custom, field: &str) -> Option<&'a Value> {
    let mut ours = custom.iter().flatten();
    ours.find(|custom| custom.property.strip_prefix(PREFIX) == Some(field)).map(|custom| &custom.value)
}

/// The custom properties without some of ours, which are read in another way.
pub(super) fn without<'a>(custom: &'a Custom, fields: &[&str]) -> impl Iterator<Item = &'a CustomProperty> {
    let other = |custom: &&CustomProperty| {
        custom.property.strip_prefix(PREFIX).is_none_or(|field| !fields.contains(&field))
    };
    custom.iter().flatten().filter(other)
}

/// The merge patch (RFC 7396) from one value to another; `None` when they are equal.
fn difference(wanted: &Value, have: &Value) -> Option<Value> {
    let (Value::Object(wanted_fields), Value::Object(have_fields)) = (wanted, have) else {
        return (wanted != have).then(|| wanted.clone());
    };
    let mut patch: Map<String, Value> = wanted_fields
        .iter()
        .filter_map(|(key, value)| {
            let patch =
                have_fields.get(key).map_or_else(|| Some(value.clone()), |have| difference(value, have));
            Some((key.clone(), patch?))
        })
        .collect();
    let gone = have_fields.keys().filter(|key| !wanted_fields.contains_key(*key));
    patch.extend(gone.map(|key| (key.clone(), Value::Null)));
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_the_least_patch_that_makes_one_value_of_another() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), None),
            (
                json!({"a": 1, "b": {"c": 2, "d": 3}}),
                json!({"b": {"c": 2}}),
                Some(json!({"a": 1, "b": {"d": 3}})),
            ),
            (json!({}), json!({"a": 1}), Some(json!({"a": null}))),
            (json!({"a": [1, 2]}), json!({"a": [1]}), Some(json!({"a": [1, 2]}))),
            (json!({"a": {}}), json!({}), Some(json!({"a": {}}))),
        ];
        for (wanted, mut have, expected) in cases {
            let patch = difference(&wanted, &have);
            assert_eq!(patch, expected, "{wanted}");
            if let Some(patch) = patch {
                json_patch::merge(&mut have, &patch);
            }
            assert_eq!(have, wanted);
        }
    }
}
