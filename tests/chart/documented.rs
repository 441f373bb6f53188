//! The chart's README lists every value with its comment, and its schema refuses all others. `UPDATE_GOLDEN=1` writes both anew.

use std::{env, fmt::Write, fs};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::helm::{CHART, read, root};

const BEGIN: &str = "<!-- Generated from values.yaml; run `make generate`. -->\n";
const END: &str = "<!-- The end of what is generated. -->\n";

/// What stands between a value and what its default does not tell of it.
const ANNOTATION: &str = " # @schema ";

/// One value with a comment of its own.
pub(crate) struct Documented {
    /// Its keys, from the outermost.
    pub(crate) path: Vec<String>,
    pub(crate) about: String,
    /// Keywords of its schema and what they say, in the form of helm-values-schema-json.
    pub(crate) annotation: Vec<(String, String)>,
}

/// The values of a text that have a comment right above them. What lies below such a value is part of its default.
pub(crate) fn documented(text: &str) -> Result<Vec<Documented>> {
    let mut found: Vec<Documented> = Vec::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut about = Vec::new();
    let mut covered = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let (line, annotation) = line.trim_start().split_once(ANNOTATION).unwrap_or((line.trim_start(), ""));
        if covered.is_some_and(|depth| indent > depth) && !line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix("# ") {
            about.push(comment.to_owned());
            continue;
        }
        let Some((key, _)) = line.split_once(':').filter(|_| !line.starts_with('-')) else {
            about.clear();
            continue;
        };
        covered = None;
        // A value belongs to the nearest one above it that is further out.
        above.retain(|(depth, _)| *depth < indent);
        above.push((indent, key.to_owned()));
        let path = above.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>();
        if about.is_empty() {
            let bare = line.ends_with(':') && annotation.is_empty();
            ensure!(bare, "{} has no comment in values.yaml", path.join("."));
            continue;
        }
        covered = Some(indent);
        let annotation = annotation.split(';').filter_map(|part| part.split_once(':'));
        let annotation = annotation.map(|(keyword, said)| (keyword.to_owned(), said.to_owned())).collect();
        found.push(Documented { path, about: std::mem::take(&mut about).join(" "), annotation });
    }
    Ok(found)
}

fn table() -> Result<String> {
    let text = read(&format!("{CHART}/values.yaml"))?;
    let values: Value = serde_saphyr::from_str(&text)?;
    let mut table = "| Value | Default | What it is |\n|---|---|---|\n".to_owned();
    for Documented { path, about, .. } in documented(&text)? {
        let name = path.join(".");
        let default = path.iter().try_fold(&values, |value, key| value.get(key));
        let default = default.with_context(|| format!("{name} is not among the values"))?;
        // A long default is better read where it is.
        let shown = match default.to_string() {
            long if long.len() > 60 => "see values.yaml".to_owned(),
            short => format!("`{short}`"),
        };
        ensure!(about.ends_with('.'), "the comment of {name} is no sentence: {about}");
        writeln!(table, "| `{name}` | {shown} | {} |", about.replace('|', "\\|"))?;
    }
    Ok(table)
}

#[test]
fn the_readme_of_the_chart_lists_every_value() -> Result<()> {
    let path = format!("{CHART}/README.md");
    let page = read(&path)?;
    let (before, rest) = page.split_once(BEGIN).context("the page has no begin of the table")?;
    let (_, after) = rest.split_once(END).context("the page has no end of the table")?;
    generated(&path, &format!("{before}{BEGIN}{}{END}{after}", table()?))
}

/// Compares a file with what it is generated as, or writes it.
pub(crate) fn generated(path: &str, expected: &str) -> Result<()> {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(root().join(path), expected)?;
        return Ok(());
    }
    if read(path)? != expected {
        bail!("{path} is not what values.yaml says; run `make generate` and commit");
    }
    Ok(())
}
