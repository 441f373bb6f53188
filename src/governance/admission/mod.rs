//! What the API server itself can judge: policies as `ValidatingAdmissionPolicy` objects.
//!
//! Whoever applies a product that breaks an enforced rule reads so at once, in the words of the report. Safety never depends
//! on it: what the API server cannot judge, or is not asked to, the operator still does.

mod expressions;
mod selection;
mod written;

use std::collections::BTreeSet;

use jiff::civil::Date;
use k8s_openapi::{
    api::admissionregistration::v1::{
        MatchResources, NamedRuleWithOperations, ParamKind, ParamRef, ValidatingAdmissionPolicy,
        ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec,
        ValidatingAdmissionPolicySpec, Validation, Variable,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::ResourceExt;

use self::expressions::{EXPRESSED, Expressed, NOT_EXPRESSED, Part, VARIABLES};
use super::{PORT_TYPES, Policy, PortKind, RULES, Rule, Violation, standards::ACCOUNT_PATH};
use crate::api::{
    DataDomain, Enforcement, FIELD_MANAGER, FORMAT_JUSTIFICATION, GROUP, GovernancePolicy, PolicyMatch,
    PolicyRule, STANDARDS_NAME, status::Severity,
};

/// What the API server does about a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It lets the product in and tells whoever applies it.
    Warn,
    /// It refuses the product.
    Deny,
    /// It warns, and notes the breach in the audit log.
    Audit,
}

/// A policy as the API server reads it, and what puts it into effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// What is asked.
    pub policy: ValidatingAdmissionPolicy,
    /// What is done about a breach.
    pub binding: ValidatingAdmissionPolicyBinding,
}

/// The enforced errors of policies as far as the API server can judge them. A policy of which it can judge nothing gives
/// nothing. Where domains are given, `Deny` is for the products of those that are enforced.
pub fn admission(
    policies: &[GovernancePolicy],
    domains: &[DataDomain],
    action: Action,
    today: Option<Date>,
) -> Vec<Admission> {
    let of = |policy: &GovernancePolicy| {
        let spec = &policy.spec;
        let compiled = Policy::global(&policy.name_any(), &spec.policy, spec.matches.as_ref());
        let built_in = of_policy(policy, &compiled, domains, action, today);
        built_in.into_iter().chain(written::of_policy(policy, &compiled, domains, action, today))
    };
    policies.iter().flat_map(of).collect()
}

/// Whether the API server can judge a built-in rule.
pub fn is_expressed(id: &str) -> bool {
    EXPRESSED.iter().any(|rule| rule.id == id)
}

/// Whether the API server tells of an enforced error by itself, once it has the policies.
pub fn is_told_by_the_api_server(violation: &Violation) -> bool {
    let is_global = violation.rule.policy.starts_with("GovernancePolicy/");
    // Of this rule it cannot judge the part on accounts.
    is_global && is_expressed(&violation.rule.id) && violation.path != ACCOUNT_PATH
}

/// Why the API server cannot judge a built-in rule.
pub fn why_not_expressed(id: &str) -> Option<&'static str> {
    NOT_EXPRESSED.iter().find(|(rule, _)| *rule == id).map(|(_, why)| *why)
}

fn of_policy(
    policy: &GovernancePolicy,
    compiled: &Policy,
    domains: &[DataDomain],
    action: Action,
    today: Option<Date>,
) -> Option<Admission> {
    let (name, spec) = (policy.name_any(), &policy.spec);
    if compiled.state_on(today) != Enforcement::Enforced {
        return None;
    }
    let garbled: BTreeSet<_> = compiled.faults.iter().map(|fault| fault.rule.as_str()).collect();
    let rules = spec.policy.rules.iter().filter(|rule| !garbled.contains(rule.id.as_str()));
    let asked = rules.map(Asked::of).collect::<Vec<_>>();
    let validations = asked.iter().flat_map(|asked| asked.validations.clone()).collect::<Vec<_>>();
    let found = asked.into_iter().flat_map(|asked| asked.found).collect::<Vec<_>>();
    let matches = spec.matches.clone().unwrap_or_default();
    if validations.is_empty() || !selection::is_readable(&matches) {
        return None;
    }
    let variables = used(&validations, found);
    let reads_standards = variables.iter().any(|variable| variable.expression.contains("params."));
    let shape = Shape { name, matches, domains, action };
    Some(shape.admission(ValidatingAdmissionPolicySpec {
        param_kind: reads_standards.then(|| ParamKind {
            api_version: Some(format!("{GROUP}/v1")),
            kind: Some("PlatformStandards".to_owned()),
        }),
        variables: (!variables.is_empty()).then_some(variables),
        validations: Some(validations),
        ..ValidatingAdmissionPolicySpec::default()
    }))
}

