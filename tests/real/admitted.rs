//! What the API server itself says of a product: what the evaluator says, in the same words, and nothing where all is well.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::{DataProduct, GovernancePolicy, PlatformStandards, status::Severity},
    governance::{Input, Policy, PolicySet, RULES, defaults, is_expressed},
};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::{
    fixture::{Mesh, PATIENCE, example, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

/// What is said of a product by each rule: the words of the first breach that is told, and how many there are.
type Told = BTreeMap<String, (Vec<String>, usize)>;

/// Applies what `dataproduct admission` prints.
fn install(mesh: &Mesh, arguments: &[&str]) -> Result<()> {
    let printed =
        Command::new(env!("CARGO_BIN_EXE_dataproduct")).arg("admission").args(arguments).output()?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    mesh.plane.apply(&String::from_utf8(printed.stdout)?).map(drop)
}

/// A policy whose rules are all enforced errors.
fn strict(name: &str, ids: &[&str]) -> Result<GovernancePolicy> {
    let rules = ids.iter().map(|id| json!({"id": id, "severity": "error"})).collect::<Vec<_>>();
    Ok(GovernancePolicy::new(name, serde_json::from_value(json!({"state": "Enforced", "rules": rules}))?))
}

/// Applies what becomes of policies in a file.
fn install_policies(mesh: &Mesh, policies: &[GovernancePolicy]) -> Result<()> {
    let file = tempfile::NamedTempFile::with_suffix(".yaml")?;
    let list = json!({"apiVersion": "v1", "kind": "List", "items": policies});
    fs::write(file.path(), serde_json::to_string(&list)?)?;
    install(mesh, &["--policies", &file.path().display().to_string()])
}

/// Lets the API server judge a product without keeping it, and gives the warnings of its admission policies; an error where
/// it is refused.
fn warnings(mesh: &Mesh, product: &str) -> Result<Vec<String>> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), product)?;
    let file = file.path().display().to_string();
    let said = mesh.plane.warnings(&["create", "--dry-run=server", "-f", &file])?;
    let of_policies = said.iter().filter_map(|line| {
        let rest = line.strip_prefix("Warning: Validation failed for ValidatingAdmissionPolicy '")?;
        rest.split_once("': ").map(|(_, message)| message.to_owned())
    });
    Ok(of_policies.collect())
}

fn told(warnings: &[String]) -> Told {
    let mut told = Told::new();
    for warning in warnings {
        let more = warning.strip_suffix(" more)").and_then(|rest| rest.rsplit_once(" (and "));
        let more = more.and_then(|(first, more)| Some((first, more.parse::<usize>().ok()?)));
        let (first, count) = more.map_or((warning.as_str(), 1), |(first, more)| (first, more + 1));
        let id = first.trim_start_matches('[').split(']').next().unwrap_or_default();
        let rule = told.entry(id.to_owned()).or_default();
        rule.0.push(first.to_owned());
        rule.1 += count;
    }
    told
}

/// What the evaluator says is an enforced error, as far as the API server can judge it.
fn expected(product: &DataProduct, policies: &[GovernancePolicy]) -> Result<Told> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(&example("platform.yaml")?)?;
    let standards = documents.into_iter().find(|document| document["kind"] == "PlatformStandards");
    let standards: PlatformStandards = serde_json::from_value(standards.context("standards")?)?;
    let compiled =
        policies.iter().map(|policy| Policy::global(&policy.name_any(), &policy.spec.policy, None));
    let report = compiled.collect::<PolicySet>().evaluate(&Input::of(product, &standards.spec));
    let mut told = Told::new();
    for error in report.enforced_errors(dataproduct_operator::api::Enforcement::Enforced) {
        ensure!(error.severity == Severity::Error && is_expressed(&error.rule.id), "{error:?}");
        let rule = told.entry(error.rule.id.to_string()).or_default();
        rule.0.push(format!("[{}] {}", error.rule.id, error.message));
        rule.1 += 1;
    }
    Ok(told)
}

/// Fails unless the warnings are what is expected: every word is one of the evaluator's, and none is missing.
fn compare(name: &str, warnings: &[String], expected: &Told) -> Result<()> {
    let told = told(warnings);
    let same = told.len() == expected.len()
        && told.iter().all(|(id, (words, count))| {
            expected
                .get(id)
                .is_some_and(|(known, all)| count == all && words.iter().all(|word| known.contains(word)))
        });
    ensure!(same, "{name}: the API server says {warnings:#?}, and the evaluator {expected:#?}");
    Ok(())
}

