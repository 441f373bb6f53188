//! What the watches have shown: products as light facts, and the few objects that bear on them.
//!
//! An index fed by events, so that no reconcile lists anything: it answers who claims a name, who reads whom, and which
//! products an event touches. It decides nothing else.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use jiff::Timestamp;
use kube::ResourceExt;

use crate::{
    api::{
        DataDomain, DataProduct, DataProductStatus, DomainPolicy, GovernancePolicy, PlatformStandards,
        PolicyException, ProviderClass,
        product::{ChosenNames, Lifecycle},
    },
    governance::{PolicySet, Subject},
    model::{
        lineage::{Neighbours, ProductName, Sensitivity, Upstream, UpstreamFacts},
        name::Names,
        resource::Key,
    },
    plan::{
        bind::{binds, default_class, place},
        scope::overrides,
    },
};

/// Longest path that is followed in search of a cycle.
const MAX_CYCLE: usize = 64;

/// An external name, with the account and region in which its holder must be the only one.
type External = (String, String, Key);

/// What the mesh keeps of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    uid: String,
    created: Option<Timestamp>,
    domain: String,
    version: String,
    sensitivity: Sensitivity,
    lifecycle: Lifecycle,
    labels: BTreeMap<String, String>,
    class: Option<String>,
    ready: bool,
    /// Whether it has resources, so that it already holds the names that it claims.
    holds: bool,
    reads: BTreeSet<ProductName>,
    /// The names that its spec chooses.
    chosen: ChosenNames,
    /// The names that it claims, as domain and class place them now.
    claims: BTreeSet<External>,
}

impl Facts {
    /// What policies choose it by.
    fn subject(&self) -> Subject<'_> {
        Subject {
            domain: &self.domain,
            classification: self.sensitivity.classification,
            lifecycle: self.lifecycle,
            labels: &self.labels,
        }
    }

    /// What those who read the product know of it.
    fn as_upstream(&self) -> UpstreamFacts {
        UpstreamFacts { ready: self.ready, version: self.version.clone(), sensitivity: self.sensitivity }
    }
}

/// Everything that the watches have shown.
#[derive(Debug, Default, Clone)]
pub struct Mesh {
    products: BTreeMap<ProductName, Facts>,
    claimants: BTreeMap<External, BTreeSet<ProductName>>,
    readers: BTreeMap<ProductName, BTreeSet<ProductName>>,
    /// The only namespace whose products are seen; `None` where all are.
    pub horizon: Option<String>,
    /// Labels of namespaces.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Domains by name.
    pub domains: BTreeMap<String, Arc<DataDomain>>,
    /// Provider classes by name.
    pub classes: BTreeMap<String, Arc<ProviderClass>>,
    /// The platform's standards.
    pub standards: Option<Arc<PlatformStandards>>,
    /// Policies of the central group by name.
    pub global_policies: BTreeMap<String, Arc<GovernancePolicy>>,
    /// Policies of domains, by `namespace/name`.
    pub domain_policies: BTreeMap<String, Arc<DomainPolicy>>,
    /// Exceptions, by `namespace/name`.
    pub exceptions: BTreeMap<String, Arc<PolicyException>>,
    /// All policies, ready to judge.
    policies: Arc<PolicySet>,
    /// Counts the changes of policies.
    edition: u64,
    /// The last state of the policies that was compiled.
    compiled: u64,
}

impl Mesh {
    /// Takes up a product and returns the other products that this touches.
    pub fn product(&mut self, product: &DataProduct) -> BTreeSet<ProductName> {
        let name = ProductName::of(product);
        let facts = self.facts(product);
        self.take_up(name, facts)
    }

    fn take_up(&mut self, name: ProductName, facts: Facts) -> BTreeSet<ProductName> {
        let before = self.products.get(&name);
        if before == Some(&facts) {
            return BTreeSet::new();
        }
        let touched = self.touched(&name, before, Some(&facts));
        self.unlink(&name);
        for claim in &facts.claims {
            self.claimants.entry(claim.clone()).or_default().insert(name.clone());
        }
        for upstream in &facts.reads {
            self.readers.entry(upstream.clone()).or_default().insert(name.clone());
        }
        self.products.insert(name, facts);
        touched
    }

    /// Forgets a product and returns the other products that this touches.
    pub fn product_gone(&mut self, name: &ProductName) -> BTreeSet<ProductName> {
        let touched = self.touched(name, self.products.get(name), None);
        self.unlink(name);
        self.products.remove(name);
        touched
    }

    /// Every product.
    pub fn products(&self) -> BTreeSet<ProductName> {
        self.products.keys().cloned().collect()
    }

    /// The products that a domain, before or after a change, has to do with.
    pub fn products_of_domain(&self, domain: &DataDomain) -> BTreeSet<ProductName> {
        let name = domain.name_any();
        let none = BTreeMap::new();
        self.select(|product, facts| {
            let labels = self.namespaces.get(&product.namespace).unwrap_or(&none);
            facts.domain == name || binds(domain, &product.namespace, labels)
        })
    }

