//! A product as a contract.

use kube::ResourceExt;
use serde_json::Value;

use super::{
    ContractError, DOCUMENTATION, LABELS, NAME, NAMESPACE, Notes, TESTS, custom, identity,
    import::{Chosen, import, natural_name},
    layout, level,
    note::unknown,
    odcs::{API_VERSION, Contract, Definition, Description, KIND},
    people, rule,
};
use crate::api::{DataProduct, FINALIZER, ID, product::Quality};

/// The annotation in which kubectl keeps what it applied; it is no part of what a product says.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Writes the contract of a product. The notes say what is not in it, and what it says that the product does not.
pub fn export(product: &DataProduct, notes: &mut Notes) -> Result<Contract, ContractError> {
    let spec = &product.spec;
    let name = product.name_any();
    if name.is_empty() {
        return Err(ContractError::Missing { what: "metadata.name", option: "it in the manifest" });
    }
    let mut contract = Contract {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        id: product.annotations().get(ID).cloned().unwrap_or_else(|| identity::id(&spec.domain, &name)),
        name: spec.display_name.clone().filter(|text| !text.is_empty()).or_else(|| Some(name.clone())),
        version: spec.version.clone(),
        status: identity::status(spec.lifecycle).to_owned(),
        domain: Some(spec.domain.clone()),
        description: spec.description.clone().map(|purpose| Description { purpose: Some(purpose) }),
        tags: custom::some(spec.tags.clone()),
        sla_properties: custom::some(level::write(
            spec.slo.as_ref(),
            spec.access.as_ref(),
            spec.deprecation.as_ref(),
        )),
        ..Contract::default()
    };
    contract.authoritative_definitions = spec.documentation.clone().map(|url| {
        let definition = Definition { url, type_: DOCUMENTATION.to_owned() };
        vec![definition]
    });
    if let Some(owner) = &spec.owner {
        let (team, support) = people::write(owner)?;
        contract.team = team;
        contract.support = custom::some(support);
    }
    let roles = spec.access.iter().flat_map(|access| &access.roles);
    contract.roles = custom::some(roles.map(people::write_role).collect::<Result<_, _>>()?);
    layout::write(product, &mut contract, notes)?;
    complete(product, &name, &mut contract)?;
    cluster(product, notes);
    Ok(contract)
}

/// Adds, as custom properties, what reading the contract back would not give.
fn complete(product: &DataProduct, name: &str, contract: &mut Contract) -> Result<(), ContractError> {
    let spec = &product.spec;
    let read = |contract: &Contract| import(contract, &Chosen::default(), &mut Notes::default());
    let mut about_object = Vec::new();
    let metadata = &product.metadata;
    if natural_name(contract.name.as_deref().unwrap_or_default(), &spec.domain) != name {
        about_object.push(custom::property(NAME, name.into()));
    }
    if let Some(namespace) = &metadata.namespace {
        about_object.push(custom::property(NAMESPACE, namespace.clone().into()));
    }
    if let Some(labels) = metadata.labels.as_ref().filter(|labels| !labels.is_empty()) {
        about_object.push(custom::property(LABELS, serde_json::to_value(labels)?));
    }
    contract.custom_properties = custom::some(about_object);
    let tests = |quality: Option<&Quality>| quality.map(|quality| quality.tests.clone());
    if spec.schema.is_some() && tests(read(contract)?.spec.quality.as_ref()) != tests(spec.quality.as_ref()) {
        let tests = spec.quality.iter().flat_map(|quality| rule::index(&quality.tests)).collect::<Vec<_>>();
        let index = custom::property(TESTS, serde_json::to_value(tests)?);
        contract.custom_properties.get_or_insert_default().push(index);
    }
    let rest = custom::remainder(spec, &read(contract)?.spec)?;
    contract.custom_properties.get_or_insert_default().extend(rest.into_iter().flatten());
    contract.custom_properties = custom::some(contract.custom_properties.take().unwrap_or_default());
    Ok(())
}

/// Notes what is about the object in its cluster and no part of a contract. What the cluster itself wrote is not worth
/// a word.
fn cluster(product: &DataProduct, notes: &mut Notes) {
    let annotations = product.annotations().keys().filter(|key| *key != ID && *key != LAST_APPLIED);
    for key in annotations {
        notes.lost(
            format!("metadata.annotations[{key}]"),
            "an annotation is about the object in its cluster; set it where the product is applied",
        );
    }
    let about_it = "it is about the object in its cluster";
    for key in product.finalizers().iter().filter(|key| *key != FINALIZER) {
        notes.lost(format!("metadata.finalizers[{key}]"), about_it);
    }
    if !product.owner_references().is_empty() {
        notes.lost("metadata.ownerReferences", about_it);
    }
    if product.metadata.generate_name.is_some() {
        notes.lost("metadata.generateName", about_it);
    }
}

/// What the cluster writes into a manifest, and no contract says.
const WRITTEN: [&str; 6] = [
    "status",
    "metadata.uid",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.creationTimestamp",
    "metadata.managedFields",
];

/// Notes the keys of a manifest that no field of a product has.
pub fn unread_manifest(
    document: &Value,
    product: &DataProduct,
    notes: &mut Notes,
) -> Result<(), ContractError> {
    let paths = unknown(document, product)?;
    let of_cluster = |path: &String| {
        WRITTEN.iter().any(|written| {
            path.strip_prefix(written).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
        })
    };
    for path in paths.into_iter().filter(|path| !of_cluster(path)) {
        notes.lost(path, "a DataProduct has no field for it, and the API server would refuse it");
    }
    Ok(())
}
