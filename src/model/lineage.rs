//! A product among the others of its mesh: its name, what it reads, who reads it, and who else claims its names.

use std::{collections::BTreeSet, fmt};

use kube::ResourceExt;

use crate::api::{DataProduct, product::Classification};

/// Names a product in its cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ProductName {
    /// The name of an object.
    pub fn of(object: &impl ResourceExt) -> Self {
        Self { namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }

    /// Reads `name` or `namespace/name`; the first form means the given namespace.
    pub fn parse(text: &str, namespace: &str) -> Self {
        let (namespace, name) = text.split_once('/').unwrap_or((namespace, text));
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for ProductName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A product that another one reads, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Which product.
    pub name: ProductName,
    /// What is known of it; `None` when it does not exist.
    pub found: Option<UpstreamFacts>,
}

/// What is known of an upstream product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamFacts {
    /// Whether it is ready.
    pub ready: bool,
    /// Its version.
    pub version: String,
    /// How sensitive its data is.
    pub sensitivity: Sensitivity,
}

/// How sensitive data is, as its product says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sensitivity {
    /// Its class, where the product says one.
    pub classification: Option<Classification>,
    /// Whether some of it identifies persons.
    pub pii: bool,
}

impl Sensitivity {
    /// What a product says of its data.
    pub fn of(product: &DataProduct) -> Self {
        let spec = &product.spec;
        let access = spec.access.as_ref();
        let fields = spec.schema.iter().filter_map(|schema| schema.fields.as_ref()).flatten();
        let named = access.and_then(|access| access.privacy.as_ref()).map(|privacy| &privacy.pii_columns);
        Self {
            classification: access.and_then(|access| access.classification),
            pii: fields.into_iter().any(|field| field.pii == Some(true))
                || named.is_some_and(|columns| !columns.is_empty()),
        }
    }
}

/// The product's neighbours in the mesh.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// An older product that claims one of this product's external names, with the name.
    pub name_taken: Option<(String, ProductName)>,
    /// The products that read this one, with their domains, sorted.
    pub consumers: BTreeSet<(ProductName, String)>,
    /// The products that this one reads, sorted; without those beyond the horizon.
    pub upstreams: Vec<Upstream>,
    /// The products that this one reads and that are beyond the horizon, sorted: nobody knows whether they exist.
    pub beyond: Vec<ProductName>,
    /// The only namespace whose products are seen; `None` where all are. Who reads this product elsewhere is not known.
    pub horizon: Option<String>,
    /// A cycle through this product, product by product; empty when there is none.
    pub cycle: Vec<ProductName>,
}
