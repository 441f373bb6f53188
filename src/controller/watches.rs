//! How the watches fare, counted. One that fails is tried again for ever, so that only its count tells that nothing is seen.

use std::{
    fmt::Display,
    sync::atomic::{AtomicU64, Ordering},
};

/// The kinds that are watched.
const KINDS: [&str; 8] = [
    "DataDomain",
    "DataProduct",
    "DomainPolicy",
    "GovernancePolicy",
    "Namespace",
    "PlatformStandards",
    "PolicyException",
    "ProviderClass",
];

/// The watches of this process.
#[derive(Debug, Default)]
pub struct Watches([AtomicU64; KINDS.len()]);

impl Watches {
    /// Tells and counts that a watch failed. It is resumed by itself.
    pub fn interrupted(&self, kind: &str, error: &dyn Display) {
        tracing::warn!(kind, %error, "a watch was interrupted and is resumed");
        let counts = KINDS.iter().zip(&self.0).filter(|(of, _)| **of == kind);
        counts.for_each(|(_, count)| {
            count.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// How often each failed.
    pub fn snapshot(&self) -> impl Iterator<Item = (&'static str, u64)> {
        KINDS.iter().zip(&self.0).map(|(kind, count)| (*kind, count.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Namespace;
    use kube::Resource;

    use super::*;
    use crate::api::{
        DataDomain, DataProduct, DomainPolicy, GovernancePolicy, PlatformStandards, PolicyException,
        ProviderClass,
    };

    #[test]
    fn every_kind_that_is_watched_is_counted() {
        let kinds = [
            DataDomain::kind(&()),
            DataProduct::kind(&()),
            DomainPolicy::kind(&()),
            GovernancePolicy::kind(&()),
            Namespace::kind(&()),
            PlatformStandards::kind(&()),
            PolicyException::kind(&()),
            ProviderClass::kind(&()),
        ];
        let watches = Watches::default();
        for kind in &kinds {
            watches.interrupted(kind, &"no");
        }
        let expected = kinds.iter().map(|kind| (&**kind, 1)).collect::<Vec<_>>();
        assert_eq!(watches.snapshot().collect::<Vec<_>>(), expected);
    }
}
