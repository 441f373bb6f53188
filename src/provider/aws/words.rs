//! The words of the seam for grants, and the shapes that Lake Formation has for them: entries of batches on the way out, and
//! several shapes of the same right on the way in.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lakeformation::types::{
    BatchPermissionsFailureEntry, BatchPermissionsRequestEntry, DataLakePrincipal, DatabaseResource,
    Permission, PrincipalResourcePermissions, Resource, TableResource, TableWildcard,
};

use super::{Call, Failure};
use crate::{
    model::{arn, attributes::Grants},
    provider::ErrorKind,
};

/// The name under which the service lists a grant on all tables.
const ALL_TABLES: &str = "ALL_TABLES";
/// What the service adds to `ALL` on a database when it lists it.
const DATABASE_WORDS: [&str; 5] = ["ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"];
/// What begins the words for rights on the database other than all of them, which no product asks for.
const ON_DATABASE: &str = "DATABASE:";
/// What the service says of a revocation of something that is not granted.
const NOT_GRANTED: &str = "No permissions revoked";

/// The words of each principal.
pub(super) type Entries = BTreeMap<String, BTreeSet<String>>;

/// Where a right holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Database,
    Tables,
}

/// The words of the seam for what the service lists, by database. What the operator itself has is left out: the service
/// gives it to whoever makes a database, and without it the operator could grant nothing.
pub(super) fn by_database(listed: &[PrincipalResourcePermissions], caller: &str) -> BTreeMap<String, Grants> {
    let mut databases: BTreeMap<String, Entries> = BTreeMap::new();
    for item in listed {
        let principal = item.principal().and_then(DataLakePrincipal::data_lake_principal_identifier);
        let Some(principal) = principal.filter(|principal| !arn::is_caller(principal, caller)) else {
            continue;
        };
        let Some((on, database)) = item.resource().and_then(place) else { continue };
        let entries = databases.entry(database.to_owned()).or_default();
        let words = item.permissions().iter().map(Permission::as_str).collect::<BTreeSet<_>>();
        let words: Vec<String> = match on {
            On::Tables => words.into_iter().map(str::to_owned).collect(),
            On::Database if words.contains("ALL") => vec!["ALL".to_owned()],
            On::Database => words.into_iter().map(|word| format!("{ON_DATABASE}{word}")).collect(),
        };
        entries.entry(principal.to_owned()).or_default().extend(words);
    }
    databases.into_iter().map(|(database, entries)| (database, Grants { entries: merged(entries) })).collect()
}

