//! A rule with its settings, built-in or written as an expression, and what it finds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Finding, Findings, Input, Need, RULES, Rule, RuleRef, Text, Violation,
    rule::Needs,
    sight::{self, Seen},
    topic::Topic,
};
use crate::{
    api::{CelRule, Enforcement, PolicyRule, status::Severity},
    cel::{Bindings, Declarations, Expression, Type, Value},
};

/// Longest value of a parameter, as the schema of policies has it.
const MAX_PARAMETER: u64 = 256;
/// Longest message that an expression may write.
const MAX_MESSAGE: usize = 1024;

/// A rule that is ready to judge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judge {
    pub(super) rule: Arc<RuleRef>,
    /// What the policy says of its severity.
    severity: Option<Severity>,
    remediation: Option<String>,
    /// What must be known. Where it is not, the rule is not evaluated.
    pub(super) needs: Needs,
    /// What it reads.
    pub(super) reads: BTreeSet<Topic>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Builtin { rule: &'static Rule, parameters: BTreeMap<String, String> },
    Written(Box<Written>),
}

/// A rule that is written as an expression.
#[derive(Debug, Clone, PartialEq)]
struct Written {
    expression: Expression,
    message: Option<String>,
    message_expression: Option<Expression>,
    path: String,
    parameters: BTreeMap<String, String>,
}

/// What the expressions of a policy may name beside what all may.
pub(super) struct Names<'a> {
    /// Type of each variable.
    pub(super) variables: &'a [(String, Expression)],
}

impl Names<'_> {
    /// What an expression of the policy may name.
    pub(super) fn declarations(&self, parameters: &BTreeMap<String, String>) -> Declarations {
        let variables =
            self.variables.iter().map(|(name, expression)| (name.as_str(), expression.type_.clone(), true));
        let text = |name| (name, Type::text(MAX_PARAMETER), true);
        sight::declarations()
            .clone()
            .with("variables", Type::object("variables", variables))
            .with("params", Type::object("params", parameters.keys().map(String::as_str).map(text)))
    }

    /// What is read by an expression, by itself and through the variables that it names.
    fn reads_of<'b>(&'b self, expression: &'b Expression) -> BTreeSet<&'b [String]> {
        let mut reads = BTreeSet::new();
        let mut open = vec![expression];
        let mut seen = BTreeSet::new();
        while let Some(expression) = open.pop() {
            for path in &expression.reads {
                reads.insert(path.as_slice());
                if path.first().is_none_or(|root| root != "variables") {
                    continue;
                }
                // Who reads the whole of them reads each.
                let named = |name: &String| path.get(1).is_none_or(|read| read == name);
                for (name, variable) in self.variables.iter().filter(|(name, _)| named(name)) {
                    if seen.insert(name) {
                        open.push(variable);
                    }
                }
            }
        }
        reads
    }
}

impl Judge {
    pub(super) fn compile(
        policy: &Arc<str>,
        declared: &PolicyRule,
        names: &Names<'_>,
    ) -> Result<Self, String> {
        let (kind, needs, reads) = match (&declared.cel, &declared.builtin) {
            (Some(_), Some(_)) => {
                return Err("a rule is built in or written; remove builtin or cel".to_owned());
            }
            (Some(cel), None) => written(cel, &declared.parameters, names)?,
            (None, builtin) => built_in(builtin.as_ref().unwrap_or(&declared.id), &declared.parameters)?,
        };
        Ok(Self {
            rule: Arc::new(RuleRef {
                id: declared.id.as_str().into(),
                policy: Arc::clone(policy),
                observed: needs.contains(Need::Observation),
            }),
            severity: declared.severity,
            remediation: declared.remediation.clone(),
            needs,
            reads,
            kind,
        })
    }

    /// What its evaluation costs at worst, where it is an expression.
    pub(super) fn cost(&self) -> u64 {
        match &self.kind {
            Kind::Builtin { .. } => 0,
            Kind::Written(written) => {
                let message = written.message_expression.as_ref().map_or(0, |expression| expression.cost);
                written.expression.cost.saturating_add(message)
            }
        }
    }

    /// Whether it is written as an expression.
    pub(super) const fn is_written(&self) -> bool {
        matches!(self.kind, Kind::Written(_))
    }

    /// How grave a breach is, unless the finding itself says otherwise.
    pub(super) fn usual_severity(&self) -> Severity {
        let own = match &self.kind {
            Kind::Builtin { rule, .. } => rule.severity,
            Kind::Written(_) => Severity::Error,
        };
        self.severity.unwrap_or(own)
    }

    /// The expression, the one of its message and the fixed message, where the rule is written.
    pub(super) fn written(&self) -> Option<(&Expression, Option<&Expression>, Option<&str>)> {
        match &self.kind {
            Kind::Builtin { .. } => None,
            Kind::Written(rule) => {
                Some((&rule.expression, rule.message_expression.as_ref(), rule.message.as_deref()))
            }
        }
    }

    /// Whether what is known suffices.
    pub(super) const fn can_judge(&self, known: Needs) -> bool {
        self.needs.is_within(known)
    }

    /// The violation that a finding is. How it stands is another matter, because that changes by the day.
    pub(super) fn violation(&self, finding: Finding) -> Violation {
        Violation {
            rule: Arc::clone(&self.rule),
            severity: finding.severity.unwrap_or_else(|| self.usual_severity()),
            state: Enforcement::Draft,
            deadline: None,
            exception: None,
            path: finding.path,
            message: finding.message,
            remediation: self.remediation.clone().map_or(finding.remediation, Text::from),
        }
    }

