//! The ledger: one `SQLite` file that knows every resource of every account below a root.
//!
//! It reads and writes rows in transactions and decides nothing about them; what a row means is decided beside it.

use std::{path::Path, sync::Mutex, time::Duration};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::{
    model::{
        attributes::Attributes,
        owner::Owner,
        resource::{Key, Kind},
    },
    provider::{ErrorKind, Operation, ProviderError},
};

/// Version of the tables. A ledger of a later version is refused, never changed.
const VERSION: i64 = 1;
/// How long a transaction waits for another process on the same root.
const BUSY: Duration = Duration::from_secs(2);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS resources (
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    id         TEXT NOT NULL,
    phase      TEXT NOT NULL,
    owner      TEXT NOT NULL,
    attributes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ends_at    TEXT,
    content    TEXT,
    material   BLOB,
    PRIMARY KEY (account, region, kind, name)
) STRICT;
PRAGMA user_version = 1;";

/// Where in its life a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A bucket whose directory may not exist yet.
    Creating,
    /// Complete.
    Ready,
    /// A bucket whose directory may be gone already.
    Deleting,
    /// A key whose deletion is scheduled.
    PendingDeletion,
}

impl Phase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Ready => "ready",
            Self::Deleting => "deleting",
            Self::PendingDeletion => "pending-deletion",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Creating, Self::Ready, Self::Deleting, Self::PendingDeletion]
            .into_iter()
            .find(|phase| phase.as_str() == text)
    }
}

/// A resource as the ledger knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) phase: Phase,
    pub(super) owner: Owner,
    pub(super) attributes: Attributes,
    pub(super) created_at: Timestamp,
    /// When a key whose deletion is scheduled ends.
    pub(super) ends_at: Option<Timestamp>,
    /// What was in a bucket when it was last measured.
    pub(super) content: Option<String>,
    /// The secret of a key. It is never shown.
    pub(super) material: Option<Material>,
}

/// The secret of a key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Material(pub(super) Vec<u8>);

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Material(withheld)")
    }
}

/// Account and region of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
}

/// The open ledger of a root.
pub(super) struct Ledger {
    connection: Mutex<Connection>,
}

impl Ledger {
    /// Opens the ledger, making it when it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, ProviderError> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // An answer must survive a loss of power, as it would with a remote provider.
            connection.pragma_update(None, "synchronous", "FULL")?;
            Ok(connection)
        };
        let mut connection = open().map_err(|error| failure(Operation::Connect, error))?;
        migrate(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs a transaction that holds the write lock from its start, so that a check and the write that rests on it
    /// are one. It is rolled back when `work` fails.
    pub(super) fn transact<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Rows<'_>) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        // A panic in another transaction has rolled it back; the connection itself is sound.
        let mut connection = self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failure(operation, error))?;
        let result = work(&Rows { transaction: &transaction, operation })?;
        transaction.commit().map_err(|error| failure(operation, error))?;
        Ok(result)
    }
}

fn migrate(connection: &mut Connection) -> Result<(), ProviderError> {
    let fail = |error| failure(Operation::Connect, error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fail)?;
    match version {
        0 => transaction.execute_batch(TABLES).map_err(fail)?,
        VERSION => {}
        later => {
            return Err(ProviderError::new(
                ErrorKind::Invalid,
                Operation::Connect,
                format!(
                    "the ledger has version {later}, this operator knows {VERSION}; use the operator that wrote it"
                ),
            ));
        }
    }
    transaction.commit().map_err(fail)
}

/// The rows within one transaction.
pub(super) struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    operation: Operation,
}

