//! Lake Formation: what is granted on the product's database and on its tables.
//!
//! Grants carry no tags: their mark is that of the database. The words of the seam are those of the service, `ALL` for
//! everything on the database and the others for all of its tables. What the service adds by itself (the rights of whoever
//! made the database) and what is granted on single tables is not managed here.

use std::collections::BTreeSet;

use aws_sdk_lakeformation::types::{
    BatchPermissionsRequestEntry, DataLakeResourceType, PrincipalResourcePermissions, Resource,
};
use futures::future::try_join;

use super::{
    Aws, Call, Failure, may_complete, may_remove, may_update, tag,
    words::{Entries, On, answers, batch, beyond, by_database, entry, numbered},
};
use crate::{
    model::{
        arn,
        attributes::{Attributes, Grants},
        resource::{Delta, Desired, Health, Key, Observed, Removal, Tags},
    },
    provider::ErrorKind,
};

/// Entries in one call.
pub(super) const BATCH: usize = 20;
/// Entries that the service lists on one page.
const PAGE: i32 = 1000;
/// Number of pages that are read of the grants on one database.
const MAX_PAGES: usize = 50;

impl Aws {
    pub(super) async fn observe_grants(&self, key: &Key) -> Result<Option<Observed>, Failure> {
        // The mark first: of a database that is not there, the service may not list the grants at all.
        let tags = match self.database_tags(&key.name).await {
            Err(failure) if failure.is_absent() => return Ok(None),
            tags => tags?,
        };
        let entries = self.granted(&key.name).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let (owner, _) = tag::read(&tags);
        let id = format!("{}#grants", self.database_arn(&key.name));
        let attributes = Attributes::Grant(Grants { entries });
        Ok(Some(Observed { key: key.clone(), id, owner, attributes, health: Health::Live }))
    }

    pub(super) async fn create_grants(&self, desired: &Desired, want: &Grants) -> Result<(), Failure> {
        let database = &desired.key.name;
        self.refuse_own(want)?;
        let owner = self.database_owner(database).await?.ok_or_else(Failure::absent)?;
        may_complete(owner.as_ref(), desired)?;
        let granted = self.granted(database).await?;
        self.grant(batch(database, &beyond(&want.entries, &granted))?).await
    }

    pub(super) async fn update_grants(
        &self,
        desired: &Desired,
        want: &Grants,
        delta: &Delta,
    ) -> Result<(), Failure> {
        let database = &desired.key.name;
        self.refuse_own(want)?;
        let owner = self.database_owner(database).await?.ok_or_else(Failure::absent)?;
        let granted = self.granted(database).await?;
        if granted.is_empty() {
            return Err(Failure::absent());
        }
        may_update(owner.as_ref(), desired, delta)?;
        self.tag_database(database, &tag::changed(desired, &Tags::new(), delta)).await?;
        let named = delta.below("principals").collect::<BTreeSet<_>>();
        let only = |entries: &Entries| -> Entries {
            let entries = entries.iter().filter(|(principal, _)| named.contains(principal.as_str()));
            entries.map(|(principal, words)| (principal.clone(), words.clone())).collect()
        };
        let (want, granted) = (only(&want.entries), only(&granted));
        // Access goes before it comes.
        self.revoke(batch(database, &beyond(&granted, &want))?).await?;
        self.grant(batch(database, &beyond(&want, &granted))?).await
    }

    pub(super) async fn delete_grants(&self, removal: &Removal) -> Result<(), Failure> {
        let database = &removal.key.name;
        let Some(owner) = self.database_owner(database).await? else { return Ok(()) };
        let granted = self.granted(database).await?;
        if granted.is_empty() {
            return Ok(());
        }
        may_remove(owner.as_ref(), removal)?;
        self.revoke(batch(database, &granted)?).await
    }

    /// What the operator has is not managed, so that nothing can be granted to it either.
    fn refuse_own(&self, want: &Grants) -> Result<(), Failure> {
        match want.entries.keys().find(|principal| arn::is_caller(principal, &self.caller)) {
            None => Ok(()),
            Some(own) => Err(Failure::refusal(
                ErrorKind::Invalid,
                format!(
                    "{own} is the operator's own role; name another one as spec.account.teamRoleArn of the DataDomain and in spec.access.roles"
                ),
            )),
        }
    }

    /// Everything that is granted on a database and on all of its tables.
    async fn granted(&self, database: &str) -> Result<Entries, Failure> {
        let on_database = entry(database, "", On::Database, &[])?.resource;
        let on_tables = entry(database, "", On::Tables, &[])?.resource;
        let listed = try_join(self.list_grants(on_database, None), self.list_grants(on_tables, None)).await;
        let (mut listed, tables) = match listed {
            // A database that is not there has no grants.
            Err(failure) if failure.is_absent() => return Ok(Entries::new()),
            listed => listed?,
        };
        listed.extend(tables);
        let mut databases = by_database(&listed, &self.caller);
        Ok(databases.remove(database).map(|grants| grants.entries).unwrap_or_default())
    }

    /// The grants on a resource, or on every resource of a type.
    pub(super) async fn list_grants(
        &self,
        on: Option<Resource>,
        of: Option<DataLakeResourceType>,
    ) -> Result<Vec<PrincipalResourcePermissions>, Failure> {
        let mut listed = Vec::new();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self.clients.lakeformation.list_permissions().set_resource(on.clone());
            let request = request.set_resource_type(of.clone());
            let request = request.max_results(PAGE).set_next_token(token.take()).send();
            let page = self.call(Call::ListPermissions, request).await?;
            listed.extend(page.principal_resource_permissions.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(listed);
            }
        }
        Err(Failure::new(ErrorKind::Unexpected, "there are more grants than can be looked at"))
    }

    /// Grants, together with what is granted for other products in the same moment.
    async fn grant(&self, entries: Vec<BatchPermissionsRequestEntry>) -> Result<(), Failure> {
        let send = |entries: Vec<BatchPermissionsRequestEntry>| async move {
            let entries = numbered(entries);
            let request = self.clients.lakeformation.batch_grant_permissions();
            let request = request.set_entries(Some(entries.clone())).send();
            let answer = self.call(Call::BatchGrantPermissions, request).await?;
            Ok(answers(Call::BatchGrantPermissions, &entries, answer.failures.unwrap_or_default()))
        };
        self.granting.submit(entries, send).await.map(drop)
    }

    /// Revokes, in the same way.
    async fn revoke(&self, entries: Vec<BatchPermissionsRequestEntry>) -> Result<(), Failure> {
        let send = |entries: Vec<BatchPermissionsRequestEntry>| async move {
            let entries = numbered(entries);
            let request = self.clients.lakeformation.batch_revoke_permissions();
            let request = request.set_entries(Some(entries.clone())).send();
            let answer = self.call(Call::BatchRevokePermissions, request).await?;
            Ok(answers(Call::BatchRevokePermissions, &entries, answer.failures.unwrap_or_default()))
        };
        self.revoking.submit(entries, send).await.map(drop)
    }
}
