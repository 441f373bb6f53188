//! Rules on what people need to know before they can trust a product.

use super::{Finding, Input, is_blank, when};
use crate::api::product::Owner;

pub(super) fn description(input: &Input<'_>) -> Vec<Finding> {
    when(is_blank(input.product.spec.description.as_ref()), || {
        Finding::new(
            "spec.description",
            "Product description missing",
            "Add spec.description: what the data is, where it comes from, how often it is updated",
        )
    })
}

pub(super) fn owner(input: &Input<'_>) -> Vec<Finding> {
    when(owners(input).all(|owner| is_blank(owner.team.as_ref())), || {
        Finding::new("spec.owner.team", "Owner team missing", "Set spec.owner.team or the DataDomain owner")
    })
}

pub(super) fn contact(input: &Input<'_>) -> Vec<Finding> {
    let silent = |owner: &Owner| is_blank(owner.email.as_ref()) && is_blank(owner.slack.as_ref());
    when(owners(input).all(silent), || {
        Finding::new("spec.owner", "No contact for the owner", "Add spec.owner.email or spec.owner.slack")
    })
}

pub(super) fn schema(input: &Input<'_>) -> Vec<Finding> {
    when(input.product.spec.schema.is_none(), || {
        Finding::new("spec.schema", "Schema not documented", "Add spec.schema")
    })
}

pub(super) fn slo(input: &Input<'_>) -> Vec<Finding> {
    when(input.product.spec.slo.is_none(), || Finding::new("spec.slo", "SLOs not documented", "Add spec.slo"))
}

/// The owners who answer for the product: its own and its domain's.
fn owners<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a Owner> {
    input.product.spec.owner.iter().chain(input.domain_owner)
}
