//! A real Prometheus beside a running operator: what it reads, what it computes, and when it alerts.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::metrics::{Family, Shape};
use serde_json::Value;

use crate::{
    fixture::{Mesh, PATIENCE, example},
    support::{
        control_plane::Options,
        prometheus::{Prometheus, check_metrics},
        wait::{Seen, wait_for},
    },
};

/// A file of `deploy/monitoring`.
fn file(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring").join(name);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// The rules as they are, but that nothing has to last before it is told.
fn impatient_rules() -> Result<String> {
    let rules = file("rules.yaml")?;
    ensure!(rules.matches("        for: ").count() > 15, "the rules have another layout");
    Ok(rules
        .lines()
        .filter(|line| !line.starts_with("        for: "))
        .map(|line| format!("{line}\n"))
        .collect())
}

#[tokio::test]
async fn a_real_prometheus_reads_everything_and_alerts_while_there_is_a_reason() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    mesh.plane.apply(&example("violating.yaml")?)?;
    mesh.apply_example("customer-360.yaml")?;
    mesh.wait_condition(("orders", "raw-dump"), "Ready", "False", "PolicyErrors").await?;
    mesh.wait_condition(("customer", "customer-360"), "Ready", "True", "Ready").await?;
    let prometheus = Prometheus::start(&operator.metrics_address()?, &impatient_rules()?).await?;

    // The label namespace is that of the product, as the rules need it, and the domain comes from another metric.
    let fires = r#"ALERTS{alertname="DataProductStalled",alertstate="firing",severity="warning",namespace="orders",name="raw-dump",domain="orders",reason="PolicyErrors"}"#;
    prometheus.wait(fires, 1, PATIENCE).await?;
    // Before it has looked once it takes everything for absent.
    let of_sound = r#"ALERTS{name="customer-360",alertname!~"DataProductSLO.*"}"#;
    prometheus.wait(of_sound, 0, PATIENCE).await.context("a sound product causes alerts")?;
    let of_operator = r#"ALERTS{alertname=~"DataProductOperator.*|DataProductWatch.*"}"#;
    prometheus.wait(of_operator, 0, PATIENCE).await.context("a sound operator causes alerts")?;

    scraped_whole(&prometheus).await?;
    evaluated(&prometheus).await?;

    mesh.plane.kubectl(&["delete", "dp", "raw-dump", "-n", "orders", "--timeout=60s"])?;
    prometheus.wait(r#"ALERTS{name="raw-dump"}"#, 0, PATIENCE).await?;
    ensure!(
        prometheus.query(r#"{name="raw-dump",alertname=""}"#).await?.is_empty(),
        "what is gone is still told"
    );

    operator.terminate().await?;
    prometheus
        .wait(r#"ALERTS{alertname="DataProductOperatorAbsent",alertstate="firing"}"#, 1, PATIENCE)
        .await?;
    Ok(())
}

/// Fails unless everything that the operator tells was understood.
async fn scraped_whole(prometheus: &Prometheus) -> Result<()> {
    let targets = prometheus.ask("targets").await?;
    let target = &targets["activeTargets"][0];
    ensure!(target["health"] == "up" && target["lastError"] == "", "{target}");
    let metadata = prometheus.ask("metadata").await?;
    for family in Family::all() {
        // Older versions tell of a counter by its name without the suffix.
        let told =
            [family.name.to_owned(), family.full_name()].into_iter().map(|name| metadata[name][0].clone());
        let told = told.filter(|it| it["type"] == family.shape.as_str() && it["help"] == family.help);
        ensure!(told.count() > 0, "{} was not understood: {metadata}", family.name);
    }
    Ok(())
}

/// What is well, or not used in this mesh, has nothing to show: faults, breaches, waits, an API of a cloud.
const SILENT: [&str; 6] =
    ["policy_faults", "Breached", "rate_limited", "provider_requests", "Reconciling", "datamesh_resources"];

/// Fails unless every rule and every query of the dashboard can be evaluated on what there is.
async fn evaluated(prometheus: &Prometheus) -> Result<()> {
    wait_for("every rule is evaluated", PATIENCE, || async {
        let rules = prometheus.ask("rules").await?;
        let rules = rules["groups"].as_array().context("groups")?.iter();
        let rules = rules.flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
        let (well, ill): (Vec<_>, Vec<_>) = rules.partition(|rule| rule["health"] == "ok");
        Ok(Seen::when(well.len() > 25 && ill.is_empty(), (), ill))
    })
    .await?;
    let dashboard: Value = serde_json::from_str(&file("dashboard.json")?)?;
    let panels = dashboard["panels"].as_array().context("panels")?;
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    for target in targets {
        let query = target["expr"].as_str().context("a query")?;
        let query = query.replace("$job", "dataproduct-operator").replace("$namespace", ".*");
        let query = query.replace("$__rate_interval", "1m");
        // A rate needs two looks of Prometheus.
        wait_for(&format!("something is shown by {query}"), PATIENCE, || async {
            let shown = !prometheus.query(&query).await?.is_empty();
            Ok(Seen::when(shown || SILENT.iter().any(|word| query.contains(word)), (), shown))
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn promtool_finds_nothing_to_mend_in_names_and_help() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    mesh.apply_example("customer-360.yaml")?;
    mesh.wait_condition(("customer", "customer-360"), "Ready", "True", "Ready").await?;
    // It reads the older format alone, in which a counter is described by its whole name.
    let counters = Family::all().filter(|family| family.shape == Shape::Counter);
    let counters = counters.map(|family| format!(" {} ", family.name)).collect::<Vec<_>>();
    let text = operator.metrics().await?;
    let lines = text.lines().filter(|line| *line != "# EOF").map(|line| {
        let name = counters.iter().find(|name| line.starts_with('#') && line.contains(name.as_str()));
        name.map_or_else(
            || line.to_owned(),
            |name| line.replacen(name.as_str(), &format!(" {}_total ", name.trim()), 1),
        )
    });
    let text = lines.map(|line| format!("{line}\n")).collect::<String>();
    let said = check_metrics(&text)?;
    ensure!(said.trim().is_empty(), "{said}\n{text}");
    // The test can fail: a counter without its suffix is told.
    let said = check_metrics("# HELP a_b A text.\n# TYPE a_b counter\na_b 1\n")?;
    ensure!(said.contains("_total"), "{said}");
    Ok(())
}
