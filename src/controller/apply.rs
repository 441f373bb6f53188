//! The one stage that changes the outside world: in the order of the plan, and every outcome is a value.
//!
//! What takes something away runs alone and in its place, because access goes before anything else changes. The other
//! steps run in waves: all that wait for nothing unfinished at once.

use futures::future::join_all;

use crate::{
    model::{
        owner::Owner,
        resource::{Key, Look},
    },
    plan::{
        Action, Outcome, Plan, Step, StepResult,
        assess::{Fault, Observations},
    },
    provider::{ProviderError, Removed, SharedProvider},
};

use super::gather;

/// Applies the steps of a plan. A step whose dependency did not succeed is skipped. Outcomes are in the order of the plan.
pub async fn apply(provider: &SharedProvider, plan: &Plan) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut left = plan.steps.as_slice();
    while let [first, ..] = left {
        let (wave, rest) = left.split_at(if first.action.takes_away() { 1 } else { wave(left) });
        let work = wave.iter().map(|step| async {
            let result = match waiting(step, &outcomes) {
                Some(key) => StepResult::Skipped(key),
                None => perform(provider, &step.action).await,
            };
            log(step, &result);
            Outcome::of(step, result)
        });
        let done = join_all(work).await;
        outcomes.extend(done);
        left = rest;
    }
    outcomes
}

/// Number of steps at the beginning that may run at the same time: none of them waits for another or takes away.
fn wave(steps: &[Step]) -> usize {
    let depends = |step: &Step, earlier: &[Step]| {
        step.action.takes_away() || earlier.iter().any(|earlier| step.waits_for.contains(&earlier.key))
    };
    (1..steps.len()).find(|&index| depends(&steps[index], &steps[..index])).unwrap_or(steps.len())
}

/// Observes again what was touched, so that what is reported rests on a fresh look.
pub async fn observe_again(
    provider: &SharedProvider,
    owner: &Owner,
    before: &Observations,
    outcomes: &[Outcome],
) -> Observations {
    let touched = outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.result, StepResult::Skipped(_)))
        .map(|outcome| outcome.key.clone());
    let mut after = before.clone();
    after.extend(gather::observe(provider, owner, Look::Full, touched).await);
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

/// What changed outside is a line of its own. What did not is tried again and again, and told once it is news: see
/// [`super::report::log`].
fn log(step: &Step, result: &StepResult) {
    let (verb, resource) = (step.action.verb(), &step.key);
    match result {
        StepResult::Applied => tracing::info!(%resource, "{verb}: applied"),
        StepResult::InProgress => tracing::debug!(%resource, "{verb}: in progress"),
        StepResult::Failed(fault) => tracing::debug!(%resource, error = fault.message, "{verb}: failed"),
        StepResult::Skipped(key) => tracing::debug!(%resource, waits_for = %key, "{verb}: skipped"),
    }
}
