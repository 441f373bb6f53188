use crate::policy;

#[test]
fn what_a_policy_would_do_is_told_by_domain_and_by_product_and_nothing_is_changed() {
    let said = policy(&["simulate", "fresh.yaml", "--mesh", "mesh", "--now", "2026-11-26T00:00:00Z"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.notes);
    let expected = "\
DOMAIN  PRODUCTS  SCORE  BECOMES  FAILING  BECOMES  STOPPED  BECOMES
orders  2         100    95       0        1        0        1
sales   1         100    90       0        1        0        0
all     3         100    93       0        2        0        1

orders/late  score 100 becomes 90, stops change
  + FRESH-001 at spec.slo.freshness.target
sales/late  score 100 becomes 90
  + FRESH-001 at spec.slo.freshness.target

Nothing was changed.
";
    assert_eq!(said.out, expected);
    let strict = ["simulate", "fresh.yaml", "--mesh", "mesh", "--fail-on-stopped"];
    assert_eq!(policy(&strict).code, Some(1));
}

#[test]
fn a_policy_that_goes_takes_its_violations_with_it_and_one_that_is_unknown_is_refused() {
    let said = policy(&["simulate", "--remove", "base", "--mesh", "mesh", "--mesh", "base.yaml"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.notes);
    assert!(said.out.contains("  - TAGS-001 at spec.tags"), "{}", said.out);
    let unknown = policy(&["simulate", "--remove", "nobody", "--mesh", "mesh"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.notes.contains("the mesh has no GovernancePolicy nobody"), "{}", unknown.notes);
}

#[test]
fn a_cluster_that_cannot_be_reached_ends_with_3() {
    let said = policy(&["simulate", "fresh.yaml", "--kubeconfig", "nowhere"]);
    assert_eq!(said.code, Some(3), "{}", said.notes);
}
