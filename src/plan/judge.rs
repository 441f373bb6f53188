//! The judgement of the rules on a product of this world: on what its spec says and on what was observed of it.

use std::sync::Arc;

use jiff::tz::TimeZone;
use kube::ResourceExt;

use crate::{
    api::{DataDomain, DataProduct, Enforcement, PolicyException, product::Lifecycle},
    governance::{self, Input, Judgement, Precedents, Report, standing},
    model::lineage::Neighbours,
    plan::{
        assess::{Observation, Observations, Wanted},
        bind::binding,
        blocker::Blocker,
        scope::{Scope, resolve},
        world::{Declared, World},
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
    let scope = world.scope.as_ref().ok();
    let domain = scope.and_then(|scope| scope.domain_spec.as_ref());
    let known = Known {
        domain: domain.map(Arc::as_ref),
        accounts: accounts(scope),
        observed: Some(&found(wanted, observations)),
        bound_domain: bound_domain(world),
        neighbours: Some(&world.declared.neighbours),
    };
    evaluate(&world.declared, &known, precedents)
}

/// Judges a product by what people declared alone, as a file is judged: nobody looks at its resources. Where not all products
/// are known, nothing is said of the others. Where its namespace is not known, the domain that it names is believed. Beside
/// the report stands how strictly its domain takes it.
pub fn judge_declared(declared: &Declared, all_products: bool) -> Option<(Report, Enforcement)> {
    let product = &declared.product;
    let namespace = product.namespace().unwrap_or_default();
    let claiming = binding(&namespace, &declared.namespace_labels, declared.domains.iter());
    let bound = match claiming.as_slice() {
        [domain] => Some(*domain),
        _ => None,
    };
    let named = || declared.domains.iter().find(|domain| domain.name_any() == product.spec.domain);
    let domain = if namespace.is_empty() { named() } else { bound };
    let scope = resolve(declared).ok();
    let bound = bound.map(|domain| domain.name_any());
    let known = Known {
        domain: domain.map(Arc::as_ref),
        accounts: accounts(scope.as_ref()),
        observed: None,
        bound_domain: bound.as_deref(),
        neighbours: all_products.then_some(&declared.neighbours),
    };
    let strictly = enforcement(product, domain.map(|domain| domain.spec.enforcement));
    Some((evaluate(declared, &known, &Precedents::default())?.report, strictly))
}

/// What is known beside what is declared.
struct Known<'a> {
    domain: Option<&'a DataDomain>,
    accounts: Option<governance::Accounts<'a>>,
    observed: Option<&'a [governance::Resource<'a>]>,
    bound_domain: Option<&'a str>,
    neighbours: Option<&'a Neighbours>,
}

fn evaluate(declared: &Declared, known: &Known<'_>, precedents: &Precedents) -> Option<Judgement> {
    let standards = declared.standards.as_ref()?;
    if declared.ungoverned().is_some() {
        return None;
    }
    let standing = |exception: &Arc<PolicyException>| standing(exception, &standards.spec, declared.now).2;
    let exceptions = declared.exceptions.iter().filter_map(standing).collect::<Vec<_>>();
    let input = Input {
        exceptions: &exceptions,
        domain: known.domain,
        accounts: known.accounts,
        observed: known.observed,
        bound_domain: known.bound_domain,
        neighbours: known.neighbours,
        previous: declared.previous.as_deref(),
        today: Some(declared.now.to_zoned(TimeZone::UTC).date()),
        ..Input::of(&declared.product, &standards.spec)
    };
    Some(declared.policies.judge(&input, precedents))
}

/// How strictly a product is judged in a domain; one that is not known, or is gone, is strict. A draft never stops anything.
pub(super) fn enforcement(product: &DataProduct, domain: Option<Enforcement>) -> Enforcement {
    match product.spec.lifecycle {
        Some(Lifecycle::Draft) => Enforcement::Draft,
        _ => domain.unwrap_or(Enforcement::Enforced),
    }
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
