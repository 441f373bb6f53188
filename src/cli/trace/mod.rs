//! `dataproduct trace`: a product with everything around it, as a tree for people or a graph for programs that draw.

mod graph;
mod json;
mod known;
mod state;
mod tree;

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use kube::{Api, api::ListParams, core::DeserializeGuard};

use super::{CliError, Ending, cluster::Place, daily::Target, print, show};
use crate::{
    api::DataProduct,
    controller::kubernetes::{self, RequestError},
    plan::ProductName,
};
pub use graph::Graph;
pub use json::json;
pub use known::{Known, Unseen};
pub use tree::tree;

pub(super) const HELP: &str = "\
Examples:
  dataproduct trace customer-orders --namespace insight
  dataproduct trace insight/customer-orders --depth 1
  dataproduct trace customer-orders -n insight -o dot | dot -Tsvg > mesh.svg
  dataproduct trace customer-orders -n insight -o mermaid

Conditions that are as they should be are left out. Who may not list the products of every namespace sees the upstream products
that they may read, and of the readers what the status counts.";

/// Which product, and how much of what is around it.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// Which product.
    #[command(flatten)]
    target: Target,
    /// Longest way to another product, in steps.
    #[arg(long, value_name = "STEPS", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=64))]
    depth: u8,
    /// Form of the output.
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "tree")]
    output: Form,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A tree for people.
    Tree,
    /// A graph in the language of Graphviz.
    Dot,
    /// A graph in the language of Mermaid, for Markdown.
    Mermaid,
    /// Products and who reads whom, for programs.
    Json,
}

/// Shows a product with everything around it.
pub(super) async fn run(args: TraceArgs) -> Result<Ending, CliError> {
    let (place, name) = args.target.place().await?;
    let depth = usize::from(args.depth);
    let known = ask(&place, &name, depth).await?;
    match args.output {
        Form::Tree => show(&tree(&known, &name, depth)),
        Form::Dot => print(&Graph::of(&known, &name, depth).dot(&known)),
        Form::Mermaid => print(&Graph::of(&known, &name, depth).mermaid(&known)),
        Form::Json => {
            let document = json(&Graph::of(&known, &name, depth), &known)?;
            print(&format!("{}\n", serde_json::to_string_pretty(&document)?))
        }
    }
    .map(|()| Ending::Done)
}

/// What a cluster has around a product, as far as whoever asks may see it.
async fn ask(place: &Place, name: &ProductName, depth: usize) -> Result<Known, CliError> {
    let failed = |error: RequestError| CliError::asked(&error);
    let product = kubernetes::product(&place.client, name).await.map_err(failed)?;
    let product = product.ok_or_else(|| CliError::NoProduct(name.clone()))?;
    let everywhere = Api::<DeserializeGuard<DataProduct>>::all(place.client.clone());
    match kubernetes::pages(&everywhere, ListParams::default()).await {
        Ok(products) => {
            let mut known = Known::of([product]);
            take(&mut known, products);
            Ok(known)
        }
        Err(error) if error.is_forbidden() => in_part(place, product, depth).await,
        Err(error) => Err(failed(error)),
    }
}

/// What may be read where not every product may be listed: those of the namespace, and the upstream products one by one.
async fn in_part(place: &Place, product: DataProduct, depth: usize) -> Result<Known, CliError> {
    let failed = |error: RequestError| CliError::asked(&error);
    let name = ProductName::of(&product);
    let mut known = Known::in_part([product]);
    let here = place.api::<DeserializeGuard<DataProduct>>();
    match kubernetes::pages(&here, ListParams::default()).await {
        Ok(products) => take(&mut known, products),
        Err(error) if error.is_forbidden() => {}
        Err(error) => return Err(failed(error)),
    }
    let mut asked = BTreeSet::new();
    loop {
        let unknown = known.unknown(&name, depth).into_iter().filter(|name| !asked.contains(name));
        let unknown = unknown.collect::<Vec<_>>();
        if unknown.is_empty() {
            return Ok(known);
        }
        for upstream in unknown {
            match kubernetes::product(&place.client, &upstream).await {
                Ok(Some(product)) => known.add(product),
                Ok(None) => {}
                Err(error) if error.is_forbidden() => known.hide(upstream.clone(), Unseen::Forbidden),
                Err(error) if error.is_unreadable() => known.hide(upstream.clone(), Unseen::Unreadable),
                Err(error) => return Err(failed(error)),
            }
            asked.insert(upstream);
        }
    }
}

fn take(known: &mut Known, products: Vec<DeserializeGuard<DataProduct>>) {
    for product in products {
        let name = ProductName::of(&product);
        match product.0 {
            Ok(product) => known.add(product),
            Err(_) => known.hide(name, Unseen::Unreadable),
        }
    }
}
