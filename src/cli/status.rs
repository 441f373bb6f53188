//! `dataproduct status`: one product's story, for people.

use std::fmt::Write;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use super::look::{Cell, Tone, titled};
use crate::api::{
    DataProduct, DataProductStatus,
    status::{
        ErrorClass, PolicyEnforcement, ReportResult, ResourceState, ResourceStatus, Severity, SloState,
        Violation,
    },
};

/// The story of a product, with its styles: conditions, violations with remediation, resources, service levels.
pub fn story(product: &DataProduct) -> String {
    let name = format!("{}/{}", product.namespace().unwrap_or_default(), product.name_any());
    let about = format!("(domain {}, version {})", product.spec.domain, product.spec.version);
    let mut text = format!("{}  {}\n", Cell::new(name, Tone::Strong), Cell::plain(about));
    match &product.status {
        Some(status) if status.observed_generation.is_some_and(|generation| generation >= 0) => {
            let sections = [
                conditions(status),
                governance(status),
                plan(status),
                resources(status),
                service_levels(status),
            ];
            sections.into_iter().filter(|section| !section.is_empty()).for_each(|section| {
                text.push('\n');
                text.push_str(&section);
            });
        }
        _ => text.push_str("\nThe operator has not seen this product yet.\n"),
    }
    text
}

/// The conditions. Several often say the same, which is shown once.
fn conditions(status: &DataProductStatus) -> String {
    let shown = |index: usize| {
        let mut before = status.conditions.iter().take(index);
        let message = &status.conditions[index].message;
        before
            .find(|before| before.message == *message)
            .map_or_else(|| message.clone(), |before| format!("as {}", before.type_))
    };
    let rows = status.conditions.iter().enumerate().map(|(index, condition)| {
        let state = Cell::new(&condition.status, tone_of_condition(condition));
        vec![Cell::plain(&condition.type_), state, Cell::plain(&condition.reason), Cell::plain(shown(index))]
    });
    titled("Conditions", &rows.collect::<Vec<_>>())
}

/// How a condition looks. Those that are there only while they are true are nothing good.
pub(super) fn tone_of_condition(condition: &Condition) -> Tone {
    match (condition.type_.as_str(), condition.status.as_str(), condition.reason.as_str()) {
        (_, _, "NotEvaluated" | "NoObjectives") => Tone::Faint,
        ("Stalled", "True", _) => Tone::Bad,
        ("Reconciling", ..) | (_, "False", "Creating" | "Deleting" | "Draft" | "InGrace") => Tone::Waiting,
        (_, "True", _) => Tone::Good,
        (_, "False", _) => Tone::Bad,
        _ => Tone::Waiting,
    }
}

/// How a score looks, with the result of the judgement that it comes from.
pub(super) const fn tone_of_result(result: Option<ReportResult>) -> Tone {
    match result {
        Some(ReportResult::Pass) => Tone::Good,
        Some(ReportResult::Warn) => Tone::Waiting,
        Some(ReportResult::Fail) => Tone::Bad,
        None => Tone::Faint,
    }
}

/// How a resource looks.
pub(super) const fn tone_of_resource(state: ResourceState) -> Tone {
    match state {
        ResourceState::InSync | ResourceState::Adopted => Tone::Good,
        ResourceState::Pending
        | ResourceState::Creating
        | ResourceState::Drifted
        | ResourceState::Deleting => Tone::Waiting,
        ResourceState::Released => Tone::Faint,
        ResourceState::Failed | ResourceState::Lost => Tone::Bad,
    }
}

/// How a service level looks.
pub(super) const fn tone_of_slo(state: SloState) -> Tone {
    match state {
        SloState::Met => Tone::Good,
        SloState::AtRisk => Tone::Waiting,
        SloState::Unknown => Tone::Faint,
        SloState::Breached => Tone::Bad,
    }
}

/// How a violation looks.
pub(super) const fn tone_of_severity(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Waiting,
        Severity::Info => Tone::Faint,
    }
}

