//! What bears on a judgement: policies, standards, domains, exceptions and the other products, from files.

use serde_json::Value;

use crate::run::{Said, check, check_in, folder, product, text};

/// A product without any finding of the policies that come with the operator.
pub(crate) const COMPLETE: &str = "
apiVersion: datamesh.io/v1
kind: DataProduct
metadata: {name: complete, namespace: sales}
spec:
  domain: sales
  version: 1.0.0
  description: A small product.
  owner: {team: sales-team, email: sales@example.com}
  outputPorts: [{name: lake, type: s3_delta_lake, format: parquet}]
  schema: {type: avro, fields: [{name: id, type: string, description: Identifier, pii: false}]}
  slo: {freshness: {target: 1 hour}, availability: {target: 99%}, completeness: {target: 99%}, accuracy: {target: 99%}}
  quality: {tests: [{type: uniqueness, column: id}, {type: not_null, column: id}]}
  access: {classification: internal, retention: 1 year, roles: [{name: reader, permissions: [SELECT], principals: [r]}]}
";

/// A product that breaks a rule with leave, and an exception for it as a cluster prints it.
pub(crate) const EXCEPTED: &str = "
apiVersion: datamesh.io/v1
kind: DataProduct
metadata: {name: excepted, namespace: sales}
spec:
  domain: sales
  version: 1.0.0
---
apiVersion: datamesh.io/v1beta1
kind: PolicyException
metadata: {name: until-the-move, namespace: sales, generation: 1, creationTimestamp: '2026-11-01T00:00:00Z'}
spec:
  productRef: {name: excepted}
  policyIds: [SEC-001, SLO-002]
  reason: It moves.
  expiresAt: '2026-12-31T00:00:00Z'
status: {approval: {decision: Approved, by: alice, generation: 1}}
";

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.err))
}

