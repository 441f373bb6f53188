//! Input and output ports.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema::DataSchema;

/// A source of the product.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.type != 'kafka' || has(self.topic) || has(self.productRef)",
     "message": "a kafka input port needs topic, for example customer.transactions.v1"},
    {"rule": "self.type != 'postgres' || has(self.productRef) || (has(self.connection) && has(self.table))",
     "message": "a postgres input port needs connection and table"},
    {"rule": "!has(self.productRef) || (!has(self.topic) && !has(self.connection))",
     "message": "productRef already says where the data comes from; remove topic and connection, or remove productRef"}
]))]
pub struct InputPort {
    /// Name of the port, unique among the input ports.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Technology, for example `kafka`, `postgres` or `s3`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-z0-9_]+$"))]
    pub type_: String,
    /// Topic of a kafka port.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 249))]
    pub topic: Option<String>,
    /// Name of the connection of a database port.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub connection: Option<String>,
    /// Table of a database port.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub table: Option<String>,
    /// The data product that this port reads, which makes the lineage exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_ref: Option<ProductRef>,
    /// Further settings of the technology.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), inner(length(max = 1024)))]
    pub parameters: BTreeMap<String, String>,
}

/// Names another data product.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ProductRef {
    /// Namespace of the product. The default is this product's own namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub namespace: Option<String>,
    /// Name of the product.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Output port of that product.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub output_port: Option<String>,
    /// Lowest version that this product can read, for example `2.0.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[schemars(extend("x-kubernetes-validations" = [super::version_rule("minVersion")]))]
    pub min_version: Option<String>,
}

/// A way in which consumers reach the data.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.type != 'snowflake' || (has(self.database) && has(self.schema) && has(self.table))",
     "message": "a snowflake output port needs database, schema (the warehouse schema) and table"},
    {"rule": "!(self.type in ['rest', 'grpc', 'graphql']) || has(self.endpoint)",
     "message": "a rest, grpc or graphql output port needs endpoint, for example /api/v2/customers"}
]))]
pub struct OutputPort {
    /// Name of the port, unique among the output ports.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Technology, for example `snowflake`, `s3_delta_lake` or `rest`. The platform's standards say which are allowed.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-z0-9_]+$"))]
    pub type_: String,
    /// Database in the warehouse.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub database: Option<String>,
    /// Schema in the warehouse. The fields of the data are under `contract` or `spec.schema`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub schema: Option<String>,
    /// Table in the warehouse.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub table: Option<String>,
    /// File or table format, for example `iceberg`. The platform's standards say which are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub format: Option<String>,
    /// Path or address of an API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub endpoint: Option<String>,
    /// How callers of an API prove who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// Prefix below the product's bucket. The default is the port's name and a slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub location: Option<String>,
    /// The fields of this port, where they differ from `spec.schema`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<DataSchema>,
}

/// How callers of an API prove who they are.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// They do not.
    None,
    /// Tokens of an authorization server.
    Oauth2,
    /// Client certificates.
    Mtls,
    /// A shared key.
    Apikey,
    /// Signatures of the cloud's own identities.
    Iam,
    /// Name and password.
    Basic,
}

impl Authentication {
    /// The word used in specs and standards.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Oauth2 => "oauth2",
            Self::Mtls => "mtls",
            Self::Apikey => "apikey",
            Self::Iam => "iam",
            Self::Basic => "basic",
        }
    }
}
