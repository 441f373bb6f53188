//! What a product has in the account, attribute by attribute against the Terraform module that the reference gives.
//!
//! The reference's document is not part of the repository: where it does not lie beside it, the comparison says so and is
//! skipped.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::product::SloTarget,
    model::resource::{Kind, Look},
    plan::scope::DEFAULT_KEY_WINDOW_DAYS,
};
use serde_json::Value;

use crate::{
    audit::Auditor,
    mesh::{assert_done, key, product, visit},
    support::emulators::{ACCOUNT, REGION},
    world::AwsWorld,
};

/// Where the document is looked for, from the root of the repository.
const DOCUMENT: &str = "../shared/reference";
/// The first line of the module's source in the document.
const BEGIN: &str = "# modules/data-product/main.tf";
/// The name of the product that both describe.
const PRODUCT: &str = "modelled";

/// An attribute of the module, as `resource.block.attribute`.
type Attributes = BTreeMap<String, String>;

/// The resources and outputs of the module's source with their attributes, with the values that its expressions have for
/// the product of this test.
fn module(source: &str) -> Attributes {
    let mut attributes = Attributes::new();
    let mut path: Vec<String> = Vec::new();
    for line in source.lines().map(|line| line.split(" #").next().unwrap_or_default().trim()) {
        if let Some(block) = line.strip_suffix('{') {
            let words = block.replace(['"', '='], " ");
            let words = words.split_whitespace().collect::<Vec<_>>();
            path.push(match words.as_slice() {
                ["resource", kind, _] => (*kind).to_owned(),
                words => words.join(" "),
            });
        } else if line == "}" {
            path.pop();
        } else if let Some((name, value)) = line.split_once('=')
            && path.first().is_some_and(|first| first.starts_with("aws_") || first.starts_with("output"))
        {
            attributes.insert(format!("{}.{}", path.join("."), name.trim()), evaluated(value.trim()));
        }
    }
    attributes
}

/// The value of an expression of the module.
fn evaluated(expression: &str) -> String {
    let name = format!("orders_{PRODUCT}");
    let bucket = format!("orders-{PRODUCT}-{ACCOUNT}");
    expression
        .trim_matches('"')
        .replace(r#"${replace(var.domain, "-", "_")}_${replace(var.product_name, "-", "_")}"#, &name)
        .replace("${data.aws_caller_identity.current.account_id}", ACCOUNT)
        .replace("${var.domain}", "orders")
        .replace("${var.product_name}", PRODUCT)
        .replace("aws_s3_bucket.data_product.bucket", &bucket)
        .replace("aws_s3_bucket.data_product.id", &bucket)
        .replace("aws_s3_bucket.data_product.arn", &format!("arn:aws:s3:::{bucket}"))
        .replace("aws_glue_catalog_database.data_product.name", &name)
        .replace("var.domain", "orders")
        .replace("var.product_name", PRODUCT)
        .replace("var.owner_email", "orders-data@example.com")
        .replace("var.classification", "internal")
}

/// What differs on purpose, with the reason.
const DIFFERENT: [(&str, &str); 3] = [
    ("aws_s3_bucket.tags.ManagedBy", "datamesh-operator"),
    // It names the product and its target.
    ("aws_cloudwatch_metric_alarm.alarm_description", "Data of orders/modelled is older than 2 hours"),
    // The module names a topic that it does not define; here each domain has one.
    (
        "aws_cloudwatch_metric_alarm.alarm_actions",
        "[arn:aws:sns:eu-central-1:123456789012:datamesh-orders-alerts]",
    ),
];

/// The only item of a kind in the state of moto that has a value in a field.
fn item<'a>(state: &'a Value, service: &str, kind: &str, (field, value): (&str, &str)) -> Result<&'a Value> {
    let items = state[service][kind].as_array().with_context(|| format!("no {service} {kind}"))?;
    let mut items = items.iter().filter(|item| item[field] == value);
    let item = items.next().with_context(|| format!("no {service} {kind} with {field} {value}"))?;
    ensure!(items.next().is_none(), "more than one {service} {kind} with {field} {value}");
    Ok(item)
}

