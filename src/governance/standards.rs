//! STD: output ports keep to the technologies, formats, protocols and authentication of the platform's standards.
//!
//! Input ports are not judged: a product may read from whatever its sources are.

use crate::api::{
    FORMAT_JUSTIFICATION,
    product::{Authentication, OutputPort},
};

use super::{Accounts, Finding, Findings, Input, PortKind, one_of, stated};

/// The word of `storage.not_allowed` that forbids accounts other than the domain's.
const INDIVIDUAL_ACCOUNTS: &str = "individual_cloud_accounts";

/// Where STD-002 says that an account is wrong.
pub(super) const ACCOUNT_PATH: &str = "spec.provisioning.providerClassName";

/// STD-001.
pub(super) fn storage_is_allowed(input: &Input<'_>, found: &mut Findings<'_>) {
    let allowed = &input.standards.standards.storage.allowed;
    let findings = input
        .output_ports(PortKind::Storage)
        .filter(|port| !allowed.is_empty() && !allowed.contains(&port.type_))
        .map(|port| {
            Finding::new(
                path(port, "type"),
                format!(
                    "Output port '{}' stores data in '{}', which is not an allowed storage",
                    port.name, port.type_
                ),
                format!("Use {}", one_of(allowed)),
            )
        });
    found.extend(findings);
}

/// STD-002: types by their name, and accounts by their owner.
pub(super) fn storage_is_not_forbidden(input: &Input<'_>, found: &mut Findings<'_>) {
    let storage = &input.standards.standards.storage;
    let types = input
        .output_ports(PortKind::Storage)
        .filter(|port| storage.not_allowed.contains(&port.type_))
        .map(|port| {
            Finding::new(
                path(port, "type"),
                format!("Output port '{}' stores data in '{}', which is forbidden", port.name, port.type_),
                format!("Move the data to {}", one_of(&storage.allowed)),
            )
        });
    let forbids_accounts = storage.not_allowed.iter().any(|word| word == INDIVIDUAL_ACCOUNTS);
    let account = input.accounts.filter(|accounts| forbids_accounts && accounts.domain != accounts.provider);
    found.extend(types.chain(account.map(|accounts| foreign_account(input, accounts))));
}

fn foreign_account(input: &Input<'_>, Accounts { domain, provider }: Accounts<'_>) -> Finding {
    Finding::new(
        ACCOUNT_PATH,
        format!(
            "Resources would go to account {provider}, but the account of domain '{}' is {domain}, and individual \
             cloud accounts are forbidden",
            input.spec().domain
        ),
        format!("Choose a provider class that makes resources in account {domain}"),
    )
}

/// STD-003.
pub(super) fn format_is_known(input: &Input<'_>, found: &mut Findings<'_>) {
    let formats = &input.standards.standards.formats;
    let none = formats.required.is_empty() && formats.optional.is_empty();
    let findings = formatted(input)
        .filter(|(_, format)| !none && !has(&formats.required, format) && !has(&formats.optional, format))
        .map(|(port, format)| {
            let justified = if formats.optional.is_empty() {
                String::new()
            } else {
                format!(", or justify {} by the annotation {FORMAT_JUSTIFICATION}", one_of(&formats.optional))
            };
            Finding::new(
                path(port, "format"),
                format!("Output port '{}' has format '{format}', which is not an allowed format", port.name),
                format!("Use {}{justified}", one_of(&formats.required)),
            )
        });
    found.extend(findings);
}

/// STD-004.
pub(super) fn optional_format_is_justified(input: &Input<'_>, found: &mut Findings<'_>) {
    let formats = &input.standards.standards.formats;
    let annotations = input.product.metadata.annotations.as_ref();
    let reason = annotations.and_then(|annotations| annotations.get(FORMAT_JUSTIFICATION));
    let justified = stated(reason.map(String::as_str)).is_some();
    let findings = formatted(input)
        .filter(|(_, format)| !justified && has(&formats.optional, format) && !has(&formats.required, format))
        .map(|(port, format)| {
            Finding::new(
                path(port, "format"),
                format!("Output port '{}' has format '{format}', which needs a justification", port.name),
                format!(
                    "Say why in the annotation {FORMAT_JUSTIFICATION}, or use {}",
                    one_of(&formats.required)
                ),
            )
        });
    found.extend(findings);
}

/// STD-005.
pub(super) fn storage_states_format(input: &Input<'_>, found: &mut Findings<'_>) {
    let required = &input.standards.standards.formats.required;
    let findings = input
        .output_ports(PortKind::Storage)
        .filter(|port| !required.is_empty() && stated(port.format.as_deref()).is_none())
        .map(|port| {
            Finding::new(
                path(port, "format"),
                format!("Output port '{}' states no format", port.name),
                format!("Set its format to {}", one_of(required)),
            )
        });
    found.extend(findings);
}

/// STD-006.
pub(super) fn protocol_is_allowed(input: &Input<'_>, found: &mut Findings<'_>) {
    let allowed = &input.standards.standards.apis.required_protocols;
    let findings = input
        .output_ports(PortKind::Api)
        .filter(|port| !allowed.is_empty() && !allowed.contains(&port.type_))
        .map(|port| {
            Finding::new(
                path(port, "type"),
                format!(
                    "Output port '{}' speaks '{}', which is not an allowed protocol",
                    port.name, port.type_
                ),
                format!("Use {}", one_of(allowed)),
            )
        });
    found.extend(findings);
}

/// STD-007. An API that says nothing of authentication may have none.
pub(super) fn authentication_is_allowed(input: &Input<'_>, found: &mut Findings<'_>) {
    let allowed = &input.standards.standards.apis.required_authentication;
    let findings = input.output_ports(PortKind::Api).filter_map(|port| {
        let message = match port.authentication.map(Authentication::as_str) {
            _ if allowed.is_empty() => return None,
            Some(word) if has(allowed, word) => return None,
            Some(word) => {
                format!(
                    "Output port '{}' has authentication '{word}', which is not allowed for an API",
                    port.name
                )
            }
            None => format!("Output port '{}' is an API and states no authentication", port.name),
        };
        let remediation = format!("Set its authentication to {}", one_of(allowed));
        Some(Finding::new(path(port, "authentication"), message, remediation))
    });
    found.extend(findings);
}

/// The output ports of every kind that state a format, with it.
fn formatted<'a>(input: &Input<'a>) -> impl Iterator<Item = (&'a OutputPort, &'a str)> {
    let ports = input.spec().output_ports.iter();
    ports.filter_map(|port| Some((port, stated(port.format.as_deref())?)))
}

fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|known| known == word)
}

fn path(port: &OutputPort, field: &str) -> String {
    format!("spec.outputPorts[{}].{field}", port.name)
}

#[cfg(test)]
mod tests;
