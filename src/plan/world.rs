//! What a decision rests on: everything declared, everything observed, and the instant at which it is judged.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use kube::ResourceExt;

use crate::{
    api::{DataDomain, DataProduct, PlatformStandards, ProviderClass},
    plan::{assess::Observations, blocker::Blocker, scope::Scope},
};

/// Names a product in its cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ProductName {
    /// The name of an object.
    pub fn of(object: &impl ResourceExt) -> Self {
        Self { namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }

    /// Reads `name` or `namespace/name`; the first form means the given namespace.
    pub fn parse(text: &str, namespace: &str) -> Self {
        let (namespace, name) = text.split_once('/').unwrap_or((namespace, text));
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl std::fmt::Display for ProductName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A product that another one reads, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Which product.
    pub name: ProductName,
    /// What is known of it; `None` when it does not exist.
    pub found: Option<UpstreamFacts>,
}

/// What is known of an upstream product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamFacts {
    /// Whether it is ready.
    pub ready: bool,
    /// Its version.
    pub version: String,
}

/// The product's neighbours in the mesh.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// An older product that claims one of this product's external names, with the name.
    pub name_taken: Option<(String, ProductName)>,
    /// The products that read this one, with their domains, sorted.
    pub consumers: BTreeSet<(ProductName, String)>,
    /// The products that this one reads, sorted.
    pub upstreams: Vec<Upstream>,
    /// A cycle through this product, product by product; empty when there is none.
    pub cycle: Vec<ProductName>,
}

/// Everything that people declared and that bears on one product.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The instant of the judgement.
    pub now: Timestamp,
    /// Identity of the cluster.
    pub cluster: String,
    /// The product.
    pub product: Arc<DataProduct>,
    /// Labels of its namespace.
    pub namespace_labels: BTreeMap<String, String>,
    /// Every domain.
    pub domains: Vec<Arc<DataDomain>>,
    /// Every provider class.
    pub classes: BTreeMap<String, Arc<ProviderClass>>,
    /// The platform's standards.
    pub standards: Option<Arc<PlatformStandards>>,
    /// The neighbours in the mesh.
    pub neighbours: Neighbours,
}

/// Everything declared and observed.
#[derive(Debug, Clone)]
pub struct World {
    /// What people declared.
    pub declared: Declared,
    /// Where the product's resources live, or why that is not known.
    pub scope: Result<Scope, Blocker>,
    /// What the provider says of each resource; empty when there is no scope.
    pub observations: Observations,
}
