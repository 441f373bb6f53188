//! Who answers for a product or a domain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who answers for a product or a domain.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Name of the team, for example `customer-domain-team`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self.matches('[^ ]')", "message": "team must not be blank; leave it out to inherit the domain's owner"}
    ]))]
    pub team: Option<String>,
    /// Address that reaches the team, for example `customer-data@example.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self.matches('^[^@ ]+@[^@ ]+$')", "message": "email must be one address with one @ and no spaces, for example team@example.com"}
    ]))]
    pub email: Option<String>,
    /// Chat channel or person, for example `#customer-data-support`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 81))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self.startsWith('#') || self.startsWith('@')", "message": "slack must start with # (a channel) or @ (a person); quote it in YAML"}
    ]))]
    pub slack: Option<String>,
    /// Page of the team; `https` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "self.startsWith('https://')", "message": "url must be an https address"}
    ]))]
    pub url: Option<String>,
    /// How to reach who is on call, in free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254))]
    pub on_call: Option<String>,
}
