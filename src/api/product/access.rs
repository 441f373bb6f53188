//! Who may read the data, how sensitive it is and how long it is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may read the data, how sensitive it is and how long it is kept.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// How sensitive the data is. Not saying it is a policy violation, so it has no default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// How long the data is kept, for example `7 years`. Not saying it is a policy violation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [crate::api::product::slo::duration_rule("retention", "7 years")]))]
    pub retention: Option<String>,
    /// How personal data is protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// Roles through which consumers get access.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub roles: Vec<Role>,
}

/// How sensitive data is, from the least to the most.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Classification {
    /// Anybody may read it.
    Public,
    /// Everybody in the company may read it.
    Internal,
    /// Only who needs it may read it.
    Confidential,
    /// Only named people may read it.
    Restricted,
}

impl Classification {
    /// The word used in specs and tags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

/// How personal data is protected.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
pub struct Privacy {
    /// The columns that hold personal data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512), inner(length(min = 1, max = 255)), extend("x-kubernetes-list-type" = "set"))]
    pub pii_columns: Vec<String>,
    /// Name of the policy that masks them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub masking_policy: Option<String>,
}

/// A role through which consumers get access.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "size(self.permissions) > 0", "message": "a role needs at least one permission, for example permissions: [SELECT]"}
]))]
pub struct Role {
    /// Name of the role, unique in the product.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// What the role may do.
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "set"))]
    pub permissions: Vec<Permission>,
    /// Who has the role: role ARNs or groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 2048)), extend("x-kubernetes-list-type" = "set"))]
    pub principals: Vec<String>,
}

/// What a role may do.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "UPPERCASE")]
pub enum Permission {
    /// Read rows.
    Select,
    /// Add rows.
    Insert,
    /// Change rows.
    Update,
    /// Remove rows.
    Delete,
    /// Change the definition of tables.
    Alter,
    /// Read the definition of tables.
    Describe,
    /// Everything.
    All,
}

impl Permission {
    /// The word used in specs and grants.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Alter => "ALTER",
            Self::Describe => "DESCRIBE",
            Self::All => "ALL",
        }
    }
}
