//! KMS: the product's key and its alias.
//!
//! A key is found by its alias, and where that leads nowhere by its tags. Nothing uses a key before its alias leads to it,
//! so a further key of the same mark is a surplus that may be scheduled for deletion at any time.

use std::collections::BTreeSet;

use aws_sdk_kms::types::{KeyState, Tag};
use futures::future::try_join;

use super::{
    Aws, Call, Failure,
    failure::absent_is_fine,
    may_complete, may_remove, may_update,
    search::{Found, Keys},
    tag,
};
use crate::{
    model::{
        attributes::{Attributes, EncryptionKey},
        owner::Owner,
        resource::{Delta, Desired, Health, Key, Observed, Removal, Tags},
    },
    provider::ErrorKind,
};

/// Days until a surplus key ends: the longest that there is, so that everybody can still object.
const SURPLUS_WINDOW: i32 = 30;

/// The identifier within the account of an ARN.
fn id_of(arn: &str) -> &str {
    arn.rsplit_once("key/").map_or(arn, |(_, id)| id)
}

/// The alias of that name, as the service writes it.
pub(super) fn alias(name: &str) -> String {
    format!("alias/{name}")
}

fn tags(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().tag_key(key).tag_value(value).build();
    tags.iter()
        .map(tag)
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::refusal(ErrorKind::Invalid, format!("a tag is not allowed: {error}")))
}

