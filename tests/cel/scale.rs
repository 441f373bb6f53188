//! Thousands of products and a hundred policies in memory: what is evaluated is counted, and it is no more than what has changed
//! asks for.

use std::collections::BTreeMap;

use anyhow::Result;
use dataproduct_operator::{
    api::{self, DataProduct, DataProductSpec, PlatformStandardsSpec, PolicyMatch},
    governance::{Input, Policy, PolicySet, Precedents},
};
use serde_json::json;

/// All of them where the code is optimized; else a fifth, which takes as long.
const PRODUCTS: usize = if cfg!(debug_assertions) { 2_000 } else { 10_000 };
const POLICIES: usize = 100;
/// Every policy with a number that this divides judges one domain alone.
const NARROW: usize = 10;
/// Domains, over which products are spread evenly.
const DOMAINS: usize = 20;

/// Rules by what they read: built in and written, of the description, of the service levels, of labels and of standards.
const RULES: [&str; 8] = [
    r#"{"id": "R", "builtin": "SLO-002"}"#,
    r#"{"id": "R", "cel": {"expression": "has(object.spec.slo) && has(object.spec.slo.freshness)", "message": "stale"}}"#,
    r#"{"id": "R", "builtin": "PROD-001"}"#,
    r#"{"id": "R", "cel": {"expression": "object.spec.version.matches('^[0-9]+[.]')", "message": "version"}}"#,
    r#"{"id": "R", "builtin": "SEC-001"}"#,
    r#"{"id": "R", "cel": {"expression": "object.metadata.?labels[?'team'].hasValue()", "message": "nobody's"}}"#,
    r#"{"id": "R", "builtin": "SLO-004"}"#,
    r#"{"id": "R", "cel": {"expression": "object.spec.?slo.?availability.hasValue()", "message": "absent"}}"#,
];
/// The rules that read the service levels.
const READ_SLO: [usize; 4] = [0, 1, 6, 7];

fn product(number: usize) -> DataProduct {
    let domain = format!("domain-{}", number % DOMAINS);
    let spec = DataProductSpec { domain, version: "1.0.0".into(), ..DataProductSpec::default() };
    DataProduct::new(&format!("product-{number}"), spec)
}

fn policy(number: usize, edit: &str) -> Result<Policy> {
    let mut rule: serde_json::Value = serde_json::from_str(RULES[number % RULES.len()])?;
    rule["id"] = json!(format!("R-{number}"));
    rule["remediation"] = json!(format!("mend it{edit}"));
    let declared: api::Policy = serde_json::from_value(json!({"state": "Grace", "rules": [rule]}))?;
    let domains =
        if number.is_multiple_of(NARROW) { vec![format!("domain-{}", number / NARROW)] } else { vec![] };
    let matches = PolicyMatch { domains, ..PolicyMatch::default() };
    let policy = Policy::global(&format!("policy-{number:03}"), &declared, Some(&matches));
    assert_eq!(policy.faults, [], "{declared:?}");
    Ok(policy)
}

/// Products with what was found of each before.
struct Mesh {
    products: Vec<(DataProduct, Precedents)>,
    standards: PlatformStandardsSpec,
}

impl Mesh {
    /// Judges every product once more; gives the number of policies that were evaluated, and that of violations.
    fn judge(&mut self, policies: &PolicySet) -> (u64, usize) {
        let mut counted = (0, 0);
        for (product, before) in &mut self.products {
            let judgement = policies.judge(&Input::of(product, &self.standards), before);
            counted.0 += judgement.evaluated;
            counted.1 += judgement.report.violations.len();
            *before = judgement.precedents;
        }
        counted
    }
}

#[test]
fn what_is_evaluated_in_a_large_mesh_is_what_has_changed_and_nothing_else() -> Result<()> {
    let policies = |edited: Option<usize>| {
        let policy = |number| policy(number, if edited == Some(number) { " at once" } else { "" });
        (0..POLICIES).map(policy).collect::<Result<PolicySet>>()
    };
    let first = policies(None)?;
    let products = (0..PRODUCTS).map(|number| (product(number), Precedents::default())).collect();
    let mut mesh = Mesh { products, standards: PlatformStandardsSpec::default() };
    // A policy of one domain judges a twentieth of the products, another one all of them.
    let narrow = POLICIES / NARROW;
    let all = (POLICIES - narrow) * PRODUCTS + narrow * (PRODUCTS / DOMAINS);
    let (evaluated, violations) = mesh.judge(&first);
    assert_eq!(evaluated, u64::try_from(all)?);
    assert_eq!(mesh.judge(&first), (0, violations), "nothing has changed, and the reports are the same");

    // The service levels of one product: the policies that read them, of those that judge the product.
    let number = 1321;
    mesh.products[number].0.spec.slo = serde_json::from_value(json!({"freshness": {"target": "1h"}}))?;
    let judges = |policy: &usize| !policy.is_multiple_of(NARROW) || policy / NARROW == number % DOMAINS;
    let readers =
        (0..POLICIES).filter(judges).filter(|policy| READ_SLO.contains(&(policy % RULES.len()))).count();
    let (evaluated, fewer) = mesh.judge(&first);
    assert_eq!(evaluated, u64::try_from(readers)?);
    assert!(fewer < violations);

    // A label: the policies that read labels.
    mesh.products[number].0.metadata.labels = Some(BTreeMap::from([("team".to_owned(), "data".to_owned())]));
    let readers = (0..POLICIES).filter(judges).filter(|policy| policy % RULES.len() == 5).count();
    assert_eq!(mesh.judge(&first).0, u64::try_from(readers)?);

    // A policy of all products, and one of a domain.
    assert_eq!(mesh.judge(&policies(Some(11))?).0, u64::try_from(PRODUCTS)?);
    assert_eq!(
        mesh.judge(&policies(Some(10))?).0,
        u64::try_from(PRODUCTS + PRODUCTS / DOMAINS)?,
        "11 as it was, and 10"
    );
    Ok(())
}
