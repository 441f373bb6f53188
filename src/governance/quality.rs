//! Rules on quality tests.

use super::{Finding, Input};

pub(super) fn required_tests(input: &Input<'_>) -> Vec<Finding> {
    let tests = input.product.spec.quality.as_ref().map_or(&[][..], |quality| &quality.tests);
    let required = &input.standards.standards.quality.required_tests;
    required
        .iter()
        .filter(|required| !tests.iter().any(|test| test.type_.as_str() == required.as_str()))
        .map(|required| {
            Finding::new(
                "spec.quality.tests",
                format!("Required quality test missing: {required}"),
                format!("Add a test of type {required} to spec.quality.tests"),
            )
        })
        .collect()
}
