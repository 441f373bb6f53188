//! A model of the outside world in which plans are applied purely: what a faultless provider would do.

use std::collections::BTreeMap;

use dataproduct_operator::{
    model::resource::{Health, Key, Observed},
    plan::{
        Action, Outcome, Plan, StepResult,
        assess::{Observation, Observations},
    },
};

/// Resources by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outside(pub(crate) BTreeMap<Key, Observed>);

impl Outside {
    /// What a faultless provider says of the given keys.
    pub(crate) fn observe(&self, keys: impl Iterator<Item = Key>) -> Observations {
        keys.map(|key| {
            let observation = self
                .0
                .get(&key)
                .map_or(Observation::Absent, |found| Observation::Present(Box::new(found.clone())));
            (key, observation)
        })
        .collect()
    }

    /// Applies every step.
    pub(crate) fn apply(&mut self, plan: &Plan) -> Vec<Outcome> {
        for step in &plan.steps {
            match &step.action {
                Action::Create(desired) => {
                    let observed = Observed {
                        key: step.key.clone(),
                        id: format!("id:{}", step.key),
                        owner: Some(desired.owner.clone()),
                        attributes: desired.attributes.clone(),
                        health: Health::Live,
                    };
                    self.0.insert(step.key.clone(), observed);
                }
                Action::Update(desired, delta)
                | Action::Adopt(desired, delta)
                | Action::Release(desired, delta) => {
                    let found = self.0.get_mut(&step.key).expect("an update is of something that exists");
                    assert_eq!(
                        found.owner,
                        delta.expected_owner(&desired.owner),
                        "the mark that is replaced is the one that was seen"
                    );
                    found.owner = Some(desired.owner.clone());
                    found.attributes = found.attributes.clone().patched(&desired.attributes, delta);
                }
                Action::Delete(_) => {
                    self.0.remove(&step.key);
                }
            }
        }
        plan.steps.iter().map(|step| Outcome::of(step, StepResult::Applied)).collect()
    }
}
