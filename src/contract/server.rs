//! Output ports and the servers of a contract.
//!
//! Each technology has fields of its own that the standard demands. A row of `TECHNOLOGIES` says which they are and
//! where our value for each stands, for both directions. What a manifest cannot know, such as the account of a
//! warehouse, becomes [`UNKNOWN`] in the contract and is noted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    ContractError, custom, identity,
    note::{Notes, join},
    odcs::Server,
};
use crate::api::product::OutputPort;

/// What stands in a contract for what only the platform knows.
pub const UNKNOWN: &str = "unknown";
/// The longest name of a port.
const MAX_NAME: usize = 63;
/// The longest type of a port.
const MAX_TYPE: usize = 40;

/// Where the value of a field of a server stands in a port.
#[derive(Clone, Copy, PartialEq)]
enum Slot {
    Database,
    Schema,
    Endpoint,
    Location,
    Format,
    /// The product's bucket and the prefix in it, as an address.
    Bucket,
    /// Nowhere.
    Nowhere,
    /// Nowhere; a number that is usual for the technology.
    Number(u16),
}

/// A technology that the standard knows.
struct Technology {
    /// Its word in the standard.
    name: &'static str,
    /// Whether it keeps data in tables.
    tables: bool,
    /// Fields that the standard demands.
    demanded: &'static [(&'static str, Slot)],
    /// Fields that it allows.
    allowed: &'static [(&'static str, Slot)],
}

use Slot::{Bucket, Database, Endpoint, Format, Location, Nowhere, Number, Schema};

