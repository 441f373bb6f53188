//! The one error of the provider seam. Its kind decides what happens next; its text is only for people.

use std::{error::Error, fmt};

use crate::model::resource::Key;

/// Why a provider call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// What the call needs does not exist.
    NotFound,
    /// Something of that name exists and is not ours, or its state excludes the call.
    Conflict,
    /// The provider's own permissions refuse the call.
    Denied,
    /// The request can never succeed as it is.
    Invalid,
    /// The backend does not have this kind or attribute.
    Unsupported,
    /// A limit of the account is reached.
    Quota,
    /// Too many calls; later is better.
    Throttled,
    /// The provider cannot be reached or is broken.
    Unavailable,
    /// No answer before the deadline: the effect is unknown.
    Timeout,
    /// An answer that nobody foresaw.
    Unexpected,
}

impl ErrorKind {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Timeout | Self::Unexpected)
    }

    /// The name that status and metrics show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::Conflict => "Conflict",
            Self::Denied => "Denied",
            Self::Invalid => "Invalid",
            Self::Unsupported => "Unsupported",
            Self::Quota => "Quota",
            Self::Throttled => "Throttled",
            Self::Unavailable => "Unavailable",
            Self::Timeout => "Timeout",
            Self::Unexpected => "Unexpected",
        }
    }
}

/// The calls of the seam, as errors, traces and metrics name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Opening the backend itself.
    Connect,
    /// Reading one resource.
    Observe,
    /// Making one resource.
    Create,
    /// Changing attributes of one resource.
    Update,
    /// Removing one resource.
    Delete,
    /// Reading service-level measurements.
    Measure,
    /// Listing everything that is marked.
    Survey,
}

impl Operation {
    /// The name that errors, traces and metrics show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Observe => "observe",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Measure => "measure",
            Self::Survey => "survey",
        }
    }
}

/// A failed provider call.
#[derive(Debug)]
pub struct ProviderError {
    /// What kind of failure, the only thing that code may decide on.
    pub kind: ErrorKind,
    /// Which call.
    pub operation: Operation,
    /// Which resource, where the call was about one.
    pub key: Option<Key>,
    /// Whether it is certain that the call changed nothing, so that it may be repeated even where a second effect would
    /// be a second resource. False is the safe side.
    pub changed_nothing: bool,
    /// At most [`MESSAGE_LIMIT`] safe characters for the user: what is wrong and what to do.
    message: String,
    /// The cause, for the log.
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Longest text of a provider that reaches a status, in characters.
pub const MESSAGE_LIMIT: usize = 200;

impl ProviderError {
    /// An error with a text for the user. The text is cut and stripped of control characters, because parts of it
    /// may come from a remote side.
    pub fn new(kind: ErrorKind, operation: Operation, message: impl AsRef<str>) -> Self {
        let message = message
            .as_ref()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MESSAGE_LIMIT)
            .collect();
        Self { kind, operation, key: None, changed_nothing: false, message, source: None }
    }

    /// Names the resource.
    #[must_use]
    pub fn at(mut self, key: &Key) -> Self {
        self.key = Some(key.clone());
        self
    }

    /// Says that the call certainly changed nothing.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.changed_nothing = true;
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }

    /// The text for the user, without operation and key.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation.as_str())?;
        if let Some(key) = &self.key {
            write!(f, " {key}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
