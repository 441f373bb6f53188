//! Texts that somebody wrote to do harm, and texts that nobody would write: there is always an answer, on the stack that a
//! worker of the operator has, and no panic.
//!
//! `corpus/` has one text a file. What once went wrong goes there too.

use std::{fs, path::PathBuf, thread};

use anyhow::{Context, Result, anyhow, ensure};
use dataproduct_operator::cel::{Bindings, Declarations, Expression, MAX_COST, MAX_SOURCE, Type, Value};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;

/// The stack of a thread that evaluates policies, in bytes: what tokio gives its workers.
const STACK: usize = 2 << 20;
/// Texts that are made of pieces.
const CASES: u32 = 1500;

/// Runs on a thread with the stack of a worker.
fn on_a_worker(run: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let worker = thread::Builder::new().stack_size(STACK).spawn(run)?;
    worker.join().map_err(|_| anyhow!("the worker panicked; its message is above"))?
}

fn declared() -> Declarations {
    let item = Type::object("item", [("name", Type::text(20), true), ("count", Type::Int, false)]);
    let object = Type::object(
        "object",
        [
            ("s", Type::text(63), true),
            ("n", Type::Int, true),
            ("annotation", Type::text(262_144), true),
            ("tags", Type::list(Type::text(20), 64), true),
            ("labels", Type::map(63, Type::text(63), 64), true),
            ("items", Type::list(item, 1000), true),
            ("missing", Type::text(20), false),
        ],
    );
    Declarations::default().with("object", object)
}

fn bindings() -> Result<Bindings<'static>> {
    let mut bindings = Bindings::new().map_err(|reason| anyhow!(reason))?;
    let items = (0..1000)
        .map(|number| json!({"name": format!("item-{number}"), "count": number}))
        .collect::<Vec<_>>();
    let object = json!({
        "s": "a".repeat(63),
        "n": 3,
        "annotation": "ab".repeat(1000),
        "tags": vec!["a".repeat(20); 64],
        "labels": {"a": "1", "b": "2"},
        "items": items,
    });
    bindings.bind("object", Value::from_json(object));
    Ok(bindings)
}

fn corpus() -> Result<Vec<(String, String)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cel/corpus");
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).context("a name")?.to_owned();
        texts.push((name, fs::read_to_string(&path)?));
    }
    texts.sort();
    ensure!(texts.len() > 150, "the corpus is not there");
    Ok(texts)
}

/// Compiles a text and, where that is possible, evaluates it. Whatever becomes of it, it must be an answer with words.
fn answer(text: &str, declared: &Declarations, bindings: &Bindings<'_>) -> Result<bool> {
    match Expression::of_any_type(text, declared) {
        Err(fault) => {
            let lines = text.split('\n').count();
            ensure!(!fault.message.is_empty() && fault.line >= 1 && fault.column >= 1, "{text:?}: {fault:?}");
            ensure!(fault.line <= lines, "{text:?}: {fault:?} is after the last line");
            ensure!(fault.message.chars().count() <= 400, "{text:?}: the message is long");
            Ok(false)
        }
        Ok(expression) => {
            ensure!(text.len() <= MAX_SOURCE && expression.cost <= MAX_COST, "{text:?} is accepted");
            if let Err(reason) = expression.evaluate(bindings) {
                ensure!(!reason.is_empty() && reason.chars().count() <= 200, "{text:?}: {reason:?}");
            }
            Ok(true)
        }
    }
}

#[test]
fn every_text_of_the_corpus_has_an_answer_on_the_stack_of_a_worker() -> Result<()> {
    on_a_worker(|| {
        let (declared, bindings) = (declared(), bindings()?);
        let mut accepted = Vec::new();
        for (name, text) in corpus()? {
            if answer(&text, &declared, &bindings)? {
                accepted.push(name);
            }
        }
        // Those that are no harm: they are cheap, or fail in words.
        assert_eq!(accepted, ACCEPTED);
        Ok(())
    })
}

/// Texts of the corpus that are accepted.
const ACCEPTED: &[&str] = &[
    "accumulator-named",
    "braces-nested",
    "brackets-nested",
    "calls-nested",
    "char-at-far",
    "combining",
    "comment-last",
    "comment-lines",
    "copies-nested",
    "date-far",
    "division-by-zero",
    "duration-far",
    "elements",
    "emoji-text",
    "entries",
    "escape-unicode",
    "escapes",
    "has-nested",
    "index-far",
    "index-negative",
    "int-least",
    "int-of-far",
    "max-not-a-number",
    "mixed-list",
    "mixed-sum",
    "not-a-number",
    "nul-inside",
    "number-float",
    "optional-elements",
    "parentheses-nested",
    "percent-far",
    "period-far",
    "quotient-of-least",
    "regex-alternatives",
    "regex-backtrack",
    "regex-nul",
    "remainder-of-least",
    "right-to-left",
    "same-keys",
    "shadowing",
    "sort-not-a-number",
    "substring-negative",
    "tabs",
    "text-long",
    "timestamp-bad",
    "timestamp-far",
    "uint-greatest",
    "uint-of-negative",
    "unary-overflow",
];

const TOKENS: [&str; 64] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    "?",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    " in ",
    ".?",
    "[?",
    "'",
    "\"",
    "'''",
    "r'",
    "b'",
    "\\",
    "//",
    "\n",
    " ",
    "0",
    "1",
    "9223372036854775807",
    "1u",
    "0x",
    "1.5",
    "1e9",
    "true",
    "null",
    "'a'",
    "object",
    "object.s",
    "object.tags",
    "object.items",
    "object.labels",
    "a",
    "has(",
    ".all(a,",
    ".map(a,",
    ".filter(a,",
    ".exists(a,",
    ".size()",
    ".matches('",
    ".replace(",
    "é",
    "\u{1F600}",
    "\0",
    "@result",
];

/// Texts made of pieces of the language.
fn soup() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => vec(select(&TOKENS[..]), 0..40).prop_map(|tokens| tokens.concat()),
        1 => (select(&TOKENS[..]), select(&TOKENS[..]), 1..400_usize).prop_map(|(one, other, times)| format!("{one}{other}").repeat(times)),
        1 => any::<String>(),
    ]
}

/// Texts of the corpus with pieces cut out, doubled, swapped or put in.
fn mutated(corpus: Vec<String>) -> impl Strategy<Value = String> {
    let change = (0..4_u8, any::<Index>(), any::<Index>(), select(&TOKENS[..]));
    (select(corpus), vec(change, 1..6)).prop_map(|(text, changes)| {
        let mut text: Vec<char> = text.chars().collect();
        for (kind, from, to, token) in changes {
            let (a, b) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let (a, b) = (a.min(b), a.max(b).min(a.min(b) + 64));
            match kind {
                0 => drop(text.drain(a..b)),
                1 => drop(text.splice(a..a, text[a..b].to_vec())),
                2 => drop(text.splice(a..b, token.chars())),
                _ => text[a..b].reverse(),
            }
        }
        text.into_iter().collect()
    })
}

#[test]
fn no_text_that_is_made_of_pieces_stops_the_parser_or_the_evaluation() -> Result<()> {
    on_a_worker(|| {
        let (declared, bindings) = (declared(), bindings()?);
        let corpus = corpus()?.into_iter().map(|(_, text)| text).collect();
        let mut runner = TestRunner::new_with_rng(
            ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() },
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        );
        runner.run(&prop_oneof![soup(), mutated(corpus)], |text| {
            answer(&text, &declared, &bindings).map_err(|error| TestCaseError::fail(error.to_string()))?;
            Ok(())
        })?;
        Ok(())
    })
}
