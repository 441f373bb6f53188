//! What the statuses of products say, as numbers.
//!
//! Series are made from the products that there are, so that those of a product that is gone are gone with it.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use prometheus_client::encoding::DescriptorEncoder;
use serde::Serialize;

use super::family::{Family, Shape};
use crate::api::DataProduct;

const INFO: Family = Family {
    name: "datamesh_product_info",
    shape: Shape::Gauge,
    labels: &["namespace", "name", "domain", "version", "classification", "lifecycle"],
    help: "1 for each product, with what it is",
};
const CONDITION: Family = Family {
    name: "datamesh_product_condition",
    shape: Shape::Gauge,
    labels: &["namespace", "name", "type", "status", "reason"],
    help: "1 for each condition of a product, with how it is",
};
const SCORE: Family = Family {
    name: "datamesh_product_score",
    shape: Shape::Gauge,
    labels: &["namespace", "name"],
    help: "Governance score of a product, from 0 to 100",
};
const OBJECTIVE: Family = Family {
    name: "datamesh_product_slo_state",
    shape: Shape::Gauge,
    labels: &["namespace", "name", "objective", "state"],
    help: "1 for each service-level objective of a product, with its verdict",
};
const VIOLATIONS: Family = Family {
    name: "datamesh_violations",
    shape: Shape::Gauge,
    labels: &["rule", "severity", "enforcement"],
    help: "Violations in the statuses of all products that no exception covers",
};
const RESOURCES: Family = Family {
    name: "datamesh_resources",
    shape: Shape::Gauge,
    labels: &["kind", "state"],
    help: "Resources of all products by their state, drifted ones included",
};

pub(super) const FAMILIES: [&Family; 6] = [&INFO, &CONDITION, &SCORE, &OBJECTIVE, &VIOLATIONS, &RESOURCES];

/// Writes what the statuses say.
pub(super) fn encode<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    products: impl Iterator<Item = &'a DataProduct> + Clone,
) -> fmt::Result {
    let named = products.clone().map(|product| {
        let (namespace, name) = (product.metadata.namespace.as_deref(), product.metadata.name.as_deref());
        ([namespace.unwrap_or_default(), name.unwrap_or_default()], product)
    });
    let info = named.clone().map(|([namespace, name], product)| {
        let spec = &product.spec;
        let classification = spec.access.as_ref().and_then(|access| access.classification);
        let of = [namespace, name, &spec.domain, &spec.version].map(Cow::Borrowed);
        let [namespace, name, domain, version] = of;
        let (class, lifecycle) = (word(&classification), word(&spec.lifecycle.unwrap_or_default()));
        ([namespace, name, domain, version, class.into(), lifecycle.into()], 1)
    });
    INFO.encode(encoder, info)?;
    let statuses = named.filter_map(|(of, product)| Some((of, product.status.as_ref()?)));
    let conditions = statuses.clone().flat_map(|([namespace, name], status)| {
        let conditions = status.conditions.iter();
        conditions.map(move |it| ([namespace, name, &*it.type_, &*it.status, &*it.reason], 1))
    });
    CONDITION.encode(encoder, conditions)?;
    let scores = statuses.clone().filter_map(|(of, status)| {
        let score = status.governance.as_ref()?.score?;
        Some((of, u64::try_from(score).unwrap_or_default()))
    });
    SCORE.encode(encoder, scores)?;
    let objectives = statuses.clone().flat_map(|([namespace, name], status)| {
        let objectives = status.slo.iter().flat_map(|slo| &slo.objectives);
        objectives.map(move |it| ([namespace, name, &*it.name, it.state.as_str()], 1))
    });
    OBJECTIVE.encode(encoder, objectives)?;

    let governance = statuses.clone().filter_map(|(_, status)| status.governance.as_ref());
    let violations = governance.flat_map(|governance| &governance.violations);
    let open = violations.filter(|violation| violation.exception_ref.is_none());
    VIOLATIONS.encode(
        encoder,
        counted(open.map(|it| [it.id.clone(), it.severity.as_str().to_owned(), word(&it.enforcement)])),
    )?;
    let resources = statuses.flat_map(|(_, status)| &status.resources);
    RESOURCES.encode(encoder, counted(resources.map(|it| [it.kind.clone(), word(&it.state)])))
}

/// How often each series occurs, sorted.
fn counted<const N: usize>(series: impl Iterator<Item = [String; N]>) -> BTreeMap<[String; N], u64> {
    let mut counts = BTreeMap::new();
    series.for_each(|labels| *counts.entry(labels).or_default() += 1);
    counts
}

/// A value as the API writes it, and nothing for what is not said.
fn word(value: &impl Serialize) -> String {
    // Plain enumerations, whose serialization cannot fail.
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}
