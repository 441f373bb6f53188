//! The listings of an account, and whether they still show what a full look has found.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sdk_glue::types::Database;
use aws_sdk_lakeformation::types::DataLakeResourceType;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use futures::future::{try_join, try_join_all};

use super::{Aws, Call, Failure, alarm, catalog, survey::Listing, tag, words};
use crate::{
    model::{
        attributes::{Attributes, Grants},
        owner::MANAGED_BY,
        resource::{Health, Key, Kind, Observed, Tags},
    },
    provider::{ErrorKind, Marked},
};

/// Entries on one page of each listing.
const PAGE: i32 = 100;
/// Alarms that are asked for by name in one call.
pub(super) const ALARMS: usize = 100;
/// Number of pages that are read of one listing: a hundred thousand resources.
const MAX_PAGES: usize = 1000;

/// What is marked as ours: keys and buckets by their ARN, and the number of keys of each purpose.
#[derive(Debug, Default)]
pub(super) struct Tagged {
    tags: BTreeMap<String, Tags>,
    keys: BTreeMap<String, usize>,
}

impl Tagged {
    fn add(&mut self, arn: String, tags: Tags) {
        if arn.contains(":kms:")
            && let Some(purpose) = tags.get(tag::PURPOSE)
        {
            *self.keys.entry(purpose.clone()).or_default() += 1;
        }
        self.tags.insert(arn, tags);
    }
}

/// The listings of one account and region.
#[derive(Default)]
pub(super) struct Listings {
    marked: Listing<Tagged>,
    databases: Listing<BTreeMap<String, Database>>,
    grants: Listing<BTreeMap<String, Grants>>,
    alarms: Listing<BTreeMap<String, MetricAlarm>>,
}

impl Aws {
    /// Whether the listings show a resource as the last full look found it. Where they may not be read, nothing is known.
    pub(super) async fn is_still(&self, seen: &Observed) -> Result<bool, Failure> {
        if seen.health != Health::Live || seen.owner.is_none() {
            return Ok(false);
        }
        let still = match seen.key.kind {
            Kind::EncryptionKey | Kind::Bucket => self.is_still_marked(seen).await,
            Kind::CatalogDatabase => self.is_still_defined(seen).await,
            Kind::Grant => self.is_still_granted(seen).await,
            Kind::FreshnessAlarm => self.is_still_set(seen).await,
        };
        match still {
            Err(failure) if failure.kind == ErrorKind::Denied => Ok(false),
            still => still,
        }
    }

    async fn is_still_marked(&self, seen: &Observed) -> Result<bool, Failure> {
        let marked = self.listings.marked.fresh(&self.clock, self.list_marked()).await?;
        let (tags, alone) = match (&seen.attributes, &seen.owner) {
            (Attributes::EncryptionKey(key), Some(owner)) => {
                // A second key of the same purpose is a surplus that only a full look tells apart.
                let keys = marked.keys.get(&owner.purpose).copied().unwrap_or_default();
                (tag::all(owner, &key.tags), keys == 1 + key.surplus.len())
            }
            (Attributes::Bucket(bucket), Some(owner)) => (tag::all(owner, &bucket.tags), true),
            _ => return Ok(false),
        };
        Ok(alone && marked.tags.get(&seen.id) == Some(&tags))
    }

    async fn is_still_defined(&self, seen: &Observed) -> Result<bool, Failure> {
        let databases = self.listings.databases.fresh(&self.clock, self.list_databases()).await?;
        let Attributes::CatalogDatabase(attributes) = &seen.attributes else { return Ok(false) };
        let listed = databases.get(&seen.key.name);
        Ok(listed.is_some_and(|listed| catalog::is_defined_as(listed, attributes)))
    }

    async fn is_still_granted(&self, seen: &Observed) -> Result<bool, Failure> {
        let granted = self.listings.grants.fresh(&self.clock, self.list_granted()).await?;
        let Attributes::Grant(grants) = &seen.attributes else { return Ok(false) };
        Ok(granted.get(&seen.key.name) == Some(grants))
    }

    async fn is_still_set(&self, seen: &Observed) -> Result<bool, Failure> {
        let alarms = self.listings.alarms.fresh(&self.clock, self.list_alarms()).await?;
        let Attributes::FreshnessAlarm(attributes) = &seen.attributes else { return Ok(false) };
        let listed = alarms.get(&seen.key.name);
        Ok(listed.is_some_and(|listed| alarm::read(listed, attributes.tags.clone()) == *attributes))
    }

