//! `dataproduct plan` without a cluster: against nothing, and against what other files say.

use serde_json::Value;

use crate::{
    context::COMPLETE,
    run::{Said, dataproduct, folder, text},
};

/// What a platform team has: a domain with its class.
const PLATFORM: &str = "
apiVersion: datamesh.io/v1
kind: DataDomain
metadata: {name: sales}
spec:
  kind: SourceAligned
  owner: {team: sales-team, email: sales@example.com}
  namespaces: [sales]
  providerClasses: [local]
  enforcement: Enforced
---
apiVersion: datamesh.io/v1
kind: ProviderClass
metadata: {name: local}
spec: {provider: local, local: {root: /data}}
";

/// Plans a product against the complete one.
fn against(product: &str, more: &[&str]) -> Said {
    let files = folder(&[
        ("platform.yaml", PLATFORM.as_bytes()),
        ("before/product.yaml", COMPLETE.as_bytes()),
        ("after.yaml", product.as_bytes()),
    ]);
    let at = |name: &str| files.path().join(name);
    let (platform, before, after) = (at("platform.yaml"), at("before"), at("after.yaml"));
    let arguments = ["plan", text(&after), "--against", text(&before), "--policies", text(&platform)];
    dataproduct(&[&arguments[..], more].concat(), &[], "")
}

/// Plans a product where nothing exists.
fn offline(product: &str, more: &[&str]) -> Said {
    let files = folder(&[("platform.yaml", PLATFORM.as_bytes())]);
    let platform = files.path().join("platform.yaml");
    let arguments = ["plan", "-", "--offline", "--policies", text(&platform)];
    dataproduct(&[&arguments[..], more].concat(), &[], product)
}

/// The steps as verb and kind, a held one in brackets.
fn steps(said: &Said) -> Vec<String> {
    let told: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.err));
    let steps = told["products"].as_array().expect("products").iter().flat_map(|product| {
        product["steps"].as_array().expect("steps").iter().map(|step| {
            let told = format!(
                "{} {}",
                step["verb"].as_str().expect("a verb"),
                step["kind"].as_str().expect("a kind")
            );
            if step["held"] == true { format!("({told})") } else { told }
        })
    });
    steps.collect()
}

#[test]
fn a_new_product_is_told_with_all_that_it_gets_and_who_may_read_it() {
    let said = offline(COMPLETE, &[]);
    let expected = "sales/complete  (domain sales, class local, account 000000000000, region local)
  score 100, 0 errors, 0 warnings, 0 infos
  + create   EncryptionKey    sales-complete
      description: KMS key for sales/complete
      named: true
      rotation: true
  + create   Bucket           sales-complete-000000000000
      bucketKey: true
      encryptionKey: sales-complete
      publicAccessBlocked: true
      tlsOnly: true
      versioning: true
  + create   CatalogDatabase  sales_complete
      bucket: sales-complete-000000000000
      defaultPermissions: SELECT
  + create   Grant            sales_complete
      principals.arn:aws:iam::000000000000:role/sales-team-role: ALL
      principals.r: SELECT
  + create   FreshnessAlarm   sales-complete-freshness
";
    assert!(said.out.starts_with(expected), "{}{}", said.out, said.err);
    assert!(said.out.contains("      thresholdMinutes: 60\n"), "{}", said.out);
    assert!(said.out.ends_with("\n\n5 to create. Nothing was changed.\n"), "{}", said.out);
    assert_eq!(said.code, 1);
}

#[test]
fn what_files_change_is_told_attribute_by_attribute_and_nothing_else() {
    let same = against(COMPLETE, &[]);
    assert!(same.out.contains("  no changes\n") && same.out.ends_with("\nNo changes.\n"), "{}", same.out);
    assert_eq!(same.code, 0, "{}", same.err);

    let slower = against(&COMPLETE.replace("target: 1 hour", "target: 3 hours"), &[]);
    let expected = "  ~ update   FreshnessAlarm   sales-complete-freshness
      description: Data of sales/complete is older than 1 hour -> Data of sales/complete is older than 3 hours
      thresholdMinutes: 60 -> 180

1 to update. Nothing was changed.
";
    assert!(slower.out.ends_with(expected), "{}{}", slower.out, slower.err);
    assert_eq!(slower.code, 1);

    for (case, from, to, expected) in [
        ("one reader less", "principals: [r]", "principals: []", vec!["update Grant"]),
        ("no promise", "freshness: {target: 1 hour}, ", "", vec!["delete FreshnessAlarm"]),
        (
            "another version",
            "version: 1.0.0",
            "version: 1.1.0",
            vec!["update EncryptionKey", "update Bucket", "update CatalogDatabase", "update FreshnessAlarm"],
        ),
        ("a draft", "  version:", "  lifecycle: Draft\n  version:", vec![]),
        ("another description", "A small product.", "Another one.", vec![]),
    ] {
        let said = against(&COMPLETE.replace(from, to), &["-o", "json"]);
        assert_eq!(steps(&said), expected, "{case}: {}{}", said.out, said.err);
        assert_eq!(said.code, i32::from(!expected.is_empty()), "{case}");
    }
}

