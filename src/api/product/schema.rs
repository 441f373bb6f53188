//! The fields of the data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Classification;

/// The fields of the data, with meaning and sensitivity.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DataSchema {
    /// Language of the schema, for example `avro`, `json`, `protobuf` or `sql`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub type_: Option<String>,
    /// The fields, each with a unique name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub fields: Option<Vec<SchemaField>>,
}

/// One field.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SchemaField {
    /// Name; dots separate levels of nesting.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z_][A-Za-z0-9_.]*$"))]
    pub name: String,
    /// Type as the schema language writes it, for example `string` or `decimal(12,2)`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 256))]
    pub type_: String,
    /// What the field means.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// Whether the field identifies a person. Not saying it is a policy violation, so it has no default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pii: Option<bool>,
    /// Whether every row has a value. The default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// The values that are allowed.
    #[serde(rename = "enum", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub enum_: Vec<String>,
    /// Classification of this field, where it is higher than the product's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// Whether the field is part of the primary key. The default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<bool>,
    /// Whether no two rows have the same value. The default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Whether the field will go away. The default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<bool>,
}