/// What all policies of the API server have in common.
struct Shape<'a> {
    /// Its name, without the group.
    name: String,
    /// Which products it is about.
    matches: PolicyMatch,
    domains: &'a [DataDomain],
    action: Action,
}

impl Shape<'_> {
    /// A policy that asks what it is given, and what puts it into effect.
    fn admission(self, asked: ValidatingAdmissionPolicySpec) -> Admission {
        let Self { name, matches, domains, action } = self;
        let reads_standards = asked.param_kind.is_some();
        let metadata = ObjectMeta {
            name: Some(format!("{name}.{GROUP}")),
            // By it those of policies are found that are not enforced any more.
            labels: Some([("app.kubernetes.io/part-of".to_owned(), FIELD_MANAGER.to_owned())].into()),
            ..ObjectMeta::default()
        };
        let conditions = selection::conditions(&matches, domains, action);
        let policy = ValidatingAdmissionPolicy {
            metadata: metadata.clone(),
            spec: Some(ValidatingAdmissionPolicySpec {
                // An API server that cannot judge lets in: the operator judges anyway.
                failure_policy: Some("Ignore".to_owned()),
                match_constraints: Some(MatchResources {
                    resource_rules: Some(vec![products()]),
                    object_selector: matches.product.selector,
                    ..MatchResources::default()
                }),
                match_conditions: Some(conditions),
                ..asked
            }),
            ..ValidatingAdmissionPolicy::default()
        };
        let binding = ValidatingAdmissionPolicyBinding {
            metadata,
            spec: Some(ValidatingAdmissionPolicyBindingSpec {
                policy_name: policy.metadata.name.clone(),
                // Without standards nothing is judged, here as in the operator.
                param_ref: reads_standards.then(|| ParamRef {
                    name: Some(STANDARDS_NAME.to_owned()),
                    parameter_not_found_action: Some("Allow".to_owned()),
                    ..ParamRef::default()
                }),
                validation_actions: Some(action.words()),
                ..ValidatingAdmissionPolicyBindingSpec::default()
            }),
        };
        Admission { policy, binding }
    }
}

impl Action {
    fn words(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Warn => &["Warn"],
            Self::Deny => &["Deny"],
            Self::Audit => &["Warn", "Audit"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }
}

/// Products that are made or changed. Their status is another resource.
fn products() -> NamedRuleWithOperations {
    let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    NamedRuleWithOperations {
        api_groups: words(&[GROUP]),
        api_versions: words(&["v1"]),
        operations: words(&["CREATE", "UPDATE"]),
        resources: words(&["dataproducts"]),
        scope: Some("Namespaced".to_owned()),
        ..NamedRuleWithOperations::default()
    }
}

/// What is asked of a product because of one rule of a policy.
#[derive(Debug, Default)]
struct Asked {
    validations: Vec<Validation>,
    /// The breaches of the rule, where there can be several.
    found: Vec<Variable>,
}

impl Asked {
    /// Turns a rule into questions. A rule that is no error, or that the API server cannot judge, asks nothing.
    fn of(declared: &PolicyRule) -> Self {
        if declared.cel.is_some() {
            return Self::default();
        }
        let name = declared.builtin.as_ref().unwrap_or(&declared.id);
        let rule = RULES.iter().find(|rule| rule.id == name);
        let expressed = EXPRESSED.iter().find(|rule| rule.id == name);
        let (Some(rule), Some(expressed)) = (rule, expressed) else { return Self::default() };
        let severity = declared.severity.unwrap_or(rule.severity);
        if severity == Severity::Error || expressed.always_error {
            Self::of_builtin(declared, rule, expressed)
        } else {
            Self::default()
        }
    }

