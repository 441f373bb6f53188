//! What bears on a judgement beside the product: policies, standards, domains and the other products, from files or from a
//! cluster. Whoever judges offline builds the same index that the operator's watches feed.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use jiff::Timestamp;
use k8s_openapi::{api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::Time};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::{CliError, inputs::Inputs};
use crate::{
    api::{
        DataDomain, DataProduct, DomainPolicy, GovernancePolicy, PlatformStandards, PlatformStandardsSpec,
        PolicyException, ProviderClass, STANDARDS_NAME,
    },
    controller::{
        kubernetes::{self, Listed},
        mesh::Mesh,
    },
    governance::{Policy, defaults, standing},
    manifest::Object,
    plan::{Declared, ProductName, bind::binding},
};

/// Everything that bears on judgements.
#[derive(Debug, Default, Clone)]
pub struct Context {
    /// The index of all of it.
    pub mesh: Mesh,
    /// What people should know of it.
    pub notes: Vec<String>,
    /// Whether every product of the mesh is known, so that it can be said which ones are not there.
    pub all_products: bool,
    /// Where each object of the files was first seen.
    first: BTreeMap<(String, String), String>,
    /// The products of the cluster, of which files may hold newer versions.
    live: BTreeMap<ProductName, DataProduct>,
    /// Whether a cluster was asked.
    of_cluster: bool,
    /// The exceptions of the files.
    asked: Vec<String>,
    /// Number of products that files brought.
    brought: u32,
}

/// A product of the files, ready to be judged.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Index of its file.
    pub file: usize,
    /// Its text.
    pub object: &'a Object,
    /// Itself.
    pub product: Arc<DataProduct>,
}

impl Context {
    /// Nothing yet; files are taken up with [`Context::take`]. `all_products` says that they hold every product of the mesh.
    pub fn of_files(all_products: bool) -> Self {
        Self { all_products, ..Self::default() }
    }

    /// The products of the cluster.
    pub fn live(&self) -> impl Iterator<Item = &DataProduct> {
        self.live.values()
    }

    /// Whether a cluster was asked.
    pub const fn is_of_cluster(&self) -> bool {
        self.of_cluster
    }

    /// A product of the cluster.
    pub fn live_of(&self, name: &ProductName) -> Option<&DataProduct> {
        self.live.get(name)
    }

    /// Whether anything is judged, before [`Context::complete`] gives the policies that come with the operator.
    pub fn has_policies(&self) -> bool {
        !self.mesh.global_policies.is_empty()
    }

    /// Everything that a cluster has.
    pub async fn of_cluster(client: &Client) -> Result<Self, CliError> {
        let mut context = Self { all_products: true, of_cluster: true, ..Self::default() };
        let mesh = &mut context.mesh;
        let failed = |error: kubernetes::RequestError| CliError::Cluster(error.to_string());
        match kubernetes::all::<Namespace>(client).await {
            Ok(Listed { objects, .. }) => {
                let labels =
                    objects.into_iter().map(|it| (it.name_any(), it.metadata.labels.unwrap_or_default()));
                mesh.namespaces = labels.collect();
            }
            // Labels of namespaces matter only to domains that select by them.
            Err(error) if error.is_forbidden() => context.notes.push(
                "you may not list namespaces, so that domains which select them by labels claim none here"
                    .to_owned(),
            ),
            Err(error) => return Err(failed(error)),
        }
        for domain in context.list::<DataDomain>(client).await? {
            context.mesh.domains.insert(domain.name_any(), Arc::new(domain));
        }
        for class in context.list::<ProviderClass>(client).await? {
            context.mesh.classes.insert(class.name_any(), Arc::new(class));
        }
        for standards in context.list::<PlatformStandards>(client).await? {
            context.mesh.standards = Some(Arc::new(standards));
        }
        for policy in context.list::<GovernancePolicy>(client).await? {
            context.mesh.global_policies.insert(policy.name_any(), Arc::new(policy));
        }
        for policy in context.list::<DomainPolicy>(client).await? {
            context.mesh.domain_policies.insert(ProductName::of(&policy).to_string(), Arc::new(policy));
        }
        for exception in context.list::<PolicyException>(client).await? {
            let name = ProductName::of(&exception).to_string();
            context.mesh.exception(&name, Some(Arc::new(exception)));
        }
        for product in context.list::<DataProduct>(client).await? {
            context.live.insert(ProductName::of(&product), product);
        }
        Ok(context)
    }

    async fn list<K>(&mut self, client: &Client) -> Result<Vec<K>, CliError>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + 'static,
    {
        let listed = kubernetes::all::<K>(client).await;
        let Listed { objects, undecodable } = listed.map_err(|error| CliError::Cluster(error.to_string()))?;
        if undecodable > 0 {
            let kind = K::kind(&());
            self.notes.push(format!(
                "{undecodable} objects of kind {kind} in the cluster cannot be read and do not count"
            ));
        }
        Ok(objects)
    }

