use serde_json::Value as Json;

use super::*;
use crate::manifest::{Source, read::read};

/// The faults of a product whose spec has more than the least, as `line:column path: message`.
fn told(more: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: datamesh.io/v1\nkind: DataProduct\nmetadata:\n  name: p\nspec:\n  domain: sales\n  version: 1.0.0\n{more}"
    );
    let (source, _) = Source::new("a", text.into_bytes());
    let read = read(&source);
    assert_eq!(read.faults, vec![]);
    let definitions = Definitions::new().expect("the definitions");
    let faults = definitions.faults(&read.roots[0].node, "datamesh.io/v1", "DataProduct");
    let told = faults.iter().map(|fault| {
        assert!(!fault.remediation.is_empty(), "{fault:?}");
        let at = source.position(fault.place.start);
        format!("{}:{} {}: {}", at.line, at.column, fault.path, fault.message)
    });
    told.collect()
}

#[test]
fn what_is_wrong_stands_where_it_is_written() {
    let cases = [
        ("", ""),
        ("  descripton: x\n", "8:3 spec.descripton: unknown field \"descripton\""),
        ("  description: yes\n", "8:16 spec.description: description is a truth value, and must be a text"),
        ("  outputPorts: {}\n", "8:3 spec.outputPorts: outputPorts is a mapping, and must be a list"),
        (
            "  outputPorts:\n  - name: a\n",
            "9:11 spec.outputPorts[0].type: the required field type is missing",
        ),
        ("  lifecycle: active\n", "8:14 spec.lifecycle: lifecycle cannot be \"active\""),
        ("  tags: [a, b, a]\n", "8:16 spec.tags[2]: the same value stands in tags[0]"),
        (
            "  schema:\n    fields:\n    - {name: a, type: x}\n    - {name: a, type: z}\n",
            "11:14 spec.schema.fields[1]: the same name stands in fields[0]",
        ),
        ("  slo: {freshness: {target: 1h30m}}\n", "8:29 spec.slo.freshness.target: "),
        ("  access: {retention: always}\n", "8:23 spec.access.retention: retention must be"),
        ("  quality:\n    tests:\n    - type: freshness\n      column: a\n", "10:13 spec.quality.tests[0]: "),
        (
            "  deprecation: {sunsetDate: soon}\n",
            "8:29 spec.deprecation.sunsetDate: sunsetDate cannot be \"soon\"",
        ),
        ("  suspend:\n", ""),
        ("status: {anything: 1}\n", "8:10 status.anything: unknown field \"anything\""),
        ("status: {conditions: nonsense}\n", ""),
        ("spce: {}\n", "8:1 spce: unknown field \"spce\""),
    ];
    for (more, expected) in cases {
        let told = told(more);
        match expected {
            "" => assert!(told.is_empty(), "{more}: {told:?}"),
            expected => assert!(told.len() == 1 && told[0].starts_with(expected), "{more}: {told:?}"),
        }
    }
}

#[test]
fn metadata_is_held_to_the_rules_of_every_object() {
    let cases = [
        ("name: p", ""),
        ("generateName: p-", ""),
        ("name: p, labels: {a: b}, annotations: {example.com/a: 'true'}, creationTimestamp: null", ""),
        ("namespace: n", "has no name"),
        ("name: 5", "must be a text"),
        ("name: P", "name cannot be \"P\""),
        ("name: p, namespace: Ab", "namespace cannot be"),
        ("name: p, label: {}", "unknown field \"label\""),
        ("name: p, labels: {a: true}", "a is a truth value, and must be a text"),
        ("name: p, labels: {a: 'b c'}", "a label cannot be"),
        ("name: p, labels: {'a b': c}", "no key of labels"),
        ("name: p, annotations: [a]", "must be a mapping"),
    ];
    let definitions = Definitions::new().expect("the definitions");
    for (metadata, expected) in cases {
        let text = format!(
            "apiVersion: datamesh.io/v1\nkind: DataProduct\nmetadata: {{{metadata}}}\nspec: {{domain: a, version: 1.0.0}}\n"
        );
        let (source, _) = Source::new("a", text.into_bytes());
        let faults = definitions.faults(&read(&source).roots[0].node, "datamesh.io/v1", "DataProduct");
        let told = faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; ");
        assert!(
            if expected.is_empty() { told.is_empty() } else { told.contains(expected) },
            "{metadata}: {told}"
        );
    }
}

/// The walk knows just the keywords that our definitions use: one that is added must be taught to it.
#[test]
fn the_definitions_use_no_keyword_that_is_not_checked() {
    const KNOWN: [&str; 23] = [
        "additionalProperties",
        "default",
        "description",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "nullable",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-validations",
        "x-kubernetes-map-type",
    ];
    const FORMATS: [&str; 5] = ["date", "date-time", "double", "int32", "int64"];
    fn check(schema: &Json) {
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            assert!(KNOWN.contains(&keyword.as_str()), "{keyword} is not checked");
            if keyword == "format" {
                assert!(FORMATS.contains(&value.as_str().unwrap_or_default()), "{value} is not checked");
            }
        }
        schema["properties"].as_object().into_iter().flatten().for_each(|(_, part)| check(part));
        for within in ["items", "additionalProperties"] {
            schema.get(within).into_iter().for_each(check);
        }
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            assert!(rule["messageExpression"].is_null(), "{rule} builds its message, which is not evaluated");
        }
    }
    for definition in Definitions::new().expect("the definitions").kinds.values() {
        check(&serde_json::to_value(&definition.schema).expect("JSON"));
    }
}

#[test]
fn a_document_full_of_mistakes_tells_of_a_bounded_number() {
    let ports = (0..MAX_FAULTS * 3).map(|n| format!("  - unknown{n}: 1\n")).collect::<String>();
    let told = told(&format!("  outputPorts:\n{ports}"));
    assert_eq!(told.len(), MAX_FAULTS);
    assert!(told.last().is_some_and(|last| last.contains("more wrong with this object")), "{told:?}");
}
