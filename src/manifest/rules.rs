//! The rules that the definitions write in CEL, evaluated as the API server does when an object is created.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::{
    Fault, Node, RULE,
    expression::{Expression, Subject, mentions_old_self},
    limits::MAX_FAULTS,
    node::Value,
    place::{entry_place, item_place, place},
    schema::{additional, items, property},
};

/// The rules of a schema and of what is within it; branches without rules are left out.
#[derive(Debug, Default)]
pub(super) struct Rules {
    here: Vec<Rule>,
    properties: BTreeMap<String, Rules>,
    /// Of the items of a list or of the values of a mapping whose keys are free.
    each: Option<Box<Rules>>,
}

#[derive(Debug)]
struct Rule {
    /// The expression, or why it cannot be evaluated.
    expression: Result<Expression, String>,
    text: String,
    message: Option<String>,
    /// The field below the value that the rule is about: the one that it names, else the only one that it reads.
    field: Option<String>,
}

impl Rules {
    /// Compiles the rules of a schema. Those on changes are left out: a file has nothing that changes.
    pub(super) fn of(schema: &JSONSchemaProps) -> Self {
        let rules = schema.x_kubernetes_validations.iter().flatten().filter_map(|rule| {
            let optional = rule.optional_old_self == Some(true);
            (optional || !mentions_old_self(&rule.rule)).then(|| Rule {
                expression: Expression::compile(&rule.rule, schema),
                text: rule.rule.clone(),
                message: rule.message.clone(),
                field: rule.field_path.clone().or_else(|| only_field(&rule.rule)),
            })
        });
        let within = schema.properties.iter().flatten().map(|(name, part)| (name.clone(), Self::of(part)));
        let each = items(schema).or(additional(schema)).map(Self::of).filter(|rules| !rules.is_empty());
        Self {
            here: rules.collect(),
            properties: within.filter(|(_, rules)| !rules.is_empty()).collect(),
            each: each.map(Box::new),
        }
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.properties.is_empty() && self.each.is_none()
    }

    /// The rules that an object breaks. Where the schema found something wrong within a value, its rules are not asked:
    /// they rely on what the schema promises.
    pub(super) fn broken(
        &self,
        schema: &JSONSchemaProps,
        object: &Node,
        at: &Range<usize>,
        wrong: &[Fault],
        kind: &str,
    ) -> Vec<Fault> {
        let wrong = wrong.iter().map(|fault| fault.path.as_str()).collect();
        let mut walk = Walk { kind, wrong, faults: Vec::new() };
        self.walk(schema, object, "", at, &mut walk);
        walk.faults
    }

    fn walk(
        &self,
        schema: &JSONSchemaProps,
        node: &Node,
        path: &str,
        at: &Range<usize>,
        walk: &mut Walk<'_>,
    ) {
        if node.value == Value::Null || walk.faults.len() > MAX_FAULTS {
            return;
        }
        if !self.here.is_empty() && !walk.is_wrong_within(path) {
            let this = Subject::new(schema, node, path.is_empty());
            let kind = walk.kind;
            walk.faults
                .extend(self.here.iter().filter_map(|rule| rule.broken(&this, node, (kind, path), at)));
        }
        for entry in node.entries() {
            let rules = self.properties.get(&entry.key).or(self.each.as_deref());
            if let (Some(rules), Some(part)) = (rules, property(schema, &entry.key)) {
                let within =
                    if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                rules.walk(part, &entry.value, &within, &entry_place(entry), walk);
            }
        }
        if let (Some(rules), Some(part)) = (&self.each, items(schema)) {
            for (index, item) in node.items().iter().enumerate() {
                rules.walk(part, item, &format!("{path}[{index}]"), &item_place(item), walk);
            }
        }
    }
}

struct Walk<'a> {
    /// Kind of the object.
    kind: &'a str,
    /// Paths at which the schema found something wrong.
    wrong: Vec<&'a str>,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn is_wrong_within(&self, path: &str) -> bool {
        self.wrong.iter().any(|wrong| match wrong.strip_prefix(path) {
            Some(rest) => path.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']),
            None => false,
        })
    }
}

