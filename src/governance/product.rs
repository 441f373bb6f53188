//! PROD: the thing is a product: it can be reached, it promises something, and it is the only one of its name.

use super::{Finding, Findings, Input, stated};

/// PROD-001.
pub(super) fn can_be_reached(input: &Input<'_>, found: &mut Findings<'_>) {
    found.when(
        input.spec().output_ports.is_empty(),
        "spec.outputPorts",
        "No output port, so that nobody can use the data",
        "Add a port to spec.outputPorts, for example {name: lake, type: s3_delta_lake, format: parquet}",
    );
}

/// PROD-002. Each part is asked for by another rule too; all of them missing is what tells a table from a product.
pub(super) fn is_more_than_a_table(input: &Input<'_>, found: &mut Findings<'_>) {
    let spec = input.spec();
    let tested = spec.quality.as_ref().is_some_and(|quality| !quality.tests.is_empty());
    found.when(
        spec.slo.is_none() && !tested && stated(spec.description.as_deref()).is_none(),
        "spec",
        "No service level, no quality test and no description: a table, not a product",
        "Say what it is (spec.description), what it promises (spec.slo) and how that is tested (spec.quality.tests)",
    );
}

/// PROD-003.
pub(super) fn has_names_of_its_own(input: &Input<'_>, found: &mut Findings<'_>) {
    let taken = input.neighbours.and_then(|neighbours| neighbours.name_taken.as_ref());
    let finding = taken.map(|(name, holder)| {
        Finding::new(
            "spec.provisioning.names",
            format!("The external name '{name}' is that of product {holder} too"),
            "Choose another name in spec.provisioning.names, or rename the product",
        )
    });
    found.extend(finding);
}

/// PROD-004.
pub(super) fn belongs_to_the_domain_of_its_namespace(input: &Input<'_>, found: &mut Findings<'_>) {
    let declared = &input.spec().domain;
    let other = input.bound_domain.filter(|bound| bound != declared);
    let finding = other.map(|bound| {
        Finding::new(
            "spec.domain",
            format!("The product says domain '{declared}', and its namespace belongs to domain '{bound}'"),
            format!("Create it in a namespace of domain '{declared}', or with spec.domain: {bound}"),
        )
    });
    found.extend(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::product::{OutputPort, Quality, Slo},
        governance::fixtures::{assert_table, broken_by, input, product},
        model::lineage::{Neighbours, ProductName},
    };

    #[test]
    fn there_is_a_way_to_the_data() {
        let cases =
            [("a port", vec![OutputPort::default()], vec![]), ("none", vec![], vec!["spec.outputPorts"])];
        let cases =
            cases.map(|(case, ports, paths)| (case, product(|spec| spec.output_ports = ports), paths));
        assert_table("PROD-001", cases);
    }

    #[test]
    fn a_table_is_told_from_a_product_by_what_it_lacks_altogether() {
        let tests = || {
            let test = serde_json::json!({"tests": [{"type": "custom"}]});
            serde_json::from_value::<Quality>(test).ok()
        };
        let cases = [
            ("nothing", None, None, None, vec!["spec"]),
            ("an empty list of tests is none", None, Some(Quality::default()), None, vec!["spec"]),
            ("promises something", Some(Slo::default()), None, None, vec![]),
            ("is tested", None, tests(), None, vec![]),
            ("is described", None, None, Some("a thing"), vec![]),
        ];
        let cases = cases.map(|(case, slo, quality, description, paths)| {
            let product = product(|spec| {
                (spec.slo, spec.quality, spec.description) = (slo, quality, description.map(Into::into));
            });
            (case, product, paths)
        });
        assert_table("PROD-002", cases);
    }

    #[test]
    fn names_and_domain_are_its_own() {
        let product = product(|_| {});
        let holder = ProductName { namespace: "n".to_owned(), name: "older".to_owned() };
        let taken = Neighbours { name_taken: Some(("a-bucket".to_owned(), holder)), ..Neighbours::default() };
        let free = Neighbours::default();
        for (neighbours, expected) in [(Some(&taken), 1), (Some(&free), 0), (None, 0)] {
            let violations = broken_by("PROD-003", &Input { neighbours, ..input(&product) });
            assert_eq!(violations.len(), expected, "{neighbours:?}");
            assert!(violations.iter().all(|violation| violation.message.contains("n/older")));
        }
        for (bound_domain, expected) in [(Some("sales"), 1), (Some("customer"), 0), (None, 0)] {
            let violations = broken_by("PROD-004", &Input { bound_domain, ..input(&product) });
            assert_eq!(violations.len(), expected, "{bound_domain:?}");
        }
    }
}
