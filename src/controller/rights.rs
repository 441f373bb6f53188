//! What the operator must be allowed to do, as a list that the chart's roles are tested against and that `doctor` asks for.

use super::leader;
use crate::api::GROUP;

/// Where a right is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On objects without a namespace.
    Cluster,
    /// On objects without a namespace, by who watches every namespace.
    Whole,
    /// In the namespaces that are watched: all of them, or one.
    Watched,
    /// On these namespaces themselves.
    Themselves,
    /// In the namespace of the Lease, where a leader is elected.
    Lease,
}

/// A right: verbs on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// API group; empty for the core.
    pub group: &'static str,
    /// Resource.
    pub resource: &'static str,
    /// Part of the resource; empty for itself.
    pub part: &'static str,
    /// The only object that is meant; empty for all.
    pub name: &'static str,
    /// What is done to it.
    pub verbs: &'static [&'static str],
    /// Where.
    pub scope: Scope,
}

impl Right {
    const fn new(group: &'static str, resource: &'static str, verbs: &'static [&'static str]) -> Self {
        Self { group, resource, part: "", name: "", verbs, scope: Scope::Cluster }
    }

    const fn watched(resource: &'static str, verbs: &'static [&'static str]) -> Self {
        Self { scope: Scope::Watched, ..Self::new(GROUP, resource, verbs) }
    }

    const fn status(resource: &'static str) -> Self {
        Self { part: "status", ..Self::watched(resource, &["patch"]) }
    }
}

/// Everything that the operator needs as the chart installs it, beside what outputs and the webhook need.
pub const RIGHTS: [Right; 16] = [
    Right::watched("dataproducts", &["get", "list", "watch", "patch"]),
    Right::status("dataproducts"),
    Right::new(GROUP, "datadomains", &["get", "list", "watch"]),
    Right::new(GROUP, "providerclasses", &["get", "list", "watch"]),
    Right::new(GROUP, "platformstandards", &["list", "watch"]),
    Right::new(GROUP, "governancepolicies", &["list", "watch"]),
    Right::watched("domainpolicies", &["list", "watch"]),
    Right::watched("policyexceptions", &["list", "watch"]),
    Right { scope: Scope::Whole, ..Right::status("governancepolicies") },
    Right::status("domainpolicies"),
    Right::status("policyexceptions"),
    Right { scope: Scope::Themselves, ..Right::new("", "namespaces", &["list", "watch"]) },
    Right { name: "kube-system", ..Right::new("", "namespaces", &["get"]) },
    Right { scope: Scope::Watched, ..Right::new("events.k8s.io", "events", &["create"]) },
    Right { scope: Scope::Lease, ..Right::new("coordination.k8s.io", "leases", &["create"]) },
    Right {
        scope: Scope::Lease,
        name: leader::NAME,
        ..Right::new("coordination.k8s.io", "leases", &["get", "update"])
    },
];
