//! What is known of the mesh around a product: the same index that the operator's watches feed, and the products themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::{api::DataProduct, controller::mesh::Mesh, plan::ProductName};

/// Most products that a trace goes to.
pub(super) const MOST: usize = 500;

/// Products of a mesh, and who reads whom.
#[derive(Debug, Default)]
pub struct Known {
    mesh: Mesh,
    products: BTreeMap<ProductName, DataProduct>,
    /// Products that are there and were not seen.
    unseen: BTreeMap<ProductName, Unseen>,
    /// Whether every product of the cluster is known, and so every reader.
    whole: bool,
}

/// A product as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    /// Itself.
    Product(&'a DataProduct),
    /// There is none.
    Missing,
    /// There may be one.
    Unseen(Unseen),
}

/// Why a product was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// Whoever asks may not read it.
    Forbidden,
    /// It is there, and not what a product should be.
    Unreadable,
}

/// Which way a trace goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the products that are read.
    Up,
    /// To the products that read.
    Down,
}

impl Known {
    /// Every product of a cluster.
    pub fn of(products: impl IntoIterator<Item = DataProduct>) -> Self {
        let mut known = Self { whole: true, ..Self::default() };
        products.into_iter().for_each(|product| known.add(product));
        known
    }

    /// Some of the products of a cluster; who else reads one is not known.
    pub fn in_part(products: impl IntoIterator<Item = DataProduct>) -> Self {
        Self { whole: false, ..Self::of(products) }
    }

    /// Takes up a product.
    pub fn add(&mut self, product: DataProduct) {
        self.mesh.product(&product);
        self.products.insert(ProductName::of(&product), product);
    }

    /// Takes note that a product was not seen.
    pub fn hide(&mut self, name: ProductName, why: Unseen) {
        self.unseen.insert(name, why);
    }

    /// Whether every reader is known.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    pub(super) fn look<'a>(&'a self, name: &ProductName) -> Seen<'a> {
        match self.products.get(name) {
            Some(product) => Seen::Product(product),
            None => self.unseen.get(name).map_or(Seen::Missing, |why| Seen::Unseen(*why)),
        }
    }

    /// The products next to one, sorted.
    pub(super) fn next(&self, name: &ProductName, way: Way) -> Vec<ProductName> {
        let Some(product) = self.products.get(name) else { return Vec::new() };
        let neighbours = self.mesh.neighbours(product);
        match way {
            Way::Up => neighbours.upstreams.into_iter().map(|upstream| upstream.name).collect(),
            Way::Down => neighbours.consumers.into_iter().map(|(reader, _)| reader).collect(),
        }
    }

    /// The upstream products within some steps of a product that were not looked for yet.
    pub fn unknown(&self, root: &ProductName, depth: usize) -> Vec<ProductName> {
        let reached = self.reach(root, Way::Up, depth).0;
        let unknown = reached.into_iter().filter(|name| matches!(self.look(name), Seen::Missing));
        unknown.collect()
    }

    /// The products within some steps of a product, itself among them, and whether there are more.
    pub(super) fn reach(&self, root: &ProductName, way: Way, depth: usize) -> (BTreeSet<ProductName>, bool) {
        let mut reached = BTreeSet::from([root.clone()]);
        let mut edge = vec![root.clone()];
        for _ in 0..depth {
            let mut further = Vec::new();
            for next in edge.iter().flat_map(|name| self.next(name, way)) {
                if reached.contains(&next) {
                    continue;
                }
                if reached.len() >= MOST {
                    return (reached, true);
                }
                reached.insert(next.clone());
                further.push(next);
            }
            edge = further;
        }
        let more = edge.iter().flat_map(|name| self.next(name, way)).any(|next| !reached.contains(&next));
        (reached, more)
    }
}
