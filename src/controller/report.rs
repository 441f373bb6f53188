//! The stage that says what is known: one status write where something differs, and events where something turned.

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{
    Resource, ResourceExt,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

use super::{
    context::Context,
    kubernetes::{self, RequestError},
};
use crate::{
    api::{
        DataProduct, DataProductStatus, FIELD_MANAGER,
        status::{ErrorClass, ResourceStatus},
    },
    model::resource::Key,
    plan::{Outcome, ProductName, StepResult, Verb},
    status::{ConditionType, EventReason, Reason, intending},
};

/// Longest note of an event in characters.
const NOTE_LIMIT: usize = 900;

/// Writes a status when it differs from the one that was seen. Returns whether it was written.
pub async fn status(
    ctx: &Context,
    product: &DataProduct,
    new: &DataProductStatus,
) -> Result<bool, RequestError> {
    if product.status.as_ref().is_some_and(|seen| says(seen, new)) {
        return Ok(false);
    }
    let name = ProductName::of(product);
    let uid = product.uid().unwrap_or_default();
    match kubernetes::write_status(&ctx.client, &name, &uid, None, new).await {
        Ok(version) => {
            ctx.wrote(&name, &version);
            log(product, new);
            Ok(true)
        }
        // The object is gone or is another one: there is nobody to tell.
        Err(error) if error.is_about_another_object() => {
            tracing::debug!(%error, "the status has no reader any more");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Writes the intent to create resources, to exactly the version that was seen, and returns the product as it is then.
pub async fn intent(ctx: &Context, product: &DataProduct, keys: &[Key]) -> Result<DataProduct, RequestError> {
    let status = intending(&product.status.clone().unwrap_or_default(), keys, (ctx.now)());
    let name = ProductName::of(product);
    let (uid, seen) = (product.uid().unwrap_or_default(), product.resource_version());
    let version = kubernetes::write_status(&ctx.client, &name, &uid, seen.as_deref(), &status).await?;
    ctx.wrote(&name, &version);
    let mut product = product.clone();
    product.metadata.resource_version = Some(version);
    product.status = Some(status);
    Ok(product)
}

/// Whether a status says what ours would. Conditions of types that are not ours belong to whoever wrote them.
fn says(seen: &DataProductStatus, new: &DataProductStatus) -> bool {
    let foreign = |condition: &Condition| ConditionType::parse(&condition.type_).is_none();
    if !seen.conditions.iter().any(foreign) {
        return seen == new;
    }
    let mut seen = seen.clone();
    seen.conditions.retain(|condition| !foreign(condition));
    seen == *new
}

/// Tells what was done and what turned. An event that cannot be written is lost.
pub async fn events(ctx: &Context, product: &DataProduct, new: &DataProductStatus, outcomes: &[Outcome]) {
    // One event a verb, so that a new product costs one and not five.
    let done = Verb::ALL.into_iter().filter_map(|verb| {
        let applied = outcomes.iter().filter(|it| it.verb == verb && it.result == StepResult::Applied);
        let resources = applied.map(|outcome| match &outcome.change {
            Some(change) => format!("{}: {change}", outcome.key),
            None => outcome.key.to_string(),
        });
        let note = resources.collect::<Vec<_>>().join("; ");
        (!note.is_empty()).then(|| event(EventType::Normal, reason(verb).as_str(), verb.as_str(), note))
    });
    let told = turns(product.status.as_ref(), new).map(|now| {
        let kind = if now.status == "True" { EventType::Normal } else { EventType::Warning };
        event(kind, &now.reason, "Reconcile", format!("{}={}: {}", now.type_, now.status, now.message))
    });
    publish(ctx, product, done.chain(told).collect()).await;
}

/// Logs what turned, and which resource has begun to fail: one line each, and none for what stays as it is.
pub(super) fn log(product: &DataProduct, new: &DataProductStatus) {
    let old = product.status.as_ref();
    for now in turns(old, new) {
        tracing::info!(condition = now.type_, status = now.status, reason = now.reason, "{}", now.message);
    }
    let before = |resource: &ResourceStatus| {
        let same = |it: &&ResourceStatus| it.kind == resource.kind && it.name == resource.name;
        old.and_then(|old| old.resources.iter().find(same)?.last_error.clone())
    };
    for resource in &new.resources {
        let error = resource.last_error.as_ref().filter(|error| before(resource).as_ref() != Some(error));
        // What holds back the whole product is told of its condition, and not once more of each resource.
        if let Some(error) = error.filter(|error| error.class != ErrorClass::Blocked) {
            let name = format!("{}/{}", resource.kind, resource.name);
            tracing::warn!(resource = name, class = ?error.class, "{}", error.message);
        }
    }
}

/// The conditions that turned in a way that people want to hear of.
fn turns<'a>(
    old: Option<&'a DataProductStatus>,
    new: &'a DataProductStatus,
) -> impl Iterator<Item = &'a Condition> {
    let told = [ConditionType::Ready, ConditionType::LineageResolved, ConditionType::SLOsMet];
    told.into_iter().filter_map(move |type_| {
        let before = old.and_then(|old| old.condition(type_.as_str()));
        let now = new.condition(type_.as_str())?;
        turned(type_, before, now).then_some(now)
    })
}

/// Whether a condition turned in a way that people want to hear of: every new answer of `Ready`, and of the others only
/// what becomes false and what is mended.
fn turned(type_: ConditionType, before: Option<&Condition>, now: &Condition) -> bool {
    let was_false = before.is_some_and(|before| before.status == "False");
    if type_ == ConditionType::Ready {
        before.is_none_or(|before| (&before.status, &before.reason) != (&now.status, &now.reason))
    } else if was_false {
        now.status == "True"
    } else {
        now.status == "False"
    }
}

/// Warns of a product that goes and of what it leaves behind, which no status can say any more.
pub async fn left_behind(ctx: &Context, product: &DataProduct, note: String) {
    let reason = EventReason::LeftBehind.as_str();
    publish(ctx, product, vec![event(EventType::Warning, reason, "Reconcile", note)]).await;
}

/// Tells that the operator has let a product go, because it is about to go itself.
pub async fn let_go(ctx: &Context, product: &ObjectReference) {
    let note = "the operator is about to be uninstalled: this product can be deleted without it, and what it owns outside stays as it is";
    let event = event(EventType::Normal, EventReason::LetGo.as_str(), "Reconcile", note.to_owned());
    publish_on(ctx, product, vec![event]).await;
}

/// Warns on an object beside the products that it cannot be decoded and counts as absent; it has no status to say so.
pub async fn undecodable(ctx: &Context, object: ObjectReference, error: &str) {
    let note = format!("the object cannot be read and counts as absent: {error}; correct that field");
    let warning = event(EventType::Warning, Reason::Undecodable.as_str(), "Reconcile", note);
    publish_on(ctx, &object, vec![warning]).await;
}

async fn publish(ctx: &Context, product: &DataProduct, events: Vec<Event>) {
    publish_on(ctx, &product.object_ref(&()), events).await;
}

async fn publish_on(ctx: &Context, object: &ObjectReference, events: Vec<Event>) {
    for event in events {
        // A recorder of its own, or two events of the same reason would count as one that repeats itself.
        let reporter =
            Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(ctx.instance.clone()) };
        let recorder = Recorder::new(ctx.client.clone(), reporter);
        match tokio::time::timeout(super::context::REQUEST, recorder.publish(&event, object)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an event was not written"),
            Err(_) => tracing::debug!("an event was not written in time"),
        }
    }
}

fn event(type_: EventType, reason: &str, action: &str, note: String) -> Event {
    Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note.chars().take(NOTE_LIMIT).collect()),
        action: action.to_owned(),
        secondary: None,
    }
}

