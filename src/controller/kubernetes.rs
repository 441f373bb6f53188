//! The few writes that the operator makes to the API server, each with a deadline and each at most once per call.

use std::{fmt::Debug, future::Future, time::Duration};

use json_patch::{
    AddOperation, Patch as JsonPatch, PatchOperation, RemoveOperation, TestOperation, jsonptr::PointerBuf,
};
use kube::{
    Api, Client, Config, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams},
    core::{DeserializeGuard, GroupVersionKind, NamespaceResourceScope, PartialObjectMeta},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;

use super::context::REQUEST;
use crate::{
    api::{DataProduct, DataProductStatus, FIELD_MANAGER, FINALIZER},
    plan::ProductName,
};

/// Longest time in which a watch may be silent: the API server ends every watch after at most 10 minutes.
const SILENCE: Duration = Duration::from_mins(11);
/// Longest time in which a connection must be made.
const CONNECT: Duration = Duration::from_secs(10);

/// Who changes products for a person at the command line, in `managedFields`.
const PERSON: &str = "dataproduct";

/// Objects of a page of a list.
const PAGE: u32 = 500;
/// Most pages of a list.
const MAX_PAGES: u32 = 400;

/// A request to the API server that failed.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The API server refused it, or was not reached.
    #[error("{0}")]
    Kube(#[source] kube::Error),
    /// No answer in time.
    #[error("no answer from the API server within {} s", REQUEST.as_secs())]
    Timeout,
    /// More objects than are ever read.
    #[error("there are more than {} objects of one kind", PAGE * MAX_PAGES)]
    TooMany,
    /// A patch could not be built.
    #[error("cannot build the patch: {0}")]
    Patch(String),
}

impl RequestError {
    /// Whether the object is gone, or is another one than was meant.
    pub fn is_about_another_object(&self) -> bool {
        matches!(self.code(), Some(404 | 409))
    }

    /// Whether a patch of the finalizers met another state of the object than was seen: a failed test is a 422.
    pub fn is_stale(&self) -> bool {
        self.is_about_another_object() || self.code() == Some(422)
    }

