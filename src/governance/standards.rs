//! Rules on output ports, from the platform's standards. Input ports are not judged: a domain may read what it must.

use kube::ResourceExt;

use super::{Finding, Input, is_blank, list, when};
use crate::api::{
    FORMAT_JUSTIFICATION,
    product::{Authentication, OutputPort},
};

/// Port types that are APIs. Everything that is neither API nor stream holds data.
const APIS: [&str; 7] = ["rest", "grpc", "graphql", "soap", "odata", "http", "api"];
/// Port types that are streams.
const STREAMS: [&str; 7] = ["kafka", "kinesis", "pulsar", "pubsub", "eventhub", "rabbitmq", "nats"];

/// What a port is, as far as the standards care.
#[derive(PartialEq)]
enum PortKind {
    Api,
    Stream,
    Storage,
}

fn kind(port: &OutputPort) -> PortKind {
    let is = |types: &[&str]| types.contains(&port.type_.as_str());
    if is(&APIS) {
        PortKind::Api
    } else if is(&STREAMS) {
        PortKind::Stream
    } else {
        PortKind::Storage
    }
}

pub(super) fn storage_allowed(input: &Input<'_>) -> Vec<Finding> {
    let storage = &input.standards.standards.storage;
    ports(input, &PortKind::Storage)
        // A forbidden type has a rule of its own, so that one mistake is not charged twice.
        .filter(|port| !storage.allowed.contains(&port.type_) && !storage.not_allowed.contains(&port.type_))
        .map(|port| {
            Finding::new(
                path(port, "type"),
                format!(
                    "Output port '{}' uses storage type {}, which is not in the standards",
                    port.name, port.type_
                ),
                format!("Use one of: {}", list(&storage.allowed)),
            )
        })
        .collect()
}

pub(super) fn storage_forbidden(input: &Input<'_>) -> Vec<Finding> {
    let storage = &input.standards.standards.storage;
    ports(input, &PortKind::Storage)
        .filter(|port| storage.not_allowed.contains(&port.type_))
        .map(|port| {
            Finding::new(
                path(port, "type"),
                format!(
                    "Output port '{}' uses storage type {}, which the standards forbid",
                    port.name, port.type_
                ),
                format!("Move the data to one of: {}", list(&storage.allowed)),
            )
        })
        .collect()
}

pub(super) fn format_known(input: &Input<'_>) -> Vec<Finding> {
    let formats = &input.standards.standards.formats;
    stated(input)
        .filter(|(_, format)| !formats.required.contains(format) && !formats.optional.contains(format))
        .map(|(port, format)| {
            Finding::new(
                path(port, "format"),
                format!("Output port '{}' has format {format}, which is not in the standards", port.name),
                format!(
                    "Use one of: {}; with a justification: {}",
                    list(&formats.required),
                    list(&formats.optional)
                ),
            )
        })
        .collect()
}

pub(super) fn format_justified(input: &Input<'_>) -> Vec<Finding> {
    if !is_blank(input.product.annotations().get(FORMAT_JUSTIFICATION)) {
        return Vec::new();
    }
    let formats = &input.standards.standards.formats;
    stated(input)
        .filter(|(_, format)| formats.optional.contains(format) && !formats.required.contains(format))
        .map(|(port, format)| {
            Finding::new(
                path(port, "format"),
                format!("Output port '{}' has format {format}, which needs a justification", port.name),
                format!(
                    "Use one of: {}; or say why in the annotation {FORMAT_JUSTIFICATION}",
                    list(&formats.required)
                ),
            )
        })
        .collect()
}

pub(super) fn format_stated(input: &Input<'_>) -> Vec<Finding> {
    ports(input, &PortKind::Storage)
        .filter(|port| is_blank(port.format.as_ref()))
        .map(|port| {
            Finding::new(
                path(port, "format"),
                format!("Output port '{}' states no format", port.name),
                format!("Add format, one of: {}", list(&input.standards.standards.formats.required)),
            )
        })
        .collect()
}

pub(super) fn protocol(input: &Input<'_>) -> Vec<Finding> {
    let protocols = &input.standards.standards.apis.required_protocols;
    ports(input, &PortKind::Api)
        .filter(|port| !protocols.contains(&port.type_))
        .map(|port| {
            Finding::new(
                path(port, "type"),
                format!(
                    "Output port '{}' speaks {}, which the standards do not allow",
                    port.name, port.type_
                ),
                format!("Offer one of: {}", list(protocols)),
            )
        })
        .collect()
}

pub(super) fn authentication(input: &Input<'_>) -> Vec<Finding> {
    let allowed = &input.standards.standards.apis.required_authentication;
    ports(input, &PortKind::Api)
        .flat_map(|port| {
            let stated = port.authentication.map(Authentication::as_str);
            when(stated.is_none_or(|stated| !allowed.iter().any(|allowed| allowed == stated)), || {
                Finding::new(
                    path(port, "authentication"),
                    match stated {
                        Some(stated) => {
                            format!(
                                "Output port '{}' has authentication {stated}, which is not allowed",
                                port.name
                            )
                        }
                        None => format!("Output port '{}' states no authentication", port.name),
                    },
                    format!("Set authentication to one of: {}", list(allowed)),
                )
            })
        })
        .collect()
}

fn ports<'a>(input: &Input<'a>, wanted: &'a PortKind) -> impl Iterator<Item = &'a OutputPort> {
    input.product.spec.output_ports.iter().filter(move |port| kind(port) == *wanted)
}

fn stated<'a>(input: &Input<'a>) -> impl Iterator<Item = (&'a OutputPort, &'a String)> {
    let ports = input.product.spec.output_ports.iter();
    ports
        .filter_map(|port| port.format.as_ref().map(|format| (port, format)))
        .filter(|(_, format)| !is_blank(Some(format)))
}

fn path(port: &OutputPort, field: &str) -> String {
    format!("spec.outputPorts[{}].{field}", port.name)
}
