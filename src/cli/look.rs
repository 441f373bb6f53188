//! How text looks to people: styles by what they mean, columns, ages.
//!
//! Styles are always written; whoever prints leaves them out where the output takes none (`--color`, `NO_COLOR`,
//! `CLICOLOR_FORCE`, a pipe).

use std::fmt;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use unicode_width::UnicodeWidthStr;

/// Who reads an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// People.
    Text,
    /// Programs.
    Json,
}

/// What a style means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// It is as it should be.
    Good,
    /// Somebody must do something.
    Bad,
    /// It changes by itself, or is not known yet.
    Waiting,
    /// It matters less than what is around it.
    Faint,
    /// It matters more than what is around it.
    Strong,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Waiting => AnsiColor::Yellow.on_default(),
            Self::Faint => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }
}

/// A text of one line with a tone. Whatever a manifest says in it does nothing to a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Lines of a tree and the like.
    before: String,
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text with a tone.
    pub fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { before: String::new(), text: clean(text.as_ref()), tone }
    }

    /// A text as any other.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }

    /// A text, or a hyphen where there is none.
    pub fn or_none(text: Option<impl AsRef<str>>) -> Self {
        text.map_or_else(|| Self::new("-", Tone::Faint), Self::plain)
    }

    /// The same text with another tone.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// The same text with a faint one before it.
    #[must_use]
    pub fn after(self, before: &str) -> Self {
        Self { before: before.to_owned(), ..self }
    }

    /// Columns of a terminal that the text takes.
    fn width(&self) -> usize {
        self.before.width() + self.text.width()
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (text, tone) in [(&self.before, Tone::Faint), (&self.text, self.tone)] {
            if !text.is_empty() {
                let style = tone.style();
                write!(f, "{style}{text}{style:#}")?;
            }
        }
        Ok(())
    }
}

/// Columns that are as wide as their widest cell so far.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    widths: Vec<usize>,
    /// Spaces between two columns.
    gap: usize,
}

impl Columns {
    /// Columns so many spaces apart.
    pub const fn apart(gap: usize) -> Self {
        Self { widths: Vec::new(), gap }
    }

    /// Rows as lines, below each other.
    pub fn lines(&mut self, rows: &[Vec<Cell>]) -> String {
        for row in rows {
            self.widths.resize(self.widths.len().max(row.len()), 0);
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        rows.iter().map(|row| self.line(row)).collect()
    }

    fn line(&self, row: &[Cell]) -> String {
        // Nothing follows the last cell that says something.
        let said = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(&self.widths).take(said).enumerate() {
            line.push_str(&cell.to_string());
            if index + 1 < said {
                line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + self.gap));
            }
        }
        line.push('\n');
        line
    }
}

/// Rows in aligned columns, two spaces apart. The last column is as long as it likes.
pub(super) fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let rows = rows.iter().map(|row| row.iter().map(Cell::plain).collect()).collect::<Vec<_>>();
    Columns::apart(2).lines(&rows)
}

/// Rows in aligned columns below a title; nothing when there are no rows.
pub(super) fn titled(title: &str, rows: &[Vec<Cell>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let lines = Columns::apart(2).lines(rows);
    let lines = lines.lines().map(|line| format!("  {line}\n")).collect::<String>();
    format!("{}\n{lines}", Cell::new(title, Tone::Strong))
}

/// A span of time as kubectl writes it, from whole seconds: `45s`, `3m20s`, `5h`, `2d3h`, `1y40d`.
pub fn age(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    let both = |(large, unit): (i64, &str), (small, part): (i64, &str)| match seconds % large / small {
        0 => format!("{}{unit}", seconds / large),
        rest => format!("{}{unit}{rest}{part}", seconds / large),
    };
    match seconds {
        // Clocks differ a little.
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => both((MINUTE, "m"), (1, "s")),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => both((HOUR, "h"), (MINUTE, "m")),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => both((DAY, "d"), (HOUR, "h")),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => both((YEAR, "y"), (DAY, "d")),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// A text in one line that does nothing to a terminal, whatever a manifest says.
pub(super) fn clean(text: &str) -> String {
    let shown = |it: char| if acts(it) { it.escape_default().to_string() } else { it.to_string() };
    text.chars().map(shown).collect()
}

/// Whether a character does something else than being seen: it commands a terminal, breaks the line, or turns the direction in
/// which what follows is shown.
pub(super) fn acts(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_of_kubectl() {
        let cases = [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (200, "3m20s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (14_700, "4h5m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (183_600, "2d3h"),
            (691_200, "8d"),
            (63_072_000, "2y"),
            (66_528_000, "2y40d"),
            (252_288_000, "8y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(age(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn columns_are_as_wide_as_what_is_seen_of_their_cells() {
        let mut columns = Columns::apart(2);
        let rows = vec![
            vec![Cell::plain("a"), Cell::new("Ready", Tone::Good), Cell::plain("x")],
            vec![Cell::plain("データ"), Cell::new("No", Tone::Bad), Cell::plain("")],
        ];
        let plain = anstream::adapter::strip_str(&columns.lines(&rows)).to_string();
        assert_eq!(plain, "a       Ready  x\nデータ  No\n");
        // Later rows stand below earlier ones.
        let later = columns.lines(&[vec![Cell::plain("b"), Cell::plain("y")]]);
        assert_eq!(later, "b       y\n");
    }

    #[test]
    fn no_text_acts_on_a_terminal() {
        let hostile = "a\u{1b}[31mb\r\nc\u{7}d\u{202e}e\u{9b}f\u{2028}g";
        let shown = Cell::plain(hostile).to_string();
        assert!(shown.chars().all(|it| it.is_ascii_graphic()), "{shown:?}");
        assert!(shown.contains(r"\u{1b}[31mb") && shown.contains(r"\r\nc"), "{shown}");
    }
}
