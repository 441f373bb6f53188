//! Glue: the product's database in the catalog, its location and what everybody may do with its new tables.

use std::collections::BTreeSet;

use aws_sdk_glue::types::{DataLakePrincipal, Database, DatabaseInput, Permission, PrincipalPermissions};

use super::{Aws, Call, Failure, failure::absent_is_fine, may_complete, may_remove, may_update, tag};
use crate::{
    model::{
        arn,
        attributes::{Attributes, CatalogDatabase, EVERYBODY},
        owner::Owner,
        resource::{Delta, Desired, Health, Key, Observed, Removal, Tags},
    },
    provider::ErrorKind,
};

fn location(bucket: &str) -> String {
    format!("s3://{bucket}/")
}

/// The bucket of a location; the location itself where it is another place.
fn bucket_of(location: Option<&str>) -> String {
    let location = location.unwrap_or_default();
    let bucket = location.strip_prefix("s3://").and_then(|rest| rest.strip_suffix('/'));
    bucket.filter(|bucket| !bucket.contains('/')).unwrap_or(location).to_owned()
}

/// What a database gives everybody, and others, on new tables.
fn default_permissions(database: &Database) -> BTreeSet<String> {
    let entries = database.create_table_default_permissions().iter();
    let words = entries.flat_map(|entry| {
        let principal = entry.principal().and_then(|principal| principal.data_lake_principal_identifier());
        let prefix = match principal {
            Some(EVERYBODY) => String::new(),
            other => format!("{}:", other.unwrap_or("nobody")),
        };
        entry.permissions().iter().map(move |permission| format!("{prefix}{}", permission.as_str()))
    });
    words.collect()
}

fn everybody(permissions: &BTreeSet<String>) -> Vec<PrincipalPermissions> {
    if permissions.is_empty() {
        return Vec::new();
    }
    let principal = DataLakePrincipal::builder().data_lake_principal_identifier(EVERYBODY).build();
    let permissions = permissions.iter().map(|permission| Permission::from(permission.as_str())).collect();
    vec![PrincipalPermissions::builder().principal(principal).set_permissions(Some(permissions)).build()]
}

/// Whether a listed database has these attributes, as far as a listing shows them.
pub(super) fn is_defined_as(listed: &Database, attributes: &CatalogDatabase) -> bool {
    bucket_of(listed.location_uri()) == attributes.bucket
        && default_permissions(listed) == attributes.default_permissions
}

impl Aws {
    pub(super) async fn observe_database(&self, key: &Key) -> Result<Option<Observed>, Failure> {
        let Some(database) = self.database(&key.name).await? else { return Ok(None) };
        let (owner, tags) = tag::read(&self.database_tags(&key.name).await?);
        let attributes = Attributes::CatalogDatabase(CatalogDatabase {
            bucket: bucket_of(database.location_uri()),
            default_permissions: default_permissions(&database),
            tags,
        });
        let id = self.database_arn(&key.name);
        Ok(Some(Observed { key: key.clone(), id, owner, attributes, health: Health::Live }))
    }