/// The fixtures of the rules and the examples, by name, each in the namespace `customer` unless it has another.
fn products() -> Result<Vec<(String, String, DataProduct)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut products = Vec::new();
    for folder in ["tests/governance/fixtures", "examples"] {
        for entry in fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            if path.extension().is_none_or(|end| end != "yaml") {
                continue;
            }
            let documents: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(&path)?)?;
            for mut document in documents.into_iter().filter(|document| document["kind"] == "DataProduct") {
                let metadata = document["metadata"].as_object_mut().context("metadata")?;
                metadata.entry("namespace").or_insert_with(|| json!("customer"));
                let product = serde_json::from_value(document.clone())?;
                products.push((path.display().to_string(), document.to_string(), product));
            }
        }
    }
    products.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(products)
}

/// A product as large as the schema lets it be in what the rules compare with one another.
fn largest() -> Result<(String, DataProduct)> {
    let name = |n: usize| format!("a_field_with_a_name_of_some_length_{n:04}");
    let blank = " ".repeat(1000);
    let fields =
        (0..512).map(|n| json!({"name": name(n), "type": "string", "description": blank, "pii": n % 2 == 0}));
    let columns = (256..768).map(name).collect::<Vec<_>>();
    let port = |n: usize| json!({"name": format!("port-{n}"), "type": "oracle", "format": "xml"});
    let mut product: Value = serde_saphyr::from_str(&small("customer", "customer", "largest", ""))?;
    product["spec"]["schema"]["fields"] = fields.collect();
    product["spec"]["access"]["privacy"] = json!({"pii_columns": columns});
    product["spec"]["outputPorts"] = (0..64).map(port).collect();
    Ok((product.to_string(), serde_json::from_value(product)?))
}

/// Waits until the type checker of the control plane has looked at a policy, and fails if it found anything.
async fn well_typed(mesh: &Mesh, name: &str) -> Result<()> {
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(mesh.client.clone());
    let status = wait_for(&format!("{name} is checked"), PATIENCE, || async {
        let policy = policies.get(name).await?;
        let current = policy.status.as_ref().and_then(|status| status.observed_generation);
        let is_checked = current == policy.metadata.generation;
        Ok(Seen::when(is_checked, policy.status.clone(), policy.status))
    })
    .await?;
    let warnings =
        status.and_then(|status| status.type_checking).and_then(|checked| checked.expression_warnings);
    ensure!(warnings.clone().unwrap_or_default().is_empty(), "{name}: {warnings:#?}");
    Ok(())
}

/// Waits until the API server says of a product what is expected; it takes up a policy a moment after it is written.
async fn wait_told(mesh: &Mesh, name: &str, product: &str, expected: &Told) -> Result<()> {
    wait_for(&format!("the warnings about {name}"), PATIENCE, || async {
        let same = compare(name, &warnings(mesh, product)?, expected);
        Ok(Seen::when(same.is_ok(), (), same))
    })
    .await
}

#[tokio::test]
async fn the_api_server_warns_in_the_words_of_the_evaluator_and_is_silent_where_all_is_well() -> Result<()> {
    let mesh = Mesh::start(Options { controller_manager: true, ..Options::default() }).await?;
    mesh.plane.install_admission()?;
    well_typed(&mesh, "core.datamesh.io").await?;

    let core = defaults().into_iter().map(|(policy, _)| policy).filter(|policy| policy.name_any() == "core");
    let core = core.collect::<Vec<_>>();
    let products = products()?;
    let (name, text, product) =
        products.iter().find(|(name, ..)| name.ends_with("empty.yaml")).context("the empty product")?;
    let nothing_is_said = expected(product, &core)?;
    ensure!(nothing_is_said.values().map(|(_, count)| count).sum::<usize>() == 5, "{nothing_is_said:?}");
    wait_told(&mesh, name, text, &nothing_is_said).await?;
    let (mut silent, mut refused) = (0, Vec::new());
    for (name, text, product) in &products {
        match warnings(&mesh, text) {
            Ok(warnings) => {
                silent += usize::from(warnings.is_empty());
                compare(name, &warnings, &expected(product, &core)?)?;
            }
            Err(error) => refused.push((name, format!("{error:#}"))),
        }
    }
    ensure!(silent >= 5, "the good products are good");
    // The schema refuses what of this one is wrong in its shape, before any policy is asked.
    let [(name, said)] = refused.as_slice() else { anyhow::bail!("{refused:#?}") };
    ensure!(name.ends_with("all-wrong.yaml") && said.contains("is invalid"), "{refused:#?}");
    Ok(())
}

