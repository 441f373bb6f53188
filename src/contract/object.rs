//! The fields of the data and the objects of a contract's schema.
//!
//! Our fields are a flat list in which dots separate levels; the standard nests them. A field is nested below the
//! nearest field before it whose name it continues, so that reading in order gives the same list.

use serde_json::Value;

use super::{
    ContractError, custom,
    note::{Notes, join},
    odcs::{CustomProperty, Property, SchemaObject},
    rule, types, word,
};
use crate::api::product::{Classification, DataSchema, SchemaField};

/// The custom property that says whether a property identifies a person. The standard has no field for it.
const PII: &str = "pii";
/// What an object is that has a name where the data is.
pub(super) const TABLE: &str = "table";
/// How deep properties are nested; below that, dots in their names separate the levels.
const MAX_DEPTH: usize = 12;
/// The most fields of a schema.
const MAX_FIELDS: usize = 512;

/// The object of a schema.
pub(super) fn write(
    name: &str,
    physical_name: Option<&str>,
    schema: &DataSchema,
) -> Result<SchemaObject, ContractError> {
    let properties = schema.fields.as_ref().map(|fields| nest(fields)).transpose()?;
    let mut object = SchemaObject {
        name: name.to_owned(),
        physical_name: physical_name.map(str::to_owned),
        physical_type: physical_name.map(|_| TABLE.to_owned()),
        logical_type: Some("object".to_owned()),
        properties,
        ..SchemaObject::default()
    };
    let back = DataSchema { type_: None, fields: schema.fields.clone() };
    object.custom_properties = custom::remainder(schema, &back)?;
    Ok(object)
}

fn nest(fields: &[SchemaField]) -> Result<Vec<Property>, ContractError> {
    let mut properties = Vec::new();
    let mut position = 0;
    for field in fields {
        let mut property = property(field)?;
        if field.primary_key == Some(true) {
            position += 1;
            property.primary_key_position = Some(position);
        }
        insert(&mut properties, property, 0);
    }
    Ok(properties)
}

/// Puts a property, which still has its full name, below the last one that it continues.
fn insert(properties: &mut Vec<Property>, mut property: Property, depth: usize) {
    if let Some(parent) = properties.last_mut().filter(|_| depth < MAX_DEPTH) {
        let rest = property.name.strip_prefix(parent.name.as_str()).and_then(|rest| rest.strip_prefix('.'));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()).map(str::to_owned) {
            let children = match parent.logical_type.as_deref() {
                Some("object") => Some(parent.properties.get_or_insert_default()),
                Some("array") => {
                    let object = Property { logical_type: Some("object".to_owned()), ..Property::default() };
                    let items = parent.items.get_or_insert_with(|| Box::new(object));
                    Some(items.properties.get_or_insert_default())
                }
                _ => None,
            };
            if let Some(children) = children {
                property.name = rest;
                return insert(children, property, depth + 1);
            }
        }
    }
    properties.push(property);
}

fn property(field: &SchemaField) -> Result<Property, ContractError> {
    let mut property = Property {
        name: field.name.clone(),
        logical_type: types::logical(&field.type_).map(str::to_owned),
        physical_type: Some(field.type_.clone()),
        description: field.description.clone(),
        required: field.required,
        unique: field.unique,
        primary_key: field.primary_key,
        classification: field.classification.map(|class| class.as_str().to_owned()),
        quality: rule::valid_values(&field.enum_),
        ..Property::default()
    };
    if let Some(pii) = field.pii {
        let pii = CustomProperty { property: PII.to_owned(), value: pii.into() };
        property.custom_properties = Some(vec![pii]);
    }
    let back = natural(&property, field.name.clone(), "", &mut Notes::default());
    let rest = custom::remainder(field, &back)?;
    property.custom_properties =
        custom::some(property.custom_properties.into_iter().chain(rest).flatten().collect());
    Ok(property)
}

/// The schema of an object. Tests are read by [`rule`].
pub(super) fn read(
    object: &SchemaObject,
    path: &str,
    notes: &mut Notes,
) -> Result<DataSchema, ContractError> {
    let fields = match &object.properties {
        None => None,
        Some(properties) => {
            let mut fields = Fields::default();
            for (index, property) in properties.iter().enumerate() {
                fields.read(
                    property,
                    "",
                    &format!("{path}.properties[{}]", label(property, index)),
                    notes,
                )?;
            }
            Some(fields.list)
        }
    };
    let schema = DataSchema { type_: None, fields };
    custom::overlay(
        schema,
        custom::without(&object.custom_properties, &[super::PORT]),
        &format!("{path}."),
        notes,
    )
}

/// What a property is called in a path.
pub(super) fn label(property: &Property, index: usize) -> String {
    if property.name.is_empty() { index.to_string() } else { property.name.clone() }
}

/// The full name of a property below others, in the letters that a name may have.
pub(super) fn full_name(prefix: &str, property: &Property) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '_' };
    let mut name: String = property.name.chars().map(legal).collect();
    if prefix.is_empty() && !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    join(prefix, &name)
}