    fn of_builtin(declared: &PolicyRule, rule: &Rule, expressed: &Expressed) -> Self {
        let id = &declared.id;
        let parameters = rule.parameters.iter().map(|parameter| {
            let value = declared.parameters.get(parameter.name).map_or(parameter.default, String::as_str);
            (format!("@{}", parameter.name), literal(value))
        });
        let parameters = parameters.collect::<Vec<_>>();
        let filled = |text: &str| {
            parameters.iter().fold(fill(text), |text, (name, value)| text.replace(name.as_str(), value))
        };
        let mut asked = Self::default();
        for part in expressed.parts {
            let (expression, message, more) = match part {
                Part::Whole { holds, message } => (filled(holds), filled(message), None),
                Part::Each { broken, message } => {
                    let name = format!("found_{}", id.to_lowercase().replace('-', "_"));
                    let found = format!("variables.{name}");
                    asked.found.push(Variable { expression: filled(broken), name });
                    let more = format!(
                        "(size({found}) > 1 ? \" (and \" + string(size({found}) - 1) + \" more)\" : \"\")"
                    );
                    let message = filled(message).replace('$', &format!("{found}[0]"));
                    (format!("size({found}) == 0"), message, Some(more))
                }
            };
            let message = format!("[{id}] {message}");
            let is_fixed = more.is_none() && !message.contains('{');
            asked.validations.push(Validation {
                expression,
                // Where the expression of the message fails, or its value has a line break, this is said in its place.
                message: Some(if is_fixed { message.clone() } else { format!("[{id}] {}", rule.title) }),
                message_expression: (!is_fixed).then(|| concatenated(&message, more)),
                ..Validation::default()
            });
        }
        asked
    }
}

/// Puts what is known here in the place of its name.
fn fill(text: &str) -> String {
    let types =
        |kind: PortKind| list(PORT_TYPES.iter().filter(|(_, of)| *of == kind).map(|(type_, _)| *type_));
    text.replace("@apis", &types(PortKind::Api))
        .replace("@streams", &types(PortKind::Stream))
        .replace("@justification", &literal(FORMAT_JUSTIFICATION))
}

/// A message with expressions in braces as one expression.
fn concatenated(message: &str, more: Option<String>) -> String {
    let parts = message.split('{').enumerate().flat_map(|(number, part)| {
        let (expression, text) = part.split_once('}').filter(|_| number > 0).unwrap_or(("", part));
        let expression = (!expression.is_empty()).then(|| {
            if expression.contains('?') { format!("({expression})") } else { expression.to_owned() }
        });
        expression.into_iter().chain((!text.is_empty()).then(|| literal(text)))
    });
    parts.chain(more).collect::<Vec<_>>().join(" + ")
}

/// The variables that validations use, each after those that it uses itself.
fn used(validations: &[Validation], found: Vec<Variable>) -> Vec<Variable> {
    let shared = VARIABLES
        .iter()
        .map(|(name, expression)| Variable { name: (*name).to_owned(), expression: fill(expression) });
    let all = shared.chain(found).collect::<Vec<_>>();
    let names = |text: &str| {
        let words = text.split("variables.").skip(1);
        let end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        words.map(|word| word.split(end).next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let texts = validations.iter().flat_map(|validation| {
        [Some(&validation.expression), validation.message_expression.as_ref()].into_iter().flatten()
    });
    let mut wanted: BTreeSet<String> = texts.flat_map(|text| names(text)).collect();
    let mut used = Vec::new();
    // Backwards, because each stands after those that it uses.
    for variable in all.into_iter().rev() {
        if wanted.contains(&variable.name) {
            wanted.extend(names(&variable.expression));
            used.push(variable);
        }
    }
    used.reverse();
    used
}

/// A text as a literal. What JSON escapes is escaped in the same way.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Words as a literal.
fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", words.map(literal).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
