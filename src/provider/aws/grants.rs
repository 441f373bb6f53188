//! Lake Formation: what is granted on the product's database and on its tables.
//!
//! Grants carry no tags: their mark is that of the database. The words of the seam are those of the service, `ALL` for
//! everything on the database and the others for all of its tables. What the service adds by itself (the rights of whoever
//! made the database) and what is granted on single tables is not managed here.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lakeformation::types::{
    BatchPermissionsFailureEntry, BatchPermissionsRequestEntry, DataLakePrincipal, DatabaseResource,
    Permission, PrincipalResourcePermissions, Resource, TableResource, TableWildcard,
};
use futures::future::try_join;

use super::{Aws, Call, Failure, key::changed_tags, may_complete, may_remove, may_update};
use crate::{
    model::{
        attributes::{Attributes, Grants},
        resource::{Delta, Desired, Health, Key, Observed, Removal, Tags},
    },
    provider::ErrorKind,
};

/// Entries in one call.
const BATCH: usize = 20;
/// Entries that the service lists on one page.
const PAGE: i32 = 1000;
/// Number of pages that are read of the grants on one database.
const MAX_PAGES: usize = 50;
/// The name under which the service lists a grant on all tables.
const ALL_TABLES: &str = "ALL_TABLES";
/// What the service adds to `ALL` on a database when it lists it.
const DATABASE_WORDS: [&str; 5] = ["ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"];
/// What begins the words for rights on the database other than all of them, which no product asks for.
const ON_DATABASE: &str = "DATABASE:";
/// What the service says of a revocation of something that is not granted.
const NOT_GRANTED: &str = "No permissions revoked";

type Entries = BTreeMap<String, BTreeSet<String>>;

/// Where a right holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Database,
    Tables,
}

/// The words of the seam for what the service lists.
fn read(listed: &[PrincipalResourcePermissions], database: &str, own: Option<&str>) -> Entries {
    let mut entries = Entries::new();
    for item in listed {
        let principal = item.principal().and_then(DataLakePrincipal::data_lake_principal_identifier);
        let Some(principal) = principal.filter(|principal| Some(*principal) != own) else { continue };
        let Some(on) = item.resource().and_then(|resource| place(resource, database)) else { continue };
        let words = item.permissions().iter().map(Permission::as_str).collect::<BTreeSet<_>>();
        let words: Vec<String> = match on {
            On::Tables => words.into_iter().map(str::to_owned).collect(),
            On::Database if words.contains("ALL") => vec!["ALL".to_owned()],
            On::Database => words.into_iter().map(|word| format!("{ON_DATABASE}{word}")).collect(),
        };
        entries.entry(principal.to_owned()).or_default().extend(words);
    }
    // The same rights may be listed in several parts.
    for words in entries.values_mut() {
        if words.contains("ALL") {
            words.retain(|word| {
                !word.strip_prefix(ON_DATABASE).is_some_and(|word| DATABASE_WORDS.contains(&word))
            });
        }
    }
    entries.retain(|_, words| !words.is_empty());
    entries
}

/// Whether a resource is the database or all of its tables.
fn place(resource: &Resource, database: &str) -> Option<On> {
    if let Some(found) = resource.database() {
        return (found.name() == database).then_some(On::Database);
    }
    if let Some(found) = resource.table() {
        let all = found.table_wildcard().is_some() || found.name() == Some(ALL_TABLES);
        return (found.database_name() == database && all).then_some(On::Tables);
    }
    let found = resource.table_with_columns()?;
    let columns = found.column_wildcard().is_some_and(|all| all.excluded_column_names().is_empty());
    let all = found.name() == ALL_TABLES && columns;
    (found.database_name() == database && all).then_some(On::Tables)
}

/// One entry of a batch: words of one principal on the database or on its tables.
fn entry(
    database: &str,
    principal: &str,
    on: On,
    words: &[&str],
) -> Result<BatchPermissionsRequestEntry, Failure> {
    let refused = |error: aws_sdk_lakeformation::error::BuildError| {
        Failure::refusal(ErrorKind::Invalid, format!("a grant cannot be written: {error}"))
    };
    let resource = match on {
        On::Database => {
            Resource::builder().database(DatabaseResource::builder().name(database).build().map_err(refused)?)
        }
        On::Tables => {
            let all = TableWildcard::builder().build();
            let tables = TableResource::builder().database_name(database).table_wildcard(all).build();
            Resource::builder().table(tables.map_err(refused)?)
        }
    };
    let kind = if on == On::Database { "database" } else { "tables" };
    let permissions = words.iter().map(|word| Permission::from(*word)).collect();
    let id: String = format!("{kind}:{principal}").chars().take(255).collect();
    BatchPermissionsRequestEntry::builder()
        .id(id)
        .principal(DataLakePrincipal::builder().data_lake_principal_identifier(principal).build())
        .resource(resource.build())
        .set_permissions(Some(permissions))
        .build()
        .map_err(refused)
}

