//! Builds worlds from manifests, as an operator would see them.

use std::sync::Arc;

use dataproduct_operator::{
    api::{
        DataDomain, DataProduct, DriftPolicy, GovernancePolicy, PlatformStandards, PolicyException,
        ProviderClass,
    },
    governance::{Policy, PolicySet, defaults},
    plan::{Declared, Neighbours, World, assess::Observations, scope::resolve},
};
use jiff::Timestamp;
use kube::ResourceExt;
use serde::de::DeserializeOwned;

/// The instant of every pure test.
pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";

/// The instant of every pure test.
pub(crate) fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

fn pick<T: DeserializeOwned>(documents: &[serde_json::Value], kind: &str) -> Vec<T> {
    documents
        .iter()
        .filter(|document| document["kind"] == kind)
        .map(|document| serde_json::from_value(document.clone()).expect("a legal manifest"))
        .collect()
}

/// What the manifests of a text declare; the product is the first one.
pub(crate) fn declared(manifests: &str) -> Declared {
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(manifests).expect("YAML");
    let mut product: DataProduct = pick(&documents, "DataProduct").into_iter().next().expect("a DataProduct");
    product.metadata.uid.get_or_insert_with(|| "uid-1".to_owned());
    product.metadata.generation.get_or_insert(1);
    Declared {
        now: now(),
        cluster: "cluster-1".to_owned(),
        product: Arc::new(product),
        namespace_labels: [].into(),
        domains: pick::<DataDomain>(&documents, "DataDomain").into_iter().map(Arc::new).collect(),
        classes: pick::<ProviderClass>(&documents, "ProviderClass")
            .into_iter()
            .map(|class| (class.name_any(), Arc::new(class)))
            .collect(),
        standards: pick::<PlatformStandards>(&documents, "PlatformStandards")
            .into_iter()
            .next()
            .map(Arc::new),
        policies: Arc::new(policies(&documents)),
        precedents: Arc::default(),
        previous: None,
        exceptions: pick::<PolicyException>(&documents, "PolicyException")
            .into_iter()
            .map(Arc::new)
            .collect(),
        neighbours: Neighbours::default(),
    }
}

/// The policies of a text; those that come with the operator where it has none.
fn policies(documents: &[serde_json::Value]) -> PolicySet {
    let mut found = pick::<GovernancePolicy>(documents, "GovernancePolicy");
    if found.is_empty() {
        found = defaults().into_iter().map(|(policy, _)| policy).collect();
    }
    let compiled = found
        .into_iter()
        .map(|policy| Policy::global(&policy.name_any(), &policy.spec.policy, policy.spec.matches.as_ref()));
    compiled.collect()
}

/// The example product on the example platform.
pub(crate) fn customer_360() -> Declared {
    declared(&format!(
        "{}\n---\n{}",
        include_str!("../../examples/platform.yaml"),
        include_str!("../../examples/customer-360.yaml")
    ))
}

/// The same product, where the class reports drift and leaves it alone.
pub(crate) fn reporting() -> Declared {
    let mut declared = customer_360();
    for class in declared.classes.values_mut() {
        let mut reporting = (**class).clone();
        reporting.spec.drift_policy = Some(DriftPolicy::Report);
        *class = reporting.into();
    }
    declared
}

/// A world with the given observations.
pub(crate) fn world(declared: Declared, observations: Observations) -> World {
    let scope = resolve(&declared);
    World { declared, scope, observations }
}
