//! The places in which products of a mesh have what they own.

use std::collections::BTreeSet;

use kube::ResourceExt;

use crate::{
    api::{DataDomain, ProviderClass},
    plan::bind::place,
    provider::registry::Place,
};

/// A place of a class.
pub(super) struct Placed<'a> {
    pub(super) class: &'a ProviderClass,
    pub(super) place: Place,
    /// The first domain that has it there.
    pub(super) domain: String,
}

/// Every place of every class that a domain may use, each once.
pub(super) fn places<'a>(domains: &[DataDomain], classes: &'a [ProviderClass]) -> Vec<Placed<'a>> {
    let mut known = BTreeSet::new();
    let mut places = Vec::new();
    for class in classes {
        let name = class.name_any();
        for domain in domains.iter().filter(|domain| domain.spec.provider_classes.contains(&name)) {
            let (account, region) = place(Some(domain), Some(class));
            let role = domain.spec.account.as_ref().and_then(|account| account.operator_role_arn.clone());
            let place = Place { account, region, role };
            if known.insert((name.clone(), place.clone())) {
                places.push(Placed { class, place, domain: domain.name_any() });
            }
        }
    }
    places
}