/// The entries of a batch for words by principal.
fn batch(database: &str, wanted: &Entries) -> Result<Vec<BatchPermissionsRequestEntry>, Failure> {
    let mut batch = Vec::new();
    for (principal, words) in wanted {
        let on_database = words.iter().filter_map(|word| match word.strip_prefix(ON_DATABASE) {
            Some(word) => Some(word),
            None => (word == "ALL").then_some("ALL"),
        });
        let on_database = on_database.collect::<Vec<_>>();
        let on_tables = words.iter().filter(|word| *word != "ALL" && !word.starts_with(ON_DATABASE));
        let on_tables = on_tables.map(String::as_str).collect::<Vec<_>>();
        for (on, words) in [(On::Database, on_database), (On::Tables, on_tables)] {
            if !words.is_empty() {
                batch.push(entry(database, principal, on, &words)?);
            }
        }
    }
    Ok(batch)
}

/// What is in one and not in the other, by principal.
fn beyond(entries: &Entries, others: &Entries) -> Entries {
    let none = BTreeSet::new();
    let beyond = entries.iter().map(|(principal, words)| {
        let other = others.get(principal).unwrap_or(&none);
        (principal.clone(), words.difference(other).cloned().collect::<BTreeSet<_>>())
    });
    beyond.filter(|(_, words)| !words.is_empty()).collect()
}

/// The first failure within the answer to a batch.
fn first_failure(call: Call, failures: Vec<BatchPermissionsFailureEntry>) -> Result<(), Failure> {
    let failure = failures.into_iter().find_map(|failure| {
        let principal = failure.request_entry.and_then(|entry| entry.principal);
        let principal = principal.and_then(|principal| principal.data_lake_principal_identifier);
        let error = failure.error?;
        let (code, message) = (error.error_code.unwrap_or_default(), error.error_message.unwrap_or_default());
        let done = message.starts_with(NOT_GRANTED);
        (!done).then(|| {
            Failure::within(
                call.operation(),
                &code,
                &format!("{message} (principal {})", principal.unwrap_or_default()),
            )
        })
    });
    failure.map_or(Ok(()), Err)
}

impl Aws {
    pub(super) async fn observe_grants(&self, key: &Key) -> Result<Option<Observed>, Failure> {
        let Some(owner) = self.database_owner(&key.name).await? else { return Ok(None) };
        let entries = self.granted(&key.name).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let id = format!("{}#grants", self.database_arn(&key.name));
        let attributes = Attributes::Grant(Grants { entries });
        Ok(Some(Observed { key: key.clone(), id, owner, attributes, health: Health::Live }))
    }

