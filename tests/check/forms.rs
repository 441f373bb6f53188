//! The forms of output on the violating example, and the exit codes. `UPDATE_GOLDEN=1` writes the goldens anew.

use std::{collections::BTreeMap, env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::run::{Said, check, check_in, folder, product, root, text};

const VIOLATING: [&str; 3] = ["examples/violating.yaml", "--policies", "examples/platform.yaml"];

fn violating(form: &str) -> Said {
    check(&[&VIOLATING[..], &["--output", form]].concat())
}

/// What changes with every release is masked.
fn masked(output: &str) -> String {
    let hash = output.find("ruleSetHash").and_then(|at| {
        output[at..].find(|it: char| it.is_ascii_digit() || ('a'..='f').contains(&it)).map(|it| at + it)
    });
    let mut output = output.replace(env!("CARGO_PKG_VERSION"), "RELEASE");
    if hash.is_some() {
        let lines = output.lines().map(|line| {
            let (before, found) =
                line.split_once("ruleSetHash").map_or((line, false), |(before, _)| (before, true));
            if found { format!("{before}ruleSetHash: MASKED") } else { line.to_owned() }
        });
        output = lines.collect::<Vec<_>>().join("\n") + "\n";
    }
    output
}

#[test]
fn every_form_of_the_violating_example_is_as_it_stands_beside_this_file() -> Result<()> {
    for form in ["human", "wide", "json", "yaml", "sarif", "junit", "markdown", "github"] {
        let said = violating(form);
        ensure!(said.code == 1, "{form}: {}", said.err);
        let path = root().join("tests/check/golden").join(form);
        let actual = masked(&said.out);
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &actual)?;
        }
        let expected = fs::read_to_string(&path).with_context(|| format!("reading {form}"))?;
        ensure!(actual == expected, "{form} differs; it is now:\n{actual}");
    }
    Ok(())
}