impl Aws {
    pub(super) async fn observe_key(&self, key: &Key, owner: &Owner) -> Result<Option<Observed>, Failure> {
        let Some(Keys { primary, surplus }) = self.find_keys(&key.name, owner).await? else {
            return Ok(None);
        };
        let rotation = if primary.is_pending() { false } else { self.is_rotated(primary.id()).await? };
        let (owner, tags) = tag::read(&primary.tags);
        let health = match primary.metadata.key_state() {
            Some(KeyState::Enabled) => Health::Live,
            Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) => Health::PendingDeletion,
            Some(KeyState::Creating | KeyState::Updating) => {
                return Err(Failure::new(ErrorKind::Unavailable, "the key is being changed"));
            }
            _ => Health::Disabled,
        };
        let attributes = Attributes::EncryptionKey(EncryptionKey {
            description: primary.metadata.description().unwrap_or_default().to_owned(),
            rotation,
            named: primary.named,
            surplus,
            tags,
        });
        Ok(Some(Observed { key: key.clone(), id: primary.arn(), owner, attributes, health }))
    }

    pub(super) async fn create_key(&self, desired: &Desired, want: &EncryptionKey) -> Result<(), Failure> {
        let name = &desired.key.name;
        let found = self.find_keys(name, &desired.owner).await.map_err(Failure::before_effect)?;
        let id = match found {
            Some(keys) => {
                may_complete(keys.primary.owner().as_ref(), desired)?;
                self.take_back(&keys.primary, desired, want).await?;
                if keys.primary.named && self.is_rotated(keys.primary.id()).await? == want.rotation {
                    return Ok(());
                }
                keys.primary.id().to_owned()
            }
            None => self.make_key(desired, want).await?,
        };
        // From here on a key exists, and the search must find it again whatever happens.
        try_join(self.rotate(&id), self.name_key(name, &id)).await.map_err(Failure::after_effect)?;
        Ok(())
    }

    pub(super) async fn update_key(
        &self,
        desired: &Desired,
        want: &EncryptionKey,
        delta: &Delta,
    ) -> Result<(), Failure> {
        let keys = self.find_keys(&desired.key.name, &desired.owner).await?.ok_or_else(Failure::absent)?;
        may_update(keys.primary.owner().as_ref(), desired, delta)?;
        let id = keys.primary.id();
        self.tag_key(id, &tag::changed(desired, &want.tags, delta)).await?;
        if delta.touches("description") {
            self.describe_anew(id, &want.description).await?;
        }
        if delta.touches("rotation") && want.rotation {
            self.rotate(id).await?;
        }
        if delta.touches("named") && !keys.primary.named {
            self.name_key(&desired.key.name, id).await?;
        }
        // Only what was planned and is still a surplus now.
        let planned = delta.below("surplus").collect::<BTreeSet<_>>();
        for surplus in keys.surplus.iter().filter(|surplus| planned.contains(surplus.as_str())) {
            self.schedule_deletion(id_of(surplus), SURPLUS_WINDOW).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_key(&self, removal: &Removal) -> Result<(), Failure> {
        let Some(keys) = self.find_keys(&removal.key.name, &removal.owner).await? else {
            return Ok(());
        };
        may_remove(keys.primary.owner().as_ref(), removal)?;
        for surplus in &keys.surplus {
            self.schedule_deletion(id_of(surplus), SURPLUS_WINDOW).await?;
        }
        if keys.primary.is_pending() {
            return Ok(());
        }
        if keys.primary.named {
            let request = self.clients.kms.delete_alias().alias_name(alias(&removal.key.name)).send();
            absent_is_fine(self.call(Call::DeleteAlias, request).await.map(drop))?;
        }
        self.schedule_deletion(keys.primary.id(), removal.key_window_days).await
    }

    /// The identifier of the usable key of that name, for whatever is to be encrypted with it.
    pub(super) async fn key_to_use(&self, name: &str) -> Result<String, Failure> {
        let metadata = self.describe(&alias(name)).await?;
        match metadata {
            Some(metadata) if metadata.key_state() == Some(&KeyState::Enabled) => {
                Ok(metadata.arn().unwrap_or(metadata.key_id()).to_owned())
            }
            Some(_) => Err(Failure::refusal(
                ErrorKind::Conflict,
                format!("the key {name} cannot be used in its state"),
            )),
            None => Err(Failure::refusal(ErrorKind::NotFound, format!("there is no key {name} yet"))),
        }
    }

    /// The name by which a key is known; its identifier where it has none.
    pub(super) async fn key_name(&self, id: &str) -> Result<String, Failure> {
        let request = self.clients.kms.list_aliases().key_id(id).send();
        let known = match self.call(Call::ListAliases, request).await {
            Ok(listed) => listed.aliases.unwrap_or_default(),
            Err(failure) if failure.is_absent() => Vec::new(),
            // A key of another account, or one that is gone, is no key of ours.
            Err(failure) if failure.kind == ErrorKind::Invalid => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let name = known.iter().find_map(|alias| alias.alias_name()?.strip_prefix("alias/"));
        Ok(name.unwrap_or(id).to_owned())
    }

    async fn is_rotated(&self, id: &str) -> Result<bool, Failure> {
        let request = self.clients.kms.get_key_rotation_status().key_id(id).send();
        match self.call(Call::GetKeyRotationStatus, request).await {
            Ok(answer) => Ok(answer.key_rotation_enabled),
            // A key that cannot be used is not rotated either.
            Err(failure) if failure.is(&["KMSInvalidStateException", "UnsupportedOperationException"]) => {
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn make_key(&self, desired: &Desired, want: &EncryptionKey) -> Result<String, Failure> {
        let all = tags(&tag::all(&desired.owner, &want.tags))?;
        let request = self.clients.kms.create_key().description(&want.description).set_tags(Some(all)).send();
        let made = self.call(Call::CreateKey, request).await?;
        made.key_metadata.map(|made| made.key_id).ok_or_else(Failure::garbled)
    }

    /// Makes a key that was found the product's own again.
    async fn take_back(&self, found: &Found, desired: &Desired, want: &EncryptionKey) -> Result<(), Failure> {
        let id = found.id();
        if found.is_pending() {
            let request = self.clients.kms.cancel_key_deletion().key_id(id).send();
            self.call(Call::CancelKeyDeletion, request).await?;
        }
        if found.metadata.key_state() != Some(&KeyState::Enabled) {
            let request = self.clients.kms.enable_key().key_id(id).send();
            self.call(Call::EnableKey, request).await?;
        }
        let wanted = tag::all(&desired.owner, &want.tags);
        let differing =
            wanted.into_iter().filter(|(key, value)| found.tags.get(key) != Some(value)).collect();
        self.tag_key(id, &differing).await?;
        if found.metadata.description() != Some(&want.description) {
            self.describe_anew(id, &want.description).await?;
        }
        Ok(())
    }

    async fn tag_key(&self, id: &str, wanted: &Tags) -> Result<(), Failure> {
        if wanted.is_empty() {
            return Ok(());
        }
        let request = self.clients.kms.tag_resource().key_id(id).set_tags(Some(tags(wanted)?)).send();
        self.call(Call::TagKey, request).await.map(drop)
    }

    async fn describe_anew(&self, id: &str, description: &str) -> Result<(), Failure> {
        let request = self.clients.kms.update_key_description().key_id(id).description(description).send();
        self.call(Call::UpdateKeyDescription, request).await.map(drop)
    }

    async fn rotate(&self, id: &str) -> Result<(), Failure> {
        let request = self.clients.kms.enable_key_rotation().key_id(id).send();
        self.call(Call::EnableKeyRotation, request).await.map(drop)
    }

    /// Leads the name to a key. A name that leads elsewhere belongs to another key: ours is then the surplus, or the name
    /// is somebody else's; the next look tells which.
    async fn name_key(&self, name: &str, id: &str) -> Result<(), Failure> {
        let request = self.clients.kms.create_alias().alias_name(alias(name)).target_key_id(id).send();
        match self.call(Call::CreateAlias, request).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(&["AlreadyExistsException"]) => {
                let target = self.describe(&alias(name)).await?;
                let leads_here = target.is_some_and(|target| target.key_id() == id);
                if leads_here {
                    Ok(())
                } else {
                    Err(Failure::new(ErrorKind::Conflict, "its name leads to another key"))
                }
            }
            Err(failure) => Err(failure),
        }
    }

    async fn schedule_deletion(&self, id: &str, days: i32) -> Result<(), Failure> {
        let request = self.clients.kms.schedule_key_deletion().key_id(id).pending_window_in_days(days).send();
        match self.call(Call::ScheduleKeyDeletion, request).await {
            Err(failure) if failure.is(&["KMSInvalidStateException"]) || failure.is_absent() => Ok(()),
            answer => answer.map(drop),
        }
    }
}
