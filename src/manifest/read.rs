//! From a text to documents whose every value has a place, within the limits.
//!
//! The events of the parser are put together here, because nothing between it and a tree keeps all of: places of keys, both
//! lines of a key that occurs twice, and a bound on what aliases unfold to.

use std::{
    collections::{HashMap, hash_map},
    ops::Range,
};

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{
    Fault, Source,
    limits::{MAX_ALIASES, MAX_DEPTH, MAX_DOCUMENTS, MAX_FAULTS, MAX_NODES},
    node::{Entry, Node, Value},
    scalar::plain,
};

mod merge;
mod mistake;

use merge::{MERGE, merge};

/// The documents of a text, without the empty ones, and what could not be read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The documents.
    pub(super) roots: Vec<Root>,
    /// What could not be read. A document with a mistake in it is left out, those after it are read.
    pub(super) faults: Vec<Fault>,
}

/// A document.
#[derive(Debug)]
pub(super) struct Root {
    /// Its value.
    pub(super) node: Node,
    /// From the end of the document before it to its own beginning, where comments about it stand.
    pub(super) before: Range<usize>,
}

/// Reads a text.
pub(super) fn read(source: &Source) -> Read {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(source.text(), options);
    let mut reader = Reader::new(source);
    loop {
        match reader.document(&mut parser) {
            Ok(true) => {}
            Ok(false) => break,
            Err(Stop::Document(fault)) => {
                reader.read.faults.push(fault);
                reader.forget();
                // What remains of a file that has been given up is not worth the time.
                if reader.is_hopeless() || !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
            Err(Stop::File(fault)) => {
                reader.read.faults.push(fault);
                break;
            }
        }
    }
    reader.read.faults.truncate(MAX_FAULTS);
    reader.read
}

/// What ends the reading.
enum Stop {
    /// Of this document.
    Document(Fault),
    /// Of the whole file.
    File(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Document(fault)
    }
}

/// A collection whose end has not been seen.
struct Open {
    start: usize,
    anchor: usize,
    /// Number of values before it.
    before: usize,
    /// Depth of the deepest value within, as aliases have it.
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<Entry>, Keys),
}

/// The keys of a mapping.
#[derive(Default)]
struct Keys {
    /// The index of each.
    seen: HashMap<String, usize>,
    /// The one whose value comes next, and whether it occurred before.
    next: Option<(String, Range<usize>, bool)>,
    /// What is merged.
    merged: Vec<Node>,
}

/// A value that aliases repeat.
struct Anchor {
    node: Node,
    size: usize,
    depth: usize,
}

