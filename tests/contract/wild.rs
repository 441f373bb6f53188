//! Contracts that others have published: what of them becomes a product, and that the rest is told.

use std::fs;

use anyhow::{Result, ensure};
use dataproduct_operator::contract::{Chosen, Notes, export, import, odcs::Contract, unread_contract};
use serde_json::Value;

use crate::{
    golden::{comments, compare, path},
    schema,
};

const CONTRACTS: [&str; 4] = ["full-example", "all-schema-types", "orders", "servicelevels"];

#[test]
fn every_published_contract_becomes_the_product_beside_the_tests_and_nothing_is_lost_in_silence() -> Result<()>
{
    for name in CONTRACTS {
        let text = fs::read_to_string(path(&format!("tests/contract/wild/{name}.odcs.yaml")))?;
        let (document, contract): (Value, Contract) = (read(&text)?, read(&text)?);
        let domain = contract.domain.is_none().then(|| "checkout".to_owned());
        let mut notes = Notes::default();
        let chosen = Chosen { domain, ..Chosen::default() };
        let product = import(&contract, &chosen, &mut notes)?;
        unread_contract(&document, &contract, &mut notes)?;
        compare(
            &format!("{name}.yaml"),
            &format!("{}{}", serde_saphyr::to_string(&product)?, comments(&notes)),
        )?;

        let exported = export(&product, &mut Notes::default())?;
        let written = serde_saphyr::to_string(&exported)?;
        ensure!(schema::faults(&written).is_empty(), "{name}: {:?}\n{written}", schema::faults(&written));
        let exported: Value = read(&written)?;
        let silent: Vec<_> =
            missing(&document, &exported).into_iter().filter(|path| !told(path, &notes)).collect();
        ensure!(silent.is_empty(), "{name}: lost in silence: {silent:?}\n{written}");

        // What is left after the first import stays from then on.
        let mut notes = Notes::default();
        let again = import(&read(&written)?, &Chosen::default(), &mut notes)?;
        assert_eq!(again, product, "{name}");
        assert!(notes.0.iter().all(|note| !note.fate.is_loss()), "{name}: {notes:?}");
    }
    Ok(())
}

/// Reads as the commands do: `y` is a text.
fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    let options = serde_saphyr::options! { strict_booleans: true };
    Ok(serde_saphyr::from_str_with_options(text, options)?)
}

/// Paths of values that one document has and the other has not, or has differently.
fn missing(document: &Value, other: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    collect("", document, Some(other), &mut paths);
    paths
}

fn collect(path: &str, value: &Value, other: Option<&Value>, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, value, other.and_then(|other| other.get(key)), paths);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let name = name_of(item);
                let others = other.and_then(Value::as_array);
                let same = |other: &&Value| match &name {
                    Some(name) => name_of(other).as_ref() == Some(name),
                    None => *other == item,
                };
                // What got another name is still at its place.
                let found = others.and_then(|others| others.iter().find(same).or_else(|| others.get(index)));
                let label = name.clone().unwrap_or_else(|| index.to_string());
                collect(&format!("{path}[{label}]"), item, found, paths);
            }
        }
        Value::Null => {}
        _ if other == Some(value) => {}
        _ => paths.push(path.to_owned()),
    }
}

fn name_of(item: &Value) -> Option<String> {
    let keys = ["name", "server", "property", "role", "channel"];
    keys.iter().find_map(|key| item.get(*key)?.as_str()).map(str::to_owned)
}

/// Whether a note is about a path or about what it is below.
fn told(path: &str, notes: &Notes) -> bool {
    // What the standard assumes anyway, and the version of the standard itself.
    let assumed =
        ["partitioned", "partitionKeyPosition", "primaryKeyPosition", "criticalDataElement", "apiVersion"];
    // The same amount in other words, and what moves to another field of the contract.
    let reworded = ["slaProperties[retention].value", "slaProperties[freshness]", "dataProduct", "type"];
    let last = path.rsplit('.').next().unwrap_or_default();
    // A channel with another name is another channel, and its note is about its name.
    let channel =
        path.split_once("].").filter(|(start, _)| start.starts_with("support[")).map(|(start, _)| start);
    let renamed = channel.map(|start| format!("{start}].channel"));
    renamed.is_some_and(|renamed| notes.0.iter().any(|note| note.path == renamed))
        || assumed.contains(&last)
        || reworded.iter().any(|reworded| path == *reworded || path.starts_with(&format!("{reworded}.")))
        || (last == "type" && path.contains(".relationships["))
        || path.contains(".quality[") && path.ends_with("].type")
        || path.ends_with(".primaryKey")
        || path.ends_with(".physicalName")
        || notes.0.iter().any(|note| {
            path.strip_prefix(note.path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
}
