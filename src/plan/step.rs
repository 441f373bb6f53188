//! A plan is a value: an ordered list of steps, what is held back, and why.

use std::fmt;

use crate::model::resource::{Delta, Desired, Key, Removal};

/// A word for what is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// It gets made.
    Create,
    /// It gets changed.
    Update,
    /// It gets taken over.
    Adopt,
    /// It is let go.
    Release,
    /// It goes.
    Delete,
}

impl Verb {
    /// Every verb, in the order in which the docs list them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Adopt, Self::Release, Self::Delete];

    /// The word that plans, status and events show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Adopt => "adopt",
            Self::Release => "release",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is done to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is absent and gets made.
    Create(Desired),
    /// It is ours and differs.
    Update(Desired, Delta),
    /// It is not ours yet and may be taken over.
    Adopt(Desired, Delta),
    /// It stays, marked as released.
    Release(Desired, Delta),
    /// It goes.
    Delete(Removal),
}

impl Action {
    /// The word for it.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Update(..) => Verb::Update,
            Self::Adopt(..) => Verb::Adopt,
            Self::Release(..) => Verb::Release,
            Self::Delete(_) => Verb::Delete,
        }
    }

    /// The attributes that change, where the action changes attributes.
    pub const fn delta(&self) -> Option<&Delta> {
        match self {
            Self::Update(_, delta) | Self::Adopt(_, delta) | Self::Release(_, delta) => Some(delta),
            Self::Create(_) | Self::Delete(_) => None,
        }
    }

    /// Whether something is taken away, so that the object is read live before.
    pub const fn takes_away(&self) -> bool {
        matches!(self, Self::Release(..) | Self::Delete(_))
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which resource.
    pub key: Key,
    /// What is done to it.
    pub action: Action,
    /// Steps that must have succeeded before this one starts.
    pub waits_for: Vec<Key>,
}

/// What is to be done now, in order, and what would be done if nothing held it back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Steps to apply, in order.
    pub steps: Vec<Step>,
    /// Steps that are held back.
    pub held: Vec<Step>,
    /// What is done in another way than the spec says it, and why.
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether nothing is to be done and nothing is held back.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.held.is_empty()
    }

    /// One line for people: `2 to create, 1 to update`, or `No changes`.
    pub fn summary(&self) -> String {
        summarize(self.steps.iter().chain(&self.held))
    }
}

/// Counts steps by verb.
pub fn summarize<'a>(steps: impl Iterator<Item = &'a Step> + Clone) -> String {
    let counts = Verb::ALL.into_iter().filter_map(|verb| {
        let count = steps.clone().filter(|step| step.action.verb() == verb).count();
        (count > 0).then(|| format!("{count} to {verb}"))
    });
    let text = counts.collect::<Vec<_>>().join(", ");
    if text.is_empty() { "No changes".to_owned() } else { text }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8}{:<16}{}", self.action.verb(), self.key.kind, self.key.name)?;
        if !self.waits_for.is_empty() {
            let kinds = self.waits_for.iter().map(|key| key.kind.as_str()).collect::<Vec<_>>();
            write!(f, "  after {}", kinds.join(", "))?;
        }
        for change in self.action.delta().into_iter().flat_map(|delta| &delta.0) {
            write!(f, "\n        {change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Plan: {}", self.summary())?;
        for step in &self.steps {
            writeln!(f, "  {}", step.to_string().replace('\n', "\n  "))?;
        }
        for step in &self.held {
            writeln!(f, "  held: {}", step.to_string().replace('\n', "\n  "))?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        Ok(())
    }
}
