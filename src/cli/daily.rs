//! What a domain team does with one product every day: have it looked at, stop it, let it go on, wait for it.

use std::{fmt, str::FromStr, time::Duration};

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;
use kube::{Api, Client, runtime::wait::await_condition};
use serde_json::json;
use tokio::time::timeout;

use super::{
    CliError, Ending,
    cluster::{ClusterArgs, Place, Scope},
    look::{Cell, Tone},
    offered, show,
};
use crate::{
    api::{DataProduct, RECONCILE_AT},
    controller::kubernetes,
    model::duration::Period,
    plan::ProductName,
};

/// One product of a cluster.
#[derive(Debug, Args)]
pub struct Target {
    /// Name of the product, or `NAMESPACE/NAME`.
    #[arg(add = ArgValueCompleter::new(offered::products))]
    name: String,
    /// Namespace of the product. The default is that of the kubeconfig's context, as for kubectl.
    #[arg(short, long, add = ArgValueCompleter::new(offered::namespaces))]
    namespace: Option<String>,
    /// Which cluster is meant.
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// How long to wait.
#[derive(Debug, Args)]
pub struct Patience {
    /// Longest time to wait, as in 90s, 5m or 1 hour.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = Period::from_str)]
    timeout: Period,
}

/// The commands for one product.
#[derive(Debug, Subcommand)]
pub enum Daily {
    /// Ask the operator to look at a product now, and at everything that it has outside the cluster.
    #[command(
        after_help = "Examples:\n  dataproduct reconcile customer-360 --namespace customer\n  dataproduct reconcile customer-360 --wait && echo ready\n\nWith --wait it ends with 0 when the product is ready, and with 1 when it is stalled, gone, or neither in time."
    )]
    Reconcile {
        /// Which product.
        #[command(flatten)]
        target: Target,
        /// Wait until the operator has looked and the product is ready or stalled.
        #[arg(long)]
        wait: bool,
        /// How long to wait.
        #[command(flatten)]
        patience: Patience,
    },
    /// Stop every change outside the cluster for a product; it is still judged and watched.
    #[command(
        after_help = "Example:\n  dataproduct suspend customer-360 --namespace customer\n\nIt sets spec.suspend. Where Git holds that field, a GitOps tool sets it back: suspend it in Git then."
    )]
    Suspend {
        /// Which product.
        #[command(flatten)]
        target: Target,
    },
    /// Let changes outside the cluster go on for a product.
    #[command(after_help = "Example:\n  dataproduct resume customer-360 --namespace customer")]
    Resume {
        /// Which product.
        #[command(flatten)]
        target: Target,
    },
    /// Wait until a product is ready, and end at once when only people can make it so.
    #[command(
        after_help = "Examples:\n  kubectl apply -f product.yaml && dataproduct wait customer-360 --timeout 2m\n\nIt ends with 0 when the product is ready, and with 1 when it is stalled, gone, or neither in time."
    )]
    Wait {
        /// Which product.
        #[command(flatten)]
        target: Target,
        /// How long to wait.
        #[command(flatten)]
        patience: Patience,
    },
}

impl Daily {
    /// Runs the command.
    pub(super) async fn run(self) -> Result<Ending, CliError> {
        match self {
            Self::Reconcile { target, wait, patience } => {
                let found = target.find().await?;
                let asked = Timestamp::now().to_string();
                found.change(json!({"metadata": {"annotations": {RECONCILE_AT: asked}}})).await?;
                if wait {
                    return found.settled(&patience, Some(&asked)).await;
                }
                found.say("will be looked at now; --wait waits for it", Tone::Plain)
            }
            Self::Suspend { target } => {
                let found = target.find().await?;
                found.change(json!({"spec": {"suspend": true}})).await?;
                found.say(
                    "is suspended: nothing is changed outside the cluster until `dataproduct resume`",
                    Tone::Plain,
                )
            }
            Self::Resume { target } => {
                let found = target.find().await?;
                found.change(json!({"spec": {"suspend": null}})).await?;
                found.say("goes on", Tone::Plain)
            }
            Self::Wait { target, patience } => target.find().await?.settled(&patience, None).await,
        }
    }
}

/// A product that is meant, whether it exists or not.
struct Found {
    client: Client,
    name: ProductName,
}

impl Target {
    async fn find(self) -> Result<Found, CliError> {
        let (Place { client, .. }, name) = self.place().await?;
        Ok(Found { client, name })
    }

    /// The name of the product, and its namespace in its cluster.
    pub(super) async fn place(self) -> Result<(Place, ProductName), CliError> {
        let scope = Scope { namespace: self.namespace, all_namespaces: false, cluster: self.cluster };
        let place = scope.connect().await?;
        let name = place.name(&self.name)?;
        Ok((place.within(&name.namespace), name))
    }

    /// The product as it is.
    pub(super) async fn product(self) -> Result<DataProduct, CliError> {
        self.find().await?.product().await
    }
}

