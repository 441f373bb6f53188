//! The one stage that changes the outside world: one step at a time, in order, and every outcome is a value.

use crate::{
    model::resource::Key,
    plan::{
        Action, Outcome, Plan, Step, StepResult,
        assess::{Fault, Observations},
    },
    provider::{ProviderError, Removed, SharedProvider},
};

use super::gather;

/// Applies the steps of a plan. A step whose dependency did not succeed is skipped.
pub async fn apply(provider: &SharedProvider, plan: &Plan) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in &plan.steps {
        let result = match waiting(step, &outcomes) {
            Some(key) => StepResult::Skipped(key),
            None => perform(provider, &step.action).await,
        };
        log(step, &result);
        outcomes.push(Outcome::of(step, result));
    }
    outcomes
}

/// Observes again what was touched, so that what is reported rests on a fresh look.
pub async fn observe_again(
    provider: &SharedProvider,
    before: &Observations,
    outcomes: &[Outcome],
) -> Observations {
    let touched = outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.result, StepResult::Skipped(_)))
        .map(|outcome| outcome.key.clone());
    let mut after = before.clone();
    after.extend(gather::observe(provider, touched).await);
    after
}

fn waiting(step: &Step, outcomes: &[Outcome]) -> Option<Key> {
    let unfinished = |key: &&Key| {
        outcomes.iter().any(|outcome| outcome.key == **key && outcome.result != StepResult::Applied)
    };
    step.waits_for.iter().find(unfinished).cloned()
}

async fn perform(provider: &SharedProvider, action: &Action) -> StepResult {
    let failed = |error: ProviderError| StepResult::Failed(Fault::from(&error));
    match action {
        Action::Create(desired) => {
            provider.create(desired).await.map_or_else(failed, |()| StepResult::Applied)
        }
        Action::Update(desired, delta) | Action::Adopt(desired, delta) | Action::Release(desired, delta) => {
            provider.update(desired, delta).await.map_or_else(failed, |()| StepResult::Applied)
        }
        Action::Delete(removal) => match provider.delete(removal).await {
            Ok(Removed::Gone) => StepResult::Applied,
            Ok(Removed::InProgress) => StepResult::InProgress,
            Err(error) => failed(error),
        },
    }
}

fn log(step: &Step, result: &StepResult) {
    let (verb, resource) = (step.action.verb(), &step.key);
    match result {
        StepResult::Applied => tracing::info!(%resource, "{verb}: applied"),
        StepResult::InProgress => tracing::info!(%resource, "{verb}: in progress"),
        StepResult::Failed(fault) => tracing::warn!(%resource, error = fault.message, "{verb}: failed"),
        StepResult::Skipped(key) => tracing::info!(%resource, waits_for = %key, "{verb}: skipped"),
    }
}
