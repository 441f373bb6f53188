//! The commands as a user runs them.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result};

use crate::golden::path;

/// Runs the command line with something on its standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> Result<Output> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dataproduct"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // What a command refuses it may refuse before it has read all.
    let _ = child.stdin.take().context("an input")?.write_all(input.as_bytes());
    Ok(child.wait_with_output()?)
}

fn texts(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn what_is_legal_passes_through_letter_by_letter() -> Result<()> {
    for example in ["customer-360", "customer-orders", "orders", "platform", "platform-aws", "violating"] {
        let file = path(&format!("examples/{example}.yaml"));
        let output = run(&["convert", &file.to_string_lossy()], "")?;
        let (out, err) = texts(&output);
        assert_eq!(
            (out, err.as_str(), output.status.code()),
            (std::fs::read_to_string(file)?, "", Some(0)),
            "{example}"
        );
    }
    Ok(())
}

#[test]
fn what_moves_is_told_with_its_line_and_the_other_documents_stay() -> Result<()> {
    let input = "\
# All of it.
apiVersion: v1
kind: Namespace
metadata: {name: orders}
---
apiVersion: datamesh.io/v1
kind: DataProduct
metadata:
  name: orders # the name
  # Whose it is.
  domain: orders
  version: 1.0.0
spec:
  tags: [a]
--- # flow
{apiVersion: datamesh.io/v1, kind: DataProduct, metadata: {name: a, domain: b, version: 1.0.0}}
";
    let output = run(&["convert", "-"], input)?;
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let expected = "\
# All of it.
apiVersion: v1
kind: Namespace
metadata: {name: orders}
---
apiVersion: datamesh.io/v1
kind: DataProduct
metadata:
  name: orders # the name
spec:
  # Whose it is.
  domain: orders
  version: 1.0.0
  tags: [a]
---
apiVersion: datamesh.io/v1
kind: DataProduct
metadata:
  name: a
spec:
  domain: b
  version: \"1.0.0\"
";
    assert_eq!(out, expected);
    let told = "\
standard input:11: metadata.domain is now spec.domain
standard input:12: metadata.version is now spec.version
standard input:15: the document is written anew, without its comments
standard input:15: metadata.domain is now spec.domain
standard input:15: metadata.version is now spec.version
";
    assert_eq!(err, told);
    Ok(())
}

#[test]
fn what_has_no_place_is_an_error_that_names_it_and_nothing_is_written() -> Result<()> {
    let head = "apiVersion: datamesh.io/v1\nkind: DataProduct\nmetadata:\n  name: a\n  domain: b\n  version: 1.0.0\n";
    let cases = [
        (
            format!("{head}  cost: 5\nspec: {{}}\n"),
            "standard input:7: metadata.cost: this API has no place for cost",
        ),
        (
            format!("{head}spec:\n  domain: c\n"),
            "standard input:5: metadata.domain: spec.domain is there, too",
        ),
        (
            format!("{head}  owner:\n    email: [a]\n"),
            "standard input:8: metadata.owner.email: a list stands where a text",
        ),
        (
            format!("{head}spec:\n  slo:\n    speed: {{}}\n"),
            "standard input:9: spec.slo.speed: there is no such field",
        ),
        (
            format!("{head}spec:\n  lifecycle: Dying\n"),
            "standard input:8: spec.lifecycle: \"Dying\" is none of",
        ),
        (
            "kind: DataProduct\napiVersion: datamesh.io/v1\nmetadata: {name: a}\n".to_owned(),
            "spec.domain: it is missing",
        ),
        ("platform: {}\n".to_owned(), "neither apiVersion nor kind"),
        ("a: [1\n".to_owned(), "standard input:"),
        (format!("a: {}", "x".repeat(8 * 1024 * 1024)), "it has more than 8 MiB"),
        ("a: 1\na: 2\n".to_owned(), "standard input:2:1: "),
        (String::new(), "there is no document in it"),
        (format!("{}1{}", "[".repeat(300), "]".repeat(300)), "standard input:1:"),
    ];
    for (input, expected) in cases {
        let output = run(&["convert", "-"], &input)?;
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{input}");
        assert!(err.contains(expected), "{expected:?} is not in {err}");
    }
    Ok(())
}

#[test]
fn a_contract_goes_out_and_comes_in_again() -> Result<()> {
    let example = path("examples/customer-360.yaml");
    let contract = run(&["export", "odcs", &example.to_string_lossy(), "--strict"], "")?;
    let (contract, err) = texts(&contract);
    assert!(
        err.contains(
            "spec.outputPorts[customer-360-table]  assumed  a server of type snowflake needs account"
        ),
        "{err}"
    );
    let product = run(&["import", "odcs", "-", "--strict"], &contract)?;
    let (product, err) = texts(&product);
    assert_eq!(err, "");
    let read =
        |text: &str| -> Result<dataproduct_operator::api::DataProduct> { Ok(serde_saphyr::from_str(text)?) };
    assert_eq!(read(&product)?, read(&std::fs::read_to_string(example)?)?);
    Ok(())
}

#[test]
fn a_list_as_kubectl_gives_it_is_taken_apart() -> Result<()> {
    let item = |name: &str| {
        format!(
            "- apiVersion: datamesh.io/v1\n  kind: DataProduct\n  metadata: {{name: {name}, uid: x, annotations: {{team/x: y}}}}\n  spec: {{domain: d, version: 1.0.0, speed: 5}}\n  status: {{observedGeneration: 1}}\n"
        )
    };
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}{}", item("one"), item("two"));
    let output = run(&["export", "odcs", "-"], &list)?;
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), out.matches("kind: DataContract").count()), (Some(0), 2), "{err}");
    assert_eq!(err.matches("metadata.annotations[team/x]  lost").count(), 2, "{err}");
    assert_eq!(err.matches("spec.speed                    lost").count(), 2, "{err}");
    assert!(!err.contains("status") && !err.contains("uid"), "{err}");

    let output = run(&["export", "odcs", "-", "--strict"], &list)?;
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("4 of these are losses"), "{err}");
    Ok(())
}

