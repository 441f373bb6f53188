//! The functions that an expression may call: one row each, from which come types, costs and documentation.
//!
//! A function that has no row cannot be called, whatever the engine knows.

use std::sync::Arc;

use super::{
    cost::{Cost, Size},
    types::Type,
};

/// A function with the types that it takes. A name may have several.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name, with its namespace where it has one.
    pub name: &'static str,
    /// Whether it is called on its first argument: `'a'.size()`.
    pub method: bool,
    /// What it takes.
    pub takes: &'static [Takes],
    /// What it does, as part of a sentence.
    pub about: &'static str,
    /// An expression that is true.
    pub example: &'static str,
    pub(super) gives: fn(&[Type]) -> Type,
    pub(super) cost: fn(&[Type]) -> Cost,
}

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A text.
    Text,
    /// A regular expression that is written as it is, not computed.
    Pattern,
    /// A whole number.
    Int,
    /// A whole number that is not negative.
    Uint,
    /// A floating-point number.
    Double,
    /// `true` or `false`.
    Bool,
    /// A span of time.
    Duration,
    /// An instant.
    Timestamp,
    /// A list.
    List,
    /// A list of texts.
    Texts,
    /// A list of numbers.
    Numbers,
    /// A map or an object.
    Map,
    /// A value that may be missing.
    Optional,
    /// Anything.
    Any,
}

impl Takes {
    /// How documentation calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Pattern => "pattern",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::List => "list",
            Self::Texts => "list(string)",
            Self::Numbers => "list(number)",
            Self::Map => "map",
            Self::Optional => "optional",
            Self::Any => "any",
        }
    }

    pub(super) fn accepts(self, type_: &Type) -> bool {
        let number = |type_: &Type| matches!(type_, Type::Int | Type::Uint | Type::Double | Type::Dyn(_));
        match (self, type_) {
            (Self::Any, _) | (_, Type::Dyn(_)) => self != Self::Pattern,
            (Self::Text, Type::String(_))
            | (Self::Pattern, Type::Pattern(_))
            | (Self::Int, Type::Int)
            | (Self::Uint, Type::Uint)
            | (Self::Double, Type::Double)
            | (Self::Bool, Type::Bool)
            | (Self::Duration, Type::Duration)
            | (Self::Timestamp, Type::Timestamp)
            | (Self::List, Type::List(..))
            | (Self::Map, Type::Map(_) | Type::Object(_))
            | (Self::Optional, Type::Optional(_)) => true,
            (Self::Texts, Type::List(of, _)) => matches!(**of, Type::String(_) | Type::Dyn(_)),
            (Self::Numbers, Type::List(of, _)) => number(of),
            _ => false,
        }
    }
}

impl Function {
    /// How it is called, for example `string.contains(string)`.
    pub fn signature(&self) -> String {
        let names = self.takes.iter().map(|takes| takes.as_str()).collect::<Vec<_>>();
        match names.split_first() {
            Some((this, others)) if self.method => format!("{this}.{}({})", self.name, others.join(", ")),
            _ => format!("{}({})", self.name, names.join(", ")),
        }
    }
}

/// Size of the argument of a number.
fn size(arguments: &[Type], number: usize) -> Size {
    arguments.get(number).map_or(Size(1), Type::size)
}

/// What the list that is the first argument holds.
fn element(arguments: &[Type]) -> Type {
    match arguments.first() {
        Some(Type::List(of, _)) => of.as_ref().clone(),
        Some(other) => Type::Dyn(other.whole()),
        None => Type::unknown(),
    }
}

fn same(arguments: &[Type]) -> Type {
    arguments.first().cloned().unwrap_or(Type::unknown())
}

const ONE: fn(&[Type]) -> Cost = |_| Cost(1);
/// Looks at each character of every argument.
const SCAN: fn(&[Type]) -> Cost =
    |arguments| arguments.iter().fold(Cost(1), |cost, argument| cost + argument.size().scan());
/// Looks at each part of every argument.
const WALK: fn(&[Type]) -> Cost =
    |arguments| arguments.iter().fold(Cost(1), |cost, argument| cost + argument.whole().walk());
/// Compares each element of the first argument with each of the others.
const PAIRS: fn(&[Type]) -> Cost = |arguments| {
    let others = if arguments.len() > 1 { size(arguments, 1) } else { size(arguments, 0) };
    Cost(1) + element(arguments).comparison() * size(arguments, 0) * others
};
/// Looks at each character in every state that a pattern may be in.
const MATCH: fn(&[Type]) -> Cost =
    |arguments| Cost(1) + (size(arguments, 0) + Size(1)).scan() * size(arguments, 1);
