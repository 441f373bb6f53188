//! What is in a bucket: counted, sized and dated by a bounded walk that follows no link.

use std::io;

use cap_std::fs::Dir;
use jiff::Timestamp;

/// How far a walk goes.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Deepest level of directories that is looked at.
    depth: usize,
    /// Number of entries after which the walk stops.
    entries: u64,
}

const BOUNDS: Bounds = Bounds { depth: 16, entries: 100_000 };

/// What is in a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) newest: Option<Timestamp>,
    /// Whether the walk ended before it had seen everything, so that there may be something newer.
    pub(super) partial: bool,
    seen: u64,
}

impl Content {
    /// Walks a bucket.
    pub(super) fn of(bucket: &Dir) -> io::Result<Self> {
        Self::within(bucket, BOUNDS)
    }

    fn within(bucket: &Dir, bounds: Bounds) -> io::Result<Self> {
        let mut content = Self::default();
        content.walk(bucket, 0, bounds)?;
        Ok(content)
    }

    fn walk(&mut self, dir: &Dir, depth: usize, bounds: Bounds) -> io::Result<()> {
        for entry in dir.entries()? {
            if self.seen >= bounds.entries {
                self.partial = true;
                return Ok(());
            }
            self.seen += 1;
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && depth >= bounds.depth {
                self.partial = true;
            } else if kind.is_dir() {
                // A directory that goes away while it is walked holds nothing any more.
                if let Ok(inner) = entry.open_dir() {
                    self.walk(&inner, depth + 1, bounds)?;
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
        let least = if self.partial { "at least " } else { "" };
        match self.newest {
            None => "it was empty".to_owned(),
            Some(newest) => {
                let objects = if self.objects == 1 { "object" } else { "objects" };
                format!(
                    "it held {least}{} {objects}, {} bytes, the newest of {newest:.0}",
                    self.objects, self.bytes
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn a_walk_that_meets_its_bounds_says_that_it_did_not_see_everything() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("a/b")).expect("directories");
        for file in ["one", "a/two", "a/b/three"] {
            std::fs::write(folder.path().join(file), b"data").expect("a file");
        }
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).expect("a directory");
        let cases = [
            (Bounds { depth: 2, entries: 5 }, 3, false),
            (Bounds { depth: 1, entries: 5 }, 2, true),
            (Bounds { depth: 0, entries: 5 }, 1, true),
        ];
        for (bounds, objects, partial) in cases {
            let content = Content::within(&dir, bounds).expect("a walk");
            assert_eq!((content.objects, content.partial), (objects, partial), "{bounds:?}");
            assert_eq!(content.summary().contains("at least"), partial, "{}", content.summary());
        }
        let few = Content::within(&dir, Bounds { depth: 2, entries: 4 }).expect("a walk");
        assert!(few.partial && few.seen == 4, "{few:?}");
    }
}
