//! A contract as a product.

use kube::ResourceExt;
use serde_json::Value;

use super::{
    ContractError, DOCUMENTATION, Fate, LABELS, NAME, NAMESPACE, Notes, TESTS, custom, identity,
    layout::{Objects, path_of},
    level,
    note::unknown,
    object,
    odcs::{Contract, KIND, Property},
    people, rule,
};
use crate::api::{
    DataProduct, DataProductSpec, ID,
    product::{Access, Deprecation, Lifecycle, Lineage, Quality, Slo, SloTarget},
};

/// The longest name of a product, and of a product and its domain together.
const MAX_NAME: (usize, usize) = (48, 49);
/// The most tags of a product, and the longest of them.
const MAX_TAGS: (usize, usize) = (64, 63);
/// The most quality tests, and the most columns of one.
const MAX_TESTS: usize = 256;
const MAX_COLUMNS: usize = 64;
/// The most upstream products, and the longest name of one.
const MAX_UPSTREAM: (usize, usize) = (128, 127);

/// What the caller says instead of the contract.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Name of the product.
    pub name: Option<String>,
    /// Its domain.
    pub domain: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
}

/// Makes the product that a contract means. The notes say what is not in it and what it assumes; what the types of
/// [`Contract`] do not hold is noted by [`unread_contract`].
pub fn import(contract: &Contract, chosen: &Chosen, notes: &mut Notes) -> Result<DataProduct, ContractError> {
    check_version(contract)?;
    let said = &contract.custom_properties;
    let domain = match (&chosen.domain, &contract.domain) {
        (Some(domain), _) => identity::domain(domain, "--domain", notes)?,
        (None, Some(domain)) => identity::domain(domain, "domain", notes)?,
        (None, None) => return Err(ContractError::Missing { what: "the domain", option: "--domain" }),
    };
    let (name, display_name) = names(contract, chosen, &domain, notes)?;
    let roles = contract.roles.iter().flatten().map(|role| people::read_role(role, notes));
    let roles: Vec<_> = roles.collect::<Result<_, _>>()?;
    let names_of_objects =
        contract.schema.iter().flatten().flat_map(|object| {
            [Some(object.name.clone()), object.physical_name.clone()].into_iter().flatten()
        });
    let names_of_objects: Vec<_> = names_of_objects.collect();
    let promises = contract.sla_properties.as_deref().unwrap_or_default();
    let levels = level::read(promises, &names_of_objects, notes);

    let mut spec = DataProductSpec {
        version: identity::version(&contract.version, "version", notes)?,
        owner: people::read(contract.team.as_ref(), contract.support.as_deref().unwrap_or_default(), notes)?,
        display_name,
        documentation: documentation(contract, notes),
        lifecycle: identity::lifecycle(&contract.status, notes),
        tags: tags(contract, notes),
        slo: levels.slo.clone(),
        domain,
        ..DataProductSpec::default()
    };
    let sunset =
        levels.sunset.clone().map(|date| Deprecation { sunset_date: Some(date), ..Deprecation::default() });
    // The API demands that a deprecated product says something about its end, were it nothing yet.
    let announced = (spec.lifecycle == Some(Lifecycle::Deprecated)).then(Deprecation::default);
    spec.deprecation = sunset.or(announced);
    let access = Access {
        retention: levels.retention.clone(),
        roles: roles.into_iter().flatten().collect(),
        ..Access::default()
    };
    spec.access = (access != Access::default()).then_some(access);
    let upstream = upstream(contract, notes);
    let lineage = Lineage { upstream_products: upstream, ..Lineage::default() };
    spec.lineage = (lineage != Lineage::default()).then_some(lineage);

    let mut reader = Objects { contract, name: &name, spec, buckets: Vec::new(), notes };
    let mut found = reader.read()?;
    let Objects { mut spec, buckets, notes, .. } = reader;
    found.extend(levels.tests);
    let index: Option<Vec<_>> = custom::value(said, TESTS).map(|index| typed(index, TESTS)).transpose()?;
    let index = index.as_deref().map(|index| index.get(..MAX_TESTS).unwrap_or(index));
    // One test may stand at many columns.
    let is_long = found.len() > MAX_TESTS * MAX_COLUMNS;
    found.truncate(MAX_TESTS * MAX_COLUMNS);
    let mut tests = rule::arrange(found, index);
    if is_long || tests.len() > MAX_TESTS {
        notes.lost(
            "schema",
            format!("a product has at most {MAX_TESTS} tests; those after them are left out"),
        );
        tests.truncate(MAX_TESTS);
    }
    spec.quality = (!tests.is_empty()).then_some(Quality { tests });

    let rest = custom::without(said, &[NAME, NAMESPACE, LABELS, TESTS]);
    let whole = custom::overlay(spec.clone(), rest, "", notes)?;
    let spec = DataProductSpec { domain: spec.domain.clone(), ..with_promises_of(whole, &spec) };
    for (path, bucket) in buckets {
        lost_bucket(&spec, &name, &path, &bucket, notes);
    }
    assemble(contract, chosen, &name, spec)
}

