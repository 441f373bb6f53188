//! The examples as contracts. `UPDATE_GOLDEN=1` writes them anew; read the difference before it is committed.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::DataProduct,
    contract::{Chosen, Notes, export, import},
};

use crate::schema;

const EXAMPLES: [&str; 4] = ["customer-360", "customer-orders", "orders", "violating"];

#[test]
fn every_example_has_the_contract_beside_the_tests() -> Result<()> {
    for example in EXAMPLES {
        let text = fs::read_to_string(path(&format!("examples/{example}.yaml")))?;
        let product: DataProduct = serde_saphyr::from_str(&text)?;
        let mut notes = Notes::default();
        let contract = export(&product, &mut notes)?;
        let written = serde_saphyr::to_string(&contract)?;
        ensure!(schema::faults(&written).is_empty(), "{example}: {:?}", schema::faults(&written));
        compare(&format!("{example}.odcs.yaml"), &format!("{written}{}", comments(&notes)))?;

        let mut notes = Notes::default();
        let back = import(&serde_saphyr::from_str(&written)?, &Chosen::default(), &mut notes)?;
        assert_eq!(back.spec, product.spec, "{example}");
        assert_eq!(back.metadata, product.metadata, "{example}");
        assert_eq!(notes, Notes::default(), "{example}");
    }
    Ok(())
}

/// Notes as comments of YAML.
pub(crate) fn comments(notes: &Notes) -> String {
    let line = |note: &dataproduct_operator::contract::Note| {
        format!("# {}: {}: {}\n", note.path, note.fate.as_str(), note.reason)
    };
    notes.0.iter().map(line).collect()
}

/// Compares a text with the golden file of a name.
pub(crate) fn compare(name: &str, actual: &str) -> Result<()> {
    let path = path(&format!("tests/contract/golden/{name}"));
    if env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, actual).with_context(|| format!("writing {name}"));
    }
    let expected = fs::read_to_string(&path).with_context(|| format!("reading {name}"))?;
    ensure!(actual == expected, "{name} differs; it is now:\n{actual}");
    Ok(())
}

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}
