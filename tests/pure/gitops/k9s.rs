//! k9s: the plugins name only what exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    process::Command,
};

use dataproduct_operator::{api, cli::Cli};
use serde::Deserialize;

use super::yaml;

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
        assert!(["dataproduct", "sh"].contains(&plugin.command.as_str()), "{name}");
    }
}

/// Fails unless a plugin calls a command of ours for just the product that is chosen.
fn assert_calls(plugin: &str, command: &str) {
    let plugins = plugins();
    let arguments = plugins[plugin].arguments();
    let words = if plugins[plugin].command == "sh" { words(&arguments[1], "dataproduct") } else { arguments };
    let cli = Cli::read(
        &["dataproduct"]
            .into_iter()
            .chain(words.iter().map(String::as_str))
            .map(OsString::from)
            .collect::<Vec<_>>(),
    );
    assert!(cli.is_ok(), "{:?}", cli.err().map(|error| error.to_string()));
    let expected = [command, "order-events", "--namespace", "orders", "--context", "prod"];
    assert_eq!(words[..6], expected, "{plugin}");
    let is_shown = plugins[plugin].command == "sh";
    assert_eq!(
        words[6..],
        ["--color", "always"].map(str::to_owned)[..if is_shown { 2 } else { 0 }],
        "{plugin}"
    );
}

#[test]
fn every_plugin_is_a_command_of_ours() {
    let plugins = [
        ("dataproduct-trace", "trace"),
        ("dataproduct-story", "status"),
        ("dataproduct-events", "events"),
        ("dataproduct-reconcile", "reconcile"),
        ("dataproduct-suspend", "suspend"),
        ("dataproduct-resume", "resume"),
    ];
    for (plugin, command) in plugins {
        assert_calls(plugin, command);
    }
    assert_eq!(self::plugins().len(), plugins.len());
}
