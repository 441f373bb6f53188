//! The chart rendered with many values: linted, refused where values contradict each other, and judged by a real API server.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    helm::{CHART, Helm, NAMESPACE, VERSIONS, files, object, objects, read, template_command},
    support::control_plane::{ControlPlane, Options},
};

/// Every set of values that must work, as an argument of Helm.
pub(crate) fn values() -> Result<Vec<String>> {
    let files =
        files("tests/chart/values")?.into_iter().map(|name| format!("--values=tests/chart/values/{name}"));
    let shipped = ["values.yaml", "values-ha.yaml"].map(|name| format!("--values={CHART}/{name}"));
    Ok(files.chain(shipped).collect())
}

#[test]
fn the_chart_passes_lint_and_both_helms_render_the_same() -> Result<()> {
    let [helm3, helm4] = VERSIONS.map(Helm::offline);
    let (helm3, helm4) = (helm3?, helm4?);
    for values in values()? {
        for helm in [&helm3, &helm4] {
            helm.run(&["lint", "--strict", CHART, "--kube-version", "1.36.0", &values])?;
        }
        // The order of kinds that Helm does not know is its own.
        let sorted = |text: String| -> Result<Vec<String>> {
            let mut objects = objects(&text)?.iter().map(Value::to_string).collect::<Vec<_>>();
            objects.sort();
            Ok(objects)
        };
        let (old, new) = (sorted(helm3.template(&[&values])?)?, sorted(helm4.template(&[&values])?)?);
        ensure!(old == new, "{values}: Helm 3 and Helm 4 render different objects");
    }
    Ok(())
}

#[test]
fn values_that_contradict_each_other_are_refused_in_plain_words() -> Result<()> {
    for version in VERSIONS {
        let helm = Helm::offline(version)?;
        for name in files("tests/chart/contradictions")? {
            let path = format!("tests/chart/contradictions/{name}");
            let text = read(&path)?;
            let expected =
                text.lines().next().and_then(|line| line.strip_prefix("# ")).context("a first line")?;
            let said = helm.refused(&[&template_command()[..], &["--values", &path]].concat())?;
            ensure!(said.contains(expected), "{version} {name}: {expected:?} is not in {said}");
        }
    }
    Ok(())
}

#[test]
fn a_kubernetes_that_is_too_old_is_refused() -> Result<()> {
    for version in VERSIONS {
        let old = ["template", "old", CHART, "--kube-version", "1.32.9"];
        let said = Helm::offline(version)?.refused(&old)?;
        ensure!(said.contains(">=1.33"), "{said}");
    }
    Ok(())
}

#[test]
fn definitions_carry_large_numbers_as_they_are_and_stay_unless_told_otherwise() -> Result<()> {
    let helm = Helm::offline("helm4")?;
    for (arguments, kept) in [(&[][..], json!("keep")), (&["--set", "crds.keep=false"], Value::Null)] {
        let rendered = objects(&helm.template(arguments)?)?;
        for name in files("crds")? {
            let generated: Value = serde_saphyr::from_str(&read(&format!("crds/{name}"))?)?;
            let name = generated["metadata"]["name"].as_str().context("a name")?;
            let definition = object(&rendered, "CustomResourceDefinition", name)?;
            ensure!(definition["spec"] == generated["spec"], "{name} is another one in the chart");
            ensure!(definition["metadata"]["annotations"]["helm.sh/resource-policy"] == kept, "{definition}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_real_api_server_takes_every_object_and_a_restricted_namespace_takes_the_pod() -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    plane.install_crds()?;
    // The kinds of the Prometheus operator, whose definitions are too large for an annotation.
    let definitions = ["apply", "--server-side", "-f", ".tools/prometheus-operator"];
    plane.kubectl(&definitions).context("run `make schemas` first")?;
    plane.kubectl(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"])?;
    for namespace in [NAMESPACE, "customer"] {
        plane.kubectl(&["create", "namespace", namespace])?;
    }
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    plane.kubectl(&["label", "namespace", NAMESPACE, restricted])?;
    let helm = Helm::offline("helm4")?;
    for values in values()? {
        let (rendered, foreign): (Vec<_>, Vec<_>) = objects(&helm.template(&[&values])?)?
            .into_iter()
            .partition(|object| object["apiVersion"] != GRAFANA);
        ensure!(
            rendered.iter().any(|object| object["kind"] == "Deployment"),
            "{values} renders no Deployment"
        );
        ensure!(foreign.iter().all(|object| object["spec"].is_object()), "{foreign:?}");
        judged(&plane, &json!({"apiVersion": "v1", "kind": "List", "items": rendered}))
            .with_context(|| values.clone())?;
        for deployment in rendered.iter().filter(|object| object["kind"] == "Deployment") {
            let template = &deployment["spec"]["template"];
            let mut metadata = template["metadata"].clone();
            metadata["name"] = json!("operator");
            metadata["namespace"] = json!(NAMESPACE);
            let pod =
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]});
            judged(&plane, &pod).with_context(|| format!("the pod of {values}"))?;
            // The test can fail: the same pod with one right more is refused.
            let mut rooted = pod.clone();
            rooted["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
            let refused = judged(&plane, &rooted).err().context("the namespace enforces nothing")?;
            ensure!(format!("{refused:#}").contains("PodSecurity"), "{refused:#}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn kubectl_alone_installs_the_same_and_a_second_time_changes_nothing() -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    let apply = ["apply", "--server-side", "--validate=strict", "-f", "deploy/install.yaml"];
    plane.kubectl(&apply)?;
    plane.kubectl(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"])?;
    plane.kubectl(&["get", "deployment", "dataproduct-operator", "-n", NAMESPACE])?;
    let version = [
        "get",
        "deployment,clusterrole,crd,namespace",
        "-A",
        "-o",
        "jsonpath={.items[*].metadata.generation}",
    ];
    let before = plane.kubectl(&version)?;
    plane.kubectl(&apply)?;
    ensure!(plane.kubectl(&version)? == before, "the same text changed something");
    Ok(())
}

/// What the Grafana operator defines, which is not installed here.
const GRAFANA: &str = "grafana.integreatly.org/v1beta1";

/// What the API server itself says of an object, by a dry run with validation of every field.
fn judged(plane: &ControlPlane, object: &Value) -> Result<()> {
    let file = tempfile::Builder::new().suffix(".json").tempfile()?;
    serde_json::to_writer(&file, object)?;
    let path = file.path().display().to_string();
    plane
        .kubectl(&["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", &path])
        .map(|_| ())
}
