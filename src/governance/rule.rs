//! A rule as a value, and the hash by which a report says which rules and standards it comes from.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::api::{Enforcement, PlatformStandardsSpec, status::Severity};

use super::{Findings, Input};

/// A rule: what it demands, how grave a breach is, and how far the rule is phased in.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable name, for example `SCHEMA-001`.
    pub id: &'static str,
    /// How grave a breach is, unless the finding itself says otherwise.
    pub severity: Severity,
    /// How far the policies that come with the operator phase it in.
    pub state: Enforcement,
    /// What the rule demands, as a sentence without its full stop.
    pub title: &'static str,
    /// The paths that it reads. Those below `standards` are in `PlatformStandards`, those below `status.resources` are what
    /// the provider observed, those below `mesh` are other objects, the others are in the product.
    pub reads: &'static [&'static str],
    /// What must be known beside the product and the standards. Where it is not, the rule is not evaluated.
    pub needs: Option<Need>,
    /// What a policy may set.
    pub parameters: &'static [Parameter],
    /// Finds every breach in an input.
    pub(super) check: fn(&Input<'_>, &mut Findings<'_>),
}

/// A setting of a rule.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is where no policy says otherwise.
    pub default: &'static str,
    /// What is wrong with a value.
    pub(super) check: fn(&str) -> Result<(), String>,
}

/// Rules are the same when they have the same id.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// What a rule needs to know beside the product and the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The other products of the mesh.
    Mesh,
    /// The domain of the product's namespace.
    Domain,
    /// What that domain says of itself.
    DomainSpec,
    /// What the provider observed.
    Observation,
    /// The contracts that were accepted before.
    History,
    /// The product before the change, which only admission knows.
    Previous,
    /// What day it is.
    Today,
}

impl Need {
    /// What it is, as part of a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mesh => "the other products of the mesh",
            Self::Domain => "the domain of its namespace",
            Self::DomainSpec => "what the domain of its namespace says of itself",
            Self::Observation => "what the provider observed",
            Self::History => "the contracts that were accepted before, which this release does not keep",
            Self::Previous => "the product before the change, which only admission knows",
            Self::Today => "what day it is",
        }
    }

    const ALL: [Self; 7] = [
        Self::Mesh,
        Self::Domain,
        Self::DomainSpec,
        Self::Observation,
        Self::History,
        Self::Previous,
        Self::Today,
    ];

    /// Whether an input has it.
    const fn is_met(self, input: &Input<'_>) -> bool {
        match self {
            Self::Mesh => input.neighbours.is_some(),
            Self::Domain => input.bound_domain.is_some(),
            Self::DomainSpec => input.domain.is_some(),
            Self::Observation => input.observed.is_some(),
            Self::History => false,
            Self::Previous => input.previous.is_some(),
            Self::Today => input.today.is_some(),
        }
    }
}

/// A set of needs: one bit each, because it is asked for every rule and product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs(u8);

impl Needs {
    /// Those that an input meets.
    pub(super) fn met_by(input: &Input<'_>) -> Self {
        Need::ALL.into_iter().filter(|need| need.is_met(input)).collect()
    }

    pub(super) const fn contains(self, need: Need) -> bool {
        self.0 & bit(need) != 0
    }

    pub(super) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl FromIterator<Need> for Needs {
    fn from_iter<T: IntoIterator<Item = Need>>(needs: T) -> Self {
        Self(needs.into_iter().fold(0, |set, need| set | bit(need)))
    }
}

const fn bit(need: Need) -> u8 {
    1 << need as u8
}

/// A hash that begins with the release, because another one may judge differently, and with the standards.
pub(super) fn hasher(standards: &PlatformStandardsSpec) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    // Standards are plain data, so that their serialization cannot fail.
    hash.update(serde_json::to_vec(&(&standards.standards, &standards.scoring)).unwrap_or_default());
    hash
}

/// The beginning of a hash as text.
pub(super) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
