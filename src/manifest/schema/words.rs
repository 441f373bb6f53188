//! Words of the messages on schemas.

/// Words that are listed.
const LISTED: usize = 12;
/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// What to write in place of a word: what was probably meant first, then what there is.
pub(in crate::manifest) fn one_of(what: &str, word: &str, allowed: &[&str]) -> String {
    let listed = allowed.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    let more = match allowed.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let there_is = match allowed.len() {
        0 => format!("Remove it: there is no {what} here"),
        1 => format!("The only {what} is {listed}"),
        _ => format!("The {what}s are {listed}{more}"),
    };
    match meant(word, allowed) {
        Some(meant) => format!("Did you mean {meant}? {there_is}"),
        None => there_is,
    }
}

/// The word that is nearest to another one, where it is near enough to have been meant.
fn meant<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    /// No word of ours is longer, and the distance of long texts costs time.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace(['_', '-'], "");
    let this = plain(word);
    let distance = |other: &&str| strsim::osa_distance(&this, &plain(other));
    let nearest = allowed.iter().min_by_key(|other| distance(other))?;
    let near = this.chars().count().max(3) / 3;
    (distance(nearest) <= near).then_some(*nearest)
}

/// A value as it is shown, cut where it is long.
pub(in crate::manifest) fn shown(value: &str) -> String {
    let cut: String = value.chars().take(SHOWN).collect();
    if cut.len() == value.len() { format!("{cut:?}") } else { format!("{cut:?}...") }
}

/// A type of the schema, for people.
pub(super) fn article(type_: &str) -> &'static str {
    match type_ {
        "object" => "a mapping",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant_comes_first() {
        let cases = [
            (
                "descripton",
                &["description", "domain"][..],
                "Did you mean description? The fields are description, domain",
            ),
            ("max_age", &["maxAge", "type"], "Did you mean maxAge? The fields are maxAge, type"),
            ("wholly-other", &["a", "b"], "The fields are a, b"),
            ("x", &["y"], "Did you mean y? The only field is y"),
            ("x", &[], "Remove it: there is no field here"),
        ];
        for (word, allowed, expected) in cases {
            assert_eq!(one_of("field", word, allowed), expected, "{word}");
        }
        let many = (0..20).map(|n| n.to_string()).collect::<Vec<_>>();
        let many = many.iter().map(String::as_str).collect::<Vec<_>>();
        assert!(one_of("value", "none", &many).ends_with("11 and 8 more"));
        assert_eq!(meant(&"x".repeat(100_000), &["x"]), None);
    }
}
