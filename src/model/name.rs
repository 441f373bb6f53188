//! External names, computed from domain, product and account by the scheme of the reference.
//!
//! Joining with hyphens is ambiguous (`a-b` and `c` meet `a` and `b-c`), so a name never proves ownership; this
//! file only computes and validates names, and whoever uses one compares the ownership mark.

use thiserror::Error;

use super::resource::{Key, Kind};

/// The external names of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// `<domain>-<product>-<account>`, in the world-wide namespace of buckets.
    pub bucket: String,
    /// `<domain>-<product>`, the alias of the encryption key.
    pub encryption_key: String,
    /// `<domain>_<product>` with underscores for hyphens, for the catalog database and its grants.
    pub database: String,
    /// `<domain>-<product>-freshness`.
    pub alarm: String,
}

/// Names that a product chose itself, from `spec.provisioning.names`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides<'a> {
    /// Replaces the bucket name.
    pub bucket: Option<&'a str>,
    /// Replaces the database name.
    pub database: Option<&'a str>,
    /// Replaces the alarm name.
    pub alarm: Option<&'a str>,
}

/// A name that no provider would take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind} name {name:?} is not allowed: {rule}; set spec.provisioning.names.{field} to another name")]
pub struct NameError {
    /// Which resource.
    pub kind: Kind,
    /// The offending name.
    pub name: String,
    /// The rule that it breaks.
    pub rule: &'static str,
    /// The field that gives a way out.
    pub field: &'static str,
}

impl Names {
    /// Computes the names of a product and validates them.
    pub fn of(
        domain: &str,
        product: &str,
        account: &str,
        overrides: Overrides<'_>,
    ) -> Result<Self, NameError> {
        let joined = format!("{domain}-{product}");
        let pick = |chosen: Option<&str>, computed: String| chosen.map_or(computed, str::to_owned);
        let names = Self {
            bucket: pick(overrides.bucket, format!("{joined}-{account}")),
            database: pick(overrides.database, joined.replace('-', "_")),
            alarm: pick(overrides.alarm, format!("{joined}-freshness")),
            encryption_key: joined,
        };
        names.validate()?;
        Ok(names)
    }

    /// The key of the resource of a kind.
    pub fn key(&self, kind: Kind) -> Key {
        let name = match kind {
            Kind::EncryptionKey => &self.encryption_key,
            Kind::Bucket => &self.bucket,
            Kind::CatalogDatabase | Kind::Grant => &self.database,
            Kind::FreshnessAlarm => &self.alarm,
        };
        Key::new(kind, name)
    }

    /// Every key of the product, in the order of creation.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        Kind::ALL.into_iter().map(|kind| self.key(kind))
    }

    fn validate(&self) -> Result<(), NameError> {
        let fail =
            |kind, name: &str, rule, field| Err(NameError { kind, name: name.to_owned(), rule, field });
        if !is_bucket_name(&self.bucket) {
            return fail(
                Kind::Bucket,
                &self.bucket,
                "3 to 63 lower-case letters, digits and hyphens, a letter or digit at both ends",
                "bucket",
            );
        }
        if !is_database_name(&self.database) {
            return fail(
                Kind::CatalogDatabase,
                &self.database,
                "1 to 255 lower-case letters, digits and underscores",
                "database",
            );
        }
        if self.alarm.is_empty() || self.alarm.len() > 255 || self.alarm.chars().any(char::is_control) {
            return fail(Kind::FreshnessAlarm, &self.alarm, "1 to 255 printable characters", "alarm");
        }
        Ok(())
    }
}

fn is_bucket_name(name: &str) -> bool {
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && edge(name.bytes().next())
        && edge(name.bytes().last())
}

fn is_database_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(domain: &str, product: &str) -> Names {
        Names::of(domain, product, "123456789012", Overrides::default()).expect("legal names")
    }

    #[test]
    fn names_follow_the_scheme_of_the_reference() {
        let names = names("customer", "customer-360");
        assert_eq!(names.bucket, "customer-customer-360-123456789012");
        assert_eq!(names.database, "customer_customer_360");
        assert_eq!(names.alarm, "customer-customer-360-freshness");
        assert_eq!(names.encryption_key, "customer-customer-360");
    }

    #[test]
    fn the_scheme_is_ambiguous_so_names_prove_nothing() {
        assert_eq!(names("a-b", "c"), names("a", "b-c"));
    }

    #[test]
    fn a_chosen_name_is_validated_and_the_error_names_the_field() {
        let overrides = Overrides { bucket: Some("Über_bucket"), ..Overrides::default() };
        let error = Names::of("a", "b", "123456789012", overrides).expect_err("not a bucket name");
        assert!(error.to_string().contains("spec.provisioning.names.bucket"), "{error}");
    }
}