const fn tables(name: &'static str, demanded: &'static [(&'static str, Slot)]) -> Technology {
    Technology { name, tables: true, demanded, allowed: &[] }
}

const fn files(name: &'static str, demanded: &'static [(&'static str, Slot)]) -> Technology {
    Technology { name, tables: false, demanded, allowed: &[("format", Format)] }
}

const TECHNOLOGIES: &[Technology] = &[
    tables("athena", &[("catalog", Database), ("schema", Schema), ("stagingDir", Nowhere)]),
    tables("bigquery", &[("project", Database), ("dataset", Schema)]),
    tables("clickhouse", &[("host", Nowhere), ("port", Number(8123)), ("database", Database)]),
    tables("databricks", &[("catalog", Database), ("schema", Schema)]),
    tables("glue", &[("account", Nowhere), ("database", Database)]),
    tables("mysql", &[("host", Nowhere), ("port", Number(3306)), ("database", Database)]),
    tables("oracle", &[("host", Nowhere), ("port", Number(1521)), ("serviceName", Database)]),
    tables("postgres", POSTGRES),
    tables("postgresql", POSTGRES),
    tables("redshift", &[("database", Database), ("schema", Schema)]),
    tables("snowflake", &[("account", Nowhere), ("database", Database), ("schema", Schema)]),
    tables("sqlserver", &[("host", Nowhere), ("database", Database), ("schema", Schema)]),
    tables("trino", &[("host", Nowhere), ("port", Number(8080)), ("catalog", Database), ("schema", Schema)]),
    files("s3", &[("location", Bucket)]),
    files("sftp", &[("location", Location)]),
    files("kafka", &[("host", Nowhere)]),
    Technology {
        name: "azure",
        tables: false,
        demanded: &[("location", Location), ("format", Format)],
        allowed: &[],
    },
    Technology {
        name: "local",
        tables: false,
        demanded: &[("path", Location), ("format", Format)],
        allowed: &[],
    },
    Technology { name: "api", tables: false, demanded: &[("location", Endpoint)], allowed: &[] },
];

const POSTGRES: &[(&str, Slot)] =
    &[("host", Nowhere), ("port", Number(5432)), ("database", Database), ("schema", Schema)];

/// Every technology that the standard has no word for. It demands nothing.
const CUSTOM: Technology = Technology {
    name: "custom",
    tables: false,
    demanded: &[],
    allowed: &[
        ("database", Database),
        ("schema", Schema),
        ("endpointUrl", Endpoint),
        ("location", Location),
        ("format", Format),
    ],
};

/// The technology of a word of the standard.
fn technology(name: &str) -> &'static Technology {
    TECHNOLOGIES.iter().find(|technology| technology.name == name).unwrap_or(&CUSTOM)
}

/// The word of the standard for a type of port.
fn wire_type(type_: &str) -> &str {
    match type_ {
        "rest" | "grpc" | "graphql" | "soap" => "api",
        "s3_delta_lake" => "s3",
        other => other,
    }
}

/// The server of a port. The bucket is that of the product, where it is known; the table is what the schema of the port
/// is called where the data is.
pub(super) fn write(
    port: &OutputPort,
    bucket: Option<&str>,
    table: Option<&str>,
    notes: &mut Notes,
) -> Result<Server, ContractError> {
    let technology = technology(wire_type(&port.type_));
    let mut fields = BTreeMap::new();
    let mut missing = Vec::new();
    for (field, slot) in technology.demanded {
        let value = said(port, *slot, bucket).unwrap_or_else(|| {
            missing.push(*field);
            if let Number(number) = slot { Value::from(*number) } else { Value::from(UNKNOWN) }
        });
        fields.insert((*field).to_owned(), value);
    }
    for (field, slot) in technology.allowed {
        if let Some(value) = said(port, *slot, bucket) {
            fields.insert((*field).to_owned(), value);
        }
    }
    let path = format!("spec.outputPorts[{}]", port.name);
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let reason = format!(
            "a server of type {} needs {missing}, which a DataProduct does not say; fill it in in the contract",
            technology.name
        );
        notes.assumed(&path, reason);
    }
    if technology.demanded.iter().any(|(_, slot)| *slot == Bucket) && bucket.is_none() {
        let reason = "the name of the bucket is not known before it exists; fill it in in the contract";
        notes.assumed(path, reason);
    }
    let mut server = Server {
        server: port.name.clone(),
        type_: technology.name.to_owned(),
        custom_properties: None,
        fields,
    };
    let back = natural(&server, table, "", &mut Notes::default()).port;
    // The fields of a port have a schema of their own in the contract.
    let back = OutputPort { contract: port.contract.clone(), ..back };
    server.custom_properties = custom::remainder(port, &back)?;
    Ok(server)
}

fn said(port: &OutputPort, slot: Slot, bucket: Option<&str>) -> Option<Value> {
    let text = match slot {
        Database => port.database.clone()?,
        Schema => port.schema.clone()?,
        Endpoint => port.endpoint.clone()?,
        Location => port.location.clone()?,
        Format => port.format.clone()?,
        Bucket => {
            let prefix = port.location.clone().unwrap_or_else(|| own_prefix(&port.name));
            format!("s3://{}/{prefix}", bucket.unwrap_or(UNKNOWN))
        }
        Nowhere | Number(_) => return None,
    };
    Some(text.into())
}

/// Where a port keeps its files when it says nothing.
fn own_prefix(port: &str) -> String {
    format!("{port}/")
}

/// A port that was read.
pub(super) struct Read {
    /// The port.
    pub port: OutputPort,
    /// The bucket that the server names, and where it does.
    pub bucket: Option<(String, String)>,
}

/// The port of a server. The table is what the schema that the server serves is called, where there is one.
pub(super) fn read(
    server: &Server,
    table: Option<&str>,
    path: &str,
    notes: &mut Notes,
) -> Result<Read, ContractError> {
    let Read { port, bucket } = natural(server, table, path, notes);
    let port = custom::overlay(port, server.custom_properties.iter().flatten(), &format!("{path}."), notes)?;
    Ok(Read { port, bucket })
}

/// The port that the standard's own fields mean.
fn natural(server: &Server, table: Option<&str>, path: &str, notes: &mut Notes) -> Read {
    let technology = technology(&server.type_);
    let name = identity::slug(&server.server, MAX_NAME);
    if name != server.server {
        notes.changed(join(path, "server"), format!("{:?} is the port {name}", server.server));
    }
    let mut port = OutputPort { name, type_: read_type(&server.type_, path, notes), ..OutputPort::default() };
    let mut bucket = None;
    let mut fields = server.fields.clone();
    for (field, slot) in technology.demanded.iter().chain(technology.allowed) {
        let Some(value) = fields.remove(*field) else { continue };
        let path = join(path, field);
        let text = value.as_str().map(str::to_owned);
        if text.as_deref() == Some(UNKNOWN) || value.is_null() {
            continue;
        }
        match (slot, text) {
            (Database, Some(text)) => port.database = Some(text),
            (Schema, Some(text)) => port.schema = Some(text),
            (Endpoint, Some(text)) => port.endpoint = Some(text),
            (Location, Some(text)) => port.location = Some(text),
            (Format, Some(text)) => port.format = Some(text),
            (Bucket, Some(text)) => {
                let (place, prefix) = split_address(&text);
                port.location = prefix.filter(|prefix| *prefix != own_prefix(&port.name));
                bucket = Some((path, place)).filter(|(_, place)| place != UNKNOWN);
            }
            (Number(usual), None) if value.as_u64() == Some(u64::from(*usual)) => {}
            _ => notes.lost(path, "a DataProduct does not say where a technology is; its platform does"),
        }
    }
    let left = fields.into_iter().filter(|(_, value)| !value.is_null() && value.as_str() != Some(""));
    for (field, _) in left {
        notes.lost(join(path, &field), "an output port has no field for it");
    }
    port.table = table.filter(|_| technology.tables).map(str::to_owned);
    Read { port, bucket }
}

/// The type of a port for a word of the standard, in the letters that a type may have.
fn read_type(type_: &str, path: &str, notes: &mut Notes) -> String {
    if type_ == "api" {
        return "rest".to_owned();
    }
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let lower = type_.chars().map(|c| c.to_ascii_lowercase());
    let read: String = lower.map(|c| if legal(c) { c } else { '_' }).take(MAX_TYPE).collect();
    let read = if read.is_empty() { CUSTOM.name.to_owned() } else { read };
    if read != type_ {
        notes.changed(join(path, "type"), format!("{type_:?} is the type {read}"));
    }
    read
}

/// Bucket and prefix of an address such as `s3://bucket/prefix`.
fn split_address(address: &str) -> (String, Option<String>) {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (bucket.to_owned(), (!prefix.is_empty()).then(|| prefix.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_and_its_prefix_are_told_apart() {
        let cases = [
            ("s3://lake/orders/", "lake", Some("orders/")),
            ("s3a://lake/orders/*.parquet", "lake", Some("orders/*.parquet")),
            ("s3://lake", "lake", None),
            ("lake/orders", "lake", Some("orders")),
            ("", "", None),
        ];
        for (address, bucket, prefix) in cases {
            assert_eq!(split_address(address), (bucket.to_owned(), prefix.map(str::to_owned)), "{address}");
        }
    }

    #[test]
    fn what_only_the_platform_knows_is_noted_on_the_way_out_and_on_the_way_in() {
        let text = |text: &str| Some(text.to_owned());
        let port = OutputPort {
            name: "warehouse".to_owned(),
            type_: "snowflake".to_owned(),
            database: text("sales"),
            schema: text("gold"),
            table: text("orders"),
            ..OutputPort::default()
        };
        let mut notes = Notes::default();
        let mut server = write(&port, None, Some("orders"), &mut notes).expect("a legal port");
        assert_eq!(server.fields["account"], UNKNOWN);
        assert_eq!(server.custom_properties, None);
        assert!(notes.0.iter().all(|note| note.reason.contains("account")), "{notes:?}");

        let mut quiet = Notes::default();
        assert_eq!(
            read(&server, Some("orders"), "servers[warehouse]", &mut quiet).expect("legal").port,
            port
        );
        assert_eq!(quiet, Notes::default());

        server.fields.insert("account".to_owned(), "xy12345".into());
        read(&server, Some("orders"), "servers[warehouse]", &mut quiet).expect("legal");
        assert_eq!(quiet.0.first().map(|note| note.path.as_str()), Some("servers[warehouse].account"));
    }
}
