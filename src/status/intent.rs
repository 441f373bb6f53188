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
        let before = found.map(|index| status.resources.remove(index));
        // What is made anew after a loss that its owner accepted has no past any more; else its absence after an answer
        // that is lost would be a second loss, which needs a second word.
        let id = before.filter(|before| before.state != ResourceState::Lost).and_then(|before| before.id);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Kind;

    fn resource(kind: Kind, state: ResourceState) -> ResourceStatus {
        ResourceStatus {
            kind: kind.as_str().to_owned(),
            name: "a".to_owned(),
            id: Some("id".to_owned()),
            state,
            drift: Vec::new(),
            last_error: None,
            last_observed_at: None,
        }
    }

    #[test]
    fn an_intent_dates_its_resource_and_leaves_the_others() {
        let bucket = resource(Kind::Bucket, ResourceState::InSync);
        let status = DataProductStatus { resources: vec![bucket.clone()], ..DataProductStatus::default() };
        let after = intending(&status, &[Key::new(Kind::EncryptionKey, "a")], Timestamp::UNIX_EPOCH);
        assert_eq!(after.resources[0], bucket);
        let key = &after.resources[1];
        assert_eq!((key.state, key.id.clone()), (ResourceState::Creating, None));
        assert_eq!(key.last_observed_at, Some(instant(Timestamp::UNIX_EPOCH)));
    }

    #[test]
    fn what_is_made_anew_after_an_accepted_loss_has_no_past() {
        for (state, id) in [(ResourceState::Failed, Some("id".to_owned())), (ResourceState::Lost, None)] {
            let status = DataProductStatus {
                resources: vec![resource(Kind::EncryptionKey, state)],
                ..DataProductStatus::default()
            };
            let after = intending(&status, &[Key::new(Kind::EncryptionKey, "a")], Timestamp::UNIX_EPOCH);
            assert_eq!((after.resources.len(), after.resources[0].id.clone()), (1, id), "{state:?}");
        }
    }
}
