//! What a policy reads, in parts that change on their own, and a mark by which a change of one is seen.
//!
//! A policy whose parts are unchanged gives the findings that it gave before, and is not asked again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Input;
use crate::api::DataProduct;

/// A part of what rules read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// Everything that the product says.
    Product,
    /// Its name, labels and other metadata.
    Metadata,
    /// A field of its spec.
    Spec(String),
    /// Its spec as a whole.
    WholeSpec,
    /// The standards.
    Standards,
    /// The domain of its namespace, and the accounts.
    Domain,
    /// The other products.
    Mesh,
    /// What the provider observed.
    Observed,
    /// The day.
    Today,
    /// The product before the change.
    Previous,
}

impl Topic {
    /// The part that a path of a built-in rule belongs to, for example `spec.slo.freshness`.
    pub(super) fn of_path(path: &str) -> Self {
        let mut parts = path.split(['.', '[']);
        match (parts.next(), parts.next()) {
            (Some("spec"), Some(field)) => Self::Spec(field.to_owned()),
            (Some("metadata"), _) => Self::Metadata,
            (Some("standards"), _) => Self::Standards,
            (Some("mesh"), Some("domain")) => Self::Domain,
            (Some("mesh"), _) => Self::Mesh,
            (Some("status"), _) => Self::Observed,
            _ => Self::Product,
        }
    }

    /// The part that an expression reads, where it is one that can change: parameters and variables are none.
    pub(super) fn of_read(path: &[String]) -> Option<Self> {
        let mut parts = path.iter().map(String::as_str);
        Some(match (parts.next()?, parts.next(), parts.next()) {
            ("object", Some("spec"), Some(field)) => Self::Spec(field.to_owned()),
            ("object", Some("spec"), None) => Self::WholeSpec,
            ("object", Some("metadata" | "apiVersion" | "kind"), _) => Self::Metadata,
            ("standards", ..) => Self::Standards,
            ("domain", ..) => Self::Domain,
            ("upstreams", ..) => Self::Mesh,
            ("observed", ..) => Self::Observed,
            ("now", ..) => Self::Today,
            ("oldObject", ..) => Self::Previous,
            ("params" | "variables", ..) => return None,
            _ => Self::Product,
        })
    }
}

/// The mark of one state of some parts.
pub(super) type Mark = [u8; 32];

/// Marks of the parts of one input, each made when it is first asked for.
pub(super) struct Marks<'a> {
    input: &'a Input<'a>,
    /// The spec as JSON, made once for all of its fields.
    spec: Option<serde_json::Value>,
    made: BTreeMap<Topic, Mark>,
}

impl<'a> Marks<'a> {
    pub(super) const fn of(input: &'a Input<'a>) -> Self {
        Self { input, spec: None, made: BTreeMap::new() }
    }

    /// The mark of several parts together. Whether a part is known at all belongs to it.
    pub(super) fn mark(&mut self, topics: &BTreeSet<Topic>) -> Mark {
        let mut hash = Sha256::new();
        let Self { input, spec, made } = self;
        for topic in topics {
            match made.get(topic) {
                Some(mark) => hash.update(mark),
                None => hash.update(made.entry(topic.clone()).or_insert(mark(topic, input, spec))),
            }
        }
        hash.finalize().into()
    }
}

fn mark(topic: &Topic, input: &Input<'_>, spec: &mut Option<serde_json::Value>) -> Mark {
    let Input {
        product,
        standards,
        domain,
        accounts,
        observed,
        bound_domain,
        neighbours,
        today,
        previous,
        ..
    } = *input;
    let mut hash = Writer(Sha256::new());
    match topic {
        Topic::Product => hash.serialized(&(metadata(product), &product.spec)),
        Topic::WholeSpec => hash.serialized(&product.spec),
        Topic::Metadata => hash.serialized(&metadata(product)),
        Topic::Spec(field) => {
            // Plain data, whose serialization cannot fail.
            let spec = spec.get_or_insert_with(|| serde_json::to_value(&product.spec).unwrap_or_default());
            hash.serialized(&spec.get(field));
        }
        Topic::Standards => hash.serialized(&standards.standards),
        Topic::Domain => {
            hash.serialized(&(bound_domain, domain.map(|domain| (&domain.metadata.name, &domain.spec))));
            hash.shown(&accounts);
        }
        Topic::Mesh => hash.shown(&neighbours),
        Topic::Observed => hash.shown(&observed),
        Topic::Today => hash.shown(&today),
        Topic::Previous => hash.serialized(&previous.map(|product| (metadata(product), &product.spec))),
    }
    hash.0.finalize().into()
}

/// The metadata that rules may read: the rest changes with every write.
fn metadata(product: &DataProduct) -> impl Serialize {
    let metadata = &product.metadata;
    (&metadata.name, &metadata.namespace, &metadata.labels, &metadata.annotations)
}

/// Writes into a hash.
struct Writer(Sha256);

impl Writer {
    fn serialized(&mut self, value: &impl Serialize) {
        // Plain data, whose serialization cannot fail.
        self.0.update(serde_json::to_vec(value).unwrap_or_default());
    }

    fn shown(&mut self, value: &impl fmt::Debug) {
        // Writing into a hash cannot fail.
        let _ = write!(self, "{value:?}");
    }
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_rules_and_reads_of_expressions_belong_to_the_same_parts() {
        for (path, read, topic) in [
            ("spec.slo.freshness", "object.spec.slo.freshness", Topic::Spec("slo".to_owned())),
            ("spec.outputPorts[].format", "object.spec.outputPorts", Topic::Spec("outputPorts".to_owned())),
            ("metadata.annotations[a.b/c]", "object.metadata.annotations", Topic::Metadata),
            ("standards.apis.required_protocols", "standards.apis", Topic::Standards),
            ("mesh.upstreams", "upstreams", Topic::Mesh),
            ("mesh.domain.owner", "domain.spec.owner", Topic::Domain),
            ("status.resources[Bucket].tlsOnly", "observed", Topic::Observed),
        ] {
            let parts = read.split('.').map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(
                (Topic::of_path(path), Topic::of_read(&parts)),
                (topic.clone(), Some(topic)),
                "{path}"
            );
        }
        assert_eq!(Topic::of_read(&["object".to_owned(), "spec".to_owned()]), Some(Topic::WholeSpec));
        assert_eq!(Topic::of_read(&["object".to_owned()]), Some(Topic::Product));
        assert_eq!(Topic::of_read(&["variables".to_owned(), "x".to_owned()]), None);
    }
}
