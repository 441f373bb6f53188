//! What the roles of a product become on its catalog database, in the words of the backend that keeps the grants.
//!
//! The plan speaks the backend's words, so that what people approve is what is granted: where a backend lacks a word,
//! the translation is seen in the plan and not hidden in the backend.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{
        Backend,
        product::{DataProductSpec, Permission},
    },
    model::{arn, attributes::Grants},
    plan::{desired::roles, scope::Scope},
};

/// Everything that is granted on a product's catalog database: all of it to the domain's team, and to the principals of
/// each role what the role says.
pub(super) fn grants(spec: &DataProductSpec, scope: &Scope) -> Grants {
    let mut entries: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    entries.entry(scope.team_role.clone()).or_default().insert(Permission::All.as_str().to_owned());
    for role in roles(spec) {
        for principal in &role.principals {
            let words =
                role.permissions.iter().flat_map(|permission| words(scope.class.provider, *permission));
            let entry = entries.entry(identity(scope, principal)).or_default();
            entry.extend(words.map(|permission| permission.as_str().to_owned()));
        }
    }
    Grants { entries }
}

/// What is granted in other words than the roles say it.
pub(super) fn notes(spec: &DataProductSpec, scope: &Scope) -> Vec<String> {
    if scope.class.provider != Backend::Aws {
        return Vec::new();
    }
    let updating = roles(spec).filter(|role| role.permissions.contains(&Permission::Update));
    let note = |name: &str| {
        format!("role {name}: UPDATE is granted as INSERT and DELETE, because Lake Formation has no UPDATE")
    };
    updating.map(|role| note(&role.name)).collect()
}

/// The words of a backend for a permission.
fn words(backend: Backend, permission: Permission) -> &'static [Permission] {
    use Permission::{All, Alter, Delete, Describe, Insert, Select, Update};
    match (backend, permission) {
        // Lake Formation has no UPDATE: who may change rows may add and remove them.
        (Backend::Aws, Update) => &[Insert, Delete],
        // There `ALL` on the database says nothing of its tables.
        (Backend::Aws, All) => &[All, Select, Insert, Delete, Alter, Describe],
        (_, Select) => &[Select],
        (_, Insert) => &[Insert],
        (_, Update) => &[Update],
        (_, Delete) => &[Delete],
        (_, Alter) => &[Alter],
        (_, Describe) => &[Describe],
        (_, All) => &[All],
    }
}

/// The identifier of a principal. On `aws` a plain name is a role of the product's account.
fn identity(scope: &Scope, principal: &str) -> String {
    if scope.class.provider != Backend::Aws || principal.starts_with("arn:") {
        return principal.to_owned();
    }
    arn::role(&scope.account, &scope.region, principal)
}
