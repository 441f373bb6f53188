//! Every object of the chart by the schemas of Kubernetes, without a cluster: of the oldest version that the chart allows,
//! which no other test has, and of the newest that is known. Unknown fields are wrong, as for a strict API server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::GROUP,
    manifest::{self, Definitions, Source},
};
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use crate::{
    helm::{CHART, Helm, objects, read, root},
    rendered::values,
};

/// Groups of others, which have no schema here. A real API server judges those of the Prometheus operator in another test, by
/// their definitions.
const FOREIGN: [&str; 2] = ["monitoring.coreos.com", "grafana.integreatly.org"];
/// Versions whose schemas are asked; the first is that of Chart.yaml.
const VERSIONS: [&str; 2] = ["1.33", "1.37"];

#[test]
fn every_object_is_one_of_the_oldest_and_of_the_newest_kubernetes() -> Result<()> {
    ensure!(read(&format!("{CHART}/Chart.yaml"))?.contains(&format!(">={}.0", VERSIONS[0])));
    let definitions = Definitions::new()?;
    let helm = Helm::offline("helm4")?;
    // Most objects are the same whatever the values are.
    let mut rendered = BTreeMap::new();
    for values in values()? {
        let found = objects(&helm.template(&[&values])?)?;
        rendered.extend(found.into_iter().map(|object| (object.to_string(), object)));
    }
    let kinds = rendered.values().map(kind).collect::<BTreeSet<_>>();
    let mut judged = 0;
    for version in VERSIONS {
        let text =
            fs::read_to_string(folder()?.join(format!("v{version}.0-local-strict/_definitions.json")))?;
        let kubernetes = Kubernetes::new(&serde_json::from_str(&text)?, &kinds)?;
        for object in rendered.values().filter(|object| !FOREIGN.contains(&group(object))) {
            let said = match group(object) {
                GROUP => own(object, &definitions),
                _ => kubernetes.faults(object)?,
            };
            ensure!(said.is_empty(), "Kubernetes {version} refuses {}: {said:?}", object["metadata"]["name"]);
            judged += 1;
        }
        // The test can fail: a field that is misspelt deep within a pod is found.
        let misspelt = helm.template(&["--set", "podSecurityContext.runAsNonRoots=true"])?;
        let misspelt = objects(&misspelt)?.into_iter().find(|object| object["kind"] == "Deployment");
        let said = kubernetes.faults(&misspelt.context("no Deployment")?)?;
        ensure!(said.len() == 1 && said[0].contains("runAsNonRoots"), "{said:?}");
    }
    ensure!(judged > 60, "only {judged} objects were judged");
    Ok(())
}

fn group(object: &Value) -> &str {
    object["apiVersion"].as_str().and_then(|it| it.split_once('/')).map_or("", |(group, _)| group)
}

/// `group/version/kind` of an object, where the core has an empty group.
fn kind(object: &Value) -> String {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let slash = if text("apiVersion").contains('/') { "" } else { "/" };
    format!("{slash}{}/{}", text("apiVersion"), text("kind"))
}

/// What is wrong with an object of ours, as `dataproduct check` would say it.
fn own(object: &Value, definitions: &Definitions) -> Vec<String> {
    let (source, _) = Source::new("chart", object.to_string().into_bytes());
    let reading = manifest::objects(&source, definitions);
    let faults = reading.faults.iter().chain(reading.objects.iter().flat_map(|object| &object.faults));
    let none = (reading.objects.len() != 1).then(|| "it is not read as one object of ours".to_owned());
    faults.map(|fault| fault.message.clone()).chain(none).collect()
}

/// Where the schemas are, whatever the version of Python.
fn folder() -> Result<PathBuf> {
    let libraries = root().join(".tools/kubernetes-validate/lib");
    let missing = "the schemas of Kubernetes are missing; run `make schemas` first";
    for library in fs::read_dir(libraries).context(missing)? {
        let folder = library?.path().join("site-packages/kubernetes_validate/kubernetes-json-schema");
        if folder.exists() {
            return Ok(folder);
        }
    }
    anyhow::bail!(missing)
}

/// The schemas of one version of Kubernetes.
struct Kubernetes {
    kinds: BTreeMap<String, Validator>,
}

impl Kubernetes {
    /// Those of some kinds.
    fn new(definitions: &Value, wanted: &BTreeSet<String>) -> Result<Self> {
        let place = "https://example.com/definitions";
        let mut found = definitions.clone();
        found["$id"] = json!(place);
        let registry = Registry::new().add(place, found)?.prepare()?;
        let mut kinds = BTreeMap::new();
        for (name, schema) in definitions["$defs"].as_object().context("no definitions")? {
            for kind in schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
                let text = |field: &str| kind[field].as_str().unwrap_or_default();
                let kind = format!("{}/{}/{}", text("group"), text("version"), text("kind"));
                if wanted.contains(&kind) {
                    let schema = json!({"$ref": format!("{place}#/$defs/{name}")});
                    kinds.insert(kind, jsonschema::options().with_registry(&registry).build(&schema)?);
                }
            }
        }
        Ok(Self { kinds })
    }

    fn faults(&self, object: &Value) -> Result<Vec<String>> {
        let kind = kind(object);
        let validator = self.kinds.get(&kind).with_context(|| format!("there is no schema of {kind}"))?;
        Ok(validator.iter_errors(object).map(|error| format!("{}: {error}", error.instance_path())).collect())
    }
}
