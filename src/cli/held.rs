//! `dataproduct held`: which products could not be deleted without the operator, asked before it is uninstalled.

use std::{fmt::Write, str::FromStr, time::Duration};

use clap::Args;
use kube::{Client, ResourceExt, core::PartialObjectMeta};
use tokio::time::{Instant, sleep};

use super::{CliError, Ending, cluster::ClusterArgs, print, run};
use crate::{
    api::{DataProduct, FINALIZER},
    controller::kubernetes,
    model::duration::Period,
    plan::ProductName,
};

pub(super) const HELP: &str = "\
Examples:
  dataproduct held
  dataproduct held --wait 1m

Exit codes:
  0  no product holds the finalizer: the operator can be uninstalled
  1  some do
  3  the cluster cannot be reached or does not answer";

/// Most products that are named.
const MAX_NAMED: usize = 20;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Which cluster, and how long to wait.
#[derive(Debug, Args)]
pub struct HeldArgs {
    /// Wait until no product holds it, but no longer than this, as in 90s or 5m.
    #[arg(long, value_name = "TIME", value_parser = Period::from_str)]
    wait: Option<Period>,
    /// The only namespace that the operator watches, where it does not watch all of them.
    #[arg(short, long)]
    namespace: Option<String>,
    /// The operator's Deployment, for what is said about how to let products go.
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "datamesh-system/dataproduct-operator")]
    deployment: String,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Lists and tells. Ends with [`Ending::Found`] where products are held.
pub(super) async fn run(args: HeldArgs) -> Result<Ending, CliError> {
    let client = run::client(args.cluster).await?;
    let longest = args.wait.map_or(Duration::ZERO, |wait| Duration::from_secs(wait.seconds().unsigned_abs()));
    let end = Instant::now() + longest;
    let namespace = args.namespace.as_deref();
    let mut held = held(&client, namespace).await?;
    while !held.is_empty() && Instant::now() + PAUSE <= end {
        sleep(PAUSE).await;
        held = self::held(&client, namespace).await?;
    }
    print(&told(&held, &ProductName::parse(&args.deployment, "datamesh-system")))?;
    Ok(if held.is_empty() { Ending::Done } else { Ending::Found })
}

/// The products that hold our finalizer. Where the kind is not known there are none.
async fn held(client: &Client, namespace: Option<&str>) -> Result<Vec<ProductName>, CliError> {
    match kubernetes::all_within::<PartialObjectMeta<DataProduct>>(client, namespace).await {
        Ok(listed) => {
            let holds = |product: &PartialObjectMeta<DataProduct>| {
                product.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
            };
            Ok(listed.objects.iter().filter(|product| holds(product)).map(ProductName::of).collect())
        }
        Err(error) if error.is_about_another_object() => Ok(Vec::new()),
        Err(error) => Err(CliError::asked(&error)),
    }
}

fn told(held: &[ProductName], operator: &ProductName) -> String {
    if held.is_empty() {
        return "No product holds the operator's finalizer: it can be uninstalled.\n".to_owned();
    }
    let some =
        if held.len() == 1 { "1 product holds".to_owned() } else { format!("{} products hold", held.len()) };
    let mut text =
        format!("{some} the finalizer {FINALIZER} and could never be deleted once the operator is gone:\n\n");
    for name in held.iter().take(MAX_NAMED) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name}");
    }
    if held.len() > MAX_NAMED {
        let _ = writeln!(text, "  and {} more", held.len() - MAX_NAMED);
    }
    let ProductName { namespace, name } = operator;
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\nDelete them while the operator runs, or let them go, which changes nothing outside the cluster: every bucket, key,\n\
         database, grant and alarm stays as it is:\n\n  \
         kubectl --namespace {namespace} set env deployment/{name} DATAPRODUCT_LET_PRODUCTS_GO=true\n  \
         kubectl --namespace {namespace} rollout status deployment/{name}\n\n\
         and uninstall again. Before Helm was told to uninstall, its value uninstall.release=true does the same.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<ProductName> {
        (0..count).map(|it| ProductName { namespace: "n".to_owned(), name: format!("p{it}") }).collect()
    }

    #[test]
    fn who_is_held_is_named_and_what_to_do_about_it() {
        let operator = ProductName::parse("n/o", "");
        assert_eq!(
            told(&[], &operator),
            "No product holds the operator's finalizer: it can be uninstalled.\n"
        );
        let one = told(&names(1), &operator);
        assert!(one.starts_with("1 product holds the finalizer") && one.contains("  n/p0\n"), "{one}");
        assert!(
            one.contains("--namespace n set env deployment/o DATAPRODUCT_LET_PRODUCTS_GO=true")
                && !one.contains("more"),
            "{one}"
        );
        let many = told(&names(MAX_NAMED + 2), &operator);
        assert!(many.contains("  n/p19\n") && !many.contains("n/p20\n"), "{many}");
        assert!(many.contains("and 2 more"), "{many}");
    }
}
