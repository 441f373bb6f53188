//! The definitions on the real API server: installable, documented, and every rule with a case on both sides.

use anyhow::{Context, Result, ensure};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    fixture::{Mesh, example},
    support::control_plane::{ControlPlane, Options},
};

/// Product specs: what is laid over a minimal one, and the error that it must give; empty when it is accepted.
pub(crate) const SPECS: &[(&str, &str)] = &[
    ("{}", ""),
    ("domain: Sales", "spec.domain"),
    ("version: v1.0.0", "without a leading v"),
    ("version: 1.0.0-rc.1+build.5", ""),
    ("version: 1.0.0-rc..1", "semantic version"),
    ("version: 1.0.0-01", "semantic version"),
    ("documentation: http://wiki.example.com", "https address"),
    ("documentation: https://wiki.example.com", ""),
    ("owner: {team: '  '}", "inherit the domain's owner"),
    ("owner: {team: data, email: a@b.example, slack: '#data'}", ""),
    ("owner: {email: a b@c}", "one address with one @"),
    ("owner: {slack: data}", "start with # (a channel) or @"),
    ("owner: {url: ftp://x}", "https address"),
    ("lifecycle: Deprecated", "say until when it lives"),
    ("{lifecycle: Deprecated, deprecation: {sunsetDate: 2027-06-30}}", ""),
    ("{lifecycle: Deprecated, deprecation: {sunsetDate: soon}}", "spec.deprecation.sunsetDate"),
    ("{lifecycle: Deprecated, deprecation: {replacedBy: sales/orders}}", ""),
    ("{lifecycle: Deprecated, deprecation: {replacedBy: the other one}}", "name or namespace/name"),
    ("lifecycle: Dying", "Unsupported value"),
    ("tags: [a, a]", "Duplicate value"),
    ("inputPorts: [{name: in, type: kafka}]", "needs topic"),
    ("inputPorts: [{name: in, type: kafka, topic: a.b}]", ""),
    ("inputPorts: [{name: in, type: postgres, table: t}]", "needs connection and table"),
    ("inputPorts: [{name: in, type: postgres, table: t, connection: c}]", ""),
    ("inputPorts: [{name: in, type: s3, topic: t, productRef: {name: p}}]", "remove topic and connection"),
    ("inputPorts: [{name: in, type: data_product, productRef: {name: p}}]", ""),
    ("inputPorts: [{name: in, type: data_product, productRef: {name: p, minVersion: 2.0.0}}]", ""),
    (
        "inputPorts: [{name: in, type: data_product, productRef: {name: p, minVersion: '2'}}]",
        "minVersion must be",
    ),
    ("inputPorts: [{name: in, type: s3}, {name: in, type: s3}]", "Duplicate value"),
    ("outputPorts: [{name: out, type: snowflake, table: t}]", "needs database, schema"),
    ("outputPorts: [{name: out, type: snowflake, table: t, schema: s, database: d}]", ""),
    ("outputPorts: [{name: out, type: rest}]", "needs endpoint"),
    ("outputPorts: [{name: out, type: rest, endpoint: /v1, authentication: oauth2}]", ""),
    ("outputPorts: [{name: out, type: rest, endpoint: /v1, authentication: magic}]", "Unsupported value"),
    ("schema: {fields: [{name: a, type: x}, {name: a, type: y}]}", "Duplicate value"),
    ("schema: {fields: [{name: 1a, type: x}]}", "spec.schema.fields[0].name"),
    ("slo: {freshness: {target: 1h30m}}", "write 90m"),
    ("slo: {freshness: {target: 90m}}", ""),
    ("slo: {freshness: {target: 99%}}", "freshness target must be"),
    ("slo: {availability: {target: 99.9}}", "spec.slo.availability.target"),
    ("slo: {availability: {target: '99.9'}}", "availability target must be a percentage"),
    ("slo: {availability: {target: 99.9%, window: 28d}}", ""),
    ("slo: {completeness: {target: 101%}}", "completeness target"),
    ("slo: {accuracy: {target: 1 hour}}", "accuracy target"),
    ("slo: {availability: {target: 99.9%, window: forever}}", "window must be"),
    ("slo: {availability: {target: 99.9%, window: 59 minutes}}", "from 1 hour to 90 days"),
    ("slo: {availability: {target: 99.9%, window: 60 minutes}}", ""),
    ("slo: {availability: {target: 99.9%, window: 3599s}}", "from 1 hour to 90 days"),
    ("slo: {availability: {target: 99.9%, window: 3 months}}", ""),
    ("slo: {availability: {target: 99.9%, window: 12w}}", ""),
    ("slo: {availability: {target: 99.9%, window: 91 days}}", "from 1 hour to 90 days"),
    ("slo: {availability: {target: 99.9%, window: 1 year}}", "from 1 hour to 90 days"),
    ("lineage: {upstreamProducts: [orders, sales/orders]}", ""),
    ("lineage: {upstreamProducts: [a/b/c]}", "name or namespace/name"),
    ("quality: {tests: [{type: uniqueness}]}", "needs column"),
    ("quality: {tests: [{type: uniqueness, column: a}]}", ""),
    ("quality: {tests: [{type: not_null}]}", "column or columns"),
    ("quality: {tests: [{type: not_null, columns: [a, b]}]}", ""),
    ("quality: {tests: [{type: not_null, column: a, columns: [b]}]}", "never both"),
    ("quality: {tests: [{type: range, column: a}]}", "needs min or max"),
    ("quality: {tests: [{type: range, column: a, min: 2, max: 1}]}", "min must not be greater"),
    ("quality: {tests: [{type: range, column: a, min: 0, max: 10000000}]}", ""),
    ("quality: {tests: [{type: range, column: a, min: 0.5, max: 2}]}", ""),
    ("quality: {tests: [{type: freshness, column: a}]}", "needs max_age"),
    ("quality: {tests: [{type: freshness, column: a, max_age: soon}]}", "max_age must be"),
    ("quality: {tests: [{type: freshness, column: a, max_age: 2 hours}]}", ""),
    ("quality: {tests: [{type: referential_integrity, column: a}]}", "needs reference"),
    ("quality: {tests: [{type: referential_integrity, column: a, reference: t.c}]}", ""),
    ("quality: {tests: [{type: uniqueness, column: a, threshold: most}]}", "threshold must be"),
    ("quality: {tests: [{type: guess}]}", "Unsupported value"),
    ("access: {classification: secret}", "Unsupported value"),
    ("access: {retention: always}", "retention must be"),
    ("access: {classification: internal, retention: 7 years}", ""),
    ("access: {roles: [{name: r, permissions: []}]}", "at least one permission"),
    ("access: {roles: [{name: r, permissions: [SELECT, UPDATE]}]}", ""),
    ("access: {roles: [{name: r, permissions: [GRANT]}]}", "Unsupported value"),
    ("provisioning: {names: {bucket: Big}}", "spec.provisioning.names.bucket"),
    ("provisioning: {names: {bucket: big, database: b_1, alarm: late}, deletionPolicy: Delete}", ""),
    ("provisioning: {management: Own}", "Unsupported value"),
];

