//! k9s: the plugins name only what exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use clap::Parser;
use dataproduct_operator::{
    api::{self, DataProduct, RECONCILE_AT},
    cli::Cli,
};
use serde::Deserialize;
use serde_json::Value;

use super::yaml;
use crate::world::customer_360;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plugins {
    plugins: BTreeMap<String, Plugin>,
}

/// What k9s knows of a plugin.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Plugin {
    short_cut: String,
    description: String,
    scopes: Vec<String>,
    command: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default, rename = "background")]
    _background: bool,
    #[serde(default, rename = "confirm")]
    _confirm: bool,
}

impl Plugin {
    /// The arguments as k9s gives them for a product: it replaces its variables, and refuses what it does not know.
    fn arguments(&self) -> Vec<String> {
        let known = [("$NAMESPACE", "orders"), ("$NAME", "order-events"), ("$CONTEXT", "prod")];
        let replaced = self.args.iter().map(|argument| {
            known.iter().fold(argument.clone(), |text, (name, value)| text.replace(name, value))
        });
        let replaced = replaced.collect::<Vec<_>>();
        for argument in &replaced {
            let unknown = argument.replace("$(", "").contains('$');
            assert!(!unknown, "{argument} names a variable that k9s has not");
        }
        replaced
    }
}

/// What a plugin of the shell would run, word by word, as the shell itself parts it.
fn words(script: &str, program: &str) -> Vec<String> {
    let shown = format!(
        "{program}() {{ printf '%s\\n' \"$@\" >&3; }}; less() {{ cat >/dev/null; }}; exec 3>&1; {script}"
    );
    let output = Command::new("sh").args(["-c", &shown]).output().expect("a shell");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let words = text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(!words.is_empty(), "{script} does not run {program}");
    words
}

fn plugins() -> BTreeMap<String, Plugin> {
    yaml::<Plugins>("deploy/k9s/plugins.yaml").plugins
}

#[test]
fn plugins_are_for_our_kind_and_have_a_key_of_their_own() {
    let plugins = plugins();
    let crds = api::crds().expect("the definitions");
    let mut keys = BTreeSet::new();
    for (name, plugin) in &plugins {
        for scope in &plugin.scopes {
            assert!(crds.iter().any(|crd| crd.spec.names.plural == *scope), "{name}: {scope}");
        }
        assert!(keys.insert(&plugin.short_cut), "{name}: {} is taken", plugin.short_cut);
        assert!(!plugin.description.is_empty(), "{name}");
        assert!(["kubectl", "sh"].contains(&plugin.command.as_str()), "{name}");
    }
    assert_eq!(plugins.len(), 4);
}

#[test]
fn the_story_is_a_command_of_ours() {
    let arguments = plugins()["dataproduct-story"].arguments();
    let words = words(&arguments[1], "dataproduct");
    let cli = Cli::try_parse_from(std::iter::once("dataproduct".to_owned()).chain(words.clone()));
    assert!(cli.is_ok(), "{:?}", cli.err().map(|error| error.to_string()));
    assert_eq!(words, ["status", "order-events", "--namespace", "orders", "--context", "prod"]);
}

#[test]
fn reconcile_sets_the_annotation_that_the_operator_reads() {
    let arguments = plugins()["dataproduct-reconcile"].arguments();
    let words = words(&arguments[1], "kubectl");
    let target =
        ["annotate", "--overwrite", "dataproducts.datamesh.io", "order-events", "--namespace", "orders"];
    assert_eq!(words[..6], target);
    let (annotation, value) = words.last().and_then(|last| last.split_once('=')).expect("an annotation");
    assert_eq!(annotation, RECONCILE_AT);
    assert!(value.parse::<jiff::Timestamp>().is_ok(), "{value}");
}

#[test]
fn suspend_and_resume_patch_the_field_that_the_operator_reads() {
    for (name, expected) in [("dataproduct-suspend", true), ("dataproduct-resume", false)] {
        let arguments = plugins()[name].arguments();
        assert_eq!(arguments[..3], ["patch", "dataproducts.datamesh.io", "order-events"], "{name}");
        let patch: Value = serde_json::from_str(arguments.last().expect("a patch")).expect("JSON");
        let mut object = serde_json::to_value(&*customer_360().product).expect("JSON");
        json_patch::merge(&mut object, &patch);
        let product: DataProduct = serde_json::from_value(object).expect("a product");
        assert_eq!(product.spec.suspend, Some(expected), "{name}");
    }
}
