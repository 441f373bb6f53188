//! Which object of a contract is whose schema, and which server serves it.
//!
//! The standard knows one list of objects, which every server serves; a product has one schema, which every port serves
//! that has none of its own. So the first object is the schema of the product. An object that names a port by a custom
//! property is the schema of that port; any other becomes the schema of a port of its own.

use std::collections::BTreeMap;

use kube::ResourceExt;
use serde_json::Value;

use super::{
    ContractError, Notes, PORT, custom, identity, object,
    odcs::{Contract, SchemaObject, Server, Sla},
    rule, server,
};
use crate::api::{
    DataProduct, DataProductSpec,
    product::{DataSchema, OutputPort},
};

/// The most output ports of a product, and the longest name of one.
const MAX_PORTS: (usize, usize) = (64, 63);
/// Servers, objects and tests.
pub(super) fn write(
    product: &DataProduct,
    contract: &mut Contract,
    notes: &mut Notes,
) -> Result<(), ContractError> {
    let spec = &product.spec;
    let mut own = spec.output_ports.iter().filter(|port| port.contract.is_none());
    let table = own.find_map(|port| port.table.as_deref());
    let main = object_name(table, &product.name_any());
    let mut objects = Vec::new();
    if let Some(schema) = &spec.schema {
        let mut object = object::write(&main, table, schema)?;
        if let Some(quality) = &spec.quality {
            let mut promises: Vec<Sla> = Vec::new();
            rule::write(&quality.tests, &mut object, &mut promises)?;
            promises.splice(0..0, contract.sla_properties.take().unwrap_or_default());
            contract.sla_properties = custom::some(promises);
        }
        objects.push(object);
    }
    let names = spec.provisioning.as_ref().and_then(|provisioning| provisioning.names.as_ref());
    let chosen = names.and_then(|names| names.bucket.as_deref());
    let made = product.status.as_ref().and_then(|status| status.outputs.as_ref()?.bucket.as_deref());
    let bucket = chosen.or(made);
    let mut servers: Vec<Server> = Vec::new();
    for port in &spec.output_ports {
        let own = port.contract.as_ref().map(|schema| of_port(port, schema)).transpose()?;
        let server = match &own {
            Some(object) => server::write(port, bucket, Some(table_of(object)), notes)?,
            None => server::write(port, bucket, objects.first().map(table_of), notes)?,
        };
        objects.extend(own);
        servers.push(server);
    }
    contract.servers = custom::some(servers);
    contract.schema = custom::some(objects);
    Ok(())
}

/// The object of a port that has a schema of its own.
fn of_port(port: &OutputPort, schema: &DataSchema) -> Result<SchemaObject, ContractError> {
    let name = object_name(port.table.as_deref(), &port.name);
    let mut object = object::write(&name, port.table.as_deref(), schema)?;
    let link = custom::property(PORT, port.name.clone().into());
    object.custom_properties.get_or_insert_default().push(link);
    Ok(object)
}

/// What an object is called where the data is.
fn table_of(object: &SchemaObject) -> &str {
    object.physical_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&object.name)
}

/// The name of an object, to which others refer: the table's where it can be referred to, else the product's.
fn object_name(table: Option<&str>, fallback: &str) -> String {
    let legal = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
    };
    table.filter(legal).map_or_else(|| fallback.replace('-', "_"), str::to_owned)
}

/// What an object is called in a path.
pub(super) fn path_of(object: &SchemaObject, index: usize) -> String {
    if object.name.is_empty() { format!("schema[{index}]") } else { format!("schema[{}]", object.name) }
}

/// Reads the schema and the servers, which belong together.
pub(super) struct Objects<'a> {
    pub contract: &'a Contract,
    pub name: &'a str,
    /// What is filled.
    pub spec: DataProductSpec,
    /// Buckets that servers name, each with its place.
    pub buckets: Vec<(String, String)>,
    pub notes: &'a mut Notes,
}

