//! The chart installed on a real API server, and the operator as a process under the `ServiceAccount` of the chart, so that
//! its rights are the only ones that it has.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{
    helm::{Helm, NAMESPACE, RELEASE, VERSIONS, objects, read},
    rights::{Rights, granted, used},
    support::{
        control_plane::{ControlPlane, Options},
        operator::Operator,
        wait::{Seen, wait_for},
    },
};

const PATIENCE: std::time::Duration = std::time::Duration::from_mins(3);
/// The products of the examples that have no violation.
const SOUND: [(&str, &str); 3] =
    [("customer", "customer-360"), ("orders", "order-events"), ("insight", "customer-orders")];
/// What the operator under test is told, as the chart tells it with the values of this test.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("DATAPRODUCT_LEADER_ELECT", "true"),
    ("DATAPRODUCT_LEADER_ELECTION_NAMESPACE", NAMESPACE),
    ("DATAPRODUCT_OUTPUTS", "openreports"),
    ("DATAPRODUCT_WEBHOOK_BIND_ADDRESS", "127.0.0.1:0"),
    ("POD_NAME", "operator-0"),
];

/// The name that the API server gives to the operator.
fn account() -> String {
    format!("system:serviceaccount:{NAMESPACE}:{RELEASE}")
}

/// A control plane with the chart, and a folder for what the operator makes.
pub(crate) struct Installed {
    pub(crate) plane: ControlPlane,
    pub(crate) helm: Helm,
    pub(crate) folder: tempfile::TempDir,
}

impl Installed {
    /// Installs the chart in a namespace that enforces the Pod Security Standard `restricted`, as its README says.
    pub(crate) async fn start(version: &str) -> Result<Self> {
        let plane =
            ControlPlane::start(Options { controller_manager: true, audit: true, ..Options::default() })
                .await?;
        plane.kubectl(&["create", "namespace", NAMESPACE])?;
        plane.kubectl(&["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"])?;
        let helm = Helm::of(version, plane.kubeconfig_path())?;
        let folder = tempfile::Builder::new().prefix("chart-").tempdir()?;
        fs::create_dir(folder.path().join("root"))?;
        Ok(Self { plane, helm, folder })
    }

