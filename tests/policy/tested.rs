use crate::policy;

#[test]
fn cases_that_are_as_expected_end_with_0_and_rules_that_none_breaks_are_named() {
    let said = policy(&["test", "fresh.test.yaml"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.notes);
    let expected = "\
fresh.test.yaml
  ok    a quarter of an hour is fresh enough
  ok    an hour is not
  ok    until the end of the exception
  no case breaks OWNER-001

3 cases, all as expected
";
    assert_eq!(said.out, expected);
}

#[test]
fn a_case_that_is_not_as_expected_says_how_and_ends_with_1() {
    let said = policy(&["test", "wrong.test.yaml"]);
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.notes);
    for wanted in [
        "FAIL  expects too much     expected OWNER-001; the score is 100, not 90",
        "FAIL  expects too little   did not expect FRESH-001",
        "FAIL  expects other words  FRESH-001 says \"The data may be 1 hour old; at most 30m is allowed\", not \"Old\"",
        "FAIL  expects it for ever  expected FRESH-001",
        "4 of 4 cases are not as expected",
    ] {
        assert!(said.out.contains(wanted), "{wanted}: {}", said.out);
    }
}

#[test]
fn a_test_that_cannot_be_used_ends_with_2_and_says_what_one_is() {
    for (file, wanted) in [
        ("fresh.yaml", "it is no test"),
        ("nowhere.yaml", "it cannot be read"),
        ("garbled.test.yaml", "rule FRESH-001 of garbled: expression 1:14: object has no field sepc"),
    ] {
        let said = policy(&["test", file]);
        assert_eq!(said.code, Some(2), "{file}: {}{}", said.out, said.notes);
        assert!(said.notes.contains(wanted), "{file}: {}", said.notes);
    }
}