impl Rows<'_> {
    /// The row of a resource.
    pub(super) fn get(&self, place: &Place, key: &Key) -> Result<Option<Row>, ProviderError> {
        let fail = |error| failure(self.operation, error).at(key);
        let found = self
            .transaction
            .prepare_cached(
                "SELECT id, phase, owner, attributes, created_at, ends_at, content, material FROM resources
                 WHERE account = ?1 AND region = ?2 AND kind = ?3 AND name = ?4",
            )
            .map_err(fail)?
            .query_row(params![place.account, place.region, key.kind.as_str(), key.name], |row| {
                Ok(Raw {
                    id: row.get(0)?,
                    phase: row.get(1)?,
                    owner: row.get(2)?,
                    attributes: row.get(3)?,
                    created_at: row.get(4)?,
                    ends_at: row.get(5)?,
                    content: row.get(6)?,
                    material: row.get(7)?,
                })
            })
            .optional()
            .map_err(fail)?;
        found.map(|raw| raw.decode().ok_or_else(|| garbled(self.operation, key))).transpose()
    }

    /// Every row of a place.
    pub(super) fn all(&self, place: &Place) -> Result<Vec<(Key, Row)>, ProviderError> {
        let fail = |error| failure(self.operation, error);
        let mut select = self
            .transaction
            .prepare_cached(
                "SELECT kind, name FROM resources WHERE account = ?1 AND region = ?2 ORDER BY 1, 2",
            )
            .map_err(fail)?;
        let listed = select.query_map(params![place.account, place.region], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        let mut rows = Vec::new();
        for listed in listed.map_err(fail)? {
            let (kind, name) = listed.map_err(fail)?;
            let Some(kind) = Kind::parse(&kind) else { continue };
            let key = Key::new(kind, name);
            rows.extend(self.get(place, &key)?.map(|row| (key, row)));
        }
        Ok(rows)
    }

    /// Writes the row of a resource, replacing an earlier one.
    pub(super) fn put(&self, place: &Place, key: &Key, row: &Row) -> Result<(), ProviderError> {
        let fail = |error| failure(self.operation, error).at(key);
        let encode = |error: serde_json::Error| garbled(self.operation, key).caused_by(error);
        let owner = serde_json::to_string(&row.owner).map_err(encode)?;
        let attributes = serde_json::to_string(&row.attributes).map_err(encode)?;
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO resources
                 (account, region, kind, name, id, phase, owner, attributes, created_at, ends_at, content, material)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )
            .map_err(fail)?
            .execute(params![
                place.account,
                place.region,
                key.kind.as_str(),
                key.name,
                row.id,
                row.phase.as_str(),
                owner,
                attributes,
                row.created_at.to_string(),
                row.ends_at.map(|at| at.to_string()),
                row.content,
                row.material.as_ref().map(|material| &material.0),
            ])
            .map_err(fail)?;
        Ok(())
    }

    /// Removes the row of a resource.
    pub(super) fn remove(&self, place: &Place, key: &Key) -> Result<(), ProviderError> {
        let fail = |error| failure(self.operation, error).at(key);
        self.transaction
            .prepare_cached(
                "DELETE FROM resources WHERE account = ?1 AND region = ?2 AND kind = ?3 AND name = ?4",
            )
            .map_err(fail)?
            .execute(params![place.account, place.region, key.kind.as_str(), key.name])
            .map_err(fail)?;
        Ok(())
    }
}

/// A row as the database gives it.
struct Raw {
    id: String,
    phase: String,
    owner: String,
    attributes: String,
    created_at: String,
    ends_at: Option<String>,
    content: Option<String>,
    material: Option<Vec<u8>>,
}

impl Raw {
    fn decode(self) -> Option<Row> {
        Some(Row {
            id: self.id,
            phase: Phase::parse(&self.phase)?,
            owner: serde_json::from_str(&self.owner).ok()?,
            attributes: serde_json::from_str(&self.attributes).ok()?,
            created_at: self.created_at.parse().ok()?,
            ends_at: self.ends_at.map(|at| at.parse()).transpose().ok()?,
            content: self.content,
            material: self.material.map(Material),
        })
    }
}

fn garbled(operation: Operation, key: &Key) -> ProviderError {
    ProviderError::new(
        ErrorKind::Unexpected,
        operation,
        "its row in the ledger is unreadable; restore the ledger from a backup",
    )
    .at(key)
}

fn failure(operation: Operation, error: rusqlite::Error) -> ProviderError {
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (ErrorKind::Unavailable, "the ledger is locked by another process".to_owned())
        }
        Some(ErrorCode::DiskFull) => {
            (ErrorKind::Quota, "the disk of the ledger is full; free space or move the root".to_owned())
        }
        Some(
            ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied,
        ) => (
            ErrorKind::Denied,
            "the ledger cannot be written; let the operator's user write to the root".to_owned(),
        ),
        Some(ErrorCode::CannotOpen) => (
            ErrorKind::Denied,
            "the ledger cannot be opened; the root must exist and be writable by the operator".to_owned(),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (ErrorKind::Invalid, "the ledger is corrupt; restore it from a backup".to_owned())
        }
        _ => (ErrorKind::Unexpected, format!("the ledger failed: {error}")),
    };
    ProviderError::new(kind, operation, message).caused_by(error)
}
