//! The engine with the functions that it does not bring itself.

use std::sync::{Arc, LazyLock};

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload, add_overload,
    common::{
        types::{
            CelBool, CelDouble, CelDuration, CelInt, CelList, CelString, CelTimestamp, DOUBLE_TYPE, DYN_TYPE,
            INT_TYPE, LIST_TYPE, UINT_TYPE,
        },
        value::{CowVal, Val},
    },
    extensions,
};
use jiff::civil::Date;

use super::{
    pattern::Pattern,
    value::{Value, shared},
};
use crate::model::{duration::Period, percent::Percent};

/// The engine; an error only where two functions have the same name and types, which a test would see.
pub(super) fn engine() -> Result<Arc<Env>, String> {
    static ENGINE: LazyLock<Result<Arc<Env>, String>> =
        LazyLock::new(|| build().map(Arc::new).map_err(|error| error.to_string()));
    ENGINE.clone()
}

/// What the checker puts around each list and map that an expression makes. No expression can name it.
pub(super) const SHARE: &str = "@share";

fn share<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    match args.into_iter().next() {
        Some(CowVal::Owned(made)) => Ok(CowVal::Owned(shared(made))),
        // What is borrowed is part of what is shared already.
        Some(borrowed) => Ok(borrowed),
        None => Err(ExecutionError::MissingArgumentOrTarget),
    }
}

fn build() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::lists)?;
    add_member_overload!(env, fn matches: (CelString, Pattern) -> CelBool, id = "pattern_matches")?;
    add_overload!(env, fn matches: (CelString, Pattern) -> CelBool, id = "matches_pattern")?;
    add_member_overload!(env, fn find: (CelString, Pattern) -> CelString)?;
    add_member_overload!(env, fn find_all: (CelString, Pattern) -> CelList)?;
    env.add_member_overload("isSorted", "list.isSorted()", LIST_TYPE, vec![], is_sorted)?;
    env.add_member_overload("sum", "list.sum()", LIST_TYPE, vec![], sum)?;
    env.add_member_overload("min", "list.min()", LIST_TYPE, vec![], |args| {
        extreme(args, std::cmp::Ordering::Less)
    })?;
    env.add_member_overload("max", "list.max()", LIST_TYPE, vec![], |args| {
        extreme(args, std::cmp::Ordering::Greater)
    })?;
    env.add_member_overload("indexOf", "list.indexOf(dyn)", LIST_TYPE, vec![DYN_TYPE], |args| {
        index_of(args, false)
    })?;
    env.add_member_overload("lastIndexOf", "list.lastIndexOf(dyn)", LIST_TYPE, vec![DYN_TYPE], |args| {
        index_of(args, true)
    })?;
    env.add_overload("sets.contains", "sets.contains(list,list)", vec![LIST_TYPE, LIST_TYPE], |args| {
        sets(args, |a, b| Ok(all_in(b, a)))
    })?;
    env.add_overload("sets.equivalent", "sets.equivalent(list,list)", vec![LIST_TYPE, LIST_TYPE], |args| {
        sets(args, |a, b| Ok(all_in(a, b) && all_in(b, a)))
    })?;
    env.add_overload("sets.intersects", "sets.intersects(list,list)", vec![LIST_TYPE, LIST_TYPE], |args| {
        sets(args, |a, b| Ok(a.iter().any(|one| b.iter().any(|other| one.equals(*other)))))
    })?;
    env.add_overload(SHARE, "share(dyn)", vec![DYN_TYPE], share)?;
    add_overload!(env, fn percent: (CelString) -> Result<CelDouble>)?;
    add_overload!(env, fn period: (CelString) -> Result<CelDuration>)?;
    add_overload!(env, fn date: (CelString) -> Result<CelTimestamp>)?;
    Ok(env)
}

fn matches(text: &CelString<'_>, pattern: &Pattern) -> CelBool {
    pattern.0.is_match(text.inner()).into()
}

