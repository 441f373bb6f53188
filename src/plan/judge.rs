//! The judgement of the rules on a product of this world: on what its spec says and on what was observed of it.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::{
    api::PolicyException,
    governance::{self, Input, Judgement, Precedents, standing},
    plan::{
        assess::{Observation, Observations, Wanted},
        blocker::Blocker,
        scope::Scope,
        world::World,
    },
};

/// Judges a product by the policies, where there are policies and standards. Before the steps that is by what was observed first; after
/// them by what was observed then, because they may have mended what was found or made what is now to be judged.
///
/// Only policies that read what has changed since the precedents are evaluated.
pub fn judge(
    world: &World,
    wanted: &[Wanted],
    observations: &Observations,
    precedents: &Precedents,
) -> Option<Judgement> {
    let declared = &world.declared;
    let standards = declared.standards.as_ref()?;
    let scope = world.scope.as_ref().ok();
    let domain = scope.and_then(|scope| scope.domain_spec.as_ref());
    if declared.ungoverned().is_some() {
        return None;
    }
    let standing = |exception: &Arc<PolicyException>| standing(exception, &standards.spec, declared.now).2;
    let exceptions = declared.exceptions.iter().filter_map(standing).collect::<Vec<_>>();
    let input = Input {
        exceptions: &exceptions,
        domain: domain.map(Arc::as_ref),
        accounts: accounts(scope),
        observed: Some(&found(wanted, observations)),
        bound_domain: bound_domain(world),
        neighbours: Some(&declared.neighbours),
        today: Some(declared.now.to_zoned(TimeZone::UTC).date()),
        ..Input::of(&declared.product, &standards.spec)
    };
    Some(declared.policies.judge(&input, precedents))
}

/// The domain of the namespace. One that the product does not name is known from the refusal to bind it.
fn bound_domain(world: &World) -> Option<&str> {
    match &world.scope {
        Ok(scope) => scope.domain_spec.is_some().then_some(&scope.domain),
        Err(Blocker::DomainMismatch { bound, .. }) => Some(bound),
        Err(_) => None,
    }
    .map(String::as_str)
}

/// Where the resources belong and where they would go. A domain that names no account has its class's.
fn accounts(scope: Option<&Scope>) -> Option<governance::Accounts<'_>> {
    let scope = scope?;
    let domain = scope.domain_spec.as_ref().and_then(|domain| domain.spec.account.as_ref()?.id.as_deref());
    Some(governance::Accounts { domain: domain.unwrap_or(&scope.account), provider: &scope.account })
}

/// What is wanted and was found. What is absent or could not be read says nothing of itself.
fn found<'a>(wanted: &'a [Wanted], observations: &'a Observations) -> Vec<governance::Resource<'a>> {
    let pairs = wanted.iter().filter_map(|wanted| match (wanted, observations.get(wanted.key())?) {
        (Wanted::Present(desired), Observation::Present(observed)) => {
            Some(governance::Resource { desired, observed })
        }
        _ => None,
    });
    pairs.collect()
}