/// Looks from every match to the end of the text for a longer one.
const MATCH_ALL: fn(&[Type]) -> Cost = |arguments| MATCH(arguments) * (size(arguments, 0) + Size(1));

const BOOL: fn(&[Type]) -> Type = |_| Type::Bool;
const INT: fn(&[Type]) -> Type = |_| Type::Int;
const UINT: fn(&[Type]) -> Type = |_| Type::Uint;
const DOUBLE: fn(&[Type]) -> Type = |_| Type::Double;
const NUMBER_TEXT: fn(&[Type]) -> Type = |_| Type::text(400);
const DURATION: fn(&[Type]) -> Type = |_| Type::Duration;
const TIMESTAMP: fn(&[Type]) -> Type = |_| Type::Timestamp;

use Takes::{
    Any, Bool, Double, Duration, Int, List, Map, Numbers, Optional, Pattern, Text, Texts, Timestamp, Uint,
};

/// A row: `method` or `function`, its name, what it takes, what it gives, what that costs, what it does, an example.
macro_rules! rows {
    ($($method:ident $name:literal ($($takes:ident),*) $gives:expr, $cost:expr, $about:literal, $example:literal;)*) => {
        &[$(Function {
            name: $name,
            method: rows!(@ $method),
            takes: &[$($takes),*],
            gives: $gives,
            cost: $cost,
            about: $about,
            example: $example,
        }),*]
    };
    (@ method) => { true };
    (@ function) => { false };
}

