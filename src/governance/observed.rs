//! What the provider observed of a product's resources, as far as rules may judge it.

use crate::model::resource::{Desired, Health, Observed};

use super::{Finding, Input};

/// A resource as the product wants it, and as the provider found it.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// How it is wanted.
    pub desired: &'a Desired,
    /// How it was found.
    pub observed: &'a Observed,
}

impl Resource<'_> {
    /// Whether it is the product's own and in use. What belongs to others is theirs to answer for; what is lost, going or
    /// switched off is told as such, and nothing is gained by judging its attributes too.
    fn is_own(&self) -> bool {
        self.desired.owner.claim(self.observed.owner.as_ref()).is_own()
            && self.observed.health == Health::Live
    }

    /// What is wrong with one of its attributes, and what a person does about it where the operator does not.
    pub(super) fn finding(&self, attribute: &str, message: String, by_hand: &str) -> Finding {
        Finding::new(
            format!("status.resources[{}].{attribute}", self.desired.key),
            message,
            format!(
                "The operator corrects it, unless the ProviderClass has driftPolicy Report or something holds \
                 change back; then {by_hand}"
            ),
        )
    }
}

impl<'a> Input<'a> {
    /// What was found of the product's own resources.
    pub(super) fn own_resources(&self) -> impl Iterator<Item = &'a Resource<'a>> {
        self.observed.unwrap_or_default().iter().filter(|resource| resource.is_own())
    }
}
