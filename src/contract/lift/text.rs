//! The same moves in the text of a document, so that its comments and its layout stay.
//!
//! Only the ordinary layout is known, mappings in blocks. The caller reads the text again and compares it with what was
//! to come out; where it differs, or where there is `None`, the document is written anew.

use std::ops::Range;

/// Columns by which what is new is indented.
const STEP: usize = 2;

/// The text of a document after some moves, each from a place to another below `spec`; `None` where the layout is not
/// the ordinary one. Platform standards become an object of the given header.
pub fn edit(text: &str, moves: &[(String, String)], header: &str) -> Option<String> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let lines = match moves {
        [(from, to)] if !header.is_empty() && to == &format!("spec.{from}") => Some(wrap(&lines, header)),
        _ => shift(lines, moves),
    }?;
    let mut edited = lines.join("\n");
    edited.push('\n');
    Some(edited)
}

/// Puts everything below `spec` of an object.
fn wrap(lines: &[String], header: &str) -> Vec<String> {
    let begins = usize::from(lines.first().is_some_and(|line| line.starts_with("---")));
    let (marker, rest) = lines.split_at(begins.min(lines.len()));
    let above = rest.iter().take_while(|line| line.trim().is_empty() || line.starts_with('#')).count();
    let (comments, rest) = rest.split_at(above.min(rest.len()));
    let header = header.lines().map(str::to_owned).chain(["spec:".to_owned()]);
    marker
        .iter()
        .chain(comments)
        .cloned()
        .chain(header)
        .chain(rest.iter().map(|line| indented(line, STEP)))
        .collect()
}

fn shift(mut lines: Vec<String>, moves: &[(String, String)]) -> Option<Vec<String>> {
    let mut taken = Vec::new();
    for (from, _) in moves {
        let path: Vec<_> = from.split('.').collect();
        let (mut range, indent) = block(&lines, &path)?;
        // The comments right above belong to it.
        let comments = lines.get(..range.start)?.iter().rev();
        let above = comments
            .take_while(|line| line.trim_start().starts_with('#') && indent_of(line) == indent)
            .count();
        range.start -= above;
        let part: Vec<String> = lines.drain(range.clone()).map(|line| dedented(&line, indent)).collect();
        taken.push((range.start, part));
    }
    // What stood first stays first.
    taken.sort_by_key(|(start, _)| *start);
    let (at, indent) = if let Some((range, _)) = block(&lines, &["spec"]) {
        let line = lines.get(range.start)?;
        let after = line.trim_end().strip_prefix("spec:")?.trim_start();
        if !after.is_empty() && !after.starts_with('#') {
            return None;
        }
        let mut below = lines.get(range.start + 1..range.end)?.iter();
        let first = below.find(|line| is_content(line)).map_or(STEP, |line| indent_of(line));
        (range.start + 1, first)
    } else {
        let (range, _) = block(&lines, &["metadata"])?;
        lines.insert(range.end, "spec:".to_owned());
        (range.end + 1, STEP)
    };
    let new: Vec<_> =
        taken.into_iter().flat_map(|(_, part)| part).map(|line| indented(&line, indent)).collect();
    lines.splice(at..at, new);
    Some(lines)
}

/// The line, from 1, on which a path or the nearest of its parents stands.
pub fn line_of(text: &str, path: &str) -> Option<usize> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let plain = path.split('[').next().unwrap_or_default();
    let keys: Vec<_> = plain.split('.').filter(|key| !key.is_empty()).collect();
    let found = (1..=keys.len()).rev().find_map(|count| block(&lines, keys.get(..count)?));
    found.map(|(range, _)| range.start + 1)
}

