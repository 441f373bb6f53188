//! Rules that policies write as expressions, as far as the API server knows what they name and call.

use std::collections::BTreeSet;

use jiff::civil::Date;
use k8s_openapi::api::admissionregistration::v1::{ValidatingAdmissionPolicySpec, Validation, Variable};
use kube::ResourceExt;

use super::{Action, Admission, Shape, literal, selection};
use crate::{
    api::{DataDomain, Enforcement, GovernancePolicy, status::Severity},
    cel::Expression,
    governance::{Policy, judge::Judge},
};

/// Functions of ours, and those that not every API server from 1.33 on has.
const NOT_THERE: [&str; 6] = ["percent", "period", "date", "distinct", "reverse", "sort"];
/// What the API server knows under the same name, beside variables.
const KNOWN: [&str; 2] = ["object", "oldObject"];

/// What the API server judges of the written rules of a policy.
pub(super) fn of_policy(
    declared: &GovernancePolicy,
    compiled: &Policy,
    domains: &[DataDomain],
    action: Action,
    today: Option<Date>,
) -> Option<Admission> {
    let matches = declared.spec.matches.clone().unwrap_or_default();
    if compiled.state_on(today) != Enforcement::Enforced || !selection::is_readable(&matches) {
        return None;
    }
    let asked = compiled
        .rules
        .iter()
        .filter(|judge| judge.usual_severity() == Severity::Error)
        .filter_map(|judge| Asked::of(judge, compiled));
    let asked = asked.collect::<Vec<_>>();
    if asked.is_empty() {
        return None;
    }
    let wanted = asked.iter().flat_map(|asked| &asked.variables).collect::<BTreeSet<_>>();
    let variables = compiled.variables.iter().filter(|(name, _)| wanted.contains(name));
    let variables = variables
        .map(|(name, variable)| Variable { name: name.clone(), expression: variable.source.clone() })
        .collect::<Vec<_>>();
    let shape = Shape { name: format!("{}-written", declared.name_any()), matches, domains, action };
    Some(shape.admission(ValidatingAdmissionPolicySpec {
        variables: (!variables.is_empty()).then_some(variables),
        validations: Some(asked.into_iter().map(|asked| asked.validation).collect()),
        ..ValidatingAdmissionPolicySpec::default()
    }))
}

/// What is asked because of one rule.
struct Asked {
    validation: Validation,
    /// The variables that it names, by themselves and through each other.
    variables: BTreeSet<String>,
}

impl Asked {
    /// Turns a rule into a question, where the API server knows all that it names and calls.
    fn of(judge: &Judge, policy: &Policy) -> Option<Self> {
        let (expression, message_expression, message) = judge.written()?;
        let mut variables = BTreeSet::new();
        if !is_known(expression, policy, &mut variables) {
            return None;
        }
        let reads_old =
            expression.reads.iter().any(|path| path.first().is_some_and(|root| root == "oldObject"));
        // Where nothing was before, the operator does not evaluate such a rule.
        let holds = if reads_old {
            format!("oldObject == null || ({})", expression.source)
        } else {
            expression.source.clone()
        };
        let mut of_message = BTreeSet::new();
        let message_expression =
            message_expression.filter(|expression| is_known(expression, policy, &mut of_message));
        if message_expression.is_some() {
            variables.extend(of_message);
        }
        let fixed = message
            .map_or_else(|| format!("broken: {}", expression.source.replace('\n', " ")), str::to_owned);
        let validation = Validation {
            expression: holds,
            message: Some(format!("[{}] {fixed}", judge.rule.id)),
            message_expression: message_expression
                .map(|said| format!("{} + ({})", literal(&format!("[{}] ", judge.rule.id)), said.source)),
            ..Validation::default()
        };
        Some(Self { validation, variables })
    }
}

/// Whether the API server knows all that an expression names and calls. The variables that it needs are noted.
fn is_known(expression: &Expression, policy: &Policy, variables: &mut BTreeSet<String>) -> bool {
    if NOT_THERE.iter().any(|function| expression.calls(function)) {
        return false;
    }
    expression.reads.iter().all(|path| match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["variables", name, ..] => {
            let variable = policy.variables.iter().find(|(known, _)| known == name);
            !variables.insert((*name).to_owned())
                || variable.is_some_and(|(_, variable)| is_known(variable, policy, variables))
        }
        [root, ..] => KNOWN.contains(root),
        [] => true,
    })
}
