//! What people see of a mesh at the command line: `get`, `trace`, `events`, and the same as a plugin of kubectl.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::{ControlPlane, Options},
        process::Kept,
        wait::{Seen, wait_for},
    },
};

const BINARY: &str = env!("CARGO_BIN_EXE_dataproduct");

/// Runs the command line with a kubeconfig in its environment, as people do.
fn run(kubeconfig: &Path, arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(BINARY).args(arguments).env("KUBECONFIG", kubeconfig).output()?)
}

/// What a command prints; an error when it does not end as expected.
pub(crate) fn printed(mesh: &Mesh, arguments: &[&str], code: i32) -> Result<String> {
    let output = run(&mesh.plane.kubeconfig_path(), arguments)?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text)?;
    ensure!(output.status.code() == Some(code), "{arguments:?} ended with {}: {text}", output.status);
    Ok(text)
}

fn json(mesh: &Mesh, arguments: &[&str]) -> Result<Value> {
    Ok(serde_json::from_str(&printed(mesh, arguments, 0)?)?)
}

/// The line of a product without the spaces that align it and without its age.
pub(crate) fn line(text: &str, name: &str) -> Option<String> {
    let found = text.lines().find(|line| line.split_whitespace().any(|word| word == name))?;
    let words = found.split_whitespace().collect::<Vec<_>>();
    Some(words.get(..words.len().saturating_sub(1))?.join(" "))
}

/// A product that reads what is there, and what is not.
fn reader() -> String {
    small("insight", "insight", "q", "  lineage: {upstreamProducts: [orders/p, orders/nowhere]}\n")
}

/// A mesh with a product, one that reads it, a reader of the reader, and one that is stalled.
async fn mesh() -> Result<Mesh> {
    let mesh = Mesh::start(Options::default()).await?;
    mesh.plane.apply(&small("orders", "orders", "p", ""))?;
    mesh.plane.apply(&reader())?;
    mesh.plane.apply(&small("customer", "customer", "r", "  lineage: {upstreamProducts: [insight/q]}\n"))?;
    mesh.apply_example("violating.yaml")?;
    Ok(mesh)
}

/// Waits until the operator has said everything about the mesh.
async fn settle(mesh: &Mesh) -> Result<()> {
    for (namespace, name) in [("orders", "p"), ("insight", "q"), ("customer", "r")] {
        mesh.wait_condition((namespace, name), "Ready", "True", "Ready").await?;
    }
    mesh.wait_condition(("insight", "q"), "LineageResolved", "False", "UpstreamMissing").await?;
    mesh.wait_condition(("customer", "r"), "LineageResolved", "True", "Succeeded").await?;
    mesh.wait_condition(("orders", "raw-dump"), "Ready", "False", "PolicyErrors").await.map(drop)
}

