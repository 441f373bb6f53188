//! Argo CD: health checks and actions in its own folder shape, run in Lua, and the same as a patch of its `ConfigMap`.
//!
//! `UPDATE_GOLDEN=1` writes the health tests with their data, and the patch, anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

use dataproduct_operator::api::{DataProduct, FIELD_MANAGER, FINALIZER, RECONCILE_AT};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{lua, path, states::states, text, yaml};

const ROOT: &str = "deploy/argocd/resource_customizations/datamesh.io";
const KINDS: [&str; 4] = ["DataProduct", "DomainPolicy", "GovernancePolicy", "PolicyException"];
const PATCH: &str = "deploy/argocd/argocd-cm.yaml";

/// States that Argo CD's own tests would show, by kind and file.
const TESTDATA: [(&str, &str, &str); 19] = [
    ("DataProduct", "healthy", "a late pipeline: Ready"),
    ("DataProduct", "progressing", "Reconciling: Creating"),
    ("DataProduct", "progressing_new", "new"),
    ("DataProduct", "progressing_changed", "changed"),
    ("DataProduct", "degraded", "data is lost: ResourceLost"),
    ("DataProduct", "suspended", "suspended once all is done: Ready"),
    ("DataProduct", "awaiting_approval", "waits for an approval: AwaitingApproval"),
    ("DataProduct", "terminating", "going: Deleting"),
    ("DataProduct", "terminating_held", "held: DeletionBlocked"),
    ("GovernancePolicy", "healthy", "GovernancePolicy sound"),
    ("GovernancePolicy", "degraded", "GovernancePolicy faults"),
    ("GovernancePolicy", "progressing", "GovernancePolicy changed"),
    ("DomainPolicy", "healthy", "DomainPolicy sound"),
    ("DomainPolicy", "degraded", "DomainPolicy one fault"),
    ("DomainPolicy", "progressing", "DomainPolicy new"),
    ("PolicyException", "pending", "PolicyException Pending"),
    ("PolicyException", "active", "PolicyException Active"),
    ("PolicyException", "expired", "PolicyException Expired"),
    ("PolicyException", "progressing", "PolicyException new"),
];