impl Rule {
    fn broken(
        &self,
        this: &Subject,
        node: &Node,
        (kind, path): (&str, &str),
        at: &Range<usize>,
    ) -> Option<Fault> {
        let evaluated = self.expression.as_ref().map_err(Clone::clone).and_then(|rule| rule.holds(this));
        let field = self.field.as_deref().unwrap_or_default();
        let at = place(node, field).unwrap_or_else(|| at.clone());
        let dot = if field.is_empty() || field.starts_with('.') { "" } else { "." };
        let path = format!("{path}{dot}{field}").trim_start_matches('.').to_owned();
        let fault =
            |message: String, remediation: String| Some(Fault::new(RULE, at, message, remediation).at(&path));
        match evaluated {
            Ok(true) => None,
            Ok(false) => {
                let message =
                    self.message.clone().unwrap_or_else(|| format!("this is broken: {}", self.text));
                let (message, remediation) = split(&message, &explained(kind, &path));
                fault(message, remediation)
            }
            Err(error) => fault(
                format!("a rule of the definition cannot be evaluated: {error}"),
                format!("Report it with the manifest; the rule is {}", self.text),
            ),
        }
    }
}

/// The field that an expression reads, where it reads only one.
fn only_field(expression: &str) -> Option<String> {
    let reads = expression.split("self.").skip(1).map(|rest| {
        let end =
            rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != '.').unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // The last word before a bracket is a function of the field.
        if after.starts_with('(') { name.rsplit_once('.').map_or("", |(field, _)| field) } else { name }
    });
    let fields = reads.collect::<BTreeSet<_>>();
    fields.first().filter(|field| fields.len() == 1 && !field.is_empty()).map(|field| (*field).to_owned())
}

/// The messages of our definitions say what is wrong, and often after a semicolon what to do. Where they do not, the
/// documentation of the field does.
fn split(message: &str, explained: &str) -> (String, String) {
    let outside = |at: usize| {
        let before = message.get(..at).unwrap_or_default();
        before.matches('(').count() == before.matches(')').count()
    };
    let semicolon = message.match_indices("; ").map(|(at, _)| at).find(|at| outside(*at));
    let parts = semicolon.and_then(|at| message.split_at_checked(at));
    let Some((wrong, todo)) = parts else {
        return (message.to_owned(), format!("`kubectl explain {explained}` says what is expected"));
    };
    let mut todo = todo.trim_start_matches("; ").chars();
    let first = todo.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    (wrong.to_owned(), format!("{first}{}", todo.as_str()))
}

/// A field as `kubectl explain` wants it: without indexes.
fn explained(kind: &str, path: &str) -> String {
    let names =
        path.split('.').filter(|part| !part.is_empty()).map(|part| part.split('[').next().unwrap_or(part));
    std::iter::once(kind.to_lowercase().as_str()).chain(names).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_at_the_only_field_that_it_reads() {
        let cases = [
            ("self.target.matches('^a')", Some("target")),
            ("self.metadata.name.matches('^a') && size(self.metadata.name) <= 48", Some("metadata.name")),
            ("self.matches('^a')", None),
            ("size(self.permissions) > 0", Some("permissions")),
            ("!has(self.a) || self.b", None),
            ("self == oldSelf", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(only_field(expression).as_deref(), expected, "{expression}");
        }
    }

    #[test]
    fn what_to_do_stands_after_the_semicolon_or_in_the_documentation() {
        let (wrong, todo) = split("one (a; b) of them; remove it", "k.spec");
        assert_eq!((wrong.as_str(), todo.as_str()), ("one (a; b) of them", "Remove it"));
        let (wrong, todo) = split("one (a; b), and so on", &explained("DataProduct", "spec.a[0].b"));
        assert_eq!(wrong, "one (a; b), and so on");
        assert_eq!(todo, "`kubectl explain dataproduct.spec.a.b` says what is expected");
    }
}