    /// Whether whoever asked may not.
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// Whether there is no such object, or no such kind.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Whether what was answered is not what was asked for.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Kube(kube::Error::SerdeError(_)))
    }

    fn code(&self) -> Option<u16> {
        match self {
            Self::Kube(kube::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }
}

/// A client without hidden retries of writes and with a bound on silence.
pub fn client(mut config: Config) -> Result<Client, kube::Error> {
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(SILENCE);
    Client::try_from(config)
}

/// The answer to a request, or an error once the deadline is over.
pub async fn bounded<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, RequestError> {
    match tokio::time::timeout(REQUEST, call).await {
        Ok(answer) => answer.map_err(RequestError::Kube),
        Err(_) => Err(RequestError::Timeout),
    }
}

/// The metadata of a product, read live; `None` when it does not exist.
pub async fn live(
    client: &Client,
    name: &ProductName,
) -> Result<Option<PartialObjectMeta<DataProduct>>, RequestError> {
    let products: Api<DataProduct> = Api::namespaced(client.clone(), &name.namespace);
    bounded(products.get_metadata_opt(&name.name)).await
}

/// A product, read live; `None` when it does not exist.
pub async fn product(client: &Client, name: &ProductName) -> Result<Option<DataProduct>, RequestError> {
    let products: Api<DataProduct> = Api::namespaced(client.clone(), &name.namespace);
    bounded(products.get_opt(&name.name)).await
}

/// Changes a product by a merge patch, as a person does.
pub async fn change(client: &Client, name: &ProductName, patch: Value) -> Result<(), RequestError> {
    let products: Api<DataProduct> = Api::namespaced(client.clone(), &name.namespace);
    let params = PatchParams { field_manager: Some(PERSON.to_owned()), ..PatchParams::default() };
    bounded(products.patch_metadata(&name.name, &params, &Patch::Merge(&patch))).await.map(|_| ())
}

/// Adds our finalizer to exactly the object that was seen: same uid, same resource version, not being deleted. Returns
/// the new resource version.
pub async fn add_finalizer(client: &Client, product: &DataProduct) -> Result<String, RequestError> {
    let mut operations = identity(product)?;
    if product.finalizers().is_empty() {
        operations.push(add("/metadata/finalizers", json!([FINALIZER]))?);
    } else {
        operations.push(add("/metadata/finalizers/-", json!(FINALIZER))?);
    }
    patch(client, product, operations).await
}

/// Removes our finalizer, by value, from exactly the object that was seen, whether or not it can be read as a product.
pub async fn remove_finalizer(
    client: &Client,
    product: &impl Resource<DynamicType = ()>,
) -> Result<(), RequestError> {
    let Some(index) = product.finalizers().iter().position(|finalizer| finalizer == FINALIZER) else {
        return Ok(());
    };
    let path = format!("/metadata/finalizers/{index}");
    let mut operations = identity(product)?;
    operations.push(PatchOperation::Test(TestOperation { path: pointer(&path)?, value: json!(FINALIZER) }));
    operations.push(PatchOperation::Remove(RemoveOperation { path: pointer(&path)? }));
    patch(client, product, operations).await.map(|_| ())
}

/// The tests that make a patch fail on any other object than the one that was seen.
fn identity(product: &impl Resource<DynamicType = ()>) -> Result<Vec<PatchOperation>, RequestError> {
    let test = |path: &str, value: Option<String>| -> Result<PatchOperation, RequestError> {
        Ok(PatchOperation::Test(TestOperation {
            path: pointer(path)?,
            value: json!(value.unwrap_or_default()),
        }))
    };
    Ok(vec![
        test("/metadata/uid", product.uid())?,
        test("/metadata/resourceVersion", product.resource_version())?,
    ])
}

fn add(path: &str, value: Value) -> Result<PatchOperation, RequestError> {
    Ok(PatchOperation::Add(AddOperation { path: pointer(path)?, value }))
}

fn pointer(path: &str) -> Result<PointerBuf, RequestError> {
    PointerBuf::parse(path).map_err(|error| RequestError::Patch(error.to_string()))
}

async fn patch(
    client: &Client,
    product: &impl Resource<DynamicType = ()>,
    operations: Vec<PatchOperation>,
) -> Result<String, RequestError> {
    let name = ProductName::of(product);
    let products: Api<DataProduct> = Api::namespaced(client.clone(), &name.namespace);
    let patch = Patch::<()>::Json(JsonPatch(operations));
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let patched = bounded(products.patch_metadata(&name.name, &parameters, &patch)).await?;
    Ok(patched.resource_version().unwrap_or_default())
}

/// Writes a whole status by server-side apply, to the object of the given uid and no other, and where a version is given
/// to no other version of it. What another manager has written beside ours would stay through every apply; where there is
/// such, a second patch removes it. Returns the new resource version.
pub async fn write_status(
    client: &Client,
    name: &ProductName,
    uid: &str,
    version: Option<&str>,
    status: &DataProductStatus,
) -> Result<String, RequestError> {
    let resource = ApiResource::erase::<DataProduct>(&());
    let mut body = json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name.name, "namespace": name.namespace, "uid": uid},
        "status": status,
    });
    if let Some(version) = version {
        body["metadata"]["resourceVersion"] = json!(version);
    }
    // The reply is not decoded into a product: it would be the object of somebody's next write as well.
    let products: Api<DynamicObject> = Api::namespaced_with(client.clone(), &name.namespace, &resource);
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let applied = bounded(products.patch_status(&name.name, &parameters, &Patch::Apply(&body))).await?;
    let Some(surplus) = applied.data.get("status").and_then(|found| surplus(&body["status"], found)) else {
        return Ok(applied.resource_version().unwrap_or_default());
    };
    tracing::warn!(product = %name, %surplus, "somebody else wrote to the status; it is removed");
    let version = applied.resource_version();
    let body = json!({"metadata": {"uid": uid, "resourceVersion": version}, "status": surplus});
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let cleared = bounded(products.patch_status(&name.name, &parameters, &Patch::Merge(&body))).await?;
    Ok(cleared.resource_version().unwrap_or_default())
}

/// Writes our part of the status of a policy or an exception by server-side apply, to the object that was seen and no other.
/// The parts of others stay.
pub async fn write_part_of_status<K>(client: &Client, object: &K, status: &Value) -> Result<(), RequestError>
where
    K: Resource<DynamicType = ()>,
{
    let resource = ApiResource::erase::<K>(&());
    let (name, namespace) = (object.name_any(), object.namespace());
    let body = json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": namespace, "uid": object.uid()},
        "status": status,
    });
    let objects: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    bounded(objects.patch_status(&name, &parameters, &Patch::Apply(&body))).await.map(|_| ())
}

/// A merge patch that removes the fields that were found and not wanted. Lists are ours as a whole, but for the
/// conditions, where others may have types of their own.
fn surplus(wanted: &Value, found: &Value) -> Option<Value> {
    let (Value::Object(wanted), Value::Object(found)) = (wanted, found) else { return None };
    let removed = found.iter().filter_map(|(name, found)| match wanted.get(name) {
        None | Some(Value::Null) => Some((name.clone(), Value::Null)),
        Some(wanted) => surplus(wanted, found).map(|inner| (name.clone(), inner)),
    });
    let removed: serde_json::Map<_, _> = removed.collect();
    (!removed.is_empty()).then_some(Value::Object(removed))
}

