//! What the expressions of policies see: the names, their types, and what they are bound to for one product.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use kube::ResourceExt;
use serde_json::{Value as Json, json};

use super::{Input, Need, Resource, topic::Topic};
use crate::{
    api::{self, DataProduct},
    cel::{Bindings, Declarations, Expression, Type, Value, type_of},
    model::lineage::Neighbours,
};

/// Bound of the labels and annotations of an object.
const MAX_ENTRIES: u64 = 4096;
/// Longest annotation.
const MAX_ANNOTATION: u64 = 262_144;
/// Products that a product may read, in its lineage and through its input ports.
const MAX_UPSTREAMS: u64 = 256;
/// Resources of a product, one a kind.
const MAX_OBSERVED: u64 = 8;
/// Attributes of a resource, and the length of each.
const MAX_ATTRIBUTES: u64 = 256;
const MAX_ATTRIBUTE: u64 = 1024;

/// Every name that an expression may use, and what it is.
pub const NAMES: &[(&str, &str)] = &[
    ("object", "the product, without its status"),
    ("oldObject", "the product before the change; known only where a change is asked for"),
    ("params", "the `parameters` of the rule, all of them texts"),
    ("variables", "the `variables` of the policy; each may use those before it"),
    ("standards", "what `PlatformStandards` says under `standards`"),
    ("domain", "the `DataDomain` that the namespace of the product belongs to"),
    ("upstreams", "the products that the product reads"),
    ("observed", "the resources of the product that were found"),
    ("now", "the first instant of the day, in UTC"),
];

/// The names that every expression may use, beside `params` and `variables`, which are the policy's own.
pub fn declarations() -> &'static Declarations {
    static DECLARATIONS: LazyLock<Declarations> = LazyLock::new(declare);
    &DECLARATIONS
}

fn declare() -> Declarations {
    let object = object_of("DataProduct", "object");
    let upstream = Type::object(
        "upstream",
        [
            ("namespace", Type::text(63), true),
            ("name", Type::text(63), true),
            ("found", Type::Bool, true),
            ("version", Type::text(64), false),
            ("classification", Type::text(16), false),
            ("pii", Type::Bool, false),
            ("ready", Type::Bool, false),
        ],
    );
    let resource = Type::object(
        "observed[]",
        [
            ("kind", Type::text(32), true),
            ("name", Type::text(255), true),
            ("attributes", Type::map(255, Type::text(MAX_ATTRIBUTE), MAX_ATTRIBUTES), true),
        ],
    );
    let standards = spec_of("PlatformStandards", "standards");
    let standards = match &standards {
        Type::Object(fields) => {
            fields.fields.get("standards").map_or(standards.clone(), |field| field.type_.clone())
        }
        _ => standards,
    };
    Declarations::default()
        .with("object", object.clone())
        .with("oldObject", object)
        .with("standards", standards)
        .with("domain", object_of("DataDomain", "domain"))
        .with("upstreams", Type::list(upstream, MAX_UPSTREAMS))
        .with("observed", Type::list(resource, MAX_OBSERVED))
        .with("now", Type::Timestamp)
}

/// The type of an object of a kind, without its status, which is what the operator itself writes.
fn object_of(kind: &str, name: &str) -> Type {
    let text_map = |value: u64| Type::map(317, Type::text(value), MAX_ENTRIES);
    let metadata = Type::object(
        &format!("{name}.metadata"),
        [
            ("name", Type::text(253), true),
            ("namespace", Type::text(63), false),
            ("labels", text_map(63), false),
            ("annotations", text_map(MAX_ANNOTATION), false),
        ],
    );
    Type::object(
        name,
        [
            ("apiVersion", Type::text(64), true),
            ("kind", Type::text(64), true),
            ("metadata", metadata, true),
            ("spec", spec_of(kind, &format!("{name}.spec")), true),
        ],
    )
}

/// The type of the spec of a kind, from the schema of its definition.
fn spec_of(kind: &str, name: &str) -> Type {
    let crds = api::crds().unwrap_or_default();
    let crd = crds.iter().find(|crd| crd.spec.names.kind == kind);
    let schema = crd
        .and_then(|crd| crd.spec.versions.first()?.schema.as_ref()?.open_api_v3_schema.as_ref())
        .and_then(|schema| schema.properties.as_ref()?.get("spec"));
    schema.map_or(Type::object(name, []), |schema| type_of(schema, name))
}

/// What an expression needs that reads a path.
pub(super) fn need(path: &[String]) -> Option<Need> {
    match path.first().map(String::as_str) {
        Some("domain") => Some(Need::DomainSpec),
        Some("upstreams") => Some(Need::Mesh),
        Some("observed") => Some(Need::Observation),
        Some("oldObject") => Some(Need::Previous),
        Some("now") => Some(Need::Today),
        _ => None,
    }
}

