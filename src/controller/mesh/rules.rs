//! What the index knows of policies and exceptions: ready to judge, and whom a change of one touches.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::ResourceExt;

use super::Mesh;
use crate::{
    api::PolicyException,
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

    /// Compiles the policies anew, and names the products that one which changed judges, or judged before.
    pub fn compile_policies(&mut self) -> BTreeSet<ProductName> {
        let global = self
            .global_policies
            .iter()
            .map(|(name, policy)| Policy::global(name, &policy.spec.policy, policy.spec.matches.as_ref()));
        let none = BTreeMap::new();
        let of_domains = self.domain_policies.values().map(|policy| {
            let (namespace, name) = (policy.namespace().unwrap_or_default(), policy.name_any());
            let labels = self.namespaces.get(&namespace).unwrap_or(&none);
            let binding = binding(&namespace, labels, self.domains.values());
            let binding = binding.into_iter().map(|domain| domain.name_any()).collect::<Vec<_>>();
            // A namespace that several domains claim belongs to none.
            let domain = if let [domain] = &binding[..] { Some(domain.as_str()) } else { None };
            Policy::of_domain(&namespace, &name, domain, &policy.spec.policy, policy.spec.matches.as_ref())
        });
        let new = Arc::new(global.chain(of_domains).collect::<PolicySet>());
        let old = std::mem::replace(&mut self.policies, new);
        let only_in = |one: &PolicySet, other: &PolicySet| -> Vec<Policy> {
            one.policies().filter(|policy| !other.policies().any(|same| same == *policy)).cloned().collect()
        };
        let mut changed = only_in(&old, &self.policies);
        changed.extend(only_in(&self.policies, &old));
        // Whether anything can be judged at all matters to everybody.
        let all = old.is_empty() != self.policies.is_empty();
        self.select(|_, facts| all || changed.iter().any(|policy| policy.judges(&facts.subject)))
    }
}

/// The product that an exception is about.
fn excepted(exception: &PolicyException) -> ProductName {
    let namespace = exception.namespace().unwrap_or_default();
    ProductName { namespace, name: exception.spec.product_ref.name.clone() }
}
