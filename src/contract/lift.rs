//! Manifests as the reference writes them, and the place that each part has in our API.
//!
//! The reference puts what it knows of a product into `metadata`, whose fields Kubernetes fixes: an API server ignores
//! or refuses them there. All that it has below `spec` stays as it is. Its platform standards have no kind at all.

mod shape;
mod text;

use serde_json::{Map, Value, json};
use thiserror::Error;

pub use text::{edit, line_of};

use super::note::join;
use crate::api::{GROUP, STANDARDS_NAME};

/// What every object of Kubernetes may say of itself.
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// What every object of Kubernetes has at its top.
const TOP: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// A document with the place that each part has in our API.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifted {
    /// The manifest.
    pub manifest: Value,
    /// What was moved, each as the place where it stood and the one where it stands; empty when nothing was.
    pub moves: Vec<(String, String)>,
    /// What was added, with its place.
    pub added: Vec<String>,
}

/// Something in a document that the API does not take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{said}", if .path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Illegal {
    /// Where it stands in the document.
    pub path: String,
    /// What is wrong with it, and what to do.
    pub said: String,
}

impl Illegal {
    fn new(path: impl Into<String>, said: impl Into<String>) -> Self {
        Self { path: path.into(), said: said.into() }
    }
}

/// Puts everything where our API has it. Whatever has no place is in the error, with what to do.
pub fn lift(document: &Value) -> Result<Lifted, Vec<Illegal>> {
    let Some(top) = document.as_object() else {
        return Err(vec![Illegal::new(
            "",
            "a manifest is a mapping with apiVersion, kind, metadata and spec",
        )]);
    };
    let said = |key: &str| top.get(key).and_then(Value::as_str);
    match (said("apiVersion"), said("kind")) {
        (None, None) if top.contains_key("standards") => standards(top),
        (None, None) => Err(vec![Illegal::new(
            "",
            "there is neither apiVersion nor kind: only products and platform standards have a form in this API; \
             take this document out of the file",
        )]),
        (version, Some("DataProduct")) if version.is_some_and(|version| version == format!("{GROUP}/v1")) => {
            product(top)
        }
        (version, Some("DataProduct")) => {
            let version = version.unwrap_or("none");
            let said = format!("a DataProduct has the apiVersion {GROUP}/v1; here it is {version}");
            Err(vec![Illegal::new("apiVersion", said)])
        }
        (None, _) => Err(vec![Illegal::new("apiVersion", "it is missing; add it")]),
        (_, None) => Err(vec![Illegal::new("kind", "it is missing; add it")]),
        // Objects of other kinds are as Kubernetes has them.
        _ => Ok(Lifted { manifest: document.clone(), moves: Vec::new(), added: Vec::new() }),
    }
}

/// The reference's platform standards as the one object that holds them here.
fn standards(top: &Map<String, Value>) -> Result<Lifted, Vec<Illegal>> {
    let others = top.keys().filter(|key| *key != "standards");
    let illegal: Vec<_> = others
        .map(|key| Illegal::new(key, "platform standards have only the key standards; take this out"))
        .collect();
    if !illegal.is_empty() {
        return Err(illegal);
    }
    let manifest = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": "PlatformStandards",
        "metadata": {"name": STANDARDS_NAME},
        "spec": {"standards": top.get("standards")},
    });
    let moves = vec![("standards".to_owned(), "spec.standards".to_owned())];
    let added = ["apiVersion", "kind", "metadata.name"].map(str::to_owned).to_vec();
    checked(Lifted { manifest, moves, added })
}

/// A product: what is below `metadata` or at the top and belongs below `spec` goes there.
fn product(top: &Map<String, Value>) -> Result<Lifted, Vec<Illegal>> {
    let schema = shape::schema_of("DataProduct").unwrap_or_default();
    let fields = schema.pointer("/properties/spec/properties").and_then(Value::as_object);
    let known = |key: &str| fields.is_some_and(|fields| fields.contains_key(key));
    let mut manifest = top.clone();
    let mut spec = match manifest.remove("spec") {
        None => Map::new(),
        Some(Value::Object(spec)) => spec,
        Some(_) => return Err(vec![Illegal::new("spec", "it must be a mapping")]),
    };
    let (mut moves, mut illegal) = (Vec::new(), Vec::new());
    let mut take = |place: &mut Map<String, Value>, path: &str, own: &[&str]| {
        let foreign: Vec<_> = place.keys().filter(|key| !own.contains(&key.as_str())).cloned().collect();
        for key in foreign {
            let from = join(path, &key);
            let said = place.get(&key);
            match (known(&key), spec.get(&key)) {
                (false, _) => illegal.push(Illegal::new(
                    &from,
                    format!(
                        "this API has no place for {key}; take it out, or keep it as an annotation or a label"
                    ),
                )),
                (true, Some(other)) if Some(other) != said => illegal.push(Illegal::new(
                    &from,
                    format!("spec.{key} is there, too, and says something else; keep one of them"),
                )),
                (true, there) => {
                    let is_new = there.is_none();
                    if let Some(value) = place.remove(&key) {
                        if is_new {
                            spec.insert(key.clone(), value);
                        }
                        moves.push((from, format!("spec.{key}")));
                    }
                }
            }
        }
    };
    if let Some(Value::Object(metadata)) = manifest.get_mut("metadata") {
        take(metadata, "metadata", &METADATA);
    }
    take(&mut manifest, "", &TOP);
    manifest.insert("spec".to_owned(), Value::Object(spec));
    if !illegal.is_empty() {
        return Err(illegal);
    }
    checked(Lifted { manifest: Value::Object(manifest), moves, added: Vec::new() })
}

/// The manifest, once it has the shape of its definition. A fault is told at the place where the document has it.
fn checked(lifted: Lifted) -> Result<Lifted, Vec<Illegal>> {
    let illegal = shape::illegal(&lifted.manifest);
    if illegal.is_empty() {
        return Ok(lifted);
    }
    let origin = |path: &str| {
        let mut moves = lifted.moves.iter();
        let found = moves.find_map(|(from, to)| Some((from, path.strip_prefix(to.as_str())?)));
        found
            .filter(|(_, rest)| rest.is_empty() || rest.starts_with(['.', '[']))
            .map(|(from, rest)| format!("{from}{rest}"))
    };
    let at_origin = |fault: Illegal| match origin(&fault.path) {
        Some(path) => Illegal { path, ..fault },
        None => fault,
    };
    Err(illegal.into_iter().map(at_origin).collect())
}