struct Reader<'a> {
    source: &'a Source,
    read: Read,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    aliases: usize,
    documents: usize,
    /// Where the document before ended.
    end: usize,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source) -> Self {
        Self {
            source,
            read: Read::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            aliases: 0,
            documents: 0,
            end: 0,
        }
    }

    /// Reads up to the end of a document; false at the end of the text.
    fn document<'i>(&mut self, parser: &mut Parser<'i, StrInput<'i>>) -> Result<bool, Stop> {
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.unreadable(&error))?;
            let span = self.range(span);
            let finished = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let node = self.scalar(&text, style, tag.as_deref(), span)?;
                    self.count(1, &node.span)?;
                    self.value(node, anchor, 1, 0)?
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.begin(Content::List(Vec::new()), anchor, span)?;
                    None
                }
                Event::MappingStart(_, anchor, _) => {
                    self.begin(Content::Map(Vec::new(), Keys::default()), anchor, span)?;
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => self.finish(span.end)?,
                Event::Alias(id) => self.alias(id, span)?,
                Event::DocumentStart(..) => {
                    self.documents += 1;
                    if self.documents > MAX_DOCUMENTS {
                        let message = format!("the file has more than {MAX_DOCUMENTS} documents");
                        return Err(Stop::File(self.fault(span, message, "Split it into several files")));
                    }
                    None
                }
                Event::DocumentEnd => {
                    self.end = span.end;
                    self.forget();
                    return Ok(true);
                }
                _ => None,
            };
            // A document that holds nothing is none.
            if let Some(node) = finished.filter(|node| node.value != Value::Null) {
                let before = self.end..node.span.start.max(self.end);
                self.read.roots.push(Root { node, before });
            }
        }
        Ok(false)
    }

    fn forget(&mut self) {
        self.open.clear();
        self.anchors.clear();
    }

    fn is_hopeless(&self) -> bool {
        self.read.faults.len() >= MAX_FAULTS
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.source.within(&span.byte_range().unwrap_or_default())
    }

    /// Counts values against the limit.
    fn count(&mut self, more: usize, place: &Range<usize>) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message =
            format!("the file has more than {MAX_NODES} values, counting those that aliases repeat");
        Err(Stop::File(self.fault(
            place.clone(),
            message,
            "Split it into several files, or use fewer aliases",
        )))
    }

    fn deep(&self, depth: usize, place: &Range<usize>) -> Result<(), Stop> {
        if self.open.len() + depth <= MAX_DEPTH { Ok(()) } else { Err(self.too_deep(place).into()) }
    }

    fn begin(&mut self, content: Content, anchor: usize, span: Range<usize>) -> Result<(), Stop> {
        self.deep(1, &span)?;
        if self.awaits_key() {
            return Err(self.fault(span, "a list or a mapping is used as a key", "Keys are texts").into());
        }
        self.count(1, &span)?;
        self.open.push(Open { start: span.start, anchor, before: self.nodes - 1, depth: 0, content });
        Ok(())
    }

    /// Whether the next value is a key.
    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map(_, Keys { next: None, .. }), .. }))
    }

    fn finish(&mut self, end: usize) -> Result<Option<Node>, Stop> {
        let Some(open) = self.open.pop() else { return Ok(None) };
        let (value, last) = match open.content {
            Content::List(items) => {
                let last = items.last().map(|item| item.span.end);
                (Value::List(items), last)
            }
            Content::Map(mut entries, keys) => {
                let last = entries.last().map(|entry| entry.value.span.end);
                merge(&mut entries, keys.merged);
                (Value::Map(entries), last)
            }
        };
        // The end of a block is only seen at what follows it.
        let closed = self.source.text().get(..end).is_some_and(|text| text.ends_with([']', '}']));
        let end = if closed { end } else { last.unwrap_or(end) };
        let node = Node { span: self.source.within(&(open.start..end)), value };
        let size = self.nodes - open.before;
        self.value(node, open.anchor, size, open.depth + 1)
    }

    fn alias(&mut self, id: usize, span: Range<usize>) -> Result<Option<Node>, Stop> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            let message = format!("the file has more than {MAX_ALIASES} aliases");
            return Err(Stop::File(self.fault(span, message, "Write the values out")));
        }
        let Some(Anchor { size, depth, .. }) = self.anchors.get(&id) else {
            return Err(self
                .fault(span, "the alias repeats a value that it is part of", "Write it out")
                .into());
        };
        let (size, depth) = (*size, *depth);
        self.deep(depth, &span)?;
        self.count(size, &span)?;
        let Some(anchor) = self.anchors.get(&id) else { return Ok(None) };
        let node = Node { span, ..anchor.node.clone() };
        self.value(node, 0, size, depth)
    }

    /// Puts a finished value where it belongs; gives it back where it is the whole document.
    fn value(&mut self, node: Node, anchor: usize, size: usize, depth: usize) -> Result<Option<Node>, Stop> {
        if anchor != 0 {
            // What is kept for aliases costs as much as what they repeat.
            self.count(size, &node.span)?;
            self.anchors.insert(anchor, Anchor { node: node.clone(), size, depth });
        }
        let awaits_key = self.awaits_key();
        let Some(open) = self.open.last_mut() else { return Ok(Some(node)) };
        open.depth = open.depth.max(depth);
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map(..) if awaits_key => return self.key(node).map(|()| None),
            Content::Map(entries, keys) => {
                let Some((key, key_span, again)) = keys.next.take() else { return Ok(None) };
                // Nothing at all stands nowhere.
                let nothing = node.value == Value::Null && node.span.is_empty();
                let value = if nothing { Node { span: key_span.clone(), ..node } } else { node };
                if key == MERGE {
                    keys.merged.push(value);
                } else if !again {
                    entries.push(Entry { key, key_span, value });
                }
            }
        }
        Ok(None)
    }

    fn key(&mut self, node: Node) -> Result<(), Stop> {
        let place = node.span.clone();
        let key = match node.value {
            Value::Text(text) => text,
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::List(_) | Value::Map(_) => {
                return Err(self.fault(place, "this key is no text", "Keys are texts; quote it").into());
            }
        };
        let Some(Open { content: Content::Map(entries, keys), .. }) = self.open.last_mut() else {
            return Ok(());
        };
        let first = match keys.seen.entry(key.clone()) {
            hash_map::Entry::Occupied(seen) => entries.get(*seen.get()).map(|entry| entry.key_span.start),
            hash_map::Entry::Vacant(new) => {
                new.insert(entries.len());
                None
            }
        };
        keys.next = Some((key.clone(), place.clone(), first.is_some()));
        if let (Some(first), false) = (first, key == MERGE || self.is_hopeless()) {
            let line = self.source.position(first).line;
            let message = format!("the key {key} occurs twice; it stands in line {line} already");
            let fault = self.fault(place, message, "Remove one of the two: of both, only one would count");
            self.read.faults.push(fault);
        }
        Ok(())
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) -> Result<Node, Stop> {
        let written = self.source.text().get(span.clone()).unwrap_or_default();
        let span = span.start..span.start + written.trim_end().len();
        let word = match tag.map(Tag::core_suffix) {
            Some(Some("int" | "float" | "bool" | "null")) => true,
            Some(_) => false,
            None => style == ScalarStyle::Plain,
        };
        let value = if word { plain(text) } else { Some(Value::Text(text.to_owned())) };
        let value = value.ok_or_else(|| {
            self.fault(
                span.clone(),
                format!("{text} is a number that JSON cannot have"),
                "Quote it to have a text",
            )
        })?;
        Ok(Node { span, value })
    }
}

#[cfg(test)]
mod tests;
