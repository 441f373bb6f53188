//! Tags: the ownership mark and the informational tags of a resource in the one form that every service knows.

use std::collections::BTreeMap;

use crate::model::{
    owner::Owner,
    resource::{Delta, Desired, Tags},
};

/// What the tags of the mark begin with.
const PREFIX: &str = "datamesh.io/";
/// The tag by which everything of one product is found.
pub(super) const PURPOSE: &str = "datamesh.io/purpose";
/// The tag by which everything of one cluster is found.
pub(super) const CLUSTER: &str = "datamesh.io/cluster";

/// The parts of a mark: the row of the mark, and the tag that holds it.
const MARK: [(&str, &str); 6] = [
    ("owner.cluster", CLUSTER),
    ("owner.uid", "datamesh.io/uid"),
    ("owner.product", "datamesh.io/product"),
    ("owner.purpose", PURPOSE),
    ("owner.deletionPolicy", "datamesh.io/deletion-policy"),
    ("owner.released", "datamesh.io/released"),
];

/// The tags of a mark.
pub(super) fn mark(owner: &Owner) -> Tags {
    let rows = owner.rows();
    let part = |(row, tag): (&str, &str)| Some((tag.to_owned(), rows.get(row)?.clone()));
    MARK.into_iter().filter_map(part).collect()
}

/// All tags of a resource. The mark wins over an informational tag of the same name.
pub(super) fn all(owner: &Owner, tags: &Tags) -> Tags {
    let mut all = tags.clone();
    all.extend(mark(owner));
    all
}

/// The tags that a delta changes, those of the mark among them.
pub(super) fn changed(desired: &Desired, tags: &Tags, delta: &Delta) -> Tags {
    let mut changed = Tags::new();
    if delta.touches("owner") {
        changed.extend(mark(&desired.owner));
    }
    for key in delta.below("tags") {
        if let Some(value) = tags.get(key) {
            changed.insert(key.to_owned(), value.clone());
        }
    }
    changed
}

/// The mark and the informational tags among the tags of a resource. The provider's own tags are left out.
pub(super) fn read(found: &Tags) -> (Option<Owner>, Tags) {
    let rows: BTreeMap<String, String> =
        MARK.into_iter().filter_map(|(row, tag)| Some((row.to_owned(), found.get(tag)?.clone()))).collect();
    let others = found.iter().filter(|(key, _)| !key.starts_with(PREFIX) && !key.starts_with("aws:"));
    (Owner::from_rows(&rows), others.map(|(key, value)| (key.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::owner::DeletionPolicy;

    #[test]
    fn a_mark_survives_the_way_through_tags_beside_those_of_others() {
        let owner = Owner {
            cluster: "c".to_owned(),
            uid: "u".to_owned(),
            product: "n/p".to_owned(),
            purpose: "d/p".to_owned(),
            deletion: DeletionPolicy::Delete,
            released: true,
        };
        let info = Tags::from([("Domain".to_owned(), "d".to_owned())]);
        let mut found = all(&owner, &info);
        found.insert("aws:cloudformation:stack-name".to_owned(), "s".to_owned());
        assert_eq!(read(&found), (Some(owner), info.clone()));
        assert_eq!(read(&info), (None, info), "tags without a mark prove nothing");
    }
}