/// Every function, in the order of the documentation.
pub const FUNCTIONS: &[Function] = rows! {
    method "size"(Text) INT, SCAN, "the number of its characters", "'abc'.size() == 3";
    method "size"(List) INT, ONE, "the number of its elements", "[1, 2].size() == 2";
    method "size"(Map) INT, ONE, "the number of its entries", "{'a': 1}.size() == 1";
    function "size"(Text) INT, SCAN, "the number of its characters", "size('abc') == 3";
    function "size"(List) INT, ONE, "the number of its elements", "size([1, 2]) == 2";
    function "size"(Map) INT, ONE, "the number of its entries", "size({'a': 1}) == 1";

    method "contains"(Text, Text) BOOL, SCAN, "whether it contains another text", "'abc'.contains('b')";
    method "startsWith"(Text, Text) BOOL, SCAN, "whether it begins with another text", "'abc'.startsWith('a')";
    method "endsWith"(Text, Text) BOOL, SCAN, "whether it ends with another text", "'abc'.endsWith('c')";
    method "matches"(Text, Pattern) BOOL, MATCH, "whether a part of it matches a regular expression", "'abc'.matches('^a.c$')";
    function "matches"(Text, Pattern) BOOL, MATCH, "whether a part of it matches a regular expression", "matches('abc', 'b')";
    method "find"(Text, Pattern) same, MATCH, "the first part that matches a regular expression, else an empty text", "'ab12'.find('[0-9]+') == '12'";
    method "findAll"(Text, Pattern) |a| Type::List(Arc::new(same(a)), size(a, 0) + Size(1)), MATCH_ALL, "every part that matches a regular expression", "'a1b2'.findAll('[0-9]') == ['1', '2']";
    method "charAt"(Text, Int) |_| Type::text(1), SCAN, "the character at a place, from 0", "'abc'.charAt(1) == 'b'";
    method "indexOf"(Text, Text) INT, |a| SCAN(a) * size(a, 1), "the place of another text in it, else -1", "'abc'.indexOf('c') == 2";
    method "lastIndexOf"(Text, Text) INT, |a| SCAN(a) * size(a, 1), "the last place of another text in it, else -1", "'abab'.lastIndexOf('a') == 2";
    method "lowerAscii"(Text) same, SCAN, "the text with small letters for the capitals A to Z", "'AbC'.lowerAscii() == 'abc'";
    method "upperAscii"(Text) same, SCAN, "the text with capitals for the letters a to z", "'AbC'.upperAscii() == 'ABC'";
    method "trim"(Text) same, SCAN, "the text without white space around it", "' a '.trim() == 'a'";
    method "substring"(Text, Int) same, SCAN, "the text from a place on", "'abc'.substring(1) == 'bc'";
    method "substring"(Text, Int, Int) same, SCAN, "the text from a place up to another one", "'abc'.substring(1, 2) == 'b'";
    method "replace"(Text, Text, Text) replaced, |a| SCAN(a) + replaced(a).size().scan(), "the text with each occurrence of the second text replaced by the third", "'aba'.replace('a', 'c') == 'cbc'";
    method "split"(Text, Text) |a| Type::List(Arc::new(same(a)), size(a, 0) + Size(1)), |a| SCAN(a) + size(a, 0).walk(), "the parts between a separator", "'a,b'.split(',') == ['a', 'b']";
    method "join"(Texts) |a| Type::String(element(a).size() * size(a, 0)), WALK, "the texts one after the other", "['a', 'b'].join() == 'ab'";
    method "join"(Texts, Text) |a| Type::String((element(a).size() + size(a, 1)) * size(a, 0)), |a| WALK(a) + size(a, 1).walk() * size(a, 0), "the texts with a separator between them", "['a', 'b'].join(', ') == 'a, b'";

    method "isSorted"(List) BOOL, WALK, "whether no element is smaller than the one before it", "[1, 2, 2].isSorted()";
    method "sum"(Numbers) element, WALK, "the sum of its numbers; of none, 0", "[1, 2].sum() == 3";
    method "min"(List) element, WALK, "the smallest element; of none, an error", "[2, 1].min() == 1";
    method "max"(List) element, WALK, "the greatest element; of none, an error", "[2, 1].max() == 2";
    method "indexOf"(List, Any) INT, WALK, "the place of the first element that is equal, else -1", "['a', 'b'].indexOf('b') == 1";
    method "lastIndexOf"(List, Any) INT, WALK, "the place of the last element that is equal, else -1", "['a', 'a'].lastIndexOf('a') == 1";
    method "distinct"(List) same, PAIRS, "the list without elements that are equal to one before them", "[1, 1, 2].distinct() == [1, 2]";
    method "reverse"(List) same, WALK, "the list backwards", "[1, 2].reverse() == [2, 1]";
    method "sort"(List) same, PAIRS, "the list, the smallest element first", "[2, 1].sort() == [1, 2]";
    function "sets.contains"(List, List) BOOL, PAIRS, "whether the first list has every element of the second", "sets.contains([1, 2], [2])";
    function "sets.equivalent"(List, List) BOOL, |a| PAIRS(a) + PAIRS(a), "whether each list has every element of the other", "sets.equivalent([1, 2], [2, 1, 1])";
    function "sets.intersects"(List, List) BOOL, PAIRS, "whether the lists have an element in common", "sets.intersects([1, 2], [2, 3])";

    function "int"(Int) INT, ONE, "the number itself", "int(1) == 1";
    function "int"(Uint) INT, ONE, "the number with a sign", "int(1u) == 1";
    function "int"(Double) INT, ONE, "the number without its fraction", "int(1.9) == 1";
    function "int"(Text) INT, SCAN, "the number that a text shows", "int('12') == 12";
    function "int"(Timestamp) INT, ONE, "the seconds since 1970", "int(timestamp('1970-01-01T00:01:00Z')) == 60";
    function "uint"(Int) UINT, ONE, "the number without a sign", "uint(1) == 1u";
    function "double"(Int) DOUBLE, ONE, "the number as a floating-point number", "double(1) == 1.0";
    function "double"(Uint) DOUBLE, ONE, "the number as a floating-point number", "double(1u) == 1.0";
    function "double"(Double) DOUBLE, ONE, "the number itself", "double(1.5) == 1.5";
    function "double"(Text) DOUBLE, SCAN, "the number that a text shows", "double('1.5') == 1.5";
    function "bool"(Bool) BOOL, ONE, "the value itself", "bool(true)";
    function "bool"(Text) BOOL, SCAN, "the value that a text shows", "bool('true')";
    function "string"(Text) same, ONE, "the text itself", "string('a') == 'a'";
    function "string"(Bool) NUMBER_TEXT, ONE, "the value as text", "string(true) == 'true'";
    function "string"(Int) NUMBER_TEXT, ONE, "the number as text", "string(1) == '1'";
    function "string"(Uint) NUMBER_TEXT, ONE, "the number as text", "string(1u) == '1'";
    function "string"(Double) NUMBER_TEXT, ONE, "the number as text", "string(1.5) == '1.5'";
    function "string"(Timestamp) NUMBER_TEXT, ONE, "the instant as text", "string(timestamp('2026-01-01T00:00:00Z')) == '2026-01-01T00:00:00Z'";
    function "string"(Duration) NUMBER_TEXT, ONE, "the span as text", "string(duration('1m')) == '60s'";

    function "timestamp"(Text) TIMESTAMP, SCAN, "the instant that a text shows", "timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026";
    function "duration"(Text) DURATION, SCAN, "the span that a text shows, in h, m, s and ms", "duration('1h') > duration('59m')";
    method "getFullYear"(Timestamp) INT, ONE, "its year", "timestamp('2026-03-04T05:06:07Z').getFullYear() == 2026";
    method "getMonth"(Timestamp) INT, ONE, "its month, from 0", "timestamp('2026-03-04T05:06:07Z').getMonth() == 2";
    method "getDate"(Timestamp) INT, ONE, "its day of the month, from 1", "timestamp('2026-03-04T05:06:07Z').getDate() == 4";
    method "getDayOfMonth"(Timestamp) INT, ONE, "its day of the month, from 0", "timestamp('2026-03-04T05:06:07Z').getDayOfMonth() == 3";
    method "getDayOfWeek"(Timestamp) INT, ONE, "its day of the week, from 0 for Sunday", "timestamp('2026-03-04T05:06:07Z').getDayOfWeek() == 3";
    method "getDayOfYear"(Timestamp) INT, ONE, "its day of the year, from 0", "timestamp('2026-01-01T00:00:00Z').getDayOfYear() == 0";
    method "getHours"(Timestamp) INT, ONE, "its hour", "timestamp('2026-03-04T05:06:07Z').getHours() == 5";
    method "getHours"(Duration) INT, ONE, "its full hours", "duration('90m').getHours() == 1";
    method "getMinutes"(Timestamp) INT, ONE, "its minute of the hour", "timestamp('2026-03-04T05:06:07Z').getMinutes() == 6";
    method "getMinutes"(Duration) INT, ONE, "its full minutes", "duration('90s').getMinutes() == 1";
    method "getSeconds"(Timestamp) INT, ONE, "its second of the minute", "timestamp('2026-03-04T05:06:07Z').getSeconds() == 7";
    method "getMilliseconds"(Timestamp) INT, ONE, "its millisecond of the second", "timestamp('2026-03-04T05:06:07.089Z').getMilliseconds() == 89";
    method "getSeconds"(Duration) INT, ONE, "its full seconds", "duration('1m').getSeconds() == 60";

    function "optional.of"(Any) |a| Type::Optional(Arc::new(same(a))), ONE, "a value that is there", "optional.of(1).hasValue()";
    function "optional.none"() |_| Type::Optional(Arc::new(Type::unknown())), ONE, "a value that is missing", "!optional.none().hasValue()";
    method "hasValue"(Optional) BOOL, ONE, "whether it is there", "{'a': 1}[?'a'].hasValue()";
    method "value"(Optional) inside, ONE, "the value; where it is missing, an error", "{'a': 1}[?'a'].value() == 1";
    method "orValue"(Optional, Any) |a| inside(a).or(a.get(1).cloned().unwrap_or(Type::unknown())), ONE, "the value; where it is missing, another one", "{'a': 1}[?'b'].orValue(2) == 2";
    method "or"(Optional, Optional) |a| same(a).or(a.get(1).cloned().unwrap_or(Type::unknown())), ONE, "itself; where it is missing, another optional", "optional.none().or(optional.of(1)).value() == 1";

    function "percent"(Text) DOUBLE, SCAN, "the number of percent, as service levels write it", "percent('99.9%') == 99.9";
    function "period"(Text) DURATION, SCAN, "the span, as service levels write it", "period('2 hours') == duration('2h')";
    function "date"(Text) TIMESTAMP, SCAN, "the first instant of a day in UTC", "date('2027-06-30') < date('2027-07-01')";
};

/// A text with each occurrence of another one replaced: an empty one occurs before each character and at the end.
fn replaced(arguments: &[Type]) -> Type {
    Type::String((size(arguments, 0) + Size(1)) * (size(arguments, 2) + Size(1)))
}

/// What an optional holds.
fn inside(arguments: &[Type]) -> Type {
    match arguments.first() {
        Some(Type::Optional(of)) => of.as_ref().clone(),
        Some(other) => other.clone(),
        None => Type::unknown(),
    }
}

/// What is wrong with a name that is no function's.
pub(super) fn unknown_function(name: &str) -> String {
    let mut names = FUNCTIONS.iter().map(|function| function.name).collect::<Vec<_>>();
    names.sort_unstable();
    names.dedup();
    let similar = names.iter().filter(|known| known.eq_ignore_ascii_case(name)).copied().collect::<Vec<_>>();
    match similar.first() {
        Some(similar) => format!("there is no function {name}; it is called {similar}"),
        None => format!("there is no function {name}; dataproduct policies --functions lists them"),
    }
}