fn check_version(contract: &Contract) -> Result<(), ContractError> {
    if contract.kind != KIND {
        return Err(ContractError::NotAContract { found: contract.kind.clone() });
    }
    if !contract.api_version.starts_with("v3.") {
        return Err(ContractError::OldContract { found: contract.api_version.clone() });
    }
    Ok(())
}

fn typed<T: serde::de::DeserializeOwned>(value: &Value, field: &str) -> Result<T, ContractError> {
    serde_json::from_value(value.clone()).map_err(|error| ContractError::Custom {
        path: format!("customProperties[{}{field}]", custom::PREFIX),
        said: error.to_string(),
    })
}

/// The object with its metadata.
fn assemble(
    contract: &Contract,
    chosen: &Chosen,
    name: &str,
    spec: DataProductSpec,
) -> Result<DataProduct, ContractError> {
    let said = &contract.custom_properties;
    let own_id = identity::id(&spec.domain, name);
    let mut product = DataProduct::new(name, spec);
    let namespace = custom::value(said, NAMESPACE).map(|value| typed(value, NAMESPACE)).transpose()?;
    product.metadata.namespace = chosen.namespace.clone().or(namespace);
    product.metadata.labels = custom::value(said, LABELS).map(|value| typed(value, LABELS)).transpose()?;
    if !contract.id.is_empty() && contract.id != own_id {
        product.annotations_mut().insert(ID.to_owned(), contract.id.clone());
    }
    Ok(product)
}

/// How long the name of a product of a domain may be.
const fn longest_name(domain: &str) -> usize {
    let left = MAX_NAME.1.saturating_sub(domain.len());
    if left < MAX_NAME.0 { left } else { MAX_NAME.0 }
}

/// The name of the product that the name of a contract gives; it may be empty.
pub(super) fn natural_name(text: &str, domain: &str) -> String {
    identity::slug(text, longest_name(domain))
}

/// Name and display name of the product.
fn names(
    contract: &Contract,
    chosen: &Chosen,
    domain: &str,
    notes: &mut Notes,
) -> Result<(String, Option<String>), ContractError> {
    let text = contract.name.as_deref().or(contract.data_product.as_deref()).filter(|text| !text.is_empty());
    if contract.name.is_some()
        && contract.data_product.as_ref().is_some_and(|other| Some(other.as_str()) != text)
    {
        notes.lost("dataProduct", "the product has the name of the contract");
    }
    let longest = longest_name(domain);
    let said = custom::value(&contract.custom_properties, NAME).and_then(Value::as_str);
    let name = match chosen.name.as_deref().or(said) {
        Some(name) => name.to_owned(),
        None => natural_name(text.unwrap_or_default(), domain),
    };
    if name.is_empty() {
        return Err(ContractError::Missing { what: "the name", option: "--name" });
    }
    let legal = identity::slug(&name, longest) == name && name.starts_with(|c: char| c.is_ascii_lowercase());
    if !legal && said != Some(name.as_str()) {
        return Err(ContractError::Name { name, longest });
    }
    let display_name = text.filter(|text| *text != name).map(str::to_owned);
    Ok((name, display_name))
}

fn documentation(contract: &Contract, notes: &mut Notes) -> Option<String> {
    let mut documentation = None;
    for (index, definition) in contract.authoritative_definitions.iter().flatten().enumerate() {
        let fits = definition.type_ == DOCUMENTATION && definition.url.starts_with("https://");
        if fits && documentation.is_none() {
            documentation = Some(definition.url.clone());
        } else {
            let reason = format!("a product has one link, of type {DOCUMENTATION} and with https");
            notes.lost(format!("authoritativeDefinitions[{index}]"), reason);
        }
    }
    documentation
}

