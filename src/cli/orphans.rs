//! `dataproduct orphans`: what is marked as ours outside the cluster and has no product any more.

use std::collections::BTreeMap;

use clap::Args;
use kube::ResourceExt;
use serde::Serialize;

use super::{
    CliError, Ending,
    cluster::ClusterArgs,
    look::{Cell, Columns, Form, Tone},
    note,
    places::{Placed, places},
    print, run, show,
};
use crate::{
    api::{DataDomain, DataProduct, ProviderClass},
    controller::kubernetes::{self, RequestError},
    plan::ProductName,
    provider::{Marked, registry::Registry},
};

pub(super) const HELP: &str = "\
Examples:
  kubectl --namespace datamesh-system exec deployment/dataproduct-operator -- dataproduct orphans
  dataproduct orphans --context production

The second one needs credentials for the accounts of the domains.

It lists what providers show with the mark of this cluster: every resource of the backend `local`, keys and buckets of `aws`.
Released is what a deleted product left on purpose; Superseded belongs to an earlier product of the same name, which the
present one takes over; Orphaned has no product and was never released, as when a finalizer was removed by hand. Nothing is
changed: look at the data first, then have it taken over by a product of the same domain and name, or remove it yourself.

Exit codes:
  0  nothing is orphaned
  1  something is
  2  the command line cannot be used, or a provider does not answer
  3  the cluster cannot be reached or does not answer";

/// Which cluster, and how it is told.
#[derive(Debug, Args)]
pub struct OrphansArgs {
    /// Identity of the cluster, where the operator was given one.
    #[arg(long, value_name = "ID")]
    cluster_id: Option<String>,
    /// Form of the output.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Form,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Why something without a product is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum State {
    /// Nobody released it.
    Orphaned,
    /// A product of the same name is there and takes it over.
    Superseded,
    /// Its product left it on purpose.
    Released,
}

/// Something without a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Left {
    state: State,
    product: String,
    kind: &'static str,
    name: String,
    id: String,
    provider_class: String,
}

/// Lists and tells. Ends with [`Ending::Found`] where something is orphaned.
pub(super) async fn run(args: OrphansArgs) -> Result<Ending, CliError> {
    let client = run::client(args.cluster).await?;
    let failed = |error: RequestError| CliError::asked(&error);
    let cluster = match args.cluster_id {
        Some(cluster) => cluster,
        None => kubernetes::cluster_id(&client).await.map_err(failed)?,
    };
    let products = kubernetes::all::<DataProduct>(&client).await.map_err(failed)?;
    if products.undecodable > 0 {
        // What belongs to them would look like nobody's.
        let message = format!(
            "{} products cannot be read, and what is theirs cannot be told from what is nobody's; `dataproduct get` shows them",
            products.undecodable
        );
        return Err(CliError::Document(message));
    }
    let domains = kubernetes::all::<DataDomain>(&client).await.map_err(failed)?.objects;
    let classes = kubernetes::all::<ProviderClass>(&client).await.map_err(failed)?.objects;
    let living = products.objects.iter();
    let living = living.map(|it| (ProductName::of(it).to_string(), it.uid().unwrap_or_default()));
    let living = living.collect::<BTreeMap<_, _>>();

    let registry = Registry::default();
    let mut left = Vec::new();
    for Placed { class, place, domain } in places(&domains, &classes) {
        let marked = registry.marked(&class.spec, &place).await.map_err(|error| {
            let class = class.name_any();
            CliError::Document(format!(
                "ProviderClass {class} in {}/{} for {domain}: {error}",
                place.account, place.region
            ))
        })?;
        left.extend(marked.iter().filter_map(|marked| of(marked, &cluster, &living, &class.name_any())));
    }
    // Two classes may look at one place.
    left.sort();
    left.dedup_by(|one, other| one.id == other.id && one.kind == other.kind);
    match args.output {
        Form::Text => show(&text(&left))?,
        Form::Json => print(&format!("{}\n", serde_json::to_string_pretty(&left)?))?,
    }
    if classes.is_empty() {
        note("there is no ProviderClass, so that no place was looked at");
    }
    let orphaned = left.iter().any(|left| left.state == State::Orphaned);
    Ok(if orphaned { Ending::Found } else { Ending::Done })
}

/// What a marked resource is left over as; `None` where it has its product, or belongs to another cluster.
fn of(marked: &Marked, cluster: &str, living: &BTreeMap<String, String>, class: &str) -> Option<Left> {
    let owner = &marked.owner;
    if owner.cluster != cluster {
        return None;
    }
    let state = match living.get(&owner.product) {
        Some(uid) if *uid == owner.uid => return None,
        _ if owner.released => State::Released,
        Some(_) => State::Superseded,
        None => State::Orphaned,
    };
    Some(Left {
        state,
        product: owner.product.clone(),
        kind: marked.key.kind.as_str(),
        name: marked.key.name.clone(),
        id: marked.id.clone(),
        provider_class: class.to_owned(),
    })
}

fn text(left: &[Left]) -> String {
    let count = |state| left.iter().filter(|left| left.state == state).count();
    let sum = format!(
        "{} orphaned, {} superseded, {} released. Nothing was changed.\n",
        count(State::Orphaned),
        count(State::Superseded),
        count(State::Released)
    );
    if left.is_empty() {
        return sum;
    }
    let header = ["STATE", "PRODUCT", "KIND", "CLASS", "ID"].map(Cell::plain).to_vec();
    let rows = left.iter().map(|left| {
        let tone = match left.state {
            State::Orphaned => Tone::Bad,
            State::Superseded => Tone::Waiting,
            State::Released => Tone::Faint,
        };
        let Left { state, product, kind, provider_class, id, .. } = left;
        let texts = [product.as_str(), kind, provider_class, id].map(Cell::plain);
        std::iter::once(Cell::new(format!("{state:?}"), tone)).chain(texts).collect()
    });
    let table = Columns::apart(3).lines(&std::iter::once(header).chain(rows).collect::<Vec<_>>());
    format!("{table}\n{sum}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        owner::{DeletionPolicy, Owner},
        resource::{Key, Kind},
    };

    #[test]
    fn only_what_has_no_product_in_this_cluster_is_left_over() {
        let living = BTreeMap::from([("n/p".to_owned(), "new".to_owned())]);
        let owner = |cluster: &str, product: &str, uid: &str, released| Owner {
            cluster: cluster.to_owned(),
            uid: uid.to_owned(),
            product: product.to_owned(),
            purpose: "d/p".to_owned(),
            deletion: DeletionPolicy::Retain,
            released,
        };
        for (case, owner, expected) in [
            ("its product lives", owner("c", "n/p", "new", false), None),
            ("another cluster's", owner("other", "n/gone", "u", false), None),
            ("an earlier product's", owner("c", "n/p", "old", false), Some(State::Superseded)),
            ("let go on purpose", owner("c", "n/gone", "u", true), Some(State::Released)),
            ("nobody's", owner("c", "n/gone", "u", false), Some(State::Orphaned)),
        ] {
            let marked = Marked { key: Key::new(Kind::Bucket, "b"), id: "i".to_owned(), owner };
            assert_eq!(of(&marked, "c", &living, "local").map(|left| left.state), expected, "{case}");
        }
    }
}
