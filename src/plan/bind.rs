//! Who a product belongs to: binds its namespace to a domain, and finds where domain and class place it.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{
    ResourceExt,
    core::{Selector, SelectorExt},
};

use crate::{
    api::{Backend, DataDomain, ProviderClass},
    plan::blocker::Blocker,
};

/// Account number of a class of the backend `local` that names none.
pub const DEFAULT_ACCOUNT: &str = "000000000000";
/// Region of a class of the backend `local` that names none.
pub const DEFAULT_REGION: &str = "local";

/// Finds the domain that binds a namespace, and refuses when there is none, more than one, or another than declared.
pub fn bind<'a>(
    namespace: &str,
    labels: &BTreeMap<String, String>,
    declared: &str,
    domains: impl Iterator<Item = &'a Arc<DataDomain>>,
) -> Result<&'a Arc<DataDomain>, Blocker> {
    match binding(namespace, labels, domains).as_slice() {
        [] => Err(Blocker::NoDomain { namespace: namespace.to_owned() }),
        [domain] if domain.name_any() == declared => Ok(domain),
        [domain] => Err(Blocker::DomainMismatch {
            namespace: namespace.to_owned(),
            declared: declared.to_owned(),
            bound: domain.name_any(),
        }),
        several => Err(Blocker::AmbiguousDomain {
            namespace: namespace.to_owned(),
            domains: several.iter().map(|domain| domain.name_any()).collect(),
        }),
    }
}

/// The domains that claim a namespace, by name.
pub fn binding<'a>(
    namespace: &str,
    labels: &BTreeMap<String, String>,
    domains: impl Iterator<Item = &'a Arc<DataDomain>>,
) -> Vec<&'a Arc<DataDomain>> {
    let mut binding = domains.filter(|domain| binds(domain, namespace, labels)).collect::<Vec<_>>();
    binding.sort_by_key(|domain| domain.name_any());
    binding
}

/// Whether a domain claims a namespace.
pub fn binds(domain: &DataDomain, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
    let listed = domain.spec.namespaces.iter().any(|name| name == namespace);
    listed || domain.spec.namespace_selector.as_ref().is_some_and(|selector| selects(selector, labels))
}

fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    // An empty selector would hand every namespace to one domain, and a garbled one selects nothing.
    let empty = selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty);
    !empty && Selector::try_from(selector.clone()).is_ok_and(|selector| selector.matches(labels))
}

/// The class of a domain's products that name none.
pub fn default_class(domain: &DataDomain) -> Option<&String> {
    domain.spec.default_provider_class.as_ref().or(domain.spec.provider_classes.first())
}

/// Account and region of a domain's products in a class: the domain's, else the class's. Only the backend `local` has a
/// default beyond these, because there no account costs money or holds anything of others; elsewhere what nobody named
/// is empty.
pub fn place(domain: Option<&DataDomain>, class: Option<&ProviderClass>) -> (String, String) {
    let account = domain.and_then(|domain| domain.spec.account.clone()).unwrap_or_default();
    let (id, region) = match class.map(|class| (class.spec.provider, &class.spec)) {
        Some((Backend::Aws, spec)) => {
            let aws = spec.aws.clone().unwrap_or_default();
            (aws.account_id, aws.region)
        }
        other => {
            let local = other.and_then(|(_, spec)| spec.local.clone()).unwrap_or_default();
            let id = local.account_id.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
            (Some(id), Some(local.region.unwrap_or_else(|| DEFAULT_REGION.to_owned())))
        }
    };
    (account.id.or(id).unwrap_or_default(), account.region.or(region).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

    use super::*;
    use crate::api::DataDomainSpec;

    fn domain(name: &str, namespaces: &[&str], selector: Option<LabelSelector>) -> Arc<DataDomain> {
        let namespaces = namespaces.iter().map(|&namespace| namespace.to_owned()).collect();
        let spec = DataDomainSpec { namespaces, namespace_selector: selector, ..DataDomainSpec::default() };
        Arc::new(DataDomain::new(name, spec))
    }

    fn labelled(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn operator(operator: &str) -> LabelSelector {
        let requirement =
            LabelSelectorRequirement { key: "team".to_owned(), operator: operator.to_owned(), values: None };
        LabelSelector { match_expressions: Some(vec![requirement]), match_labels: None }
    }

    #[test]
    fn a_selector_takes_what_it_names_and_an_empty_or_garbled_one_takes_nothing() {
        let labels = |pairs| LabelSelector { match_labels: Some(labelled(pairs)), match_expressions: None };
        let cases = [
            ("matching labels", labels(&[("team", "a")]), true),
            ("other labels", labels(&[("team", "b")]), false),
            ("a key that is there", operator("Exists"), true),
            ("a key that should not be there", operator("DoesNotExist"), false),
            ("nothing", LabelSelector::default(), false),
            ("no labels", labels(&[]), false),
            ("an operator that nobody knows", operator("Equals"), false),
        ];
        for (case, selector, expected) in cases {
            let domain = domain("a", &[], Some(selector));
            assert_eq!(binds(&domain, "n", &labelled(&[("team", "a")])), expected, "{case}");
        }
    }

    #[test]
    fn a_namespace_belongs_to_exactly_one_domain() {
        let (first, second) = (domain("a", &["n", "m"], None), domain("b", &["n"], None));
        let none = BTreeMap::new();
        let bound = |namespace: &str, declared: &str, domains: &[&Arc<DataDomain>]| {
            bind(namespace, &none, declared, domains.iter().copied()).map(|domain| domain.name_any())
        };
        assert_eq!(bound("m", "a", &[&first, &second]), Ok("a".to_owned()));
        assert!(matches!(bound("m", "b", &[&first]), Err(Blocker::DomainMismatch { .. })));
        assert!(matches!(bound("x", "a", &[&first]), Err(Blocker::NoDomain { .. })));
        let Err(Blocker::AmbiguousDomain { domains, .. }) = bound("n", "a", &[&second, &first]) else {
            panic!("two domains claim it")
        };
        assert_eq!(domains, ["a", "b"], "sorted");
    }
}
