//! What the chart carries is what the program prints, and what kubectl users apply is what the chart renders.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result, ensure};

use crate::helm::{CHART, Helm, files, objects, read};

/// What `dataproduct` prints.
fn printed(arguments: &[&str]) -> Result<String> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_dataproduct")).args(arguments).output().context("the program")?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Every file of a folder of the chart as one multi-document text.
fn carried(folder: &str) -> Result<String> {
    let folder = format!("{CHART}/files/{folder}");
    files(&folder)?.iter().map(|name| Ok(format!("---\n{}", read(&format!("{folder}/{name}"))?))).collect()
}

#[test]
fn the_definitions_and_policies_of_the_chart_are_those_of_the_program() -> Result<()> {
    for (folder, command) in [
        ("crds", &["crds"][..]),
        ("policies", &["policies"]),
        ("admission/warn", &["admission", "--action", "warn"]),
        ("admission/deny", &["admission", "--action", "deny"]),
        ("admission/audit", &["admission", "--action", "audit"]),
    ] {
        // The order of files is that of their names, the order of the program is its own.
        let documents = |text: String| {
            let mut documents = text.split("---\n").map(str::to_owned).collect::<Vec<_>>();
            documents.sort();
            documents
        };
        ensure!(
            documents(carried(folder)?) == documents(printed(command)?),
            "{CHART}/files/{folder} is not what the code says; run `make generate` and commit"
        );
    }
    let webhook = read(&format!("{CHART}/files/webhook.yaml"))?;
    ensure!(
        webhook == printed(&["admission", "--webhook"])?,
        "files/webhook.yaml is out of date; run `make generate`"
    );
    Ok(())
}

#[test]
fn the_alerts_and_the_dashboard_of_the_chart_are_those_of_everybody() -> Result<()> {
    for name in ["rules.yaml", "dashboard.json"] {
        ensure!(
            read(&format!("{CHART}/files/monitoring/{name}"))? == read(&format!("deploy/monitoring/{name}"))?,
            "{CHART}/files/monitoring/{name} is another one; run `make generate` and commit"
        );
    }
    Ok(())
}

#[test]
fn every_argument_that_the_chart_gives_is_one_that_the_program_takes() -> Result<()> {
    let everything = ["--values", "tests/chart/values/everything.yaml"];
    let mut commands = BTreeSet::new();
    for object in objects(&Helm::offline("helm4")?.template(&everything)?)? {
        let spec =
            if object["kind"] == "Pod" { &object["spec"] } else { &object["spec"]["template"]["spec"] };
        for container in spec["containers"].as_array().into_iter().flatten() {
            let arguments = container["args"].as_array().context("a container without arguments")?;
            let (command, arguments) = arguments.split_first().context("no command")?;
            let command = command.as_str().context("a command")?;
            let help = printed(&[command, "--help"])?;
            for argument in arguments.iter().filter_map(serde_json::Value::as_str) {
                let flag = argument.split('=').next().unwrap_or_default();
                let known = flag.starts_with("--") && help.split_whitespace().any(|word| word == flag);
                ensure!(known, "`dataproduct {command}` knows no {flag}");
            }
            commands.insert(command.to_owned());
        }
    }
    ensure!(commands.iter().eq(["doctor", "held", "run"]), "{commands:?}");
    Ok(())
}

#[test]
fn what_kubectl_users_apply_is_the_chart_with_its_defaults() -> Result<()> {
    let committed = read("deploy/install.yaml")?;
    let (namespace, rest) = committed.split_once("\n---\n").context("a first document")?;
    ensure!(
        namespace.contains("kind: Namespace") && namespace.contains("name: datamesh-system"),
        "{namespace}"
    );
    ensure!(
        format!("---\n{rest}") == Helm::offline("helm4")?.template(&["--no-hooks"])?,
        "deploy/install.yaml is not what the chart renders; run `make generate` and commit"
    );
    Ok(())
}

#[test]
fn the_chart_has_the_version_of_the_program() -> Result<()> {
    let chart: serde_json::Value = serde_saphyr::from_str(&read(&format!("{CHART}/Chart.yaml"))?)?;
    ensure!(chart["appVersion"] == env!("CARGO_PKG_VERSION"), "{}", chart["appVersion"]);
    // Whoever looks for charts sees the kinds before anything is installed.
    let said = chart["annotations"]["artifacthub.io/crds"].as_str().context("the kinds")?;
    for name in files("crds")? {
        let definition: serde_json::Value = serde_saphyr::from_str(&read(&format!("crds/{name}"))?)?;
        let name = definition["metadata"]["name"].as_str().context("a name")?;
        let version = definition["spec"]["versions"][0]["name"].as_str().context("a version")?;
        ensure!(
            said.contains(&format!("  version: {version}\n  name: {name}\n")),
            "Chart.yaml does not tell of {name} {version}"
        );
    }
    Ok(())
}

#[test]
fn the_image_is_built_with_the_pinned_toolchain_and_runs_as_the_user_of_the_chart() -> Result<()> {
    let image = read("Dockerfile")?;
    let toolchain = read("rust-toolchain.toml")?;
    let pinned = toolchain.split('"').nth(1).context("a channel")?;
    ensure!(
        image.contains(&format!("ARG RUST_VERSION={pinned}\n")),
        "the Dockerfile has another version than {pinned}"
    );
    let values: serde_json::Value = serde_saphyr::from_str(&read(&format!("{CHART}/values.yaml"))?)?;
    let security = &values["podSecurityContext"];
    let user = format!("USER {}:{}\n", security["runAsUser"], security["runAsGroup"]);
    ensure!(image.contains(&user), "the Dockerfile does not say {user}");
    Ok(())
}
