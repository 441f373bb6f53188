//! Expressions and documents by the hundred, evaluated by ours and by `kube-cel`, which follows the libraries of Kubernetes: the
//! same value, or an error of both.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Result, anyhow};
use dataproduct_operator::cel::{Bindings, Declarations, Expression, Type, Value};
use kube_cel::{
    KubeCelExt,
    cel::{self, Context},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{RngAlgorithm, TestCaseResult, TestRng, TestRunner},
};
use serde_json::{Value as Json, json};

use crate::literal;

/// Pairs of an expression and a document.
const CASES: u32 = 3000;

#[test]
fn both_engines_give_the_same_value_or_both_give_none() -> Result<()> {
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let sources = prop_oneof![
        3 => boolean(3, false),
        2 => text(3, false),
        1 => int(3, false),
        1 => list(3, false),
    ];
    runner.run(&(sources, document()), |(source, document)| agree(&source, &document))?;
    Ok(())
}

#[test]
fn what_differs_from_the_oracle_is_known() -> Result<()> {
    // What is written, what ours gives, and what the oracle gives; an empty text is no value.
    let document = json!({"s": "a", "t": "", "n": 2, "tags": [], "counts": [], "labels": {}, "items": []});
    for (source, ours, theirs) in DIFFERENCES {
        let expect = |text: &str| (!text.is_empty()).then(|| literal::value(text)).transpose();
        let given = ours_of(source, &document).map_err(|reason| anyhow!("{source}: {reason}"))?;
        assert_same(source, "ours", given.ok().as_ref(), expect(ours)?.map(|(_, value)| value).as_ref());
        let given = theirs_of(source, &document).ok().map(|text| literal::value(&text)).transpose()?;
        assert_same(
            source,
            "theirs",
            given.map(|(_, value)| value).as_ref(),
            expect(theirs)?.map(|(_, value)| value).as_ref(),
        );
    }
    Ok(())
}

/// An expression, what ours gives, and what the oracle gives.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    // The oracle's engine, an older release, takes a field that is missing for an error here.
    ("object.?missing.hasValue()", "false", ""),
    // Sizes are in characters; the oracle counts bytes.
    ("size('é')", "1", "2"),
    // An empty separator stands between characters, as in the libraries of Kubernetes, and not before and after them too.
    ("'ab'.split('')", "['a', 'b']", "['', 'a', 'b', '']"),
];

fn assert_same(source: &str, whose: &str, given: Option<&Value>, expected: Option<&Value>) {
    let same = match (given, expected) {
        (Some(given), Some(expected)) => literal::same(given, expected),
        (given, expected) => given.is_none() && expected.is_none(),
    };
    assert!(same, "{source}: {whose} gives {given:?} and not {expected:?}");
}

fn agree(source: &str, document: &Json) -> TestCaseResult {
    let ours = ours_of(source, document).map_err(TestCaseError::reject)?;
    let theirs = theirs_of(source, document);
    match (&ours, &theirs) {
        (Err(_), Err(_)) => Ok(()),
        (Ok(ours), Ok(theirs)) => {
            let (_, theirs) =
                literal::value(theirs).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(literal::same(ours, &theirs), "{source} on {document}: {ours:?} and {theirs:?}");
            Ok(())
        }
        _ => Err(TestCaseError::fail(format!("{source} on {document}: {ours:?} and {theirs:?}"))),
    }
}

/// Ours: the value or why there is none; the outer error is that of the checker.
fn ours_of(source: &str, document: &Json) -> Result<Result<Value, String>, String> {
    let word = || Type::text(40);
    let item = Type::object("item", [("name", word(), true), ("count", Type::Int, false)]);
    let object = Type::object(
        "object",
        [
            ("s", word(), true),
            ("t", word(), true),
            ("n", Type::Int, true),
            ("tags", Type::list(word(), 8), true),
            ("counts", Type::list(Type::Int, 8), true),
            ("labels", Type::map(8, word(), 8), true),
            ("items", Type::list(item, 8), true),
            ("missing", word(), false),
        ],
    );
    let declared = Declarations::default().with("object", object);
    let expression =
        Expression::of_any_type(source, &declared).map_err(|fault| format!("{source}: {fault}"))?;
    let mut bindings = Bindings::new()?;
    bindings.bind("object", Value::from_json(document.clone()));
    Ok(expression.evaluate(&bindings))
}

/// Theirs, as an expression that gives it.
fn theirs_of(source: &str, document: &Json) -> Result<String, String> {
    let mut context = Context::default().with_all();
    context.add_variable_from_value("object", theirs(document));
    let parsed = cel::parser::Parser::default().enable_optional_syntax(true).parse(source);
    let parsed = parsed.map_err(|error| error.to_string())?;
    let value = cel::Value::resolve(&parsed, &context).map_err(|error| error.to_string())?;
    written(&value).ok_or_else(|| format!("{value:?} cannot be compared"))
}