    /// An alarm as the listing shows it.
    pub(super) async fn listed_alarm(&self, name: &str) -> Result<Option<MetricAlarm>, Failure> {
        let alarms = self.listings.alarms.fresh(&self.clock, self.list_alarms()).await?;
        Ok(alarms.get(name).cloned())
    }

    /// Everything in the account that carries our tag. Tags of the provider's own are left out.
    async fn list_marked(&self) -> Result<Tagged, Failure> {
        let filter = TagFilter::builder().key("ManagedBy").values(MANAGED_BY).build();
        let mut marked = Tagged::default();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self.clients.tagging.get_resources().tag_filters(filter.clone());
            let request = request.resource_type_filters("kms:key").resource_type_filters("s3");
            let request = request.resources_per_page(PAGE).set_pagination_token(token.take()).send();
            let page = self.call(Call::GetResources, request).await?;
            for listed in page.resource_tag_mapping_list.unwrap_or_default() {
                let tags = listed.tags.unwrap_or_default().into_iter();
                let tags = tags.filter(|tag| !tag.key.starts_with("aws:"));
                let tags = tags.map(|tag| (tag.key, tag.value)).collect();
                if let Some(arn) = listed.resource_arn {
                    marked.add(arn, tags);
                }
            }
            token = page.pagination_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(marked);
            }
        }
        Err(too_many("tagged resources"))
    }

    /// Keys and buckets that carry a mark. What else a product has is small, holds no data, and goes by the same name.
    pub(super) async fn survey(&self) -> Result<Vec<Marked>, Failure> {
        let listed = self.list_marked().await?.tags.into_iter();
        let marked = listed.filter_map(|(id, tags)| {
            let (owner, _) = tag::read(&tags);
            let owner = owner?;
            let key = match id.split_once(":s3:::") {
                Some((_, bucket)) => Key::new(Kind::Bucket, bucket),
                None => Key::new(Kind::EncryptionKey, owner.purpose.replace('/', "-")),
            };
            Some(Marked { key, id, owner })
        });
        Ok(marked.collect())
    }

    async fn list_databases(&self) -> Result<BTreeMap<String, Database>, Failure> {
        let mut databases = BTreeMap::new();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self.clients.glue.get_databases().max_results(PAGE).set_next_token(token.take());
            let page = self.call(Call::GetDatabases, request.send()).await?;
            databases
                .extend(page.database_list.into_iter().map(|database| (database.name.clone(), database)));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(databases);
            }
        }
        Err(too_many("databases"))
    }

    /// Everything that is granted on databases and on all of their tables, by database.
    async fn list_granted(&self) -> Result<BTreeMap<String, Grants>, Failure> {
        let (mut listed, tables) = try_join(
            self.list_grants(None, Some(DataLakeResourceType::Database)),
            self.list_grants(None, Some(DataLakeResourceType::Table)),
        )
        .await?;
        listed.extend(tables);
        Ok(words::by_database(&listed, &self.caller))
    }

    /// The alarms that were seen before, by name.
    async fn list_alarms(&self) -> Result<BTreeMap<String, MetricAlarm>, Failure> {
        let names = self.seen.names(Kind::FreshnessAlarm);
        let pages = names.chunks(ALARMS).map(|names| self.alarms_named(names.to_vec()));
        let alarms = try_join_all(pages).await?.into_iter().flatten();
        Ok(alarms.filter_map(|alarm| Some((alarm.alarm_name.clone()?, alarm))).collect())
    }

    /// The alarms of some names, at most [`ALARMS`].
    pub(super) async fn alarms_named(&self, names: Vec<String>) -> Result<Vec<MetricAlarm>, Failure> {
        let wanted = names.iter().cloned().collect::<BTreeSet<_>>();
        let mut alarms = Vec::new();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self.clients.cloudwatch.describe_alarms().set_alarm_names(Some(names.clone()));
            let request = request.max_records(PAGE).set_next_token(token.take()).send();
            let page = self.call(Call::DescribeAlarms, request).await?;
            alarms.extend(page.metric_alarms.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                alarms.retain(|alarm| alarm.alarm_name.as_ref().is_some_and(|name| wanted.contains(name)));
                return Ok(alarms);
            }
        }
        Err(too_many("alarms"))
    }
}

fn too_many(what: &str) -> Failure {
    Failure::new(ErrorKind::Unexpected, format!("the account has more {what} than can be listed"))
}
