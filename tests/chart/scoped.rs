//! Two releases that watch a namespace each: under rights to just that namespace, and without a word between them.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{
    helm::{CHART, RELEASE, objects, read},
    installed::{Installed, UNSEEN},
    rights::{Rights, granted, used, written_in},
    support::operator::Operator,
};

/// Where a release is, what it watches, and the product there.
struct Team {
    system: &'static str,
    namespace: &'static str,
    product: &'static str,
}

/// Products of the second team read those of the first one, and of a namespace that nobody watches.
const TEAMS: [Team; 2] = [
    Team { system: "a-system", namespace: "customer", product: "customer-360" },
    Team { system: "b-system", namespace: "insight", product: "customer-orders" },
];

impl Team {
    fn account(&self) -> String {
        format!("system:serviceaccount:{}:{RELEASE}", self.system)
    }

    /// What tells its release from one that watches everything.
    fn values(&self, first: bool) -> Vec<String> {
        let shared =
            if first { vec![] } else { vec!["crds.enabled=false", "admissionPolicies.enabled=false"] };
        let own = [format!("watchNamespace={}", self.namespace)];
        own.into_iter().chain(shared.into_iter().map(str::to_owned)).collect()
    }

    fn helm(&self, mesh: &Installed, command: &str, values: &[String]) -> Result<String> {
        let sets = values.iter().flat_map(|value| ["--set", value.as_str()]).collect::<Vec<_>>();
        mesh.helm.run(&[&[command, RELEASE, CHART, "--namespace", self.system], &sets[..]].concat())
    }

    fn operator(&self, mesh: &Installed) -> Result<Operator> {
        let environment = [
            ("DATAPRODUCT_WATCH_NAMESPACE", self.namespace),
            ("DATAPRODUCT_LEADER_ELECT", "true"),
            ("DATAPRODUCT_LEADER_ELECTION_NAMESPACE", self.system),
            ("POD_NAME", self.system),
        ];
        let kubeconfig = mesh.plane.kubeconfig_of(self.system, RELEASE)?;
        let log = mesh.folder.path().join(format!("{}.log", self.system));
        Operator::start(Path::new(env!("CARGO_BIN_EXE_dataproduct")), &kubeconfig, &environment, &log)
    }

    /// Its product, as arguments of kubectl.
    fn target(&self) -> [&'static str; 4] {
        ["dataproduct", self.product, "-n", self.namespace]
    }
}