fn theirs(json: &Json) -> cel::Value {
    match json {
        Json::Null => cel::Value::Null,
        Json::Bool(value) => cel::Value::Bool(*value),
        Json::Number(number) => cel::Value::Int(number.as_i64().unwrap_or_default()),
        Json::String(text) => cel::Value::String(Arc::new(text.clone())),
        Json::Array(elements) => cel::Value::List(Arc::new(elements.iter().map(theirs).collect())),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), theirs(value)));
            cel::Value::Map(entries.collect::<HashMap<_, _>>().into())
        }
    }
}

fn written(value: &cel::Value) -> Option<String> {
    Some(match value {
        cel::Value::Null => "null".to_owned(),
        cel::Value::Bool(value) => value.to_string(),
        cel::Value::Int(number) => literal::int(*number),
        cel::Value::String(text) => literal::text(text),
        cel::Value::List(elements) => {
            format!("[{}]", elements.iter().map(written).collect::<Option<Vec<_>>>()?.join(", "))
        }
        _ => return None,
    })
}

const WORDS: [&str; 10] = ["", "a", "b", "ab", "a,b", "aba", "Ab", " a ", "c1", "b2b"];
const PATTERNS: [&str; 7] = ["^a", "b$", "[0-9]+", "a.", "^$", "(ab|b)*", "c"];

fn word() -> BoxedStrategy<String> {
    select(&WORDS[..]).prop_map(str::to_owned).boxed()
}

fn document() -> impl Strategy<Value = Json> {
    let labels = proptest::collection::btree_map(select(&["a", "b", "c"][..]), word(), 0..3);
    let item = (word(), proptest::option::of(-2_i64..3)).prop_map(|(name, count)| match count {
        Some(count) => json!({"name": name, "count": count}),
        None => json!({"name": name}),
    });
    let parts = (word(), word(), -3_i64..4, vec(word(), 0..4), vec(-2_i64..3, 0..4), labels, vec(item, 0..3));
    parts.prop_map(|(s, t, n, tags, counts, labels, items)| {
        json!({"s": s, "t": t, "n": n, "tags": tags, "counts": counts, "labels": labels, "items": items})
    })
}

/// Expressions of one form, with what is put in its places.
fn form(form: &'static str, places: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let filled = move |places: Vec<String>| {
        places.iter().fold(form.to_owned(), |text, place| text.replacen("{}", place, 1))
    };
    places.prop_map(filled).boxed()
}

