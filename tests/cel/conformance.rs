//! The official test data of the language. What is supported gives what is expected; what is not is refused with a word for
//! it. `UPDATE_GOLDEN=1` writes the table anew; read the difference before it is committed.

use std::{collections::BTreeMap, env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use dataproduct_operator::cel::{Bindings, Declarations, Expression};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::literal;

/// What the engine does otherwise than the test data says, and why that is left so.
const DEVIATIONS: &[(&str, &str)] = &[];

/// What a refusal says of something that is not supported, and how the table calls that.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("there are no bytes", "bytes"),
    ("messages cannot be made", "messages"),
    ("macros with two variables", "two variables"),
    ("there is no function ", "function"),
    ("is not known; the names are", "name"),
    ("does not take (", "argument"),
    ("does not go with", "operand"),
    ("has no element at", "index"),
    ("has no fields", "field"),
    ("a pattern is written as it is", "computed pattern"),
    ("is no list and no map", "range"),
    ("this may be missing", "field of an optional"),
    ("unsupported syntax: '`'", "quoted fields"),
    ("is nested more than", "depth"),
];

#[derive(Deserialize)]
struct Section {
    name: String,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    expr: String,
    container: Option<String>,
    #[serde(default)]
    bindings: BTreeMap<String, Json>,
    value: Option<Json>,
    eval_error: Option<Json>,
}

/// What became of a case.
enum Outcome {
    Right,
    /// With a word for what is not supported.
    Refused(String),
    /// With what is wrong.
    Wrong(String),
}

#[test]
fn what_is_supported_gives_what_the_official_test_data_expects() -> Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cel/conformance");
    let mut suites: Vec<_> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    suites.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    suites.sort();
    let (mut table, mut wrong, mut deviations) =
        (String::new(), Vec::new(), DEVIATIONS.iter().copied().collect::<BTreeMap<_, _>>());
    for path in suites {
        let suite = path.file_stem().and_then(|name| name.to_str()).context("a name")?;
        let sections: Vec<Section> =
            serde_json::from_str(&fs::read_to_string(&path)?).context(suite.to_owned())?;
        for section in sections {
            let (mut right, mut refused, mut deviating) =
                (0, BTreeMap::<String, Vec<&str>>::new(), Vec::new());
            for case in &section.tests {
                let place = format!("{suite}/{}/{}", section.name, case.name);
                match (outcome(case)?, deviations.remove(place.as_str())) {
                    (Outcome::Right, None) => right += 1,
                    (Outcome::Refused(what), None) => refused.entry(what).or_default().push(&case.name),
                    (Outcome::Wrong(_), Some(reason)) => deviating.push(format!("{}: {reason}", case.name)),
                    (Outcome::Wrong(what), None) => wrong.push(format!("{place}: {}: {what}", case.expr)),
                    (_, Some(_)) => {
                        wrong.push(format!("{place} deviates no longer; remove it from the list"));
                    }
                }
            }
            writeln!(table, "{suite}/{}: {right} of {}", section.name, section.tests.len())?;
            for (what, names) in refused {
                writeln!(table, "  refused for {what}: {}", names.join(", "))?;
            }
            for deviation in deviating {
                writeln!(table, "  deviates: {deviation}")?;
            }
        }
    }
    ensure!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    ensure!(deviations.is_empty(), "no such cases: {deviations:?}");
    let golden = folder.join("supported.txt");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &table)?;
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    ensure!(table == expected, "what is supported has changed; UPDATE_GOLDEN=1 writes {}", golden.display());
    Ok(())
}

fn outcome(case: &Case) -> Result<Outcome> {
    // Names that stand for longer ones, and those of messages.
    if case.container.is_some() {
        return Ok(Outcome::Refused("container".to_owned()));
    }
    let (mut declared, mut bindings) =
        (Declarations::default(), Bindings::new().map_err(|reason| anyhow!(reason))?);
    for (name, bound) in &case.bindings {
        match literal::of(&bound["value"]).and_then(|text| literal::value(&text)) {
            Ok((type_, value)) => {
                declared = declared.with(name, type_);
                bindings.bind(name, value);
            }
            Err(_) => return Ok(Outcome::Refused("a value that is bound".to_owned())),
        }
    }
    let expression = match Expression::of_any_type(&case.expr, &declared) {
        Ok(expression) => expression,
        // An error is an error, whether it comes early or late.
        Err(_) if case.eval_error.is_some() => return Ok(Outcome::Right),
        Err(fault) => return Ok(refusal(&fault.message)),
    };
    let given = expression.evaluate(&bindings);
    let expected = case.value.as_ref().map_or(Ok("true".to_owned()), literal::of);
    Ok(match (given, expected) {
        (Err(_), _) if case.eval_error.is_some() => Outcome::Right,
        (Ok(value), _) if case.eval_error.is_some() => Outcome::Wrong(format!("no error but {value:?}")),
        (Err(reason), _) => Outcome::Wrong(reason),
        (Ok(value), Err(kind)) => Outcome::Wrong(format!("{value:?}, and {kind} cannot be compared")),
        (Ok(value), Ok(expected)) => match literal::value(&expected)?.1 {
            expected if literal::same(&value, &expected) => Outcome::Right,
            expected => Outcome::Wrong(format!("{value:?} and not {expected:?}")),
        },
    })
}

fn refusal(message: &str) -> Outcome {
    let known = UNSUPPORTED.iter().find_map(|(part, what)| Some((message.split_once(part)?, *what)));
    match known {
        Some(((_, after), "function")) => {
            let name = after.split([';', ' ']).next().unwrap_or_default();
            Outcome::Refused(format!("function {name}"))
        }
        Some(((before, _), "name")) => Outcome::Refused(format!("name {}", before.trim())),
        Some((_, what)) => Outcome::Refused(what.to_owned()),
        None => Outcome::Wrong(format!("refused: {message}")),
    }
}
