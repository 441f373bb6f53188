//! Why a product is not provisioned or not changed: a closed set, each with what to do about it.

use std::fmt;

use crate::model::{name::NameError, resource::Key};

/// A reason for which nothing may be made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// No domain claims the namespace.
    NoDomain {
        /// The namespace.
        namespace: String,
    },
    /// The namespace belongs to another domain than the product says.
    DomainMismatch {
        /// The namespace.
        namespace: String,
        /// What the product says.
        declared: String,
        /// What the platform says.
        bound: String,
    },
    /// Several domains claim the namespace.
    AmbiguousDomain {
        /// The namespace.
        namespace: String,
        /// The domains, sorted.
        domains: Vec<String>,
    },
    /// The domain does not allow the class.
    ClassNotAllowed {
        /// The class.
        class: String,
        /// The classes that are allowed.
        allowed: Vec<String>,
        /// The domain.
        domain: String,
    },
    /// The class does not exist.
    ClassMissing {
        /// The class.
        class: String,
    },
    /// Neither the domain nor the class says where resources go.
    NoPlace {
        /// The domain.
        domain: String,
        /// The class.
        class: String,
        /// What is missing: `account` or `region`.
        missing: &'static str,
    },
    /// The class changed while resources exist.
    ClassChanged {
        /// The class that made the resources.
        from: String,
        /// The class that is asked for.
        to: String,
    },
    /// The domain's account or region changed while resources exist.
    PlaceChanged {
        /// Account and region that hold the resources.
        from: String,
        /// Account and region that the domain has now.
        to: String,
    },
    /// An external name changed while the resource of the old one exists.
    NameChanged {
        /// The resource that exists.
        from: Key,
        /// The name that is asked for.
        to: String,
    },
    /// The provider of the class cannot be opened.
    ProviderUnusable {
        /// Why.
        message: String,
        /// Whether waiting may help.
        transient: bool,
    },
    /// An external name is not allowed.
    BadName(NameError),
    /// An external name belongs to an older product.
    NameTaken {
        /// The name.
        name: String,
        /// The older product, as `namespace/name`.
        holder: String,
    },
    /// There is no `PlatformStandards`, so nothing can be judged.
    NoStandards,
    /// There is no policy, so nothing can be judged.
    NoPolicies,
    /// Enforced policy errors.
    PolicyErrors {
        /// How many.
        errors: usize,
        /// The first, for people.
        first: String,
    },
    /// The spec holds a value that cannot be planned with.
    BadSpec {
        /// What is wrong and what to do.
        message: String,
    },
    /// The backend lacks a kind of resource.
    Unsupported {
        /// The kinds, sorted.
        kinds: Vec<String>,
    },
    /// The product is suspended.
    Suspended,
    /// The product is a draft.
    Draft,
    /// The plan waits for a person.
    AwaitingApproval {
        /// Hash that the approval must name.
        hash: String,
    },
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDomain { namespace } => write!(
                f,
                "no DataDomain claims namespace {namespace}; ask the platform team to add it to spec.namespaces of your domain"
            ),
            Self::DomainMismatch { namespace, declared, bound } => write!(
                f,
                "spec.domain is {declared}, but namespace {namespace} belongs to domain {bound}; apply the product in a namespace of {declared}"
            ),
            Self::AmbiguousDomain { namespace, domains } => write!(
                f,
                "namespace {namespace} is claimed by several domains ({}); ask the platform team to leave it to one",
                domains.join(", ")
            ),
            Self::ClassNotAllowed { class, allowed, domain } => write!(
                f,
                "domain {domain} does not allow ProviderClass {class}; allowed are {}",
                allowed.join(", ")
            ),
            Self::ClassMissing { class } => {
                write!(f, "ProviderClass {class} does not exist; ask the platform team to create it")
            }
            Self::NoPlace { domain, class, missing } => write!(
                f,
                "neither DataDomain {domain} nor ProviderClass {class} names {}",
                if *missing == "region" {
                    "a region; ask the platform team to set spec.account.region of the domain"
                } else {
                    "an account; ask the platform team to set spec.account.id of the domain"
                }
            ),
            Self::ClassChanged { from, to } => write!(
                f,
                "the resources were made by ProviderClass {from} and cannot move to {to}; set it back, or create a new product"
            ),
            Self::PlaceChanged { from, to } => write!(
                f,
                "the resources are in {from} and cannot move to {to}; ask the platform team to set the domain's account back, or create a new product"
            ),
            Self::NameChanged { from, to } => write!(
                f,
                "{from} exists and cannot be renamed to {to}; delete this product, whose data stays, and create it anew without that name in spec.provisioning.names"
            ),
            Self::ProviderUnusable { message, .. } => write!(f, "the provider cannot be used: {message}"),
            Self::BadName(error) => error.fmt(f),
            Self::NameTaken { name, holder } => write!(
                f,
                "the external name {name} belongs to the older product {holder}; choose another with spec.provisioning.names"
            ),
            Self::NoStandards => f.write_str(
                "there is no PlatformStandards named default, so the product cannot be judged; ask the platform team to apply one",
            ),
            Self::NoPolicies => f.write_str(
                "there is no GovernancePolicy, so the product cannot be judged; ask the platform team to apply deploy/policies",
            ),
            Self::PolicyErrors { errors: 1, first } => write!(f, "1 enforced policy error: {first}"),
            Self::PolicyErrors { errors, first } => {
                write!(f, "{errors} enforced policy errors; the first: {first}")
            }
            Self::BadSpec { message } => f.write_str(message),
            Self::Unsupported { kinds } => write!(
                f,
                "the backend of the ProviderClass has no {}; ask the platform team for another class",
                kinds.join(", ")
            ),
            Self::Suspended => f.write_str("spec.suspend is true: nothing is changed outside until it is false"),
            Self::Draft => f.write_str("spec.lifecycle is Draft: the product is judged and not provisioned"),
            Self::AwaitingApproval { hash } => write!(
                f,
                "the plan waits for approval: review status.plan, then set the annotation datamesh.io/approve-plan to {hash}"
            ),
        }
    }
}
