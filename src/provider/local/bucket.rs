//! Buckets are directories: their way up and down, and what is in them.

use super::{
    Call,
    content::Content,
    ledger::{Phase, Row},
    place::io_failure,
};
use crate::{
    model::{
        attributes::{Attributes, Bucket},
        measurement::{Objective, Reading, Subject, Value},
        resource::{Health, Key, Kind, Observed, Tags},
    },
    provider::{ErrorKind, Operation, ProviderError},
};

impl Call {
    pub(super) fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        let key = &subject.bucket;
        let Some(row) = self.row(Operation::Measure, key)? else {
            return Ok(Vec::new());
        };
        let Some(bucket) = self.store.root.bucket(Operation::Measure, &self.place, key)? else {
            return Err(ProviderError::new(
                ErrorKind::NotFound,
                Operation::Measure,
                "the bucket's directory is gone, so its freshness cannot be measured",
            )
            .at(key));
        };
        let content = Content::of(&bucket).map_err(|error| {
            io_failure(Operation::Measure, &error, "the bucket cannot be read").at(key).caused_by(error)
        })?;
        // What was seen is remembered, because it is what the owner will ask for when the bucket is lost.
        let summary = Some(content.summary());
        if row.content != summary {
            self.transact(Operation::Measure, |rows| match rows.get(&self.place, key)? {
                Some(row) => rows.put(&self.place, key, &Row { content: summary, ..row }),
                None => Ok(()),
            })?;
        }
        Ok(vec![Reading {
            objective: Objective::Freshness,
            value: content.newest.map_or(Value::NoDataSince(row.created_at), Value::NewestData),
            complete: !content.partial,
            source: "newest file in the bucket".to_owned(),
        }])
    }

    pub(super) fn has_directory(&self, operation: Operation, key: &Key) -> Result<bool, ProviderError> {
        if key.kind != Kind::Bucket {
            return Ok(false);
        }
        Ok(self.store.root.bucket(operation, &self.place, key)?.is_some())
    }

    /// Brings a bucket whose row is written to its end: the directory, and then the word that it is complete.
    pub(super) fn complete(&self, operation: Operation, key: &Key) -> Result<(), ProviderError> {
        if key.kind != Kind::Bucket {
            return Ok(());
        }
        let unfinished = self.row(operation, key)?.is_some_and(|row| row.phase == Phase::Creating);
        if !unfinished {
            return Ok(());
        }
        self.store.root.make(operation, &self.place, key)?;
        self.set_phase(operation, key, Phase::Creating, Phase::Ready)
    }

    pub(super) fn remove_bucket(&self, key: &Key) -> Result<(), ProviderError> {
        if let Err(error) = self.store.root.remove(Operation::Delete, &self.place, key) {
            // The bucket stays and is complete, as it was.
            self.set_phase(Operation::Delete, key, Phase::Deleting, Phase::Ready)?;
            return Err(error);
        }
        self.transact(Operation::Delete, |rows| match rows.get(&self.place, key)? {
            Some(row) if row.phase == Phase::Deleting => rows.remove(&self.place, key),
            _ => Ok(()),
        })
    }

    pub(super) fn set_phase(
        &self,
        operation: Operation,
        key: &Key,
        from: Phase,
        to: Phase,
    ) -> Result<(), ProviderError> {
        self.transact(operation, |rows| match rows.get(&self.place, key)? {
            Some(row) if row.phase == from => rows.put(&self.place, key, &Row { phase: to, ..row }),
            _ => Ok(()),
        })
    }

    /// A directory that somebody else made under a name of ours.
    pub(super) fn unmarked(&self, key: &Key) -> Observed {
        Observed {
            key: key.clone(),
            id: self.id(key),
            owner: None,
            attributes: Attributes::Bucket(bare_bucket()),
            health: Health::Live,
        }
    }
}

/// A bucket of which nothing is known to be set.
pub(super) fn bare_bucket() -> Bucket {
    Bucket {
        encryption_key: None,
        bucket_key: false,
        versioning: false,
        public_access_blocked: false,
        tls_only: false,
        tags: Tags::new(),
    }
}