fn tags(contract: &Contract, notes: &mut Notes) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for (index, tag) in contract.tags.iter().flatten().enumerate() {
        let fits = (1..=MAX_TAGS.1).contains(&tag.chars().count()) && tags.len() < MAX_TAGS.0;
        if !fits {
            let reason =
                format!("a product has at most {} tags of at most {} characters", MAX_TAGS.0, MAX_TAGS.1);
            notes.lost(format!("tags[{index}]"), reason);
        } else if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

/// The products that the fields are made of, as far as they are named like products.
fn upstream(contract: &Contract, notes: &mut Notes) -> Vec<String> {
    let mut found = Vec::new();
    let mut left: Vec<(&Property, String)> = Vec::new();
    for (index, object) in contract.schema.iter().flatten().enumerate() {
        let path = path_of(object, index);
        let properties = object.properties.iter().flatten().enumerate();
        left.extend(properties.map(|(index, property)| {
            (property, format!("{path}.properties[{}]", object::label(property, index)))
        }));
    }
    left.reverse();
    while let Some((property, path)) = left.pop() {
        for source in property.transform_source_objects.iter().flatten() {
            let path = format!("{path}.transformSourceObjects");
            let is_product = source.len() <= MAX_UPSTREAM.1
                && source.split('/').count() <= 2
                && source
                    .split('/')
                    .all(|part| !part.is_empty() && identity::slug(part, source.len()) == part);
            if is_product && (found.len() < MAX_UPSTREAM.0 || found.contains(source)) {
                notes.changed(path, format!("{source} is an upstream product of the whole"));
                if !found.contains(source) {
                    found.push(source.clone());
                }
            } else {
                notes.lost(path, format!("{source} is not named like a product"));
            }
        }
        left.extend(object::children(property, &path).into_iter().rev());
    }
    found
}

/// Finds one of the service levels.
type Level = fn(&mut Slo) -> &mut Option<SloTarget>;

/// What the promises of a contract say counts, in the way in which our custom properties spell it.
fn with_promises_of(whole: DataProductSpec, natural: &DataProductSpec) -> DataProductSpec {
    let mut whole = whole;
    let amount = |place: Option<&mut String>, said: Option<&String>| {
        if let (Some(place), Some(said)) = (place, said) {
            *place = level::spelled(said, place);
        }
    };
    let levels: [Level; 4] = [
        |slo| &mut slo.freshness,
        |slo| &mut slo.availability,
        |slo| &mut slo.completeness,
        |slo| &mut slo.accuracy,
    ];
    let mut said = natural.slo.clone().unwrap_or_default();
    for level in levels {
        let place = whole.slo.as_mut().and_then(|slo| level(slo).as_mut());
        let said = level(&mut said).as_ref();
        amount(place.map(|level| &mut level.target), said.map(|level| &level.target));
    }
    let said = natural.access.as_ref().and_then(|access| access.retention.as_ref());
    amount(whole.access.as_mut().and_then(|access| access.retention.as_mut()), said);
    whole
}

/// Notes that a product does not say in which bucket it is, unless it is that of the product anyway.
fn lost_bucket(spec: &DataProductSpec, name: &str, path: &str, bucket: &str, notes: &mut Notes) {
    let names = spec.provisioning.as_ref().and_then(|provisioning| provisioning.names.as_ref());
    let chosen = names.and_then(|names| names.bucket.as_deref());
    if chosen != Some(bucket) && !bucket.starts_with(&format!("{}-{name}-", spec.domain)) {
        let reason = format!(
            "the platform makes the product's own bucket; to keep {bucket}, set spec.provisioning.names.bucket and adopt it"
        );
        notes.lost(path, reason);
    }
}

/// Notes what a document says and the types of a contract do not hold. What is below something that is lost already is
/// not said again.
pub fn unread_contract(
    document: &Value,
    contract: &Contract,
    notes: &mut Notes,
) -> Result<(), ContractError> {
    let lost: Vec<_> =
        notes.0.iter().filter(|note| note.fate == Fate::Lost).map(|note| note.path.clone()).collect();
    let below = |path: &str, lost: &String| {
        path.strip_prefix(lost.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    for path in unknown(document, contract)? {
        if !lost.iter().any(|lost| below(&path, lost)) {
            notes.lost(path, "a DataProduct has no field for it");
        }
    }
    Ok(())
}
