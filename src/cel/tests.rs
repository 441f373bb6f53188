use serde_json::json;

use super::*;

mod bounds;

fn declared() -> Declarations {
    let item = Type::object("item", [("name", Type::text(20), true), ("count", Type::Int, false)]);
    let object = Type::object(
        "object",
        [
            ("name", Type::text(63), true),
            ("tags", Type::list(Type::text(20), 10), false),
            ("labels", Type::map(20, Type::text(63), 10), false),
            ("items", Type::list(item, 100), false),
            ("target", Type::text(20), false),
        ],
    );
    Declarations::default().with("object", object).with("now", Type::Timestamp)
}

fn bindings() -> Bindings<'static> {
    let mut bindings = Bindings::new().expect("an engine");
    let object = json!({
        "name": "orders",
        "tags": ["b", "a"],
        "labels": {"z": "1", "a": "2"},
        "items": [{"name": "x", "count": 3}, {"name": "y"}],
        "target": "99.9%",
    });
    bindings.bind("object", Value::from_json(object));
    bindings.bind("now", Value::day("2026-11-26".parse().expect("a day")).expect("an instant"));
    bindings
}

fn fault(source: &str) -> String {
    match Expression::of_any_type(source, &declared()) {
        Ok(expression) => panic!("{source} compiles to {}", expression.type_),
        Err(fault) => fault.to_string(),
    }
}

fn holds(source: &str) {
    let expression = Expression::compile(source, &declared(), &Type::Bool);
    let expression = expression.unwrap_or_else(|fault| panic!("{source}: {fault}"));
    let value = expression.evaluate(&bindings()).unwrap_or_else(|reason| panic!("{source}: {reason}"));
    assert_eq!(value.as_bool(), Some(true), "{source}");
}

#[test]
fn every_function_does_what_its_example_says() {
    for function in FUNCTIONS {
        holds(function.example);
    }
}

#[test]
fn values_of_a_document_can_be_read_and_compared_with_written_ones() {
    for source in [
        "object.name == 'orders'",
        "object.tags == ['b', 'a'] && ['b', 'a'] == object.tags",
        "object.labels == {'a': '2', 'z': '1'} && {'a': '2', 'z': '1'} == object.labels",
        "object.labels.all(key, key in ['a', 'z'])",
        "object.labels.map(key, key) == ['a', 'z']",
        "object.labels['a'] == '2' && object.labels.z == '1'",
        "object.items.exists(item, item.name == 'x' && item.count > 2)",
        "object.items.filter(item, has(item.count)).map(item, item.count).sum() == 3",
        "object.items[?5].hasValue() == false && object.?target.orValue('0%') == '99.9%'",
        "object.items.exists_one(item, item.name.matches('^x$'))",
        "(object.tags + ['c']).size() == 3",
        "percent(object.target) >= 99.9",
        "now - duration('24h') < now && now >= date('2026-11-26')",
        "object.?items.optMap(items, items.size()).orValue(0) == 2",
        "object.name.replace('o', '0') == '0rders'",
        "{'b': 1, 'a': 2}.map(key, key) == ['a', 'b']",
        "object.items.filter(item, true)[0].name == 'x' && object.items.map(item, [item])[0][0].name == 'x'",
        "object.?labels.orValue({})['a'] == '2' && (object.tags + object.tags)[3] == 'a'",
        "[object.items, object.items].map(items, items[0])[1].name == 'x'",
    ] {
        holds(source);
    }
}

#[test]
fn a_fault_names_its_place_and_what_is_allowed() {
    for (source, wanted) in [
        ("objct.name == 'a'", "1:1: objct is not known; the names are now, object"),
        (
            "object.nme == 'a'",
            "1:7: object has no field nme; its fields are items, labels, name, tags, target",
        ),
        ("true &&\n  object.items.all(item, item.foo > 1)", "2:30: item has no field foo"),
        ("object.name > 1", "1:13: > does not go with string and int"),
        ("object.name.size() && true", "1:20: && does not go with int and bool"),
        ("object.name.matches(object.target)", "a pattern is written as it is"),
        ("object.name.matches('[')", "the pattern is no regular expression: unclosed character class"),
        ("object.name.matches('(.{500}){500}')", "too large when it is compiled"),
        ("object.name.StartsWith('a')", "there is no function StartsWith; it is called startsWith"),
        ("object.name.contains(1)", "contains does not take (string, int); write string.contains(string)"),
        ("lists.range(1000000000)", "there is no function"),
        ("dyn(1) == 'a'", "there is no function dyn"),
        ("object.all(key, key == 'a')", "object is no list and no map"),
        ("object.?target.size()", "size does not take (optional(string))"),
        ("b'abc'", "there are no bytes here"),
        ("object.name ==", "1:15: this is no expression"),
        ("a.b{c: 1}", "messages cannot be made here"),
    ] {
        let fault = fault(source);
        assert!(fault.contains(wanted), "{source}: {fault}");
    }
    let wrong = Expression::compile("object.name", &declared(), &Type::Bool).expect_err("a text");
    assert_eq!(wrong.to_string(), "1:1: the expression gives string; here it must give bool");
}

