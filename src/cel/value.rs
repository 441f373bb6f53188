//! Values that are shared: a list or a map of a document is copied by counting one more reference to it.
//!
//! The engine copies each element that a comprehension visits. Its own containers copy all that is below; these do not, so that
//! no chain of copies grows beyond what was paid for. What an expression makes itself is shared as soon as it is made.

use std::sync::Arc;

use cel::{
    ExecutionError,
    common::{
        traits::{self, Adder, Container, Indexer, Iterable, Sizer, Zeroer},
        types::{
            CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelOptional, CelString,
            CelTimestamp, CelUInt, LIST_TYPE, MAP_TYPE, Type,
        },
        value::{Builtin, BuiltinRef, CowVal, Val},
    },
};
use jiff::{civil::Date, tz::TimeZone};
use serde_json::Value as Json;

/// A value of an expression.
#[derive(Debug)]
pub struct Value(pub(super) Box<dyn Val>);

impl Clone for Value {
    fn clone(&self) -> Self {
        Self(self.0.clone_as_boxed())
    }
}

impl Value {
    /// A document. Whole numbers are `int`, others `double`.
    pub fn from_json(json: Json) -> Self {
        Self(boxed(json))
    }

    /// An object of values.
    pub fn object(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self(Box::new(Map::new(entries.into_iter().map(|(key, value)| (key, value.0)))))
    }

    /// An optional value that is missing.
    pub fn missing() -> Self {
        Self(Box::new(CelOptional::none()))
    }

    /// The first instant of a day, in UTC.
    pub fn day(date: Date) -> Option<Self> {
        Some(Self(Box::new(Self::instant_of(date)?)))
    }

    pub(super) fn instant_of(date: Date) -> Option<CelTimestamp> {
        let second = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
        Some(chrono::DateTime::from_timestamp(second, 0)?.fixed_offset().into())
    }

    /// `true` or `false`, where it is one of them.
    pub fn as_bool(&self) -> Option<bool> {
        self.0.downcast_ref::<CelBool>().map(|value| *value.inner())
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        self.0.downcast_ref::<CelString<'_>>().map(CelString::inner)
    }

    /// Whether two values are equal, as `==` in an expression says.
    pub fn equals(&self, other: &Self) -> bool {
        self.0.equals(other.0.as_ref())
    }

    /// The name of its type.
    pub fn type_name(&self) -> &str {
        self.0.get_type().name()
    }
}

fn boxed(json: Json) -> Box<dyn Val> {
    match json {
        Json::Null => Box::new(CelNull),
        Json::Bool(value) => Box::new(CelBool::from(value)),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Box::new(CelInt::from(value)),
            (None, Some(value)) => Box::new(CelUInt::from(value)),
            (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Json::String(text) => Box::new(CelString::from(text)),
        Json::Array(elements) => {
            Box::new(List { elements: Arc::new(elements.into_iter().map(boxed).collect::<Vec<_>>().into()) })
        }
        Json::Object(entries) => {
            Box::new(Map::new(entries.into_iter().map(|(key, value)| (key, boxed(value)))))
        }
    }
}

/// A list or map that an expression has made, shared from now on. Other values stay as they are.
pub(super) fn shared<'v>(value: Box<dyn Val + 'v>) -> Box<dyn Val + 'v> {
    if !matches!(value.as_builtin(), BuiltinRef::List(_) | BuiltinRef::Map(_)) {
        return value;
    }
    match value.into_builtin() {
        Some(Builtin::List(list)) => Box::new(List { elements: Arc::new(list) }),
        Some(Builtin::Map(map)) => Box::new(Map::of(map)),
        // Whoever is one of them as a reference is one of them as a value.
        _ => Box::new(CelNull),
    }
}

/// A list of a document, or one that an expression has made.
#[derive(Debug, Clone)]
struct List<'a> {
    elements: Arc<CelList<'a>>,
}