/// The words of principals, where the same rights may have been listed in several parts.
fn merged(mut entries: Entries) -> Entries {
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

/// The database of a resource, and whether it is the database itself or all of its tables. Single tables are neither.
fn place(resource: &Resource) -> Option<(On, &str)> {
    if let Some(found) = resource.database() {
        return Some((On::Database, found.name()));
    }
    if let Some(found) = resource.table() {
        let all = found.table_wildcard().is_some() || found.name() == Some(ALL_TABLES);
        return all.then_some((On::Tables, found.database_name()));
    }
    let found = resource.table_with_columns()?;
    let columns = found.column_wildcard().is_some_and(|all| all.excluded_column_names().is_empty());
    (found.name() == ALL_TABLES && columns).then_some((On::Tables, found.database_name()))
}

/// One entry of a batch: words of one principal on the database or on its tables.
pub(super) fn entry(
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
    let permissions = words.iter().map(|word| Permission::from(*word)).collect();
    BatchPermissionsRequestEntry::builder()
        .id("0")
        .principal(DataLakePrincipal::builder().data_lake_principal_identifier(principal).build())
        .resource(resource.build())
        .set_permissions(Some(permissions))
        .build()
        .map_err(refused)
}

/// The entries of a batch for words by principal.
pub(super) fn batch(database: &str, wanted: &Entries) -> Result<Vec<BatchPermissionsRequestEntry>, Failure> {
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
pub(super) fn beyond(entries: &Entries, others: &Entries) -> Entries {
    let none = BTreeSet::new();
    let beyond = entries.iter().map(|(principal, words)| {
        let other = others.get(principal).unwrap_or(&none);
        (principal.clone(), words.difference(other).cloned().collect::<BTreeSet<_>>())
    });
    beyond.filter(|(_, words)| !words.is_empty()).collect()
}

/// The entries with identifiers of their own, by which the service tells which of them failed.
pub(super) fn numbered(mut entries: Vec<BatchPermissionsRequestEntry>) -> Vec<BatchPermissionsRequestEntry> {
    for (index, entry) in entries.iter_mut().enumerate() {
        entry.id = index.to_string();
    }
    entries
}

/// What became of each entry of a batch.
pub(super) fn answers(
    call: Call,
    entries: &[BatchPermissionsRequestEntry],
    failures: Vec<BatchPermissionsFailureEntry>,
) -> Vec<Result<(), Failure>> {
    let mut failed: BTreeMap<String, Failure> = BTreeMap::new();
    for failure in failures {
        let Some((entry, error)) = failure.request_entry.zip(failure.error) else { continue };
        let (code, message) = (error.error_code.unwrap_or_default(), error.error_message.unwrap_or_default());
        // Nothing was left to revoke, so that it is done.
        if !message.starts_with(NOT_GRANTED) {
            let principal = entry.principal.and_then(|principal| principal.data_lake_principal_identifier);
            let message = format!("{message} (principal {})", principal.unwrap_or_default());
            failed.insert(entry.id, Failure::within(call.operation(), &code, &message));
        }
    }
    entries.iter().map(|entry| failed.remove(&entry.id).map_or(Ok(()), Err)).collect()
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
        let databases = by_database(&found, "operator");
        assert_eq!(databases.keys().collect::<Vec<_>>(), ["d"]);
        let told = databases["d"].entries.iter().map(|(principal, words)| {
            (principal.as_str(), words.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let expected = [
            ("reader", vec!["SELECT"]),
            ("sneaky", vec!["DATABASE:DESCRIBE"]),
            ("team", vec!["ALL"]),
            ("writer", vec!["DELETE", "INSERT"]),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_batch_has_an_entry_for_the_database_and_one_for_its_tables() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<BTreeSet<_>>();
        let wanted = Entries::from([
            ("admin".to_owned(), words(&["ALL", "SELECT", "INSERT"])),
            ("sneaky".to_owned(), words(&["DATABASE:DESCRIBE"])),
        ]);
        let batch = numbered(batch("d", &wanted).expect("a batch"));
        let told = batch.iter().map(|entry| {
            let on = entry.resource().and_then(place).map(|(on, _)| on);
            let words = entry.permissions().iter().map(Permission::as_str).collect::<Vec<_>>().join(",");
            (entry.id().to_owned(), on, words)
        });
        let expected = [
            ("0".to_owned(), Some(On::Database), "ALL".to_owned()),
            ("1".to_owned(), Some(On::Tables), "INSERT,SELECT".to_owned()),
            ("2".to_owned(), Some(On::Database), "DESCRIBE".to_owned()),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_entry_has_failed_alone_unless_nothing_was_left_to_revoke() {
        let entries = (0..4).map(|_| entry("d", "p", On::Database, &["ALL"]).expect("an entry")).collect();
        let entries = numbered(entries);
        let failed = |index: usize, code: &str, message: &str| {
            let detail = ErrorDetail::builder().error_code(code).error_message(message).build();
            BatchPermissionsFailureEntry::builder()
                .request_entry(entries[index].clone())
                .error(detail)
                .build()
        };
        let failures = vec![
            failed(0, "InvalidInputException", "No permissions revoked. Grantee has none."),
            failed(1, "ConcurrentModificationException", "Please retry"),
            failed(3, "InvalidInput", "Invalid principal"),
        ];
        let answers = answers(Call::BatchRevokePermissions, &entries, failures);
        let kinds = answers.into_iter().map(|answer| answer.err().map(|failure| failure.kind));
        let expected = [None, Some(ErrorKind::Unavailable), None, Some(ErrorKind::Invalid)];
        assert_eq!(kinds.collect::<Vec<_>>(), expected);
    }
}
