//! The operator's own ways: the built-in rules, and the same written as expressions of one policy.

use dataproduct_operator::{
    api::{self, DataProduct, GovernancePolicy, PlatformStandardsSpec, PolicyRule},
    governance::{Input, Policy, PolicySet, RULES},
};

pub(crate) fn builtin() -> impl FnMut(&DataProduct) -> usize {
    let rules = RULES[..7].iter().map(|rule| PolicyRule { id: rule.id.to_owned(), ..PolicyRule::default() });
    let declared = api::Policy { rules: rules.collect(), ..api::Policy::default() };
    judged_by([Policy::global("built-in", &declared, None)].into_iter().collect())
}

pub(crate) fn written() -> impl FnMut(&DataProduct) -> usize {
    let policy: GovernancePolicy =
        serde_saphyr::from_str(include_str!("../../tests/cel/seven-rules.yaml")).expect("an example");
    let policy = Policy::global("written", &policy.spec.policy, None);
    assert_eq!(policy.faults, []);
    judged_by([policy].into_iter().collect())
}

fn judged_by(policies: PolicySet) -> impl FnMut(&DataProduct) -> usize {
    let standards = PlatformStandardsSpec::default();
    move |product| policies.evaluate(&Input::of(product, &standards)).violations.len()
}