const fn reason(verb: Verb) -> EventReason {
    match verb {
        Verb::Create => EventReason::ResourceCreated,
        Verb::Update => EventReason::ResourceUpdated,
        Verb::Adopt => EventReason::ResourceAdopted,
        Verb::Release => EventReason::ResourceReleased,
        Verb::Delete => EventReason::ResourceDeleted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn condition(status: &str, reason: &str) -> Condition {
        Condition {
            type_: "T".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
        }
    }

    #[test]
    fn an_event_tells_of_a_turn_and_not_of_what_stays() {
        use ConditionType::{Ready, SLOsMet};
        let cases = [
            ("ready for the first time", Ready, None, ("True", "Ready"), true),
            ("ready and stays", Ready, Some(("True", "Ready")), ("True", "Ready"), false),
            (
                "not ready for another reason",
                Ready,
                Some(("False", "Creating")),
                ("False", "Throttled"),
                true,
            ),
            ("unknown at first", SLOsMet, None, ("Unknown", "NoData"), false),
            ("met at first", SLOsMet, None, ("True", "Succeeded"), false),
            ("breached", SLOsMet, Some(("True", "Succeeded")), ("False", "Breached"), true),
            ("breached at first", SLOsMet, None, ("False", "Breached"), true),
            ("breached and stays", SLOsMet, Some(("False", "Breached")), ("False", "NoData"), false),
            ("mended", SLOsMet, Some(("False", "Breached")), ("True", "Succeeded"), true),
            ("not measured any more", SLOsMet, Some(("False", "Breached")), ("Unknown", "NoData"), false),
        ];
        for (case, type_, before, (status, reason), expected) in cases {
            let before = before.map(|(status, reason)| condition(status, reason));
            assert_eq!(turned(type_, before.as_ref(), &condition(status, reason)), expected, "{case}");
        }
    }
}