/// Binds every name that is known of an input, where something of it is read. A name that is not known is bound to nothing:
/// its rules are not evaluated.
pub(super) fn bindings(input: &Input<'_>, reads: &BTreeSet<Topic>) -> Result<Bindings<'static>, String> {
    let mut bindings = Bindings::new()?;
    let read = |topic| reads.contains(&topic);
    let previous = input.previous.filter(|_| read(Topic::Previous));
    let standards = read(Topic::Standards).then_some(&input.standards.standards);
    let known = [
        ("object", Some(product(input.product)?)),
        ("oldObject", previous.map(product).transpose()?),
        ("standards", standards.map(serialized).transpose()?),
        ("domain", input.domain.filter(|_| read(Topic::Domain)).map(domain).transpose()?),
        ("upstreams", input.neighbours.filter(|_| read(Topic::Mesh)).map(upstreams)),
        ("observed", input.observed.filter(|_| read(Topic::Observed)).map(observed)),
    ];
    for (name, json) in known {
        if let Some(json) = json {
            bindings.bind(name, Value::from_json(json));
        }
    }
    if let Some(now) = input.today.and_then(Value::day) {
        bindings.bind("now", now);
    }
    Ok(bindings)
}

fn serialized(value: &impl serde::Serialize) -> Result<Json, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

fn product(product: &DataProduct) -> Result<Json, String> {
    Ok(object("DataProduct", product, serialized(&product.spec)?))
}

fn domain(domain: &api::DataDomain) -> Result<Json, String> {
    Ok(object("DataDomain", domain, serialized(&domain.spec)?))
}

fn object(kind: &str, object: &impl ResourceExt, spec: Json) -> Json {
    let mut metadata = json!({"name": object.name_any()});
    let maps = [("labels", object.labels()), ("annotations", object.annotations())];
    for (name, map) in maps.into_iter().filter(|(_, map)| !map.is_empty()) {
        metadata[name] = json!(map);
    }
    if let Some(namespace) = object.namespace() {
        metadata["namespace"] = Json::String(namespace);
    }
    json!({"apiVersion": "datamesh.io/v1", "kind": kind, "metadata": metadata, "spec": spec})
}

fn upstreams(neighbours: &Neighbours) -> Json {
    let upstream = |upstream: &crate::model::lineage::Upstream| {
        let mut json = json!({
            "namespace": upstream.name.namespace,
            "name": upstream.name.name,
            "found": upstream.found.is_some(),
        });
        if let Some(facts) = &upstream.found {
            json["version"] = json!(facts.version);
            json["ready"] = json!(facts.ready);
            json["pii"] = json!(facts.sensitivity.pii);
            if let Some(class) = facts.sensitivity.classification {
                json["classification"] = json!(class);
            }
        }
        json
    };
    neighbours.upstreams.iter().map(upstream).collect()
}

fn observed(resources: &[Resource<'_>]) -> Json {
    let resource = |resource: &Resource<'_>| {
        json!({
            "kind": resource.observed.key.kind.as_str(),
            "name": resource.observed.key.name,
            "attributes": resource.observed.attributes.rows(),
        })
    };
    resources.iter().map(resource).collect()
}

/// What the expressions of one policy see of one product.
pub(super) struct Seen<'b> {
    pub(super) bindings: Bindings<'b>,
    /// Why variables have no value.
    failed: BTreeMap<String, String>,
}

impl<'b> Seen<'b> {
    /// Gives each variable its value. One that has none is left out, and what reads it fails.
    pub(super) fn of(bindings: &'b Bindings<'static>, variables: &[(String, Expression)]) -> Self {
        let (mut bindings, mut failed) = (bindings.scope(), BTreeMap::new());
        let mut values: Vec<(String, Value)> = Vec::new();
        for (name, variable) in variables {
            bindings.bind("variables", Value::object(values.iter().cloned()));
            match variable.evaluate(&bindings) {
                Ok(value) => values.push((name.clone(), value)),
                Err(reason) => {
                    failed.insert(name.clone(), reason);
                }
            }
        }
        bindings.bind("variables", Value::object(values));
        Self { bindings, failed }
    }

    /// Why an expression has no value: the first of its variables that has none, else what it says itself.
    pub(super) fn reason(&self, expression: &Expression, own: String) -> String {
        let variables =
            expression.reads.iter().filter(|path| path.first().is_some_and(|root| root == "variables"));
        let mut failed = variables.filter_map(|path| {
            let name = path.get(1)?;
            Some(format!("variable {name}: {}", self.failed.get(name)?))
        });
        failed.next().unwrap_or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_documented_and_no_other() {
        let mut documented = NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        documented.retain(|name| !["params", "variables"].contains(name));
        documented.sort_unstable();
        assert_eq!(documented, declarations().names().collect::<Vec<_>>());
    }
}
