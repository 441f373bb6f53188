//! The custom resource definitions, with what the derive macro cannot express.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
    ValidationRule,
};
use kube::CustomResourceExt;
use serde_json::json;
use thiserror::Error;

use super::{
    DataDomain, DataProduct, DomainPolicy, GovernancePolicy, PlatformStandards, PolicyException,
    ProviderClass, STANDARDS_NAME,
};

/// A definition that lacks a part which every definition has.
#[derive(Debug, Error)]
#[error("the definition of {kind} has no schema; this is a bug of the operator")]
pub struct CrdError {
    kind: String,
}

/// Every custom resource definition, sorted by name.
pub fn crds() -> Result<Vec<CustomResourceDefinition>, CrdError> {
    let mut crds = vec![
        data_product()?,
        data_domain()?,
        ProviderClass::crd(),
        platform_standards()?,
        policy(GovernancePolicy::crd())?,
        policy(DomainPolicy::crd())?,
        policy_exception()?,
    ];
    crds.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    Ok(crds)
}

fn data_product() -> Result<CustomResourceDefinition, CrdError> {
    let mut crd = DataProduct::crd();
    let schema = schema_of(&mut crd)?;
    schema.x_kubernetes_validations = Some(vec![
        rule(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 48",
            "metadata.name must be at most 48 lower-case letters, digits and hyphens, begin with a letter and have no dots: it becomes part of external names",
        ),
        keeps("bucket", "Bucket"),
        keeps("database", "CatalogDatabase"),
        keeps("alarm", "FreshnessAlarm"),
        rule(
            "size(self.spec.domain) + size(self.metadata.name) <= 49",
            "spec.domain and metadata.name must have at most 49 characters together: the bucket is named <domain>-<name>-<account> and may have 63",
        ),
    ]);
    unseen(schema);
    Ok(crd)
}

/// No tool may call an object done before the operator has seen it.
fn unseen(schema: &mut JSONSchemaProps) {
    if let Some(status) = schema.properties.as_mut().and_then(|properties| properties.get_mut("status")) {
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
}

/// A name is chosen before its resource exists, or never: the resource would be left behind under the old name.
fn keeps(field: &str, kind: &str) -> ValidationRule {
    let names = "self.spec.provisioning.names";
    rule(
        &format!(
            "!has(self.spec.provisioning) || !has({names}) || !has({names}.{field}) || !has(self.status) || !has(self.status.resources) \
             || self.status.resources.all(resource, resource.kind != '{kind}' || !has(resource.id) || resource.name == {names}.{field})"
        ),
        &format!(
            "provisioning.names.{field} cannot be set any more: the resource exists under another name, and its content would stay behind"
        ),
    )
}

fn data_domain() -> Result<CustomResourceDefinition, CrdError> {
    let mut crd = DataDomain::crd();
    bound_selector(property(schema_of(&mut crd)?, &["spec", "namespaceSelector"]));
    Ok(crd)
}

/// Both kinds of policy have the same columns.
fn policy(mut crd: CustomResourceDefinition) -> Result<CustomResourceDefinition, CrdError> {
    let column = |name: &str, type_: &str, path: &str, description: &str| CustomResourceColumnDefinition {
        name: name.to_owned(),
        type_: type_.to_owned(),
        json_path: path.to_owned(),
        description: Some(description.to_owned()),
        ..CustomResourceColumnDefinition::default()
    };
    let columns = vec![
        column(
            "State",
            "string",
            ".spec.state",
            "How far the policy is phased in: Draft, Grace or Enforced.",
        ),
        column(
            "Until",
            "string",
            ".spec.graceUntil",
            "Last day of grace; from the day after it the policy is enforced.",
        ),
        column("Products", "integer", ".status.evaluated", "Number of products that the policy judges."),
        column("Failing", "integer", ".status.failing", "Number of products that break one of its rules."),
        column(
            "Faults",
            "integer",
            ".status.faults",
            "Number of rules that cannot be evaluated as they are written.",
        ),
        column("Age", "date", ".metadata.creationTimestamp", "Time since the policy was created."),
    ];
    if let Some(version) = crd.spec.versions.first_mut() {
        version.additional_printer_columns = Some(columns);
    }
    let schema = schema_of(&mut crd)?;
    unseen(schema);
    bound_selector(property(schema, &["spec", "match", "selector"]));
    Ok(crd)
}

fn policy_exception() -> Result<CustomResourceDefinition, CrdError> {
    let mut crd = PolicyException::crd();
    unseen(schema_of(&mut crd)?);
    Ok(crd)
}

/// A part of a schema by its path; `None` where there is none.
fn property<'a>(schema: &'a mut JSONSchemaProps, path: &[&str]) -> Option<&'a mut JSONSchemaProps> {
    path.iter().try_fold(schema, |part, name| part.properties.as_mut()?.get_mut(*name))
}

/// Selectors come from Kubernetes' own types, which bound nothing and allow every operator.
fn bound_selector(selector: Option<&mut JSONSchemaProps>) {
    let Some(parts) = selector.and_then(|selector| selector.properties.as_mut()) else { return };
    if let Some(labels) = parts.get_mut("matchLabels") {
        labels.max_properties = Some(32);
    }
    let Some(expressions) = parts.get_mut("matchExpressions") else { return };
    expressions.max_items = Some(32);
    if let Some(JSONSchemaPropsOrArray::Schema(expression)) = &mut expressions.items {
        expression.x_kubernetes_validations = Some(vec![rule(
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "operators In and NotIn need values, Exists and DoesNotExist have none",
        )]);
        let parts = expression.properties.get_or_insert_default();
        if let Some(operator) = parts.get_mut("operator") {
            let operators = ["In", "NotIn", "Exists", "DoesNotExist"];
            operator.enum_ = Some(operators.map(|operator| JSON(json!(operator))).into());
        }
        if let Some(values) = parts.get_mut("values") {
            values.max_items = Some(64);
        }
    }
}

fn platform_standards() -> Result<CustomResourceDefinition, CrdError> {
    let mut crd = PlatformStandards::crd();
    schema_of(&mut crd)?.x_kubernetes_validations = Some(vec![rule(
        &format!("self.metadata.name == '{STANDARDS_NAME}'"),
        "there is one PlatformStandards object and its name is default",
    )]);
    Ok(crd)
}

fn schema_of(crd: &mut CustomResourceDefinition) -> Result<&mut JSONSchemaProps, CrdError> {
    let kind = crd.spec.names.kind.clone();
    crd.spec
        .versions
        .first_mut()
        .and_then(|version| version.schema.as_mut())
        .and_then(|schema| schema.open_api_v3_schema.as_mut())
        .ok_or(CrdError { kind })
}

fn rule(expression: &str, message: &str) -> ValidationRule {
    ValidationRule {
        rule: expression.to_owned(),
        message: Some(message.to_owned()),
        ..ValidationRule::default()
    }
}