#[tokio::test]
async fn two_releases_watch_a_namespace_each_and_use_rights_to_no_other() -> Result<()> {
    let mesh = Installed::start("helm4").await?;
    for (index, team) in TEAMS.iter().enumerate() {
        for namespace in [team.system, team.namespace] {
            mesh.plane.kubectl(&["create", "namespace", namespace])?;
        }
        team.helm(&mesh, "install", &team.values(index == 0))?;
    }
    mesh.plane.kubectl(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"])?;
    let judged = [&TEAMS[0].values(true)[..], &["policies.enabled=true".to_owned()]].concat();
    TEAMS[0].helm(&mesh, "upgrade", &judged)?;
    mesh.platform()?;
    let expires = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24))?;
    mesh.plane.apply(&read("tests/chart/mesh.yaml")?.replace("EXPIRES", &expires.to_string()))?;
    let operators = TEAMS.iter().map(|team| team.operator(&mesh)).collect::<Result<Vec<_>>>()?;
    for example in ["customer-360", "orders", "customer-orders"] {
        mesh.plane.kubectl(&["apply", "-f", &format!("examples/{example}.yaml")])?;
    }
    let ready = "{.status.conditions[?(@.type==\"Ready\")].status}";
    for team in &TEAMS {
        mesh.wait_field(&team.target(), ready, |found| found == "True").await?;
    }

    // What is beyond the horizon is told of and not judged, and nobody touched it.
    let lineage = "{.status.conditions[?(@.type==\"LineageResolved\")].message}";
    let told = mesh.field(&TEAMS[1].target(), lineage)?;
    ensure!(told.contains("2 more are not seen") && told.contains("namespace insight alone"), "{told}");
    let unwatched = ["dataproduct", "order-events", "-n", "orders"];
    ensure!(mesh.field(&unwatched, "{.status.observedGeneration}{.metadata.finalizers}")? == "-1");
    // The policies of the namespace have a status, and those that both releases judge by have none to write over.
    mesh.wait_field(&["domainpolicy", "own", "-n", "customer"], "{.status.evaluated}", |it| it == "1")
        .await?;
    mesh.wait_field(&["policyexception", "asked", "-n", "customer"], "{.status.state}", |it| it == "Pending")
        .await?;
    ensure!(mesh.field(&["governancepolicies"], "{.items[*].status.observedGeneration}")? == "-1 -1 -1");

    // Data that somebody out of sight may read is not deleted, even when everything else allows it.
    let product = &TEAMS[0].target();
    let change = |patch: &str| {
        mesh.plane.kubectl(&[&["patch"], &product[..], &["--type", "merge", "-p", patch]].concat())
    };
    change(
        r#"{"metadata":{"annotations":{"datamesh.io/confirm-deletion":"customer-360"}},"spec":{"provisioning":{"deletionPolicy":"Delete"}}}"#,
    )?;
    let generation = mesh.field(product, "{.metadata.generation}")?;
    mesh.wait_field(product, "{.status.observedGeneration}", |found| found == generation).await?;
    mesh.wait_field(product, ready, |found| found == "True").await?;
    mesh.plane.kubectl(&[&["delete"], &product[..], &["--wait=false"]].concat())?;
    let stalled = "{.status.conditions[?(@.type==\"Stalled\")].message}";
    mesh.wait_field(product, stalled, |found| found.contains("outside the namespace customer")).await?;
    change(r#"{"spec":{"provisioning":{"deletionPolicy":"Retain"}}}"#)?;
    mesh.plane.kubectl(&[&["wait"], &product[..], &["--for=delete", "--timeout=120s"]].concat())?;
    for operator in operators {
        operator.terminate().await?;
    }

    let [first, _] = &TEAMS;
    let cluster = format!("{RELEASE}-{}", first.system);
    let sets = first.values(true);
    let sets = sets.iter().flat_map(|value| ["--set", value.as_str()]).collect::<Vec<_>>();
    let template = ["template", RELEASE, CHART, "--namespace", first.system, "--kube-version", "1.36.0"];
    let rendered = objects(&mesh.helm.run(&[&template, &sets[..]].concat())?)?;
    let granted = granted(&rendered, &[RELEASE, "dataproduct-operator-leader-election", &cluster]);
    ensure!(granted.len() > 20, "{granted:?}");
    let (by_first, _) = used(&mesh.plane, &first.account())?;
    // A class that is gone is asked for live, which the test of a release that watches everything sees.
    let unseen = UNSEEN.iter().map(|(right, _)| *right).chain(["datamesh.io/providerclasses get"]);
    let unseen = unseen.map(str::to_owned).collect::<Rights>();
    let surplus = granted.difference(&by_first).filter(|right| !unseen.contains(*right)).collect::<Vec<_>>();
    ensure!(surplus.is_empty(), "the chart grants what is never used: {surplus:?}");
    for team in &TEAMS {
        let (_, refused) = used(&mesh.plane, &team.account())?;
        ensure!(refused.is_empty(), "the chart does not grant {refused:?} to {}", team.system);
        let written = written_in(&mesh.plane, &team.account())?.into_iter().collect::<Vec<_>>();
        ensure!(written == [team.system, team.namespace], "{} wrote in {written:?}", team.system);
        let may = ["auth", "can-i", "list", "dataproducts", "--all-namespaces", "--as", &team.account()];
        let answer = mesh.plane.kubectl_raw(&may).context("can-i")?;
        ensure!(String::from_utf8_lossy(&answer.stdout).trim() == "no", "{} sees all products", team.system);
    }
    Ok(())
}
