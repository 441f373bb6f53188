//! Federated governance: what the platform's rules say of a product. Pure; one file per family of rules.
//!
//! This room decides what is violated and what it costs. Whether a violation stops change is the domain's matter
//! and decided in [`crate::plan`].

mod catalogue;
mod documentation;
mod quality;
mod report;
mod schema;
mod security;
mod service_level;
mod standards;

pub use catalogue::{CATALOGUE, Rule};
pub use report::{Report, Violation};

use crate::api::{DataProduct, PlatformStandardsSpec, product::Owner};

/// Everything that a rule may read.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The product.
    pub product: &'a DataProduct,
    /// The platform's standards.
    pub standards: &'a PlatformStandardsSpec,
    /// Owner of the domain, who answers for products that name nobody.
    pub domain_owner: Option<&'a Owner>,
}

/// Applies every rule of the catalogue.
pub fn evaluate(input: &Input<'_>) -> Report {
    evaluate_rules(input, CATALOGUE)
}

/// Applies the given rules.
pub fn evaluate_rules(input: &Input<'_>, rules: &[Rule]) -> Report {
    let violations = rules
        .iter()
        .flat_map(|rule| {
            (rule.check)(input).into_iter().map(|finding| Violation {
                id: rule.id,
                severity: rule.severity,
                message: finding.message,
                remediation: finding.remediation,
                path: finding.path,
            })
        })
        .collect();
    Report::new(violations, input.standards, rules)
}

/// One broken place, as a rule reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    path: String,
    /// What is wrong.
    message: String,
    /// What to do.
    remediation: String,
}

impl Finding {
    fn new(path: impl Into<String>, message: impl Into<String>, remediation: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), remediation: remediation.into() }
    }
}

/// A finding where a condition holds, none otherwise.
fn when(broken: bool, finding: impl FnOnce() -> Finding) -> Vec<Finding> {
    if broken { vec![finding()] } else { Vec::new() }
}

/// Whether a text says nothing. A blank text counts as absent: it satisfies a key check and helps nobody.
fn is_blank(text: Option<&String>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// A list as people read it.
fn list(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