#[tokio::test]
async fn products_are_listed_for_people_and_for_programs() -> Result<()> {
    let mesh = mesh().await?;
    let operator = mesh.operator()?;
    settle(&mesh).await?;

    let table = printed(&mesh, &["get", "-A"], 0)?;
    let heading = "NAMESPACE NAME DOMAIN VERSION READY REASON SCORE ERRORS WARNINGS SLO";
    ensure!(line(&table, "NAMESPACE").as_deref() == Some(heading), "{table}");
    ensure!(
        line(&table, "p").as_deref() == Some("orders p orders 1.0.0 True Ready 100 0 0 Unknown"),
        "{table}"
    );
    let stalled = line(&table, "raw-dump").context("a line")?;
    ensure!(stalled.starts_with("orders raw-dump orders 0.1.0 False PolicyErrors 0 "), "{table}");
    ensure!(table.lines().count() == 5 && !table.contains('\u{1b}'), "{table}");
    let coloured = printed(&mesh, &["get", "-A", "--color", "always"], 0)?;
    ensure!(coloured.contains("\u{1b}[32mTrue\u{1b}[0m"), "{coloured}");

    let wide = printed(&mesh, &["get", "p", "-n", "orders", "-o", "wide", "--no-headers"], 0)?;
    ensure!(
        wide.lines().count() == 1 && wide.trim_end().ends_with("orders-p-000000000000   local"),
        "{wide}"
    );
    let names = printed(&mesh, &["get", "-n", "orders", "-o", "name"], 0)?;
    ensure!(names == "dataproduct.datamesh.io/p\ndataproduct.datamesh.io/raw-dump\n", "{names}");

    // Programs get what kubectl gives them.
    let one = json(&mesh, &["get", "orders/p", "-o", "json"])?;
    let kubectl = mesh.plane.kubectl(&["get", "dp", "p", "-n", "orders", "-o", "json"])?;
    ensure!(one == serde_json::from_str::<Value>(&kubectl)?, "{one:#}");
    let all = json(&mesh, &["get", "-A", "-o", "json"])?;
    let kubectl = mesh.plane.kubectl(&["get", "dp", "-A", "-o", "json"])?;
    ensure!(all == serde_json::from_str::<Value>(&kubectl)?, "{all:#}");
    let yaml = printed(&mesh, &["get", "p", "-n", "orders", "-o", "yaml"], 0)?;
    ensure!(serde_saphyr::from_str::<Value>(&yaml)? == one, "{yaml}");

    mesh.plane.kubectl(&["label", "dp", "p", "-n", "orders", "tier=gold"])?;
    let chosen = printed(&mesh, &["get", "-A", "-l", "tier=gold", "-o", "name"], 0)?;
    ensure!(chosen == "dataproduct.datamesh.io/p\n", "{chosen}");

    let missing = printed(&mesh, &["get", "p", "nobody", "-n", "orders"], 1)?;
    ensure!(line(&missing, "p").is_some() && missing.contains("no DataProduct orders/nobody"), "{missing}");
    let none = printed(&mesh, &["get", "-n", "empty"], 0)?;
    ensure!(none == "note: there is no product in namespace empty\n", "{none}");
    let both = printed(&mesh, &["get", "orders/p", "customer/r"], 0)?;
    ensure!(line(&both, "NAMESPACE").is_some() && line(&both, "r").is_some(), "{both}");
    let wrong = printed(&mesh, &["get", "-n", "orders", "customer/r"], 2)?;
    ensure!(wrong.contains("another namespace than --namespace orders"), "{wrong}");
    let nowhere = printed(&mesh, &["get", "--kubeconfig", "/nowhere"], 3)?;
    ensure!(nowhere.contains("cannot reach a cluster"), "{nowhere}");
    operator.terminate().await
}

#[tokio::test]
async fn products_are_followed_across_a_restart_of_the_api_server() -> Result<()> {
    let mut mesh = Mesh::start(Options::default()).await?;
    mesh.plane.apply(&small("orders", "orders", "p", ""))?;
    let log = mesh.plane.folder().join("followed.log");
    let arguments = ["get", "-A", "--watch"].map(str::to_owned);
    let kubeconfig = mesh.plane.kubeconfig_path().display().to_string();
    let mut follower = Kept::start(Path::new(BINARY), &arguments, &[("KUBECONFIG", &kubeconfig)], &log)?;
    let shown = async |name: &str, reason: &str| {
        wait_for(&format!("{name} is shown with {reason}"), PATIENCE, || async {
            let text = fs::read_to_string(&log)?;
            let mut lines = text.lines().filter(|line| line.split_whitespace().nth(1) == Some(name));
            let last = lines.next_back().and_then(|line| line.split_whitespace().nth(5).map(str::to_owned));
            Ok(Seen::when(last.as_deref() == Some(reason), (), text))
        })
        .await
    };
    shown("p", "-").await?;
    let operator = mesh.operator()?;
    shown("p", "Ready").await?;
    operator.terminate().await?;

    mesh.plane.stop_api_server();
    wait_for("the outage is told", PATIENCE, || async {
        let text = fs::read_to_string(&log)?;
        Ok(Seen::when(text.contains("note: the API server does not answer"), (), text))
    })
    .await?;
    mesh.plane.start_api_server().await?;
    mesh.plane.apply(&small("orders", "orders", "late", ""))?;
    shown("late", "-").await?;
    mesh.plane.kubectl(&["delete", "dp", "late", "-n", "orders"])?;
    shown("late", "Deleted").await?;
    ensure!(follower.is_running(), "it goes on");
    let text = fs::read_to_string(&log)?;
    ensure!(text.matches("NAMESPACE").count() == 1, "{text}");
    let told = text.matches("note: ").count();
    ensure!(told == 2, "an outage is told when it begins and when it ends, once: {text}");
    let ready = text.lines().filter(|line| line.starts_with("orders") && line.contains(" Ready ")).count();
    ensure!(ready == 1, "what did not change is not shown again: {text}");
    Ok(())
}

