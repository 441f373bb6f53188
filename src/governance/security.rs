//! SEC: it is said how sensitive the data is and how long it is kept.

use super::{Finding, Input};

/// SEC-001.
pub(super) fn states_classification(input: &Input<'_>) -> Vec<Finding> {
    Finding::when(
        input.spec().access.as_ref().is_none_or(|access| access.classification.is_none()),
        "spec.access.classification",
        "Data classification not specified",
        "Add classification: public/internal/confidential/restricted",
    )
}

/// SEC-002.
pub(super) fn states_retention(input: &Input<'_>) -> Vec<Finding> {
    Finding::when(
        input.spec().access.as_ref().is_none_or(|access| access.retention.is_none()),
        "spec.access.retention",
        "Retention policy not specified",
        "Define data retention period",
    )
}

#[cfg(test)]
mod tests {
    use crate::{
        api::product::{Access, Classification},
        governance::fixtures::{assert_table, product},
    };

    #[expect(clippy::unnecessary_wraps, reason = "the spec has an optional block")]
    fn access(classification: Option<Classification>, retention: Option<&str>) -> Option<Access> {
        Some(Access { classification, retention: retention.map(Into::into), ..Access::default() })
    }

    #[test]
    fn the_data_is_classified() {
        let path = "spec.access.classification";
        let cases = [
            ("it is public", access(Some(Classification::Public), None), vec![]),
            ("nothing is said of its sensitivity", access(None, Some("7 years")), vec![path]),
            ("nothing is said of access", None, vec![path]),
        ];
        assert_table(
            "SEC-001",
            cases.map(|(case, access, paths)| (case, product(|spec| spec.access = access), paths)),
        );
    }

    #[test]
    fn the_retention_of_the_data_is_stated() {
        let path = "spec.access.retention";
        let cases = [
            ("seven years", access(None, Some("7 years")), vec![]),
            ("nothing is said of retention", access(Some(Classification::Public), None), vec![path]),
            ("nothing is said of access", None, vec![path]),
        ];
        assert_table(
            "SEC-002",
            cases.map(|(case, access, paths)| (case, product(|spec| spec.access = access), paths)),
        );
    }
}