    pub(super) async fn create_grants(&self, desired: &Desired, want: &Grants) -> Result<(), Failure> {
        let database = &desired.key.name;
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
        let owner = self.database_owner(database).await?.ok_or_else(Failure::absent)?;
        let granted = self.granted(database).await?;
        if granted.is_empty() {
            return Err(Failure::absent());
        }
        may_update(owner.as_ref(), desired, delta)?;
        self.tag_database(database, &changed_tags(desired, &Tags::new(), delta)).await?;
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

    /// Everything that is granted on a database and on all of its tables.
    async fn granted(&self, database: &str) -> Result<Entries, Failure> {
        let on_database = entry(database, "", On::Database, &[])?.resource;
        let on_tables = entry(database, "", On::Tables, &[])?.resource;
        let (mut listed, tables) =
            try_join(self.list_grants(on_database), self.list_grants(on_tables)).await?;
        listed.extend(tables);
        Ok(read(&listed, database, self.place.role.as_deref()))
    }

    async fn list_grants(&self, on: Option<Resource>) -> Result<Vec<PrincipalResourcePermissions>, Failure> {
        let mut listed = Vec::new();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self.clients.lakeformation.list_permissions().set_resource(on.clone());
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

    async fn grant(&self, batch: Vec<BatchPermissionsRequestEntry>) -> Result<(), Failure> {
        for entries in batch.chunks(BATCH) {
            let request = self.clients.lakeformation.batch_grant_permissions();
            let request = request.set_entries(Some(entries.to_vec())).send();
            let answer = self.call(Call::BatchGrantPermissions, request).await?;
            first_failure(Call::BatchGrantPermissions, answer.failures.unwrap_or_default())?;
        }
        Ok(())
    }

    async fn revoke(&self, batch: Vec<BatchPermissionsRequestEntry>) -> Result<(), Failure> {
        for entries in batch.chunks(BATCH) {
            let request = self.clients.lakeformation.batch_revoke_permissions();
            let request = request.set_entries(Some(entries.to_vec())).send();
            let answer = self.call(Call::BatchRevokePermissions, request).await?;
            first_failure(Call::BatchRevokePermissions, answer.failures.unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_lakeformation::types::{ColumnWildcard, ErrorDetail, TableWithColumnsResource};

    use super::*;

    fn listed(principal: &str, resource: Resource, words: &[&str]) -> PrincipalResourcePermissions {
        PrincipalResourcePermissions::builder()
            .principal(DataLakePrincipal::builder().data_lake_principal_identifier(principal).build())
            .resource(resource)
            .set_permissions(Some(words.iter().map(|word| Permission::from(*word)).collect()))
            .build()
    }

    fn on(on: On) -> Resource {
        entry("d", "p", on, &[]).expect("an entry").resource.expect("a resource")
    }

    fn with_columns(name: &str) -> Resource {
        let found = TableWithColumnsResource::builder().database_name("d").name(name);
        let found = found.column_wildcard(ColumnWildcard::builder().build()).build().expect("a table");
        Resource::builder().table_with_columns(found).build()
    }

    fn named(name: &str) -> Resource {
        let table = TableResource::builder().database_name("d").name(name).build().expect("a table");
        Resource::builder().table(table).build()
    }

    #[test]
    fn every_shape_in_which_the_service_lists_a_grant_is_the_same_grant() {
        let found = [
            listed("team", on(On::Database), &["ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"]),
            listed("reader", with_columns(ALL_TABLES), &["SELECT"]),
            listed("writer", named(ALL_TABLES), &["INSERT"]),
            listed("writer", on(On::Tables), &["DELETE"]),
            listed("sneaky", on(On::Database), &["DESCRIBE"]),
            listed("operator", on(On::Database), &["ALL"]),
            listed("single", named("a_table"), &["SELECT"]),
            listed("single", with_columns("a_table"), &["SELECT"]),
        ];
        let entries = read(&found, "d", Some("operator"));
        let told = entries.iter().map(|(principal, words)| {
            (principal.as_str(), words.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let expected = [
            ("reader", vec!["SELECT"]),
            ("sneaky", vec!["DATABASE:DESCRIBE"]),
            ("team", vec!["ALL"]),
            ("writer", vec!["DELETE", "INSERT"]),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert!(read(&found, "another", None).is_empty(), "of another database");
    }

    #[test]
    fn a_batch_has_an_entry_for_the_database_and_one_for_its_tables() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<BTreeSet<_>>();
        let wanted = Entries::from([
            ("admin".to_owned(), words(&["ALL", "SELECT", "INSERT"])),
            ("sneaky".to_owned(), words(&["DATABASE:DESCRIBE"])),
        ]);
        let batch = batch("d", &wanted).expect("a batch");
        let told = batch.iter().map(|entry| {
            let words = entry.permissions().iter().map(Permission::as_str).collect::<Vec<_>>().join(",");
            format!("{} {words}", entry.id())
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            ["database:admin ALL", "tables:admin INSERT,SELECT", "database:sneaky DESCRIBE"]
        );
    }

    #[test]
    fn a_failure_within_a_batch_is_a_failure_unless_nothing_was_left_to_revoke() {
        let failed = |code: &str, message: &str| {
            let detail = ErrorDetail::builder().error_code(code).error_message(message).build();
            BatchPermissionsFailureEntry::builder().error(detail).build()
        };
        let gone = failed("InvalidInputException", "No permissions revoked. Grantee has none.");
        assert!(first_failure(Call::BatchRevokePermissions, vec![gone.clone()]).is_ok());
        let busy = failed("ConcurrentModificationException", "Please retry");
        let error = first_failure(Call::BatchRevokePermissions, vec![gone, busy]).expect_err("busy");
        assert_eq!(error.kind, ErrorKind::Unavailable);
        let unknown = failed("InvalidInput", "Invalid principal");
        let error = first_failure(Call::BatchGrantPermissions, vec![unknown]).expect_err("unknown");
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}
