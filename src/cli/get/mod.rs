//! `dataproduct get`: products in a table, or as programs want them.

mod row;

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;
use kube::{
    ResourceExt,
    api::{DynamicObject, ListParams},
    runtime::watcher,
};

use super::{
    CliError, Ending,
    cluster::{Place, Scope},
    follow::{Reader, Seen, follow},
    look::{Cell, Columns},
    note, offered, print, put, show,
    show::Structure,
};
use crate::{controller::kubernetes, plan::ProductName};
pub use row::{Shape, gone, header, row};

pub(super) const HELP: &str = "\
Examples:
  dataproduct get --all-namespaces
  dataproduct get customer-360 --namespace customer -o wide
  dataproduct get -A -l tier=gold --watch
  dataproduct get customer-360 -o yaml

With --watch a product is shown again whenever its line becomes another one, and as Deleted when it is gone; an API server
that restarts is waited for. It ends with 1 when a product that is named does not exist.";

/// Which products are shown, and how.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// Names of products, or `NAMESPACE/NAME`. Where there is none, every product of the namespace is shown.
    #[arg(value_name = "NAME", conflicts_with_all = ["selector", "all_namespaces"], add = ArgValueCompleter::new(offered::products))]
    names: Vec<String>,
    /// Where they are.
    #[command(flatten)]
    scope: Scope,
    /// Only products with these labels, as in `tier=gold,team!=sales`.
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Form of the output; a table otherwise.
    #[arg(short, long, value_enum, value_name = "FORM")]
    output: Option<Form>,
    /// Go on and show what changes.
    #[arg(short, long)]
    watch: bool,
    /// Leave the heading of the table out.
    #[arg(long)]
    no_headers: bool,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A table with more columns.
    Wide,
    /// The objects as JSON.
    Json,
    /// The objects as YAML.
    Yaml,
    /// Their names, as kubectl takes them.
    Name,
}

impl Form {
    /// For programs.
    const fn structure(self) -> Option<Structure> {
        match self {
            Self::Json => Some(Structure::Json),
            Self::Yaml => Some(Structure::Yaml),
            Self::Wide | Self::Name => None,
        }
    }
}

/// Shows products.
pub(super) async fn run(args: GetArgs) -> Result<Ending, CliError> {
    let place = args.scope.connect().await?;
    let names = args.names.iter().map(|name| place.name(name)).collect::<Result<Vec<_>, _>>()?;
    // Names of one namespace are told apart by themselves.
    let strays = names.iter().any(|name| place.namespace.as_ref() != Some(&name.namespace));
    let shape = Shape { wide: args.output == Some(Form::Wide), namespaces: place.is_everywhere() || strays };
    let writer = Writer {
        form: args.output,
        shape,
        heading: (!args.no_headers).then(|| header(shape)),
        columns: Columns::apart(3),
    };
    if args.watch {
        return watch(&place, &names, args.selector.as_deref(), writer).await;
    }
    if names.is_empty() {
        let products = place.products();
        let how = ListParams { label_selector: args.selector, ..ListParams::default() };
        let found = kubernetes::pages(&products, how).await.map_err(|error| CliError::asked(&error))?;
        if found.is_empty() && writer.form.and_then(Form::structure).is_none() {
            note(&format!("there is no product in {}", place.words()));
        } else {
            writer.all(found, false)?;
        }
        return Ok(Ending::Done);
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match kubernetes::raw(&place.client, &name).await.map_err(|error| CliError::asked(&error))? {
            Some(product) => found.push(product),
            None => missing.push(name),
        }
    }
    let single = found.len() + missing.len() == 1;
    if !found.is_empty() {
        writer.all(found, single)?;
    }
    match missing.as_slice() {
        [] => Ok(Ending::Done),
        [name] => Err(CliError::NoProduct(name.clone())),
        names => {
            let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
            Err(CliError::NoProducts(names.join(", ")))
        }
    }
}

