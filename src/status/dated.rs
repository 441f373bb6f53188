//! What a status needs of time and size: transition times that move only with the status, and texts that are cut.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::{ConditionType, MESSAGE_LIMIT, Signal};
use crate::api::status::Instant;

/// The instant and generation that a status is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) generation: i64,
}

/// An instant in whole seconds, as Kubernetes writes it.
pub(super) fn instant(at: Timestamp) -> Instant {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

/// Dates conditions: a transition time is kept for as long as the status of its condition stays.
pub(super) fn conditions(
    old: &[Condition],
    signals: Vec<(ConditionType, Signal)>,
    clock: Clock,
) -> Vec<Condition> {
    signals
        .into_iter()
        .map(|(type_, signal)| {
            let status = match signal.holds {
                Some(true) => "True",
                Some(false) => "False",
                None => "Unknown",
            };
            let before = old.iter().find(|before| before.type_ == type_.as_str() && before.status == status);
            Condition {
                type_: type_.as_str().to_owned(),
                status: status.to_owned(),
                reason: signal.reason.as_str().to_owned(),
                message: text(&signal.message, MESSAGE_LIMIT),
                observed_generation: Some(clock.generation),
                last_transition_time: before
                    .map_or_else(|| instant(clock.now), |before| before.last_transition_time.clone()),
            }
        })
        .collect()
}

/// Cuts a text to a number of characters and says so.
pub(super) fn text(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}
