//! What a product owns outside the cluster: kinds, keys, and the values that travel between planner and provider.
//!
//! This file decides how a resource is named and described in memory; it never talks to a provider.

use std::{collections::BTreeMap, fmt};

use super::{attributes::Attributes, owner::Owner};

/// Informational tags of a resource, by key. Ownership is not among them: see [`Owner`].
pub type Tags = BTreeMap<String, String>;

/// The closed set of resource kinds, in the order in which they are safely created.
///
/// Access is granted last and revoked first; a bucket comes after the key that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The product's own encryption key and its alias.
    EncryptionKey,
    /// The storage bucket of the product.
    Bucket,
    /// The catalog database in which the product's tables are registered.
    CatalogDatabase,
    /// The table of grants on the catalog database: one per product, with an entry per principal.
    Grant,
    /// The alarm on the product's freshness metric.
    FreshnessAlarm,
}

impl Kind {
    /// Every kind, in the order of creation.
    pub const ALL: [Self; 5] =
        [Self::EncryptionKey, Self::Bucket, Self::CatalogDatabase, Self::Grant, Self::FreshnessAlarm];

    /// The name that status, plans and metrics show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EncryptionKey => "EncryptionKey",
            Self::Bucket => "Bucket",
            Self::CatalogDatabase => "CatalogDatabase",
            Self::Grant => "Grant",
            Self::FreshnessAlarm => "FreshnessAlarm",
        }
    }

    /// The kind of that name, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether losing a resource of this kind loses data, so that it is never replaced silently.
    pub const fn holds_data(self) -> bool {
        matches!(self, Self::EncryptionKey | Self::Bucket)
    }

    /// Whether a resource of this kind survives its product unless deletion is wanted and confirmed.
    pub const fn is_retained(self) -> bool {
        matches!(self, Self::EncryptionKey | Self::Bucket | Self::CatalogDatabase)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Identifies one resource within an account and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is.
    pub kind: Kind,
    /// Its external name, computed from the product and never remembered.
    pub name: String,
}

impl Key {
    /// A key of the given kind and external name.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// A resource that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// Which resource.
    pub key: Key,
    /// Whose it would be, for backends that search by the mark where a name leads nowhere.
    pub owner: Owner,
    /// How closely to look.
    pub look: Look,
}

/// How closely a resource is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Every attribute is read now.
    Full,
    /// Nothing is expected to have changed: a backend may read in bulk whether it still exists and is marked as before,
    /// and may answer for its attributes with what a full look found a bounded time ago.
    Usual,
}

/// A resource as the product wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Which resource.
    pub key: Key,
    /// The mark that proves whose it is.
    pub owner: Owner,
    /// Its managed attributes.
    pub attributes: Attributes,
}

/// A resource as the provider found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Which resource.
    pub key: Key,
    /// The provider's own identifier (an ARN, a URI), for people and for other tools.
    pub id: String,
    /// The ownership mark found on it; `None` when it carries none of ours.
    pub owner: Option<Owner>,
    /// Its live attributes.
    pub attributes: Attributes,
    /// Whether it can be used.
    pub health: Health,
}

/// Whether an existing resource can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is there and works.
    Live,
    /// Its deletion is scheduled and can still be taken back.
    PendingDeletion,
    /// It exists but was switched off by somebody.
    Disabled,
    /// The provider knows that it existed and finds it gone, with what was last known of its content.
    Lost {
        /// What was in it when it was last seen, for people.
        last_known: String,
    },
}

/// What differs between a desired and an observed resource, sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta(pub Vec<Change>);

/// One differing attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The attribute, for example `versioning` or `tags.Owner`.
    pub path: String,
    /// The value that the product asks for; `None` when the attribute should not be there.
    pub want: Option<String>,
    /// The value found; `None` when the attribute is missing.
    pub have: Option<String>,
}

impl Delta {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an attribute, or one below it, differs: `tags` covers `tags.Owner`.
    pub fn touches(&self, path: &str) -> bool {
        self.0.iter().any(|change| {
            change.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// The differing names below a prefix: `tags` gives the keys of the tags that differ.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |change| change.path.strip_prefix(prefix)?.strip_prefix('.'))
    }

    /// The mark that must still be on the resource when this delta is applied, given the mark that is wanted:
    /// `None` when the resource was found without one. A backend compares it in the same transaction.
    pub fn expected_owner(&self, wanted: &Owner) -> Option<Owner> {
        let mut rows = wanted.rows();
        for change in self.0.iter().filter(|change| change.path.starts_with("owner.")) {
            match &change.have {
                Some(have) => rows.insert(change.path.clone(), have.clone()),
                None => rows.remove(&change.path),
            };
        }
        Owner::from_rows(&rows)
    }

    /// The rows that differ between what is wanted and what was found. A tag that nobody asks for is no difference: others
    /// tag as well, and theirs stay.
    pub fn between(desired: &Desired, observed: &Observed) -> Self {
        let mut want = desired.attributes.rows();
        want.extend(desired.owner.rows());
        let mut have = observed.attributes.rows();
        have.extend(observed.owner.iter().flat_map(Owner::rows));

        let paths = want.keys().chain(have.keys()).collect::<std::collections::BTreeSet<_>>();
        let theirs = |path: &str| path.starts_with("tags.") && !want.contains_key(path);
        let differ = |path: &&String| want.get(*path) != have.get(*path) && !theirs(path);
        let changes = paths.into_iter().filter(differ).map(|path| Change {
            path: path.clone(),
            want: want.get(path).cloned(),
            have: have.get(path).cloned(),
        });
        Self(changes.collect())
    }
}

/// The first change, and how many there are beside it.
impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("nothing"),
            [only] => only.fmt(f),
            [first, more @ ..] => write!(f, "{first} and {} more", more.len()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
        write!(f, "{}: {} -> {}", self.path, show(&self.have), show(&self.want))
    }
}

/// What is to be removed, with the proof that it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which resource.
    pub key: Key,
    /// Whose it must be; a backend refuses to remove anything else.
    pub owner: Owner,
    /// Days during which an encryption key can still be taken back.
    pub key_window_days: i32,
}