#[test]
fn what_holds_steps_back_is_told_with_the_steps() {
    let slower = COMPLETE.replace("target: 1 hour", "target: 3 hours");
    let suspended = slower.replace("  version:", "  suspend: true\n  version:");
    let said = against(&suspended, &[]);
    assert!(said.out.contains("  held back: spec.suspend is true: "), "{}{}", said.out, said.err);
    assert_eq!(said.code, 1);
    let said = against(&suspended, &["-o", "json"]);
    assert_eq!(steps(&said), ["(update FreshnessAlarm)"]);

    let refused = slower.replace("  access: {classification: internal, ", "  access: {");
    let said = against(&refused, &[]);
    assert!(
        said.out.contains("  held back: ") && said.out.contains(" enforced policy error"),
        "{}",
        said.out
    );

    let homeless = offline(&COMPLETE.replace("namespace: sales", "namespace: other"), &[]);
    assert!(
        homeless.out.contains("  not planned: no DataDomain claims namespace other; ask "),
        "{}",
        homeless.out
    );
    assert!(homeless.out.ends_with("Nothing can be planned yet. Nothing was changed.\n"), "{}", homeless.out);
    assert_eq!(homeless.code, 1);
}

#[test]
fn a_resource_that_could_not_be_read_is_no_resource_without_changes() {
    let names = [
        ("EncryptionKey", "sales-complete"),
        ("Bucket", "sales-complete-000000000000"),
        ("CatalogDatabase", "sales_complete"),
        ("Grant", "sales_complete"),
        ("FreshnessAlarm", "sales-complete-freshness"),
    ];
    let resources = names.map(|(kind, name)| match kind {
        "Bucket" => format!("{{kind: {kind}, name: {name}, state: Failed, lastError: {{class: Transient, message: no answer}}}}"),
        _ => format!("{{kind: {kind}, name: {name}, id: i, state: InSync}}"),
    });
    let status = format!("status: {{resources: [{}]}}\n", resources.join(", "));
    let before = format!("{COMPLETE}{status}");
    let files = folder(&[("platform.yaml", PLATFORM.as_bytes()), ("p.yaml", before.as_bytes())]);
    let (platform, product) = (files.path().join("platform.yaml"), files.path().join("p.yaml"));
    let (platform, product) = (text(&platform), text(&product));
    let said = dataproduct(&["plan", product, "--against", product, "--policies", platform], &[], "");
    let expected = "  not planned: Bucket/sales-complete-000000000000 is not known: no answer\n";
    assert!(said.out.contains(expected) && !said.out.contains("no changes"), "{}{}", said.out, said.err);
    assert_eq!(said.code, 1);
}

#[test]
fn a_deletion_is_told_before_it_happens() {
    let retained = against(COMPLETE, &["--delete", "-o", "json"]);
    let expected = [
        "delete FreshnessAlarm",
        "delete Grant",
        "release CatalogDatabase",
        "release Bucket",
        "release EncryptionKey",
    ];
    assert_eq!(steps(&retained), expected, "{}", retained.err);
    assert_eq!(retained.code, 1);
    let nothing = offline(COMPLETE, &["--delete"]);
    assert!(nothing.out.ends_with("\nNo changes.\n"), "{}", nothing.out);
    assert_eq!(nothing.code, 0);

    let doomed = COMPLETE.replace("  version:", "  provisioning: {deletionPolicy: Delete}\n  version:");
    let files = folder(&[("platform.yaml", PLATFORM.as_bytes()), ("p.yaml", doomed.as_bytes())]);
    let (platform, product) = (files.path().join("platform.yaml"), files.path().join("p.yaml"));
    let (platform, product) = (text(&platform), text(&product));
    let said =
        dataproduct(&["plan", product, "--against", product, "--policies", platform, "--delete"], &[], "");
    assert!(said.out.contains("  - delete   Bucket           sales-complete-"), "{}{}", said.out, said.err);
    assert!(
        said.out.contains("  held back: its data would be deleted; confirm with the annotation"),
        "{}",
        said.out
    );
}

#[test]
fn a_plan_that_cannot_be_made_says_why_and_ends_with_2() {
    let both = dataproduct(&["plan", "examples", "--offline", "--context", "c"], &[], "");
    assert!(both.err.contains("--offline and --against ask no cluster"), "{}", both.err);
    assert_eq!(both.code, 2);
    let misspelt = offline(&COMPLETE.replace("description:", "descripton:"), &[]);
    assert!(misspelt.err.contains("descripton"), "{}", misspelt.err);
    assert_eq!(misspelt.code, 2);
    let empty = offline(PLATFORM, &[]);
    assert!(empty.err.contains("no DataProduct is among the documents"), "{}", empty.err);
    assert_eq!((empty.code, empty.out.as_str()), (0, "No changes in 0 products.\n"));
}
