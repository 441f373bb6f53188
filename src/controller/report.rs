//! The stage that says what is known: one status write where something differs, and events where something turned.

use kube::{
    Resource, ResourceExt,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

use super::{
    context::Context,
    kubernetes::{self, RequestError},
};
use crate::{
    api::{DataProduct, DataProductStatus, FIELD_MANAGER},
    plan::{Outcome, ProductName, StepResult},
};

/// Longest note of an event in characters.
const NOTE_LIMIT: usize = 900;

/// Writes a status when it differs from the one that was seen. Returns whether it was written.
pub async fn status(
    ctx: &Context,
    product: &DataProduct,
    new: &DataProductStatus,
) -> Result<bool, RequestError> {
    if product.status.as_ref() == Some(new) {
        return Ok(false);
    }
    let name = ProductName::of(product);
    let uid = product.uid().unwrap_or_default();
    match kubernetes::write_status(&ctx.client, &name, &uid, new).await {
        Ok(()) => Ok(true),
        // The object is gone or is another one: there is nobody to tell.
        Err(error) if error.is_about_another_object() => {
            tracing::debug!(%error, "the status has no reader any more");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Tells what turned: steps that were applied, and a new answer of `Ready`. An event that cannot be written is lost.
pub async fn events(ctx: &Context, product: &DataProduct, new: &DataProductStatus, outcomes: &[Outcome]) {
    let mut events = outcomes
        .iter()
        .filter(|outcome| outcome.result == StepResult::Applied)
        .map(|outcome| {
            let verb = past(outcome.verb);
            event(EventType::Normal, &format!("Resource{verb}"), outcome.verb, outcome.key.to_string())
        })
        .collect::<Vec<_>>();
    let before = product.status.as_ref().and_then(|status| status.condition("Ready"));
    if let Some(ready) = new.condition("Ready")
        && before.is_none_or(|before| (&before.status, &before.reason) != (&ready.status, &ready.reason))
    {
        let type_ = if ready.status == "True" { EventType::Normal } else { EventType::Warning };
        events.push(event(type_, &ready.reason, "Reconcile", ready.message.clone()));
    }
    publish(ctx, product, events).await;
}

/// Warns about something that no status can say any more.
pub async fn warn(ctx: &Context, product: &DataProduct, reason: &str, note: String) {
    publish(ctx, product, vec![event(EventType::Warning, reason, "Reconcile", note)]).await;
}

async fn publish(ctx: &Context, product: &DataProduct, events: Vec<Event>) {
    let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(ctx.instance.clone()) };
    let recorder = Recorder::new(ctx.client.clone(), reporter);
    let reference = product.object_ref(&());
    for event in events {
        let published = tokio::time::timeout(super::context::REQUEST, recorder.publish(&event, &reference));
        match published.await {
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

fn past(verb: &str) -> &'static str {
    match verb {
        "create" => "Created",
        "update" => "Updated",
        "adopt" => "Adopted",
        "release" => "Released",
        _ => "Deleted",
    }
}
