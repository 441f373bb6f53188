//! What a status says of the world outside: what is left to be done there, what exists, and how it is reached.

use super::{
    Facts, MESSAGE_LIMIT, VALUE_LIMIT,
    conditions::begun,
    dated::{Clock, instant, text},
};
use crate::{
    api::{
        ACCEPT_LOSS, DataProductStatus,
        product::OutputPort,
        status::{
            Drift, Endpoint, ErrorClass, LastError, Outputs, PlanAction, PlanStatus, ResourceState,
            ResourceStatus,
        },
    },
    model::{
        owner::Claim,
        resource::{Delta, Kind},
    },
    plan::{
        Step, StepResult, Verb,
        assess::{Assessment, Fault, State, Wanted},
        loss_token, summarize_steps,
    },
};

const MAX_DRIFT: usize = 10;
const ID_LIMIT: usize = 1024;

pub(super) fn plan(facts: &Facts<'_>, clock: Clock) -> Option<PlanStatus> {
    facts.world.scope.as_ref().ok()?;
    let plan = &facts.decision.plan;
    let applied = |step: &&Step| {
        let outcome = facts.outcomes.iter().find(|outcome| outcome.key == step.key);
        outcome.is_some_and(|outcome| outcome.result == StepResult::Applied)
    };
    let left = plan.steps.iter().filter(|step| !applied(step)).chain(&plan.held);
    Some(PlanStatus {
        hash: Some(facts.decision.hash.clone()),
        generation: Some(clock.generation),
        summary: Some(summarize_steps(left.clone())),
        actions: left.map(action).collect(),
        notes: plan.notes.iter().map(|note| text(note, VALUE_LIMIT)).collect(),
    })
}

fn action(step: &Step) -> PlanAction {
    let changes = step.action.delta().into_iter().flat_map(|delta| &delta.0);
    PlanAction {
        verb: step.action.verb().to_string(),
        resource: step.key.to_string(),
        changes: changes.take(MAX_DRIFT).map(|change| text(&change.to_string(), VALUE_LIMIT)).collect(),
    }
}

pub(super) fn resources(facts: &Facts<'_>, old: &DataProductStatus, clock: Clock) -> Vec<ResourceStatus> {
    if facts.after.is_empty() {
        // Nothing could be observed: what was known stays known.
        return old.resources.clone();
    }
    facts
        .after
        .iter()
        .filter(|assessment| {
            matches!(assessment.wanted, Wanted::Present(_)) || assessment.state != State::InSync
        })
        .map(|assessment| resource(facts, assessment, old, clock))
        .collect()
}

fn resource(
    facts: &Facts<'_>,
    assessment: &Assessment,
    old: &DataProductStatus,
    clock: Clock,
) -> ResourceStatus {
    let key = assessment.key();
    let before =
        old.resources.iter().find(|before| before.kind == key.kind.as_str() && before.name == key.name);
    let (state, error) = describe(facts, assessment, before);
    let mut resource = ResourceStatus {
        kind: key.kind.as_str().to_owned(),
        name: text(&key.name, 255),
        id: assessment
            .id
            .clone()
            .or_else(|| before.and_then(|before| before.id.clone()))
            .map(|id| text(&id, ID_LIMIT)),
        state,
        drift: drift(&assessment.state),
        last_error: None,
        last_observed_at: before
            .filter(|before| before.state == state)
            .map_or_else(|| Some(instant(clock.now)), |before| before.last_observed_at.clone()),
    };
    resource.last_error = error.map(|(class, message)| {
        let how = match loss_token(&resource).filter(|_| matches!(assessment.state, State::Lost(_))) {
            Some(token) => {
                format!(
                    "{message}; restore it, or accept the loss with the annotation {ACCEPT_LOSS}: \"{token}\""
                )
            }
            None => message,
        };
        LastError { class, message: text(&how, MESSAGE_LIMIT) }
    });
    resource
}

