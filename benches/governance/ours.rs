//! The operator's own ways: the built-in rules, and the same written as expressions of one policy.

use dataproduct_operator::{
    api::{DataProduct, GovernancePolicy, PlatformStandardsSpec},
    governance::{Input, Policy, PolicySet, RULES, policies_of},
};

pub(crate) fn builtin() -> impl FnMut(&DataProduct) -> usize {
    judged_by(policies_of(&RULES[..7]))
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
