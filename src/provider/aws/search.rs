//! The search for a product's key: by its alias, else by its tags, and the surplus ones beside it.

use std::collections::BTreeSet;

use aws_sdk_kms::types::{KeyMetadata, KeyState};
use aws_sdk_resourcegroupstagging::types::TagFilter;
use futures::future::{try_join, try_join_all};

use super::{Aws, Call, Failure, key::alias, tag};
use crate::model::{
    owner::{Claim, Owner},
    resource::Tags,
};

/// Number of keys of one product that are looked at. More than two would be a fault in itself.
const MAX_KEYS: usize = 10;
/// Number of pages of any listing about one resource.
const MAX_PAGES: usize = 20;

/// A key as it was found.
pub(super) struct Found {
    pub(super) metadata: KeyMetadata,
    pub(super) tags: Tags,
    /// Whether the alias led to it.
    pub(super) named: bool,
}

impl Found {
    pub(super) fn arn(&self) -> String {
        self.metadata.arn().unwrap_or(self.metadata.key_id()).to_owned()
    }

    /// The identifier within the account, which every call takes.
    pub(super) fn id(&self) -> &str {
        self.metadata.key_id()
    }

    pub(super) fn owner(&self) -> Option<Owner> {
        tag::read(&self.tags).0
    }

    pub(super) fn is_pending(&self) -> bool {
        self.metadata.key_state() == Some(&KeyState::PendingDeletion)
    }

    /// The better one comes first: one that works, then the nearest mark, then the oldest.
    fn rank(&self, owner: &Owner) -> impl Ord + use<> {
        let claim = match owner.claim(self.owner().as_ref()) {
            Claim::Mine => 0,
            Claim::Predecessor => 1,
            Claim::Released => 2,
            Claim::Foreign | Claim::Unmarked => 3,
        };
        let created = self.metadata.creation_date().map(aws_sdk_kms::primitives::DateTime::as_nanos);
        (self.is_pending(), claim, created, self.arn())
    }
}

/// The product's key and the surplus ones.
pub(super) struct Keys {
    pub(super) primary: Found,
    pub(super) surplus: BTreeSet<String>,
}

impl Aws {
    /// Finds the product's key by its alias, else by its tags, and the surplus ones beside it.
    pub(super) async fn find_keys(&self, name: &str, owner: &Owner) -> Result<Option<Keys>, Failure> {
        let (named, listed) = try_join(self.named_key(name), self.search_keys(owner)).await?;
        let beside =
            listed.into_iter().filter(|(arn, _)| named.as_ref().is_none_or(|named| named.arn() != *arn));
        let mut marked = self.described(beside.collect()).await?;
        let primary = if let Some(named) = named {
            named
        } else {
            let best = marked.iter().enumerate().min_by_key(|(_, found)| found.rank(owner));
            let Some(best) = best.map(|(index, _)| index) else { return Ok(None) };
            marked.swap_remove(best)
        };
        let own = |found: &Found| owner.claim(found.owner().as_ref()).is_own();
        let surplus = marked.iter().filter(|found| own(found) && !found.is_pending());
        let surplus = surplus.map(Found::arn).collect();
        Ok(Some(Keys { primary, surplus }))
    }

    async fn named_key(&self, name: &str) -> Result<Option<Found>, Failure> {
        let Some(metadata) = self.describe(&alias(name)).await? else { return Ok(None) };
        let tags = self.key_tags(metadata.key_id()).await?;
        Ok(Some(Found { metadata, tags, named: true }))
    }

    /// The keys that carry the purpose of an owner and could be its own, with their tags. The search may be behind by some
    /// minutes.
    async fn search_keys(&self, owner: &Owner) -> Result<Vec<(String, Tags)>, Failure> {
        let filter = TagFilter::builder().key(tag::PURPOSE).values(&owner.purpose).build();
        let mut found = Vec::new();
        let mut token = None;
        // A page may be empty although others follow.
        for _ in 0..MAX_PAGES {
            let request = self.clients.tagging.get_resources().resource_type_filters("kms:key");
            let request = request.tag_filters(filter.clone()).set_pagination_token(token.take()).send();
            let page = self.call(Call::GetResources, request).await?;
            for listed in page.resource_tag_mapping_list.unwrap_or_default() {
                let tags = listed.tags.unwrap_or_default().into_iter();
                let tags: Tags = tags.map(|tag| (tag.key, tag.value)).collect();
                let claim = owner.claim(tag::read(&tags).0.as_ref());
                if let Some(arn) = listed.resource_arn
                    && !matches!(claim, Claim::Foreign | Claim::Unmarked)
                    && found.len() < MAX_KEYS
                {
                    found.push((arn, tags));
                }
            }
            token = page.pagination_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(Failure::garbled())
    }

    /// Keys with their state. The search also lists such as are gone by now.
    async fn described(&self, keys: Vec<(String, Tags)>) -> Result<Vec<Found>, Failure> {
        let looks = keys.into_iter().map(|(arn, tags)| async move {
            let metadata = self.describe(&arn).await?;
            Ok::<_, Failure>(metadata.map(|metadata| Found { metadata, tags, named: false }))
        });
        Ok(try_join_all(looks).await?.into_iter().flatten().collect())
    }

    pub(super) async fn describe(&self, id: &str) -> Result<Option<KeyMetadata>, Failure> {
        let request = self.clients.kms.describe_key().key_id(id).send();
        match self.call(Call::DescribeKey, request).await {
            Ok(answer) => answer.key_metadata.map(Some).ok_or_else(Failure::garbled),
            Err(failure) if failure.is_absent() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn key_tags(&self, id: &str) -> Result<Tags, Failure> {
        let mut tags = Tags::new();
        let mut marker = None;
        for _ in 0..MAX_PAGES {
            let request = self.clients.kms.list_resource_tags().key_id(id).set_marker(marker.take());
            let page = self.call(Call::ListResourceTags, request.send()).await?;
            let listed = page.tags.unwrap_or_default().into_iter();
            tags.extend(listed.map(|tag| (tag.tag_key, tag.tag_value)));
            marker = page.next_marker.filter(|_| page.truncated);
            if marker.is_none() {
                return Ok(tags);
            }
        }
        Err(Failure::garbled())
    }
}