#[tokio::test]
async fn a_product_is_traced_through_the_mesh() -> Result<()> {
    let mesh = mesh().await?;
    let operator = mesh.operator()?;
    settle(&mesh).await?;

    let tree = printed(&mesh, &["trace", "q", "-n", "insight"], 0)?;
    let expected = [
        "insight/q 1.0.0",
        "│  ├─ LineageResolved",
        "│  ├─ Bucket insight-q-000000000000",
        "├─ reads",
        "│  ├─ orders/nowhere",
        "│  └─ orders/p 1.0.0",
        "└─ read by",
        "   └─ customer/r 1.0.0",
    ];
    let mut lines = tree.lines();
    for start in expected {
        ensure!(lines.any(|line| line.starts_with(start)), "{start} is missing or out of order:\n{tree}");
    }
    ensure!(tree.contains("Missing"), "{tree}");
    ensure!(tree.contains("correct spec.lineage.upstreamProducts, or ask for the product"), "{tree}");
    let stalled = printed(&mesh, &["trace", "orders/raw-dump"], 0)?;
    ensure!(
        stalled.contains("Stalled") && stalled.contains("SEC-001 at spec.access.classification"),
        "{stalled}"
    );

    let graph = json(&mesh, &["trace", "orders/p", "-o", "json", "--depth", "1"])?;
    ensure!(
        graph["reads"] == serde_json::json!([{"reader": "insight/q", "upstream": "orders/p"}]),
        "{graph:#}"
    );
    ensure!(graph["truncated"] == true && graph["allReaders"] == true, "{graph:#}");
    let dot = printed(&mesh, &["trace", "orders/p", "-o", "dot"], 0)?;
    ensure!(dot.contains("\"insight/q\" -> \"customer/r\";"), "{dot}");
    let missing = printed(&mesh, &["trace", "nobody", "-n", "orders"], 1)?;
    ensure!(missing.contains("there is no DataProduct orders/nobody"), "{missing}");

    // A team that may see its own namespace alone sees what it may.
    mesh.plane.kubectl(&["create", "serviceaccount", "team", "-n", "insight"])?;
    let role = ["--verb", "get,list", "--resource", "dataproducts.datamesh.io"];
    mesh.plane.kubectl(&[&["create", "role", "reader", "-n", "insight"], role.as_slice()].concat())?;
    let bound = ["create", "rolebinding", "team", "-n", "insight", "--role", "reader"];
    mesh.plane.kubectl(&[bound.as_slice(), &["--serviceaccount", "insight:team"]].concat())?;
    let team = mesh.plane.kubeconfig_of("insight", "team")?;
    let part = run(&team, &["trace", "q"])?;
    let said = String::from_utf8_lossy(&part.stdout);
    ensure!(part.status.success(), "{}", String::from_utf8_lossy(&part.stderr));
    ensure!(said.contains("you may not read the products of namespace orders"), "{said}");
    ensure!(said.contains("the status counts 1 readers, of customer"), "{said}");
    let refused = run(&team, &["get", "-A"])?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(refused.status.code() == Some(3) && said.contains("the cluster refuses"), "{said}");
    operator.terminate().await
}

