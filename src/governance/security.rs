//! SEC: it is said how sensitive the data is, how long it is kept and who gets to it, and what the provider observed keeps
//! it safe.
//!
//! The rules on what was observed are never enforced: an error that stops change would stop the very correction that
//! mends it.

use crate::{
    api::product::{Classification, Permission},
    model::attributes::{Attributes, EVERYBODY},
};

use super::{Finding, Findings, Input};

/// SEC-001.
pub(super) fn states_classification(input: &Input<'_>, found: &mut Findings<'_>) {
    found.when(
        input.spec().access.as_ref().is_none_or(|access| access.classification.is_none()),
        "spec.access.classification",
        "Data classification not specified",
        "Add classification: public/internal/confidential/restricted",
    );
}

/// SEC-002.
pub(super) fn states_retention(input: &Input<'_>, found: &mut Findings<'_>) {
    found.when(
        input.spec().access.as_ref().is_none_or(|access| access.retention.is_none()),
        "spec.access.retention",
        "Retention policy not specified",
        "Define data retention period",
    );
}

/// SEC-003.
pub(super) fn has_roles(input: &Input<'_>, found: &mut Findings<'_>) {
    found.when(
        input.spec().access.as_ref().is_none_or(|access| access.roles.is_empty()),
        "spec.access.roles",
        "No access role, so that nobody but the domain's own team gets to the data",
        "Add a role to spec.access.roles, for example {name: reader, permissions: [SELECT]}",
    );
}

/// SEC-007, once for every role that may write what another domain relies on.
pub(super) fn is_written_by_its_domain_alone(input: &Input<'_>, found: &mut Findings<'_>) {
    let own = &input.spec().domain;
    let consumers = input.neighbours.into_iter().flat_map(|neighbours| &neighbours.consumers);
    let others = consumers.map(|(_, domain)| domain).filter(|domain| *domain != own && !domain.is_empty());
    let Some(other) = others.min() else { return };
    let roles = input.spec().access.iter().flat_map(|access| &access.roles);
    let writing = roles.filter(|role| role.permissions.iter().copied().any(writes));
    let findings = writing.map(|role| {
        Finding::new(
            format!("spec.access.roles[{}].permissions", role.name),
            format!("Role '{}' may write data that domain '{other}' reads", role.name),
            "Leave writing to the pipeline of the product, and give the role SELECT or DESCRIBE",
        )
    });
    found.extend(findings);
}

const fn writes(permission: Permission) -> bool {
    match permission {
        Permission::Insert
        | Permission::Update
        | Permission::Delete
        | Permission::Alter
        | Permission::All => true,
        Permission::Select | Permission::Describe => false,
    }
}

/// SEC-004, once for the bucket and once for the key.
pub(super) fn is_encrypted_with_its_own_key(input: &Input<'_>, found: &mut Findings<'_>) {
    let findings = input.own_resources().filter_map(|own| {
        let name = &own.desired.key.name;
        match (&own.desired.attributes, &own.observed.attributes) {
            (Attributes::Bucket(want), Attributes::Bucket(have))
                if have.encryption_key.is_none() || have.encryption_key != want.encryption_key =>
            {
                let instead = have.encryption_key.as_ref().map(|key| format!(", but with '{key}'"));
                let instead = instead.unwrap_or_default();
                Some(own.finding(
                    "encryptionKey",
                    format!("Bucket '{name}' is not encrypted with the product's own key{instead}"),
                    "encrypt it with the product's own key",
                ))
            }
            (_, Attributes::EncryptionKey(have)) if !have.rotation => Some(own.finding(
                "rotation",
                format!("Rotation of key '{name}' is off"),
                "turn on its rotation",
            )),
            _ => None,
        }
    });
    found.extend(findings);
}

/// SEC-005, once for the database and once for the grants. Data that is not classified is charged by SEC-001.
pub(super) fn is_not_open_to_everybody(input: &Input<'_>, found: &mut Findings<'_>) {
    let classification = input.spec().access.as_ref().and_then(|access| access.classification);
    let closed = [Classification::Confidential, Classification::Restricted];
    let Some(classification) = classification.filter(|classification| closed.contains(classification)) else {
        return;
    };
    let classification = classification.as_str();
    let findings = input.own_resources().filter_map(|own| {
        let name = &own.desired.key.name;
        match (&own.desired.attributes, &own.observed.attributes) {
            (_, Attributes::CatalogDatabase(have)) if !have.default_permissions.is_empty() => {
                Some(own.finding(
                    "defaultPermissions",
                    format!(
                        "Database '{name}' has default permissions on new tables, which bypass the grants, and the \
                         data is {classification}"
                    ),
                    "remove those permissions",
                ))
            }
            (Attributes::Grant(want), Attributes::Grant(have)) if have.entries.contains_key(EVERYBODY) => {
                let finding = own.finding(
                    &format!("principals.{EVERYBODY}"),
                    format!("Database '{name}' is granted to {EVERYBODY}, and the data is {classification}"),
                    "revoke that grant",
                );
                let asked_for = want.entries.contains_key(EVERYBODY);
                // Nobody corrects what the spec itself asks for.
                let remediation = format!("Remove {EVERYBODY} from spec.access.roles");
                Some(if asked_for { Finding { remediation: remediation.into(), ..finding } } else { finding })
            }
            _ => None,
        }
    });
    found.extend(findings);
}

/// SEC-008, an addition to the catalogue: a bucket that can be made public needs one wrong word to be public.
pub(super) fn blocks_public_access(input: &Input<'_>, found: &mut Findings<'_>) {
    let findings = input.own_resources().filter_map(|own| match &own.observed.attributes {
        Attributes::Bucket(have) if !have.public_access_blocked => Some(own.finding(
            "publicAccessBlocked",
            format!("Public access to bucket '{}' is not blocked", own.desired.key.name),
            "block all public access to it",
        )),
        _ => None,
    });
    found.extend(findings);
}

#[cfg(test)]
mod tests;
