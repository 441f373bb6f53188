//! How a product is, in one word and one sentence.

use super::known::{Seen, Unseen};
use crate::{
    api::{
        DataProduct,
        product::{Deprecation, Lifecycle},
    },
    cli::look::Tone,
    plan::ProductName,
};

/// How a product is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// One word.
    pub(super) word: &'static str,
    pub(super) tone: Tone,
    /// The reason that the status gives, where it is not the word itself.
    pub(super) reason: Option<String>,
    /// What else people want to know at a glance.
    pub(super) notes: Vec<String>,
}

impl State {
    /// Everything beside the word.
    pub(super) fn detail(&self) -> String {
        let said = self.reason.iter().chain(&self.notes);
        said.map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    fn new(word: &'static str, tone: Tone) -> Self {
        Self { word, tone, reason: None, notes: Vec::new() }
    }

    fn noting(self, note: impl Into<String>) -> Self {
        Self { notes: vec![note.into()], ..self }
    }
}

/// How a product is, as far as it is known.
pub(super) fn of(name: &ProductName, seen: Seen<'_>) -> State {
    match seen {
        Seen::Product(product) => of_product(product),
        Seen::Missing => State::new("Missing", Tone::Bad).noting("there is no such product"),
        Seen::Unseen(Unseen::Forbidden) => State::new("Hidden", Tone::Waiting)
            .noting(format!("you may not read the products of namespace {}", name.namespace)),
        Seen::Unseen(Unseen::Unreadable) => {
            State::new("Unreadable", Tone::Bad).noting("the object is not what a DataProduct should be")
        }
    }
}

fn of_product(product: &DataProduct) -> State {
    let state = word(product);
    let governance = product.status.as_ref().and_then(|status| status.governance.as_ref());
    let mut notes = state.notes;
    notes.extend(governance.and_then(|it| it.score).map(|score| format!("score {score}")));
    notes.extend(product.spec.suspend.unwrap_or_default().then(|| "suspended".to_owned()));
    notes.extend(life(product));
    State { notes, ..state }
}

fn word(product: &DataProduct) -> State {
    let Some(status) =
        product.status.as_ref().filter(|status| status.observed_generation.is_some_and(|it| it >= 0))
    else {
        return State::new("New", Tone::Waiting).noting("the operator has not seen it yet");
    };
    let is_true = |type_: &str| status.condition(type_).is_some_and(|condition| condition.status == "True");
    let ready = status.condition("Ready");
    let reason = ready.map(|ready| ready.reason.clone()).filter(|reason| reason != "Ready");
    let (word, tone) = if product.metadata.deletion_timestamp.is_some() {
        ("Deleting", Tone::Waiting)
    } else if status.observed_generation != product.metadata.generation {
        let changed = State::new("Changed", Tone::Waiting);
        return changed.noting("the operator has not looked at the change yet");
    } else if is_true("Ready") {
        ("Ready", Tone::Good)
    } else if is_true("Stalled") {
        ("Stalled", Tone::Bad)
    } else {
        ("NotReady", Tone::Waiting)
    };
    State { reason, ..State::new(word, tone) }
}

/// What is special about where a product is in its life.
fn life(product: &DataProduct) -> Option<String> {
    match product.spec.lifecycle.unwrap_or_default() {
        // That it is a draft is the reason already.
        Lifecycle::Active | Lifecycle::Draft => None,
        Lifecycle::Retired => Some("retired".to_owned()),
        Lifecycle::Deprecated => {
            let Deprecation { sunset_date, replaced_by, .. } =
                product.spec.deprecation.clone().unwrap_or_default();
            let until = sunset_date.map(|date| format!(" until {date}")).unwrap_or_default();
            let by = replaced_by.map(|name| format!(", replaced by {name}")).unwrap_or_default();
            Some(format!("deprecated{until}{by}"))
        }
    }
}
