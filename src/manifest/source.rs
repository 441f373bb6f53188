//! The text of a manifest, and the lines and columns of its bytes.

use std::ops::Range;

use super::{Fault, YAML, limits::MAX_BYTES};

/// A text with a name, for example a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// How people call it: a path, or `-` for the standard input.
    pub name: String,
    text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    /// Number of characters before every so many bytes, so that a column in a very long line is found at once.
    marks: Vec<usize>,
}

/// Bytes between two marks.
const STRIDE: usize = 1024;

/// A place in a text as people count: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Source {
    /// A source from bytes. Bytes that are no text are replaced, so that there is something to show, and are a fault.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> (Self, Option<Fault>) {
        if bytes.len() > MAX_BYTES {
            let message = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
            let fault = Fault::new(YAML, 0..0, message, "Split it into several files");
            return (Self::of(name, String::new()), Some(fault));
        }
        // A file that a tool of Windows wrote may begin with this mark, which is no part of the text.
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").map(<[u8]>::to_vec).unwrap_or(bytes);
        match String::from_utf8(bytes) {
            Ok(text) => (Self::of(name, text), None),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bytes = error.into_bytes();
                let wide = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
                let message = if wide { "the file is UTF-16" } else { "this byte is not UTF-8" };
                let source = Self::of(name, String::from_utf8_lossy(&bytes).into_owned());
                let fault = Fault::new(
                    YAML,
                    source.character(at),
                    message,
                    "Save the file as UTF-8, as Kubernetes asks",
                );
                (source, Some(fault))
            }
        }
    }

    fn of(name: impl Into<String>, text: String) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        let mut count = 0;
        let marks = text.as_bytes().chunks(STRIDE).map(|chunk| {
            let before = count;
            count += chunk.iter().filter(|byte| begins_character(**byte)).count();
            before
        });
        let mut marks = marks.collect::<Vec<_>>();
        marks.push(count);
        Self { name: name.into(), text, lines, marks }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Number of lines.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Where a byte is.
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.boundary(byte);
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or_default();
        Position { line, column: self.characters_before(byte) - self.characters_before(start) + 1 }
    }

    fn characters_before(&self, byte: usize) -> usize {
        let mark = byte / STRIDE;
        let rest = self.text.as_bytes().get(mark * STRIDE..byte).unwrap_or_default();
        let counted = self.marks.get(mark).copied().unwrap_or_default();
        counted + rest.iter().filter(|byte| begins_character(**byte)).count()
    }

    /// A line without its end; empty where there is none.
    pub fn line(&self, number: usize) -> &str {
        let range = self.line_range(number);
        self.text.get(range).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }

    /// The bytes of a line with its end.
    pub fn line_range(&self, number: usize) -> Range<usize> {
        let start = number.checked_sub(1).and_then(|index| self.lines.get(index)).copied();
        let start = start.unwrap_or(self.text.len());
        start..self.lines.get(number).copied().unwrap_or(self.text.len()).max(start)
    }

    /// The range of one character, so that a caret has something to stand below.
    pub fn character(&self, byte: usize) -> Range<usize> {
        let start = self.boundary(byte);
        let length = self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        start..start + length
    }

    /// A range that lies within the text, whatever it was.
    pub fn within(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.boundary(range.start);
        start..self.boundary(range.end).max(start)
    }

    /// The beginning of the character that a byte belongs to.
    fn boundary(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        (0..=byte).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default()
    }
}

/// Whether a byte of UTF-8 is the first of its character.
const fn begins_character(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_characters_and_lines_end_as_they_like() {
        let (source, fault) = Source::new("a", "\u{feff}eins\r\nzwölf: ü\n\nx".as_bytes().to_vec());
        assert_eq!(fault, None);
        let at = |needle: &str| {
            let Position { line, column } = source.position(source.text().find(needle).expect("the needle"));
            (line, column)
        };
        assert_eq!(at("eins"), (1, 1), "the mark at the beginning is no character");
        assert_eq!(at(": ü"), (2, 6));
        assert_eq!(at("x"), (4, 1));
        assert_eq!(source.position(9999), Position { line: 4, column: 2 });
        assert_eq!(
            (source.line(1), source.line(2), source.line(3), source.line(9)),
            ("eins", "zwölf: ü", "", "")
        );
        assert_eq!(source.line_count(), 4);
    }

    #[test]
    fn a_column_in_a_long_line_is_counted_from_the_last_mark() {
        let text = format!("a\n{}x", "ü".repeat(3 * STRIDE));
        let (source, _) = Source::new("a", text.clone().into_bytes());
        assert_eq!(source.position(text.len() - 1), Position { line: 2, column: 3 * STRIDE + 1 });
        assert_eq!(source.position(text.len()), Position { line: 2, column: 3 * STRIDE + 2 });
        let (source, _) = Source::new("a", vec![b'x'; STRIDE]);
        assert_eq!(source.position(STRIDE), Position { line: 1, column: STRIDE + 1 });
    }

    #[test]
    fn bytes_that_are_no_text_are_a_fault_with_a_place() {
        let (source, fault) = Source::new("a", b"a: 1\nb: \xFF\n".to_vec());
        let fault = fault.expect("a fault");
        assert_eq!(source.position(fault.place.start), Position { line: 2, column: 4 });
        let (_, fault) = Source::new("a", b"\xFF\xFEa\0".to_vec());
        assert!(fault.expect("a fault").message.contains("UTF-16"));
        let (source, fault) = Source::new("a", vec![b'#'; MAX_BYTES + 1]);
        assert!(fault.expect("a fault").message.contains("larger than") && source.text().is_empty());
    }
}
