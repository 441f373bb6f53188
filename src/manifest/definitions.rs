//! The definitions of our kinds, ready to be held against manifests.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};

use super::{
    Fault, Node, SCHEMA,
    limits::MAX_FAULTS,
    metadata,
    place::entry_place,
    rules::Rules,
    schema::{Patterns, Walk, one_of, shown},
};
use crate::api;

/// Every kind of ours with its schema and its rules.
pub struct Definitions {
    kinds: BTreeMap<String, Definition>,
    patterns: Patterns,
}

struct Definition {
    /// For example `datamesh.io/v1`.
    api_version: String,
    schema: JSONSchemaProps,
    rules: Rules,
}

/// The part of an object that only the operator writes: the API server drops it from what people apply.
const STATUS: &str = "status";

impl Definitions {
    /// The definitions of this release.
    pub fn new() -> Result<Self, api::CrdError> {
        let mut definitions = Self { kinds: BTreeMap::new(), patterns: Patterns::default() };
        for crd in api::crds()? {
            definitions.learn(&crd);
        }
        Ok(definitions)
    }

    fn learn(&mut self, crd: &CustomResourceDefinition) {
        let served = crd.spec.versions.iter().find(|version| version.served);
        let schema = served.and_then(|version| Some((version, version.schema.as_ref()?)));
        let Some((version, Some(schema))) =
            schema.map(|(version, schema)| (version, schema.open_api_v3_schema.clone()))
        else {
            return;
        };
        self.patterns.learn(&schema);
        let definition = Definition {
            api_version: format!("{}/{}", crd.spec.group, version.name),
            rules: Rules::of(&schema),
            schema,
        };
        self.kinds.insert(crd.spec.names.kind.clone(), definition);
    }

    /// Whether a kind is ours.
    pub fn has(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    /// Every kind, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// The `apiVersion` of a kind.
    pub fn version(&self, kind: &str) -> Option<&str> {
        self.kinds.get(kind).map(|definition| definition.api_version.as_str())
    }

    /// Everything for which the API server would refuse an object that is created, by the place in the text. What it says of
    /// changes is not asked: there is nothing that changes.
    pub fn faults(&self, node: &Node, api_version: &str, kind: &str) -> Vec<Fault> {
        let Some(definition) = self.kinds.get(kind) else { return Vec::new() };
        let mut walk = Walk::new(&self.patterns);
        if api_version != definition.api_version {
            let place = node.entry("apiVersion").map_or(node.span.clone(), entry_place);
            let message = format!("{kind} has no version {api_version}");
            let remediation = format!("Write apiVersion: {}", definition.api_version);
            walk.faults.push(Fault::new(SCHEMA, place, message, remediation).at("apiVersion"));
        }
        let root = node.entry("kind").map_or(node.span.clone(), entry_place);
        walk.faults.extend(metadata::faults(node, kind));
        let known = ["apiVersion", "kind", "metadata"];
        let properties = definition.schema.properties.as_ref();
        for entry in node.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            match properties.and_then(|properties| properties.get(&entry.key)) {
                Some(schema) if entry.key == STATUS => walk.unknown_only(schema, &entry.value, STATUS),
                Some(schema) => walk.value(schema, &entry.value, &entry.key, &entry_place(entry)),
                None => {
                    let parts = properties.into_iter().flatten().map(|(name, _)| name.as_str());
                    let parts = known.into_iter().chain(parts).collect::<Vec<_>>();
                    let message = format!("unknown field {}", shown(&entry.key));
                    let remediation = one_of("field", &entry.key, &parts);
                    let fault = Fault::new(SCHEMA, entry.key_span.clone(), message, remediation);
                    walk.unknown.push(fault.at(&entry.key));
                }
            }
        }
        walk.required(&definition.schema, node, "", &root);
        let (mut faults, unknown) = (walk.faults, walk.unknown);
        faults.extend(definition.rules.broken(&definition.schema, node, &root, &faults, kind));
        faults.extend(unknown);
        faults.sort_by_key(|fault| fault.place.start);
        if faults.len() > MAX_FAULTS {
            faults.truncate(MAX_FAULTS - 1);
            let message = format!("there is more wrong with this object than {MAX_FAULTS} faults");
            // Nobody knows what was cut off.
            faults.push(Fault::new(SCHEMA, root, message, "Mend the others first").oversized());
        }
        faults
    }
}

#[cfg(test)]
mod tests;
