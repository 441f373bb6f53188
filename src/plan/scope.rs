//! Where a product's resources live and under whose name, or what forbids to know it.
//!
//! Everything that can forbid provisioning before a provider is asked is found here, as a [`Blocker`]. What exists is
//! never left behind: another class, place or name than that of the resources is refused.

use std::{collections::BTreeSet, sync::Arc};

use jiff::SignedDuration;
use kube::ResourceExt;

use crate::{
    api::{
        AdoptionPolicy, DataDomain, DataProduct, DriftPolicy, Enforcement, ProviderClass, ProviderClassSpec,
        product::{self, ChosenNames},
    },
    model::{
        arn,
        duration::Period,
        name::{Names, Overrides},
        owner::{DeletionPolicy, Owner},
        resource::{Key, Kind},
    },
    plan::{
        bind::{bind, default_class, place},
        blocker::Blocker,
        world::Declared,
    },
};

/// Days during which a deleted key can be taken back, when the class does not say.
pub const DEFAULT_KEY_WINDOW_DAYS: i32 = 30;
/// How long a resource whose create got no answer may still appear, when the class does not say.
pub const LOST_CREATE_WAIT: SignedDuration = SignedDuration::from_mins(15);

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
    /// Role in that account that the operator assumes, where the domain names one.
    pub operator_role: Option<String>,
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

    /// How long a resource whose create got no answer may still appear.
    pub fn lost_create_wait(&self) -> SignedDuration {
        let chosen = self.class.aws.as_ref().and_then(|aws| aws.lost_create_wait.as_ref());
        // A period that cannot be read was refused by the schema.
        let chosen = chosen.and_then(|wait| wait.parse::<Period>().ok());
        chosen.map_or(LOST_CREATE_WAIT, |wait| SignedDuration::from_secs(wait.seconds()))
    }

    /// Every key of the product in the order of creation: those of its names, and those of what its status knows as its
    /// own under other names, which must not be left behind when it goes.
    pub fn keys_of(&self, product: &DataProduct) -> BTreeSet<Key> {
        self.names.keys().chain(remembered(product)).collect()
    }
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
    let place = placed(place(Some(domain), Some(class)), &product.spec.domain, &class_name)?;
    stays(product, &place.0, &place.1)?;
    let scope = scope(declared, class_name, class, Some(Arc::clone(domain)), place)?;
    keeps_names(product, &scope.names)?;
    Ok(scope)
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
    let (account, region) = place(None, Some(class));
    let place = (remembered.account_id.unwrap_or(account), remembered.region.unwrap_or(region));
    // Its domain, while there is one, still says by which role its account is entered.
    let domain = declared.domains.iter().find(|domain| domain.name_any() == remembered.name);
    scope(declared, class_name, class, domain.cloned(), place).map(Some)
}

/// Refuses a place that nobody named.
fn placed(place: (String, String), domain: &str, class: &str) -> Result<(String, String), Blocker> {
    let missing = if place.0.is_empty() { "account" } else { "region" };
    if place.0.is_empty() || place.1.is_empty() {
        return Err(Blocker::NoPlace { domain: domain.to_owned(), class: class.to_owned(), missing });
    }
    Ok(place)
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

/// Refuses other names than those of the resources, for the same reason.
fn keeps_names(product: &DataProduct, names: &Names) -> Result<(), Blocker> {
    let renamed = remembered(product).find(|key| *key != names.key(key.kind));
    renamed.map_or(Ok(()), |from| {
        let to = names.key(from.kind).name;
        Err(Blocker::NameChanged { from, to })
    })
}

/// What the status knows as the product's own.
fn remembered(product: &DataProduct) -> impl Iterator<Item = Key> {
    let resources = product.status.iter().flat_map(|status| &status.resources);
    let own = resources.filter(|resource| resource.id.is_some());
    own.filter_map(|resource| Some(Key::new(Kind::parse(&resource.kind)?, &resource.name)))
}

fn scope(
    declared: &Declared,
    class_name: String,
    class: &ProviderClass,
    domain_spec: Option<Arc<DataDomain>>,
    (account, region): (String, String),
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
    let entry = domain_spec.as_ref().and_then(|domain| domain.spec.account.clone()).unwrap_or_default();
    let team_role =
        entry.team_role_arn.unwrap_or_else(|| arn::role(&account, &region, &format!("{domain}-team-role")));
    Ok(Scope {
        domain,
        domain_spec,
        account,
        region,
        operator_role: entry.operator_role_arn,
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

fn deletion_policy(product: &DataProduct, class: &ProviderClass) -> DeletionPolicy {
    let asked = product.spec.provisioning.as_ref().and_then(|provisioning| provisioning.deletion_policy);
    match asked.or(class.spec.deletion_policy) {
        Some(product::DeletionPolicy::Delete) => DeletionPolicy::Delete,
        Some(product::DeletionPolicy::Retain) | None => DeletionPolicy::Retain,
    }
}
