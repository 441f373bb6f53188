//! The evaluation: every policy that matches a product, what it finds, and what may be taken from the time before.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::{
    Input, Policy, PolicySet, Report, RuleRef, Subject, Text, Violation,
    rule::{self, Needs},
    sight::{self, Seen},
    topic::{Mark, Marks},
};
use crate::{api::PlatformStandardsSpec, cel::Bindings};

/// What policies found of one product, by the state of the policy and of what it read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Precedents(BTreeMap<State, Vec<Violation>>);

/// The beginning of a hash of a policy and of what it read: few bytes, because there is one a product and policy.
type State = [u8; 16];

/// A report, what the next one may be taken from, and how much had to be done for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The report.
    pub report: Report,
    /// What the next judgement may take from this one.
    pub precedents: Precedents,
    /// Number of policies that were evaluated. The others read nothing that has changed.
    pub evaluated: u64,
}

impl PolicySet {
    /// Judges a product by every policy that matches it.
    pub fn evaluate(&self, input: &Input<'_>) -> Report {
        self.judge_after(input, None).report
    }

    /// Judges a product by every policy that matches it, and evaluates only those that read what has changed since.
    pub fn judge(&self, input: &Input<'_>, before: &Precedents) -> Judgement {
        self.judge_after(input, Some(before))
    }

    /// Judges a product. Where no precedents are given, none are made.
    fn judge_after(&self, input: &Input<'_>, before: Option<&Precedents>) -> Judgement {
        let subject = Subject::of(input.product);
        let (mut violations, mut not_evaluated, mut policies) =
            (Vec::<Violation>::new(), Vec::new(), Vec::new());
        let known = Needs::met_by(input);
        let mut marks = before.is_some().then(|| Marks::of(input));
        let mut precedents = Precedents::default();
        let (mut evaluated, mut rules) = (0, 0);
        // What expressions see is made when the first of them is evaluated, and then shared by all.
        let mut seen: Option<Result<Bindings<'static>, String>> = None;
        for policy in self.policies().filter(|policy| policy.judges(&subject)) {
            policies.push(Arc::clone(&policy.source));
            // What cannot be evaluated is not passed.
            not_evaluated.extend(policy.broken.iter().cloned());
            let skipped = policy.rules.iter().filter(|judge| !judge.can_judge(known));
            not_evaluated.extend(skipped.map(|judge| Arc::clone(&judge.rule.id)));
            rules += policy.rules.iter().filter(|judge| judge.can_judge(known)).count();
            let beside = before.zip(marks.as_mut());
            let state = beside.map(|(before, marks)| (before, state(policy, &marks.mark(&policy.reads))));
            let before = state.as_ref().and_then(|(before, state)| before.0.get(state));
            let first = violations.len();
            if let Some(found) = before {
                violations.extend_from_slice(found);
            } else {
                evaluated += 1;
                let written = policy.rules.iter().any(|judge| judge.is_written() && judge.can_judge(known));
                let seen =
                    written.then(|| seen.get_or_insert_with(|| sight::bindings(input, self.written())));
                policy.find(input, known, seen.as_deref(), &mut violations);
            }
            let found = violations.get_mut(first..).unwrap_or_default();
            if let Some((_, state)) = state {
                precedents.0.insert(state, found.to_vec());
            }
            let (state, deadline) = (policy.state_on(input.today), policy.deadline(input.today));
            for violation in found {
                violation.stands(state, deadline, input.exceptions);
            }
        }
        let report = Report::new(rules, strictest(violations), not_evaluated, policies, input.standards);
        Judgement { report, precedents, evaluated }
    }

    /// Hash of the policies and standards that a report comes from, as the status shows it.
    pub fn rule_set_hash(&self, report: &Report, standards: &PlatformStandardsSpec) -> String {
        let mut hash = rule::hasher(standards);
        let judging = self.policies().filter(|policy| report.policies.contains(&policy.source));
        judging.for_each(|policy| hash.update(policy.hash));
        rule::hex(hash)
    }
}

fn state(policy: &Policy, read: &Mark) -> State {
    let hash = Sha256::new().chain_update(policy.hash).chain_update(read).finalize();
    std::array::from_fn(|place| hash[place])
}

impl Policy {
    /// Adds what the rules find that can be evaluated.
    fn find(
        &self,
        input: &Input<'_>,
        known: Needs,
        seen: Option<&Result<Bindings<'static>, String>>,
        violations: &mut Vec<Violation>,
    ) {
        let seen =
            seen.map(|seen| seen.as_ref().map_err(Clone::clone).map(|seen| Seen::of(seen, &self.variables)));
        for judge in self.rules.iter().filter(|judge| judge.can_judge(known)) {
            judge.find(input, seen.as_ref(), violations);
        }
    }
}

/// What several policies say in the same words is one violation, as strict as the strictest of them says. What one policy
/// says twice it means twice.
fn strictest(violations: Vec<Violation>) -> Vec<Violation> {
    let Some(first) = violations.first() else { return violations };
    if violations.iter().all(|violation| Arc::ptr_eq(&violation.rule.policy, &first.rule.policy)) {
        return violations;
    }
    let mut sayers: BTreeMap<&str, &str> = BTreeMap::new();
    // Most rules are in one policy alone, so that nothing is said by two.
    let mut of_one = violations
        .iter()
        .map(|Violation { rule, .. }| *sayers.entry(&*rule.id).or_insert(&*rule.policy) == &*rule.policy);
    if of_one.all(|of_one| of_one) {
        return violations;
    }
    let mut said_before: BTreeMap<(Arc<str>, Arc<str>, Text, Text), usize> = BTreeMap::new();
    let mut kept: BTreeMap<(Arc<str>, Text, Text, usize), Violation> = BTreeMap::new();
    for violation in violations {
        let Violation { rule, path, message, .. } = &violation;
        let RuleRef { id, policy, .. } = &**rule;
        let before =
            said_before.entry((policy.clone(), id.clone(), path.clone(), message.clone())).or_default();
        *before += 1;
        match kept.entry((id.clone(), path.clone(), message.clone(), *before)) {
            Entry::Vacant(new) => {
                new.insert(violation);
            }
            Entry::Occupied(mut other) if violation.strictness() > other.get().strictness() => {
                other.insert(violation);
            }
            Entry::Occupied(_) => {}
        }
    }
    kept.into_values().collect()
}
