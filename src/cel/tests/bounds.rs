//! Whatever expression is accepted: on a document that is as large as its schema allows, the work is within the cost that was
//! found before, and the value within the size of its type.

use cel::common::{
    types::{CelList, CelMap, CelOptional, CelString},
    value::Val,
};
use proptest::{
    prelude::*,
    sample::select,
    strategy::Union,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value as Json, json};

use super::{Bindings, Declarations, Expression, Type, Value, declared};
use crate::cel::value::VISITED;

/// Expressions that are generated.
const CASES: u32 = 2000;

/// A document as large as its type allows.
fn largest(type_: &Type) -> Json {
    let text = |length: u64| "a".repeat(usize::try_from(length).expect("a length"));
    match type_ {
        Type::String(size) => json!(text(size.0)),
        Type::List(of, size) => (0..size.0).map(|_| largest(of)).collect(),
        Type::Map(map) => {
            let length = usize::try_from(map.key.size().0).expect("a length");
            let keys = (0..map.size.0).map(|number| format!("{number:0>length$}"));
            keys.map(|key| (key, largest(&map.value))).collect()
        }
        Type::Object(fields) => {
            fields.fields.iter().map(|(name, field)| (name.clone(), largest(&field.type_))).collect()
        }
        Type::Int => json!(7),
        other => panic!("no document has {other}"),
    }
}

/// The size of a value with all its parts, as types count it.
fn extent(value: &dyn Val) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        1 + text.inner().chars().count() as u64
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        1 + list.iter().map(|element| extent(element.as_ref())).sum::<u64>()
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        1 + map.iter().map(|(key, value)| extent(key.inner()) + extent(value.as_ref())).sum::<u64>()
    } else if let Some(optional) = value.downcast_ref::<CelOptional<'_>>() {
        optional.inner().map_or(1, extent)
    } else {
        1
    }
}

fn form(form: &'static str, places: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    places
        .prop_map(move |places| {
            places.iter().fold(form.to_owned(), |text, place| text.replacen("{}", place, 1))
        })
        .boxed()
}

fn either(leaves: &[&'static str], forms: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let leaves = select(leaves.to_vec()).prop_map(str::to_owned).boxed();
    if forms.is_empty() { leaves } else { prop_oneof![1 => leaves, 4 => Union::new(forms)].boxed() }
}

/// Expressions that give texts, lists of texts, and truth.
fn expressions(depth: u32) -> [BoxedStrategy<String>; 3] {
    let (texts, lists, truths) = (
        ["object.name", "object.items[0].name", "'a'", "''", "object.?target.orValue('')"],
        ["object.tags", "object.items.map(x, x.name)", "object.labels.map(x, x)"],
        ["object.name == object.target", "object.items == object.items", "object.labels == object.labels"],
    );
    let Some(depth) = depth.checked_sub(1) else {
        return [either(&texts, vec![]), either(&lists, vec![]), either(&truths, vec![])];
    };
    let [t, l, b] = expressions(depth);
    let x = prop_oneof![Just("x".to_owned()), t.clone(), Just("x + x".to_owned())].boxed();
    [
        either(
            &texts,
            vec![
                form("({} + {})", vec![t.clone(), t.clone()]),
                form("({}).replace({}, {})", vec![t.clone(), t.clone(), t.clone()]),
                form("({}).join({})", vec![l.clone(), t.clone()]),
                form("({} ? {} : {})", vec![b.clone(), t.clone(), t.clone()]),
                form("({}).upperAscii()", vec![t.clone()]),
            ],
        ),
        either(
            &lists,
            vec![
                form("({} + {})", vec![l.clone(), l.clone()]),
                form("[{}, {}]", vec![t.clone(), t.clone()]),
                form("({}).map(x, {})", vec![l.clone(), x]),
                form("({}).filter(x, {})", vec![l.clone(), b.clone()]),
                form("({}).split({})", vec![t.clone(), t.clone()]),
                form("({}).findAll('a')", vec![t.clone()]),
                form("({}).distinct()", vec![l.clone()]),
                form("({}).sort()", vec![l.clone()]),
                form("({}).reverse()", vec![l.clone()]),
                form("[{}, {}][0]", vec![l.clone(), l.clone()]),
            ],
        ),
        either(
            &truths,
            vec![
                form("({}).all(x, x == {} || {})", vec![l.clone(), t.clone(), b.clone()]),
                form("({}).exists(x, {} in {})", vec![l.clone(), t.clone(), l.clone()]),
                form("object.items.all(x, {})", vec![b.clone()]),
                form("sets.contains({}, {})", vec![l.clone(), l.clone()]),
                form("({} == {})", vec![l.clone(), l]),
                form("({} && {})", vec![b.clone(), b]),
            ],
        ),
    ]
}

fn largest_bindings(declared: &Declarations) -> Bindings<'static> {
    let mut bindings = Bindings::new().expect("an engine");
    bindings.bind("object", Value::from_json(largest(declared.get("object").expect("a type"))));
    bindings
}

#[test]
fn what_is_done_is_within_the_cost_and_what_comes_out_within_the_type() {
    let declared = declared();
    let bindings = largest_bindings(&declared);
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig {
            cases: CASES,
            failure_persistence: None,
            max_global_rejects: 20 * CASES,
            ..ProptestConfig::default()
        },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let result = runner.run(&Union::new(expressions(3)), |source| {
        let expression = Expression::of_any_type(&source, &declared);
        let expression = expression.map_err(|fault| TestCaseError::reject(fault.to_string()))?;
        // Larger ones are counted the same way and only take longer.
        prop_assume!(expression.cost < 300_000);
        VISITED.with(|visited| visited.set(0));
        let value = expression
            .evaluate(&bindings)
            .map_err(|reason| TestCaseError::fail(format!("{source}: {reason}")))?;
        let visited = VISITED.with(std::cell::Cell::get);
        prop_assert!(
            visited <= expression.cost,
            "{source} visits {visited} and may cost {}",
            expression.cost
        );
        let (extent, whole) = (extent(value.0.as_ref()), expression.type_.whole().0);
        prop_assert!(extent <= whole, "{source} is {extent} large and may be {whole}");
        Ok(())
    });
    result.expect("a bound that holds");
}

#[test]
fn the_copies_of_a_list_are_shared_and_no_chain_of_them_grows_unpaid() {
    let chain = |times: usize| "[object.tags]".to_owned() + &".map(x, [x, x, x, x])".repeat(times);
    let compiled = |times| Expression::of_any_type(&chain(times), &declared()).expect("a cheap chain");
    let expression = compiled(12);
    assert!(expression.cost < 1000, "{}", expression.cost);
    // Four to the twelfth lists, if they were copied.
    assert!(expression.evaluate(&largest_bindings(&declared())).is_ok());
    let compared = format!("{0} == {0}", chain(12));
    let fault = Expression::of_any_type(&compared, &declared()).expect_err("looks at each of them");
    assert!(fault.message.contains("may cost"), "{fault}");
}
