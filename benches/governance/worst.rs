//! How long the most expensive expressions take: what is accepted, on a document as large as its schema allows.

use std::time::Instant;

use dataproduct_operator::cel::{Bindings, Declarations, Expression, MAX_COST, Type, Value};
use serde_json::json;

/// Expressions whose work is of different kinds.
const EXPRESSIONS: [(&str, &str); 13] = [
    ("loops", "object.items.all(a, object.items.all(b, a.count + b.count >= 0))"),
    ("texts compared", "object.items.all(a, object.items.all(b, a.name == b.name))"),
    ("order", "object.items.all(a, object.items.all(b, a.name <= b.name))"),
    ("membership", "object.items.all(a, a.name in object.words)"),
    ("objects compared", "object.items.all(a, object.items.all(b, a == b))"),
    ("errors", "object.items.exists(a, object.items.exists(b, a.count / (b.count - b.count) > 0)) || true"),
    ("lists made", "object.items.map(a, object.items.map(b, [a, b])).size() > 0"),
    ("maps made", "object.items.map(a, {'a': a, 'b': a, 'c': a, 'd': a}).size() > 0"),
    ("pattern", "object.long.matches('[ab]*a[ab]{30}c')"),
    ("many states", "object.long.matches('(a?){200}c')"),
    ("every match", "object.text.findAll('a.*z|a').size() >= 0"),
    ("replace", "object.text.replace('a', 'bbbbbbbb').replace('b', 'aaaaaaaa').size() > 0"),
    ("distinct", "object.words.distinct().sort().size() > 0"),
];

/// Prints what each takes for one unit of its cost, and what that is for the greatest cost that is allowed.
pub(crate) fn print() {
    let item = Type::object("item", [("name", Type::text(20), true), ("count", Type::Int, true)]);
    let fields = [
        ("items", Type::list(item, 300), true),
        ("words", Type::list(Type::text(20), 1000), true),
        ("text", Type::text(500), true),
        ("long", Type::text(20_000), true),
    ];
    let declared = Declarations::default().with("object", Type::object("object", fields));
    let mut bindings = Bindings::new().expect("an engine");
    let name = |number: usize| format!("{number:0>20}");
    bindings.bind(
        "object",
        Value::from_json(json!({
            "items": (0..300).map(|_| json!({"name": name(7), "count": 7})).collect::<Vec<_>>(),
            "words": (0..1000).map(name).collect::<Vec<_>>(),
            "text": "a".repeat(500),
            "long": "ab".repeat(10_000),
        })),
    );
    for (what, source) in EXPRESSIONS {
        match Expression::of_any_type(source, &declared) {
            Err(fault) => println!("w  {what:<26} refused: {}", fault.message),
            Ok(expression) => {
                let begin = Instant::now();
                let given = expression.evaluate(&bindings);
                let taken = begin.elapsed();
                #[allow(clippy::cast_precision_loss, reason = "costs are small")]
                let unit = taken.as_secs_f64() / expression.cost as f64;
                #[allow(clippy::cast_precision_loss, reason = "costs are small")]
                let most = unit * MAX_COST as f64;
                println!(
                    "w  {what:<26} {:>8} units {:>9.3} ms {:>8.1} ns a unit, {most:>6.2} s at the greatest cost{}",
                    expression.cost,
                    taken.as_secs_f64() * 1e3,
                    unit * 1e9,
                    if given.is_err() { " (no value)" } else { "" }
                );
            }
        }
    }
}
