//! The word that is written before something is made that cannot be made twice without harm.

use jiff::Timestamp;

use super::dated::instant;
use crate::{
    api::{
        DataProductStatus,
        status::{ResourceState, ResourceStatus},
    },
    model::resource::Key,
};

/// The status with the intent to create resources: each is `Creating` from this instant on.
///
/// Whoever comes after a crash, or after an answer that was lost, finds the word and looks for what may have been made
/// before it makes another.
pub fn intending(status: &DataProductStatus, keys: &[Key], now: Timestamp) -> DataProductStatus {
    let mut status = status.clone();
    for key in keys {
        let found =
            status.resources.iter().position(|it| it.kind == key.kind.as_str() && it.name == key.name);
        let id = found.and_then(|index| status.resources.remove(index).id);
        status.resources.push(ResourceStatus {
            kind: key.kind.as_str().to_owned(),
            name: key.name.clone(),
            id,
            state: ResourceState::Creating,
            drift: Vec::new(),
            last_error: None,
            last_observed_at: Some(instant(now)),
        });
    }
    status
}