    /// Adds what it finds. `seen` is what the expressions of its policy see, or why they see nothing.
    pub(super) fn find(
        &self,
        input: &Input<'_>,
        seen: Option<&Result<Seen<'_>, String>>,
        violations: &mut Vec<Violation>,
    ) {
        let found = &mut Findings { judge: self, violations };
        match (&self.kind, seen) {
            (Kind::Builtin { rule, parameters }, _) if parameters.is_empty() => (rule.check)(input, found),
            (Kind::Builtin { rule, parameters }, _) => {
                (rule.check)(&Input { parameters: Some(parameters), ..*input }, found);
            }
            (Kind::Written(written), Some(Ok(seen))) => found.extend(written.finding(seen)),
            (Kind::Written(written), Some(Err(reason))) => found.push(written.failed(reason)),
            (Kind::Written(written), None) => found.push(written.failed("nothing is known of the product")),
        }
    }
}

type Compiled = (Kind, Needs, BTreeSet<Topic>);

fn built_in(name: &str, parameters: &BTreeMap<String, String>) -> Result<Compiled, String> {
    let rule = RULES.iter().find(|rule| rule.id == name).ok_or_else(|| {
        let ids = RULES.iter().map(|rule| rule.id).collect::<Vec<_>>().join(", ");
        format!("there is no built-in rule {name}; write cel, or one of the built-in rules {ids}")
    })?;
    for (name, value) in parameters {
        let known = rule.parameters.iter().find(|parameter| parameter.name == name);
        let names = || rule.parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
        let parameter = known.ok_or_else(|| match names() {
            names if names.is_empty() => format!("{} has no parameters; remove {name}", rule.id),
            names => format!("{} has no parameter {name}; its parameters are {names}", rule.id),
        })?;
        (parameter.check)(value).map_err(|error| {
            format!("parameter {name} of {}: {error}; write for example {}", rule.id, parameter.default)
        })?;
    }
    let reads = rule.reads.iter().map(|path| Topic::of_path(path)).collect();
    let kind = Kind::Builtin { rule, parameters: parameters.clone() };
    Ok((kind, rule.needs.into_iter().collect(), reads))
}

fn written(
    cel: &CelRule,
    parameters: &BTreeMap<String, String>,
    names: &Names<'_>,
) -> Result<Compiled, String> {
    let declared = names.declarations(parameters);
    let expression = Expression::compile(&cel.expression, &declared, &Type::Bool)
        .map_err(|fault| format!("expression {fault}"))?;
    let compile = |text: &String| {
        Expression::compile(text, &declared, &Type::text(0))
            .map_err(|fault| format!("messageExpression {fault}"))
    };
    let message_expression = cel.message_expression.as_ref().map(compile).transpose()?;
    if cel.message.is_none() && message_expression.is_none() {
        return Err(
            "a rule that is written says what is wrong: give it a message or a messageExpression".to_owned()
        );
    }
    let reads = std::iter::once(&expression)
        .chain(&message_expression)
        .flat_map(|expression| names.reads_of(expression));
    let reads = reads.collect::<BTreeSet<_>>();
    let needs = reads.iter().filter_map(|path| sight::need(path)).collect();
    let topics = reads.iter().filter_map(|path| Topic::of_read(path)).collect();
    let written = Written {
        expression,
        message: cel.message.clone(),
        message_expression,
        path: cel.path.clone().unwrap_or_else(|| "spec".to_owned()),
        parameters: parameters.clone(),
    };
    Ok((Kind::Written(Box::new(written)), needs, topics))
}

impl Written {
    fn finding(&self, seen: &Seen<'_>) -> Option<Finding> {
        let mut bindings = seen.bindings.scope();
        if !self.parameters.is_empty() {
            bindings.bind("params", Value::from_json(serde_json::json!(self.parameters)));
        }
        match self.expression.evaluate(&bindings).map(|value| value.as_bool()) {
            Ok(Some(true)) => None,
            Ok(Some(false)) => Some(self.broken(self.message(&bindings))),
            Ok(None) => Some(self.failed("it gives neither true nor false")),
            Err(reason) => Some(self.failed(&seen.reason(&self.expression, reason))),
        }
    }

    /// What is wrong: what the expression for it says, else the fixed text, else the rule itself.
    fn message(&self, seen: &Bindings<'_>) -> String {
        let said = self.message_expression.as_ref().and_then(|expression| expression.evaluate(seen).ok());
        let said = said.as_ref().and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let said = said.map(|text| text.chars().take(MAX_MESSAGE).collect::<String>());
        said.or_else(|| self.message.clone()).unwrap_or_else(|| format!("broken: {}", self.expression.source))
    }

    fn broken(&self, message: String) -> Finding {
        Finding::new(
            self.path.clone(),
            message,
            "Change the product so that the rule holds, or ask for an exception",
        )
    }

    /// A rule that cannot be evaluated is broken: it says nothing good of the product.
    fn failed(&self, reason: &str) -> Finding {
        Finding::new(
            self.path.clone(),
            format!("could not be evaluated: {reason}"),
            "Give the product what the rule reads, or ask the owner of the policy to guard the expression",
        )
    }
}

#[cfg(test)]
mod tests;
