//! Who a product belongs to: binds its namespace to a domain, the domain to a provider class, and both to names.
//!
//! Everything that can forbid provisioning before a provider is asked is found here, as a [`Blocker`].

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{
    ResourceExt,
    core::{Selector, SelectorExt},
};

use crate::{
    api::{
        AdoptionPolicy, DataDomain, DataProduct, DriftPolicy, Enforcement, ProviderClass, ProviderClassSpec,
        product::{self, ChosenNames},
    },
    model::{
        name::{Names, Overrides},
        owner::{DeletionPolicy, Owner},
    },
    plan::{blocker::Blocker, world::Declared},
};

/// Account number of a class that names none.
pub const DEFAULT_ACCOUNT: &str = "000000000000";
/// Region of a class that names none.
pub const DEFAULT_REGION: &str = "local";
/// Days during which a deleted key can be taken back, when the class does not say.
pub const DEFAULT_KEY_WINDOW_DAYS: i32 = 30;

/// Where a product's resources live and under whose name.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// Name of the domain.
    pub domain: String,
    /// The domain's spec, where the domain still exists.
    pub domain_spec: Option<Arc<DataDomain>>,
    /// Account that holds the resources.
    pub account: String,
    /// Region that holds the resources.
    pub region: String,
    /// Role that is granted everything.
    pub team_role: String,
    /// Name of the provider class.
    pub class_name: String,
    /// Settings of the provider class.
    pub class: ProviderClassSpec,
    /// External names.
    pub names: Names,
    /// The ownership mark.
    pub owner: Owner,
}

impl Scope {
    /// How strictly the product is judged. A domain that is gone is judged strictly.
    pub fn enforcement(&self) -> Enforcement {
        self.domain_spec.as_ref().map_or(Enforcement::Enforced, |domain| domain.spec.enforcement)
    }

    /// Whether the class lets products take over what the operator did not make.
    pub fn may_adopt(&self) -> bool {
        self.class.adoption == Some(AdoptionPolicy::Allowed)
    }

    /// Whether differences that nobody asked for are corrected.
    pub fn corrects_drift(&self) -> bool {
        self.class.drift_policy != Some(DriftPolicy::Report)
    }

    /// Days during which a deleted key can be taken back.
    pub fn key_window_days(&self) -> i32 {
        self.class.key_deletion_window_days.unwrap_or(DEFAULT_KEY_WINDOW_DAYS)
    }
}

