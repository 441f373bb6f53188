//! What became of a step: a value, never an exit.

use crate::{
    model::resource::Key,
    plan::{
        assess::Fault,
        step::{Step, Verb},
    },
};

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which resource.
    pub key: Key,
    /// The verb of the step.
    pub verb: Verb,
    /// What it changed, for people, where it changed attributes.
    pub change: Option<String>,
    /// How it ended.
    pub result: StepResult,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// The provider confirmed it.
    Applied,
    /// The provider is still at it.
    InProgress,
    /// It failed.
    Failed(Fault),
    /// It was not tried, because a step that it waits for did not succeed.
    Skipped(Key),
}

impl Outcome {
    /// The outcome of a step.
    pub fn of(step: &Step, result: StepResult) -> Self {
        let change = step.action.delta().map(ToString::to_string);
        Self { key: step.key.clone(), verb: step.action.verb(), change, result }
    }

    /// The failure, where the step failed.
    pub const fn fault(&self) -> Option<&Fault> {
        match &self.result {
            StepResult::Failed(fault) => Some(fault),
            StepResult::Applied | StepResult::InProgress | StepResult::Skipped(_) => None,
        }
    }
}
