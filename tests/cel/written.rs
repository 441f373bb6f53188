//! The example policy: the first seven built-in rules as expressions.

use std::collections::BTreeSet;

use anyhow::Result;
use dataproduct_operator::{
    api::{GovernancePolicy, PlatformStandardsSpec},
    governance::{Input, Policy, PolicySet, RULES, policies_of},
};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use crate::any;

/// Products that both judge.
const PRODUCTS: u32 = 500;

#[test]
fn rules_that_are_written_find_the_products_that_the_built_in_ones_find() -> Result<()> {
    let example: GovernancePolicy = serde_saphyr::from_str(include_str!("seven-rules.yaml"))?;
    let policy = Policy::global("written", &example.spec.policy, None);
    assert_eq!(policy.faults, []);
    let written: PolicySet = [policy].into_iter().collect();
    let built_in = policies_of(&RULES[..7]);
    let standards = PlatformStandardsSpec::default();
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig { cases: PRODUCTS, failure_persistence: None, ..ProptestConfig::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    runner.run(&any::product(), |product| {
        let input = Input::of(&product, &standards);
        let broken = |policies: &PolicySet, prefix: &str| {
            let report = policies.evaluate(&input);
            let rules = report
                .violations
                .iter()
                .map(|violation| violation.rule.id.trim_start_matches(prefix).to_owned());
            rules.collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(broken(&written, "WRITTEN-"), broken(&built_in, ""));
        Ok(())
    })?;
    Ok(())
}
