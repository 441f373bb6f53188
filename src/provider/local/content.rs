//! What is in a bucket: counted, sized and dated by a bounded walk that follows no link.

use std::io;

use cap_std::fs::Dir;
use jiff::Timestamp;

/// Deepest level of directories that is looked at.
const MAX_DEPTH: usize = 16;
/// Number of entries after which a walk stops. What it saw until then is still true: the newest file that was found
/// is at most older than the newest there is.
const MAX_ENTRIES: u64 = 100_000;

/// What is in a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) newest: Option<Timestamp>,
    seen: u64,
}

impl Content {
    /// Walks a bucket.
    pub(super) fn of(bucket: &Dir) -> io::Result<Self> {
        let mut content = Self::default();
        content.walk(bucket, 0)?;
        Ok(content)
    }

    fn walk(&mut self, dir: &Dir, depth: usize) -> io::Result<()> {
        for entry in dir.entries()? {
            if self.seen >= MAX_ENTRIES {
                return Ok(());
            }
            self.seen += 1;
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < MAX_DEPTH {
                // A directory that goes away while it is walked holds nothing any more.
                if let Ok(inner) = entry.open_dir() {
                    self.walk(&inner, depth + 1)?;
                }
            } else if kind.is_file()
                && let Ok(metadata) = entry.metadata()
            {
                self.objects += 1;
                self.bytes += metadata.len();
                let modified =
                    metadata.modified().ok().and_then(|at| Timestamp::try_from(at.into_std()).ok());
                self.newest = self.newest.max(modified);
            }
        }
        Ok(())
    }

    /// The content in one line, for people who have lost it.
    pub(super) fn summary(&self) -> String {
        match self.newest {
            None => "it was empty".to_owned(),
            Some(newest) => {
                format!("it held {} objects, {} bytes, the newest of {newest:.0}", self.objects, self.bytes)
            }
        }
    }
}