#[test]
fn what_cannot_be_imported_says_what_to_do() -> Result<()> {
    let head = "apiVersion: v3.1.0\nkind: DataContract\nid: a\nstatus: active\nversion: 1.0.0\n";
    let cases = [
        (head.to_owned(), "the domain is missing; add it to the contract or say --domain"),
        (format!("{head}domain: Sales\n"), "the name is missing; add it to the contract or say --name"),
        (format!("{head}domain: 1a\nname: x\n"), "domain: \"1a\" is no domain"),
        (format!("{head}domain: d\nname: 1a\n"), "\"1a\" is no name of a product"),
        (format!("{head}domain: d\nname: x\ntags: 5\n"), "standard input:8:7: "),
        (
            format!("{}domain: d\nname: x\n", head.replace("1.0.0", "latest")),
            "\"latest\" is not a semantic version",
        ),
        (format!("{}domain: d\nname: x\n", head.replace("v3.1.0", "v2.2.2")), "ODCS v2.2.2 is not read"),
        ("kind: DataProduct\n".to_owned(), "this is not a data contract but DataProduct"),
        (
            format!("{head}domain: d\nname: x\ncustomProperties:\n- property: datamesh.tags\n  value: 5\n"),
            "customProperties: what stands there for the field of a DataProduct is not legal",
        ),
    ];
    for (input, expected) in cases {
        let output = run(&["import", "odcs", "-"], &input)?;
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{input}: {err}");
        assert!(err.contains(expected), "{expected:?} is not in {err}");
    }
    let unquoted = head.replace("1.0.0", "1.10");
    let chosen = ["import", "odcs", "-", "--name", "x", "--domain", "d", "--namespace", "lake"];
    let (out, err) = texts(&run(&chosen, &unquoted)?);
    assert!(out.contains("version: \"1.10.0\"") && out.contains("namespace: lake"), "{out}{err}");
    Ok(())
}
