//! Policies: which rules judge which products, how strictly, and with which settings.
//!
//! Policies are compiled once, when they change, and then only read. What is wrong with a rule is a fault of its policy:
//! it is told there, and the other rules go on.

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::civil::Date;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use sha2::{Digest, Sha256};

use super::{Finding, Input, Need, RULES, Report, Rule, Violation, rule};
use crate::api::{
    DataProduct, Enforcement, Policy as Declared, PolicyFault, PolicyMatch, PolicyRule, ProductMatch,
    product::{Classification, Lifecycle},
    status::Severity,
};

/// What a policy is chosen by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Domain of the product.
    pub domain: String,
    /// Its class, where it says one.
    pub classification: Option<Classification>,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A policy that is ready to judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Kind and name, for example `GovernancePolicy/core`.
    pub source: String,
    /// The rules that cannot be evaluated as they are written.
    pub faults: Vec<PolicyFault>,
    state: Enforcement,
    grace_until: Option<Date>,
    domains: Vec<String>,
    product: ProductMatch,
    rules: Vec<Judge>,
    /// Ids of the rules that cannot be evaluated.
    broken: Vec<String>,
    /// False for a policy of a namespace that belongs to no domain.
    bound: bool,
    hash: [u8; 32],
}

/// A rule with its settings.
#[derive(Debug, Clone, PartialEq)]
struct Judge {
    id: String,
    severity: Option<Severity>,
    rule: &'static Rule,
    parameters: BTreeMap<String, String>,
    remediation: Option<String>,
}

impl Subject {
    /// What policies choose a product by.
    pub fn of(product: &DataProduct) -> Self {
        Self {
            domain: product.spec.domain.clone(),
            classification: product.spec.access.as_ref().and_then(|access| access.classification),
            lifecycle: product.spec.lifecycle.unwrap_or_default(),
            labels: product.metadata.labels.clone().unwrap_or_default(),
        }
    }
}

impl Policy {
    /// Compiles a policy of the central group.
    pub fn global(name: &str, declared: &Declared, matches: Option<&PolicyMatch>) -> Self {
        let matches = matches.cloned().unwrap_or_default();
        Self::compile(format!("GovernancePolicy/{name}"), declared, matches, |_| None)
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
        let product = matches.cloned().unwrap_or_default();
        let matches = PolicyMatch { domains: domain.map(str::to_owned).into_iter().collect(), product };
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
        let policy = Self::compile(format!("DomainPolicy/{namespace}/{name}"), declared, matches, refused);
        Self { bound: domain.is_some(), ..policy }
    }

    fn compile(
        source: String,
        declared: &Declared,
        matches: PolicyMatch,
        refused: impl Fn(&PolicyRule) -> Option<String>,
    ) -> Self {
        let mut hash = Sha256::new();
        // Policies are plain data, so that their serialization cannot fail.
        hash.update(serde_json::to_vec(&(&source, declared, &matches)).unwrap_or_default());
        let (mut rules, mut faults, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        for rule in &declared.rules {
            match refused(rule).map_or_else(|| Judge::compile(rule), Err) {
                Ok(judge) => rules.push(judge),
                Err(message) => {
                    broken.push(rule.id.clone());
                    faults.push(PolicyFault { rule: rule.id.clone(), message });
                }
            }
        }
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
            rules,
            broken,
            bound: true,
            hash: hash.finalize().into(),
        }
    }

    /// Whether the policy judges a product.
    pub fn judges(&self, subject: &Subject) -> bool {
        let Self { domains, product: ProductMatch { classification, lifecycle, selector }, .. } = self;
        self.bound
            && (domains.is_empty() || domains.contains(&subject.domain))
            && (classification.is_empty()
                || subject.classification.is_some_and(|class| classification.contains(&class)))
            && (lifecycle.is_empty() || lifecycle.contains(&subject.lifecycle))
            && selector.as_ref().is_none_or(|selector| selects(selector, &subject.labels))
    }

    /// How strict the policy is on a day.
    fn state_on(&self, today: Option<Date>) -> Enforcement {
        match (self.state, self.grace_until, today) {
            (Enforcement::Grace, Some(until), Some(today)) if today > until => Enforcement::Enforced,
            (state, ..) => state,
        }
    }

    /// The first day on which the policy is enforced, where it is in grace on this one.
    fn deadline(&self, today: Option<Date>) -> Option<Date> {
        let until = self.grace_until.filter(|_| self.state_on(today) == Enforcement::Grace)?;
        until.tomorrow().ok()
    }
}

