//! Rules on the promised service levels.

use super::{Finding, Input, when};
use crate::model::percent::Percent;

/// The availability below which a product is warned.
const RECOMMENDED: Percent = Percent::whole(99);

pub(super) fn availability(input: &Input<'_>) -> Vec<Finding> {
    let target = input.product.spec.slo.as_ref().and_then(|slo| slo.availability.as_ref());
    let stated = target.map_or("0%", |availability| availability.target.as_str());
    // A target that cannot be read promises nothing.
    let enough = stated.parse::<Percent>().is_ok_and(|availability| availability >= RECOMMENDED);
    when(!enough, || {
        Finding::new(
            "spec.slo.availability.target",
            format!("Availability SLO ({stated}) below recommended 99%"),
            "Consider increasing availability target",
        )
    })
}

pub(super) fn freshness(input: &Input<'_>) -> Vec<Finding> {
    let missing = input.product.spec.slo.as_ref().is_none_or(|slo| slo.freshness.is_none());
    when(missing, || {
        Finding::new(
            "spec.slo.freshness",
            "Freshness SLO not defined",
            "Define freshness target (e.g., '1 hour')",
        )
    })
}