#[test]
fn what_an_expression_reads_is_known() {
    let reads = |source: &str| {
        let expression = Expression::of_any_type(source, &declared()).expect(source);
        expression.reads.iter().map(|path| path.join(".")).collect::<Vec<_>>()
    };
    assert_eq!(reads("object.name == 'a' && has(object.target)"), ["object.name", "object.target"]);
    assert_eq!(reads("object.items.all(object, object.name == 'a')"), ["object.items"]);
    assert_eq!(reads("object == object"), ["object"]);
    assert_eq!(reads("now > date('2026-01-01')"), ["now"]);
    assert_eq!(reads("1 == 1"), Vec::<String>::new());
    assert_eq!(reads("object.?items[?0].orValue({'name': 'a'}).name == 'x'"), ["object.items"]);
    assert_eq!(
        reads("object.labels[object.name] == object['target']"),
        ["object.labels", "object.name", "object.target"]
    );
}

#[test]
fn the_cost_is_bounded_before_anything_is_evaluated() {
    let cost = |source: &str| Expression::of_any_type(source, &declared()).expect(source).cost;
    let once = cost("object.items.all(a, a.name == 'x')");
    let twice = cost("object.items.all(a, object.items.all(b, a.name == b.name))");
    assert!(once * 50 < twice && twice < once * 200, "{once} and {twice}");
    let thrice = fault("object.items.all(a, object.items.all(b, object.items.all(c, a.name == b.name)))");
    assert!(thrice.contains("may cost") && thrice.contains("at most 10000000 is allowed"), "{thrice}");
    let doubled = (0..40).fold("object.name".to_owned(), |text, _| format!("{text}.replace('o', 'oo')"));
    assert!(fault(&doubled).contains("nested") || fault(&doubled).contains("may cost"));
}

#[test]
fn an_evaluation_that_fails_says_why_and_shows_no_value() {
    for (source, wanted) in [
        ("object.items[1].count > 1", "there is no count; ask has(...)"),
        ("object.items[7].name == 'a'", "no element at this place"),
        ("1 / (object.items.size() - 2) == 1", "division by zero"),
        ("9223372036854775807 + object.items.size() > 0", "out of range"),
        ("percent(object.name) > 1.0", "percent: \"orders\" is not a percentage"),
        ("object.tags.map(tag, int(tag)).sum() > 0", ""),
        ("[].min() == 1", "min: the list is empty"),
    ] {
        let expression =
            Expression::of_any_type(source, &declared()).unwrap_or_else(|fault| panic!("{source}: {fault}"));
        let reason = expression.evaluate(&bindings()).expect_err(source);
        assert!(reason.contains(wanted), "{source}: {reason}");
    }
}

#[test]
fn hostile_texts_are_refused_and_none_takes_long() {
    let repeat = |text: &str| text.repeat(MAX_SOURCE / text.len());
    let hostile = [
        repeat("("),
        repeat("["),
        repeat("{"),
        repeat("!"),
        repeat("-"),
        repeat("a."),
        repeat("a?"),
        repeat("a?b:"),
        repeat("1+"),
        repeat("a&&"),
        repeat("a||b&&"),
        repeat("[["),
        repeat("a["),
        repeat("a("),
        repeat("f(a,"),
        repeat("'"),
        repeat("\\"),
        repeat("\""),
        repeat("a.all(b,"),
        repeat("{a:"),
        repeat("((a)"),
        repeat("<"),
        repeat("a<b<"),
        repeat("\u{1F600}"),
        repeat("\0"),
        repeat("in "),
        repeat("a in "),
        repeat("?.a"),
        repeat(".?a"),
        repeat("b'"),
        repeat("r'''"),
        repeat("has("),
        repeat("//"),
        repeat("\n"),
        repeat("1.0e"),
        repeat("0x"),
        format!("{}a{}", "(".repeat(1000), ")".repeat(1000)),
        format!("{}a{}", "[".repeat(30), "]".repeat(30)),
        format!("{}1{}", "(1+".repeat(400), ")".repeat(400)),
        "a".repeat(MAX_SOURCE + 1),
        String::new(),
        " ".to_owned(),
        format!("[{}]", "1,".repeat(1000)),
        format!("{}1", "1,".repeat(1000)),
        repeat("a.b(c)."),
        repeat("!(a||"),
    ];
    for text in &hostile {
        let compiled = Expression::compile(text, &declared(), &Type::Bool);
        assert!(compiled.is_err(), "{text}");
    }
}

#[test]
fn a_panic_of_the_engine_is_a_reason_why_there_is_no_value() {
    let mut expression = Expression::of_any_type("object.name", &declared()).expect("an expression");
    // The engine panics on a part that no parser makes.
    expression.tree.expr = cel::common::ast::Expr::Unspecified;
    let reason = expression.evaluate(&bindings()).expect_err("no value");
    assert!(reason.contains("the engine failed"), "{reason}");
}
