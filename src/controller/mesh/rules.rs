//! What the index knows of policies and exceptions: ready to judge, and whom a change of one touches.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::ResourceExt;

use super::Mesh;
use crate::{
    api::{DomainPolicy, GovernancePolicy, PolicyException},
    governance::{Policy, PolicySet},
    model::lineage::ProductName,
    plan::bind::binding,
};

impl Mesh {
    /// The exceptions that were asked for a product.
    pub fn exceptions_of(&self, product: &ProductName) -> Vec<Arc<PolicyException>> {
        let prefix = format!("{}/", product.namespace);
        let namespace = self.exceptions.range(prefix.clone()..);
        let namespace = namespace.take_while(|(name, _)| name.starts_with(&prefix));
        let of = namespace.filter(|(_, exception)| excepted(exception) == *product);
        of.map(|(_, exception)| Arc::clone(exception)).collect()
    }

    /// Takes up an exception, or its absence, and names the product that it is about, before and after.
    pub fn exception(
        &mut self,
        name: &str,
        exception: Option<Arc<PolicyException>>,
    ) -> BTreeSet<ProductName> {
        let new = exception.clone();
        let old = match exception {
            Some(exception) => self.exceptions.insert(name.to_owned(), exception),
            None => self.exceptions.remove(name),
        };
        // What the operator writes into its status touches nobody.
        let says = |exception: &PolicyException| {
            (exception.spec.clone(), exception.status.as_ref().and_then(|status| status.approval.clone()))
        };
        if old.as_deref().map(says) == new.as_deref().map(says) {
            return BTreeSet::new();
        }
        old.iter().chain(&new).map(|exception| excepted(exception)).collect()
    }

    /// The policies, ready to judge.
    pub fn policies(&self) -> &Arc<PolicySet> {
        &self.policies
    }

    /// Notes that a policy has changed, or the domain that a policy's namespace belongs to.
    pub const fn policies_changed(&mut self) {
        self.edition = self.edition.wrapping_add(1);
    }

    /// Whether the policies are ready as they are declared now.
    pub const fn is_compiled(&self) -> bool {
        self.edition == self.compiled
    }

    /// What has to be compiled.
    pub fn sources(&self) -> Sources {
        let none = BTreeMap::new();
        let of_domains = self.domain_policies.values().map(|policy| {
            let namespace = policy.namespace().unwrap_or_default();
            let labels = self.namespaces.get(&namespace).unwrap_or(&none);
            let binding = binding(&namespace, labels, self.domains.values());
            let binding = binding.into_iter().map(|domain| domain.name_any()).collect::<Vec<_>>();
            // A namespace that several domains claim belongs to none.
            (Arc::clone(policy), if let [domain] = &binding[..] { Some(domain.clone()) } else { None })
        });
        Sources {
            edition: self.edition,
            global: self.global_policies.values().cloned().collect(),
            of_domains: of_domains.collect(),
            known: Arc::clone(&self.policies),
        }
    }

    /// Takes up compiled policies, and names the products that one which changed judges, or judged before.
    pub fn adopt(&mut self, edition: u64, policies: PolicySet) -> BTreeSet<ProductName> {
        self.compiled = edition;
        let old = std::mem::replace(&mut self.policies, Arc::new(policies));
        let only_in = |one: &PolicySet, other: &PolicySet| -> Vec<Arc<Policy>> {
            one.policies().filter(|policy| !other.policies().any(|same| same == *policy)).cloned().collect()
        };
        let mut changed = only_in(&old, &self.policies);
        changed.extend(only_in(&self.policies, &old));
        // Whether anything can be judged at all matters to everybody.
        let all = old.is_empty() != self.policies.is_empty();
        self.select(|_, facts| all || changed.iter().any(|policy| policy.judges(&facts.subject())))
    }

    /// Compiles the policies here and now.
    pub fn compile_policies(&mut self) -> BTreeSet<ProductName> {
        let sources = self.sources();
        self.adopt(sources.edition, sources.compile())
    }
}

/// Policies as they are declared, and those that are compiled already.
#[derive(Debug)]
pub struct Sources {
    /// Which state of the policies this is.
    pub edition: u64,
    global: Vec<Arc<GovernancePolicy>>,
    of_domains: Vec<(Arc<DomainPolicy>, Option<String>)>,
    known: Arc<PolicySet>,
}

impl Sources {
    /// Compiles the policies that are not known yet.
    pub fn compile(&self) -> PolicySet {
        let global = self.global.iter().map(|policy| {
            let (declared, matches) = (&policy.spec.policy, policy.spec.matches.as_ref());
            self.known.global(&policy.name_any(), declared, matches)
        });
        let of_domains = self.of_domains.iter().map(|(policy, domain)| {
            let (namespace, name) = (policy.namespace().unwrap_or_default(), policy.name_any());
            let (declared, matches) = (&policy.spec.policy, policy.spec.matches.as_ref());
            self.known.of_domain(&namespace, &name, domain.as_deref(), declared, matches)
        });
        global.chain(of_domains).collect()
    }
}

/// The product that an exception is about.
fn excepted(exception: &PolicyException) -> ProductName {
    let namespace = exception.namespace().unwrap_or_default();
    ProductName { namespace, name: exception.spec.product_ref.name.clone() }
}