#[derive(Deserialize)]
struct HealthTests {
    tests: Vec<HealthTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HealthTest {
    health_status: Health,
    input_path: String,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Health {
    status: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionTests {
    discovery_tests: Vec<DiscoveryTest>,
    action_tests: Vec<ActionTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiscoveryTest {
    input_path: String,
    result: Vec<Offer>,
}

#[derive(Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
struct Offer {
    #[serde(default)]
    name: String,
    disabled: bool,
    icon_class: String,
    display_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionTest {
    action: String,
    input_path: String,
    expected_output_path: String,
}

fn answer<T: DeserializeOwned>(script: &str, object: &Value, with_os: bool) -> T {
    let said = lua::run(script, object, with_os).unwrap_or_else(|error| panic!("{error}\n{object}"));
    serde_json::from_value(said.clone()).unwrap_or_else(|error| panic!("{said}: {error}"))
}

fn health(object: &Value) -> Health {
    let kind = object["kind"].as_str().expect("a kind");
    answer(&text(&format!("{ROOT}/{kind}/health.lua")), object, false)
}

fn offers(object: &Value) -> BTreeSet<Offer> {
    let discovery = text(&format!("{ROOT}/DataProduct/actions/discovery.lua"));
    let offers: BTreeMap<String, Offer> = answer(&discovery, object, true);
    offers.into_iter().map(|(name, offer)| Offer { name, ..offer }).collect()
}

fn act(action: &str, object: &Value) -> Value {
    answer(&text(&format!("{ROOT}/DataProduct/actions/{action}/action.lua")), object, true)
}

/// The names of what is in a folder, sorted.
fn listed(relative: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"));
    entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_state_has_the_health_that_it_must_have_and_says_why() {
    for state in states() {
        let expected = Health { status: state.verdict.argocd.to_owned(), message: state.message.clone() };
        assert_eq!(health(&state.object), expected, "{}: {}", state.name, state.object);
    }
}

#[test]
fn an_object_without_a_status_or_without_conditions_is_progressing() {
    for kind in KINDS {
        let bare =
            json!({"apiVersion": "datamesh.io/v1", "kind": kind, "metadata": {"name": "x", "generation": 1}});
        assert_eq!(health(&bare).status, "Progressing", "{kind}");
        let mut strange = bare.clone();
        strange["status"] = json!({"observedGeneration": 1, "conditions": null});
        let expected = if kind.ends_with("Policy") { "Healthy" } else { "Progressing" };
        assert_eq!(health(&strange).status, expected, "{kind}");
    }
}

#[test]
fn there_is_a_health_check_for_just_the_kinds_that_have_a_status() {
    let crds = dataproduct_operator::api::crds().expect("the definitions");
    let with_status = crds.into_iter().filter(|crd| {
        let schema = crd.spec.versions[0].schema.as_ref().and_then(|it| it.open_api_v3_schema.as_ref());
        schema.and_then(|it| it.properties.as_ref()).is_some_and(|fields| fields.contains_key("status"))
    });
    let with_status = with_status.map(|crd| crd.spec.names.kind).collect::<BTreeSet<_>>();
    assert_eq!(with_status, listed(ROOT));
    assert_eq!(with_status, KINDS.map(str::to_owned).into());
    assert_eq!(
        text(&format!("{ROOT}/GovernancePolicy/health.lua")),
        text(&format!("{ROOT}/DomainPolicy/health.lua"))
    );
}

#[test]
fn the_health_tests_hold_and_their_data_is_what_the_operator_writes() {
    let mut tests = KINDS.map(|kind| (kind, "tests:\n".to_owned()));
    for (kind, file, name) in TESTDATA {
        let state = states().iter().find(|state| state.name == name && state.object["kind"] == kind);
        let state = state.unwrap_or_else(|| panic!("no state {name} of {kind}"));
        let object = serde_saphyr::to_string(&state.object).expect("YAML");
        golden(&format!("{ROOT}/{kind}/testdata/{file}.yaml"), &object);
        let (_, test) = tests.iter_mut().find(|(of, _)| *of == kind).expect("one of ours");
        let (status, message) = (state.verdict.argocd, json!(state.message));
        write!(test, "- healthStatus:\n    status: {status}\n    message: {message}\n  inputPath: testdata/{file}.yaml\n")
            .expect("a string");
    }
    for (kind, test) in tests {
        golden(&format!("{ROOT}/{kind}/health_test.yaml"), &test);
    }
    for kind in KINDS {
        let tests: HealthTests = yaml(&format!("{ROOT}/{kind}/health_test.yaml"));
        for test in &tests.tests {
            let object: Value = yaml(&format!("{ROOT}/{kind}/{}", test.input_path));
            assert_eq!(health(&object), test.health_status, "{kind}/{}", test.input_path);
        }
        let tested =
            tests.tests.iter().map(|test| test.input_path.trim_start_matches("testdata/").to_owned());
        assert_eq!(tested.collect::<BTreeSet<_>>(), listed(&format!("{ROOT}/{kind}/testdata")), "{kind}");
    }
}

#[test]
fn the_action_tests_hold() {
    let folder = format!("{ROOT}/DataProduct/actions");
    let tests: ActionTests = yaml(&format!("{folder}/action_test.yaml"));
    for test in &tests.discovery_tests {
        let object: Value = yaml(&format!("{folder}/{}", test.input_path));
        let offered = offers(&object);
        assert_eq!(
            offered.iter().collect::<BTreeSet<_>>(),
            test.result.iter().collect(),
            "{}",
            test.input_path
        );
    }
    let mut tested = BTreeSet::new();
    for test in &tests.action_tests {
        let object: Value = yaml(&format!("{folder}/{}", test.input_path));
        let expected: Value = yaml(&format!("{folder}/{}", test.expected_output_path));
        assert_eq!(act(&test.action, &object), expected, "{} of {}", test.action, test.input_path);
        tested.insert(test.action.clone());
    }
    let folders = listed(&folder).into_iter().filter(|name| !name.contains('.') && name != "testdata");
    assert_eq!(folders.collect::<BTreeSet<_>>(), tested, "every action is tested");
}

#[test]
fn an_action_changes_what_it_says_and_nothing_else() {
    for state in states().iter().filter(|state| state.object["kind"] == "DataProduct") {
        let suspended = state.object["spec"]["suspend"] == true;
        let going = !state.object["metadata"]["deletionTimestamp"].is_null();
        let enabled =
            offers(&state.object).into_iter().filter(|offer| !offer.disabled).map(|offer| offer.name);
        let enabled = enabled.collect::<BTreeSet<_>>();
        let expected = [("refresh", true), ("suspend", !suspended && !going), ("resume", suspended)];
        let expected = expected.iter().filter(|(_, offered)| *offered).map(|(name, _)| (*name).to_owned());
        assert_eq!(enabled, expected.collect(), "{}", state.name);
        for action in enabled {
            let changed = act(&action, &state.object);
            let mut wanted = state.object.clone();
            match action.as_str() {
                "refresh" => wanted["metadata"]["annotations"][RECONCILE_AT] = json!("2026-11-24T12:00:00Z"),
                other => wanted["spec"]["suspend"] = json!(other == "suspend"),
            }
            assert_eq!(changed, wanted, "{action} of {}", state.name);
            serde_json::from_value::<DataProduct>(changed).expect("it is a product still");
        }
    }
}

#[test]
fn the_page_names_every_kind_every_action_and_what_the_operator_owns() {
    let page = text("deploy/argocd/README.md");
    let actions =
        listed(&format!("{ROOT}/DataProduct/actions")).into_iter().filter(|name| !name.contains('.'));
    let words = actions.filter(|name| name != "testdata").chain(KINDS.map(str::to_owned));
    for word in words.chain([FIELD_MANAGER, FINALIZER, RECONCILE_AT].map(str::to_owned)) {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
    let crds = dataproduct_operator::api::crds().expect("the definitions");
    for crd in crds {
        assert!(page.contains(&format!("`{}`", crd.spec.names.kind)), "{} has its wave", crd.spec.names.kind);
    }
}

/// Fails unless a file is what it should be.
fn golden(target: &str, wanted: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path(target), wanted).expect("a writable file");
    }
    assert!(text(target) == wanted, "{target} is not what it should be; UPDATE_GOLDEN=1 writes it anew");
}

/// A text as a block of YAML.
fn block(indent: usize, content: &str) -> String {
    let indent = " ".repeat(indent);
    content
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") })
        .collect()
}

/// The patch of Argo CD's `ConfigMap`, made of the scripts.
fn patch() -> String {
    let mut patch = "\
# Generated from resource_customizations/ beside this file. Put it into Argo CD with
#   kubectl patch configmap argocd-cm --namespace argocd --type merge --patch-file argocd-cm.yaml
data:
"
    .to_owned();
    for kind in KINDS {
        writeln!(patch, "  resource.customizations.health.datamesh.io_{kind}: |").expect("a string");
        patch += &block(4, &text(&format!("{ROOT}/{kind}/health.lua")));
    }
    patch += "  resource.customizations.actions.datamesh.io_DataProduct: |\n    discovery.lua: |\n";
    patch += &block(6, &text(&format!("{ROOT}/DataProduct/actions/discovery.lua")));
    patch += "    definitions:\n";
    for action in ["refresh", "suspend", "resume"] {
        writeln!(patch, "    - name: {action}\n      action.lua: |").expect("a string");
        patch += &block(8, &text(&format!("{ROOT}/DataProduct/actions/{action}/action.lua")));
    }
    patch
}

#[derive(Deserialize)]
struct ConfigMap {
    data: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Actions {
    #[serde(rename = "discovery.lua")]
    discovery: String,
    definitions: Vec<Definition>,
}

#[derive(Deserialize)]
struct Definition {
    name: String,
    #[serde(rename = "action.lua")]
    action: String,
}

#[test]
fn the_patch_of_the_config_map_has_just_the_scripts() {
    golden(PATCH, &patch());
    let mut data = yaml::<ConfigMap>(PATCH).data;
    for kind in KINDS {
        let health = data.remove(&format!("resource.customizations.health.datamesh.io_{kind}"));
        assert_eq!(health, Some(text(&format!("{ROOT}/{kind}/health.lua"))), "{kind}");
    }
    let actions = data.remove("resource.customizations.actions.datamesh.io_DataProduct").expect("actions");
    let actions: Actions = serde_saphyr::from_str(&actions).expect("YAML");
    assert!(data.is_empty(), "{data:?}");
    assert_eq!(actions.discovery, text(&format!("{ROOT}/DataProduct/actions/discovery.lua")));
    let mut names = BTreeSet::new();
    for Definition { name, action } in actions.definitions {
        assert_eq!(action, text(&format!("{ROOT}/DataProduct/actions/{name}/action.lua")));
        names.insert(name);
    }
    let product: Value = yaml(&format!("{ROOT}/DataProduct/actions/testdata/product.yaml"));
    assert_eq!(names, offers(&product).into_iter().map(|offer| offer.name).collect());
}