#[tokio::test]
async fn every_rule_that_the_api_server_can_judge_it_judges_as_the_evaluator_does_however_large_the_product_is()
-> Result<()> {
    let mesh = Mesh::start(Options { controller_manager: true, ..Options::default() }).await?;
    let mut products = products()?;
    products.retain(|(name, ..)| !name.ends_with("all-wrong.yaml"));
    let (text, product) = largest()?;
    products.push(("the largest product".to_owned(), text, product));
    let expressed = RULES.iter().map(|rule| rule.id).filter(|id| is_expressed(id)).collect::<Vec<_>>();
    // The API server cuts off warnings beyond 4096 characters in all, so that each policy has some of the rules.
    for (number, ids) in expressed.chunks(8).enumerate() {
        let name = format!("p{number}");
        let policies = [strict(&name, ids)?];
        install_policies(&mesh, &policies)?;
        let violating = products.iter().find(|(name, ..)| name.ends_with("violating.yaml"));
        let (file, text, product) = violating.context("the violating product")?;
        wait_told(&mesh, file, text, &expected(product, &policies)?).await?;
        for (file, text, product) in &products {
            compare(file, &warnings(&mesh, text)?, &expected(product, &policies)?)?;
        }
        let name = format!("{name}.datamesh.io");
        well_typed(&mesh, &name).await?;
        mesh.plane.kubectl(&[
            "delete",
            "validatingadmissionpolicy,validatingadmissionpolicybinding",
            &name,
        ])?;
        // The API server forgets it a moment later.
        wait_told(&mesh, file, text, &Told::new()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_policy_judges_the_products_that_it_selects_and_refuses_where_that_is_asked() -> Result<()> {
    let mesh = Mesh::start(Options { controller_manager: true, ..Options::default() }).await?;
    let bad = |name: &str, labels: &str| {
        let labelled = format!("namespace: orders, labels: {{{labels}}}");
        small("orders", "orders", name, "")
            .replace("classification: internal, ", "")
            .replace("namespace: orders", &labelled)
    };
    mesh.plane.apply(&bad("before", ""))?;
    let folder = tempfile::tempdir()?;
    let domain = "{apiVersion: datamesh.io/v1, kind: DataDomain, metadata: {name: DOMAIN}, spec: {kind: SourceAligned, namespaces: [DOMAIN], providerClasses: [local], enforcement: STATE}}\n---\n";
    let domains = domain.replace("DOMAIN", "orders").replace("STATE", "Enforced")
        + &domain.replace("DOMAIN", "customer").replace("STATE", "Grace");
    let policy = "
apiVersion: datamesh.io/v1
kind: GovernancePolicy
metadata: {name: gold}
spec:
  state: Enforced
  match:
    lifecycle: [Active, Draft]
    selector:
      matchLabels: {tier: gold}
      matchExpressions:
      - {key: exempt, operator: DoesNotExist}
      - {key: region, operator: NotIn, values: [moon]}
  rules: [{id: SEC-001}]
";
    fs::write(folder.path().join("all.yaml"), domains + policy)?;
    install(&mesh, &["--action", "deny", "--policies", &folder.path().display().to_string()])?;
    well_typed(&mesh, "gold.datamesh.io").await?;
    let refusal = wait_for("a refusal", PATIENCE, || async {
        let said = warnings(&mesh, &bad("new", "tier: gold"));
        Ok(match said {
            Err(error) => Seen::Yes(format!("{error:#}")),
            Ok(said) => Seen::NotYet(format!("{said:?}")),
        })
    })
    .await?;
    ensure!(refusal.contains("denied request: [SEC-001] Data classification not specified"), "{refusal}");
    let cases = [
        ("another label", bad("new", "tier: silver")),
        ("no label", bad("new", "")),
        ("an exempt one", bad("new", "tier: gold, exempt: 'yes'")),
        ("one on the moon", bad("new", "tier: gold, region: moon")),
        ("a draft", bad("new", "tier: gold").replace("version:", "lifecycle: Draft\n  version:")),
        ("a retired one", bad("new", "tier: gold").replace("version:", "lifecycle: Retired\n  version:")),
        ("a domain in grace", bad("new", "tier: gold").replace("orders", "customer")),
        ("a good one", small("orders", "orders", "new", "")),
    ];
    for (case, product) in cases {
        let said = warnings(&mesh, &product).with_context(|| case)?;
        ensure!(said.is_empty(), "{case}: {said:?}");
    }
    // What was let in before can be labelled, and only its spec must be good from then on.
    mesh.plane.kubectl(&["label", "dp", "before", "-n", "orders", "tier=gold"])?;
    let target = ("orders", "before");
    let changed = mesh.patch_product(target, r#"{"spec":{"description":"Other words."}}"#);
    ensure!(changed.is_err_and(|error| error.to_string().contains("[SEC-001]")), "a change is refused");
    mesh.patch_product(target, r#"{"metadata":{"finalizers":["example.com/wait"]}}"#)?;
    mesh.patch_product(target, r#"{"spec":{"access":{"classification":"internal"}}}"#)?;
    // What is going may go, whatever it is.
    mesh.plane.kubectl(&["delete", "dp", "before", "-n", "orders", "--wait=false"])?;
    mesh.patch_product(target, r#"{"spec":{"access":{"classification":null}}}"#)?;
    mesh.patch_product(target, r#"{"metadata":{"finalizers":null}}"#)?;
    mesh.wait_gone("orders", "before").await
}