#[tokio::test]
async fn events_of_products_are_shown_in_the_order_in_which_they_happened() -> Result<()> {
    let mesh = mesh().await?;
    let operator = mesh.operator()?;
    settle(&mesh).await?;
    let table = wait_for("events of p", PATIENCE, || async {
        let table = printed(&mesh, &["events", "p", "-n", "orders"], 0)?;
        Ok(Seen::when(
            table.contains("ResourceCreated") && table.contains("Ready=True"),
            table.clone(),
            table,
        ))
    })
    .await?;
    ensure!(table.starts_with("LAST SEEN   TYPE "), "{table}");
    ensure!(!table.contains("raw-dump"), "{table}");
    let place = |word: &str| table.lines().position(|line| line.contains(word));
    ensure!(place("ResourceCreated") < place("Ready=True"), "{table}");

    let warnings = printed(&mesh, &["events", "-A", "--types", "warning"], 0)?;
    ensure!(warnings.contains("raw-dump") && !warnings.contains("Normal"), "{warnings}");
    let list = json(&mesh, &["events", "-n", "orders", "-o", "json"])?;
    let items = list["items"].as_array().context("items")?;
    ensure!(items.iter().all(|event| event["regarding"]["kind"] == "DataProduct"), "{list:#}");
    ensure!(items.iter().any(|event| event["regarding"]["name"] == "raw-dump"), "{list:#}");
    let none = printed(&mesh, &["events", "-n", "empty"], 0)?;
    ensure!(none == "note: there is no event of a product in namespace empty\n", "{none}");
    operator.terminate().await
}

#[tokio::test]
async fn the_program_is_a_plugin_of_kubectl_and_completes_names_of_products() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    for name in ["alpha", "alpine", "beta"] {
        mesh.plane.apply(&small("orders", "orders", name, ""))?;
    }
    let bin = mesh.plane.folder().join("plugins");
    fs::create_dir(&bin)?;
    for name in ["dataproduct", "kubectl-dataproduct", "kubectl_complete-dataproduct"] {
        symlink(BINARY, bin.join(name))?;
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH")?);
    let asked = |program: &Path, arguments: &[&str]| -> Result<String> {
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", &path).env("KUBECONFIG", mesh.plane.kubeconfig_path());
        let output = command.output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    };
    let kubectl = ControlPlane::binaries()?.join("kubectl");

    ensure!(asked(&kubectl, &["plugin", "list"])?.contains("kubectl-dataproduct"), "kubectl finds it");
    let help = asked(&kubectl, &["dataproduct", "get", "--help"])?;
    ensure!(help.contains("Usage: kubectl dataproduct get "), "{help}");
    ensure!(help.contains("\n  kubectl dataproduct get --all-namespaces\n"), "{help}");
    let names = asked(&kubectl, &["dataproduct", "get", "-A", "-o", "name"])?;
    ensure!(names.lines().count() == 3, "{names}");

    let commands = asked(&kubectl, &["__complete", "dataproduct", "s"])?;
    ensure!(commands.contains("suspend\tStop every change outside the cluster"), "{commands}");
    let words = |text: &str| {
        text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    ensure!(words(&commands) == ["status", "suspend", ":4"], "{commands}");
    let products = asked(&kubectl, &["__complete", "dataproduct", "trace", "-n", "orders", "al"])?;
    ensure!(words(&products) == ["alpha", "alpine", ":4"], "{products}");
    let namespaces = asked(&kubectl, &["__complete", "dataproduct", "get", "-n", "cust"])?;
    ensure!(words(&namespaces) == ["customer", ":4"], "{namespaces}");
    let contexts = asked(&kubectl, &["__complete", "dataproduct", "get", "--context", ""])?;
    ensure!(words(&contexts) == ["local", ":4"], "{contexts}");

    // The same as bash asks it, with its own words for what is typed.
    let typed = "source <(dataproduct completions bash) && COMP_TYPE=9 \
                 && COMP_WORDS=(dataproduct get -n orders al) && COMP_CWORD=4 \
                 && asks=$(complete -p dataproduct | sed 's/.*-F \\([^ ]*\\).*/\\1/') \
                 && $asks dataproduct al orders && printf '%s\\n' \"${COMPREPLY[@]}\"";
    let products = asked(Path::new("bash"), &["-c", typed])?;
    ensure!(products.split_whitespace().collect::<Vec<_>>() == ["alpha", "alpine"], "{products:?}");
    Ok(())
}
