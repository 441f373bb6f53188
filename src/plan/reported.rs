//! What a status says of resources, in the form of observations, for whoever plans without asking a provider.

use crate::{
    api::{
        DataProduct,
        status::{ResourceState, ResourceStatus},
    },
    model::resource::{Desired, Health, Key, Kind, Observed},
    plan::{
        assess::{Fault, Observation, Observations, Wanted},
        blocker::Blocker,
    },
    provider::ErrorKind,
};

/// The resources as a product's status tells of them. What is there is taken to be as the product `wanted` it; how it differs
/// from that stands in the status, too, for [`drifted`].
pub fn reported(product: &DataProduct, wanted: &[Wanted], keys: impl Iterator<Item = Key>) -> Observations {
    let resources = product.status.iter().flat_map(|status| &status.resources);
    let resources = resources.collect::<Vec<_>>();
    let observed = |key: &Key| {
        let mut of_status = resources.iter();
        let resource = of_status.find(|it| Kind::parse(&it.kind) == Some(key.kind) && it.name == key.name);
        resource.map_or(Observation::Absent, |resource| observation(resource, desired(wanted, key)))
    };
    keys.map(|key| (key.clone(), observed(&key))).collect()
}

/// The resources of a product that has all that it `wanted`.
pub fn fulfilled(wanted: &[Wanted], keys: impl Iterator<Item = Key>) -> Observations {
    let observed = |key: &Key| {
        desired(wanted, key).map_or(Observation::Absent, |desired| present(desired, desired.key.to_string()))
    };
    keys.map(|key| (key.clone(), observed(&key))).collect()
}

/// Resources of which nothing can be known for the reason given.
pub fn unknown(why: &Blocker, keys: impl Iterator<Item = Key>) -> Observations {
    let fault = Fault::new(ErrorKind::Invalid, why.to_string());
    keys.map(|key| (key, Observation::Unknown(fault.clone()))).collect()
}

fn desired<'a>(wanted: &'a [Wanted], key: &Key) -> Option<&'a Desired> {
    wanted.iter().find_map(|wanted| match wanted {
        Wanted::Present(desired) if desired.key == *key => Some(&**desired),
        _ => None,
    })
}

/// The resources that the status says to differ from what the product asks for.
pub fn drifted(product: &DataProduct) -> impl Iterator<Item = &ResourceStatus> {
    let resources = product.status.iter().flat_map(|status| &status.resources);
    resources.filter(|resource| resource.state == ResourceState::Drifted)
}

fn observation(resource: &ResourceStatus, desired: Option<&Desired>) -> Observation {
    let Some(desired) = desired else {
        // What nobody wants any more is on its way out.
        return Observation::Absent;
    };
    let id = || resource.id.clone().unwrap_or_else(|| desired.key.to_string());
    match resource.state {
        ResourceState::InSync | ResourceState::Adopted | ResourceState::Drifted => present(desired, id()),
        ResourceState::Pending
        | ResourceState::Creating
        | ResourceState::Deleting
        | ResourceState::Released
        | ResourceState::Lost => Observation::Absent,
        ResourceState::Failed => {
            let said = resource.last_error.as_ref().map(|error| error.message.clone());
            let said = said.unwrap_or_else(|| format!("{} could not be read", desired.key));
            Observation::Unknown(Fault::new(ErrorKind::Unexpected, said))
        }
    }
}

fn present(desired: &Desired, id: String) -> Observation {
    Observation::Present(Box::new(Observed {
        key: desired.key.clone(),
        id,
        owner: Some(desired.owner.clone()),
        attributes: desired.attributes.clone(),
        health: Health::Live,
    }))
}