/// Follows products until nobody reads any more.
async fn watch(
    place: &Place,
    names: &[ProductName],
    selector: Option<&str>,
    mut writer: Writer,
) -> Result<Ending, CliError> {
    let mut how = watcher::Config::default();
    let place = match names {
        [] => place.clone(),
        [first, ..] if names.iter().all(|name| name.namespace == first.namespace) => {
            place.clone().within(&first.namespace)
        }
        _ => {
            return Err(CliError::Usage(
                "--watch follows products of one namespace; name those of one, or none with --all-namespaces"
                    .to_owned(),
            ));
        }
    };
    if let [name] = names {
        // A name that nobody has is a mistake, and not one to wait for.
        let found = kubernetes::raw(&place.client, name).await.map_err(|error| CliError::asked(&error))?;
        found.ok_or_else(|| CliError::NoProduct(name.clone()))?;
        how = how.fields(&format!("metadata.name={}", name.name));
    }
    if let Some(selector) = selector {
        how = how.labels(selector);
    }
    let is_meant = |product: &DynamicObject| names.is_empty() || names.contains(&ProductName::of(product));
    let mut shown = BTreeMap::new();
    follow(place.products(), how, |seen| {
        let (changed, gone) = match seen {
            Seen::All(products) => {
                let now = products.iter().map(ProductName::of).collect::<BTreeSet<_>>();
                let gone = shown.keys().filter(|name| !now.contains(name)).cloned().collect::<Vec<_>>();
                (products, gone)
            }
            Seen::Changed(product) => (vec![product], Vec::new()),
            Seen::Gone(product) => (Vec::new(), vec![ProductName::of(&product)]),
        };
        let changed = changed.into_iter().filter(is_meant).collect();
        writer.changes(&mut shown, changed, &gone)
    })
    .await?;
    Ok(Ending::Done)
}

/// What was last shown of products: the version of the object, and its line without its age.
type Shown = BTreeMap<ProductName, (Option<String>, Vec<Cell>)>;

/// Writes products in the form that was asked for.
struct Writer {
    form: Option<Form>,
    shape: Shape,
    /// The heading, until it is written.
    heading: Option<Vec<Cell>>,
    columns: Columns,
}

impl Writer {
    /// Everything at once.
    fn all(mut self, products: Vec<DynamicObject>, single: bool) -> Result<(), CliError> {
        if let Some(structure) = self.form.and_then(Form::structure) {
            let mut objects = products.into_iter().map(super::show::object).collect::<Result<Vec<_>, _>>()?;
            return match (single, objects.pop()) {
                (true, Some(object)) => print(&structure.text(&object)?),
                (_, last) => {
                    objects.extend(last);
                    print(&structure.text(&super::show::list(objects))?)
                }
            };
        }
        if self.form == Some(Form::Name) {
            return show(&products.iter().map(name_of).collect::<String>());
        }
        let now = Timestamp::now();
        let rows = products.iter().map(|product| row(product, self.shape, now)).collect();
        show(&self.lines(rows))
    }

    /// Rows below those that were written, and the first below the heading.
    fn lines(&mut self, rows: Vec<Vec<Cell>>) -> String {
        let heading = if rows.is_empty() { None } else { self.heading.take() };
        self.columns.lines(&heading.into_iter().chain(rows).collect::<Vec<_>>())
    }

    /// What has changed since it was last shown.
    fn changes(
        &mut self,
        shown: &mut Shown,
        changed: Vec<DynamicObject>,
        vanished: &[ProductName],
    ) -> Result<Reader, CliError> {
        let now = Timestamp::now();
        let (mut rows, mut text) = (Vec::new(), String::new());
        let structure = self.form.and_then(Form::structure);
        for product in changed {
            let name = ProductName::of(&product);
            // Nothing ages between two lines that are compared.
            let line = row(&product, self.shape, product.creation_timestamp().map_or(now, |at| at.0));
            let version = product.resource_version();
            let is_news = shown.get(&name).is_none_or(|(before, row)| match structure {
                Some(_) => *before != version,
                None => *row != line,
            });
            if is_news {
                match structure {
                    None if self.form == Some(Form::Name) => text.push_str(&name_of(&product)),
                    None => rows.push(row(&product, self.shape, now)),
                    Some(structure) => {
                        text.push_str(&structure.one_of_many(&super::show::object(product)?)?);
                    }
                }
            }
            shown.insert(name, (version, line));
        }
        for name in vanished {
            rows.extend(shown.remove(name).map(|(_, line)| gone(line, self.shape)));
        }
        match self.form {
            None | Some(Form::Wide) => put(anstream::stdout().lock(), &self.lines(rows)),
            _ => put(std::io::stdout().lock(), &text),
        }
    }
}

fn name_of(product: &DynamicObject) -> String {
    format!("dataproduct.{}/{}\n", crate::api::GROUP, Cell::plain(product.name_any()))
}
