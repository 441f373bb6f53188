//! The shape of a text, seen before the parser is asked: how deeply its parts would be nested.
//!
//! The parser, the check and the evaluation go down one call for each level. What would go down too far for the stack of a
//! thread is refused here, by a loop that needs no stack itself.

use super::compile::MAX_DEPTH;

/// How many operators and selections may stand in one chain, those inside of brackets added to those outside.
pub const MAX_CHAIN: usize = 128;

/// What has been seen between two brackets, since the last comma.
#[derive(Default)]
struct Level {
    /// Operators: each is one level of the tree.
    operators: usize,
    /// Selections, calls and indexes of the operand at hand.
    tail: usize,
    /// The most that an operand had.
    tallest: usize,
    /// The depth of the deepest part before the last comma.
    before: usize,
}

impl Level {
    fn depth(&self) -> usize {
        self.before.max(self.operators + self.tallest.max(self.tail))
    }

    fn operand(&mut self) {
        self.tallest = self.tallest.max(self.tail);
        self.tail = 0;
    }
}

/// Fails with the offset in characters and what is wrong, where a text is nested too deeply or has a literal without an end.
pub(super) fn check(source: &str) -> Result<(), (usize, String)> {
    let text = source.chars().collect::<Vec<_>>();
    let mut levels = vec![Level::default()];
    let mut place = 0;
    while let Some(&character) = text.get(place) {
        let rest = text.get(place..).unwrap_or_default();
        let mut length = 1;
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { break };
        match character {
            '(' | '[' | '{' => {
                level.tail += 1;
                levels.push(Level::default());
            }
            ')' | ']' | '}' if depth > 1 => {
                let inside = levels.pop().map_or(0, |level| level.depth());
                if let Some(level) = levels.last_mut() {
                    level.tail += inside;
                }
            }
            ',' => *level = Level { before: level.depth(), ..Level::default() },
            '.' => level.tail += 1,
            '?' if place > 0 && matches!(text.get(place - 1), Some('.' | '[')) => {}
            '+' | '-' | '*' | '%' | '<' | '>' | '=' | '!' | '&' | '|' | '?' | ':' => {
                level.operand();
                level.operators += 1;
                length = if matches!(rest, ['<' | '>' | '=' | '!', '=', ..] | ['&', '&', ..] | ['|', '|', ..])
                {
                    2
                } else {
                    1
                };
            }
            '/' if rest.get(1) == Some(&'/') => {
                length = rest.iter().position(|character| *character == '\n').unwrap_or(rest.len());
            }
            '/' => {
                level.operand();
                level.operators += 1;
            }
            '\'' | '"' => length = literal(rest, is_raw(&text, place)).ok_or_else(|| (place, open()))?,
            letter if is_letter(letter) => {
                length = rest.iter().position(|character| !is_letter(*character)).unwrap_or(rest.len());
                if rest.get(..length) == Some(&['i', 'n']) {
                    level.operand();
                    level.operators += 1;
                }
            }
            _ => {}
        }
        // A level that is open counts as well as one that has been closed.
        let chain = levels.iter().fold(0, |sum, level| sum + level.depth());
        if levels.len() > MAX_DEPTH + 1 || chain > MAX_CHAIN + MAX_DEPTH {
            return Err((place, deep()));
        }
        place += length;
    }
    Ok(())
}

/// What is wrong with a text that is nested too deeply.
pub(super) fn deep() -> String {
    format!(
        "the expression is nested more than {MAX_DEPTH} deep, or chains more than {MAX_CHAIN} operators; divide it into \
         variables"
    )
}

fn open() -> String {
    "the text that begins here does not end on its line; close it, or write it between '''".to_owned()
}

fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Whether the quotes at a place are preceded by the letter that says that a backslash is a backslash.
fn is_raw(text: &[char], place: usize) -> bool {
    let before = text.get(..place).unwrap_or_default();
    let letters = before.iter().rev().take_while(|character| is_letter(**character)).count();
    let word = before.get(before.len() - letters..).unwrap_or_default();
    matches!(word, ['r' | 'R'] | ['b' | 'B', 'r' | 'R'])
}

/// The length of the literal that a text begins with; `None` where it has no end.
fn literal(text: &[char], raw: bool) -> Option<usize> {
    let quote = *text.first()?;
    let triple = text.get(..3) == Some(&[quote; 3]);
    let quotes = if triple { 3 } else { 1 };
    let mut place = quotes;
    loop {
        match text.get(place)? {
            '\\' if !raw => place += 2,
            '\n' | '\r' if !triple => return None,
            _ if text.get(place..place + quotes)?.iter().all(|character| *character == quote) => {
                return Some(place + quotes);
            }
            _ => place += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_texts_and_comments_is_no_nesting() {
        for source in [
            format!("'{}' == r'{}\\' + \"{}\"", "(".repeat(200), "[".repeat(200), "\\\"(".repeat(200)),
            format!("'''{}\n'\n''' == 'a' // {}\n", "{".repeat(200), "(".repeat(200)),
            format!("[{}1]", "1 + 1, ".repeat(200)),
            "(1)+".repeat(40) + "1",
            "a.b.c == 'x' || ".repeat(40) + "true",
        ] {
            assert_eq!(check(&source), Ok(()), "{source}");
        }
    }

    #[test]
    fn chains_count_inside_and_outside_of_brackets_together() {
        for source in [
            "1+".repeat(200) + "1",
            "1 in ".repeat(200) + "1",
            "a".to_owned() + &".b".repeat(200),
            "a".to_owned() + &"[0]".repeat(200),
            "(".repeat(20) + "1" + &("+1".repeat(10) + ")").repeat(20),
            "(1+".repeat(33) + "1" + &")".repeat(33),
            "- ".repeat(200) + "1",
            "true ? 1 : ".repeat(100) + "1",
        ] {
            assert!(check(&source).is_err_and(|(_, message)| message == deep()), "{source}");
        }
    }

    #[test]
    fn a_literal_ends_where_the_language_says() {
        for (source, offset) in
            [("1 + 'a", 4), ("'a\nb'", 0), ("'a' + \"b'", 6), ("'\\'", 0), ("'''a''", 0), ("'a\\", 0)]
        {
            assert_eq!(check(source), Err((offset, open())), "{source}");
        }
        for source in
            ["r'\\' + 'a'", "bR\"\\\"", "'\\'' + '\\\\'", "\"\"\"a\"b\"\"\"", "''", "'''a\nb'''", "r'''\\'''"]
        {
            assert_eq!(check(source), Ok(()), "{source}");
        }
    }
}
