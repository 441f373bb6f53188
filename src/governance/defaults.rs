//! The policies that come with the operator: every built-in rule, in the state in which its row of the catalogue stands.

use super::{Policy as Compiled, PolicySet, RULES, Rule};
use crate::api::{Enforcement, GovernancePolicy, GovernancePolicySpec, Policy, PolicyRule};

/// Number of the first rule of the second set, on whether a product is consistent and fits into the mesh.
const SECOND: usize = 20;

/// The policies, with what each is about.
pub fn defaults() -> Vec<(GovernancePolicy, &'static str)> {
    let numbered = || RULES.iter().enumerate();
    let policy = |name: &str, state, rules: Vec<&'static str>| {
        let rule = |id: &str| PolicyRule { id: id.to_owned(), ..PolicyRule::default() };
        let policy = Policy { state, rules: rules.into_iter().map(rule).collect(), ..Policy::default() };
        GovernancePolicy::new(name, GovernancePolicySpec { policy, matches: None })
    };
    let ids = |wanted: &dyn Fn(usize, Enforcement) -> bool| {
        numbered().filter(|(number, rule)| wanted(*number, rule.state)).map(|(_, rule)| rule.id).collect()
    };
    let enforced = |_: usize, state: Enforcement| state == Enforcement::Enforced;
    vec![
        (
            policy("core", Enforcement::Enforced, ids(&enforced)),
            "What a product cannot do without: without these it is not provisioned.",
        ),
        (
            policy(
                "standards",
                Enforcement::Grace,
                ids(&|number, state| number < SECOND && !enforced(number, state)),
            ),
            "Documentation, quality and the platform's standards.",
        ),
        (
            policy("consistency", Enforcement::Grace, ids(&|number, _| number >= SECOND)),
            "Whether a product agrees with itself, with what was observed of it and with the other products of the mesh.",
        ),
    ]
}

/// Some built-in rules, ready to judge, each in the state in which it comes.
pub fn policies_of(rules: &[Rule]) -> PolicySet {
    let policy = |rule: &Rule| {
        let rules = vec![PolicyRule { id: rule.id.to_owned(), ..PolicyRule::default() }];
        Compiled::global(rule.id, &Policy { state: rule.state, rules, ..Policy::default() }, None)
    };
    rules.iter().map(policy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_one_of_them_and_none_in_two() {
        let policies = defaults();
        let rules = policies.iter().flat_map(|(policy, _)| &policy.spec.policy.rules);
        let mut ids = rules.map(|rule| rule.id.as_str()).collect::<Vec<_>>();
        ids.sort_unstable();
        let mut all = RULES.iter().map(|rule| rule.id).collect::<Vec<_>>();
        all.sort_unstable();
        assert_eq!(ids, all);
        let core = policies[0].0.spec.policy.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>();
        assert_eq!(core, ["SCHEMA-001", "PRIVACY-001", "SLO-002", "SEC-001", "SEC-002"]);
    }
}