impl Found {
    async fn product(&self) -> Result<DataProduct, CliError> {
        let found = kubernetes::product(&self.client, &self.name).await;
        let found = found.map_err(|error| CliError::asked(&error))?;
        found.ok_or_else(|| CliError::NoProduct(self.name.clone()))
    }

    async fn change(&self, patch: serde_json::Value) -> Result<(), CliError> {
        let changed = kubernetes::change(&self.client, &self.name, patch).await;
        changed.map_err(|error| {
            if error.is_about_another_object() {
                CliError::NoProduct(self.name.clone())
            } else {
                CliError::asked(&error)
            }
        })
    }

    /// Waits until the product is settled, after the operator has taken note of what was asked.
    async fn settled(&self, patience: &Patience, asked: Option<&str>) -> Result<Ending, CliError> {
        // A product that never existed is a mistake in the name, and not one that is gone.
        self.product().await?;
        let longest = Duration::from_secs(patience.timeout.seconds().unsigned_abs());
        let products = Api::<DataProduct>::namespaced(self.client.clone(), &self.name.namespace);
        let settled = |product: Option<&DataProduct>| {
            product.is_none_or(|product| Settled::of(product, asked).is_some())
        };
        let product = match timeout(longest, await_condition(products, &self.name.name, settled)).await {
            Ok(Ok(product)) => product,
            Ok(Err(error)) => return Err(CliError::Cluster(error.to_string())),
            Err(_) => return Err(CliError::NotInTime { product: self.name.clone(), longest }),
        };
        let settled = product.and_then(|product| Settled::of(&product, asked)).unwrap_or(Settled::Gone);
        let tone = if settled == Settled::Ready { Tone::Good } else { Tone::Bad };
        self.say(&settled.to_string(), tone)?;
        Ok(if settled == Settled::Ready { Ending::Done } else { Ending::Found })
    }

    fn say(&self, text: &str, tone: Tone) -> Result<Ending, CliError> {
        show(&format!("DataProduct {} {}\n", self.name, Cell::new(text, tone))).map(|()| Ending::Done)
    }
}

/// How a product has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Settled {
    /// It is ready.
    Ready,
    /// Only people can change something: the reason and the message.
    Stalled(String, String),
    /// It is gone.
    Gone,
}

impl Settled {
    /// How a product has settled, where its status is about its spec as it is now and the operator has looked when asked.
    fn of(product: &DataProduct, asked: Option<&str>) -> Option<Self> {
        let status = product.status.as_ref()?;
        let current = status.observed_generation == product.metadata.generation;
        let looked = asked.is_none() || status.last_handled_reconcile_at.as_deref() == asked;
        if !current || !looked || product.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let is_true = |type_| status.condition(type_).filter(|condition| condition.status == "True");
        if is_true("Ready").is_some() {
            return Some(Self::Ready);
        }
        let stalled = is_true("Stalled")?;
        Some(Self::Stalled(stalled.reason.clone(), stalled.message.clone()))
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("is ready"),
            Self::Stalled(reason, message) => write!(f, "is stalled ({reason}): {message}"),
            Self::Gone => f.write_str("is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn product(observed: i64, handled: &str, conditions: &[(&str, &str)]) -> DataProduct {
        let conditions = conditions.iter().map(|(type_, status)| {
            json!({
                "type": type_, "status": status, "reason": "PolicyErrors", "message": "two errors",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        });
        serde_json::from_value(json!({
            "apiVersion": "datamesh.io/v1", "kind": "DataProduct",
            "metadata": {"name": "p", "namespace": "n", "generation": 2},
            "spec": {"domain": "d", "version": "1.0.0"},
            "status": {
                "observedGeneration": observed, "lastHandledReconcileAt": handled,
                "conditions": conditions.collect::<Value>(),
            },
        }))
        .expect("a product")
    }

    #[test]
    fn only_a_status_of_the_spec_as_it_is_settles_a_product() {
        let stalled = Settled::Stalled("PolicyErrors".to_owned(), "two errors".to_owned());
        let ready = [("Ready", "True")];
        let cases = vec![
            ("ready", product(2, "", &ready), None, Some(Settled::Ready)),
            ("ready as it was before the change", product(1, "", &ready), None, None),
            ("not looked at yet", product(2, "then", &ready), Some("now"), None),
            ("looked at", product(2, "now", &ready), Some("now"), Some(Settled::Ready)),
            ("at work", product(2, "", &[("Ready", "False"), ("Reconciling", "True")]), None, None),
            ("stalled", product(2, "", &[("Ready", "False"), ("Stalled", "True")]), None, Some(stalled)),
            ("nothing said", product(2, "", &[]), None, None),
        ];
        for (case, product, asked, expected) in cases {
            assert_eq!(Settled::of(&product, asked), expected, "{case}");
        }
    }
}