/// A value as the module writes it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(Value::to_string).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The attributes of the module as the account has them.
async fn found(world: &AwsWorld, bucket: &str, database: &str, alarm: &str) -> Result<Attributes> {
    let auditor = Auditor::of(&world.emulators);
    let state = world.emulators.dump().await?;
    let mut found = Attributes::new();
    let mut put = |path: &str, value: String| found.insert(path.to_owned(), value);

    let of_bucket = item(&state, "s3", "FakeBucket", ("name", bucket))?;
    for path in [
        "aws_s3_bucket.bucket",
        "aws_s3_bucket_versioning.bucket",
        "aws_s3_bucket_server_side_encryption_configuration.bucket",
        "output data_product_bucket.value",
    ] {
        put(path, written(&of_bucket["name"]));
    }
    put("output data_product_arn.value", written(&of_bucket["arn"]));
    put("aws_s3_bucket_versioning.versioning_configuration.status", written(&of_bucket["versioning_status"]));
    let rule = &of_bucket["encryption"]["Rule"]["ApplyServerSideEncryptionByDefault"];
    let rules =
        "aws_s3_bucket_server_side_encryption_configuration.rule.apply_server_side_encryption_by_default";
    put(&format!("{rules}.sse_algorithm"), written(&rule["SSEAlgorithm"]));
    let of_key = item(&state, "kms", "Key", ("description", &format!("KMS key for orders/{PRODUCT}")))?;
    let own = rule["KMSMasterKeyID"] == of_key["arn"];
    put(
        &format!("{rules}.kms_master_key_id"),
        if own { "aws_kms_key.data_product.arn".to_owned() } else { written(rule) },
    );
    for tag in auditor.s3.get_bucket_tagging().bucket(bucket).send().await?.tag_set {
        put(&format!("aws_s3_bucket.tags.{}", tag.key), tag.value);
    }

    put("aws_kms_key.description", written(&of_key["description"]));
    put("aws_kms_key.enable_key_rotation", written(&of_key["key_rotation_status"]));
    put("aws_kms_key.deletion_window_in_days", DEFAULT_KEY_WINDOW_DAYS.to_string());
    let id = of_key["id"].as_str().context("a key without an identifier")?;
    for tag in auditor.kms.list_resource_tags().key_id(id).send().await?.tags.unwrap_or_default() {
        put(&format!("aws_kms_key.tags.{}", tag.tag_key), tag.tag_value);
    }

    let of_database = item(&state, "glue", "FakeDatabase", ("name", database))?;
    put("aws_glue_catalog_database.name", written(&of_database["name"]));
    put("output data_product_catalog.value", written(&of_database["name"]));
    let open = &of_database["input"]["CreateTableDefaultPermissions"][0];
    let permission = "aws_glue_catalog_database.create_table_default_permission";
    put(&format!("{permission}.permissions"), written(&open["Permissions"]));
    put(
        &format!("{permission}.principal.data_lake_principal_identifier"),
        written(&open["Principal"]["DataLakePrincipalIdentifier"]),
    );

    let granted = auditor
        .lakeformation
        .list_permissions()
        .send()
        .await?
        .principal_resource_permissions
        .unwrap_or_default();
    let [grant] = granted.as_slice() else { anyhow::bail!("one grant is in the module: {granted:?}") };
    let principal = grant.principal().and_then(|principal| principal.data_lake_principal_identifier());
    put("aws_lakeformation_permissions.principal", principal.unwrap_or_default().to_owned());
    let words = grant.permissions().iter().map(|word| format!("\"{}\"", word.as_str())).collect::<Vec<_>>();
    put("aws_lakeformation_permissions.permissions", format!("[{}]", words.join(", ")));
    let on =
        grant.resource().and_then(|resource| resource.database()).map(|database| database.name().to_owned());
    put("aws_lakeformation_permissions.database.name", on.unwrap_or_default());

    let alarms = auditor.cloudwatch.describe_alarms().alarm_names(alarm).send().await?;
    let [of_alarm] = alarms.metric_alarms() else { anyhow::bail!("one alarm: {alarms:?}") };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let prefix = "aws_cloudwatch_metric_alarm";
    put(&format!("{prefix}.alarm_name"), text(of_alarm.alarm_name()));
    put(
        &format!("{prefix}.comparison_operator"),
        text(of_alarm.comparison_operator().map(aws_sdk_cloudwatch::types::ComparisonOperator::as_str)),
    );
    put(
        &format!("{prefix}.evaluation_periods"),
        of_alarm.evaluation_periods().unwrap_or_default().to_string(),
    );
    put(&format!("{prefix}.metric_name"), text(of_alarm.metric_name()));
    put(&format!("{prefix}.namespace"), text(of_alarm.namespace()));
    put(&format!("{prefix}.period"), of_alarm.period().unwrap_or_default().to_string());
    put(
        &format!("{prefix}.statistic"),
        text(of_alarm.statistic().map(aws_sdk_cloudwatch::types::Statistic::as_str)),
    );
    put(&format!("{prefix}.threshold"), of_alarm.threshold().unwrap_or_default().to_string());
    put(&format!("{prefix}.alarm_description"), text(of_alarm.alarm_description()));
    put(&format!("{prefix}.alarm_actions"), format!("[{}]", of_alarm.alarm_actions().join(", ")));
    for dimension in of_alarm.dimensions() {
        put(&format!("{prefix}.dimensions.{}", text(dimension.name())), text(dimension.value()));
    }
    Ok(found)
}

#[tokio::test]
async fn the_account_has_every_attribute_of_the_module_of_the_reference() -> Result<()> {
    let Some(source) = source()? else {
        eprintln!("skipped: the reference's Terraform module is not in {DOCUMENT}");
        return Ok(());
    };
    let expected = module(&source);
    ensure!(expected.len() >= 35, "the module was not read as a whole: {expected:#?}");

    let world = AwsWorld::raw(REGION).await?;
    let mut declared = product(PRODUCT);
    // The module grants to nobody but the team.
    Arc::make_mut(&mut declared.product).spec.access.get_or_insert_default().roles.clear();
    let slo = Arc::make_mut(&mut declared.product).spec.slo.get_or_insert_default();
    slo.freshness = Some(SloTarget { target: "2 hours".to_owned(), ..SloTarget::default() });
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    let name = |kind| key(&declared, kind).name;
    let found =
        found(&world, &name(Kind::Bucket), &name(Kind::CatalogDatabase), &name(Kind::FreshnessAlarm)).await?;

    let different = BTreeMap::from(DIFFERENT);
    for (path, value) in &expected {
        let wanted = different.get(path.as_str()).map_or(value.as_str(), |ours| *ours);
        assert_eq!(found.get(path).map(String::as_str), Some(wanted), "{path}");
    }
    for path in different.keys() {
        ensure!(expected.contains_key(*path), "{path} is not in the module any more");
    }
    Ok(())
}

/// The source of the module in the document; `None` where the document is not there.
fn source() -> Result<Option<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
    for entry in entries {
        let text = fs::read_to_string(entry?.path())?;
        if let Some((_, source)) = text.split_once(BEGIN) {
            let end = source.find("\nPrinciple 4").unwrap_or(source.len());
            return Ok(Some(source[..end].to_owned()));
        }
    }
    Ok(None)
}
