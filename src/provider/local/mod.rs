//! The embedded `local` backend: buckets are directories below a root; keys, databases, grants and alarms are rows of
//! one ledger beside them. It is for laptops, tests and small installations, and it encrypts nothing: the encryption
//! key of a bucket is recorded, and files are as the file system keeps them.
//!
//! It survives the end of its process at any instruction. A bucket is a row first (`creating`), then a directory,
//! then complete (`ready`); on the way down it is `deleting` before its directory goes. A row that is not complete
//! shows no attributes, so that the planner completes it or takes it down like any other difference.

mod bucket;
mod content;
mod ledger;
mod place;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub use self::store::Store;
use self::{
    bucket::bare_bucket,
    ledger::{Material, Phase, Place, Row, Rows},
    place::check_place,
    store::Opened,
};
use super::{Capabilities, ErrorKind, Marked, Operation, Provider, ProviderError, Removed, Survey};
use crate::model::{
    attributes::Attributes,
    measurement::{Reading, Subject},
    owner::Claim,
    resource::{Delta, Desired, Health, Key, Kind, Observed, Removal, Sought},
};

/// Number of times that a row is read again because it changed while it was looked at.
const LOOKS: usize = 3;
/// Length of the key material in bytes.
const MATERIAL: usize = 32;

/// One account and region of a store.
pub struct Local {
    store: Arc<Store>,
    place: Place,
}

/// One call.
struct Call {
    store: Arc<Opened>,
    place: Place,
}

impl Local {
    /// The given account and region of a store.
    pub fn new(store: Arc<Store>, account: &str, region: &str) -> Result<Self, ProviderError> {
        let place = Place { account: account.to_owned(), region: region.to_owned() };
        check_place(&place)?;
        Ok(Self { store, place })
    }

    /// Runs blocking work away from the async workers.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Call) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let (store, place) = (Arc::clone(&self.store), self.place.clone());
        let call = move || work(&Call { store: store.current(operation)?, place });
        tokio::task::spawn_blocking(call).await.map_err(|error| {
            ProviderError::new(ErrorKind::Unexpected, operation, "the call was cut short; it is tried again")
                .caused_by(error)
        })?
    }
}

#[async_trait]
impl Provider for Local {
    fn capabilities(&self) -> Capabilities {
        Kind::ALL.into()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        let key = sought.key.clone();
        self.blocking(Operation::Observe, move |call| call.observe(&key)).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        let desired = desired.clone();
        self.blocking(Operation::Create, move |call| call.create(&desired)).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        let (desired, delta) = (desired.clone(), delta.clone());
        self.blocking(Operation::Update, move |call| call.update(&desired, &delta)).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        let removal = removal.clone();
        self.blocking(Operation::Delete, move |call| call.delete(&removal)).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        let subject = subject.clone();
        self.blocking(Operation::Measure, move |call| call.measure(&subject)).await
    }
}

#[async_trait]
impl Survey for Local {
    async fn marked(&self) -> Result<Vec<Marked>, ProviderError> {
        self.blocking(Operation::Survey, |call| {
            let now = Timestamp::now();
            let rows = call.transact(Operation::Survey, |rows| rows.all(&call.place))?;
            let rows = rows.into_iter().filter(|(_, row)| !row.is_over(now));
            Ok(rows.map(|(key, row)| Marked { key, id: row.id, owner: row.owner }).collect())
        })
        .await
    }
}

impl Call {
    fn observe(&self, key: &Key) -> Result<Option<Observed>, ProviderError> {
        let (row, directory) = self.look(key)?;
        Ok(match row {
            None if directory => Some(self.unmarked(key)),
            None => None,
            Some(row) if row.is_over(Timestamp::now()) => None,
            Some(row) => Some(observed(key, row, directory)),
        })
    }

    /// A row and whether its directory is there, as they are together: where one lacks the other, another process may
    /// be at work between the two looks, and the row is read again.
    fn look(&self, key: &Key) -> Result<(Option<Row>, bool), ProviderError> {
        let mut row = self.row(Operation::Observe, key)?;
        for _ in 0..LOOKS {
            let directory = self.has_directory(Operation::Observe, key)?;
            let ready = row.as_ref().is_some_and(|row| row.phase == Phase::Ready);
            if key.kind != Kind::Bucket || ready == directory {
                return Ok((row, directory));
            }
            let again = self.row(Operation::Observe, key)?;
            if again == row {
                return Ok((row, directory));
            }
            row = again;
        }
        let busy = "another process is changing it; it is read again later";
        Err(ProviderError::new(ErrorKind::Unavailable, Operation::Observe, busy).at(key))
    }

    fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        let key = &desired.key;
        let is_bucket = key.kind == Kind::Bucket;
        let now = Timestamp::now();
        self.transact(Operation::Create, |rows| {
            let found = rows.get(&self.place, key)?.filter(|row| !row.is_over(now));
            // After the row: whoever makes a bucket writes its row first, and removes it last.
            let directory = self.has_directory(Operation::Create, key)?;
            let row = match found {
                None if is_bucket && directory => return Err(conflict(Operation::Create, key)),
                None => self.new_row(desired, now),
                Some(row) => match desired.owner.claim(Some(&row.owner)) {
                    Claim::Mine | Claim::Predecessor | Claim::Released => {
                        let lost = is_bucket && !directory;
                        Row {
                            phase: if is_bucket { Phase::Creating } else { Phase::Ready },
                            owner: desired.owner.clone(),
                            attributes: desired.attributes.clone(),
                            created_at: if lost { now } else { row.created_at },
                            content: row.content.filter(|_| !lost),
                            ends_at: None,
                            ..row
                        }
                    }
                    Claim::Foreign | Claim::Unmarked => return Err(conflict(Operation::Create, key)),
                },
            };
            rows.put(&self.place, key, &row)
        })?;
        self.complete(Operation::Create, key)
    }

    fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        let key = &desired.key;
        let expected = delta.expected_owner(&desired.owner);
        self.transact(Operation::Update, |rows| {
            let row = match rows.get(&self.place, key)? {
                None if expected.is_none() && self.has_directory(Operation::Update, key)? => {
                    Row { phase: Phase::Ready, ..self.new_row(desired, Timestamp::now()) }
                }
                None => {
                    return Err(ProviderError::new(
                        ErrorKind::NotFound,
                        Operation::Update,
                        "it does not exist",
                    )
                    .at(key));
                }
                // The same update once more: the mark is there already, and only attributes may be left.
                Some(row) if row.owner == desired.owner || Some(&row.owner) == expected.as_ref() => Row {
                    owner: desired.owner.clone(),
                    attributes: row.attributes.patched(&desired.attributes, delta),
                    phase: if row.phase == Phase::Deleting { Phase::Creating } else { row.phase },
                    ..row
                },
                Some(_) => return Err(conflict(Operation::Update, key)),
            };
            rows.put(&self.place, key, &row)
        })?;
        // A released bucket that is lost stays lost: letting go makes nothing.
        if desired.owner.released { Ok(()) } else { self.complete(Operation::Update, key) }
    }

    fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        let key = &removal.key;
        let now = Timestamp::now();
        let found = self.transact(Operation::Delete, |rows| {
            let Some(row) = rows.get(&self.place, key)?.filter(|row| !row.is_over(now)) else {
                let unmarked = self.has_directory(Operation::Delete, key)?;
                return if unmarked { Err(conflict(Operation::Delete, key)) } else { Ok(false) };
            };
            if removal.owner.claim(Some(&row.owner)) != Claim::Mine {
                return Err(conflict(Operation::Delete, key));
            }
            match key.kind {
                Kind::Bucket => rows.put(&self.place, key, &Row { phase: Phase::Deleting, ..row })?,
                Kind::EncryptionKey if row.phase == Phase::PendingDeletion => {}
                Kind::EncryptionKey => {
                    let window = SignedDuration::from_hours(24 * i64::from(removal.key_window_days.max(1)));
                    let ends_at = now.checked_add(window).ok();
                    rows.put(&self.place, key, &Row { phase: Phase::PendingDeletion, ends_at, ..row })?;
                }
                Kind::CatalogDatabase | Kind::Grant | Kind::FreshnessAlarm => {
                    rows.remove(&self.place, key)?;
                }
            }
            Ok(true)
        })?;
        if found && key.kind == Kind::Bucket {
            self.remove_bucket(key)?;
        }
        Ok(Removed::Gone)
    }

    fn row(&self, operation: Operation, key: &Key) -> Result<Option<Row>, ProviderError> {
        self.transact(operation, |rows| rows.get(&self.place, key))
    }

    fn transact<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Rows<'_>) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        self.store.ledger.transact(operation, work)
    }

    fn new_row(&self, desired: &Desired, now: Timestamp) -> Row {
        let key = &desired.key;
        let is_key = key.kind == Kind::EncryptionKey;
        Row {
            id: self.id(key),
            phase: if key.kind == Kind::Bucket { Phase::Creating } else { Phase::Ready },
            owner: desired.owner.clone(),
            attributes: desired.attributes.clone(),
            created_at: now,
            ends_at: None,
            content: None,
            material: is_key.then(|| Material(rand::random::<[u8; MATERIAL]>().to_vec())),
        }
    }

    fn id(&self, key: &Key) -> String {
        let Place { account, region } = &self.place;
        let name = &key.name;
        match key.kind {
            Kind::Bucket => {
                format!("file://{}/{account}/{region}/buckets/{name}", self.store.path.display())
            }
            Kind::EncryptionKey => format!("local:{account}:{region}:key/{}", Uuid::new_v4()),
            Kind::CatalogDatabase => format!("local:{account}:{region}:database/{name}"),
            Kind::Grant => format!("local:{account}:{region}:grants/{name}"),
            Kind::FreshnessAlarm => format!("local:{account}:{region}:alarm/{name}"),
        }
    }
}

impl Row {
    /// Whether a key's deletion window is over, so that it counts as absent.
    fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }
}

fn observed(key: &Key, row: Row, directory: bool) -> Observed {
    let unfinished = matches!(row.phase, Phase::Creating | Phase::Deleting);
    let lost = key.kind == Kind::Bucket && row.phase == Phase::Ready && !directory;
    let health = if lost {
        Health::Lost {
            last_known: row.content.unwrap_or_else(|| "its content was never measured".to_owned()),
        }
    } else if row.phase == Phase::PendingDeletion {
        Health::PendingDeletion
    } else {
        Health::Live
    };
    let attributes = if unfinished { Attributes::Bucket(bare_bucket()) } else { row.attributes };
    Observed { key: key.clone(), id: row.id, owner: Some(row.owner), attributes, health }
}

fn conflict(operation: Operation, key: &Key) -> ProviderError {
    ProviderError::new(ErrorKind::Conflict, operation, "it exists and is not this product's").at(key)
}
