//! Keywords: texts sought anywhere in an event.
//!
//! What is searched: the value of every field, and, where the record is plain text, the text of
//! the record as well. The text of a structured record (JSON, XML) is not searched, because its
//! field names and escapes are no content. All of that is made lower case once an event.

use std::ops::Range;

use bigsec_event::FieldSource;

use super::names::{Keyword, KeywordId};
use crate::fold::{fold, fold_into};

/// The keywords of a rule set, ready to be sought.
#[derive(Debug)]
pub(super) struct KeywordIndex {
    keywords: Vec<Keyword>,
}

/// The texts of the event at hand in lower case.
#[derive(Debug, Default)]
pub(super) struct KeywordState {
    /// The event that was read.
    generation: u64,
    folded: String,
    texts: Vec<Range<usize>>,
}

impl KeywordIndex {
    /// Makes keywords ready.
    pub fn new(keywords: Vec<Keyword>) -> Self {
        Self { keywords }
    }

    /// A part, in lower case, that some text of an event with this keyword has; nothing where the
    /// keyword has none that is known.
    pub fn required(&self, id: KeywordId) -> Option<String> {
        match &self.keywords[id as usize] {
            Keyword::Text(glob) => Some(fold(glob.required().0)).filter(|text| !text.is_empty()),
            Keyword::Regex(_) => None,
        }
    }

    /// True where the event has the keyword.
    pub fn holds(
        &self,
        id: KeywordId,
        source: &dyn FieldSource,
        state: &mut KeywordState,
        generation: u64,
    ) -> bool {
        match &self.keywords[id as usize] {
            Keyword::Regex(regex) => any_text(source, &mut |text| regex.is_match(text)),
            Keyword::Text(glob) if glob.cased => any_text(source, &mut |text| glob.matches(text)),
            Keyword::Text(glob) => {
                state.read(source, generation);
                state.each().any(|text| glob.matches(text))
            }
        }
    }
}

impl KeywordState {
    /// All texts, one behind the other.
    pub fn all(&self) -> &str {
        &self.folded
    }

    /// Each text.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &self.folded[text.clone()])
    }

    /// Makes all texts lower case, unless that is done for this event.
    pub fn read(&mut self, source: &dyn FieldSource, generation: u64) {
        if self.generation == generation {
            return;
        }
        self.generation = generation;
        self.folded.clear();
        self.texts.clear();
        any_text(source, &mut |text| {
            let start = self.folded.len();
            fold_into(text, &mut self.folded);
            self.texts.push(start..self.folded.len());
            false
        });
    }
}

/// Visits the texts in which keywords are sought until `visit` answers `true`.
fn any_text(source: &dyn FieldSource, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    if let Some(raw) = source.raw()
        && !is_structured(raw)
        && visit(raw)
    {
        return true;
    }
    source.visit_all(&mut |_, value| value.kind.has_text() && visit(value.text))
}

/// True for the text of JSON and XML records.
fn is_structured(raw: &str) -> bool {
    let mut bytes = raw.trim_start().bytes();
    match bytes.next() {
        Some(b'{') => true,
        // A priority of syslog begins with `<`, too, and goes on with a digit.
        Some(b'<') => {
            bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'?' || b == b'!')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::glob::Glob;
    use super::super::pieces::read;
    use super::*;
    use bigsec_event::{Kind, Record};
    use regex::Regex;

    fn found(keywords: &[&str], raw: &str, value: &str) -> Vec<bool> {
        let globs = keywords.iter().map(|text| Keyword::Text(Glob::new(&read(text), false)));
        let index =
            KeywordIndex::new(globs.chain([Keyword::Regex(Regex::new("R.d").unwrap())]).collect());
        let mut record = Record::new();
        record.reset(raw);
        record.push("field", value, Kind::String);
        let mut state = KeywordState::default();
        (0..=keywords.len() as u32).map(|id| index.holds(id, &record, &mut state, 1)).collect()
    }

    #[test]
    fn values_and_plain_text_are_searched() {
        let keywords = ["*Evil*", "*a*b*", "*", "start*"];
        assert_eq!(found(&keywords, "an evil b", ""), [true, true, true, false, false]);
        assert_eq!(
            found(&keywords, "{\"evil\":\"\"}", "start Red"),
            [false, false, true, true, true]
        );
        assert_eq!(found(&keywords, "<Event>evil", "x"), [false, false, true, false, false]);
        assert_eq!(found(&keywords, "<13>EVIL", "x"), [true, false, true, false, false]);
    }
}
