//! Rules on classification and retention.

use super::{Finding, Input, is_blank, when};

pub(super) fn classified(input: &Input<'_>) -> Vec<Finding> {
    let access = input.product.spec.access.as_ref();
    when(access.is_none_or(|access| access.classification.is_none()), || {
        Finding::new(
            "spec.access.classification",
            "Data classification not specified",
            "Add classification: public/internal/confidential/restricted",
        )
    })
}

pub(super) fn retained(input: &Input<'_>) -> Vec<Finding> {
    let retention = input.product.spec.access.as_ref().and_then(|access| access.retention.as_ref());
    when(is_blank(retention), || {
        Finding::new(
            "spec.access.retention",
            "Retention policy not specified",
            "Define data retention period",
        )
    })
}
