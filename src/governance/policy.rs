//! Policies: which rules judge which products, how strictly, and with which settings.
//!
//! Policies are compiled once, when they change, and then only read. What is wrong with a rule is a fault of its policy:
//! it is told there, and the other rules go on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use sha2::{Digest, Sha256};

use super::{
    RULES,
    judge::{Judge, Names},
    topic::Topic,
};
use crate::{
    api::{
        DataProduct, Enforcement, Policy as Declared, PolicyFault, PolicyMatch, PolicyRule, ProductMatch,
        product::{Classification, Lifecycle},
    },
    cel::Expression,
};

/// What the expressions of one policy may cost together at worst.
pub const MAX_POLICY_COST: u64 = 10 * crate::cel::MAX_COST;

/// What a policy is chosen by.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Domain of the product.
    pub domain: &'a str,
    /// Its class, where it says one.
    pub classification: Option<Classification>,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
}

/// A policy that is ready to judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Kind and name, for example `GovernancePolicy/core`.
    pub source: Arc<str>,
    /// The rules that cannot be evaluated as they are written.
    pub faults: Vec<PolicyFault>,
    state: Enforcement,
    grace_until: Option<Date>,
    domains: Vec<String>,
    product: ProductMatch,
    /// Values that its expressions share, each of which may use those before it.
    pub(super) variables: Vec<(String, Expression)>,
    pub(super) rules: Vec<Judge>,
    /// What its rules read.
    pub(super) reads: BTreeSet<Topic>,
    /// What its expressions may cost at worst.
    cost: u64,
    /// Ids of the rules that cannot be evaluated.
    pub(super) broken: Vec<Arc<str>>,
    /// False for a policy of a namespace that belongs to no domain.
    bound: bool,
    pub(super) hash: [u8; 32],
}

/// The labels of what has none.
static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> Subject<'a> {
    /// What policies choose a product by.
    pub fn of(product: &'a DataProduct) -> Self {
        Self {
            domain: &product.spec.domain,
            classification: product.spec.access.as_ref().and_then(|access| access.classification),
            lifecycle: product.spec.lifecycle.unwrap_or_default(),
            labels: product.metadata.labels.as_ref().unwrap_or(&NO_LABELS),
        }
    }
}

impl Policy {
    /// Compiles a policy of the central group.
    pub fn global(name: &str, declared: &Declared, matches: Option<&PolicyMatch>) -> Self {
        let matches = matches.cloned().unwrap_or_default();
        Self::compile(global_source(name), declared, matches, |_| None)
    }

    /// Compiles a policy of a domain, which judges the products of that domain alone. `domain` is the one that the
    /// policy's namespace belongs to; where it belongs to none, the policy judges nothing.
    pub fn of_domain(
        namespace: &str,
        name: &str,
        domain: Option<&str>,
        declared: &Declared,
        matches: Option<&ProductMatch>,
    ) -> Self {
        let matches = domain_match(domain, matches);
        let prefix = domain.map(|domain| format!("{}-", domain.to_uppercase()));
        let refused = |rule: &PolicyRule| match &prefix {
            None => {
                Some(format!("namespace {namespace} belongs to no domain; ask the platform team to bind it"))
            }
            Some(prefix) if !rule.id.starts_with(prefix.as_str()) => Some(format!(
                "the id of a rule of this domain begins with {prefix}; call it for example {prefix}001"
            )),
            // A domain may be called sec; its rules are not to be taken for those of everybody.
            Some(_) if RULES.iter().any(|known| known.id == rule.id) => {
                Some(format!("{} is a built-in rule; give the rule another number", rule.id))
            }
            Some(_) => None,
        };
        let policy = Self::compile(domain_source(namespace, name), declared, matches, refused);
        Self { bound: domain.is_some(), ..policy }
    }

    fn compile(
        source: String,
        declared: &Declared,
        matches: PolicyMatch,
        refused: impl Fn(&PolicyRule) -> Option<String>,
    ) -> Self {
        let hash = hash(&source, declared, &matches);
        let source: Arc<str> = source.into();
        let (variables, mut faults) = variables(declared);
        let (mut rules, mut broken) = (Vec::new(), Vec::new());
        let mut cost = variables.iter().fold(0_u64, |cost, (_, variable)| cost.saturating_add(variable.cost));
        for rule in &declared.rules {
            let names = Names { variables: &variables };
            let judge = refused(rule).map_or_else(|| Judge::compile(&source, rule, &names), Err);
            let with_it = judge.as_ref().map_or(cost, |judge| cost.saturating_add(judge.cost()));
            match judge {
                Ok(judge) if with_it <= MAX_POLICY_COST => {
                    cost = with_it;
                    rules.push(judge);
                }
                refused => {
                    let message = refused.err().unwrap_or_else(|| too_costly(with_it));
                    broken.push(rule.id.as_str().into());
                    faults.push(PolicyFault { rule: rule.id.clone(), message });
                }
            }
        }
        // The gravest first, as reports tell them, so that there is little left to sort.
        rules.sort_by_key(Judge::usual_severity);
        let grace_until = declared.grace_until.as_ref().map(|text| text.parse::<Date>());
        if let Some(Err(error)) = &grace_until {
            let message = format!("graceUntil is no day like 2027-06-30: {error}; until it is, grace lasts");
            faults.push(PolicyFault { rule: "graceUntil".to_owned(), message });
        }
        Self {
            source,
            faults,
            state: declared.state,
            grace_until: grace_until.and_then(Result::ok),
            domains: matches.domains,
            product: matches.product,
            variables,
            reads: rules.iter().flat_map(|judge| judge.reads.iter().cloned()).collect(),
            rules,
            cost,
            broken,
            bound: true,
            hash,
        }
    }

