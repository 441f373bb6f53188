//! Types with bounds: what a value may be, and how large it may become.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::cost::{Cost, Size};

/// The type of a value, with the bounds of its schema. Sizes of strings are in characters, of lists and maps in elements.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Anything whose parts together have at most this size.
    Dyn(Size),
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A whole number of 64 bits that is not negative.
    Uint,
    /// A floating-point number.
    Double,
    /// A text.
    String(Size),
    /// A span of time.
    Duration,
    /// An instant.
    Timestamp,
    /// A regular expression that was written in the expression, and the states that matching it may be in at once.
    Pattern(Size),
    /// A list.
    List(Arc<Type>, Size),
    /// A map from texts, as a label's is.
    Map(MapType),
    /// An object with known fields.
    Object(Arc<Fields>),
    /// A value that may be missing.
    Optional(Arc<Type>),
}

/// The type of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapType {
    /// What its keys are.
    pub key: Arc<Type>,
    /// What its values are.
    pub value: Arc<Type>,
    /// How many entries it may have.
    pub size: Size,
}

/// The fields of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// How messages call it, for example `object.spec.slo`.
    pub name: String,
    /// Each field by its name.
    pub fields: BTreeMap<String, Field>,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What it is.
    pub type_: Type,
    /// Whether it is always there.
    pub required: bool,
}

impl Type {
    /// A text of at most so many characters.
    pub const fn text(length: u64) -> Self {
        Self::String(Size(length))
    }

    /// A list of at most so many elements.
    pub fn list(of: Self, length: u64) -> Self {
        Self::List(Arc::new(of), Size(length))
    }

    /// A map from texts of at most so many characters.
    pub fn map(key_length: u64, value: Self, size: u64) -> Self {
        Self::Map(MapType { key: Arc::new(Self::text(key_length)), value: Arc::new(value), size: Size(size) })
    }

    /// An object, with its fields and whether each is always there.
    pub fn object<'a>(name: &str, fields: impl IntoIterator<Item = (&'a str, Self, bool)>) -> Self {
        let fields = fields.into_iter();
        let fields = fields.map(|(name, type_, required)| (name.to_owned(), Field { type_, required }));
        Self::Object(Arc::new(Fields { name: name.to_owned(), fields: fields.collect() }))
    }

    /// What a list of nothing holds.
    pub(super) const fn unknown() -> Self {
        Self::Dyn(Size(0))
    }

    /// How many elements or characters a value has at most; 1 where it has no parts.
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Dyn(size) | Self::String(size) | Self::List(_, size) | Self::Pattern(size) => *size,
            Self::Map(map) => map.size,
            Self::Object(fields) => Size(fields.fields.len() as u64),
            Self::Optional(of) => of.size(),
            _ => Size(1),
        }
    }

    /// The size of the value with all its parts: what comparing, copying or printing it touches at most.
    pub(super) fn whole(&self) -> Size {
        match self {
            Self::Dyn(size) | Self::String(size) => Size(1) + *size,
            Self::List(of, size) => Size(1) + of.whole() * *size,
            Self::Map(map) => Size(1) + (map.key.whole() + map.value.whole()) * map.size,
            Self::Object(fields) => {
                fields.fields.values().fold(Size(1), |sum, field| sum + Size(1) + field.type_.whole())
            }
            Self::Optional(of) => of.whole(),
            _ => Size(1),
        }
    }

    /// What comparing the value with another one costs: each part is visited, and the characters of texts are looked at.
    pub(super) fn comparison(&self) -> Cost {
        match self {
            Self::Dyn(size) => Cost(1) + size.walk(),
            Self::String(size) => Cost(1) + size.scan(),
            Self::List(of, size) => Cost(1) + of.comparison() * *size,
            Self::Map(map) => Cost(1) + (map.key.comparison() + map.value.comparison()) * map.size,
            Self::Object(fields) => {
                fields.fields.values().fold(Cost(1), |sum, field| sum + Cost(1) + field.type_.comparison())
            }
            Self::Optional(of) => of.comparison(),
            _ => Cost(1),
        }
    }

    /// Whether a value of this type may stand where one of the other is wanted.
    pub(super) fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Dyn(_), _)
            | (_, Self::Dyn(_))
            | (Self::Object(_), Self::Object(_) | Self::Map(_))
            | (Self::Map(_), Self::Object(_)) => true,
            (Self::List(a, _), Self::List(b, _)) | (Self::Optional(a), Self::Optional(b)) => a.fits(b),
            (Self::Map(a), Self::Map(b)) => a.key.fits(&b.key) && a.value.fits(&b.value),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }

    /// Whether two values may be compared for equality: numbers of all kinds may.
    pub(super) fn compares(&self, other: &Self) -> bool {
        let number = |type_: &Self| matches!(type_, Self::Int | Self::Uint | Self::Double);
        matches!(self, Self::Null)
            || matches!(other, Self::Null)
            || (number(self) && number(other))
            || self.fits(other)
    }

    /// What either of two values is.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Dyn(Size(0)), other) | (other, Self::Dyn(Size(0))) => other,
            (Self::String(a), Self::String(b)) => Self::String(a.max(b)),
            (Self::List(a, m), Self::List(b, n)) => {
                let element = Arc::unwrap_or_clone(a).or(Arc::unwrap_or_clone(b));
                Self::List(Arc::new(element), m.max(n))
            }
            (Self::Optional(a), Self::Optional(b)) => {
                Self::Optional(Arc::new(Arc::unwrap_or_clone(a).or(Arc::unwrap_or_clone(b))))
            }
            (Self::Map(a), Self::Map(b)) => Self::Map(MapType {
                key: Arc::new(Arc::unwrap_or_clone(a.key).or(Arc::unwrap_or_clone(b.key))),
                value: Arc::new(Arc::unwrap_or_clone(a.value).or(Arc::unwrap_or_clone(b.value))),
                size: a.size.max(b.size),
            }),
            (a, b) if a == b => a,
            (a, b) => Self::Dyn(a.whole().max(b.whole())),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn(_) => f.write_str("dyn"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String(_) => f.write_str("string"),
            Self::Duration => f.write_str("duration"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Pattern(_) => f.write_str("pattern"),
            Self::List(of, _) => write!(f, "list({of})"),
            Self::Map(map) => write!(f, "map({}, {})", map.key, map.value),
            Self::Object(fields) => f.write_str(&fields.name),
            Self::Optional(of) => write!(f, "optional({of})"),
        }
    }
}

/// Names that a message lists at most.
const LISTED: usize = 24;

/// Names as part of a sentence.
pub(super) fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(LISTED) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}
