//! The seam to CEL: an expression over `self`, and a value as the schema sees it.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use cel::{
    Context, Env, ExecutionError, Program, Value as Cel,
    extractors::This,
    objects::{Key, Map},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use regex::Regex;

use super::{
    Node,
    node::Value,
    schema::{additional, items, property},
};

/// The functions of CEL itself; built once, because that takes longer than an evaluation.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// An expression that is true or false of a value.
#[derive(Debug)]
pub(super) struct Expression(Program);

/// The value that an expression calls `self`.
pub(super) struct Self_(Cel);

impl Expression {
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        ENV.compile(text).map(Self).map_err(|error| error.to_string())
    }

    /// Whether it is about a change.
    pub(super) fn mentions_old_self(&self) -> bool {
        self.0.references().has_variable("oldSelf")
    }

    pub(super) fn holds(&self, this: &Self_) -> Result<bool, String> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.add_variable_from_value("self", this.0.clone());
        // Nothing was there before; only rules that say that they cope with it are asked.
        context
            .add_variable_from_value("oldSelf", Cel::Opaque(Arc::new(cel::objects::OptionalValue::none())));
        context.add_function("find", find).map_err(|error| error.to_string())?;
        match self.0.execute(&context) {
            Ok(Cel::Bool(truth)) => Ok(truth),
            Ok(other) => Err(format!("it gives {:?} and neither true nor false", other.type_of())),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The first match of a pattern in a text, which Kubernetes adds to CEL; empty where there is none.
fn find(This(text): This<Arc<String>>, pattern: Arc<String>) -> Result<Arc<String>, ExecutionError> {
    let regex = Regex::new(&pattern).map_err(|error| ExecutionError::function_error("find", error))?;
    Ok(Arc::new(regex.find(&text).map(|found| found.as_str().to_owned()).unwrap_or_default()))
}

impl Self_ {
    /// A value with the defaults of its schema. Of a whole object there are the name and the spec.
    pub(super) fn new(schema: &JSONSchemaProps, node: &Node, whole: bool) -> Self {
        if !whole {
            return Self(value(schema, node));
        }
        let text = |path: &[&str]| node.at(path).and_then(Node::text).map(str::to_owned);
        // The API server completes the name before it asks the rules.
        let generated = || text(&["metadata", "generateName"]).map(|prefix| format!("{prefix}00000"));
        let name = text(&["metadata", "name"]).or_else(generated).unwrap_or_default();
        let mut fields = fields(schema, node, |key| key != "status");
        fields.insert("metadata".to_owned(), map([("name".to_owned(), Cel::String(Arc::new(name)))]));
        Self(map(fields))
    }
}

fn map(fields: impl IntoIterator<Item = (String, Cel)>) -> Cel {
    let fields = fields.into_iter().map(|(key, value)| (Key::String(Arc::new(key)), value));
    Cel::Map(Map { map: Arc::new(fields.collect()) })
}

fn value(schema: &JSONSchemaProps, node: &Node) -> Cel {
    match &node.value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Text(text) => Cel::String(Arc::new(text.clone())),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if schema.type_.as_deref() != Some("number") => Cel::Int(whole),
            _ => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Value::List(list) => {
            let item = |item| items(schema).map_or(Cel::Null, |schema| value(schema, item));
            Cel::List(Arc::new(list.iter().map(item).collect()))
        }
        Value::Map(_) => map(fields(schema, node, |_| true)),
    }
}

/// The entries of a mapping that the schema knows. A null of a known field is as if it were not there.
fn fields(schema: &JSONSchemaProps, node: &Node, wanted: impl Fn(&str) -> bool) -> HashMap<String, Cel> {
    let free = additional(schema).is_some();
    let present = node.entries().iter().filter(|entry| free || entry.value.value != Value::Null);
    let present = present
        .filter_map(|entry| Some((entry.key.clone(), value(property(schema, &entry.key)?, &entry.value))));
    let mut fields = present.filter(|(key, _)| wanted(key)).collect::<HashMap<_, _>>();
    for (name, part) in schema.properties.iter().flatten() {
        if let (Some(default), false, true) = (&part.default, fields.contains_key(name), wanted(name)) {
            fields.insert(name.clone(), value(part, &Node::of_json(&default.0)));
        }
    }
    fields
}
