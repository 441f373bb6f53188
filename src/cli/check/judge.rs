//! From inputs and what bears on them to findings: faults of the manifests, faults of policies, and violations.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::finding::{Checked, Finding, Judged, Judgement, POLICY, Totals};
use crate::{
    api::{Enforcement, status::Severity},
    cli::{
        clean,
        context::{Candidate, Context},
        inputs::{Input, Inputs},
    },
    governance::{Report, Violation},
    manifest::{Fault, Object, Source, YAML, place},
    plan::judge_declared,
};

/// Most findings that are told; the others are counted.
const MAX_FINDINGS: usize = 10_000;

/// Judges everything. `tick` is told the number of products done and of all of them.
pub(super) fn judge<'a>(
    inputs: &'a Inputs,
    context: &Context,
    candidates: &[Candidate<'_>],
    namespace: Option<&str>,
    now: Timestamp,
    mut tick: impl FnMut(usize, usize),
) -> Checked<'a> {
    let sources = inputs.files.iter().map(|Input { source, .. }| source).collect::<Vec<_>>();
    let mut found = Found { sources: &sources, findings: Vec::new() };
    for (file, object, fault) in inputs.faults() {
        found.fault(file, object, namespace, fault);
    }
    for (file, object) in inputs.objects() {
        for (rule, message) in context.policy_faults(object, namespace) {
            found.policy_fault(file, object, &rule, message);
        }
    }
    let by_object = candidates.iter().map(|candidate| (std::ptr::from_ref(candidate.object), candidate));
    let by_object = by_object.collect::<HashMap<_, _>>();
    let mut products = Vec::new();
    for (file, object) in inputs.objects().filter(|(_, object)| object.kind == "DataProduct") {
        tick(products.len(), candidates.len());
        let judged = by_object.get(&std::ptr::from_ref(object)).and_then(|candidate| {
            judge_declared(&context.declared(&candidate.product, now), context.all_products)
        });
        let score = judged.map(|(report, domain)| {
            for violation in &report.violations {
                found.violation(file, object, namespace, violation, domain);
            }
            score(context, &report)
        });
        let line = sources.get(file).map_or(1, |source| source.position(object.node.span.start).line);
        let accepted = object.faults.is_empty();
        products.push(Judged { name: clean(&name(object, namespace)), file, line, score, accepted });
    }
    let mut findings = found.findings.into_iter().map(Finding::cleaned).collect::<Vec<_>>();
    let totals = Totals::of(&findings);
    let omitted = findings.len().saturating_sub(MAX_FINDINGS);
    if omitted > 0 {
        // What keeps a file from being read hides the most, and so it is told before all else.
        findings.sort_by_key(|finding| (finding.id != YAML, finding.severity));
        findings.truncate(MAX_FINDINGS);
    }
    findings.sort_by_cached_key(Finding::order);
    let objects = inputs.objects().count();
    let names = sources.iter().map(|source| clean(&source.name)).collect();
    Checked { sources, names, findings, totals, omitted, products, objects, others: inputs.others(), now }
}

/// A text with a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", rest.as_str())
}

/// Namespace and name of an object.
fn name(object: &Object, namespace: Option<&str>) -> String {
    let name = if object.name.is_empty() { "(no name)" } else { &object.name };
    match object.namespace.as_deref().or(namespace) {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

fn score(context: &Context, report: &Report) -> Judgement {
    let standards = context.mesh.standards.as_ref();
    let rule_set_hash = standards
        .map(|standards| context.mesh.policies().rule_set_hash(report, &standards.spec))
        .unwrap_or_default();
    let broken = report.violations.iter().map(|violation| &*violation.rule.id).collect::<BTreeSet<_>>();
    let judging =
        context.mesh.policies().policies().filter(|policy| report.policies.contains(&policy.source));
    let asked = judging.flat_map(|policy| policy.ids()).collect::<BTreeSet<_>>();
    let kept = asked.into_iter().filter(|id| !broken.contains(id));
    let kept = kept
        .filter(|id| !report.not_evaluated.iter().any(|other| **other == **id))
        .map(str::to_owned)
        .collect();
    Judgement {
        score: report.score,
        without_exceptions: report.score_without_exceptions,
        result: report.result,
        not_evaluated: report.not_evaluated.iter().map(ToString::to_string).collect(),
        policies: report.policies.iter().map(ToString::to_string).collect(),
        rule_set_hash,
        kept,
    }
}

struct Found<'a> {
    sources: &'a [&'a Source],
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn fault(&mut self, file: usize, object: Option<&Object>, namespace: Option<&str>, fault: &Fault) {
        let finding = self.finding(file, object, &fault.place, fault.id.to_owned());
        self.findings.push(Finding {
            path: fault.path.clone(),
            message: fault.message.clone(),
            remediation: fault.remediation.clone(),
            object: object.map(|object| format!("{} {}", object.kind, name(object, namespace))),
            ..finding
        });
    }

    fn policy_fault(&mut self, file: usize, object: &Object, rule: &str, message: String) {
        let of_rule = format!("spec.rules[{rule}]");
        let path = if object.node.at(&["spec", rule]).is_some() { format!("spec.{rule}") } else { of_rule };
        let at = place(&object.node, &path).unwrap_or(object.node.span.clone());
        let finding = self.finding(file, Some(object), &at, POLICY.to_owned());
        // Messages of policies say after a semicolon what to do.
        let (message, remediation) = match message.split_once("; ") {
            Some((message, remediation)) => (message.to_owned(), sentence(remediation)),
            None => (message, "Correct the rule; until then it judges nothing".to_owned()),
        };
        self.findings.push(Finding {
            path,
            message,
            remediation,
            object: Some(format!("{} {}", object.kind, name(object, None))),
            ..finding
        });
    }

    fn violation(
        &mut self,
        file: usize,
        object: &Object,
        namespace: Option<&str>,
        violation: &Violation,
        domain: Enforcement,
    ) {
        let root = || place(&object.node, "kind").unwrap_or(object.node.span.clone());
        let at = place(&object.node, &violation.path).unwrap_or_else(root);
        let state = violation.enforcement(domain);
        let finding = self.finding(file, Some(object), &at, violation.rule.id.to_string());
        let open_error = violation.exception.is_none() && violation.severity == Severity::Error;
        self.findings.push(Finding {
            severity: violation.severity,
            state: Some(state),
            stops_change: open_error && state == Enforcement::Enforced,
            deadline: violation.deadline,
            path: violation.path.to_string(),
            message: violation.message.to_string(),
            remediation: violation.remediation.to_string(),
            policy: Some(violation.rule.policy.to_string()),
            exception: violation.exception.as_deref().cloned(),
            object: Some(format!("{} {}", object.kind, name(object, namespace))),
            ..finding
        });
    }

    /// An error at a place, of which the rest is still to be said.
    fn finding(
        &self,
        file: usize,
        object: Option<&Object>,
        at: &std::ops::Range<usize>,
        id: String,
    ) -> Finding {
        let source = self.sources.get(file);
        let span = source.map_or(0..0, |source| source.within(at));
        let position =
            |byte| source.map_or(crate::manifest::Position { line: 1, column: 1 }, |it| it.position(byte));
        Finding {
            file,
            start: position(span.start),
            end: position(span.end),
            span,
            id,
            severity: Severity::Error,
            state: None,
            stops_change: false,
            deadline: None,
            path: String::new(),
            message: String::new(),
            remediation: String::new(),
            policy: None,
            exception: None,
            object: None,
            rendered_from: object.and_then(|object| object.rendered_from.clone()),
        }
    }
}