/// A product as raw JSON; `None` when it does not exist.
pub async fn raw(client: &Client, name: &ProductName) -> Result<Option<DynamicObject>, RequestError> {
    let resource = ApiResource::erase::<DataProduct>(&());
    let products: Api<DynamicObject> = Api::namespaced_with(client.clone(), &name.namespace, &resource);
    bounded(products.get_opt(&name.name)).await
}

/// Group, version, kind and plural of an API that is somebody else's.
pub type Foreign = [&'static str; 4];

fn foreign_api(client: &Client, resource: Foreign, namespace: &str) -> Api<DynamicObject> {
    let [group, version, kind, plural] = resource;
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
    Api::namespaced_with(client.clone(), namespace, &resource)
}

/// An object of somebody else's API; `None` when it does not exist, or when the API does not.
pub async fn foreign(
    client: &Client,
    resource: Foreign,
    namespace: &str,
    name: &str,
) -> Result<Option<DynamicObject>, RequestError> {
    bounded(foreign_api(client, resource, namespace).get_opt(name)).await
}

/// Writes an object of somebody else's API by server-side apply.
pub async fn apply_foreign(
    client: &Client,
    resource: Foreign,
    namespace: &str,
    name: &str,
    object: &Value,
) -> Result<(), RequestError> {
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let objects = foreign_api(client, resource, namespace);
    bounded(objects.patch(name, &parameters, &Patch::Apply(object))).await.map(|_| ())
}

/// Whether an object of a cluster-scoped kind exists, asked live.
pub async fn exists<K>(client: &Client, name: &str) -> Result<bool, RequestError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let all: Api<K> = Api::all(client.clone());
    bounded(all.get_metadata_opt(name)).await.map(|found| found.is_some())
}

/// Whether objects of a kind can be listed, asked live for one of them at most.
pub async fn can_list<K>(objects: Api<K>, chosen: &ListParams) -> Result<(), RequestError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    bounded(objects.list_metadata(&chosen.clone().limit(1))).await.map(|_| ())
}

/// The objects of a kind in one namespace, or in all of them.
pub fn within<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// The field selector that chooses one object by its name.
pub fn named(name: &str) -> String {
    format!("metadata.name={name}")
}

/// Objects of a kind, as they were listed.
#[derive(Debug)]
pub struct Listed<K> {
    /// Those that can be read.
    pub objects: Vec<K>,
    /// Number of the others.
    pub undecodable: usize,
}

/// Every object of a kind in every namespace, page by page; each page has the deadline of a request.
pub async fn all<K>(client: &Client) -> Result<Listed<K>, RequestError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + 'static,
{
    listed(&Api::all(client.clone())).await
}

/// Every object of a kind in one namespace, or in all of them.
pub async fn all_within<K>(client: &Client, namespace: Option<&str>) -> Result<Listed<K>, RequestError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + 'static,
{
    listed(&within(client, namespace)).await
}

async fn listed<K>(objects: &Api<DeserializeGuard<K>>) -> Result<Listed<K>, RequestError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + 'static,
{
    let mut listed = Listed { objects: Vec::new(), undecodable: 0 };
    for object in pages(objects, ListParams::default()).await? {
        match object.0 {
            Ok(object) => listed.objects.push(object),
            Err(_) => listed.undecodable += 1,
        }
    }
    Ok(listed)
}

/// Every object that an API has of a kind, page by page; each page has the deadline of a request.
pub async fn pages<K>(objects: &Api<K>, how: ListParams) -> Result<Vec<K>, RequestError>
where
    K: Clone + DeserializeOwned + Debug,
{
    let mut found = Vec::new();
    let mut parameters = how.limit(PAGE);
    for _ in 0..MAX_PAGES {
        let page = bounded(objects.list(&parameters)).await?;
        found.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(found),
        }
    }
    Err(RequestError::TooMany)
}

/// The identity of the cluster: the uid of its `kube-system` namespace.
pub async fn cluster_id(client: &Client) -> Result<String, RequestError> {
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
    bounded(namespaces.get_metadata("kube-system"))
        .await
        .map(|namespace| namespace.metadata.uid.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_wanted_is_removed() {
        let cases = [
            ("the same", json!({"a": 1, "b": {"c": 2}}), json!({"a": 1, "b": {"c": 2}}), None),
            ("another value is not a surplus", json!({"a": 1}), json!({"a": 2}), None),
            ("a field", json!({"a": 1}), json!({"a": 1, "b": {"c": 2}}), Some(json!({"b": null}))),
            (
                "a field within",
                json!({"b": {"c": 2}}),
                json!({"b": {"c": 2, "d": 3}}),
                Some(json!({"b": {"d": null}})),
            ),
            ("lists are left", json!({"a": [1]}), json!({"a": [1, 2]}), None),
        ];
        for (case, wanted, found, expected) in cases {
            assert_eq!(surplus(&wanted, &found), expected, "{case}");
        }
    }
}
