//! Governance: from a product and the platform's standards to a report of what is missing or not allowed.
//!
//! This room decides which rules a product breaks and what that costs. It is pure: everything that it reads is in
//! [`Input`], so that the operator, the admission webhook and the command line cannot disagree. It never talks to a
//! cluster, never reads a clock, and never changes a product; what a report stops is decided by whoever holds the plan.
//!
//! A built-in rule is a row of [`RULES`] and a small function in the file of its family. Which rules judge a product, and how
//! strictly, is data: policies that the platform team and the domains declare.
//!
//! ```text
//! Input ──► PolicySet: each policy that matches, each of its rules ──► findings ──► Report: score, result, totals,
//!                                                                                   sorted violations
//! ```

mod admission;
mod catalogue;
mod defaults;
mod documentation;
mod evaluate;
mod exception;
mod finding;
mod judge;
mod lineage;
mod observed;
mod policy;
mod port;
mod privacy;
mod product;
mod quality;
mod report;
mod rule;
mod schema;
mod score;
mod security;
mod sight;
mod slo;
mod standards;
mod topic;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{
    api::{
        DataDomain, DataProduct, DataProductSpec, PlatformStandardsSpec,
        product::{OutputPort, SchemaField},
    },
    model::lineage::Neighbours,
};

pub use admission::{
    Action, Admission, admission, is_expressed, is_told_by_the_api_server, why_not_expressed,
};
pub use catalogue::RULES;
pub use defaults::{defaults, policies_of};
pub use evaluate::{Judgement, Precedents};
pub use exception::{Exception, standing};
pub use finding::Text;
pub use observed::Resource;
pub use policy::{MAX_POLICY_COST, Policy, PolicySet, Subject};
pub use port::{PORT_TYPES, PortKind, port_kind};
pub use report::{Report, RuleRef, Violation};
pub use rule::{Need, Parameter, Rule};
pub use sight::{NAMES, declarations};

use finding::{Finding, Findings};

/// Everything that a rule may read.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The product that is judged: its spec and its annotations.
    pub product: &'a DataProduct,
    /// The standards that it is judged by. A list that is empty states no standard.
    pub standards: &'a PlatformStandardsSpec,
    /// The product before the change; `None` where nobody asks for a change, as in the operator.
    pub previous: Option<&'a DataProduct>,
    /// The domain that the product's namespace belongs to, whose owner stands in for what the product's own owner leaves out.
    pub domain: Option<&'a DataDomain>,
    /// The accounts that STD-002 compares; `None` where no provider is known, as on the command line.
    pub accounts: Option<Accounts<'a>>,
    /// The resources that are wanted and were found; `None` where nobody looks, as on the command line.
    pub observed: Option<&'a [Resource<'a>]>,
    /// The domain that the product's namespace belongs to; `None` where that is not known.
    pub bound_domain: Option<&'a str>,
    /// The product's place among the others; `None` where they are not known, as for a file on its own.
    pub neighbours: Option<&'a Neighbours>,
    /// The day of the judgement; `None` where it does not matter, so that grace lasts.
    pub today: Option<Date>,
    /// The exceptions that have an effect.
    pub exceptions: &'a [Exception],
    /// What the policy sets for the rule that is asked.
    pub parameters: Option<&'a BTreeMap<String, String>>,
}

/// Where resources belong and where they would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounts<'a> {
    /// Account of the domain.
    pub domain: &'a str,
    /// Account in which the provider makes resources.
    pub provider: &'a str,
}

impl<'a> Input<'a> {
    /// A product and the standards, with nothing else known.
    pub const fn of(product: &'a DataProduct, standards: &'a PlatformStandardsSpec) -> Self {
        Self {
            product,
            standards,
            previous: None,
            domain: None,
            accounts: None,
            observed: None,
            bound_domain: None,
            neighbours: None,
            today: None,
            exceptions: &[],
            parameters: None,
        }
    }

    fn spec(&self) -> &'a DataProductSpec {
        &self.product.spec
    }

    /// A setting of the rule that is asked, where its policy has one.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters?.get(name).map(String::as_str)
    }

    fn fields(&self) -> impl Iterator<Item = &'a SchemaField> + use<'a> {
        let schema = self.spec().schema.as_ref();
        schema.and_then(|schema| schema.fields.as_deref()).unwrap_or_default().iter()
    }

    fn has_field(&self, name: &str) -> bool {
        self.fields().any(|field| field.name == name)
    }

    fn output_ports(&self, kind: PortKind) -> impl Iterator<Item = &'a OutputPort> {
        self.spec().output_ports.iter().filter(move |port| port_kind(&port.type_) == kind)
    }
}

/// The text, unless it is absent or blank: a blank text tells nobody anything.
#[inline]
fn stated(text: Option<&str>) -> Option<&str> {
    text.filter(|text| text.chars().any(|c| !c.is_whitespace()))
}

/// The words of a standard as part of a sentence, bounded, because messages in the status are.
fn one_of(words: &[String]) -> String {
    const SHOWN: usize = 6;
    match words.len() {
        0 => "what the platform standards allow".to_owned(),
        1 => words.concat(),
        n if n <= SHOWN => format!("one of {}", words.join(", ")),
        n => format!("one of {} and {} more", words[..SHOWN].join(", "), n - SHOWN),
    }
}

#[cfg(test)]
mod fixtures;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_standard_are_listed_up_to_a_bound() {
        let words = |n: usize| (1..=n).map(|i| i.to_string()).collect::<Vec<_>>();
        assert_eq!(one_of(&words(0)), "what the platform standards allow");
        assert_eq!(one_of(&words(1)), "1");
        assert_eq!(one_of(&words(3)), "one of 1, 2, 3");
        assert_eq!(one_of(&words(8)), "one of 1, 2, 3, 4, 5, 6 and 2 more");
    }

    #[test]
    fn blank_text_counts_as_absent() {
        assert_eq!(stated(None), None);
        assert_eq!(stated(Some(" \n\t")), None);
        assert_eq!(stated(Some(" a ")), Some(" a "));
    }
}
