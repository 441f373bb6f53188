//! Which cluster, which namespaces and which products are meant: the flags that commands share, as kubectl has them.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Config, Resource,
    api::{ApiResource, DynamicObject},
    config::{KubeConfigOptions, Kubeconfig},
};

use super::{CliError, offered};
use crate::{api::DataProduct, controller::kubernetes, plan::ProductName};

/// Which cluster is meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ClusterArgs {
    /// Kubeconfig file. The default is what kubectl uses, the variable KUBECONFIG included, else the pod's own identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(offered::contexts))]
    pub(super) context: Option<String>,
}

impl ClusterArgs {
    /// Whether a cluster was named.
    pub(super) const fn is_given(&self) -> bool {
        self.kubeconfig.is_some() || self.context.is_some()
    }
}

/// Which namespaces of which cluster are meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Scope {
    /// Namespace. The default is that of the kubeconfig's context, as for kubectl.
    #[arg(short, long, conflicts_with = "all_namespaces", add = ArgValueCompleter::new(offered::namespaces))]
    pub(super) namespace: Option<String>,
    /// Every namespace.
    #[arg(short = 'A', long)]
    pub(super) all_namespaces: bool,
    /// Which cluster is meant.
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

impl Scope {
    /// The namespaces in their cluster.
    pub(super) async fn connect(self) -> Result<Place, CliError> {
        let client = client(self.cluster).await?;
        let namespace = if self.all_namespaces {
            None
        } else {
            Some(self.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned()))
        };
        Ok(Place { client, namespace, given: self.namespace })
    }
}

/// One namespace of a cluster, or all of them.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) client: Client,
    /// `None` means all of them.
    pub(super) namespace: Option<String>,
    /// The namespace that was asked for by its name.
    given: Option<String>,
}

impl Place {
    /// The objects of a kind here.
    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    /// The products here as they are, also those that cannot be read as what they should be.
    pub(super) fn products(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<DataProduct>(&());
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind),
            None => Api::all_with(self.client.clone(), &kind),
        }
    }

    /// Whether objects of several namespaces are shown.
    pub(super) const fn is_everywhere(&self) -> bool {
        self.namespace.is_none()
    }

    /// The same with one namespace.
    pub(super) fn within(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self }
    }

    /// Where this is, in a sentence.
    pub(super) fn words(&self) -> String {
        self.namespace.as_ref().map_or("any namespace".to_owned(), |name| format!("namespace {name}"))
    }

    /// The product that is named.
    pub(super) fn name(&self, name: &str) -> Result<ProductName, CliError> {
        named(name, self.given.as_deref(), self.namespace.as_deref().unwrap_or_default())
    }
}

/// A client for the cluster that a person or a pod means.
pub(super) async fn client(cluster: ClusterArgs) -> Result<Client, CliError> {
    let options = KubeConfigOptions { context: cluster.context, ..KubeConfigOptions::default() };
    let unusable = |error: String| CliError::Cluster(error);
    let config = match cluster.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(&path).map_err(|error| unusable(error.to_string()))?;
            Config::from_custom_kubeconfig(file, &options)
                .await
                .map_err(|error| unusable(error.to_string()))?
        }
        None if options.context.is_some() => {
            Config::from_kubeconfig(&options).await.map_err(|error| unusable(error.to_string()))?
        }
        None => Config::infer().await.map_err(|error| unusable(error.to_string()))?,
    };
    kubernetes::client(config).map_err(|error| unusable(error.to_string()))
}

/// The product that a person names as `NAME` or, as it is shown, as `NAMESPACE/NAME`.
fn named(text: &str, given: Option<&str>, default: &str) -> Result<ProductName, CliError> {
    let name = ProductName::parse(text, given.unwrap_or(default));
    // What else stands in a name would become part of the address that is asked.
    let is_name = |text: &str| {
        let known = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '.';
        text.starts_with(|it: char| it.is_ascii_alphanumeric())
            && text.len() <= 253
            && text.chars().all(known)
    };
    if !is_name(&name.name) || !is_name(&name.namespace) {
        return Err(CliError::Usage(format!(
            "{text:?} names no product: give NAME or NAMESPACE/NAME, of the characters a-z, 0-9, - and ."
        )));
    }
    match given {
        Some(given) if given != name.namespace => Err(CliError::Usage(format!(
            "{text} is in another namespace than --namespace {given}; leave one of them out"
        ))),
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_named_with_its_namespace_or_without_it() {
        let cases = [
            ("p", None, Ok("default/p")),
            ("p", Some("orders"), Ok("orders/p")),
            ("orders/p", None, Ok("orders/p")),
            ("orders/p", Some("orders"), Ok("orders/p")),
            ("orders/p", Some("customer"), Err("another namespace than --namespace customer")),
            ("", None, Err("names no product")),
            ("orders/", None, Err("names no product")),
            ("../secrets", None, Err("names no product")),
            ("orders/p/status", None, Err("names no product")),
            ("p?watch=true", None, Err("names no product")),
            ("\u{1b}[2J", None, Err("names no product")),
        ];
        for (text, given, expected) in cases {
            let found = named(text, given, "default").map(|name| name.to_string());
            let found = found.map_err(|error| error.to_string());
            match expected {
                Ok(name) => assert_eq!(found.as_deref(), Ok(name), "{text}"),
                Err(said) => {
                    assert!(found.as_ref().is_err_and(|error| error.contains(said)), "{text}: {found:?}");
                }
            }
        }
    }
}