/// Finds the domain that binds a namespace, and refuses when there is none, more than one, or another than declared.
pub fn bind<'a>(
    namespace: &str,
    labels: &BTreeMap<String, String>,
    declared: &str,
    domains: impl Iterator<Item = &'a Arc<DataDomain>>,
) -> Result<&'a Arc<DataDomain>, Blocker> {
    let mut binding = domains.filter(|domain| binds(domain, namespace, labels)).collect::<Vec<_>>();
    binding.sort_by_key(|domain| domain.name_any());
    match binding.as_slice() {
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

/// Resolves the scope of a product that lives.
pub fn resolve(declared: &Declared) -> Result<Scope, Blocker> {
    let product = &declared.product;
    let namespace = product.namespace().unwrap_or_default();
    let domain = bind(&namespace, &declared.namespace_labels, &product.spec.domain, declared.domains.iter())?;
    let class_name = class_name(product, domain)?;
    let class = declared
        .classes
        .get(&class_name)
        .ok_or_else(|| Blocker::ClassMissing { class: class_name.clone() })?;
    let (account_id, region) = place(Some(domain), Some(class));
    stays(product, &account_id, &region)?;
    let team_role = domain.spec.account.clone().and_then(|account| account.team_role_arn);
    let team_role = team_role
        .unwrap_or_else(|| format!("arn:aws:iam::{account_id}:role/{}-team-role", product.spec.domain));
    scope(declared, class_name, class, Some(Arc::clone(domain)), account_id, region, team_role)
}

/// Resolves the scope of a product that is being deleted: the place that its status remembers, because that is where
/// its resources are, whatever its domain says by now.
///
/// `Ok(None)` says that nothing was ever provisioned, as far as spec and status tell.
pub fn resolve_departing(declared: &Declared) -> Result<Option<Scope>, Blocker> {
    let remembered = declared.product.status.as_ref().and_then(|status| status.domain.clone());
    let remembered = remembered.and_then(|domain| Some((domain.provider_class.clone()?, domain)));
    let Some((class_name, remembered)) = remembered else {
        return match resolve(declared) {
            Ok(scope) => Ok(Some(scope)),
            Err(Blocker::ClassMissing { class }) => Err(Blocker::ClassMissing { class }),
            Err(_) => Ok(None),
        };
    };
    let class = declared
        .classes
        .get(&class_name)
        .ok_or_else(|| Blocker::ClassMissing { class: class_name.clone() })?;
    let (account_id, region) = place(None, Some(class));
    let account_id = remembered.account_id.unwrap_or(account_id);
    let region = remembered.region.unwrap_or(region);
    scope(declared, class_name, class, None, account_id, region, String::new()).map(Some)
}

/// Refuses another place than the one that holds the resources: they would be left behind and made a second time.
fn stays(product: &DataProduct, account: &str, region: &str) -> Result<(), Blocker> {
    let before = product.status.as_ref().filter(|status| status.has_resources());
    let Some(before) = before.and_then(|status| status.domain.as_ref()) else { return Ok(()) };
    let moved =
        |remembered: &Option<String>, now: &str| remembered.as_deref().is_some_and(|before| before != now);
    if moved(&before.account_id, account) || moved(&before.region, region) {
        return Err(Blocker::PlaceChanged {
            from: format!(
                "{}/{}",
                before.account_id.clone().unwrap_or_default(),
                before.region.clone().unwrap_or_default()
            ),
            to: format!("{account}/{region}"),
        });
    }
    Ok(())
}

fn scope(
    declared: &Declared,
    class_name: String,
    class: &ProviderClass,
    domain_spec: Option<Arc<DataDomain>>,
    account: String,
    region: String,
    team_role: String,
) -> Result<Scope, Blocker> {
    let product = &declared.product;
    let domain = product.spec.domain.clone();
    let chosen = product.spec.provisioning.as_ref().and_then(|provisioning| provisioning.names.clone());
    let chosen = chosen.unwrap_or_default();
    let names =
        Names::of(&domain, &product.name_any(), &account, overrides(&chosen)).map_err(Blocker::BadName)?;
    let owner = Owner {
        cluster: declared.cluster.clone(),
        uid: product.uid().unwrap_or_default(),
        product: format!("{}/{}", product.namespace().unwrap_or_default(), product.name_any()),
        purpose: format!("{domain}/{}", product.name_any()),
        deletion: deletion_policy(product, class),
        released: false,
    };
    Ok(Scope {
        domain,
        domain_spec,
        account,
        region,
        team_role,
        class_name,
        class: class.spec.clone(),
        names,
        owner,
    })
}

/// The names that a product chose, in the form that the computation takes.
pub fn overrides(chosen: &ChosenNames) -> Overrides<'_> {
    Overrides {
        bucket: chosen.bucket.as_deref(),
        database: chosen.database.as_deref(),
        alarm: chosen.alarm.as_deref(),
    }
}

fn class_name(product: &DataProduct, domain: &DataDomain) -> Result<String, Blocker> {
    let asked =
        product.spec.provisioning.as_ref().and_then(|provisioning| provisioning.provider_class_name.as_ref());
    let allowed = &domain.spec.provider_classes;
    let class = asked.or_else(|| default_class(domain)).cloned().unwrap_or_default();
    if !allowed.contains(&class) {
        return Err(Blocker::ClassNotAllowed { class, allowed: allowed.clone(), domain: domain.name_any() });
    }
    let before = product.status.as_ref().filter(|status| status.has_resources());
    match before.and_then(|status| status.domain.as_ref()).and_then(|domain| domain.provider_class.as_ref()) {
        Some(before) if *before != class => Err(Blocker::ClassChanged { from: before.clone(), to: class }),
        _ => Ok(class),
    }
}

/// The class of a domain's products that name none.
pub fn default_class(domain: &DataDomain) -> Option<&String> {
    domain.spec.default_provider_class.as_ref().or(domain.spec.provider_classes.first())
}

/// Account and region of a domain's products in a class: the domain's, else the class's, else the default.
pub fn place(domain: Option<&DataDomain>, class: Option<&ProviderClass>) -> (String, String) {
    let account = domain.and_then(|domain| domain.spec.account.clone()).unwrap_or_default();
    let local = class.and_then(|class| class.spec.local.clone()).unwrap_or_default();
    let id = account.id.or(local.account_id).unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
    let region = account.region.or(local.region).unwrap_or_else(|| DEFAULT_REGION.to_owned());
    (id, region)
}

fn deletion_policy(product: &DataProduct, class: &ProviderClass) -> DeletionPolicy {
    let asked = product.spec.provisioning.as_ref().and_then(|provisioning| provisioning.deletion_policy);
    match asked.or(class.spec.deletion_policy) {
        Some(product::DeletionPolicy::Delete) => DeletionPolicy::Delete,
        Some(product::DeletionPolicy::Retain) | None => DeletionPolicy::Retain,
    }
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
