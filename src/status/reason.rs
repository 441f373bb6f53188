//! The closed sets of condition types and reasons. Error text is never a reason.

/// A condition type, in the order in which the status lists them for people who read from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The platform did what the spec asks.
    Ready,
    /// Work is in progress; present only while true.
    Reconciling,
    /// Somebody must change something; present only while true.
    Stalled,
    /// The namespace belongs to exactly one domain, the one that the spec names.
    DomainBound,
    /// No enforced policy error.
    GovernanceCompliant,
    /// A change fits the version and is acknowledged.
    ContractCompatible,
    /// A plan exists and may run.
    Planned,
    /// Every resource is in sync.
    Provisioned,
    /// The grants equal the allowed set.
    AccessSynced,
    /// Every upstream product exists and there is no cycle.
    LineageResolved,
    /// No service-level objective is breached.
    SLOsMet,
}

impl ConditionType {
    /// The name in the status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::DomainBound => "DomainBound",
            Self::GovernanceCompliant => "GovernanceCompliant",
            Self::ContractCompatible => "ContractCompatible",
            Self::Planned => "Planned",
            Self::Provisioned => "Provisioned",
            Self::AccessSynced => "AccessSynced",
            Self::LineageResolved => "LineageResolved",
            Self::SLOsMet => "SLOsMet",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A reason, in one closed set for conditions, events and metrics.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word in the status.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What it means, for the documentation.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+),)+
                }
            }
        }
    };
}

reasons! {
    /// Everything that the spec asks for is done.
    Ready,
    /// The condition holds.
    Succeeded,
    /// No domain claims the namespace.
    NoDomain,
    /// The namespace belongs to another domain than the spec names.
    DomainMismatch,
    /// Several domains claim the namespace.
    Ambiguous,
    /// The domain does not allow the provider class.
    ClassNotAllowed,
    /// The provider class does not exist.
    ClassMissing,
    /// The provider class changed while resources exist.
    ClassChanged,
    /// The domain's account or region changed while resources exist.
    PlaceChanged,
    /// Enforced policy errors stop change; what exists stays.
    PolicyErrors,
    /// The policies could not be evaluated.
    EvaluationFailed,
    /// There are policy errors that will stop change later.
    InGrace,
    /// There are policy errors that stop nothing.
    NotEnforced,
    /// This release does not evaluate the condition.
    NotEvaluated,
    /// The plan waits for a person.
    AwaitingApproval,
    /// No plan can be made from the spec.
    PlanFailed,
    /// Resources are being made or changed.
    Creating,
    /// A resource differs and is not corrected.
    Drifted,
    /// The provider refuses a call.
    PermissionDenied,
    /// The provider asks for fewer calls.
    Throttled,
    /// The provider cannot be reached or does not answer.
    ProviderUnavailable,
    /// The provider refuses the request as it is.
    ProviderRejected,
    /// The class's backend lacks a kind of resource.
    Unsupported,
    /// An external name belongs to another product or is not allowed.
    NameConflict,
    /// A resource of that name exists and is not the product's.
    NotOwned,
    /// A resource that held data is gone.
    ResourceLost,
    /// A resource is disabled or its deletion is scheduled.
    ResourceUnusable,
    /// A resource is missing and the product may not make it.
    Missing,
    /// The product is suspended.
    Suspended,
    /// The product is a draft and is not provisioned.
    Draft,
    /// Somebody has access who should not.
    ExtraGrants,
    /// Somebody lacks access who should have it.
    MissingGrants,
    /// An upstream product does not exist.
    UpstreamMissing,
    /// The product reads itself through others.
    Cycle,
    /// A service-level objective is not kept.
    Breached,
    /// Nothing has been measured yet.
    NoData,
    /// The product promises no service level.
    NoObjectives,
    /// The product is being deleted.
    Deleting,
    /// A lock holds the deletion back.
    DeletionBlocked,
    /// The object cannot be read.
    Undecodable,
    /// Reconciling this product made the operator fail; it is set aside.
    Quarantined,
}
