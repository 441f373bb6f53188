//! What a plan looks like: for people, and as a structure for programs.

use serde::Serialize;

use crate::{
    api::status::{Drift, ResourceStatus},
    cli::{
        CliError,
        look::{Cell, Tone},
    },
    governance::Report,
    model::resource::Change,
    plan::{
        Action, Decision, Plan, ProductName, Step, Verb, World,
        assess::{Assessment, State},
        scope::Scope,
        summarize_steps,
        teardown::Teardown,
    },
    status::{Release, departing},
};

/// What would become of all products of the files.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    /// Whether anything would change outside, or would if nothing held it back.
    pub(super) changed: bool,
    summary: String,
    products: Vec<Planned>,
}

/// What would become of a product.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Planned {
    namespace: String,
    name: String,
    changed: bool,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    governance: Option<Governance>,
    /// Hash of everything that the product wants; an approval names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Why nothing can be planned, or why steps are held back.
    blockers: Vec<String>,
    steps: Vec<Line>,
    /// What was found to differ already, which no file changes.
    drift: Vec<Drifted>,
    notes: Vec<String>,
}

/// Where the resources of a product are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    domain: String,
    provider_class: String,
    account: String,
    region: String,
}

/// How a product is judged by what is declared and known of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Governance {
    score: i32,
    errors: i32,
    warnings: i32,
    infos: i32,
}

/// One step.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    verb: &'static str,
    kind: &'static str,
    name: String,
    /// Whether something holds it back.
    held: bool,
    changes: Vec<Drift>,
    /// The verb itself, for signs and sums.
    #[serde(skip)]
    sort: Verb,
}

/// What differs already.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Drifted {
    kind: String,
    name: String,
    changes: Vec<Drift>,
}

impl Told {
    /// Everything that is told.
    pub(super) fn of(products: Vec<Planned>) -> Self {
        let count =
            |verb: Verb| products.iter().flat_map(|it| &it.steps).filter(|line| line.sort == verb).count();
        let counts = Verb::ALL.into_iter().map(|verb| (verb, count(verb)));
        let counts = counts.filter(|(_, count)| *count > 0).map(|(verb, count)| format!("{count} to {verb}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let changing = products.iter().filter(|product| product.changed).count();
        let summary = match (changing, products.len()) {
            (0, 1) => "No changes.".to_owned(),
            (0, all) => format!("No changes in {all} products."),
            (changing, all) => {
                let of = if all == 1 { String::new() } else { format!(", in {changing} of {all} products") };
                let what = if counts.is_empty() { "Nothing can be planned yet".to_owned() } else { counts };
                format!("{what}{of}. Nothing was changed.")
            }
        };
        Self { changed: changing > 0, summary, products }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let products = self.products.iter().map(Planned::text).collect::<String>();
        let gap = if self.products.is_empty() { "" } else { "\n" };
        format!("{products}{gap}{}\n", self.summary)
    }

    /// For programs.
    pub(super) fn json(&self) -> Result<String, CliError> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}

impl Planned {
    /// A product that lives.
    pub(super) fn of<'a>(
        name: ProductName,
        world: &World,
        decision: &Decision,
        drifted: impl Iterator<Item = &'a ResourceStatus>,
    ) -> Self {
        let report = decision.judgement.as_ref().map(|judgement| &judgement.report);
        let blockers = decision.blockers.iter().map(ToString::to_string);
        let blockers = blockers.chain(decision.assessments.iter().filter_map(trouble)).collect();
        let drift = drifted.map(|resource| Drifted {
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            changes: resource.drift.clone(),
        });
        let mut planned = Self {
            governance: report.map(Governance::of),
            hash: world.scope.is_ok().then(|| decision.hash.clone()),
            drift: drift.collect(),
            ..Self::under(name, world.scope.as_ref().ok(), &decision.plan, blockers)
        };
        // What cannot even be placed, or is in trouble, is no product without changes.
        let troubled = decision.assessments.iter().any(|assessment| trouble(assessment).is_some());
        planned.changed |= world.scope.is_err() || troubled || !planned.drift.is_empty();
        planned
    }

    /// A product that is deleted.
    pub(super) fn teardown(name: ProductName, world: &World, scope: &Scope, teardown: &Teardown) -> Self {
        let status = departing(world, &Release::Under(teardown, &[]));
        let held = teardown.lock.is_some() || !teardown.unknown.is_empty();
        let why = status.condition("Ready").filter(|_| held).map(|ready| ready.message.clone());
        Self::under(name, Some(scope), &teardown.plan, why.into_iter().collect())
    }

    /// A product of which nothing can be planned.
    pub(super) fn nowhere(name: ProductName, why: String, changed: bool) -> Self {
        let blockers = vec![why];
        Self { changed, ..Self::under(name, None, &Plan::default(), blockers) }
    }

    fn under(name: ProductName, scope: Option<&Scope>, plan: &Plan, blockers: Vec<String>) -> Self {
        let steps = plan.steps.iter().map(|step| Line::of(step, false));
        let steps = steps.chain(plan.held.iter().map(|step| Line::of(step, true))).collect::<Vec<_>>();
        Self {
            namespace: name.namespace,
            name: name.name,
            changed: !steps.is_empty(),
            summary: summarize_steps(plan.steps.iter().chain(&plan.held)),
            place: scope.map(Place::of),
            governance: None,
            hash: None,
            blockers,
            steps,
            drift: Vec::new(),
            notes: plan.notes.clone(),
        }
    }

    fn text(&self) -> String {
        let name = if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        };
        let place = self.place.as_ref().map(|place| format!("  ({place})")).unwrap_or_default();
        let head = format!("{}{}", Cell::new(name, Tone::Strong), Cell::plain(place));
        let mut lines = Vec::new();
        let mut say = |line: &str, tone| lines.push(Cell::new(line, tone));
        if let Some(governance) = &self.governance {
            say(&format!("  {governance}"), Tone::Plain);
        }
        for line in &self.steps {
            line.text().iter().for_each(|told| say(told, line.tone()));
        }
        if self.steps.is_empty() && self.blockers.is_empty() {
            say("  no changes", Tone::Faint);
        }
        for drifted in &self.drift {
            say(&format!("  ! {:<9}{:<16} {}", "drifted", drifted.kind, drifted.name), Tone::Waiting);
            drifted.changes.iter().for_each(|change| say(&changed(change), Tone::Waiting));
        }
        let why = if self.steps.is_empty() { "not planned" } else { "held back" };
        for blocker in &self.blockers {
            say(&format!("  {why}: {blocker}"), Tone::Bad);
        }
        self.notes.iter().for_each(|note| say(&format!("  note: {note}"), Tone::Faint));
        let lines = lines.iter().map(|line| format!("{line}\n"));
        std::iter::once(format!("{head}\n")).chain(lines).collect()
    }
}

