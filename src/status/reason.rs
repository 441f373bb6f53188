//! The closed sets of words in a status and in events: condition types and reasons. Error text is never one of them.

macro_rules! words {
    ($(#[doc = $about:literal])+ $set:ident { $($(#[doc = $doc:literal])+ $name:ident,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $set {
            $($(#[doc = $doc])+ $name,)+
        }

        impl $set {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word itself.
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

            /// The word that a text is, if it is one of these.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words! {
    /// A condition type, in the order in which the status lists them for people who read from the top.
    ConditionType {
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
}

words! {
    /// A reason, in one closed set for conditions, events and metrics.
    Reason {
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
        /// Neither the domain nor the provider class names the account or the region.
        NoPlace,
        /// The provider class changed while resources exist.
        ClassChanged,
        /// The domain's account or region changed while resources exist.
        PlaceChanged,
        /// An external name changed while the resource of the old one exists.
        NameChanged,
        /// Enforced policy errors stop change; what exists stays.
        PolicyErrors,
        /// The policies could not be evaluated.
        EvaluationFailed,
        /// There are policy errors in grace, which stop no change.
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
}

words! {
    /// The reason of an event that tells of something done, beside the reasons of the conditions that turned.
    EventReason {
        /// Resources were made.
        ResourceCreated,
        /// Resources were changed.
        ResourceUpdated,
        /// Resources were taken over, or taken back.
        ResourceAdopted,
        /// Resources outlive their product and were marked as released.
        ResourceReleased,
        /// Resources were removed.
        ResourceDeleted,
        /// A product is gone, and what it owned could not be marked as released.
        LeftBehind,
        /// The operator is about to be uninstalled and holds the product no more; what it owns stays as it is.
        LetGo,
    }
}
