//! The part of the Open Data Contract Standard 3.1 that a data product has words for, with the names of the standard.
//!
//! What a contract says beyond it is not in these types; [`super::note::unknown`] finds it by comparing a document
//! with what was understood of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// The version of the standard that is written.
pub const API_VERSION: &str = "v3.1.0";
/// The kind of every contract.
pub const KIND: &str = "DataContract";

/// A data contract.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// Version of the standard.
    pub api_version: String,
    /// Always `DataContract`.
    pub kind: String,
    /// Stable identifier.
    pub id: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Version of the contract.
    pub version: String,
    /// Where the contract is in its life.
    pub status: String,
    /// Business domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Name of the product, in contracts older than 3.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_product: Option<String>,
    /// What the data is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Free words.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub tags: Option<Vec<String>>,
    /// Links to further sources.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub authoritative_definitions: Option<Vec<Definition>>,
    /// Where the data is.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub servers: Option<Vec<Server>>,
    /// What the data looks like.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub schema: Option<Vec<SchemaObject>>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Team>,
    /// How to reach them.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub support: Option<Vec<Support>>,
    /// Through which roles consumers get access.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub roles: Option<Vec<Role>>,
    /// What is promised.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub sla_properties: Option<Vec<Sla>>,
    /// What the standard has no place for.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub custom_properties: Custom,
}

/// Custom properties of any part of a contract.
pub type Custom = Option<Vec<CustomProperty>>;

/// One custom property.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
pub struct CustomProperty {
    /// Its name.
    pub property: String,
    /// Its value.
    #[serde(default)]
    pub value: Value,
}

/// What the data is for.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
pub struct Description {
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// A link to a further source.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
pub struct Definition {
    /// Its address.
    pub url: String,
    /// What is found there.
    #[serde(rename = "type")]
    pub type_: String,
}

/// A place where the data is.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Its identifier in the contract.
    pub server: String,
    /// Its technology.
    #[serde(rename = "type")]
    pub type_: String,
    /// All other fields; each technology has its own.
    #[serde(flatten)]
    pub fields: BTreeMap<String, Value>,
    /// What the standard has no place for.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub custom_properties: Custom,
}

/// A table, a topic or a document.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SchemaObject {
    /// Its name in the contract.
    pub name: String,
    /// Its name where the data is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_name: Option<String>,
    /// What it is where the data is, for example `table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_type: Option<String>,
    /// Always `object`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_type: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its columns or fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Vec<Property>>,
    /// Foreign keys.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub relationships: Option<Vec<Relationship>>,
    /// Quality rules about the whole.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub quality: Option<Vec<Rule>>,
    /// What the standard has no place for.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub custom_properties: Custom,
}

/// A column or field.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// Its name below its parent; the items of an array have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its type in the terms of the standard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_type: Option<String>,
    /// Bounds and formats.
    #[serde(default, skip_serializing_if = "none_or_blank")]
    pub logical_type_options: Option<Map<String, Value>>,
    /// Its type as the technology writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_type: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether every row has a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether no two rows have the same value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Whether it is part of the primary key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<bool>,
    /// Its place in the primary key, from 1; -1 when it is not part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key_position: Option<i64>,
    /// How sensitive it is, in any words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    /// Names of what it is made of.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub transform_source_objects: Option<Vec<String>>,
    /// Foreign keys.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub relationships: Option<Vec<Relationship>>,
    /// Quality rules about it.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub quality: Option<Vec<Rule>>,
    /// The properties of an object.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub properties: Option<Vec<Property>>,
    /// What an array consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Property>>,
    /// What the standard has no place for.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub custom_properties: Custom,
}

/// A foreign key. Both ends are one reference or, in a composite key, a list of them.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
pub struct Relationship {
    /// Always `foreignKey`, which is meant when nothing is said.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// The referring end, where the place of the relationship does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The end that is referred to.
    #[serde(default)]
    pub to: Value,
}

/// A quality rule.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// `library`, `text`, `sql` or `custom`; the first is meant when there is a metric.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What a library rule measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Its old name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Arguments of the metric.
    #[serde(default, skip_serializing_if = "none_or_blank")]
    pub arguments: Option<Map<String, Value>>,
    /// The measured value must be this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_be: Option<Value>,
    /// The measured value must be more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_be_greater_than: Option<Number>,
    /// The measured value must be at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_be_greater_or_equal_to: Option<Number>,
    /// The measured value must be less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_be_less_than: Option<Number>,
    /// The measured value must be at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_be_less_or_equal_to: Option<Number>,
    /// The measured value must be between these two.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub must_be_between: Option<Vec<Number>>,
    /// `rows` or `percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How grave a failure is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Who runs a custom rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// What a custom rule is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation: Option<Value>,
}

/// Who answers for the data: since 3.1 an object, before that a list of people.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
pub enum Team {
    /// A team.
    Named(NamedTeam),
    /// People.
    People(Vec<Value>),
}

/// A team.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NamedTeam {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the standard has no place for.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub custom_properties: Custom,
}

/// A way to reach who answers for the data.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
pub struct Support {
    /// Name of the channel.
    pub channel: String,
    /// Its tool, for example `email` or `slack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A role through which consumers get access.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Its name.
    pub role: String,
    /// What it may do, in any words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
    /// What the standard has no place for.
    #[serde(default, skip_serializing_if = "none_or_empty")]
    pub custom_properties: Custom,
}

/// A promise.
#[derive(Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
pub struct Sla {
    /// What is promised, for example `latency`.
    pub property: String,
    /// How much.
    #[serde(default)]
    pub value: Value,
    /// The unit of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The column on which it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
}

#[allow(clippy::ref_option, reason = "serde passes the field as it is")]
fn none_or_empty<T>(list: &Option<Vec<T>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

#[allow(clippy::ref_option, reason = "serde passes the field as it is")]
fn none_or_blank(map: &Option<Map<String, Value>>) -> bool {
    map.as_ref().is_none_or(Map::is_empty)
}
