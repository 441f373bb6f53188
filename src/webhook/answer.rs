//! What is told about a product that somebody is about to apply: what the decision of the operator would be, in warnings
//! and reasons of bounded length. It changes nothing and asks nobody.

use crate::{
    api::{Enforcement, product::Lifecycle, status::Severity},
    governance::{Report, Violation, is_told_by_the_api_server},
    plan::{Blocker, Decision, Declared, World, assess::Observations, decide, scope::resolve},
};

/// Longest warning in characters: an API server cuts off longer ones when there are many.
const MAX_WARNING: usize = 256;
/// Most characters of all warnings: an API server lets 4096 through, of which its own policies need some.
const MAX_WARNINGS: usize = 2048;
/// Longest refusal in characters.
const MAX_REFUSAL: usize = 1024;

/// What is done about what stops change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// The product is let in, with warnings.
    #[default]
    Warn,
    /// The product is refused.
    Deny,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What whoever applies the product should know.
    pub warnings: Vec<String>,
    /// Why the product is refused, where it is.
    pub refusal: Option<String>,
}

impl Answer {
    /// Lets a product in with one warning.
    pub fn warning(text: &str) -> Self {
        Self { warnings: bounded([text.to_owned()].into_iter()), refusal: None }
    }
}

/// Judges a product among the others of its mesh. `settled` says that its spec is what was let in before: such a product
/// is never refused, so that it can be labelled and finalized.
pub fn answer(declared: Declared, action: Action, settled: bool) -> Answer {
    let scope = resolve(&declared);
    // How strictly a domain is judged is known only where there is one.
    let strict = scope.is_ok();
    let world = World { declared, scope, observations: Observations::new() };
    let decision = decide(&world);
    let draft = world.declared.product.spec.lifecycle == Some(Lifecycle::Draft);
    let refuses = action == Action::Deny && !settled && !draft;
    let Decision { judgement, enforcement, blockers, .. } = decision;
    let report = judgement.map(|judgement| judgement.report);
    let (faults, others): (Vec<_>, Vec<_>) =
        blockers.iter().filter(|blocker| is_about_the_mesh(blocker)).partition(|blocker| is_fault(blocker));
    let enforced = report.iter().flat_map(|report| report.enforced_errors(enforcement)).collect::<Vec<_>>();
    let said = |blocker: &&Blocker| blocker.to_string();
    let stops = !faults.is_empty() || (strict && !enforced.is_empty());
    let is_said = |violation: &Violation| faults.iter().any(|fault| says_the_same(fault, violation));
    let enforced = enforced.into_iter().filter(|violation| !is_said(violation));
    let rest = report.iter().flat_map(|report| lesser(report, enforcement));
    let rest = rest.filter(|violation| !is_said(violation)).map(told);
    if refuses && stops {
        let reasons = faults.iter().map(said).chain(enforced.map(told));
        let reasons = cut(&reasons.collect::<Vec<_>>().join("; "), MAX_REFUSAL);
        return Answer { warnings: bounded(others.iter().map(said).chain(rest)), refusal: Some(reasons) };
    }
    // What the API server tells by itself is not told twice.
    let enforced = enforced.filter(|violation| !is_told_by_the_api_server(violation)).map(told);
    let warnings = faults.iter().map(said).chain(others.iter().map(said)).chain(enforced).chain(rest);
    Answer { warnings: bounded(warnings), refusal: None }
}

/// Whether a blocker says something of the product among its domain and the others, rather than what its owner asked for.
fn is_about_the_mesh(blocker: &Blocker) -> bool {
    !matches!(
        blocker,
        Blocker::Suspended | Blocker::Draft | Blocker::AwaitingApproval { .. } | Blocker::PolicyErrors { .. }
    )
}

/// Whether a blocker lasts for as long as the spec says what it says. The others end when the platform team does something.
fn is_fault(blocker: &Blocker) -> bool {
    matches!(
        blocker,
        Blocker::DomainMismatch { .. }
            | Blocker::NameTaken { .. }
            | Blocker::NameChanged { .. }
            | Blocker::BadName(_)
            | Blocker::BadSpec { .. }
            | Blocker::ClassNotAllowed { .. }
            | Blocker::ClassChanged { .. }
    )
}

/// Whether a built-in rule is broken by just what a blocker says.
fn says_the_same(blocker: &Blocker, violation: &Violation) -> bool {
    matches!(
        (blocker, &*violation.rule.id),
        (Blocker::NameTaken { .. }, "PROD-003") | (Blocker::DomainMismatch { .. }, "PROD-004")
    )
}

/// Errors that will stop change once their grace is over, and what is only a warning. What no policy stands behind yet, or
/// an exception covers, is in the status and not here.
fn lesser(report: &Report, domain: Enforcement) -> impl Iterator<Item = &Violation> {
    report.violations.iter().filter(move |violation| {
        let enforcement = violation.enforcement(domain);
        violation.exception.is_none()
            && match violation.severity {
                Severity::Error => enforcement == Enforcement::Grace,
                Severity::Warning => enforcement != Enforcement::Draft,
                Severity::Info => false,
            }
    })
}

fn told(violation: &Violation) -> String {
    let Violation { rule, message, remediation, deadline, severity, .. } = violation;
    let deadline = deadline.filter(|_| *severity == Severity::Error);
    let deadline = deadline.map(|day| format!(" (stops change from {day} on)")).unwrap_or_default();
    format!("[{}] {message}{deadline}. {remediation}", rule.id)
}

/// As many warnings as are let through, and how many there are beyond.
fn bounded(warnings: impl Iterator<Item = String>) -> Vec<String> {
    let (mut bounded, mut length, mut more) = (Vec::new(), 0, 0);
    for warning in warnings {
        let warning = cut(&warning, MAX_WARNING);
        length += warning.chars().count();
        if length <= MAX_WARNINGS {
            bounded.push(warning);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        bounded.push(format!("and {more} more; `dataproduct status` lists them once the product is applied"));
    }
    bounded
}

/// A text on one line and of a bounded number of characters, as a header has it.
fn cut(text: &str, length: usize) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= length {
        return line.collect();
    }
    line.take(length.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_bounded_one_by_one_and_all_together_and_each_is_one_line() {
        let long = "a\nb".repeat(200);
        let all = bounded(std::iter::repeat_n(long, 20));
        assert!(all.iter().all(|warning| warning.chars().count() <= MAX_WARNING && !warning.contains('\n')));
        assert!(all[0].ends_with('…'));
        assert_eq!(all.len(), 9);
        assert!(all[8].starts_with("and 12 more"), "{}", all[8]);
        assert_eq!(bounded(["short".to_owned()].into_iter()), ["short"]);
    }
}