/// Changes: the spec before, the spec after, and the error.
const CHANGES: &[(&str, &str, &str)] = &[
    ("{}", "domain: other", "domain cannot change"),
    ("{}", "version: 0.9.0", ""),
    ("{}", "lifecycle: Draft", "already Active"),
    ("lifecycle: Active", "lifecycle: Draft", "cannot go back to Draft"),
    ("lifecycle: Draft", "lifecycle: Active", ""),
    ("lifecycle: Draft", "{}", ""),
    (
        "provisioning: {names: {bucket: one}}",
        "provisioning: {names: {bucket: two}}",
        "names.bucket cannot change",
    ),
    (
        "provisioning: {names: {database: one}}",
        "provisioning: {names: {bucket: two}}",
        "names.database cannot change",
    ),
    (
        "provisioning: {names: {alarm: one}}",
        "provisioning: {names: {alarm: two}}",
        "names.alarm cannot change",
    ),
    ("provisioning: {names: {bucket: one}}", "provisioning: {names: {bucket: one, database: two}}", ""),
    ("provisioning: {names: {bucket: one}}", "provisioning: {}", "cannot be removed once set"),
    ("provisioning: {names: {bucket: one}}", "{}", "cannot be removed once set"),
];

pub(crate) fn overlay(text: &str) -> Result<Value> {
    let mut spec = json!({"domain": "sales", "version": "1.0.0"});
    let more: Value = serde_saphyr::from_str(text).with_context(|| text.to_owned())?;
    let (Some(spec_map), Some(more)) = (spec.as_object_mut(), more.as_object()) else { return Ok(spec) };
    spec_map.extend(more.clone());
    Ok(spec)
}