/// The state that people see, and the error beside it.
fn describe(
    facts: &Facts<'_>,
    assessment: &Assessment,
    before: Option<&ResourceStatus>,
) -> (ResourceState, Option<(ErrorClass, String)>) {
    let terminal = |message: String| Some((ErrorClass::Terminal, message));
    let failure = facts.failure(assessment.key()).filter(|_| assessment.state != State::InSync);
    let failed = failure.map(|fault| (class_of(fault), fault.message.clone()));
    if assessment.state == State::Missing
        && before.is_some_and(|before| before.state == ResourceState::Lost)
        && facts.decision.memory.accepted_loss.contains(assessment.key())
    {
        // Until it is made anew it stays lost, so that the word that accepted the loss goes on to count.
        let message = || (ErrorClass::Transient, "its loss is accepted, and it is made anew".to_owned());
        return (ResourceState::Lost, failed.or_else(|| Some(message())));
    }
    // What may still appear stays under that name, because the next visit must go on looking for it.
    if failed.is_some() && !matches!(assessment.state, State::Begun(_)) {
        return (ResourceState::Failed, failed);
    }
    let adopted = before.is_some_and(|before| before.state == ResourceState::Adopted)
        || facts
            .outcomes
            .iter()
            .any(|outcome| outcome.key == *assessment.key() && outcome.verb == Verb::Adopt);
    match &assessment.state {
        State::InSync if adopted => (ResourceState::Adopted, None),
        State::InSync => (ResourceState::InSync, None),
        State::Missing | State::Claimable(Claim::Released | Claim::Predecessor, _) => {
            (ResourceState::Pending, blocked(facts))
        }
        State::Begun(until) => {
            (ResourceState::Creating, Some((ErrorClass::Transient, begun(assessment.key(), *until))))
        }
        State::Differs(_) => (ResourceState::Drifted, blocked(facts)),
        State::Surplus(_) => (ResourceState::Deleting, None),
        State::Lost(last_known) => (ResourceState::Lost, terminal(format!("it is gone; {last_known}"))),
        State::Foreign(whose) => {
            (ResourceState::Failed, terminal(format!("it is not this product's: {whose}")))
        }
        State::Claimable(..) => {
            (ResourceState::Failed, terminal("it carries no mark of this product".to_owned()))
        }
        State::PendingDeletion => (ResourceState::Failed, terminal("its deletion is scheduled".to_owned())),
        State::Disabled => (ResourceState::Failed, terminal("it is disabled".to_owned())),
        State::Unknown(fault) => (ResourceState::Failed, Some((class_of(fault), fault.message.clone()))),
    }
}

/// What to expect of a provider's failure.
pub(super) const fn class_of(fault: &Fault) -> ErrorClass {
    if fault.kind.is_transient() { ErrorClass::Transient } else { ErrorClass::Terminal }
}

fn blocked(facts: &Facts<'_>) -> Option<(ErrorClass, String)> {
    facts.decision.blockers.first().map(|blocker| (ErrorClass::Blocked, blocker.to_string()))
}

fn drift(state: &State) -> Vec<Drift> {
    let (State::Differs(Delta(changes)) | State::Claimable(_, Delta(changes))) = state else {
        return Vec::new();
    };
    changes
        .iter()
        .take(MAX_DRIFT)
        .map(|change| Drift {
            path: text(&change.path, VALUE_LIMIT),
            want: change.want.as_ref().map(|want| text(want, VALUE_LIMIT)),
            have: change.have.as_ref().map(|have| text(have, VALUE_LIMIT)),
        })
        .collect()
}

pub(super) fn outputs(facts: &Facts<'_>, old: &DataProductStatus) -> Option<Outputs> {
    if facts.after.is_empty() {
        return old.outputs.clone();
    }
    let found = |kind| {
        let assessment = facts.after.iter().find(|assessment| assessment.key().kind == kind)?;
        assessment.is_usable().then_some(assessment).filter(|it| matches!(it.wanted, Wanted::Present(_)))
    };
    let name = |kind| found(kind).map(|assessment| assessment.key().name.clone());
    let id = |kind| found(kind).and_then(|assessment| Some(text(assessment.id.as_ref()?, ID_LIMIT)));
    let outputs = Outputs {
        bucket: name(Kind::Bucket),
        bucket_arn: id(Kind::Bucket),
        catalog_database: name(Kind::CatalogDatabase),
        encryption_key_arn: id(Kind::EncryptionKey),
        alarm_name: name(Kind::FreshnessAlarm),
    };
    (outputs != Outputs::default()).then_some(outputs)
}

pub(super) fn endpoints(facts: &Facts<'_>) -> Vec<Endpoint> {
    let bucket =
        facts.after.iter().find(|assessment| assessment.key().kind == Kind::Bucket && assessment.is_usable());
    let bucket = bucket.and_then(|assessment| assessment.id.as_deref());
    let ports = facts.world.declared.product.spec.output_ports.iter();
    ports
        .filter_map(|port| {
            Some(Endpoint {
                name: port.name.clone(),
                uri: text(&uri(port, bucket)?, 2048),
                authentication: port.authentication.map(|authentication| authentication.as_str().to_owned()),
                reachable: None,
            })
        })
        .collect()
}

fn uri(port: &OutputPort, bucket: Option<&str>) -> Option<String> {
    if let Some(endpoint) = &port.endpoint {
        return Some(endpoint.clone());
    }
    if let (Some(database), Some(schema), Some(table)) = (&port.database, &port.schema, &port.table) {
        return Some(format!("{}://{database}/{schema}/{table}", port.type_));
    }
    let location = port.location.clone().unwrap_or_else(|| format!("{}/", port.name));
    bucket.map(|bucket| format!("{}/{location}", bucket.trim_end_matches('/')))
}
