//! What a product is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a product is made of.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Lineage {
    /// The products that this one reads, as `name` (in the same namespace) or `namespace/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), inner(length(min = 1, max = 127)), extend("x-kubernetes-list-type" = "set"))]
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": format!("self.all(product, product.matches('{}'))", super::PRODUCT),
         "message": "upstreamProducts are named as name or namespace/name, for example sales/orders"}
    ]))]
    pub upstream_products: Vec<String>,
    /// The programs that make the data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub transformations: Vec<Transformation>,
}

/// A program that makes the data.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Transformation {
    /// Tool, for example `dbt` or `spark`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub type_: Option<String>,
    /// Name of the model or job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub model: Option<String>,
    /// Where its source is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub repository: Option<String>,
    /// Revision of the source, for example a commit or a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub revision: Option<String>,
}