impl Objects<'_> {
    /// Fills schema and output ports, and gives the tests that were found. The first object is the product's schema;
    /// each further one is the contract of a port of its own.
    pub(super) fn read(&mut self) -> Result<Vec<rule::Found>, ContractError> {
        let objects = self.contract.schema.iter().flatten().enumerate();
        let objects: Vec<_> = objects.map(|(index, object)| (object, path_of(object, index))).collect();
        let link = |object: &SchemaObject| {
            custom::value(&object.custom_properties, PORT).and_then(Value::as_str).map(str::to_owned)
        };
        let mut linked: BTreeMap<String, (&SchemaObject, &str)> = BTreeMap::new();
        let mut own = Vec::new();
        for (object, path) in &objects {
            match link(object) {
                Some(port) => drop(linked.insert(port, (*object, path.as_str()))),
                None => own.push((*object, path.as_str())),
            }
        }
        let mut found = Vec::new();
        let main = own.first().copied();
        if let Some((object, path)) = main {
            self.spec.schema = Some(object::read(object, path, self.notes)?);
            found = rule::read(object, path, self.notes)?;
        }
        self.describe(main);
        let servers: Vec<&Server> = self.contract.servers.iter().flatten().collect();
        for server in &servers {
            let object = linked.remove(&server.server);
            let port = self.port(server, object.or(main), object.is_some(), None)?;
            self.push(port, &server.server);
        }
        for (object, path) in own.iter().skip(1) {
            self.further(object, path, &servers)?;
        }
        for (object, path) in linked.into_values() {
            self.further(object, path, &[])?;
        }
        if let Some((object, path)) = main {
            self.names_of(object, path);
        }
        for (object, path) in &objects {
            self.type_of(object, path);
        }
        Ok(found)
    }

    /// The description of the product: its purpose, else that of its first object.
    fn describe(&mut self, main: Option<(&SchemaObject, &str)>) {
        let purpose = self.contract.description.as_ref().and_then(|description| description.purpose.clone());
        let of_object = main.and_then(|(object, path)| Some((object.description.clone()?, path)));
        self.spec.description = match (purpose, of_object) {
            (Some(purpose), Some((text, path))) if !text.is_empty() => {
                self.notes
                    .lost(format!("{path}.description"), "the product has one description, its purpose");
                Some(purpose)
            }
            (Some(purpose), _) => Some(purpose),
            (None, Some((text, path))) if !text.is_empty() => {
                self.notes.changed(format!("{path}.description"), "it is the description of the product");
                Some(text)
            }
            (None, _) => None,
        };
    }

    fn port(
        &mut self,
        server: &Server,
        object: Option<(&SchemaObject, &str)>,
        own_contract: bool,
        name: Option<String>,
    ) -> Result<OutputPort, ContractError> {
        let path = format!("servers[{}]", server.server);
        // What is said once about a server need not be said again for each object that it serves.
        let mut again = Notes::default();
        let notes = if name.is_some() { &mut again } else { &mut *self.notes };
        let read = server::read(server, object.map(|(object, _)| table_of(object)), &path, notes)?;
        self.buckets.extend(read.bucket);
        let mut port = read.port;
        if let (true, Some((object, path))) = (own_contract, object) {
            port.contract = Some(object::read(object, path, self.notes)?);
            self.without_tests(object, path)?;
        }
        port.name = name.unwrap_or(port.name);
        Ok(port)
    }

    /// An object beside the first: each server serves it through a port of its own.
    fn further(
        &mut self,
        object: &SchemaObject,
        path: &str,
        servers: &[&Server],
    ) -> Result<(), ContractError> {
        if servers.is_empty() {
            self.notes
                .lost(path, "no server serves this object; name one, or make a product of its own of it");
        }
        for (count, server) in servers.iter().enumerate() {
            if self.spec.output_ports.len() >= MAX_PORTS.0 {
                let reason = format!("a product has at most {} output ports; split it", MAX_PORTS.0);
                self.notes.lost(path, reason);
                break;
            }
            let name = identity::slug(&format!("{}-{}", server.server, object.name), MAX_PORTS.1);
            let port = if count == 0 {
                let reason = format!("it is the contract of the output port {name} and its like");
                self.notes.changed(path, reason);
                self.port(server, Some((object, path)), true, Some(name))?
            } else {
                let first = self.spec.output_ports.last().and_then(|port| port.contract.clone());
                let port = self.port(server, Some((object, path)), false, Some(name))?;
                OutputPort { contract: first, ..port }
            };
            self.push(port, &server.server);
        }
        Ok(())
    }

    /// Our tests are about the fields of the product's own schema.
    fn without_tests(&mut self, object: &SchemaObject, path: &str) -> Result<(), ContractError> {
        let tests = rule::read(object, path, self.notes)?;
        if tests.iter().any(|found| !found.implied) {
            self.notes.lost(
                format!("{path}.quality"),
                "tests, references included, are about the first object of the schema",
            );
        }
        if object.description.as_ref().is_some_and(|text| !text.is_empty()) {
            self.notes.lost(format!("{path}.description"), "the schema of a port has no description");
        }
        Ok(())
    }

    fn push(&mut self, mut port: OutputPort, server: &str) {
        let ports = &mut self.spec.output_ports;
        if ports.len() >= MAX_PORTS.0 {
            let reason = format!("a product has at most {} output ports; split it", MAX_PORTS.0);
            return self.notes.lost(format!("servers[{server}]"), reason);
        }
        let base = port.name.clone();
        for count in 2..=ports.len().saturating_add(1) {
            if ports.iter().all(|other| other.name != port.name) {
                break;
            }
            let suffix = format!("-{count}");
            let kept: String = base.chars().take(MAX_PORTS.1.saturating_sub(suffix.len())).collect();
            port.name = format!("{kept}{suffix}");
        }
        if port.name != base {
            self.notes.changed(
                format!("servers[{server}]"),
                format!("the name is taken; the port is {}", port.name),
            );
        }
        ports.push(port);
    }

    /// Notes what an object is where the data is, unless it is the table of a port.
    fn type_of(&mut self, object: &SchemaObject, path: &str) {
        let said = object.physical_type.as_deref().filter(|text| !text.is_empty());
        let table = Some(table_of(object));
        let mut ports = self.spec.output_ports.iter();
        let is_table = said == Some(object::TABLE) && ports.any(|port| port.table.as_deref() == table);
        if said.is_some() && !is_table {
            self.notes.lost(format!("{path}.physicalType"), "a port says itself of which type it is");
        }
    }

    /// Notes the names of the first object that an export would not give again.
    fn names_of(&mut self, object: &SchemaObject, path: &str) {
        let mut own = self.spec.output_ports.iter().filter(|port| port.contract.is_none());
        let table = own.find_map(|port| port.table.as_deref());
        let exported = object_name(table, self.name);
        if object.name != exported {
            self.notes
                .changed(format!("{path}.name"), format!("the object is called {exported} in an export"));
        }
        let physical = object.physical_name.as_deref().filter(|name| !name.is_empty());
        if physical.is_some() && physical != table && physical != Some(exported.as_str()) {
            self.notes.lost(format!("{path}.physicalName"), "no server keeps this in a table");
        }
    }
}