    /// Ids of the rules that can be evaluated.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|judge| &*judge.rule.id)
    }

    /// Whether the policy judges a product.
    pub fn judges(&self, subject: &Subject<'_>) -> bool {
        let Self { domains, product: ProductMatch { classification, lifecycle, selector }, .. } = self;
        self.bound
            && (domains.is_empty() || domains.iter().any(|domain| domain == subject.domain))
            && (classification.is_empty()
                || subject.classification.is_some_and(|class| classification.contains(&class)))
            && (lifecycle.is_empty() || lifecycle.contains(&subject.lifecycle))
            && selector.as_ref().is_none_or(|selector| selects(selector, subject.labels))
    }

    /// How strict the policy is on a day.
    pub(super) fn state_on(&self, today: Option<Date>) -> Enforcement {
        match (self.state, self.grace_until, today) {
            (Enforcement::Grace, Some(until), Some(today)) if today > until => Enforcement::Enforced,
            (state, ..) => state,
        }
    }

    /// The first day on which the policy is enforced, where it is in grace on this one.
    pub(super) fn deadline(&self, today: Option<Date>) -> Option<Date> {
        let until = self.grace_until.filter(|_| self.state_on(today) == Enforcement::Grace)?;
        until.tomorrow().ok()
    }
}

fn global_source(name: &str) -> String {
    format!("GovernancePolicy/{name}")
}

fn domain_source(namespace: &str, name: &str) -> String {
    format!("DomainPolicy/{namespace}/{name}")
}

/// The products of a domain, and of these those that its policy selects.
fn domain_match(domain: Option<&str>, matches: Option<&ProductMatch>) -> PolicyMatch {
    let product = matches.cloned().unwrap_or_default();
    PolicyMatch { domains: domain.map(str::to_owned).into_iter().collect(), product }
}

/// What tells one state of a policy from another.
fn hash(source: &str, declared: &Declared, matches: &PolicyMatch) -> [u8; 32] {
    // Policies are plain data, so that their serialization cannot fail.
    Sha256::digest(serde_json::to_vec(&(source, declared, matches)).unwrap_or_default()).into()
}

/// The variables of a policy that can be evaluated, and what is wrong with the others.
fn variables(declared: &Declared) -> (Vec<(String, Expression)>, Vec<PolicyFault>) {
    let (mut variables, mut faults) = (Vec::new(), Vec::new());
    for variable in &declared.variables {
        let names = Names { variables: &variables };
        match Expression::of_any_type(&variable.expression, &names.declarations(&BTreeMap::new())) {
            Ok(expression) => variables.push((variable.name.clone(), expression)),
            Err(fault) => faults.push(PolicyFault {
                rule: format!("variables.{}", variable.name),
                message: format!("expression {fault}"),
            }),
        }
    }
    (variables, faults)
}

fn too_costly(cost: u64) -> String {
    format!(
        "with this rule the expressions of the policy may cost {cost} at worst; together at most {MAX_POLICY_COST} is \
         allowed; move rules into another policy, or make them cheaper"
    )
}

/// Whether labels are selected. A selector that cannot be read selects nothing.
fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    Selector::try_from(selector.clone()).is_ok_and(|selector| selector.matches(labels))
}

/// The policies of a mesh.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicySet {
    policies: Vec<Arc<Policy>>,
    /// What the policies read that have an expression.
    written: BTreeSet<Topic>,
}

impl FromIterator<Policy> for PolicySet {
    fn from_iter<T: IntoIterator<Item = Policy>>(policies: T) -> Self {
        policies.into_iter().map(Arc::new).collect()
    }
}

impl FromIterator<Arc<Policy>> for PolicySet {
    fn from_iter<T: IntoIterator<Item = Arc<Policy>>>(policies: T) -> Self {
        let mut policies = policies.into_iter().collect::<Vec<_>>();
        policies.sort_by(|a, b| a.source.cmp(&b.source));
        let written = policies.iter().filter(|policy| policy.rules.iter().any(Judge::is_written));
        let written = written.flat_map(|policy| policy.reads.iter().cloned()).collect();
        Self { policies, written }
    }
}

impl PolicySet {
    /// Every policy, sorted.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.iter()
    }

    pub(super) const fn written(&self) -> &BTreeSet<Topic> {
        &self.written
    }

    /// A policy of the central group: this set's, where it is the same, else compiled anew.
    pub fn global(&self, name: &str, declared: &Declared, matches: Option<&PolicyMatch>) -> Arc<Policy> {
        let known = self.known(hash(&global_source(name), declared, &matches.cloned().unwrap_or_default()));
        known.unwrap_or_else(|| Arc::new(Policy::global(name, declared, matches)))
    }

    /// A policy of a domain: this set's, where it is the same, else compiled anew.
    pub fn of_domain(
        &self,
        namespace: &str,
        name: &str,
        domain: Option<&str>,
        declared: &Declared,
        matches: Option<&ProductMatch>,
    ) -> Arc<Policy> {
        let hash = hash(&domain_source(namespace, name), declared, &domain_match(domain, matches));
        let compile = || Arc::new(Policy::of_domain(namespace, name, domain, declared, matches));
        self.known(hash).unwrap_or_else(compile)
    }

    fn known(&self, hash: [u8; 32]) -> Option<Arc<Policy>> {
        self.policies.iter().find(|policy| policy.hash == hash).cloned()
    }

    /// What the evaluation of the expressions of every policy that judges a product may cost at worst.
    pub fn cost(&self, subject: &Subject<'_>) -> u64 {
        let judging = self.policies.iter().filter(|policy| policy.cost > 0 && policy.judges(subject));
        judging.fold(0, |cost, policy| cost.saturating_add(policy.cost))
    }

    /// Whether there is none, so that nothing can be judged.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }
}

#[cfg(test)]
mod tests;