    pub(super) async fn create_database(
        &self,
        desired: &Desired,
        want: &CatalogDatabase,
    ) -> Result<(), Failure> {
        let name = &desired.key.name;
        let input = DatabaseInput::builder()
            .name(name)
            .location_uri(location(&want.bucket))
            // An empty list is a word of its own: left out, the account's default would open the tables to everybody.
            .set_create_table_default_permissions(Some(everybody(&want.default_permissions)))
            .build()
            .map_err(|error| Failure::refusal(ErrorKind::Invalid, error.to_string()))?;
        let all = tag::all(&desired.owner, &want.tags);
        let request = self.clients.glue.create_database().database_input(input);
        let request = request.set_tags(Some(all.clone().into_iter().collect())).send();
        match self.call(Call::CreateDatabase, request).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(&["AlreadyExistsException"]) => {
                let found = self.database_tags(name).await?;
                may_complete(tag::read(&found).0.as_ref(), desired)?;
                self.tag_database(name, &all).await?;
                self.define_database(name, want).await
            }
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn update_database(
        &self,
        desired: &Desired,
        want: &CatalogDatabase,
        delta: &Delta,
    ) -> Result<(), Failure> {
        let name = &desired.key.name;
        may_update(self.database_owner(name).await?.ok_or_else(Failure::absent)?.as_ref(), desired, delta)?;
        self.tag_database(name, &tag::changed(desired, &want.tags, delta)).await?;
        if delta.touches("bucket") || delta.touches("defaultPermissions") {
            self.define_database(name, want).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_database(&self, removal: &Removal) -> Result<(), Failure> {
        let name = &removal.key.name;
        let Some(owner) = self.database_owner(name).await? else { return Ok(()) };
        may_remove(owner.as_ref(), removal)?;
        // The service would remove a database with its tables.
        let request = self.clients.glue.get_tables().database_name(name).max_results(1).send();
        let tables = self.call(Call::GetTables, request).await?;
        if !tables.table_list().is_empty() {
            return Err(Failure::refusal(
                ErrorKind::Conflict,
                "the database has tables; remove them yourself or set deletionPolicy to Retain",
            ));
        }
        let request = self.clients.glue.delete_database().name(name).send();
        absent_is_fine(self.call(Call::DeleteDatabase, request).await.map(drop))
    }

    /// The mark of a database; `None` when the database is proven absent. Its grants carry the same mark.
    pub(super) async fn database_owner(&self, name: &str) -> Result<Option<Option<Owner>>, Failure> {
        if self.database(name).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(tag::read(&self.database_tags(name).await?).0))
    }

    pub(super) async fn tag_database(&self, name: &str, wanted: &Tags) -> Result<(), Failure> {
        if wanted.is_empty() {
            return Ok(());
        }
        let request = self.clients.glue.tag_resource().resource_arn(self.database_arn(name));
        let request = request.set_tags_to_add(Some(wanted.clone().into_iter().collect())).send();
        self.call(Call::TagDatabase, request).await.map(drop)
    }

    pub(super) fn database_arn(&self, name: &str) -> String {
        arn::database(&self.place.account, &self.place.region, name)
    }

    async fn database(&self, name: &str) -> Result<Option<Database>, Failure> {
        let request = self.clients.glue.get_database().name(name).send();
        match self.call(Call::GetDatabase, request).await {
            Ok(answer) => answer.database.map(Some).ok_or_else(Failure::garbled),
            Err(failure) if failure.is_absent() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn database_tags(&self, name: &str) -> Result<Tags, Failure> {
        let request = self.clients.glue.get_tags().resource_arn(self.database_arn(name)).send();
        let answer = self.call(Call::GetDatabaseTags, request).await?;
        Ok(answer.tags.unwrap_or_default().into_iter().collect())
    }

    /// Writes the definition with our attributes. An update replaces all of it, so what others have set goes along.
    async fn define_database(&self, name: &str, want: &CatalogDatabase) -> Result<(), Failure> {
        let found = self.database(name).await?.ok_or_else(Failure::absent)?;
        let input = DatabaseInput::builder()
            .name(name)
            .set_description(found.description)
            .set_parameters(found.parameters)
            .set_target_database(found.target_database)
            .set_federated_database(found.federated_database)
            .location_uri(location(&want.bucket))
            .set_create_table_default_permissions(Some(everybody(&want.default_permissions)))
            .build()
            .map_err(|error| Failure::refusal(ErrorKind::Invalid, error.to_string()))?;
        let request = self.clients.glue.update_database().name(name).database_input(input).send();
        self.call(Call::UpdateDatabase, request).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_names_its_bucket_and_another_place_names_itself() {
        assert_eq!(bucket_of(Some("s3://a-bucket/")), "a-bucket");
        assert_eq!(bucket_of(Some("s3://a-bucket/prefix/")), "s3://a-bucket/prefix/");
        assert_eq!(bucket_of(Some("hdfs://a/")), "hdfs://a/");
        assert_eq!(bucket_of(None), "");
    }

    #[test]
    fn what_others_may_do_by_default_is_told_with_their_names() {
        let entry = |principal: &str, permissions: &[&str]| {
            let principal = DataLakePrincipal::builder().data_lake_principal_identifier(principal).build();
            let permissions = permissions.iter().map(|&permission| Permission::from(permission)).collect();
            PrincipalPermissions::builder().principal(principal).set_permissions(Some(permissions)).build()
        };
        let database = Database::builder()
            .name("d")
            .create_table_default_permissions(entry(EVERYBODY, &["SELECT", "ALL"]))
            .create_table_default_permissions(entry("arn:aws:iam::1:role/x", &["DROP"]))
            .build()
            .expect("a database");
        let words = default_permissions(&database).into_iter().collect::<Vec<_>>();
        assert_eq!(words, ["ALL", "SELECT", "arn:aws:iam::1:role/x:DROP"]);
    }
}
