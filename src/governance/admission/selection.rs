//! Which products a policy judges, as the API server's conditions.

use k8s_openapi::{
    api::admissionregistration::v1::MatchCondition,
    apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement},
};
use kube::{ResourceExt, core::Selector};

use super::{Action, list, literal};
use crate::api::{DataDomain, Enforcement, PolicyMatch, ProductMatch};

/// Labels of the product, which may have none.
const LABELS: &str = "(has(object.metadata.labels) ? object.metadata.labels : {})";

/// Whether the part of a policy that selects products can be read. One that cannot selects nothing.
pub(super) fn is_readable(matches: &PolicyMatch) -> bool {
    matches.product.selector.as_ref().is_none_or(|selector| Selector::try_from(selector.clone()).is_ok())
}

/// The conditions under which a product is judged.
pub(super) fn conditions(
    matches: &PolicyMatch,
    domains: &[DataDomain],
    action: Action,
) -> Vec<MatchCondition> {
    let PolicyMatch { domains: of, product: ProductMatch { classification, lifecycle, selector } } = matches;
    let mut conditions = vec![("is-not-going", "!has(object.metadata.deletionTimestamp)".to_owned())];
    if !of.is_empty() {
        let domains = list(of.iter().map(String::as_str));
        conditions.push(("domain", format!("object.spec.domain in {domains}")));
    }
    if !classification.is_empty() {
        let classes = list(classification.iter().map(|class| class.as_str()));
        conditions.push((
            "classification",
            format!(
                "has(object.spec.access) && has(object.spec.access.classification) \
                 && object.spec.access.classification in {classes}"
            ),
        ));
    }
    if !lifecycle.is_empty() {
        let states = lifecycle.iter().map(|state| format!("{state:?}")).collect::<Vec<_>>();
        let states = list(states.iter().map(String::as_str));
        conditions.push((
            "lifecycle",
            format!("(has(object.spec.lifecycle) ? object.spec.lifecycle : \"Active\") in {states}"),
        ));
    }
    if let Some(selected) = selector.as_ref().and_then(labels) {
        // The selector of the constraints asks for the labels that an object had before, too.
        conditions.push(("labels", selected));
    }
    if action == Action::Deny {
        // A draft never stops anything, so that nothing of it is stopped.
        let draft = "!has(object.spec.lifecycle) || object.spec.lifecycle != \"Draft\"";
        conditions.push(("is-no-draft", draft.to_owned()));
        // What was let in before may still be labelled, finalized and annotated.
        conditions
            .push(("changes", "request.operation == \"CREATE\" || object.spec != oldObject.spec".to_owned()));
        if !domains.is_empty() {
            let enforced = domains.iter().filter(|domain| domain.spec.enforcement == Enforcement::Enforced);
            let enforced = enforced.map(ResourceExt::name_any).collect::<Vec<_>>();
            let enforced = list(enforced.iter().map(String::as_str));
            conditions.push(("is-enforced", format!("object.spec.domain in {enforced}")));
        }
    }
    let condition = |(name, expression): (&str, String)| MatchCondition { name: name.to_owned(), expression };
    conditions.into_iter().map(condition).collect()
}

/// A selector of labels as an expression; `None` where it selects everything.
fn labels(selector: &LabelSelector) -> Option<String> {
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| {
        let (key, value) = (literal(key), literal(value));
        format!("{key} in {LABELS} && {LABELS}[{key}] == {value}")
    });
    let required = selector.match_expressions.iter().flatten().map(requirement);
    let all = equal.chain(required).map(|part| format!("({part})")).collect::<Vec<_>>();
    (!all.is_empty()).then(|| all.join(" && "))
}

fn requirement(requirement: &LabelSelectorRequirement) -> String {
    let LabelSelectorRequirement { key, operator, values } = requirement;
    let key = literal(key);
    let values = list(values.iter().flatten().map(String::as_str));
    match operator.as_str() {
        "In" => format!("{key} in {LABELS} && {LABELS}[{key}] in {values}"),
        "NotIn" => format!("!({key} in {LABELS} && {LABELS}[{key}] in {values})"),
        "Exists" => format!("{key} in {LABELS}"),
        // A selector with any other operator was refused as not readable.
        _ => format!("!({key} in {LABELS})"),
    }
}
