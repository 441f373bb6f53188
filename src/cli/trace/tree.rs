//! A product as a tree for people: what is wrong and what to do, what it has, what it reads and who reads it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    known::{Known, MOST, Seen, Way},
    state,
};
use crate::{
    api::{
        DataProduct, DataProductStatus,
        status::{ErrorClass, GrantStatus, ResourceStatus, Severity, Violation},
    },
    cli::{
        look::{Cell, Columns, Tone},
        status::{stops_change, tone_of_condition, tone_of_resource, tone_of_severity},
    },
    plan::ProductName,
};

/// Most violations that are shown below a condition; `dataproduct status` has all.
const VIOLATIONS: usize = 3;
/// Most grants that are shown.
const GRANTS: usize = 10;

/// A line of the tree with what stands below it.
#[derive(Debug, Default)]
struct Branch {
    what: Cell,
    state: Cell,
    detail: Cell,
    below: Vec<Branch>,
}

impl Branch {
    fn new(what: impl AsRef<str>, state: Cell, detail: impl AsRef<str>) -> Self {
        Self { what: Cell::plain(what), state, detail: Cell::plain(detail), below: Vec::new() }
    }

    /// Says something beside the tree.
    fn aside(what: impl AsRef<str>, detail: impl AsRef<str>) -> Self {
        let faint = |text: &str| Cell::new(text, Tone::Faint);
        Self { what: faint(what.as_ref()), detail: faint(detail.as_ref()), ..Self::default() }
    }

    fn with(self, below: Vec<Self>) -> Self {
        Self { below, ..self }
    }
}

/// The tree of a product, with products at most so many steps away, in aligned columns with their styles.
pub fn tree(known: &Known, root: &ProductName, depth: usize) -> String {
    let state = state::of(root, known.look(root));
    let mut top = Branch::new("", Cell::new(state.word, state.tone), state.detail());
    top.what = Cell::new(title(known, root), Tone::Strong);
    if let Seen::Product(product) = known.look(root) {
        let status = product.status.clone().unwrap_or_default();
        top.below.extend(conditions(root, &status));
        top.below.extend(resources(&status));
        top.below.extend(access(&status));
        top.below.push(around(known, root, depth, Way::Up));
        top.below.push(around(known, root, depth, Way::Down));
    }
    let header = ["NAME", "STATE", "DETAIL"].map(|text| Cell::new(text, Tone::Faint));
    let mut rows = vec![header.to_vec()];
    draw(&top, "", "", &mut rows);
    Columns::apart(2).lines(&rows)
}

fn draw(branch: &Branch, first: &str, rest: &str, rows: &mut Vec<Vec<Cell>>) {
    rows.push(vec![branch.what.clone().after(first), branch.state.clone(), branch.detail.clone()]);
    for (index, below) in branch.below.iter().enumerate() {
        let (first, further) =
            if index + 1 < branch.below.len() { ("├─ ", "│  ") } else { ("└─ ", "   ") };
        draw(below, &format!("{rest}{first}"), &format!("{rest}{further}"), rows);
    }
}

fn title(known: &Known, name: &ProductName) -> String {
    match known.look(name) {
        Seen::Product(product) => format!("{name} {}", product.spec.version),
        Seen::Missing | Seen::Unseen(_) => name.to_string(),
    }
}

/// The conditions that are not as they should be. Several often say the same, which is shown once.
fn conditions(name: &ProductName, status: &DataProductStatus) -> Option<Branch> {
    if status.conditions.is_empty() {
        return None;
    }
    let mut groups: Vec<Vec<&Condition>> = Vec::new();
    for condition in status.conditions.iter().filter(|condition| is_amiss(condition)) {
        match groups.iter_mut().find(|group| group.iter().any(|other| other.message == condition.message)) {
            Some(group) => group.push(condition),
            None => groups.push(vec![condition]),
        }
    }
    if groups.is_empty() {
        return Some(Branch::new("conditions", Cell::default(), "all as they should be"));
    }
    let below = groups.iter().filter_map(|group| {
        // That a product is stalled or at work is said above.
        let said = group.iter().filter(|it| group.len() == 1 || !is_sign(it)).collect::<Vec<_>>();
        let first = said.first()?;
        let types = said.iter().map(|condition| condition.type_.as_str()).collect::<Vec<_>>().join(", ");
        let state = Cell::new(&first.status, tone_of_condition(first));
        let branch = Branch::new(types, state, format!("{}: {}", first.reason, first.message));
        let is_governance = said.iter().any(|condition| condition.type_ == "GovernanceCompliant");
        Some(if is_governance { branch.with(violations(name, status)) } else { branch })
    });
    Some(Branch::new("conditions", Cell::default(), "").with(below.collect()))
}

