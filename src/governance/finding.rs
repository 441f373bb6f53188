//! What rules find: where, what is wrong, and what to do.

use std::borrow::Cow;

use super::{Violation, judge::Judge};
use crate::api::status::Severity;

/// A text that is mostly the same for every product, and then copied for none.
pub type Text = Cow<'static, str>;

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) path: Text,
    pub(super) message: Text,
    pub(super) remediation: Text,
    /// Set where a finding is graver or milder than its rule says.
    pub(super) severity: Option<Severity>,
}

impl Finding {
    pub(super) fn new(path: impl Into<Text>, message: impl Into<Text>, remediation: impl Into<Text>) -> Self {
        Self { path: path.into(), message: message.into(), remediation: remediation.into(), severity: None }
    }
}

/// Takes what one rule finds, and makes violations of it. One list takes in what all rules find, because most find nothing.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    pub(super) judge: &'a Judge,
    pub(super) violations: &'a mut Vec<Violation>,
}

impl Findings<'_> {
    pub(super) fn push(&mut self, finding: Finding) {
        if self.violations.is_empty() {
            // A product that breaks one rule breaks several.
            self.violations.reserve(8);
        }
        self.violations.push(self.judge.violation(finding));
    }

    /// The one finding of a rule that a product keeps or breaks as a whole.
    #[inline]
    pub(super) fn when(
        &mut self,
        broken: bool,
        path: &'static str,
        message: &'static str,
        remediation: &'static str,
    ) {
        if broken {
            self.push(Finding::new(path, message, remediation));
        }
    }
}

impl Extend<Finding> for Findings<'_> {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}
