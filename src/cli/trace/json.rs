//! The same for programs: products and who reads whom, flat, so that cycles are nothing special.

use serde::Serialize;
use serde_json::Value;

use super::{
    graph::Graph,
    known::{Known, Seen},
    state,
};
use crate::{
    api::status::{GrantStatus, ResourceStatus, Violation},
    plan::ProductName,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// The product that was asked for.
    root: String,
    products: Vec<Product<'a>>,
    reads: Vec<Read>,
    /// Whether every reader is known.
    all_readers: bool,
    /// Whether there are more products beyond the depth that was asked for.
    truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    name: &'a str,
    namespace: &'a str,
    /// One word.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<i32>,
    /// What only the product that was asked for has.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    own: Option<Own<'a>>,
}

#[derive(Serialize)]
struct Own<'a> {
    conditions: &'a [k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition],
    violations: &'a [Violation],
    resources: &'a [ResourceStatus],
    access: &'a [GrantStatus],
}

#[derive(Serialize)]
struct Read {
    upstream: String,
    reader: String,
}

/// A graph with what is known of its products.
pub fn json(graph: &Graph, known: &Known) -> Result<Value, serde_json::Error> {
    let document = Document {
        root: graph.root.to_string(),
        products: graph.products.iter().map(|name| product(graph, known, name)).collect(),
        reads: graph
            .edges
            .iter()
            .map(|(upstream, reader)| Read { upstream: upstream.to_string(), reader: reader.to_string() })
            .collect(),
        all_readers: known.is_whole(),
        truncated: graph.more,
    };
    serde_json::to_value(&document)
}

fn product<'a>(graph: &Graph, known: &'a Known, name: &'a ProductName) -> Product<'a> {
    let seen = known.look(name);
    let state = state::of(name, seen);
    let Seen::Product(product) = seen else {
        let ProductName { name, namespace } = name;
        return Product {
            name,
            namespace,
            state: state.word,
            reason: None,
            domain: None,
            version: None,
            score: None,
            own: None,
        };
    };
    let status = product.status.as_ref();
    let governance = status.and_then(|status| status.governance.as_ref());
    let own = status.filter(|_| *name == graph.root).map(|status| Own {
        conditions: &status.conditions,
        violations: governance.map(|it| it.violations.as_slice()).unwrap_or_default(),
        resources: &status.resources,
        access: status.access.as_ref().map(|it| it.grants.as_slice()).unwrap_or_default(),
    });
    Product {
        name: &name.name,
        namespace: &name.namespace,
        state: state.word,
        reason: state.reason,
        domain: Some(&product.spec.domain),
        version: Some(&product.spec.version),
        score: governance.and_then(|it| it.score),
        own,
    }
}