/// Whether labels are selected. A selector that cannot be read selects nothing.
fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    Selector::try_from(selector.clone()).is_ok_and(|selector| selector.matches(labels))
}

impl Judge {
    fn compile(declared: &PolicyRule) -> Result<Self, String> {
        let name = declared.builtin.as_ref().unwrap_or(&declared.id);
        let rule = RULES.iter().find(|rule| rule.id == name).ok_or_else(|| {
            let ids = RULES.iter().map(|rule| rule.id).collect::<Vec<_>>().join(", ");
            format!("there is no built-in rule {name}; the built-in rules are {ids}")
        })?;
        for (name, value) in &declared.parameters {
            let known = rule.parameters.iter().find(|parameter| parameter.name == name);
            let names =
                || rule.parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
            let parameter = known.ok_or_else(|| match names() {
                names if names.is_empty() => format!("{} has no parameters; remove {name}", rule.id),
                names => format!("{} has no parameter {name}; its parameters are {names}", rule.id),
            })?;
            (parameter.check)(value).map_err(|error| {
                format!("parameter {name} of {}: {error}; write for example {}", rule.id, parameter.default)
            })?;
        }
        Ok(Self {
            id: declared.id.clone(),
            severity: declared.severity,
            rule,
            parameters: declared.parameters.clone(),
            remediation: declared.remediation.clone(),
        })
    }

    fn findings(&self, input: &Input<'_>) -> Vec<Finding> {
        (self.rule.check)(&Input { parameters: Some(&self.parameters), ..*input })
    }
}

/// The policies of a mesh.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicySet(Vec<Policy>);

impl FromIterator<Policy> for PolicySet {
    fn from_iter<T: IntoIterator<Item = Policy>>(policies: T) -> Self {
        let mut policies = policies.into_iter().collect::<Vec<_>>();
        policies.sort_by(|a, b| a.source.cmp(&b.source));
        Self(policies)
    }
}

impl PolicySet {
    /// Every policy, sorted.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.0.iter()
    }

    /// Whether there is none, so that nothing can be judged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Judges a product by every policy that matches it.
    pub fn evaluate(&self, input: &Input<'_>) -> Report {
        let subject = Subject::of(input.product);
        let (mut violations, mut not_evaluated, mut policies) = (Vec::new(), Vec::new(), Vec::new());
        let mut hash = rule::hasher(input.standards);
        for policy in self.0.iter().filter(|policy| policy.judges(&subject)) {
            hash.update(policy.hash);
            policies.push(policy.source.clone());
            // What cannot be evaluated is not passed.
            not_evaluated.extend(policy.broken.iter().cloned());
            for judge in &policy.rules {
                if judge.rule.needs.is_some_and(|need| !need.is_met(input)) {
                    not_evaluated.push(judge.id.clone());
                } else {
                    let found = judge.findings(input).into_iter();
                    violations.extend(found.map(|finding| policy.violation(judge, finding, input)));
                }
            }
        }
        Report::new(strictest(violations), not_evaluated, policies, input.standards, rule::hex(hash))
    }
}

impl Policy {
    fn violation(&self, judge: &Judge, finding: Finding, input: &Input<'_>) -> Violation {
        let today = input.today;
        // Of several exceptions the one that lasts longest counts.
        let exceptions = input.exceptions.iter().filter(|exception| exception.rules.contains(&judge.id));
        let exception = exceptions.max_by_key(|exception| exception.expires);
        let state = match (self.state_on(today), judge.rule.needs) {
            // An error that stops change would stop the very correction that mends it.
            (Enforcement::Enforced, Some(Need::Observation)) => Enforcement::Grace,
            (state, _) => state,
        };
        let deadline = self.deadline(today).filter(|_| judge.rule.needs != Some(Need::Observation));
        Violation {
            id: judge.id.clone(),
            severity: finding.severity.or(judge.severity).unwrap_or(judge.rule.severity),
            state,
            deadline,
            policy: self.source.clone(),
            exception: exception.map(|exception| (exception.name.clone(), exception.expires)),
            path: finding.path,
            message: finding.message,
            remediation: judge.remediation.clone().unwrap_or(finding.remediation),
        }
    }
}

/// What several policies say in the same words is one violation, as strict as the strictest of them says. What one policy
/// says twice it means twice.
fn strictest(violations: Vec<Violation>) -> Vec<Violation> {
    let mut said_before: BTreeMap<(String, String, String, String), usize> = BTreeMap::new();
    let mut kept: BTreeMap<(String, String, String, usize), Violation> = BTreeMap::new();
    for violation in violations {
        let Violation { id, path, message, policy, .. } = &violation;
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

#[cfg(test)]
mod tests;