    /// The products that a class provisions: those that name it, and those of domains that allow it and name none.
    pub fn products_of_class(&self, class: &str) -> BTreeSet<ProductName> {
        self.select(|_, facts| self.class_of(facts).is_some_and(|name| name == class))
    }

    /// The products of a namespace.
    pub fn products_of_namespace(&self, namespace: &str) -> BTreeSet<ProductName> {
        self.select(|product, _| product.namespace == namespace)
    }

    /// Computes the claims anew of products whose place may have changed, and returns their rivals, old and new.
    pub fn reclaim(&mut self, products: &BTreeSet<ProductName>) -> BTreeSet<ProductName> {
        let mut touched = BTreeSet::new();
        for name in products {
            if let Some(facts) = self.products.get(name) {
                let facts = Facts { claims: self.claims(name, facts), ..facts.clone() };
                touched.extend(self.take_up(name.clone(), facts));
            }
        }
        touched
    }

    /// The class that provisions a product: its own word, else its domain's.
    fn class_of<'a>(&'a self, facts: &'a Facts) -> Option<&'a String> {
        facts
            .class
            .as_ref()
            .or_else(|| self.domains.get(&facts.domain).and_then(|domain| default_class(domain)))
    }

    /// The neighbours of a product.
    pub fn neighbours(&self, product: &DataProduct) -> Neighbours {
        let name = ProductName::of(product);
        // What the mesh does not have claims and reads nothing; who reads it beyond the horizon is unknown all the same.
        let none = || Neighbours { horizon: self.horizon.clone(), ..Neighbours::default() };
        self.products.get(&name).map_or_else(none, |facts| self.neighbours_of(&name, facts))
    }

    /// The neighbours that a product would have if it were as it is given here, whether the mesh has it or not. One that
    /// nobody has given an age yet is the youngest.
    pub fn neighbours_if(&self, product: &DataProduct, now: Timestamp) -> Neighbours {
        let facts = self.facts(product);
        let facts = Facts { created: facts.created.or(Some(now)), ..facts };
        self.neighbours_of(&ProductName::of(product), &facts)
    }

    fn neighbours_of(&self, name: &ProductName, facts: &Facts) -> Neighbours {
        let consumers = self.readers.get(name).into_iter().flatten().filter(|reader| *reader != name);
        let (seen, beyond): (Vec<_>, Vec<_>) = facts.reads.iter().partition(|upstream| self.sees(upstream));
        Neighbours {
            name_taken: self.name_taken(name, facts),
            consumers: consumers
                .map(|reader| {
                    let domain = self.products.get(reader).map(|facts| facts.domain.clone());
                    (reader.clone(), domain.unwrap_or_default())
                })
                .collect(),
            upstreams: seen
                .into_iter()
                .map(|upstream| Upstream {
                    name: upstream.clone(),
                    found: self.products.get(upstream).map(Facts::as_upstream),
                })
                .collect(),
            beyond: beyond.into_iter().cloned().collect(),
            horizon: self.horizon.clone(),
            cycle: self.cycle(name, facts),
        }
    }

    /// Whether a product would be seen if it existed.
    fn sees(&self, product: &ProductName) -> bool {
        self.horizon.as_ref().is_none_or(|namespace| *namespace == product.namespace)
    }

    fn select(&self, wanted: impl Fn(&ProductName, &Facts) -> bool) -> BTreeSet<ProductName> {
        let products = self.products.iter().filter(|(name, facts)| wanted(name, facts));
        products.map(|(name, _)| name.clone()).collect()
    }

    /// The first name of a product that an older product claims too.
    fn name_taken(&self, name: &ProductName, facts: &Facts) -> Option<(String, ProductName)> {
        // Who has resources holds their names. Then age decides, and the uid between products of the same second.
        let rank = |facts: &Facts| (!facts.holds, facts.created, facts.uid.clone());
        facts.claims.iter().find_map(|claim| {
            let rivals = self.claimants.get(claim)?.iter().filter(|rival| *rival != name);
            let older = rivals
                .filter_map(|rival| self.products.get(rival).map(|facts| (rank(facts), rival)))
                .filter(|(rival_rank, _)| *rival_rank < rank(facts))
                .min()?;
            let (.., key) = claim;
            Some((key.name.clone(), older.1.clone()))
        })
    }

    /// The shortest way from a product back to itself, or nothing.
    fn cycle(&self, start: &ProductName, facts: &Facts) -> Vec<ProductName> {
        let mut came_from: BTreeMap<&ProductName, &ProductName> = BTreeMap::new();
        let mut edge = vec![start];
        for _ in 0..MAX_CYCLE {
            let mut further = Vec::new();
            for at in edge {
                let at_start = (at == start).then_some(facts);
                for next in at_start.or(self.products.get(at)).into_iter().flat_map(|facts| &facts.reads) {
                    if next == start {
                        return way_back(start, at, &came_from);
                    }
                    if let Entry::Vacant(unseen) = came_from.entry(next) {
                        unseen.insert(at);
                        further.push(next);
                    }
                }
            }
            edge = further;
        }
        Vec::new()
    }

