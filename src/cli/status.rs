//! `dataproduct status`: one product's story, for people.

use std::fmt::Write;

use crate::api::{
    DataProduct, DataProductStatus,
    status::{ErrorClass, PolicyEnforcement, ResourceStatus, Severity, Violation},
};
use kube::ResourceExt;

/// The story of a product: conditions, violations with remediation, resources, service levels.
pub fn story(product: &DataProduct) -> String {
    let mut text = format!(
        "{}/{}  (domain {}, version {})\n",
        product.namespace().unwrap_or_default(),
        product.name_any(),
        product.spec.domain,
        product.spec.version
    );
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
        [condition.type_.clone(), condition.status.clone(), condition.reason.clone(), shown(index)]
    });
    table("Conditions", rows.collect())
}

fn governance(status: &DataProductStatus) -> String {
    let Some(governance) = &status.governance else { return String::new() };
    let mut text = format!(
        "Governance  score {}, {} ({} errors, {} warnings, {} infos)\n",
        governance.score.unwrap_or_default(),
        governance.result.map_or("not judged", |result| result.as_str()),
        governance.errors,
        governance.warnings,
        governance.infos
    );
    for violation in &governance.violations {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "  {:<12}{:<8}  {}{}{}\n{:24}at {}\n{:24}{}\n",
            violation.id,
            violation.severity.as_str(),
            violation.message,
            if stops_change(violation) { "  (stops change)" } else { "" },
            excepted(violation),
            "",
            violation.path,
            "",
            violation.remediation
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

fn stops_change(violation: &Violation) -> bool {
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
    let mut text = format!("Plan  {summary}  (hash {})\n", plan.hash.as_deref().unwrap_or_default());
    for action in &plan.actions {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:<8}{}", action.verb, action.resource);
        for change in &action.changes {
            let _ = writeln!(text, "          {change}");
        }
    }
    for note in &plan.notes {
        let _ = writeln!(text, "  note: {note}");
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
        [resource.kind.clone(), format!("{:?}", resource.state), resource.name.clone(), detail(resource)]
    });
    table("Resources", rows.collect())
}

fn service_levels(status: &DataProductStatus) -> String {
    let Some(slo) = &status.slo else { return String::new() };
    let rows = slo.objectives.iter().map(|objective| {
        let message = objective.message.clone().unwrap_or_default();
        let message = match &objective.current {
            Some(current) => format!("{message} ({current})"),
            None => message,
        };
        [objective.name.clone(), objective.state.as_str().to_owned(), objective.target.clone(), message]
    });
    table("Service levels", rows.collect())
}

/// Rows in aligned columns below a title; nothing when there are no rows.
pub(super) fn table<const COLUMNS: usize>(title: &str, rows: Vec<[String; COLUMNS]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    rows.iter().fold(format!("{title}\n"), |mut text, row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("  {cell:<width$}"));
        text.push_str(cells.collect::<String>().trim_end());
        text.push('\n');
        text
    })
}
