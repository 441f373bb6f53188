//! Where buckets are on disk. Names become paths here and nowhere else, through a directory handle that nothing can
//! lead out of: no `..`, no absolute path, no symbolic link.

use std::{io, path::Path};

use cap_std::{ambient_authority, fs::Dir};

use super::ledger::Place;
use crate::{
    model::resource::Key,
    provider::{ErrorKind, Operation, ProviderError},
};

const BUCKETS: &str = "buckets";

/// The directory that holds the buckets of every account.
pub(super) struct Root {
    dir: Dir,
}

impl Root {
    /// Opens the root, which must exist and must not be a symbolic link.
    pub(super) fn open(path: &Path) -> Result<Self, ProviderError> {
        let invalid = |message: &str| {
            ProviderError::new(
                ErrorKind::Invalid,
                Operation::Connect,
                format!("spec.local.root {}: {message}", path.display()),
            )
        };
        if !path.is_absolute() {
            return Err(invalid("it must be an absolute path"));
        }
        let metadata = std::fs::symlink_metadata(path).map_err(|error| {
            io_failure(Operation::Connect, &error, "the root directory must exist; create it")
                .caused_by(error)
        })?;
        if metadata.is_symlink() {
            return Err(invalid("it is a symbolic link; name the directory itself"));
        }
        if !metadata.is_dir() {
            return Err(invalid("it is not a directory"));
        }
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| {
            io_failure(Operation::Connect, &error, "the root cannot be opened").caused_by(error)
        })?;
        Ok(Self { dir })
    }

    /// The directory of a bucket, when it exists.
    pub(super) fn bucket(
        &self,
        operation: Operation,
        place: &Place,
        key: &Key,
    ) -> Result<Option<Dir>, ProviderError> {
        let Some(parent) = self.parent(operation, place, key, false)? else {
            return Ok(None);
        };
        enter(operation, &parent, checked(operation, key)?, key)
    }

    /// Makes the directory of a bucket durable; one that exists already is kept.
    pub(super) fn make(&self, operation: Operation, place: &Place, key: &Key) -> Result<(), ProviderError> {
        let name = checked(operation, key)?;
        let fail = |error: io::Error| {
            io_failure(operation, &error, "its directory cannot be made").at(key).caused_by(error)
        };
        let Some(parent) = self.parent(operation, place, key, true)? else {
            return Err(ProviderError::new(ErrorKind::NotFound, operation, "the root is gone").at(key));
        };
        make_in(&parent, name).map_err(fail)?;
        // A directory that was there must not be a link that somebody planted.
        enter(operation, &parent, name, key).map(|_| ())
    }

    /// Removes the directory of a bucket when it is empty. One that is absent is fine, one with content is a conflict.
    pub(super) fn remove(&self, operation: Operation, place: &Place, key: &Key) -> Result<(), ProviderError> {
        let name = checked(operation, key)?;
        let Some(parent) = self.parent(operation, place, key, false)? else {
            return Ok(());
        };
        let Some(bucket) = enter(operation, &parent, name, key)? else {
            return Ok(());
        };
        // The system call removes only an empty directory, so no check of ours can race with a writer.
        match parent.remove_dir(name) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                let entries = bucket.entries().map_or(0, |entries| entries.take(1000).count());
                Err(ProviderError::new(
                    ErrorKind::Conflict,
                    operation,
                    format!("the bucket is not empty ({entries} entries at its top); empty it yourself or set deletionPolicy to Retain"),
                )
                .at(key))
            }
            Err(error) => {
                Err(io_failure(operation, &error, "its directory cannot be removed").at(key).caused_by(error))
            }
        }
    }

    /// The directory `<account>/<region>/buckets`, made on the way when asked for.
    fn parent(
        &self,
        operation: Operation,
        place: &Place,
        key: &Key,
        make: bool,
    ) -> Result<Option<Dir>, ProviderError> {
        let fail = |error: io::Error| {
            io_failure(operation, &error, "its place cannot be made").at(key).caused_by(error)
        };
        let mut dir = self.dir.try_clone().map_err(fail)?;
        for part in [place.account.as_str(), place.region.as_str(), BUCKETS] {
            if make {
                make_in(&dir, part).map_err(fail)?;
            }
            match enter(operation, &dir, part, key)? {
                Some(inner) => dir = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(dir))
    }
}

/// Makes a directory and its entry in the parent durable.
fn make_in(parent: &Dir, name: &str) -> io::Result<()> {
    match parent.create_dir(name) {
        // The handle itself cannot be synced, because it was opened for looking up paths only.
        Ok(()) => parent.open(".")?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens a directory that is no symbolic link.
fn enter(operation: Operation, parent: &Dir, name: &str, key: &Key) -> Result<Option<Dir>, ProviderError> {
    let metadata = match parent.symlink_metadata(name) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(io_failure(operation, &error, "its directory cannot be read")
                .at(key)
                .caused_by(error));
        }
    };
    if !metadata.is_dir() {
        return Err(ProviderError::new(
            ErrorKind::Invalid,
            operation,
            format!("{name} below the root is a link or a file, not a directory; remove it"),
        )
        .at(key));
    }
    parent.open_dir(name).map(Some).map_err(|error| {
        io_failure(operation, &error, "its directory cannot be opened").at(key).caused_by(error)
    })
}

/// Refuses a bucket name that no object store would take, whatever the planner thought of it.
fn checked(operation: Operation, key: &Key) -> Result<&str, ProviderError> {
    let name = key.name.as_str();
    let legal = (3..=63).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if legal {
        Ok(name)
    } else {
        Err(ProviderError::new(
            ErrorKind::Invalid,
            operation,
            "a bucket name has 3 to 63 lower-case letters, digits and hyphens",
        )
        .at(key))
    }
}

/// Refuses an account or region that could not be a directory of its own.
pub(super) fn check_place(place: &Place) -> Result<(), ProviderError> {
    let account = place.account.len() == 12 && place.account.bytes().all(|c| c.is_ascii_digit());
    let region = (1..=32).contains(&place.region.len())
        && place.region.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    if account && region {
        return Ok(());
    }
    Err(ProviderError::new(
        ErrorKind::Invalid,
        Operation::Connect,
        "the account must have 12 digits and the region 1 to 32 lower-case letters, digits and hyphens",
    ))
}

pub(super) fn io_failure(operation: Operation, error: &io::Error, message: &str) -> ProviderError {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Quota,
        io::ErrorKind::NotFound => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    ProviderError::new(kind, operation, format!("{message} ({})", error.kind()))
}