/// Whether a condition is there only while it is true.
fn is_sign(condition: &Condition) -> bool {
    matches!(condition.type_.as_str(), "Stalled" | "Reconciling")
}

fn is_amiss(condition: &Condition) -> bool {
    if is_sign(condition) {
        return condition.status == "True";
    }
    condition.status != "True" && !matches!(condition.reason.as_str(), "NotEvaluated" | "NoObjectives")
}

/// The gravest errors, those that stop change before all others, with what to do.
fn violations(name: &ProductName, status: &DataProductStatus) -> Vec<Branch> {
    let Some(governance) = &status.governance else { return Vec::new() };
    let errors = governance.violations.iter();
    let errors = errors.filter(|it| it.severity == Severity::Error && it.exception_ref.is_none());
    let (stopping, others): (Vec<&Violation>, Vec<_>) = errors.partition(|violation| stops_change(violation));
    let shown = if stopping.is_empty() { &others } else { &stopping };
    let mut below = shown.iter().take(VIOLATIONS).map(|violation| {
        let state = Cell::new(violation.severity.as_str(), tone_of_severity(violation.severity));
        let told = format!("{} -> {}", violation.message, violation.remediation);
        Branch::new(format!("{} at {}", violation.id, violation.path), state, told)
    });
    let mut below = below.by_ref().collect::<Vec<_>>();
    let all = usize::try_from(governance.errors + governance.warnings + governance.infos).unwrap_or_default();
    if all > below.len() {
        let left = all - below.len();
        let told = format!("`dataproduct status {} -n {}` shows all violations", name.name, name.namespace);
        below.push(Branch::aside(format!("... {left} more"), told));
    }
    below
}

fn resources(status: &DataProductStatus) -> Option<Branch> {
    let below = status.resources.iter().map(|resource| {
        let state = Cell::new(format!("{:?}", resource.state), tone_of_resource(resource.state));
        Branch::new(format!("{} {}", resource.kind, resource.name), state, detail(resource))
    });
    let below = below.collect::<Vec<_>>();
    (!below.is_empty()).then(|| Branch::new("resources", Cell::default(), "").with(below))
}

/// What is wrong with a resource, else its identifier.
fn detail(resource: &ResourceStatus) -> String {
    let id = resource.id.clone().unwrap_or_default();
    match &resource.last_error {
        // What holds everything back is said once, above.
        Some(error) if error.class != ErrorClass::Blocked => return error.message.clone(),
        _ => {}
    }
    let Some(drift) = resource.drift.first() else { return id };
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let more = match resource.drift.len() {
        0 | 1 => String::new(),
        many => format!("; {} more attributes differ", many - 1),
    };
    format!("{}: has {}, wants {}{more}", drift.path, value(&drift.have), value(&drift.want))
}

fn access(status: &DataProductStatus) -> Option<Branch> {
    let grants = &status.access.as_ref()?.grants;
    let below = grants.iter().take(GRANTS).map(|grant| {
        let GrantStatus { principal, role, permissions, expires_at, observed, .. } = grant;
        let until = expires_at.as_ref().map(|at| format!(" until {}", at.0)).unwrap_or_default();
        let state =
            if *observed { Cell::new("Granted", Tone::Good) } else { Cell::new("Pending", Tone::Waiting) };
        Branch::new(principal, state, format!("{role}: {}{until}", permissions.join(", ")))
    });
    let mut below = below.collect::<Vec<_>>();
    if grants.len() > below.len() {
        below.push(Branch::aside(format!("... {} more", grants.len() - below.len()), ""));
    }
    (!below.is_empty()).then(|| Branch::new("access", Cell::default(), "").with(below))
}

