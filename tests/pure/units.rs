//! Durations and percentages: never a panic, and what is printed is read back.

use dataproduct_operator::model::{duration::Span, percent::Percent};
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC*") {
        let _ = text.parse::<Span>();
        let _ = text.parse::<Percent>();
    }

    #[test]
    fn a_duration_is_read_back(number in 1i64..=999_999, unit in prop::sample::select(vec!["s", " second", "m", " minutes", "h", " hours", "d", " days", "w", " weeks", "mo", " months", "y", " years"])) {
        let span: Span = format!("{number}{unit}").parse().expect("a duration");
        prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
    }

    #[test]
    fn a_percentage_is_read_back(millionths in 0i64..=100_000_000) {
        let text = format!("{}.{:06}%", millionths / 1_000_000, millionths % 1_000_000);
        let percent: Percent = text.parse().expect("a percentage");
        prop_assert_eq!(percent.to_string().parse::<Percent>(), Ok(percent));
    }
}

#[test]
fn durations_have_one_number_and_one_unit() {
    for (text, seconds) in
        [("1 hour", 3600), ("90m", 5400), ("7 years", 7 * 365 * 86400), ("2 months", 60 * 86400), ("1s", 1)]
    {
        assert_eq!(text.parse::<Span>().map(Span::seconds), Ok(seconds), "{text}");
    }
    for text in ["", "1h30m", "0 s", "1.5 h", "-1 h", "1  hour", "hour", "1 fortnight", "1234567 s", "١ hour"]
    {
        let error = text.parse::<Span>().expect_err(text).to_string();
        assert!(error.contains("for example"), "{error}");
    }
}

#[test]
fn percentages_are_exact_and_bounded() {
    let percent = |text: &str| text.parse::<Percent>().expect("a percentage");
    assert!(percent("99%") >= Percent::whole(99) && percent("98.999999%") < Percent::whole(99));
    assert_eq!(percent("100.0%"), Percent::whole(100));
    for text in ["", "%", "99", "100.000001%", "1e2%", "-1%", "+1%", "99.%", "0.1234567%", "1000%"] {
        assert!(text.parse::<Percent>().is_err(), "{text}");
    }
}
