//! `dataproduct import odcs` and `dataproduct export odcs`: products and contracts of the Open Data Contract Standard.

use std::{io::Write, path::PathBuf};

use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;

use super::{
    CliError,
    documents::{self, Text},
    look::{Cell, titled},
    print,
};
use crate::{
    api::{DataProduct, GROUP},
    contract::{self, Chosen, ContractError, Notes, odcs::Contract},
};

/// The standards of which products are made.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Make products of contracts of the Open Data Contract Standard (ODCS) 3.1.
    ///
    /// What a product has no field for is listed on the standard error with its path.
    #[command(
        after_help = "Examples:\n  dataproduct import odcs orders.odcs.yaml --namespace orders | kubectl apply -f -\n  dataproduct import odcs --strict - < orders.odcs.yaml"
    )]
    Odcs {
        /// The file with contracts; - is the standard input.
        file: PathBuf,
        /// Name of the product. The default is made of the name of the contract.
        #[arg(long)]
        name: Option<String>,
        /// Domain of the product. The default is that of the contract.
        #[arg(long)]
        domain: Option<String>,
        /// Namespace of the product. The default is that of which the contract was exported, else none.
        #[arg(short, long)]
        namespace: Option<String>,
        /// Write nothing and end with 1 when something would be lost.
        #[arg(long)]
        strict: bool,
    },
}

/// The standards of which products are the source.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// Make contracts of the Open Data Contract Standard (ODCS) 3.1 of products.
    ///
    /// What the standard has no place for becomes custom properties whose names begin with `datamesh.`, so that
    /// importing the contract gives the same product again.
    #[command(
        after_help = "Examples:\n  dataproduct export odcs customer-360.yaml > customer-360.odcs.yaml\n  kubectl get dataproducts -A -o yaml | dataproduct export odcs - > contracts.odcs.yaml"
    )]
    Odcs {
        /// The file with manifests; - is the standard input.
        file: PathBuf,
        /// Write nothing and end with 1 when something would be lost.
        #[arg(long)]
        strict: bool,
    },
}

impl Import {
    pub(super) fn run(self) -> Result<(), CliError> {
        let Self::Odcs { file, name, domain, namespace, strict } = self;
        let chosen = Chosen { name, domain, namespace };
        let text = documents::text(&file)?;
        let contracts =
            text.documents(|document| is_contract(document).map_err(|error| error.to_string()))?;
        if contracts.len() > 1 && chosen.name.is_some() {
            let count = contracts.len();
            return Err(CliError::Usage(format!(
                "--name names one product, and there are {count} contracts in the file"
            )));
        }
        let translate = |document: &Value, contract: &Contract| {
            let mut notes = Notes::default();
            let product = contract::import(contract, &chosen, &mut notes)?;
            contract::unread_contract(document, contract, &mut notes)?;
            Ok((product, notes))
        };
        let translated = contracts.iter().map(|document| translate(&document.value, &document.typed));
        write_all(&text, translated, strict)
    }
}

impl Export {
    pub(super) fn run(self) -> Result<(), CliError> {
        let Self::Odcs { file, strict } = self;
        let text = documents::text(&file)?;
        let products = text.documents(is_product)?;
        let translate = |document: &Value, product: &DataProduct| {
            let mut notes = Notes::default();
            let contract = contract::export(product, &mut notes)?;
            contract::unread_manifest(document, product, &mut notes)?;
            Ok((contract, notes))
        };
        let translated = products.iter().map(|document| translate(&document.value, &document.typed));
        write_all(&text, translated, strict)
    }
}

/// Whether a document is a contract, whatever it says.
fn is_contract(document: &Value) -> Result<(), ContractError> {
    match document.get("kind").and_then(Value::as_str) {
        Some(contract::odcs::KIND) => Ok(()),
        kind => {
            Err(ContractError::NotAContract { found: kind.unwrap_or("a document without a kind").to_owned() })
        }
    }
}

fn is_product(document: &Value) -> Result<(), String> {
    let said = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
    let wanted = format!("{GROUP}/v1");
    if (said("apiVersion"), said("kind")) == (wanted.as_str(), "DataProduct") {
        return Ok(());
    }
    let found = format!("{} {}", said("apiVersion"), said("kind"));
    let found = if found.trim().is_empty() { "a document without kind" } else { found.trim() };
    Err(format!(
        "this is {found}; a contract is made of a {wanted} DataProduct, so take other documents out of the file"
    ))
}

/// Writes the results to the standard output and the notes, in a table a document, to the standard error.
fn write_all<T: Serialize>(
    text: &Text,
    translated: impl Iterator<Item = Result<(T, Notes), ContractError>>,
    strict: bool,
) -> Result<(), CliError> {
    let mut written = Vec::new();
    let (mut said, mut losses) = (String::new(), 0);
    for (index, result) in translated.enumerate() {
        let place = format!("{}: document {}", text.name, index + 1);
        let (result, notes) = result.map_err(|error| CliError::Document(format!("{place}: {error}")))?;
        losses += notes.0.iter().filter(|note| note.fate.is_loss()).count();
        let rows = notes.0.iter().map(|note| [&note.path, note.fate.as_str(), &note.reason].map(Cell::plain));
        said.push_str(&titled(&place, &rows.map(Vec::from).collect::<Vec<_>>()));
        written.push(serde_saphyr::to_string(&result)?);
    }
    // The table is for people; a closed standard error does not make the result wrong.
    let _ = anstream::stderr().lock().write_all(said.as_bytes());
    if strict && losses > 0 {
        return Err(CliError::Lossy(losses));
    }
    print(&written.join("---\n"))
}