/// A map of a document, an object, or a map that an expression has made.
#[derive(Debug, Clone)]
struct Map<'a> {
    entries: Arc<CelMap<'a>>,
    /// Its keys, sorted: what an expression says must not depend on how a table is laid out.
    keys: Arc<[CelMapKey<'a>]>,
}

impl<'a> Map<'a> {
    fn new(entries: impl Iterator<Item = (String, Box<dyn Val + 'a>)>) -> Self {
        let entries: std::collections::HashMap<_, _> =
            entries.map(|(key, value)| (CelMapKey::String(key.into()), value)).collect();
        Self::of(entries.into())
    }

    fn of(entries: CelMap<'a>) -> Self {
        let mut keys = entries.keys().cloned().collect::<Vec<_>>();
        keys.sort_unstable();
        Self { entries: Arc::new(entries), keys: keys.into() }
    }
}

/// Tells the tests how many elements an evaluation visits, which is not to be more than its cost.
#[cfg(not(test))]
const fn visited(_elements: usize) {}

#[cfg(test)]
fn visited(elements: usize) {
    VISITED.with(|visited| visited.set(visited.get() + elements as u64));
}

#[cfg(test)]
thread_local! {
    pub(super) static VISITED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// What a shared container leaves to the container of the engine that it shares.
macro_rules! shared {
    ($type:ident, $inner:ident, $cel_type:ident, $variant:ident, $this:ident => $iterable:expr) => {
        impl<'a> Val for $type<'a> {
            fn get_type(&self) -> &Type {
                &$cel_type
            }
            fn cel_type() -> &'static Type {
                &$cel_type
            }
            fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
            where
                Self: 'v,
            {
                visited(self.$inner.len());
                self.$inner.as_adder()
            }
            fn as_container(&self) -> Option<&dyn Container> {
                visited(self.$inner.len());
                self.$inner.as_container()
            }
            fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
            where
                Self: 'v,
            {
                visited(1);
                self.$inner.as_indexer()
            }
            fn into_indexer<'v>(self: Box<Self>) -> Option<Box<dyn Indexer + 'v>>
            where
                Self: 'v,
            {
                Some(self)
            }
            fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
            where
                Self: 'v,
            {
                visited(self.$inner.len());
                let $this = self;
                $iterable
            }
            fn as_sizer(&self) -> Option<&dyn Sizer> {
                self.$inner.as_sizer()
            }
            fn as_zeroer(&self) -> Option<&dyn Zeroer> {
                self.$inner.as_zeroer()
            }
            fn equals(&self, other: &dyn Val) -> bool {
                visited(self.$inner.len());
                self.$inner.equals(other)
            }
            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
            where
                Self: 'v,
            {
                Box::new(self.clone())
            }
            fn as_builtin<'b, 'v>(&'b self) -> BuiltinRef<'b, 'v>
            where
                Self: 'v,
            {
                BuiltinRef::$variant(&self.$inner)
            }
            fn into_builtin<'v>(self: Box<Self>) -> Option<Builtin<'v>>
            where
                Self: 'v,
            {
                Some(Builtin::$variant(Arc::unwrap_or_clone(self.$inner)))
            }
        }

        impl<'a> Indexer for $type<'a> {
            fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
            where
                Self: 'v,
            {
                self.$inner.get(index)
            }
            /// Others may share the container, so that the element is copied, not moved.
            fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
            where
                Self: 'v,
            {
                self.$inner.get(index).map(CowVal::into_owned)
            }
        }
    };
}

shared!(List, elements, LIST_TYPE, List, this => this.elements.as_iterable());
shared!(Map, entries, MAP_TYPE, Map, this => Some(this));

impl Iterable for Map<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn traits::Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Keys(self.keys.iter()))
    }
}

struct Keys<'b, 'a>(std::slice::Iter<'b, CelMapKey<'a>>);

impl<'b, 'a: 'v, 'v> traits::Iterator<'b, 'v> for Keys<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|key| key.inner() as &'b (dyn Val + 'v))
    }
}
