//! How mistakes are told: at a place that helps, and with what to do about them.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use super::{Fault, MAX_DEPTH, Reader};
use crate::manifest::YAML;

impl Reader<'_> {
    pub(super) fn fault(&self, place: Range<usize>, message: impl Into<String>, remediation: &str) -> Fault {
        let place = if place.is_empty() { self.source.character(place.start) } else { place };
        let line = self.source.line(self.source.position(place.start).line);
        let remediation = if line.contains("{{") {
            "This is a template: render it first, for example with `helm template . | dataproduct check -`"
        } else {
            remediation
        };
        Fault::new(YAML, place, message, remediation)
    }

    pub(super) fn unreadable(&self, error: &ScanError) -> Fault {
        let at = self.source.character(error.marker().byte_offset().unwrap_or(self.end));
        // The parser looks ahead and meets its own limit before a value arrives here.
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            return self.too_deep(&at);
        }
        if let Some(tab) = self.tab_after(at.start) {
            return self.fault(tab, "a tab stands where YAML allows only spaces", "Indent with spaces");
        }
        let message = format!("this is no YAML: {}", error.info());
        let remediation =
            "Correct the YAML; often it is the indentation, a missing colon or a quote that is not closed";
        self.fault(at, message, remediation)
    }

    /// A tab in the indentation of a line with an error or of the next one: the parser says where the value began that the tab
    /// makes no sense in.
    fn tab_after(&self, error: usize) -> Option<Range<usize>> {
        let first = self.source.position(error).line;
        (first..=first + 1).find_map(|number| {
            let indentation = self.source.line(number).split(|it: char| !it.is_whitespace()).next()?;
            let tab = indentation.find('\t')?;
            Some(self.source.character(self.source.line_range(number).start + tab))
        })
    }

    pub(super) fn too_deep(&self, place: &Range<usize>) -> Fault {
        let message = format!("the nesting is deeper than {MAX_DEPTH} levels");
        self.fault(place.clone(), message, "No manifest goes as deep; look for a bracket too many")
    }
}
