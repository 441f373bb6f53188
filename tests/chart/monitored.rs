//! What the chart makes for Prometheus and Grafana, and what it does where these are not there.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::helm::{Helm, RELEASE, VERSIONS, object, objects, read, template_command};

const EVERYTHING: [&str; 2] = ["--values", "tests/chart/values/everything.yaml"];
/// Each setting with the object that it makes.
const KINDS: [(&str, &str, &str, &str); 4] = [
    ("prometheus.serviceMonitor", "monitoring.coreos.com/v1", "ServiceMonitor", ""),
    ("prometheus.podMonitor", "monitoring.coreos.com/v1", "PodMonitor", ""),
    ("prometheus.rules", "monitoring.coreos.com/v1", "PrometheusRule", "prometheus.podMonitor.enabled=true"),
    (
        "grafana.dashboard.grafanaOperator",
        "grafana.integreatly.org/v1beta1",
        "GrafanaDashboard",
        "grafana.dashboard.enabled=true",
    ),
];

/// The rules of a file or an object, by name.
fn named(groups: &Value) -> Result<Vec<(String, Value)>> {
    let rules = groups.as_array().context("groups")?.iter().filter_map(|group| group["rules"].as_array());
    let name = |rule: &Value| {
        let name = rule["alert"].as_str().or(rule["record"].as_str()).context("a name")?;
        Ok((name.to_owned(), rule.clone()))
    };
    rules.flatten().map(name).collect()
}

#[test]
fn the_alerts_are_those_of_the_file_with_the_job_the_labels_and_the_runbooks_of_the_values() -> Result<()> {
    let source: Value = serde_saphyr::from_str(&read("deploy/monitoring/rules.yaml")?)?;
    let source = named(&source["groups"])?;
    for version in VERSIONS {
        let rendered = objects(&Helm::offline(version)?.template(&EVERYTHING)?)?;
        let rule = rendered.iter().find(|object| object["kind"] == "PrometheusRule").context("no rules")?;
        ensure!(rule["metadata"]["labels"]["release"] == "prometheus", "{}", rule["metadata"]);
        let made = named(&rule["spec"]["groups"])?;
        ensure!(made.len() == source.len() - 1, "one alert is left out, and {} are there", made.len());
        for (name, rule) in &made {
            let (_, of_file) =
                source.iter().find(|(of_file, _)| of_file == name).context("an unknown rule")?;
            let query = of_file["expr"].as_str().context("a query")?;
            let query = query.replace(r#"job="dataproduct-operator""#, r#"job="mesh""#);
            ensure!(rule["expr"] == query.as_str() && rule["for"] == of_file["for"], "{name}: {rule}");
            if rule["alert"].is_string() {
                ensure!(rule["labels"] == json!({"team": "mesh", "severity": "page"}), "{name}: {rule}");
                let url = format!("https://example.com/runbooks#{}", name.to_lowercase());
                ensure!(rule["annotations"]["runbook_url"] == url.as_str(), "{name}: {rule}");
                let summary = &rule["annotations"]["summary"];
                ensure!(*summary == of_file["annotations"]["summary"], "{name}: {summary}");
            }
        }
        // The job that the alerts look for is the one that the monitor makes.
        let monitor =
            rendered.iter().find(|object| object["kind"] == "ServiceMonitor").context("no monitor")?;
        ensure!(monitor["spec"]["jobLabel"] == "app.kubernetes.io/name", "{monitor}");
        ensure!(monitor["spec"]["endpoints"][0]["honorLabels"] == true, "{monitor}");
        let service = object(&rendered, "Service", &format!("{RELEASE}-mesh-metrics"))?;
        ensure!(service["metadata"]["labels"]["app.kubernetes.io/name"] == "mesh", "{service}");
    }
    Ok(())
}

#[test]
fn the_dashboard_arrives_as_it_is_with_folder_and_labels() -> Result<()> {
    let rendered = objects(&Helm::offline("helm4")?.template(&EVERYTHING)?)?;
    let name = format!("{RELEASE}-mesh-dashboard");
    let map = object(&rendered, "ConfigMap", &name)?;
    ensure!(map["metadata"]["labels"]["grafana_dashboard"] == "1", "{}", map["metadata"]);
    ensure!(
        map["metadata"]["annotations"] == json!({"grafana_folder": "Data mesh", "a": "b"}),
        "{}",
        map["metadata"]
    );
    let arrived = map["data"]["dataproduct-operator.json"].as_str().context("a dashboard")?;
    ensure!(arrived.trim_end() == read("deploy/monitoring/dashboard.json")?.trim_end(), "it was changed");
    let dashboard = object(&rendered, "GrafanaDashboard", &name)?;
    ensure!(
        dashboard["spec"]["configMapRef"] == json!({"name": name, "key": "dataproduct-operator.json"}),
        "{dashboard}"
    );
    ensure!(dashboard["spec"]["folder"] == "Data mesh", "{dashboard}");
    Ok(())
}

#[test]
fn a_kind_that_the_cluster_does_not_know_is_skipped_refused_or_made_as_the_values_say() -> Result<()> {
    for version in VERSIONS {
        let helm = Helm::offline(version)?;
        for (setting, group, kind, with) in KINDS {
            let made = |mode: &str, known: Option<&str>| -> Result<bool> {
                let mut values =
                    vec![format!("{setting}.enabled=true"), format!("{setting}.renderMode={mode}")];
                values.extend((!with.is_empty()).then(|| with.to_owned()));
                let values = values.join(",");
                let mut arguments = vec!["--set", &values];
                arguments.extend(known.iter().flat_map(|known| ["--api-versions", known]));
                Ok(objects(&helm.template(&arguments)?)?.iter().any(|object| object["kind"] == kind))
            };
            let known = format!("{group}/{kind}");
            for (mode, known, expected) in [
                ("skipIfMissing", None, false),
                ("skipIfMissing", Some(known.as_str()), true),
                ("failIfMissing", Some(known.as_str()), true),
                ("alwaysRender", None, true),
            ] {
                ensure!(made(mode, known)? == expected, "{version} {setting} {mode} {known:?}");
            }
            let fails = format!("{setting}.enabled=true,{setting}.renderMode=failIfMissing,{with}");
            let said =
                helm.refused(&[&template_command()[..], &["--set", fails.trim_end_matches(',')]].concat())?;
            ensure!(said.contains(&format!("{setting}.enabled needs the kind {known}")), "{said}");
        }
    }
    Ok(())
}

#[test]
fn what_is_skipped_is_told() -> Result<()> {
    let asked = "prometheus.podMonitor.enabled=true,prometheus.rules.enabled=true";
    let install = ["install", RELEASE, crate::helm::CHART, "--dry-run=client", "--set", asked];
    let said = Helm::offline("helm4")?.run(&install)?;
    let told = said.split("ATTENTION: not made").nth(1).context("nothing is told")?;
    for (setting, group, kind, _) in [KINDS[1], KINDS[2]] {
        ensure!(told.contains(&format!("  {setting} (no {group}/{kind})\n")), "{told}");
    }
    Ok(())
}
