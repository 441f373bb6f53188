//! Identifier, name, version and stage of life.

use uuid::Uuid;

use super::{ContractError, note::Notes};
use crate::api::product::Lifecycle;

/// What the namespace of our identifiers is derived from, as a name of the DNS: the API group.
const AUTHORITY: &str = crate::api::GROUP;
/// The longest name of a domain.
const MAX_DOMAIN: usize = 40;
/// The longest version.
const MAX_VERSION: usize = 64;

/// The identifier of a product that does not choose one: the UUID of version 5 of `domain/name` in the namespace that
/// is the UUID of version 5 of `datamesh.io` in the namespace of the DNS. It is the same in every cluster.
pub fn id(domain: &str, name: &str) -> String {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, AUTHORITY.as_bytes());
    Uuid::new_v5(&namespace, format!("{domain}/{name}").as_bytes()).to_string()
}

/// A name as Kubernetes allows it, made of any text: lower-case letters and digits, with hyphens for all else.
pub fn slug(text: &str, longest: usize) -> String {
    let plain = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let mut slug = String::new();
    for c in plain {
        if slug.len() < longest && !(c == '-' && (slug.is_empty() || slug.ends_with('-'))) {
            slug.push(c);
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The domain that a contract means; it begins with a letter.
pub fn domain(text: &str, path: &str, notes: &mut Notes) -> Result<String, ContractError> {
    let domain = slug(text, MAX_DOMAIN);
    if !domain.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(ContractError::Domain { path: path.to_owned(), domain: text.to_owned() });
    }
    if domain != text {
        notes.changed(path, format!("{text:?} is the domain {domain}"));
    }
    Ok(domain)
}

/// The semantic version that a contract means: a leading `v` goes, missing numbers are zero.
pub fn version(text: &str, path: &str, notes: &mut Notes) -> Result<String, ContractError> {
    if is_semantic(text) {
        return Ok(text.to_owned());
    }
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let version = match bare.split('.').count() {
        1 => format!("{bare}.0.0"),
        2 => format!("{bare}.0"),
        _ => bare.to_owned(),
    };
    if !is_semantic(&version) {
        return Err(ContractError::Version { path: path.to_owned(), version: text.to_owned() });
    }
    notes.changed(path, format!("{text:?} is version {version}"));
    Ok(version)
}

/// Whether a text is a version as Semantic Versioning 2.0.0 has it.
pub fn is_semantic(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let number =
        |part: &str| part.bytes().all(|c| c.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    let word = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    let numeric = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    text.len() <= MAX_VERSION
        && core.split('.').count() == 3
        && core.split('.').all(|part| !part.is_empty() && number(part))
        && pre.is_none_or(|pre| pre.split('.').all(|part| word(part) && (!numeric(part) || number(part))))
        && build.is_none_or(|build| build.split('.').all(word))
}

/// The status of a contract.
pub(super) const fn status(lifecycle: Option<Lifecycle>) -> &'static str {
    match lifecycle {
        Some(Lifecycle::Draft) => "draft",
        None | Some(Lifecycle::Active) => "active",
        Some(Lifecycle::Deprecated) => "deprecated",
        Some(Lifecycle::Retired) => "retired",
    }
}

/// The stage of life that a status means. A word that nobody knows means a draft, which is judged and never provisioned.
pub(super) fn lifecycle(status: &str, notes: &mut Notes) -> Option<Lifecycle> {
    match status.to_ascii_lowercase().as_str() {
        "active" => None,
        "draft" => Some(Lifecycle::Draft),
        "deprecated" => Some(Lifecycle::Deprecated),
        "retired" => Some(Lifecycle::Retired),
        _ => {
            let reason =
                format!("{status:?} is lifecycle Draft: judged and not provisioned until you say Active");
            notes.changed("status", reason);
            Some(Lifecycle::Draft)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_identifier_of_a_product_never_changes() {
        // As Python says: uuid5(uuid5(NAMESPACE_DNS, "datamesh.io"), "customer/customer-360").
        assert_eq!(id("customer", "customer-360"), "146cd53e-0a46-5569-b59e-243326270154");
    }

    #[test]
    fn a_version_is_read_as_it_is_meant_or_refused() {
        let cases = [
            ("1.0.0", Some("1.0.0")),
            ("2.1.0-rc.1+build.7", Some("2.1.0-rc.1+build.7")),
            ("v1.2.3", Some("1.2.3")),
            ("1", Some("1.0.0")),
            ("1.1", Some("1.1.0")),
            ("1.0.0-01", None),
            ("01.0.0", None),
            ("2022-11", None),
            ("", None),
            ("1.0.0.0", None),
            ("1.0.0+", None),
            ("latest", None),
        ];
        for (text, expected) in cases {
            let read = version(text, "version", &mut Notes::default()).ok();
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_stage_of_life_survives_and_an_unknown_one_provisions_nothing() {
        for stage in [Lifecycle::Draft, Lifecycle::Deprecated, Lifecycle::Retired] {
            assert_eq!(lifecycle(status(Some(stage)), &mut Notes::default()), Some(stage));
        }
        let mut notes = Notes::default();
        assert_eq!(lifecycle("proposed", &mut notes), Some(Lifecycle::Draft));
        assert_eq!(notes.0.len(), 1);
    }

    proptest! {
        #[test]
        fn a_slug_is_a_label_and_its_own_slug(text in ".{0,60}", longest in 1..60_usize) {
            let made = slug(&text, longest);
            prop_assert!(made.len() <= longest);
            prop_assert!(made.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'));
            prop_assert!(!made.starts_with('-') && !made.ends_with('-'));
            prop_assert_eq!(slug(&made, longest), made);
        }
    }
}