/// Ids of the findings, sorted, each once.
fn ids(said: &Said) -> Vec<String> {
    let output = json(said);
    let findings = output["findings"].as_array().expect("findings");
    let mut ids =
        findings.iter().map(|it| it["id"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    ids.sort();
    ids.dedup();
    ids
}

fn stdin(arguments: &[&str], input: &str) -> Said {
    check_in(&[&["-", "-o", "json"], arguments].concat(), &[], input)
}

#[test]
fn the_policies_of_the_operator_judge_where_none_are_given_and_it_is_said() {
    let said = stdin(&[], COMPLETE);
    assert_eq!((said.code, ids(&said)), (0, Vec::<String>::new()), "{}", said.out);
    assert!(
        said.err.contains("no file has a GovernancePolicy")
            && said.err.contains("no file has a PlatformStandards"),
        "{}",
        said.err
    );
    let policy = "apiVersion: datamesh.io/v1\nkind: GovernancePolicy\nmetadata: {name: one}\nspec: {state: Draft, rules: [{id: OWN-1, builtin: SLO-001, parameters: {minimum: 99.5%}}]}\n";
    let policies = folder(&[("p.yaml", policy.as_bytes()), ("s.yaml", b"apiVersion: datamesh.io/v1\nkind: PlatformStandards\nmetadata: {name: default}\nspec: {standards: {}, scoring: {error: 10, warning: 7}}\n")]);
    let said = stdin(&["--policies", text(policies.path())], COMPLETE);
    assert_eq!(ids(&said), ["OWN-1"]);
    let output = json(&said);
    assert_eq!(output["products"][0]["score"], 93);
    assert_eq!(output["findings"][0]["state"], "Draft");
    assert_eq!(said.err, "", "nothing is missing");
    assert_eq!(output["summary"]["objects"], 1, "the policies are not themselves reported");
}

#[test]
fn an_exception_covers_what_its_status_approves_until_it_ends() {
    let said = stdin(&[], EXCEPTED);
    let output = json(&said);
    let excepted =
        output["findings"].as_array().expect("findings").iter().filter(|it| it["exception"].is_object());
    let excepted = excepted.map(|it| it["id"].as_str().unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(excepted, ["SEC-001", "SLO-002"]);
    assert_eq!(output["summary"]["excepted"], 2);
    let product = &output["products"][0];
    assert!(product["score"].as_i64() > product["scoreWithoutExceptions"].as_i64(), "{product}");
    let log: Value =
        serde_json::from_str(&check_in(&["-", "-o", "sarif"], &[], EXCEPTED).out).expect("SARIF");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let suppressed = results.iter().filter(|it| it["suppressions"][0]["status"] == "accepted").count();
    assert_eq!(suppressed, 2);
    for (now, excepted) in [("2026-12-30T23:59:59.999Z", 2), ("2026-12-31T00:00:00Z", 0)] {
        assert_eq!(json(&stdin(&["--now", now], EXCEPTED))["summary"]["excepted"], excepted, "{now}");
    }
    for (case, changed) in [
        ("not approved", EXCEPTED.replace("Approved", "Denied")),
        ("ended", EXCEPTED.replace("2026-12-31", "2026-11-25")),
        ("changed since", EXCEPTED.replace("by: alice, generation: 1", "by: alice, generation: 2")),
    ] {
        let said = stdin(&[], &changed);
        let output = json(&said);
        assert_eq!(output["summary"]["excepted"], 0, "{case}");
        assert!(
            said.err.contains("PolicyException sales/until-the-move has no effect: "),
            "{case}: {}",
            said.err
        );
    }
}

#[test]
fn an_error_stops_change_only_where_the_domain_is_enforced_too() {
    let domain = |enforcement: &str| {
        format!(
            "apiVersion: datamesh.io/v1\nkind: DataDomain\nmetadata: {{name: sales}}\nspec: {{kind: SourceAligned, enforcement: {enforcement}, namespaces: [sales], providerClasses: [x]}}\n---\n{}",
            product("a", "")
        )
    };
    let stops = |input: &str| {
        let output = json(&stdin(&[], input));
        output["findings"].as_array().expect("findings").iter().any(|it| it["stopsChange"] == true)
    };
    assert!(stops(&product("a", "")), "a domain that is not known is strict");
    assert!(stops(&domain("Enforced")) && !stops(&domain("Grace")) && !stops(&domain("Draft")));
    assert!(!stops(&product("a", "  lifecycle: Draft\n")), "a draft stops nothing");
}

#[test]
fn the_owner_of_the_domain_stands_in_and_its_namespace_is_held_to_it() {
    let domain = "apiVersion: datamesh.io/v1\nkind: DataDomain\nmetadata: {name: sales}\nspec: {kind: SourceAligned, enforcement: Enforced, namespaces: [sales], providerClasses: [x], owner: {team: t, email: t@example.com}}\n---\n";
    let standards = "apiVersion: datamesh.io/v1\nkind: PlatformStandards\nmetadata: {name: default}\nspec: {standards: {quality: {required_documentation: [owner]}}}\n---\n";
    let domain = format!("{standards}{domain}");
    let ownerless = COMPLETE.replace("  owner: {team: sales-team, email: sales@example.com}\n", "");
    assert_eq!(ids(&stdin(&[], &format!("{standards}{ownerless}"))), ["DOC-002", "DOC-003"]);
    assert_eq!(ids(&stdin(&[], &format!("{domain}{ownerless}"))), Vec::<String>::new());
    let nowhere = ownerless.replace(", namespace: sales", "");
    assert_eq!(
        ids(&stdin(&[], &format!("{domain}{nowhere}"))),
        Vec::<String>::new(),
        "its own word counts where no namespace is known"
    );
    let elsewhere = format!("{domain}{}", COMPLETE.replace("  domain: sales", "  domain: other"));
    assert_eq!(ids(&stdin(&[], &elsewhere)), ["PROD-004"]);
    assert_eq!(
        ids(&stdin(&["--namespace", "sales"], &elsewhere.replace(", namespace: sales", ""))),
        ["PROD-004"]
    );
}

#[test]
fn the_whole_mesh_shows_what_is_missing_what_goes_in_a_circle_and_whose_name_is_taken() {
    let reading = |name: &str, upstream: &str| {
        let complete = COMPLETE.replace("name: complete", &format!("name: {name}"));
        format!("{complete}  lineage: {{upstreamProducts: [{upstream}]}}\n---\n")
    };
    let mesh = [reading("a", "b"), reading("b", "a"), reading("c", "gone")].concat();
    assert_eq!(ids(&stdin(&[], &mesh)), Vec::<String>::new(), "what is not known is not judged");
    assert_eq!(ids(&stdin(&["--whole-mesh"], &mesh)), ["LINEAGE-001", "LINEAGE-002"]);
    let named = |name: &str| {
        format!(
            "{}  provisioning: {{names: {{bucket: the-bucket}}}}\n---\n",
            COMPLETE.replace("name: complete", &format!("name: {name}"))
        )
    };
    let output = json(&stdin(&["--whole-mesh"], &[named("first"), named("second")].concat()));
    let findings = output["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        (&findings[0]["id"], &findings[0]["object"]),
        (&Value::from("PROD-003"), &Value::from("DataProduct sales/second"))
    );
}

#[test]
fn policies_are_held_to_what_can_be_evaluated_at_the_place_of_the_rule() {
    let policy = "apiVersion: datamesh.io/v1\nkind: GovernancePolicy\nmetadata: {name: p}\nspec:\n  state: Grace\n  rules:\n  - id: SLO-002\n  - id: OWN-7\n";
    let output = json(&stdin(&[], policy));
    let finding = &output["findings"][0];
    assert_eq!(
        (&finding["id"], &finding["line"], &finding["column"]),
        (&Value::from("POLICY"), &Value::from(8), &Value::from(9))
    );
    let broken = folder(&[("p.yaml", policy.replace("state: Grace", "state: Grave").as_bytes())]);
    let said = stdin(&["--policies", text(broken.path())], COMPLETE);
    assert_eq!(said.code, 2, "a policy that is left out would let everything pass");
    assert!(said.err.contains("p.yaml:5:10: state cannot be \"Grave\"; Did you mean Grace?"), "{}", said.err);
    let background = folder(&[("p.yaml", policy.as_bytes())]);
    let said = stdin(&["--policies", text(background.path())], COMPLETE);
    assert!(
        said.err.contains("rule OWN-7 of p judges nothing: there is no built-in rule OWN-7"),
        "{}",
        said.err
    );
    let of_domain =
        policy.replace("GovernancePolicy", "DomainPolicy").replace("name: p", "name: p, namespace: sales");
    let said = stdin(&[], &of_domain);
    assert!(said.err.contains("DomainPolicy sales/p judges nothing"), "{}", said.err);
    assert_eq!(ids(&said), ["POLICY"], "whose namespace it is, is not known, and its rules are judged");
}

#[test]
fn output_of_helm_and_kustomize_is_read_with_what_belongs_to_others() {
    let rendered = format!(
        "---\n# Source: mesh/templates/service.yaml\napiVersion: v1\nkind: Service\nmetadata: {{name: s}}\n---\n# Source: mesh/templates/product.yaml\n{}---\nkind: Kustomization\nresources: []\n",
        product("a", "  descripton: x\n")
    );
    let said = check_in(&["-"], &[], &rendered);
    assert!(
        said.out.contains("--> -:16:3") && said.out.contains("rendered from mesh/templates/product.yaml"),
        "{}",
        said.out
    );
    assert!(said.out.contains("1 product in 1 object of 1 file, 2 of others skipped"), "{}", said.out);
    let nothing = check_in(&["-"], &[], "kind: Kustomization\n");
    assert_eq!(nothing.code, 0);
    assert!(nothing.err.contains("nothing was checked"), "{}", nothing.err);
}

#[test]
fn folders_are_searched_and_templates_of_charts_are_not() {
    let folder = folder(&[
        ("a/b/one.yaml", product("one", "").as_bytes()),
        ("a/two.json", br#"{"apiVersion":"datamesh.io/v1","kind":"DataProduct","metadata":{"name":"two"},"spec":{"domain":"d","version":"1.0.0"}}"#),
        ("a/.hidden/three.yaml", product("three", "").as_bytes()),
        ("a/notes.txt", b"no manifest"),
        ("a/tsconfig.json", b"{\n  // no YAML and none of our business\n  \"a\": [1\n"),
        ("chart/Chart.yaml", b"name: chart\n"),
        ("chart/templates/product.yaml", b"name: {{ .Release.Name }}\n"),
    ]);
    let said = check(&[text(folder.path()), "-o", "json"]);
    let output = json(&said);
    let products = output["products"]
        .as_array()
        .expect("products")
        .iter()
        .map(|it| it["name"].clone())
        .collect::<Vec<_>>();
    assert_eq!(products, ["sales/one", "two"]);
    assert_eq!(output["summary"]["skipped"], 1);
    assert!(
        said.err.contains("holds templates and was left out") && said.err.contains("helm template"),
        "{}",
        said.err
    );
}