/// The products on one side of the root, with theirs.
fn around(known: &Known, root: &ProductName, depth: usize, way: Way) -> Branch {
    let (title, none) = match way {
        Way::Up => ("reads", "no other product"),
        Way::Down => ("read by", "no other product"),
    };
    let mut walk = Walk { known, way, depth, shown: vec![root.clone()], path: vec![root.clone()] };
    let mut below = walk.below(root);
    if way == Way::Down && !known.is_whole() {
        below.extend(counted(known, root));
    }
    let none = if below.is_empty() { none } else { "" };
    Branch::new(title, Cell::default(), none).with(below)
}

/// What the status counts of readers, where not all of them can be seen.
fn counted(known: &Known, root: &ProductName) -> Option<Branch> {
    let Seen::Product(product) = known.look(root) else { return None };
    let lineage = product.status.as_ref()?.lineage.as_ref()?;
    let domains = match lineage.consumer_domains.join(", ") {
        domains if domains.is_empty() => String::new(),
        domains => format!(", of {domains}"),
    };
    let told = format!(
        "the status counts {} readers{domains}; you may not list the products of every namespace",
        lineage.downstream_count
    );
    Some(Branch::aside("...", told))
}

/// A walk through the mesh in one direction.
struct Walk<'a> {
    known: &'a Known,
    way: Way,
    depth: usize,
    /// What was shown already, which is not shown twice.
    shown: Vec<ProductName>,
    /// The way from the root to here.
    path: Vec<ProductName>,
}

impl Walk<'_> {
    fn below(&mut self, name: &ProductName) -> Vec<Branch> {
        let next = self.known.next(name, self.way);
        if self.path.len() > self.depth {
            let unseen = next.iter().filter(|next| !self.shown.contains(next)).count();
            let deeper = self.depth + 1;
            let told = format!("--depth {deeper} shows them");
            return (unseen > 0)
                .then(|| Branch::aside(format!("... {unseen} more"), told))
                .into_iter()
                .collect();
        }
        let mut branches = Vec::new();
        for (index, product) in next.iter().enumerate() {
            if self.shown.len() >= MOST {
                let told = format!("no more than {MOST} products are shown");
                branches.push(Branch::aside(format!("... {} more", next.len() - index), told));
                break;
            }
            branches.push(self.branch(name, product));
        }
        branches
    }

    fn branch(&mut self, from: &ProductName, name: &ProductName) -> Branch {
        if let Some(begin) = self.path.iter().position(|step| step == name) {
            let circle = self.path.iter().skip(begin).chain([name]).map(ToString::to_string);
            let arrow = if self.way == Way::Up { " reads " } else { " is read by " };
            let told = circle.collect::<Vec<_>>().join(arrow);
            return Branch::new(name.to_string(), Cell::new("Cycle", Tone::Bad), told);
        }
        let seen = self.known.look(name);
        let state = state::of(name, seen);
        let mut detail = state.detail();
        if let (Way::Up, Seen::Missing, Seen::Product(reader)) = (self.way, seen, self.known.look(from)) {
            detail = format!("{detail}; {}", named_in(reader, name));
        }
        let word = Cell::new(state.word, state.tone);
        let branch = Branch::new(title(self.known, name), word, &detail);
        if self.shown.contains(name) {
            let more = !self.known.next(name, self.way).is_empty();
            return if more {
                Branch { detail: Cell::plain(format!("{detail} (shown above)")), ..branch }
            } else {
                branch
            };
        }
        self.shown.push(name.clone());
        self.path.push(name.clone());
        let below = self.below(name);
        self.path.pop();
        branch.with(below)
    }
}

/// Where a product names another one.
fn named_in(reader: &DataProduct, name: &ProductName) -> String {
    let namespace = reader.metadata.namespace.as_deref().unwrap_or_default();
    let lineage = reader.spec.lineage.iter().flat_map(|lineage| &lineage.upstream_products);
    let lineage = lineage.filter(|text| ProductName::parse(text, namespace) == *name).count() > 0;
    let ports = reader.spec.input_ports.iter().filter(|port| {
        let to = port.product_ref.as_ref();
        to.is_some_and(|to| {
            to.name == name.name && to.namespace.as_deref().unwrap_or(namespace) == name.namespace
        })
    });
    let ports = ports.map(|port| format!("spec.inputPorts[{}]", port.name));
    let places = lineage.then(|| "spec.lineage.upstreamProducts".to_owned()).into_iter().chain(ports);
    let places = places.collect::<Vec<_>>().join(" and ");
    format!("correct {places}, or ask for the product")
}
