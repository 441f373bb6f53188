//! The ownership mark: how a resource proves whose it is, and what follows from the mark that was found.
//!
//! This file decides whether something may be touched; every planner and every backend asks it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The value of the tag `ManagedBy`.
pub const MANAGED_BY: &str = "datamesh-operator";

/// The mark that every resource of ours carries from its first moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Identity of the cluster: the uid of its `kube-system` namespace unless the operator is told otherwise.
    pub cluster: String,
    /// Uid of the `DataProduct`.
    pub uid: String,
    /// `namespace/name` of the `DataProduct`.
    pub product: String,
    /// What the resource is for: `domain/name`, which stays the same when a cluster is rebuilt.
    pub purpose: String,
    /// Whether the data may be deleted with the product. Kept on the resource, because a lock that lives only in
    /// the object falls with it.
    pub deletion: DeletionPolicy,
    /// Whether the product is gone and let the resource go.
    pub released: bool,
}

/// What happens to data when its product is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DeletionPolicy {
    /// The data stays and is marked as released.
    Retain,
    /// The data goes, once nobody consumes it and the deletion is confirmed.
    Delete,
}

impl DeletionPolicy {
    /// The word used in specs, tags and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retain => "Retain",
            Self::Delete => "Delete",
        }
    }

    /// Reads a tag. Anything but the exact word for deletion retains.
    pub fn from_tag(value: &str) -> Self {
        if value == Self::Delete.as_str() { Self::Delete } else { Self::Retain }
    }
}

impl fmt::Display for DeletionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the mark found on a resource means for a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is this product's.
    Mine,
    /// It belonged to an earlier object of the same namespace and name in this cluster, which cannot exist any more.
    Predecessor,
    /// It was released by a product of the same domain and name, here or in another cluster.
    Released,
    /// It belongs to somebody else.
    Foreign,
    /// It carries no mark of ours.
    Unmarked,
}

impl Claim {
    /// Whether the resource is the product's own: it carries its mark, or that of an earlier object of its name.
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Mine | Self::Predecessor)
    }
}

impl Owner {
    /// Reads a mark back from its rows; `None` when a part that proves ownership is missing.
    pub fn from_rows(rows: &BTreeMap<String, String>) -> Option<Self> {
        let text = |path: &str| rows.get(path).cloned();
        Some(Self {
            cluster: text("owner.cluster")?,
            uid: text("owner.uid")?,
            product: text("owner.product")?,
            purpose: text("owner.purpose")?,
            deletion: DeletionPolicy::from_tag(rows.get("owner.deletionPolicy").map_or("", String::as_str)),
            released: rows.get("owner.released").is_some_and(|released| released == "true"),
        })
    }

    /// What a mark that was found on a resource means for this owner.
    pub fn claim(&self, found: Option<&Self>) -> Claim {
        let Some(found) = found else {
            return Claim::Unmarked;
        };
        let same_object = self.cluster == found.cluster && self.product == found.product;
        if found.purpose != self.purpose {
            Claim::Foreign
        } else if found.released {
            Claim::Released
        } else if same_object && self.uid == found.uid {
            Claim::Mine
        } else if same_object {
            Claim::Predecessor
        } else {
            Claim::Foreign
        }
    }

    /// The same mark after the product let the resource go.
    #[must_use]
    pub fn released(mut self) -> Self {
        self.released = true;
        self
    }

    /// The mark as flat `path → value` rows, to be compared like any other attribute.
    pub fn rows(&self) -> BTreeMap<String, String> {
        [
            ("owner.cluster", self.cluster.clone()),
            ("owner.uid", self.uid.clone()),
            ("owner.product", self.product.clone()),
            ("owner.purpose", self.purpose.clone()),
            ("owner.deletionPolicy", self.deletion.to_string()),
            ("owner.released", self.released.to_string()),
        ]
        .map(|(path, value)| (path.to_owned(), value))
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            cluster: "c1".into(),
            uid: "u1".into(),
            product: "team-a/orders".into(),
            purpose: "sales/orders".into(),
            deletion: DeletionPolicy::Retain,
            released: false,
        }
    }

    #[test]
    fn the_mark_decides_what_may_be_touched() {
        let me = owner();
        let other_cluster = Owner { cluster: "c2".into(), ..owner() };
        let cases = [
            ("the same mark", Some(owner()), Claim::Mine),
            (
                "an older object of the same name",
                Some(Owner { uid: "u0".into(), ..owner() }),
                Claim::Predecessor,
            ),
            ("another product", Some(Owner { product: "team-b/orders".into(), ..owner() }), Claim::Foreign),
            ("another purpose", Some(Owner { purpose: "sales/returns".into(), ..owner() }), Claim::Foreign),
            ("the same name in another cluster", Some(other_cluster.clone()), Claim::Foreign),
            ("released in another cluster", Some(other_cluster.released()), Claim::Released),
            ("released here", Some(owner().released()), Claim::Released),
            (
                "released by another product",
                Some(Owner { purpose: "sales/returns".into(), ..owner() }.released()),
                Claim::Foreign,
            ),
            ("no mark", None, Claim::Unmarked),
        ];
        for (case, found, expected) in cases {
            assert_eq!(me.claim(found.as_ref()), expected, "{case}");
        }
    }

    #[test]
    fn a_mark_survives_the_way_through_its_rows() {
        let released = Owner { deletion: DeletionPolicy::Delete, ..owner() }.released();
        assert_eq!(Owner::from_rows(&released.rows()), Some(released));
        assert_eq!(Owner::from_rows(&BTreeMap::new()), None);
    }

    #[test]
    fn a_garbled_deletion_tag_retains() {
        assert_eq!(DeletionPolicy::from_tag("delete"), DeletionPolicy::Retain);
        assert_eq!(DeletionPolicy::from_tag("Delete"), DeletionPolicy::Delete);
    }
}