/// The lines of a key of nested mappings, and how far it is indented.
fn block(lines: &[String], path: &[&str]) -> Option<(Range<usize>, usize)> {
    let mut within = 0..lines.len();
    let mut found = None;
    for key in path {
        let inside = lines.get(within.clone())?;
        let indent = inside.iter().find(|line| is_content(line)).map(|line| indent_of(line))?;
        let is_key = |line: &String| {
            indent_of(line) == indent && is_content(line) && rest_of(line.trim_start(), key).is_some()
        };
        let start = within.start + inside.iter().position(is_key)?;
        let range = start..end_of(lines, start, within.end, indent);
        within = range.start + 1..range.end;
        found = Some((range, indent));
    }
    found
}

/// What follows a key on its line.
fn rest_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [key.to_owned(), format!("\"{key}\""), format!("'{key}'")];
    let after = quoted.iter().find_map(|key| line.strip_prefix(key.as_str())?.strip_prefix(':'))?;
    (after.is_empty() || after.starts_with(char::is_whitespace)).then_some(after)
}

/// Where the value of a key ends: before the next line that is not further in. The items of a list may be as far in as
/// their key.
fn end_of(lines: &[String], start: usize, limit: usize, indent: usize) -> usize {
    let mut end = start + 1;
    for (index, line) in lines.iter().enumerate().take(limit).skip(start + 1) {
        let is_inside = indent_of(line) > indent
            || (indent_of(line) == indent && (line.trim_start().starts_with("- ") || line.trim() == "-"));
        if line.trim().is_empty() {
            continue;
        }
        if is_inside {
            end = index + 1;
        } else if !line.trim_start().starts_with('#') {
            break;
        }
    }
    end
}

fn is_content(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#') && !line.starts_with("---")
}

fn indent_of(line: &str) -> usize {
    line.bytes().take_while(|c| *c == b' ').count()
}

fn indented(line: &str, by: usize) -> String {
    if line.trim().is_empty() { String::new() } else { format!("{:by$}{line}", "") }
}

fn dedented(line: &str, by: usize) -> String {
    line.get(indent_of(line).min(by)..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(keys: &[&str]) -> Vec<(String, String)> {
        keys.iter().map(|key| (format!("metadata.{key}"), format!("spec.{key}"))).collect()
    }

    #[test]
    fn what_moves_keeps_its_comments_and_the_rest_keeps_its_layout() {
        let text = "\
# A product.
metadata:
  name: a   # its name
  # Who owns it.
  domain: customer
  owner:
      team: t

      email: \"a@b\"
# Below.
spec:
    # First.
    description: |
      # no comment
      two
";
        let expected = "\
# A product.
metadata:
  name: a   # its name
# Below.
spec:
    # Who owns it.
    domain: customer
    owner:
        team: t

        email: \"a@b\"
    # First.
    description: |
      # no comment
      two
";
        assert_eq!(edit(text, &moves(&["domain", "owner"]), "").as_deref(), Some(expected));
    }

    #[test]
    fn a_spec_is_made_where_there_is_none_and_another_layout_is_left_alone() {
        let text = "metadata:\n  name: a\n  domain: b\nkind: DataProduct\n";
        let expected = "metadata:\n  name: a\nspec:\n  domain: b\nkind: DataProduct\n";
        assert_eq!(edit(text, &moves(&["domain"]), "").as_deref(), Some(expected));
        assert_eq!(edit("metadata: {name: a, domain: b}\nspec: {}\n", &moves(&["domain"]), ""), None);
        assert_eq!(edit("metadata:\n  domain: b\nspec: {}\n", &moves(&["domain"]), ""), None);
    }

    #[test]
    fn a_line_is_found_by_its_path_or_by_the_nearest_parent() {
        let text = "metadata:\n  name: a\n  owner:\n    email: [a]\nspec:\n  schema:\n    fields:\n    - name: b\n  slo: {}\n";
        let cases = [
            ("metadata.owner.email", Some(4)),
            ("spec.schema.fields[b].type", Some(7)),
            ("spec.slo.freshness.target", Some(9)),
            ("spec.version", Some(5)),
            ("status", None),
            ("", None),
        ];
        for (path, line) in cases {
            assert_eq!(line_of(text, path), line, "{path}");
        }
    }
}