#[test]
fn the_violating_example_has_each_finding_with_line_and_caret_and_ends_with_1() {
    let said = check(&["examples/"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let lines = said.out.lines().collect::<Vec<_>>();
    let findings =
        lines.iter().filter(|line| line.starts_with(['e', 'w', 'i']) && line.contains("]: ")).count();
    let arrows = lines.iter().filter(|line| line.trim_start().starts_with("--> examples/")).count();
    let carets = lines.iter().filter(|line| line.contains("| ") && line.contains('^')).count();
    assert!(
        findings > 20 && findings == arrows && findings == carets,
        "{findings} {arrows} {carets}\n{}",
        said.out
    );
    assert!(said.out.contains("customer/customer-360    score 92   Warn"), "{}", said.out);
    assert!(said.out.contains("(stops change)"), "{}", said.out);
}

/// Every output of SARIF is held against the schema that OASIS published (Schemata/sarif-schema-2.1.0.json of
/// oasis-tcs/sarif-spec, as its `$id` says), which is copied beside this file.
#[test]
fn sarif_is_what_its_published_schema_asks() -> Result<()> {
    // One of its patterns has a bracket that is not escaped, which no strict engine takes.
    let schema = include_str!("schemas/sarif-2.1.0.json").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&schema)?;
    let validator = jsonschema::validator_for(&schema)?;
    let excepted = folder(&[("a.yaml", crate::context::EXCEPTED.as_bytes())]);
    let broken = folder(&[("a b.yaml", b"a: [1\n---\nb: 1\n"), ("c.yaml", b"\xFF")]);
    for files in
        [vec!["examples/"], vec![text(excepted.path())], vec![text(broken.path())], vec!["deploy/policies"]]
    {
        let said = check(&[&files[..], &["-o", "sarif"]].concat());
        let log: Value = serde_json::from_str(&said.out)?;
        let errors = validator
            .iter_errors(&log)
            .map(|error| format!("{} {error}", error.instance_path()))
            .collect::<Vec<_>>();
        ensure!(errors.is_empty(), "{files:?}: {errors:#?}");
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().context("rules")?;
        for result in log["runs"][0]["results"].as_array().context("results")? {
            let index = usize::try_from(result["ruleIndex"].as_u64().context("an index")?)?;
            ensure!(rules[index]["id"] == result["ruleId"], "{result}");
        }
    }
    Ok(())
}

#[test]
fn fingerprints_stay_when_lines_move_and_differ_between_findings() -> Result<()> {
    let prints = |said: &Said| -> Result<Vec<String>> {
        let log: Value = serde_json::from_str(&said.out)?;
        let results = log["runs"][0]["results"].as_array().context("results")?.clone();
        let mut prints = results.iter().map(|it| it["partialFingerprints"].to_string()).collect::<Vec<_>>();
        prints.sort();
        Ok(prints)
    };
    let example = fs::read_to_string(root().join("examples/violating.yaml"))?;
    let of = |content: &str| prints(&check_in(&["-", "-o", "sarif"], &[], content));
    let (before, moved) = (of(&example)?, of(&format!("# more\n\n{example}"))?);
    ensure!(before == moved);
    let mut unique = before.clone();
    unique.dedup();
    ensure!(unique.len() == before.len() && !before.is_empty(), "{before:?}");
    Ok(())
}

/// The elements and attributes of the schema by which Jenkins reads `JUnit` (junit-10.xsd of its xUnit plugin).
const JUNIT: [(&str, &[&str]); 7] = [
    ("testsuites", &["name", "time", "tests", "failures", "errors"]),
    (
        "testsuite",
        &["name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"],
    ),
    ("testcase", &["name", "time", "classname", "group"]),
    ("failure", &["type", "message"]),
    ("skipped", &["type", "message"]),
    ("system-out", &[]),
    ("system-err", &[]),
];

#[test]
fn junit_has_one_suite_a_file_one_case_a_rule_and_nothing_that_its_schema_does_not_know() -> Result<()> {
    let said = check(&["examples/", "-o", "junit"]);
    let known = JUNIT.into_iter().collect::<BTreeMap<_, _>>();
    for tag in said.out.split('<').skip(2).filter(|tag| !tag.starts_with('/')) {
        let (tag, _) = tag.split_once('>').context("a closed tag")?;
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        let attributes = known.get(name).with_context(|| format!("unknown element {name}"))?;
        // Values are escaped, so that a quote ends each.
        for attribute in tag.split('"').step_by(2).filter_map(|it| it.trim().strip_suffix('=')) {
            let attribute = attribute.rsplit(' ').next().unwrap_or_default();
            ensure!(attributes.contains(&attribute), "{name} has no {attribute}");
        }
    }
    let report = quick_junit::Report::deserialize_from_str(&said.out)?;
    ensure!(report.test_suites.len() == 6, "{} suites", report.test_suites.len());
    let mut failures = 0;
    for suite in &report.test_suites {
        let mut cases =
            suite.test_cases.iter().map(|it| (it.classname.clone(), it.name.clone())).collect::<Vec<_>>();
        let before = cases.len();
        cases.sort();
        cases.dedup();
        ensure!(cases.len() == before, "a case occurs twice in {:?}", suite.name);
        failures += suite.failures;
    }
    let raw = report
        .test_suites
        .iter()
        .find(|it| it.name.as_str() == "examples/violating.yaml")
        .context("a suite")?;
    ensure!(raw.failures == 12 && failures == 12, "{} {failures}", raw.failures);
    Ok(())
}

#[test]
fn json_and_yaml_are_one_structure() -> Result<()> {
    let json: Value = serde_json::from_str(&violating("json").out)?;
    let yaml: Value = serde_saphyr::from_str(&violating("yaml").out)?;
    assert_eq!(json, yaml);
    assert_eq!(json["version"], 1);
    assert_eq!((&json["failed"], &json["asOf"]), (&Value::Bool(true), &Value::from(crate::run::NOW)));
    let first = &json["findings"][0];
    for field in [
        "file",
        "line",
        "column",
        "endLine",
        "endColumn",
        "id",
        "severity",
        "state",
        "stopsChange",
        "path",
        "message",
        "remediation",
        "policy",
        "object",
    ] {
        assert!(!first[field].is_null(), "{field}: {first}");
    }
    Ok(())
}

#[test]
fn exit_codes_are_those_of_the_help() {
    let fine =
        folder(&[("a.yaml", crate::context::COMPLETE.as_bytes()), ("w.yml", product("w", "").as_bytes())]);
    let complete = fine.path().join("a.yaml");
    let no_cluster = folder(&[("kubeconfig", b"apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\nusers: [{name: u, user: {}}]\n")]);
    let kubeconfig = no_cluster.path().join("kubeconfig");
    let cases: [(&[&str], i32, &str); 16] = [
        (&[text(&complete)], 0, ""),
        (&[text(&complete), "--fail-on", "warning"], 0, ""),
        (&["examples/customer-360.yaml"], 0, ""),
        (&["examples/customer-360.yaml", "--fail-on", "warning"], 1, ""),
        (&["examples/violating.yaml"], 1, ""),
        (&["examples/violating.yaml", "--fail-on", "never"], 0, ""),
        (&["no-such-file.yaml"], 2, "cannot read no-such-file.yaml: there is no such file or directory"),
        (&["src"], 2, "has no file that ends in .yaml"),
        (&[], 2, "required"),
        (&["examples", "--output", "xml"], 2, "possible values"),
        (&["examples", "--fail-on", "info"], 2, "possible values"),
        (&["examples", "--whole-mesh", "--cluster"], 2, "cannot be used with"),
        (&["examples", "--context", "c"], 2, "belong to --cluster"),
        (&["-", "--policies", "-"], 2, "--policies reads files and directories"),
        (&["-", "-"], 2, "- can be given once"),
        (&["examples", "--cluster", "--kubeconfig", text(&kubeconfig)], 3, "cannot reach a cluster"),
    ];
    for (arguments, code, message) in cases {
        let said = check(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(message), "{arguments:?}: {}", said.err);
    }
    let help = check(&["--help"]);
    for code in ["  0  ", "  1  ", "  2  ", "  3  "] {
        assert!(help.out.contains(code), "{}", help.out);
    }
}

#[test]
fn annotations_are_chosen_in_github_actions_and_nowhere_else() {
    let actions = check_in(&VIOLATING, &[("GITHUB_ACTIONS", "true")], "");
    assert!(actions.out.starts_with("::error file=examples/violating.yaml,line=7,col=1,"), "{}", actions.out);
    let chosen = check_in(&[&VIOLATING[..], &["-o", "human"]].concat(), &[("GITHUB_ACTIONS", "true")], "");
    assert!(chosen.out.starts_with("error["), "{}", chosen.out);
    let elsewhere = check_in(&VIOLATING, &[("GITHUB_ACTIONS", "false")], "");
    assert!(elsewhere.out.starts_with("error["), "{}", elsewhere.out);
    assert!(!elsewhere.out.contains('\u{1b}'), "no colours where nobody looks");
}