fn find(text: &CelString<'_>, pattern: &Pattern) -> CelString<'static> {
    pattern.0.find(text.inner()).map_or(String::new(), |found| found.as_str().to_owned()).into()
}

fn find_all(text: &CelString<'_>, pattern: &Pattern) -> CelList<'static> {
    let found = pattern.0.find_iter(text.inner());
    let boxed = found.map(|found| Box::new(CelString::from(found.as_str().to_owned())) as Box<dyn Val>);
    boxed.collect::<Vec<_>>().into()
}

/// The elements of the list that is the argument of a number.
fn elements<'a, 'v>(
    args: &'a [CowVal<'_, 'v>],
    number: usize,
) -> Result<Vec<&'a (dyn Val + 'v)>, ExecutionError> {
    let list = args.get(number).and_then(|list| list.as_iterable());
    let mut iterator = list.ok_or(ExecutionError::MissingArgumentOrTarget)?.iter();
    Ok(std::iter::from_fn(move || iterator.next()).collect())
}

fn compare(function: &str, one: &dyn Val, other: &dyn Val) -> Result<std::cmp::Ordering, ExecutionError> {
    let comparer = one.as_comparer();
    let comparer =
        comparer.ok_or_else(|| ExecutionError::function_error(function, "its elements have no order"))?;
    comparer.compare(other)
}

fn is_sorted<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let elements = elements(&args, 0)?;
    for pair in elements.windows(2) {
        if let [one, other] = pair
            && compare("isSorted", *one, *other)?.is_gt()
        {
            return Ok(CowVal::owned(CelBool::from(false)));
        }
    }
    Ok(CowVal::owned(CelBool::from(true)))
}

fn sum<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let elements = elements(&args, 0)?;
    let Some((first, others)) = elements.split_first() else {
        return Ok(CowVal::owned(CelInt::from(0)));
    };
    if ![&INT_TYPE, &UINT_TYPE, &DOUBLE_TYPE].contains(&first.get_type()) {
        return Err(ExecutionError::function_error("sum", "its elements are no numbers"));
    }
    let mut sum = first.clone_as_boxed();
    for other in others {
        let adder = sum.as_adder();
        let adder =
            adder.ok_or_else(|| ExecutionError::function_error("sum", "its elements are no numbers"))?;
        sum = adder.add(*other)?.into_owned();
    }
    Ok(CowVal::Owned(sum))
}

fn extreme<'b, 'v>(
    args: Vec<CowVal<'b, 'v>>,
    wanted: std::cmp::Ordering,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let function = if wanted.is_lt() { "min" } else { "max" };
    let elements = elements(&args, 0)?;
    let mut elements = elements.into_iter();
    let first = elements.next();
    let mut found = first.ok_or_else(|| ExecutionError::function_error(function, "the list is empty"))?;
    for element in elements {
        if compare(function, element, found)? == wanted {
            found = element;
        }
    }
    Ok(CowVal::Owned(found.clone_as_boxed()))
}

fn index_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>, last: bool) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let wanted = args.get(1).ok_or(ExecutionError::MissingArgumentOrTarget)?;
    let elements = elements(&args, 0)?;
    let is = |element: &&(dyn Val + 'v)| element.equals(wanted.as_ref());
    let place = if last { elements.iter().rposition(is) } else { elements.iter().position(is) };
    Ok(CowVal::owned(CelInt::from(place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1))))
}

type Elements<'a, 'v> = [&'a (dyn Val + 'v)];

fn sets<'b, 'v>(
    args: Vec<CowVal<'b, 'v>>,
    answer: impl Fn(&Elements<'_, 'v>, &Elements<'_, 'v>) -> Result<bool, ExecutionError>,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let answer = answer(&elements(&args, 0)?, &elements(&args, 1)?)?;
    Ok(CowVal::owned(CelBool::from(answer)))
}

fn all_in(some: &Elements<'_, '_>, all: &Elements<'_, '_>) -> bool {
    some.iter().all(|one| all.iter().any(|other| one.equals(*other)))
}

fn percent(text: &CelString<'_>) -> Result<CelDouble, ExecutionError> {
    let parsed = text.inner().parse::<Percent>();
    let percent = parsed.map_err(|error| ExecutionError::function_error("percent", error))?;
    // Exact below 2^53, so that the quotient is the number nearest to the percentage.
    #[allow(clippy::cast_precision_loss)]
    Ok(CelDouble::from(percent.millionths() as f64 / 1_000_000.0))
}

fn period(text: &CelString<'_>) -> Result<CelDuration, ExecutionError> {
    let parsed = text.inner().parse::<Period>();
    let period = parsed.map_err(|error| ExecutionError::function_error("period", error))?;
    let span = chrono::Duration::try_seconds(period.seconds());
    Ok(span.ok_or_else(|| ExecutionError::function_error("period", "it is too long"))?.into())
}

fn date(text: &CelString<'_>) -> Result<CelTimestamp, ExecutionError> {
    let day = text.inner().parse::<Date>();
    let day = day.map_err(|_| {
        ExecutionError::function_error("date", format!("{:?} is no day like 2027-06-30", text.inner()))
    })?;
    Value::instant_of(day).ok_or_else(|| ExecutionError::function_error("date", "it is out of range"))
}
