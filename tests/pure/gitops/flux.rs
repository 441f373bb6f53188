//! Flux: the health expressions of the example, evaluated as its controller evaluates them.

use std::{collections::HashMap, sync::Arc};

use kube_cel::cel::{Context, Program, Value as Said};
use serde::Deserialize;
use serde_json::Value;

use super::{states::states, yaml};

#[derive(Deserialize)]
struct Kustomization {
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    health_check_exprs: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Check {
    api_version: String,
    kind: String,
    in_progress: Option<String>,
    failed: Option<String>,
    current: String,
}

impl Check {
    /// The order of the controller: generation, in progress, failed, current, and in progress again.
    fn says(&self, object: &Value) -> &'static str {
        let observed = &object["status"]["observedGeneration"];
        if !observed.is_null() && *observed != object["metadata"]["generation"] {
            return "InProgress";
        }
        let expressions = [
            (self.in_progress.as_ref(), "InProgress"),
            (self.failed.as_ref(), "Failed"),
            (Some(&self.current), "Current"),
        ];
        let holds = |expression: Option<&String>| expression.is_some_and(|text| evaluate(text, object));
        let first = expressions.iter().find(|(expression, _)| holds(*expression));
        first.map_or("InProgress", |(_, status)| status)
    }
}

/// The value of an expression; the variables are the fields of the object.
fn evaluate(expression: &str, object: &Value) -> bool {
    let program = Program::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let mut context = Context::default();
    for (name, value) in object.as_object().expect("an object") {
        context.add_variable_from_value(name.as_str(), given(value));
    }
    match program.execute(&context) {
        Ok(Said::Bool(said)) => said,
        other => panic!("{expression} of {object}: {other:?}"),
    }
}

/// A value with whole numbers as the controller has them: signed.
fn given(value: &Value) -> Said {
    match value {
        Value::Null => Said::Null,
        Value::Bool(truth) => Said::Bool(*truth),
        Value::Number(number) => number.as_i64().map_or_else(|| panic!("{number} is not whole"), Said::Int),
        Value::String(text) => Said::String(Arc::new(text.clone())),
        Value::Array(items) => Said::List(Arc::new(items.iter().map(given).collect())),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), given(value)));
            Said::Map(fields.collect::<HashMap<_, _>>().into())
        }
    }
}

#[test]
fn every_state_has_the_health_that_it_must_have_for_flux() {
    let kustomization: Kustomization = yaml("deploy/flux/kustomization.yaml");
    let checks = kustomization.spec.health_check_exprs;
    for state in states() {
        let of = |check: &&Check| {
            state.object["kind"] == check.kind && state.object["apiVersion"] == check.api_version
        };
        let check = checks.iter().find(of).unwrap_or_else(|| panic!("no check of {}", state.object["kind"]));
        assert_eq!(
            check.says(&state.object),
            state.verdict.flux,
            "{}: {}",
            state.name,
            state.object["status"]
        );
    }
    assert_eq!(checks.len(), 4, "each kind that has a status, once");
}
