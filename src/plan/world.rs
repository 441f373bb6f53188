//! What a decision rests on: everything declared, everything observed, and the instant at which it is judged.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use crate::{
    api::{DataDomain, DataProduct, PlatformStandards, PolicyException, ProviderClass},
    governance::{PolicySet, Precedents},
    model::lineage::Neighbours,
    plan::{assess::Observations, blocker::Blocker, scope::Scope},
};

/// Everything that people declared and that bears on one product.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The instant of the judgement.
    pub now: Timestamp,
    /// Identity of the cluster.
    pub cluster: String,
    /// The product.
    pub product: Arc<DataProduct>,
    /// The product before a change that is only asked for; what was let in has nothing before it.
    pub previous: Option<Arc<DataProduct>>,
    /// Labels of its namespace.
    pub namespace_labels: BTreeMap<String, String>,
    /// Every domain.
    pub domains: Vec<Arc<DataDomain>>,
    /// Every provider class.
    pub classes: BTreeMap<String, Arc<ProviderClass>>,
    /// The platform's standards.
    pub standards: Option<Arc<PlatformStandards>>,
    /// The policies that judge products.
    pub policies: Arc<PolicySet>,
    /// What the policies found when they judged this product before.
    pub precedents: Arc<Precedents>,
    /// The exceptions that were asked for this product.
    pub exceptions: Vec<Arc<PolicyException>>,
    /// The neighbours in the mesh.
    pub neighbours: Neighbours,
}

impl Declared {
    /// Why no product can be judged.
    pub fn ungoverned(&self) -> Option<Blocker> {
        match (&self.standards, self.policies.is_empty()) {
            (None, _) => Some(Blocker::NoStandards),
            (Some(_), true) => Some(Blocker::NoPolicies),
            (Some(_), false) => None,
        }
    }
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