fn product(name: &str, spec: &Value) -> Result<DynamicObject> {
    let object = json!({
        "apiVersion": "datamesh.io/v1", "kind": "DataProduct",
        "metadata": {"name": name, "namespace": "default"}, "spec": spec,
    });
    Ok(serde_json::from_value(object)?)
}

fn verdict<T>(case: &str, answer: kube::Result<T>, expected: &str) -> Result<()> {
    match answer {
        Ok(_) => ensure!(expected.is_empty(), "{case}: accepted, expected an error with {expected:?}"),
        Err(error) => {
            let text = error.to_string();
            ensure!(
                !expected.is_empty() && text.contains(expected),
                "{case}: expected {expected:?}, got: {text}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_rule_of_the_definitions_has_a_case_on_both_sides() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let resource = ApiResource::erase::<dataproduct_operator::api::DataProduct>(&());
    let products: Api<DynamicObject> = Api::namespaced_with(mesh.client.clone(), "default", &resource);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    for (text, expected) in SPECS {
        verdict(text, products.create(&dry, &product("p", &overlay(text)?)?).await, expected)?;
    }
    for (name, expected) in [
        ("a.b", "no dots"),
        ("1st", "begin with a letter"),
        (&"n".repeat(49), "at most 48"),
        (&"n".repeat(45), "at most 49"),
        (&"n".repeat(44), ""),
    ] {
        verdict(name, products.create(&dry, &product(name, &overlay("{}")?)?).await, expected)?;
    }
    for (index, (before, after, expected)) in CHANGES.iter().enumerate() {
        let name = format!("change-{index}");
        let made = products.create(&PostParams::default(), &product(&name, &overlay(before)?)?).await?;
        let mut changed = product(&name, &overlay(after)?)?;
        changed.metadata.resource_version = made.metadata.resource_version;
        verdict(
            &format!("{before} -> {after}"),
            products.replace(&name, &PostParams::default(), &changed).await,
            expected,
        )?;
    }
    named_too_late(&products).await?;
    companions(&mesh)?;
    policies(&mesh)?;
    seen_by_nobody(&mesh, &products).await
}

/// A name can be chosen until its resource exists, and afterwards only as it is.
async fn named_too_late(products: &Api<DynamicObject>) -> Result<()> {
    products.create(&PostParams::default(), &product("named", &overlay("{}")?)?).await?;
    let choose = async |names: Value| {
        let patch = Patch::Merge(json!({"spec": {"provisioning": {"names": names}}}));
        products.patch("named", &PatchParams { dry_run: true, ..PatchParams::default() }, &patch).await
    };
    let resources = |id: Option<&str>| {
        let mut bucket = json!({"kind": "Bucket", "name": "old", "state": "Pending"});
        bucket["id"] = json!(id);
        Patch::Merge(json!({"status": {"resources": [bucket]}}))
    };
    products.patch_status("named", &PatchParams::default(), &resources(None)).await?;
    verdict("pending", choose(json!({"bucket": "new"})).await, "")?;
    products.patch_status("named", &PatchParams::default(), &resources(Some("id"))).await?;
    verdict("another name", choose(json!({"bucket": "new"})).await, "names.bucket cannot be set any more")?;
    verdict("its own name", choose(json!({"bucket": "old"})).await, "")?;
    verdict("of something else", choose(json!({"database": "new"})).await, "")
}

/// The rules of the companion kinds, through kubectl.
fn companions(mesh: &Mesh) -> Result<()> {
    let domain = |more: &str| {
        format!(
            "apiVersion: datamesh.io/v1\nkind: DataDomain\nmetadata: {{name: d}}\nspec: {{kind: SourceAligned, enforcement: Enforced, {more}}}"
        )
    };
    let class = |spec: &str| {
        format!("apiVersion: datamesh.io/v1\nkind: ProviderClass\nmetadata: {{name: c}}\nspec: {spec}")
    };
    let standards = |name: &str| {
        format!(
            "apiVersion: datamesh.io/v1\nkind: PlatformStandards\nmetadata: {{name: {name}}}\nspec: {{standards: {{}}}}"
        )
    };
    let cases = [
        (domain("namespaces: [a], providerClasses: [x]"), ""),
        (domain("namespaceSelector: {matchLabels: {d: a}}, providerClasses: [x]"), ""),
        (
            domain(
                "namespaceSelector: {matchExpressions: [{key: d, operator: Exists}]}, providerClasses: [x]",
            ),
            "",
        ),
        (domain("namespaceSelector: {}, providerClasses: [x]"), "an empty one would take every namespace"),
        (
            domain(
                "namespaceSelector: {matchExpressions: [{key: d, operator: Equals}]}, providerClasses: [x]",
            ),
            "Unsupported value",
        ),
        (
            domain("namespaceSelector: {matchExpressions: [{key: d, operator: In}]}, providerClasses: [x]"),
            "need values",
        ),
        (domain("providerClasses: [x]"), "exactly one of them"),
        (domain("namespaces: [a], namespaceSelector: {}, providerClasses: [x]"), "exactly one of them"),
        (
            domain("namespaces: [a], providerClasses: [x], defaultProviderClass: other"),
            "must be one of providerClasses",
        ),
        (domain("namespaces: [a], providerClasses: [x], account: {id: '12'}"), "spec.account.id"),
        (class("{provider: local, local: {root: /var/lib/datamesh}}"), ""),
        (class("{provider: local}"), "needs the block local"),
        (class("{provider: local, local: {root: var}}"), "absolute path"),
        (class("{provider: local, local: {root: /var/../etc}}"), "absolute path"),
        (class("{provider: local, local: {root: /var}, resyncInterval: often}"), "resyncInterval must be"),
        (
            class("{provider: local, local: {root: /var}, keyDeletionWindowDays: 5}"),
            "greater than or equal to 7",
        ),
        (standards("default"), ""),
        (standards("other"), "its name is default"),
    ];
    dry_runs(mesh, &cases)
}

/// The rules of policies and exceptions.
fn policies(mesh: &Mesh) -> Result<()> {
    let policy = |spec: &str| {
        format!("apiVersion: datamesh.io/v1\nkind: GovernancePolicy\nmetadata: {{name: p}}\nspec: {spec}")
    };
    let exception = |more: &str| {
        format!(
            "apiVersion: datamesh.io/v1beta1\nkind: PolicyException\nmetadata: {{name: e}}\nspec: {{productRef: {{name: p}}, policyIds: [SEC-001], {more}}}"
        )
    };
    let cases = [
        (policy("{state: Grace, graceUntil: 2027-06-30, rules: [{id: SEC-001}]}"), ""),
        (
            policy("{state: Enforced, graceUntil: 2027-06-30, rules: [{id: SEC-001}]}"),
            "graceUntil belongs to state Grace",
        ),
        (policy("{state: Grace, graceUntil: soon, rules: [{id: SEC-001}]}"), "spec.graceUntil"),
        (policy("{state: Draft, rules: []}"), "spec.rules"),
        (policy("{state: Draft, rules: [{id: sec-1}]}"), "spec.rules[0].id"),
        (policy("{state: Draft, rules: [{id: SEC-001}, {id: SEC-001}]}"), "Duplicate value"),
        (
            policy("{state: Draft, match: {classification: [secret]}, rules: [{id: SEC-001}]}"),
            "Unsupported value",
        ),
        (
            policy(
                "{state: Draft, match: {selector: {matchExpressions: [{key: a, operator: In}]}}, rules: [{id: SEC-001}]}",
            ),
            "need values",
        ),
        (
            policy("{state: Enforced, graceUntil: 2027-06-30, rules: [{id: A-1}]}")
                .replace("GovernancePolicy", "DomainPolicy"),
            "graceUntil belongs to state Grace",
        ),
        (
            policy("{state: Draft, match: {lifecycle: [Active]}, rules: [{id: A-1}]}")
                .replace("GovernancePolicy", "DomainPolicy"),
            "",
        ),
        (exception("reason: It moves, expiresAt: 2027-01-31T00:00:00Z"), ""),
        (exception("reason: '  ', expiresAt: 2027-01-31T00:00:00Z"), "it is blank"),
        (exception("reason: It moves, expiresAt: soon"), "spec.expiresAt"),
        (exception("reason: It moves"), "spec.expiresAt"),
    ];
    dry_runs(mesh, &cases)
}

/// What the API server says of manifests, each with the error that it must have, or none.
fn dry_runs(mesh: &Mesh, cases: &[(String, &str)]) -> Result<()> {
    for (manifest, expected) in cases {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), manifest)?;
        let output = mesh.plane.kubectl_raw(&[
            "apply",
            "--dry-run=server",
            "-f",
            &file.path().display().to_string(),
        ])?;
        let text = String::from_utf8_lossy(&output.stderr);
        let is_so = if expected.is_empty() { output.status.success() } else { text.contains(*expected) };
        ensure!(is_so, "{manifest}\nexpected {expected:?}, got: {text}");
    }
    Ok(())
}

/// A new product carries a status that no tool takes for done, and a `snake_case` spec survives.
async fn seen_by_nobody(mesh: &Mesh, products: &Api<DynamicObject>) -> Result<()> {
    mesh.apply_example("customer-360.yaml")?;
    let found = mesh.products("customer").get("customer-360").await?;
    ensure!(found.status.unwrap_or_default().observed_generation == Some(-1), "the default of the status");
    let privacy = found.spec.access.and_then(|access| access.privacy).context("privacy is kept")?;
    ensure!(
        privacy.masking_policy.as_deref() == Some("hash_pii_for_non_privileged"),
        "snake_case keys survive"
    );
    let max = found.spec.quality.context("quality")?.tests[2].max.clone().context("max is kept")?;
    ensure!(max.to_string() == "10000000", "a whole number stays whole, not {max}");
    let patch = Patch::Merge(json!({"spec": {"slo": {"freshness": null}}}));
    products.patch("change-1", &PatchParams::default(), &patch).await?;
    Ok(())
}

#[tokio::test]
async fn kubectl_explains_every_field_and_shows_the_columns() -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    plane.install_crds()?;
    let explained = plane.kubectl(&["explain", "dataproduct.spec.slo.freshness"])?;
    ensure!(explained.contains("How old the newest data may be"), "{explained}");
    for kind in [
        "dataproduct",
        "datadomain",
        "providerclass",
        "platformstandards",
        "governancepolicy",
        "domainpolicy",
    ] {
        let all = plane.kubectl(&["explain", kind, "--recursive"])?;
        ensure!(all.contains("spec"), "{all}");
    }
    plane.kubectl(&["create", "namespace", "customer"])?;
    plane.apply(&example("customer-360.yaml")?)?;
    let table = plane.kubectl(&["get", "dp", "-A"])?;
    for column in ["DOMAIN", "VERSION", "READY", "REASON", "SCORE", "VALID", "SLO", "AGE"] {
        ensure!(table.contains(column), "{column} is missing: {table}");
    }
    let wide = plane.kubectl(&["get", "dp", "-A", "-o", "wide"])?;
    for column in ["OWNER", "CLASS", "ERRORS", "WARNINGS", "CONSUMERS", "BUDGET", "BUCKET", "PROVIDER"] {
        ensure!(wide.contains(column), "{column} is missing: {wide}");
    }
    let selected =
        plane.kubectl(&["get", "dp", "-A", "--field-selector", "spec.domain=customer", "-o", "name"])?;
    ensure!(selected.contains("customer-360"), "{selected}");
    Ok(())
}