impl Line {
    fn of(step: &Step, held: bool) -> Self {
        Self {
            verb: step.action.verb().as_str(),
            kind: step.key.kind.as_str(),
            name: step.key.name.clone(),
            held,
            changes: changes(&step.action),
            sort: step.action.verb(),
        }
    }

    /// What is made looks good, what is changed wants a look, what goes wants a second one.
    const fn tone(&self) -> Tone {
        match self.sort {
            Verb::Create => Tone::Good,
            Verb::Update | Verb::Adopt | Verb::Release => Tone::Waiting,
            Verb::Delete => Tone::Bad,
        }
    }

    fn text(&self) -> Vec<String> {
        let sign = match self.sort {
            Verb::Create => '+',
            Verb::Update | Verb::Adopt => '~',
            Verb::Release => '>',
            Verb::Delete => '-',
        };
        let head = format!("  {sign} {:<9}{:<16} {}", self.verb, self.kind, self.name);
        // Labels of something new are the same everywhere and tell a reader nothing.
        let told = |change: &&Drift| self.sort != Verb::Create || !change.path.starts_with("tags.");
        std::iter::once(head).chain(self.changes.iter().filter(told).map(changed)).collect()
    }
}

/// Why nothing is planned for a resource that is not as it should be.
fn trouble(assessment: &Assessment) -> Option<String> {
    let key = assessment.key();
    match &assessment.state {
        State::Unknown(fault) => Some(format!("{key} is not known: {}", fault.message)),
        State::Lost(last_known) => {
            Some(format!("{key} is lost, {last_known}; `dataproduct status` says how to accept that"))
        }
        State::Begun(until) => Some(format!("{key} is being made and may still appear until {until:.0}")),
        _ => None,
    }
}

/// The attributes that a step sets. Whose a resource is follows from the product, and so is not told of a new one.
fn changes(action: &Action) -> Vec<Drift> {
    match action {
        Action::Create(desired) => {
            let rows = desired.attributes.rows().into_iter();
            rows.map(|(path, value)| Drift { path, want: Some(value), have: None }).collect()
        }
        Action::Update(_, delta) | Action::Adopt(_, delta) | Action::Release(_, delta) => {
            let told = |change: &Change| Drift {
                path: change.path.clone(),
                want: change.want.clone(),
                have: change.have.clone(),
            };
            delta.0.iter().map(told).collect()
        }
        Action::Delete(_) => Vec::new(),
    }
}

fn changed(change: &Drift) -> String {
    let told = match (&change.have, &change.want) {
        (Some(have), Some(want)) => format!("{have} -> {want}"),
        (None, Some(want)) => want.clone(),
        (Some(have), None) => format!("{have} -> absent"),
        (None, None) => "unknown".to_owned(),
    };
    format!("      {}: {told}", change.path)
}

impl Place {
    fn of(scope: &Scope) -> Self {
        Self {
            domain: scope.domain.clone(),
            provider_class: scope.class_name.clone(),
            account: scope.account.clone(),
            region: scope.region.clone(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { domain, provider_class, account, region } = self;
        write!(f, "domain {domain}, class {provider_class}, account {account}, region {region}")
    }
}

impl Governance {
    fn of(report: &Report) -> Self {
        let Report { score, errors, warnings, infos, .. } = *report;
        Self { score, errors, warnings, infos }
    }
}

impl std::fmt::Display for Governance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { score, errors, warnings, infos } = self;
        write!(f, "score {score}, {errors} errors, {warnings} warnings, {infos} infos")
    }
}
