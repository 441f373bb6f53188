//! LINEAGE: where the data comes from is known, leads nowhere in circles, and loses no protection on its way.

use crate::{api::product::Classification, model::lineage::Sensitivity};

use super::{Finding, Findings, Input};

/// LINEAGE-001, once for every upstream product that does not exist.
pub(super) fn resolves_upstreams(input: &Input<'_>, found: &mut Findings<'_>) {
    let upstreams = input.neighbours.map_or(&[][..], |neighbours| &neighbours.upstreams);
    let unknown = upstreams.iter().filter(|upstream| upstream.found.is_none());
    let findings = unknown.map(|upstream| {
        Finding::new(
            format!("spec.lineage.upstreamProducts[{}]", upstream.name),
            format!("The upstream product {} does not exist", upstream.name),
            "Correct its name, as name or namespace/name, or have it published",
        )
    });
    found.extend(findings);
}

/// LINEAGE-002.
pub(super) fn is_no_cycle(input: &Input<'_>, found: &mut Findings<'_>) {
    let cycle = input.neighbours.map_or(&[][..], |neighbours| &neighbours.cycle);
    if cycle.is_empty() {
        return;
    }
    let way = cycle.iter().map(ToString::to_string).collect::<Vec<_>>().join(" reads ");
    found.push(Finding::new(
        "spec.lineage.upstreamProducts",
        format!("The product reads itself: {way}"),
        "Remove one of these steps: a product cannot wait for its own data",
    ));
}

/// LINEAGE-003. Ports that name no product are fine where the lineage names the products.
pub(super) fn names_upstreams(input: &Input<'_>, found: &mut Findings<'_>) {
    let spec = input.spec();
    if spec.lineage.as_ref().is_some_and(|lineage| !lineage.upstream_products.is_empty()) {
        return;
    }
    let unnamed = spec.input_ports.iter().filter(|port| port.product_ref.is_none());
    let findings = unnamed.map(|port| {
        Finding::new(
            format!("spec.inputPorts[{}]", port.name),
            format!("Input port '{}' names no product that it reads", port.name),
            "Name it in spec.lineage.upstreamProducts, or in productRef of the port",
        )
    });
    found.extend(findings);
}

/// LINEAGE-004, once for every upstream product whose data is better protected than this product's. What is not
/// classified is charged by SEC-001.
pub(super) fn keeps_the_class_of_upstreams(input: &Input<'_>, found: &mut Findings<'_>) {
    let Some(own) = Sensitivity::of(input.product).classification else { return };
    let upstreams = input.neighbours.map_or(&[][..], |neighbours| &neighbours.upstreams);
    let findings = upstreams.iter().filter_map(|upstream| {
        let Sensitivity { classification, pii } = upstream.found.as_ref()?.sensitivity;
        let what = match classification.filter(|class| *class > own) {
            Some(class) => format!("{} data", class.as_str()),
            None if pii && own == Classification::Public => "personal data".to_owned(),
            None => return None,
        };
        Some(Finding::new(
            "spec.access.classification",
            format!("The product reads {what} from {} and is classified as {}", upstream.name, own.as_str()),
            "Classify it at least as high as what it reads; what only adds up or removes persons may have an exception",
        ))
    });
    found.extend(findings);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::product::{Access, InputPort, Lineage},
        governance::fixtures::{assert_table, broken_by, input, product},
        model::lineage::{Neighbours, ProductName, Upstream, UpstreamFacts},
    };

    fn name(name: &str) -> ProductName {
        ProductName { namespace: "n".to_owned(), name: name.to_owned() }
    }

    fn upstream(of: &str, sensitivity: Option<(Option<Classification>, bool)>) -> Upstream {
        let found = sensitivity.map(|(classification, pii)| UpstreamFacts {
            sensitivity: Sensitivity { classification, pii },
            ..UpstreamFacts::default()
        });
        Upstream { name: name(of), found }
    }

    #[test]
    fn upstreams_exist_and_lead_nowhere_in_circles() {
        let product = product(|_| {});
        let neighbours = Neighbours {
            upstreams: vec![upstream("there", Some((None, false))), upstream("gone", None)],
            cycle: vec![name("a"), name("b"), name("a")],
            ..Neighbours::default()
        };
        let found = Input { neighbours: Some(&neighbours), ..input(&product) };
        let [unresolved] = &broken_by("LINEAGE-001", &found)[..] else { panic!("one is gone") };
        assert_eq!(unresolved.path, "spec.lineage.upstreamProducts[n/gone]");
        let [cycle] = &broken_by("LINEAGE-002", &found)[..] else { panic!("one cycle") };
        assert_eq!(cycle.message, "The product reads itself: n/a reads n/b reads n/a");
        let none = Neighbours::default();
        let quiet = Input { neighbours: Some(&none), ..found };
        assert!(broken_by("LINEAGE-001", &quiet).is_empty() && broken_by("LINEAGE-002", &quiet).is_empty());
    }

    #[test]
    fn input_ports_say_which_product_they_read() {
        let port = |name: &str, product: Option<&str>| InputPort {
            name: name.to_owned(),
            product_ref: product.map(|product| crate::api::product::ProductRef {
                name: product.to_owned(),
                ..crate::api::product::ProductRef::default()
            }),
            ..InputPort::default()
        };
        let lineage = |products: &[&str]| {
            let upstream_products = products.iter().map(|&product| product.to_owned()).collect();
            Some(Lineage { upstream_products, ..Lineage::default() })
        };
        let cases = [
            ("no ports", vec![], None, vec![]),
            ("a port that says it", vec![port("in", Some("orders"))], None, vec![]),
            ("a port that does not", vec![port("in", None)], None, vec!["spec.inputPorts[in]"]),
            (
                "an empty lineage says nothing",
                vec![port("in", None)],
                lineage(&[]),
                vec!["spec.inputPorts[in]"],
            ),
            ("a lineage that says it", vec![port("in", None)], lineage(&["orders"]), vec![]),
        ];
        let cases = cases.map(|(case, ports, lineage, paths)| {
            (case, product(|spec| (spec.input_ports, spec.lineage) = (ports, lineage)), paths)
        });
        assert_table("LINEAGE-003", cases);
    }

    #[test]
    fn data_keeps_its_class_on_its_way() {
        use Classification::{Confidential, Internal, Public, Restricted};
        let cases = [
            ("the same class", Some(Internal), (Some(Internal), true), None),
            ("a lower one upstream", Some(Confidential), (Some(Public), false), None),
            ("a higher one upstream", Some(Internal), (Some(Restricted), false), Some("restricted data")),
            ("persons into public data", Some(Public), (Some(Public), true), Some("personal data")),
            ("persons upstream of nobody's class", Some(Public), (None, true), Some("personal data")),
            ("not classified is another rule's", None, (Some(Restricted), true), None),
        ];
        for (case, own, theirs, expected) in cases {
            let product = product(|spec| {
                spec.access = Some(Access { classification: own, ..Access::default() });
            });
            let neighbours =
                Neighbours { upstreams: vec![upstream("up", Some(theirs))], ..Neighbours::default() };
            let found = Input { neighbours: Some(&neighbours), ..input(&product) };
            let violations = broken_by("LINEAGE-004", &found);
            let messages = violations.iter().map(|violation| &*violation.message).collect::<Vec<_>>();
            assert_eq!(messages.len(), usize::from(expected.is_some()), "{case}: {messages:?}");
            assert!(expected.is_none_or(|what| messages[0].contains(what)), "{case}: {messages:?}");
        }
    }
}