/// Every property of every definition says what it is.
#[test]
fn every_field_and_every_column_is_described() {
    fn undescribed(path: &str, schema: &Value, found: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if property["description"].as_str().is_none_or(str::is_empty) {
                found.push(path.clone());
            }
            undescribed(&path, property, found);
            undescribed(&format!("{path}[]"), &property["items"], found);
        }
    }
    let mut found = Vec::new();
    for crd in dataproduct_operator::api::crds().expect("the definitions") {
        let crd = serde_json::to_value(crd).expect("JSON");
        let version = &crd["spec"]["versions"][0];
        for part in ["spec", "status"] {
            let schema = &version["schema"]["openAPIV3Schema"]["properties"][part];
            undescribed(
                &format!("{}.{part}", crd["spec"]["names"]["kind"].as_str().unwrap_or_default()),
                schema,
                &mut found,
            );
        }
        for column in version["additionalPrinterColumns"].as_array().into_iter().flatten() {
            assert!(column["description"].is_string(), "{column}");
        }
    }
    assert!(found.is_empty(), "without description: {found:?}");
}

#[tokio::test]
async fn products_made_of_published_contracts_are_taken_as_they_are() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let resource = ApiResource::erase::<dataproduct_operator::api::DataProduct>(&());
    let products: Api<DynamicObject> = Api::namespaced_with(mesh.client.clone(), "default", &resource);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    // What `tests/contract/wild.rs` made of them.
    for text in [
        include_str!("../contract/golden/full-example.yaml"),
        include_str!("../contract/golden/all-schema-types.yaml"),
        include_str!("../contract/golden/orders.yaml"),
        include_str!("../contract/golden/servicelevels.yaml"),
    ] {
        let product: DynamicObject = serde_saphyr::from_str(text)?;
        products.create(&dry, &product).await.with_context(|| text.to_owned())?;
    }
    Ok(())
}
