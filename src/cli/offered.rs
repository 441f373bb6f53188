//! What completion offers: names of products, namespaces and contexts, as the cluster of the command line has them now.
//!
//! Whoever presses a key waits for it, so that everything here has a short deadline, and what fails offers nothing.

use std::{
    ffi::{OsStr, OsString},
    time::Duration,
};

use clap_complete::engine::CompletionCandidate;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt, api::ListParams, config::Kubeconfig};
use tokio::time::timeout;

use super::{
    cluster::{self, ClusterArgs, Scope},
    runtime,
};
use crate::api::DataProduct;

/// Longest wait for a cluster.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most words that are offered.
const MOST: u32 = 500;

/// Names of products of the namespace that the command line means.
pub(super) fn products(current: &OsStr) -> Vec<CompletionCandidate> {
    let scope = scope_of(std::env::args_os());
    let found = asked(scope.cluster.clone(), async |client| {
        let namespace = scope.namespace.unwrap_or_else(|| client.default_namespace().to_owned());
        let products: Api<DataProduct> = Api::namespaced(client, &namespace);
        Some(products.list_metadata(&ListParams::default().limit(MOST)).await.ok()?.items)
    });
    matching(current, found.unwrap_or_default().iter().map(ResourceExt::name_any))
}

/// Namespaces of the cluster that the command line means.
pub(super) fn namespaces(current: &OsStr) -> Vec<CompletionCandidate> {
    let scope = scope_of(std::env::args_os());
    let found = asked(scope.cluster, async |client| {
        let namespaces: Api<Namespace> = Api::all(client);
        Some(namespaces.list_metadata(&ListParams::default().limit(MOST)).await.ok()?.items)
    });
    matching(current, found.unwrap_or_default().iter().map(ResourceExt::name_any))
}

/// Contexts of the kubeconfig.
pub(super) fn contexts(current: &OsStr) -> Vec<CompletionCandidate> {
    let file = match scope_of(std::env::args_os()).cluster.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let contexts = file.map(|file| file.contexts).unwrap_or_default();
    matching(current, contexts.into_iter().map(|context| context.name))
}

/// The words that go on from what is typed.
fn matching(current: &OsStr, words: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    words.filter(|word| word.starts_with(current)).map(CompletionCandidate::new).collect()
}

/// What a cluster answers within the deadline.
fn asked<T>(cluster: ClusterArgs, question: impl AsyncFnOnce(Client) -> Option<T>) -> Option<T> {
    let answer = async {
        let client = cluster::client(cluster).await.ok()?;
        question(client).await
    };
    runtime().ok()?.block_on(async { timeout(PATIENCE, answer).await.ok() })?
}

/// The cluster and the namespace that unfinished words mean. They cannot be parsed as a command line, which is why they are
/// read flag by flag.
fn scope_of(words: impl Iterator<Item = OsString>) -> Scope {
    let mut scope = Scope::default();
    let mut words = words.filter_map(|word| word.into_string().ok()).peekable();
    while let Some(word) = words.next() {
        let (flag, mut value) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => match word.strip_prefix("-n") {
                Some(value) if !value.is_empty() => ("-n".to_owned(), Some(value.to_owned())),
                _ => (word, None),
            },
        };
        if !["-n", "--namespace", "--context", "--kubeconfig"].contains(&flag.as_str()) {
            continue;
        }
        // A shell may hand over the parts of `--flag=value` as words of their own.
        if value.is_none() && words.peek().is_some_and(|next| next == "=") {
            words.next();
        }
        value = value.or_else(|| words.next()).filter(|value| !value.is_empty());
        match flag.as_str() {
            "--context" => scope.cluster.context = value,
            "--kubeconfig" => scope.cluster.kubeconfig = value.map(Into::into),
            _ => scope.namespace = value,
        }
    }
    scope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_unfinished_words_tell_what_is_meant() {
        let cases: [(&[&str], Option<&str>, Option<&str>); 7] = [
            (&["get"], None, None),
            (&["get", "-n", "orders", "p"], Some("orders"), None),
            (&["get", "-norders"], Some("orders"), None),
            (&["get", "--namespace=orders", "--context", "prod"], Some("orders"), Some("prod")),
            (&["get", "--namespace", "=", "orders"], Some("orders"), None),
            (&["get", "-n"], None, None),
            (&["get", "-n", ""], None, None),
        ];
        for (words, namespace, context) in cases {
            let scope = scope_of(words.iter().map(OsString::from));
            assert_eq!(scope.namespace.as_deref(), namespace, "{words:?}");
            assert_eq!(scope.cluster.context.as_deref(), context, "{words:?}");
        }
    }
}