    /// The other products for which a change of one product matters.
    fn touched(
        &self,
        name: &ProductName,
        before: Option<&Facts>,
        after: Option<&Facts>,
    ) -> BTreeSet<ProductName> {
        let mut touched = BTreeSet::new();
        let place = |facts: Option<&Facts>| facts.map(|facts| (facts.domain.clone(), facts.as_upstream()));
        if place(before) != place(after) {
            touched.extend(self.readers.get(name).into_iter().flatten().cloned());
        }
        let reads = |facts: Option<&Facts>| facts.map(|facts| facts.reads.clone()).unwrap_or_default();
        let domain = |facts: Option<&Facts>| facts.map(|facts| facts.domain.clone());
        if domain(before) == domain(after) {
            touched.extend(reads(before).symmetric_difference(&reads(after)).cloned());
        } else {
            touched.extend(reads(before).union(&reads(after)).cloned());
        }
        // A claim that begins to be held, or ceases to be, matters like one that appears or goes.
        let claims = |facts: Option<&Facts>| -> BTreeSet<(External, bool)> {
            let claims =
                facts.map(|facts| facts.claims.iter().map(|claim| (claim.clone(), facts.holds)).collect());
            claims.unwrap_or_default()
        };
        for (claim, _) in claims(before).symmetric_difference(&claims(after)) {
            touched.extend(self.claimants.get(claim).into_iter().flatten().cloned());
        }
        touched.retain(|other| other != name && self.products.contains_key(other));
        touched
    }

    fn unlink(&mut self, name: &ProductName) {
        let Some(facts) = self.products.get(name) else {
            return;
        };
        for claim in &facts.claims {
            if let Some(claimants) = self.claimants.get_mut(claim) {
                claimants.remove(name);
                if claimants.is_empty() {
                    self.claimants.remove(claim);
                }
            }
        }
        for upstream in &facts.reads {
            if let Some(readers) = self.readers.get_mut(upstream) {
                readers.remove(name);
                if readers.is_empty() {
                    self.readers.remove(upstream);
                }
            }
        }
    }

    fn facts(&self, product: &DataProduct) -> Facts {
        let status = product.status.as_ref();
        let provisioning = product.spec.provisioning.as_ref();
        let chosen = provisioning.and_then(|provisioning| provisioning.names.clone());
        let facts = Facts {
            uid: product.uid().unwrap_or_default(),
            created: product.creation_timestamp().map(|at| at.0),
            domain: product.spec.domain.clone(),
            version: product.spec.version.clone(),
            sensitivity: Sensitivity::of(product),
            lifecycle: product.spec.lifecycle.unwrap_or_default(),
            labels: product.metadata.labels.clone().unwrap_or_default(),
            class: provisioning.and_then(|provisioning| provisioning.provider_class_name.clone()),
            ready: status
                .and_then(|status| status.condition("Ready"))
                .is_some_and(|ready| ready.status == "True"),
            holds: status.is_some_and(DataProductStatus::has_resources),
            reads: reads(product),
            chosen: chosen.unwrap_or_default(),
            claims: BTreeSet::new(),
        };
        Facts { claims: self.claims(&ProductName::of(product), &facts), ..facts }
    }

    /// The external names of a product, where its domain and its class place it.
    fn claims(&self, name: &ProductName, facts: &Facts) -> BTreeSet<External> {
        let domain = self.domains.get(&facts.domain).map(Arc::as_ref);
        let class = self.class_of(facts).and_then(|class| self.classes.get(class)).map(Arc::as_ref);
        let (account, region) = place(domain, class);
        // A product without legal names claims none; its own reconcile says so.
        let names = Names::of(&facts.domain, &name.name, &account, overrides(&facts.chosen));
        let keys = names.iter().flat_map(Names::keys);
        keys.map(|key| (account.clone(), region.clone(), key)).collect()
    }
}

/// A cycle from its start over the last product before it closes, product by product.
fn way_back(
    start: &ProductName,
    last: &ProductName,
    came_from: &BTreeMap<&ProductName, &ProductName>,
) -> Vec<ProductName> {
    let steps = std::iter::successors(Some(last), |at| came_from.get(at).copied());
    let mut way = steps.take_while(|at| *at != start).cloned().collect::<Vec<_>>();
    way.push(start.clone());
    way.reverse();
    way.push(start.clone());
    way
}

/// The products that a product reads, from its lineage and its input ports.
fn reads(product: &DataProduct) -> BTreeSet<ProductName> {
    let namespace = product.namespace().unwrap_or_default();
    let lineage = product.spec.lineage.iter().flat_map(|lineage| &lineage.upstream_products);
    let ports = product.spec.input_ports.iter().filter_map(|port| port.product_ref.as_ref());
    lineage
        .map(|text| ProductName::parse(text, &namespace))
        .chain(ports.map(|to| ProductName {
            namespace: to.namespace.clone().unwrap_or_else(|| namespace.clone()),
            name: to.name.clone(),
        }))
        .collect()
}

mod rules;
#[cfg(test)]
mod tests;