    /// Takes up what files say; it counts in place of what the cluster has under the same name. `namespace` is that of objects
    /// which name none.
    pub fn take<'a>(
        &mut self,
        inputs: &'a Inputs,
        namespace: Option<&str>,
        now: Timestamp,
    ) -> Vec<Candidate<'a>> {
        for node in inputs.files.iter().flat_map(|file| &file.reading.namespaces) {
            if let Ok(found) = serde_json::from_value::<Namespace>(node.to_json()) {
                self.mesh.namespaces.insert(found.name_any(), found.metadata.labels.unwrap_or_default());
            }
        }
        let mut candidates = Vec::new();
        for (file, object) in inputs.objects() {
            let place = inputs.files.get(file).map(|input| {
                format!("{}:{}", input.source.name, input.source.position(object.node.span.start).line)
            });
            let place = place.unwrap_or_default();
            if object.kind == "DataProduct" {
                self.first_of(object, namespace, &place);
                let product = decode::<DataProduct>(object, namespace);
                candidates.extend(product.map(|product| Candidate {
                    file,
                    object,
                    product: Arc::new(self.dated(product, now)),
                }));
            } else if self.first_of(object, namespace, &place) {
                self.companion(object, namespace);
            }
        }
        candidates
    }

    /// Takes up what files say as if a cluster had it; files that are taken up later count in its place.
    pub fn suppose(&mut self, inputs: &Inputs, namespace: Option<&str>, now: Timestamp) {
        let supposed = self.take(inputs, namespace, now).into_iter().map(|candidate| candidate.product);
        let supposed = supposed.map(|product| (ProductName::of(&*product), Arc::unwrap_or_clone(product)));
        self.live.extend(supposed.collect::<Vec<_>>());
        self.first.clear();
    }

    /// Remembers where an object stands; false where another one of its name came before.
    fn first_of(&mut self, object: &Object, namespace: Option<&str>, place: &str) -> bool {
        let namespace = object.namespace.as_deref().or(namespace).unwrap_or_default();
        let key = (object.kind.clone(), format!("{namespace}/{}", object.name));
        let Some(first) = self.first.get(&key) else {
            self.first.insert(key, place.to_owned());
            return true;
        };
        let consequence = if object.kind == "DataProduct" { "both are judged" } else { "the first counts" };
        let name = &object.name;
        self.notes.push(format!("{} {name} stands in {first} and in {place}; {consequence}", object.kind));
        false
    }

    fn companion(&mut self, object: &Object, namespace: Option<&str>) {
        let mesh = &mut self.mesh;
        match object.kind.as_str() {
            "DataDomain" => {
                let domain = decode::<DataDomain>(object, None);
                mesh.domains.extend(domain.map(|domain| (domain.name_any(), Arc::new(domain))));
            }
            "ProviderClass" => {
                let class = decode::<ProviderClass>(object, None);
                mesh.classes.extend(class.map(|class| (class.name_any(), Arc::new(class))));
            }
            "PlatformStandards" => {
                let standards = decode::<PlatformStandards>(object, None);
                mesh.standards = standards.map(Arc::new).or(mesh.standards.take());
            }
            "GovernancePolicy" => {
                let policy = decode::<GovernancePolicy>(object, None);
                mesh.global_policies.extend(policy.map(|policy| (policy.name_any(), Arc::new(policy))));
            }
            "DomainPolicy" => {
                let policy = decode::<DomainPolicy>(object, namespace);
                let named = policy.map(|policy| (ProductName::of(&policy).to_string(), Arc::new(policy)));
                mesh.domain_policies.extend(named);
            }
            "PolicyException" => {
                if let Some(exception) = decode::<PolicyException>(object, namespace) {
                    let name = ProductName::of(&exception).to_string();
                    mesh.exception(&name, Some(Arc::new(exception)));
                    self.asked.push(name);
                }
            }
            _ => {}
        }
    }

    /// A product of a file with what the cluster knows of it. One that the cluster does not have is younger than all others, and
    /// those of the files are in the order of the files: who claims a name first keeps it.
    fn dated(&mut self, mut product: DataProduct, now: Timestamp) -> DataProduct {
        self.brought = self.brought.saturating_add(1);
        let live = self.live.get(&ProductName::of(&product));
        if let Some(live) = live {
            product.metadata.uid.clone_from(&live.metadata.uid);
            product.metadata.creation_timestamp.clone_from(&live.metadata.creation_timestamp);
            product.status.clone_from(&live.status);
        }
        product.metadata.creation_timestamp.get_or_insert(Time(now));
        product.metadata.uid.get_or_insert(format!("{:010}", self.brought));
        product
    }

    /// Completes what is needed to judge at all, and takes up the products, once all is known that places them: those that are
    /// judged, and others of which there is a file.
    pub fn complete(&mut self, others: &[Candidate<'_>], candidates: &[Candidate<'_>], now: Timestamp) {
        let mut missing = Vec::new();
        if self.mesh.global_policies.is_empty() {
            missing.push("GovernancePolicy: the policies that come with the operator judge");
            let policies = defaults().into_iter().map(|(policy, _)| (policy.name_any(), Arc::new(policy)));
            self.mesh.global_policies = policies.collect();
        }
        if self.mesh.standards.is_none() {
            missing.push("PlatformStandards: rules that read them ask for nothing");
            let standards = PlatformStandards::new(STANDARDS_NAME, PlatformStandardsSpec::default());
            self.mesh.standards = Some(Arc::new(standards));
        }
        if !missing.is_empty() && !candidates.is_empty() {
            let nobody =
                if self.of_cluster { "neither a file nor the cluster has a" } else { "no file has a" };
            let told = missing.into_iter().map(|what| format!("{nobody} {what}")).collect::<Vec<_>>();
            // Before what may be many.
            self.notes.insert(0, told.join("; "));
        }
        self.tell_exceptions(now);
        self.tell_policies();
        self.mesh.compile_policies();
        for product in self.live.values() {
            self.mesh.product(product);
        }
        // What is judged itself counts where both are of one name.
        for candidate in others.iter().chain(candidates) {
            self.mesh.product(&candidate.product);
        }
    }

    /// Says which exceptions of the files have no effect: nobody approves anything in a file.
    fn tell_exceptions(&mut self, now: Timestamp) {
        let Some(standards) = &self.mesh.standards else { return };
        let exceptions = self.asked.iter().filter_map(|name| Some((name, self.mesh.exceptions.get(name)?)));
        let without = exceptions.filter_map(|(name, exception)| {
            let (_, why, effect) = standing(exception, &standards.spec, now);
            effect.is_none().then(|| format!("PolicyException {name} has no effect: {why}"))
        });
        self.notes.extend(without.collect::<Vec<_>>());
    }

    /// Says which policies of domains judge nothing, because nothing says which domain they belong to.
    fn tell_policies(&mut self) {
        let none = BTreeMap::new();
        let unbound = self.mesh.domain_policies.iter().filter(|(_, policy)| {
            let namespace = policy.namespace().unwrap_or_default();
            let labels = self.mesh.namespaces.get(&namespace).unwrap_or(&none);
            binding(&namespace, labels, self.mesh.domains.values()).len() != 1
        });
        let told = unbound.map(|(name, _)| {
            format!("DomainPolicy {name} judges nothing: no DataDomain here has its namespace alone")
        });
        self.notes.extend(told.collect::<Vec<_>>());
    }

    /// Everything declared that bears on a product.
    pub fn declared(&self, product: &Arc<DataProduct>, now: Timestamp) -> Declared {
        let mesh = &self.mesh;
        let name = ProductName::of(product.as_ref());
        Declared {
            now,
            cluster: String::new(),
            product: Arc::clone(product),
            previous: None,
            namespace_labels: mesh.namespaces.get(&name.namespace).cloned().unwrap_or_default(),
            domains: mesh.domains.values().cloned().collect(),
            classes: mesh.classes.clone(),
            standards: mesh.standards.clone(),
            policies: Arc::clone(mesh.policies()),
            precedents: Arc::default(),
            exceptions: mesh.exceptions_of(&name),
            neighbours: mesh.neighbours(product),
        }
    }

    /// What cannot be evaluated of a policy as it is written, by rule. Which domain a policy belongs to is often not known from
    /// files; then the names of its rules are not judged.
    pub fn policy_faults(&self, object: &Object, namespace: Option<&str>) -> Vec<(String, String)> {
        let compiled = match object.kind.as_str() {
            "GovernancePolicy" => decode::<GovernancePolicy>(object, None).map(|policy| {
                Policy::global(&object.name, &policy.spec.policy, policy.spec.matches.as_ref())
            }),
            "DomainPolicy" => decode::<DomainPolicy>(object, namespace).map(|policy| {
                let (of, spec) = (policy.namespace().unwrap_or_default(), &policy.spec);
                let labels = self.mesh.namespaces.get(&of).cloned().unwrap_or_default();
                match binding(&of, &labels, self.mesh.domains.values()).as_slice() {
                    [domain] => {
                        let domain = domain.name_any();
                        Policy::of_domain(
                            &of,
                            &object.name,
                            Some(&domain),
                            &spec.policy,
                            spec.matches.as_ref(),
                        )
                    }
                    _ => Policy::global(&object.name, &spec.policy, None),
                }
            }),
            _ => None,
        };
        let faults = compiled.into_iter().flat_map(|policy| policy.faults);
        faults.map(|fault| (fault.rule, fault.message)).collect()
    }
}

/// An object as its type; `None` where the schema has found what keeps it from being one. What it says of its status counts as
/// far as it can be read.
pub(super) fn decode<K>(object: &Object, namespace: Option<&str>) -> Option<K>
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
{
    // The rules rely on the bounds of the definition, and would take their time on a list without one.
    if object.faults.iter().any(|fault| fault.oversized) {
        return None;
    }
    let mut json = object.node.to_json();
    let decoded = serde_json::from_value::<K>(json.clone()).ok().or_else(|| {
        json.as_object_mut()?.remove("status");
        serde_json::from_value(json).ok()
    });
    let mut decoded = decoded?;
    if let Some(namespace) = namespace {
        decoded.meta_mut().namespace.get_or_insert_with(|| namespace.to_owned());
    }
    Some(decoded)
}