fn governance(status: &DataProductStatus) -> String {
    let Some(governance) = &status.governance else { return String::new() };
    let result = governance.result.map_or("not judged", ReportResult::as_str);
    let mut text = format!(
        "{}  score {}, {} ({} errors, {} warnings, {} infos)\n",
        Cell::new("Governance", Tone::Strong),
        governance.score.unwrap_or_default(),
        Cell::new(result, tone_of_result(governance.result)),
        governance.errors,
        governance.warnings,
        governance.infos
    );
    for violation in &governance.violations {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "  {}{}  {}{}{}\n{:24}at {}\n{:24}{}\n",
            Cell::plain(format!("{:<12}", violation.id)),
            Cell::new(format!("{:<8}", violation.severity.as_str()), tone_of_severity(violation.severity)),
            Cell::plain(&violation.message),
            Cell::new(if stops_change(violation) { "  (stops change)" } else { "" }, Tone::Bad),
            Cell::plain(excepted(violation)),
            "",
            Cell::plain(&violation.path),
            "",
            Cell::plain(&violation.remediation)
        );
    }
    if governance.truncated {
        text.push_str("  ... and more; mend these first\n");
    }
    if !governance.not_evaluated.is_empty() {
        let _ = writeln!(text, "  not evaluated: {}", governance.not_evaluated.join(", "));
    }
    text
}

/// The exception that covers a violation, and until when.
fn excepted(violation: &Violation) -> String {
    let until = violation.deadline.as_ref().map(|at| format!(" until {}", at.0)).unwrap_or_default();
    violation.exception_ref.as_ref().map(|name| format!("  (excepted by {name}{until})")).unwrap_or_default()
}

pub(super) fn stops_change(violation: &Violation) -> bool {
    violation.exception_ref.is_none()
        && violation.severity == Severity::Error
        && violation.enforcement == PolicyEnforcement::Enforced
}

/// What is left to be done, with the hash that an approval names.
fn plan(status: &DataProductStatus) -> String {
    let Some(plan) = status.plan.as_ref().filter(|plan| !plan.actions.is_empty() || !plan.notes.is_empty())
    else {
        return String::new();
    };
    let summary = plan.summary.as_deref().unwrap_or_default();
    let about = format!("{summary}  (hash {})", plan.hash.as_deref().unwrap_or_default());
    let mut text = format!("{}  {}\n", Cell::new("Plan", Tone::Strong), Cell::plain(about));
    for action in &plan.actions {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}", Cell::plain(format!("{:<8}{}", action.verb, action.resource)));
        for change in &action.changes {
            let _ = writeln!(text, "          {}", Cell::plain(change));
        }
    }
    for note in &plan.notes {
        let _ = writeln!(text, "  note: {}", Cell::plain(note));
    }
    text
}

fn resources(status: &DataProductStatus) -> String {
    let detail = |resource: &ResourceStatus| match (&resource.last_error, &resource.id) {
        // What holds everything back is said once, above.
        (Some(error), None) if error.class == ErrorClass::Blocked => String::new(),
        (Some(error), Some(id)) if error.class == ErrorClass::Blocked => id.clone(),
        (Some(error), _) => error.message.clone(),
        (None, Some(id)) => id.clone(),
        (None, None) => String::new(),
    };
    let rows = status.resources.iter().map(|resource| {
        let state = Cell::new(format!("{:?}", resource.state), tone_of_resource(resource.state));
        vec![Cell::plain(&resource.kind), state, Cell::plain(&resource.name), Cell::plain(detail(resource))]
    });
    titled("Resources", &rows.collect::<Vec<_>>())
}

fn service_levels(status: &DataProductStatus) -> String {
    let Some(slo) = &status.slo else { return String::new() };
    let rows = slo.objectives.iter().map(|objective| {
        let message = objective.message.clone().unwrap_or_default();
        let message = match &objective.current {
            Some(current) => format!("{message} ({current})"),
            None => message,
        };
        vec![
            Cell::plain(&objective.name),
            Cell::new(objective.state.as_str(), tone_of_slo(objective.state)),
            Cell::plain(&objective.target),
            Cell::plain(message),
        ]
    });
    titled("Service levels", &rows.collect::<Vec<_>>())
}