/// The properties below a property: those of an object, and those of the objects in an array.
pub(super) fn children<'a>(property: &'a Property, path: &str) -> Vec<(&'a Property, String)> {
    let mut children = Vec::new();
    let mut at = Some((property, path.to_owned()));
    while let Some((here, path)) = at {
        for (index, child) in here.properties.iter().flatten().enumerate() {
            children.push((child, format!("{path}.properties[{}]", label(child, index))));
        }
        at = here.items.as_deref().map(|items| (items, format!("{path}.items")));
    }
    children
}

#[derive(Default)]
struct Fields {
    list: Vec<SchemaField>,
    in_key: i64,
}

impl Fields {
    fn read(
        &mut self,
        property: &Property,
        prefix: &str,
        path: &str,
        notes: &mut Notes,
    ) -> Result<(), ContractError> {
        let name = full_name(prefix, property);
        if self.list.len() >= MAX_FIELDS {
            notes.lost(path, format!("a schema has at most {MAX_FIELDS} fields; split the product"));
            return Ok(());
        }
        if self.list.iter().any(|field| field.name == name) {
            notes.lost(path, format!("there is another field {name}; give one of them another name"));
            return Ok(());
        }
        if name != join(prefix, &property.name) {
            notes.changed(format!("{path}.name"), format!("{:?} is the field {name}", property.name));
        }
        let field = natural(property, name.clone(), path, notes);
        if field.primary_key == Some(true) {
            self.in_key += 1;
        }
        let position = property.primary_key_position.filter(|position| *position > 0);
        if position.is_some_and(|position| field.primary_key != Some(true) || position != self.in_key) {
            notes.lost(format!("{path}.primaryKeyPosition"), "the primary key has the order of the fields");
        }
        let others = property.custom_properties.iter().flatten().filter(|custom| custom.property != PII);
        self.list.push(custom::overlay(field, others, &format!("{path}."), notes)?);
        for (child, path) in children(property, path) {
            self.read(child, &name, &path, notes)?;
        }
        Ok(())
    }
}

/// The field that the standard's own fields mean.
fn natural(property: &Property, name: String, path: &str, notes: &mut Notes) -> SchemaField {
    let mut pii = None;
    for custom in property.custom_properties.iter().flatten().filter(|custom| custom.property == PII) {
        pii = match &custom.value {
            Value::Bool(pii) => Some(*pii),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        if pii.is_none() {
            notes.lost(format!("{path}.customProperties[{PII}]"), "pii is true or false");
        }
    }
    let mut classification = None;
    if let Some(text) = property.classification.as_deref().filter(|text| !text.is_empty()) {
        classification = word(&text.to_ascii_lowercase());
        if classification.is_none() && text.eq_ignore_ascii_case(PII) && pii.is_none() {
            pii = Some(true);
        } else if classification.is_none() {
            let reason = "a classification is public, internal, confidential or restricted";
            notes.lost(format!("{path}.classification"), reason);
        } else if classification.map(Classification::as_str) != Some(text) {
            notes.changed(format!("{path}.classification"), "a classification has small letters");
        }
    }
    SchemaField {
        name,
        type_: type_of(property, path, notes),
        description: property.description.clone().filter(|text| !text.is_empty()),
        pii,
        required: property.required,
        enum_: rule::read_valid_values(property, path, notes),
        classification,
        primary_key: property.primary_key,
        unique: property.unique,
        deprecated: None,
    }
}

/// The type text of a property: what the technology calls it, else what the standard calls it.
fn type_of(property: &Property, path: &str, notes: &mut Notes) -> String {
    let logical = property.logical_type.as_deref().filter(|text| !text.is_empty());
    let physical = property.physical_type.as_deref().filter(|text| !text.trim().is_empty());
    let inner = property.items.as_deref();
    let (text, items_said) = match (physical, logical, inner) {
        (Some(physical), ..) => (physical.to_owned(), physical.contains(['<', '(', '['])),
        (None, Some(logical), Some(items)) => {
            (format!("{logical}<{}>", type_of(items, &format!("{path}.items"), notes)), true)
        }
        (None, Some(logical), None) => (logical.to_owned(), true),
        (None, None, _) => {
            notes.assumed(path, format!("a field needs a type; it is {}", super::server::UNKNOWN));
            (super::server::UNKNOWN.to_owned(), false)
        }
    };
    if let Some(logical) = logical.filter(|logical| types::logical(&text) != Some(logical)) {
        let reason = format!("the field keeps the type {text}, whose logical type {logical} is not known");
        notes.lost(format!("{path}.logicalType"), reason);
    }
    if let Some(items) = inner {
        lost_items(items, items_said, &format!("{path}.items"), notes);
    }
    text
}

/// Notes what the items of an array say beside their type and their properties.
fn lost_items(items: &Property, type_said: bool, path: &str, notes: &mut Notes) {
    let Ok(Value::Object(said)) = serde_json::to_value(items) else { return };
    for key in said.keys() {
        let kept = match key.as_str() {
            "properties" | "items" => true,
            "logicalType" | "physicalType" => type_said || items.properties.is_some(),
            _ => false,
        };
        if !kept {
            notes.lost(format!("{path}.{key}"), "the items of an array are only a type");
        }
    }
}