fn forms(leaves: &[&'static str], forms_: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let leaves = select(leaves.to_vec()).prop_map(str::to_owned).boxed();
    if forms_.is_empty() {
        return leaves;
    }
    prop_oneof![1 => leaves, 3 => proptest::strategy::Union::new(forms_)].boxed()
}

/// Expressions that give texts. Inside a macro, `x` is one.
fn text(depth: u32, bound: bool) -> BoxedStrategy<String> {
    let mut leaves = vec![
        "object.s",
        "object.t",
        "'a'",
        "'b'",
        "','",
        "''",
        "'c1'",
        "object.labels['a']",
        "object.labels.b",
    ];
    if bound {
        leaves.extend(["x", "x", "x"]);
    }
    let Some(depth) = depth.checked_sub(1) else { return forms(&leaves, vec![]) };
    let (t, i, b, l) = (text(depth, bound), int(depth, bound), boolean(depth, bound), list(depth, bound));
    let pattern = select(&PATTERNS[..]).prop_map(literal::text).boxed();
    let key = select(&["'a'", "'b'", "'z'"][..]).prop_map(str::to_owned).boxed();
    forms(
        &leaves,
        vec![
            form("({} + {})", vec![t.clone(), t.clone()]),
            form("({} ? {} : {})", vec![b, t.clone(), t.clone()]),
            form("({}).lowerAscii()", vec![t.clone()]),
            form("({}).upperAscii()", vec![t.clone()]),
            form("({}).trim()", vec![t.clone()]),
            form("({}).replace({}, {})", vec![t.clone(), t.clone(), t.clone()]),
            form("({}).substring({})", vec![t.clone(), i.clone()]),
            form("({}).substring({}, {})", vec![t.clone(), i.clone(), i.clone()]),
            form("({}).charAt({})", vec![t.clone(), i.clone()]),
            form("({}).find({})", vec![t.clone(), pattern]),
            form("({}).join({})", vec![l.clone(), t.clone()]),
            form("({})[{}]", vec![l, i.clone()]),
            form("string({})", vec![i]),
            form("object.labels[?{}].orValue({})", vec![key, t.clone()]),
            form("object[?'missing'].orValue({})", vec![t.clone()]),
            form("object.?s.orValue({})", vec![t]),
        ],
    )
}

fn int(depth: u32, bound: bool) -> BoxedStrategy<String> {
    let leaves = ["object.n", "0", "1", "2", "-1", "9223372036854775807", "object.counts[0]"];
    let Some(depth) = depth.checked_sub(1) else { return forms(&leaves, vec![]) };
    let (t, i, l) = (text(depth, bound), int(depth, bound), list(depth, bound));
    forms(
        &leaves,
        vec![
            form("({} + {})", vec![i.clone(), i.clone()]),
            form("({} - {})", vec![i.clone(), i.clone()]),
            form("({} * {})", vec![i.clone(), i.clone()]),
            form("({} / {})", vec![i.clone(), i.clone()]),
            form("({} % {})", vec![i.clone(), i.clone()]),
            form("size({})", vec![t.clone()]),
            form("({}).size()", vec![l.clone()]),
            form("({}).indexOf({})", vec![t.clone(), t.clone()]),
            form("({}).lastIndexOf({})", vec![t.clone(), t.clone()]),
            form("({}).indexOf({})", vec![l, t]),
            Just("object.counts.sum()".to_owned()).boxed(),
            Just("object.counts.min()".to_owned()).boxed(),
            Just("object.counts.max()".to_owned()).boxed(),
            Just("object.items.map(item, item.count).sum()".to_owned()).boxed(),
            Just("object.items.filter(item, has(item.count)).map(item, item.count).sum()".to_owned()).boxed(),
        ],
    )
}

/// Expressions that give lists of texts.
fn list(depth: u32, bound: bool) -> BoxedStrategy<String> {
    let leaves = [
        "object.tags",
        "['b', 'a', 'b']",
        "object.items.map(item, item.name)",
        "object.labels.map(key, key).sort()",
    ];
    let Some(depth) = depth.checked_sub(1) else { return forms(&leaves, vec![]) };
    let (t, b, l) = (text(depth, bound), boolean(depth, bound), list(depth, bound));
    let (inside, holds) = (text(depth, true), boolean(depth, true));
    let pattern = select(&PATTERNS[..]).prop_map(literal::text).boxed();
    let separator = select(&["','", "'a'", "'ab'"][..]).prop_map(str::to_owned).boxed();
    forms(
        &leaves,
        vec![
            form("[{}, {}]", vec![t.clone(), t.clone()]),
            form("({} + {})", vec![l.clone(), l.clone()]),
            form("({} ? {} : {})", vec![b, l.clone(), l.clone()]),
            form("({}).map(x, {})", vec![l.clone(), inside.clone()]),
            form("({}).filter(x, {})", vec![l.clone(), holds.clone()]),
            form("({}).map(x, {}, {})", vec![l.clone(), holds, inside]),
            form("({}).split({})", vec![t.clone(), separator]),
            form("({}).findAll({})", vec![t, pattern]),
            form("({}).distinct()", vec![l.clone()]),
            form("({}).sort()", vec![l.clone()]),
            form("({}).reverse()", vec![l]),
        ],
    )
}

fn boolean(depth: u32, bound: bool) -> BoxedStrategy<String> {
    let leaves = [
        "true",
        "false",
        "has(object.s)",
        "has(object.missing)",
        "has(object.labels.a)",
        "'a' in object.labels",
        "object[?'missing'].hasValue()",
    ];
    let Some(depth) = depth.checked_sub(1) else { return forms(&leaves, vec![]) };
    let (t, i, b, l) = (text(depth, bound), int(depth, bound), boolean(depth, bound), list(depth, bound));
    let holds = boolean(depth, true);
    let pattern = select(&PATTERNS[..]).prop_map(literal::text).boxed();
    forms(
        &leaves,
        vec![
            form("({} && {})", vec![b.clone(), b.clone()]),
            form("({} || {})", vec![b.clone(), b.clone()]),
            form("!({})", vec![b]),
            form("({} == {})", vec![t.clone(), t.clone()]),
            form("({} < {})", vec![t.clone(), t.clone()]),
            form("({} == {})", vec![i.clone(), i.clone()]),
            form("({} >= {})", vec![i.clone(), i]),
            form("({} == {})", vec![l.clone(), l.clone()]),
            form("({} in {})", vec![t.clone(), l.clone()]),
            form("({}).contains({})", vec![t.clone(), t.clone()]),
            form("({}).startsWith({})", vec![t.clone(), t.clone()]),
            form("({}).endsWith({})", vec![t.clone(), t.clone()]),
            form("({}).matches({})", vec![t, pattern]),
            form("({}).all(x, {})", vec![l.clone(), holds.clone()]),
            form("({}).exists(x, {})", vec![l.clone(), holds.clone()]),
            form("({}).exists_one(x, {})", vec![l.clone(), holds]),
            form("({}).isSorted()", vec![l.clone()]),
            form("sets.contains({}, {})", vec![l.clone(), l.clone()]),
            form("sets.intersects({}, {})", vec![l.clone(), l.clone()]),
            form("sets.equivalent({}, {})", vec![l.clone(), l]),
        ],
    )
}