    /// The names of everything of a kind in every namespace.
    fn names(&self, kind: &str) -> Result<Vec<String>> {
        let text = self.plane.kubectl(&["get", kind, "--all-namespaces", "-o", "name"])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Starts the operator under the `ServiceAccount` of the chart.
    fn operator(&self) -> Result<Operator> {
        let kubeconfig = self.plane.kubeconfig_of(NAMESPACE, RELEASE)?;
        let log = self.folder.path().join("operator.log");
        Operator::start(Path::new(env!("CARGO_BIN_EXE_dataproduct")), &kubeconfig, &ENVIRONMENT, &log)
    }

    /// Applies the example platform with a root of this test. The standards are the chart's where it has them.
    pub(crate) fn platform(&self) -> Result<()> {
        let root = self.folder.path().join("root").display().to_string();
        let text = read("examples/platform.yaml")?.replace("/var/lib/datamesh", &root);
        self.plane.apply(&text).map(|_| ())
    }

    fn wait_ready(&self, (namespace, name): (&str, &str)) -> Result<()> {
        let wait = ["wait", "dataproduct", name, "-n", namespace, "--for=condition=Ready", "--timeout=180s"];
        self.plane.kubectl(&wait).map(|_| ()).with_context(|| self.log())
    }

    /// What the operator was refused and what it logged, to find out why something did not come.
    fn log(&self) -> String {
        let refused = used(&self.plane, &account()).map(|(_, refused)| refused);
        let log = fs::read_to_string(self.folder.path().join("operator.log")).unwrap_or_default();
        format!("the operator was refused {refused:?} and says:\n{log}")
    }

    /// A field of an object, as text.
    pub(crate) fn field(&self, target: &[&str], path: &str) -> Result<String> {
        let output = format!("jsonpath={path}");
        self.plane.kubectl(&[&["get"], target, &["-o", &output]].concat())
    }

    /// Waits until a field of an object has a text.
    pub(crate) async fn wait_field(
        &self,
        target: &[&str],
        path: &str,
        expected: impl Fn(&str) -> bool,
    ) -> Result<String> {
        wait_for(&format!("{path} of {target:?}"), PATIENCE, || async {
            let found = self.field(target, path)?;
            Ok(Seen::when(expected(&found), found.clone(), found))
        })
        .await
        .with_context(|| self.log())
    }
}

#[tokio::test]
async fn helm_4_installs_upgrades_and_uninstalls_and_products_stay() -> Result<()> {
    life(VERSIONS[1]).await
}

#[tokio::test]
async fn helm_3_installs_upgrades_and_uninstalls_and_products_stay() -> Result<()> {
    life(VERSIONS[0]).await
}

async fn life(version: &str) -> Result<()> {
    let mesh = Installed::start(version).await?;
    // Objects of kinds that the cluster does not know yet are refused before anything is made.
    let switched_on = ["--set", "policies.enabled=true"];
    let too_early = mesh.helm.release("install", &switched_on).err().context("the kind is known already")?;
    ensure!(format!("{too_early}").contains("Install the chart without it"), "{too_early}");
    ensure!(mesh.names("crd")?.is_empty(), "something was made");

    let notes = mesh.helm.release("install", &[])?;
    ensure!(notes.contains("rollout status") && notes.contains("--set policies.enabled=true"), "{notes}");
    mesh.plane.kubectl(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"])?;
    mesh.helm.release("upgrade", &[&["--reuse-values"][..], &switched_on].concat())?;
    ensure!(mesh.names("governancepolicies")?.len() == 3, "{:?}", mesh.names("governancepolicies")?);

    mesh.platform()?;
    let operator = mesh.operator()?;
    mesh.plane.kubectl(&["apply", "-f", "examples/customer-360.yaml", "-f", "examples/orders.yaml"])?;
    mesh.plane.kubectl(&["apply", "-f", "examples/customer-orders.yaml"])?;
    for product in SOUND {
        mesh.wait_ready(product)?;
    }
    let products = || mesh.plane.kubectl(&["get", "dp", "-A", "-o", "jsonpath={.items[*].metadata.uid}"]);
    let before = products()?;
    mesh.helm
        .release("upgrade", &["--reuse-values", "--values", "charts/dataproduct-operator/values-ha.yaml"])?;
    ensure!(mesh.field(&["deployment", RELEASE, "-n", NAMESPACE], "{.spec.replicas}")? == "3");
    operator.terminate().await?;
    ensure!(products()? == before, "an upgrade changed products");

    let definitions = mesh.names("crd")?;
    // Nobody runs the hook here; tests/chart/deployed.rs has a node that does.
    mesh.helm.release("uninstall", &["--no-hooks"])?;
    ensure!(mesh.plane.kubectl(&["get", "deployments", "-n", NAMESPACE, "-o", "name"])?.is_empty());
    ensure!(mesh.names("crd")? == definitions, "a definition is gone");
    ensure!(products()? == before, "a product is gone");
    // What stayed is taken up again by the same release.
    mesh.helm.release("install", &switched_on)?;
    ensure!(products()? == before, "a product is gone");
    let operator = mesh.operator()?;
    for product in SOUND {
        mesh.wait_ready(product)?;
    }
    operator.terminate().await
}

/// Granted, and not to be seen in the audit log of this test, with the reason.
pub(crate) const UNSEEN: [(&str, &str); 2] = [
    (
        "openreports.io/reports create",
        "server-side apply of what is not there asks for it and is logged as a patch",
    ),
    ("datamesh.io/datadomains get", "asked when AWS refuses the role of a domain, which tests/aws sees"),
];

#[tokio::test]
async fn the_operator_works_with_just_the_rights_of_the_chart_and_uses_each_of_them() -> Result<()> {
    let mesh = Installed::start("helm4").await?;
    let values = ["--set", "webhook.enabled=true", "--set", "outputs={openreports}"];
    mesh.helm.release("install", &values)?;
    mesh.plane.kubectl(&["apply", "--server-side", "-f", "tests/real/openreports/reports.yaml"])?;
    mesh.plane.kubectl(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"])?;
    mesh.helm.release("upgrade", &["--reuse-values", "--set", "policies.enabled=true"])?;
    mesh.platform()?;

    let operator = mesh.operator()?;
    let hook = ["validatingwebhookconfiguration", "dataproduct-webhook"];
    let bundle = "{.webhooks[0].clientConfig.caBundle}";
    let trusted = mesh.wait_field(&hook, bundle, |found| !found.is_empty()).await?;
    // No network leads from the API server of a test to a service.
    let expires = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24))?;
    mesh.plane.apply(&read("tests/chart/mesh.yaml")?.replace("EXPIRES", &expires.to_string()))?;
    mesh.plane.kubectl(&["apply", "-f", "examples/customer-360.yaml"])?;
    mesh.wait_ready(SOUND[0])?;
    mesh.wait_field(&["domainpolicy", "own", "-n", "customer"], "{.status.evaluated}", |it| it == "1")
        .await?;
    mesh.wait_field(&["policyexception", "asked", "-n", "customer"], "{.status.state}", |it| it == "Pending")
        .await?;
    mesh.wait_field(&["reports", "-n", "customer"], "{.items[*].metadata.name}", |it| !it.is_empty()).await?;
    mesh.wait_field(&["events.events.k8s.io", "-n", "customer"], "{.items[*].reason}", |it| !it.is_empty())
        .await?;
    // Before something that exists is changed, its product is read live.
    let later = r#"{"spec":{"slo":{"freshness":{"target":"3 hours"}}}}"#;
    let product = ["dataproduct", "customer-360", "-n", "customer"];
    mesh.plane.kubectl(&[&["patch"], &product[..], &["--type", "merge", "-p", later]].concat())?;
    let generation = mesh.field(&product, "{.metadata.generation}")?;
    mesh.wait_field(&product, "{.status.observedGeneration}", |found| found == generation).await?;
    mesh.wait_ready(SOUND[0])?;
    // Helm leaves alone whom the API server trusts.
    mesh.helm.release("upgrade", &["--reuse-values", "--set", "webhook.action=deny"])?;
    ensure!(mesh.field(&hook, bundle)? == trusted, "an upgrade took the authority away");
    operator.terminate().await?;

    // A certificate that cannot be read is made anew. A class that is gone is asked for before its product may go.
    let secret = ["secret", "dataproduct-webhook", "-n", NAMESPACE];
    let spoilt = ["--type", "merge", "-p", r#"{"data":{"state.json":"e30="}}"#];
    mesh.plane.kubectl(&[&["patch"], &secret[..], &spoilt].concat())?;
    mesh.plane.kubectl(&["delete", "providerclass", "local"])?;
    let operator = mesh.operator()?;
    mesh.wait_field(&secret, r"{.data.state\.json}", |found| found != "e30=").await?;
    mesh.plane
        .kubectl(&["delete", "dp", "customer-360", "-n", "customer", "--timeout=120s"])
        .with_context(|| mesh.log())?;
    operator.terminate().await?;

    let (used, refused) = used(&mesh.plane, &account())?;
    ensure!(refused.is_empty(), "the chart does not grant {refused:?}");
    let rendered = objects(&mesh.helm.template(&values)?)?;
    let roles = [RELEASE, "dataproduct-operator-leader-election", "dataproduct-operator-webhook"];
    let granted = granted(&rendered, &roles);
    let unseen = UNSEEN.iter().map(|(right, _)| (*right).to_owned()).collect::<Rights>();
    let surplus = granted.difference(&used).filter(|right| !unseen.contains(*right)).collect::<Vec<_>>();
    ensure!(surplus.is_empty(), "the chart grants what is never used: {surplus:?}");
    let stale =
        unseen.iter().filter(|right| used.contains(*right) || !granted.contains(*right)).collect::<Vec<_>>();
    ensure!(stale.is_empty(), "these are no exceptions any more: {stale:?}");
    ensure!(granted.iter().all(|right| !right.contains('*')), "{granted:?}");
    Ok(())
}

#[tokio::test]
async fn people_have_the_rights_that_their_roles_say() -> Result<()> {
    let mesh = Installed::start("helm4").await?;
    mesh.helm.release("install", &[])?;
    mesh.plane.kubectl(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"])?;
    for (user, role, scope) in [
        ("reader", "view", "default"),
        ("team", "edit", "default"),
        ("approver", "dataproduct-operator-exception-approver", "default"),
    ] {
        let (role, user) = (format!("--clusterrole={role}"), [format!("--user={user}"), user.to_owned()]);
        mesh.plane.kubectl(&["create", "rolebinding", &user[1], "-n", scope, &role, &user[0]])?;
    }
    let admin = ["--clusterrole=dataproduct-operator-platform-admin", "--user=platform"];
    mesh.plane.kubectl(&[&["create", "clusterrolebinding", "platform"][..], &admin].concat())?;
    let may = |user: &str, verb: &str, what: &str| -> Result<bool> {
        let (resource, part) = what.split_once('/').unwrap_or((what, ""));
        let part = format!("--subresource={part}");
        let asked = ["auth", "can-i", verb, resource, &part, "-n", "default", "--as", user];
        let output = mesh.plane.kubectl_raw(&asked)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim() == "yes")
    };
    // The built-in roles are put together by a controller.
    wait_for("the roles are aggregated", PATIENCE, || async {
        let ready = may("reader", "get", "dataproducts")? && may("team", "create", "dataproducts")?;
        Ok(Seen::when(ready, (), "not yet"))
    })
    .await?;
    for (user, verb, what, expected) in [
        ("reader", "create", "dataproducts", false),
        ("reader", "list", "policyexceptions", true),
        ("team", "get", "dataproducts", true),
        ("team", "delete", "dataproducts", true),
        ("team", "patch", "dataproducts/status", false),
        ("team", "create", "policyexceptions", true),
        ("team", "patch", "policyexceptions/status", false),
        ("team", "create", "domainpolicies", true),
        ("team", "create", "datadomains", false),
        ("team", "patch", "governancepolicies", false),
        ("approver", "patch", "policyexceptions/status", true),
        ("approver", "create", "policyexceptions", false),
        ("approver", "patch", "dataproducts", false),
        ("platform", "create", "datadomains", true),
        ("platform", "delete", "governancepolicies", true),
        ("platform", "create", "dataproducts", false),
        ("platform", "patch", "policyexceptions/status", false),
    ] {
        ensure!(may(user, verb, what)? == expected, "{user} {verb} {what}: {expected} is expected");
    }
    Ok(())
}
