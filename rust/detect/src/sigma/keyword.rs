//! Keywords: texts sought anywhere in an event, all of them in one pass.
//!
//! What is searched: the value of every field, and, where the record is plain text, the text of
//! the record as well. The text of a structured record (JSON, XML) is not searched, because its
//! field names and escapes are no content. One automaton over a necessary part of each keyword
//! reads all of that once an event, and only what it finds is looked at closer.

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use bigsec_event::FieldSource;

use super::names::{Keyword, KeywordId};
use crate::fold::{fold, fold_into};

/// The keywords of a rule set, ready to be sought.
#[derive(Debug)]
pub(super) struct KeywordIndex {
    keywords: Vec<Keyword>,
    automaton: Option<AhoCorasick>,
    /// For each pattern of the automaton: the keywords that need it.
    needing: Vec<Vec<KeywordId>>,
    /// Keywords without a literal part: the automaton says nothing of them.
    unaided: Vec<bool>,
}

/// What is known of the event at hand.
#[derive(Debug, Default)]
pub(super) struct KeywordState {
    /// The event that was read.
    generation: u64,
    /// For each keyword, the last event that has its necessary part.
    candidate: Vec<u64>,
    folded: String,
}

impl KeywordIndex {
    /// Makes keywords ready. An automaton that would be too large is done without.
    pub fn new(keywords: Vec<Keyword>) -> Self {
        let mut patterns: Vec<String> = Vec::new();
        let mut needing: Vec<Vec<KeywordId>> = Vec::new();
        let mut unaided = vec![false; keywords.len()];
        let mut places = std::collections::HashMap::new();
        for (id, keyword) in keywords.iter().enumerate() {
            let required = match keyword {
                Keyword::Text(glob) => fold(glob.required().0),
                Keyword::Regex(_) => String::new(),
            };
            if required.is_empty() {
                unaided[id] = true;
                continue;
            }
            let place = *places.entry(required.clone()).or_insert_with(|| {
                patterns.push(required);
                needing.push(Vec::new());
                patterns.len() - 1
            });
            needing[place].push(id as KeywordId);
        }
        let automaton = build(&patterns).ok();
        if automaton.is_none() {
            unaided.fill(true);
        }
        Self { keywords, automaton, needing, unaided }
    }

    /// True where the event has the keyword.
    pub fn holds(
        &self,
        id: KeywordId,
        source: &dyn FieldSource,
        state: &mut KeywordState,
        generation: u64,
    ) -> bool {
        self.read(source, state, generation);
        let keyword = &self.keywords[id as usize];
        if !self.unaided[id as usize] {
            if state.candidate[id as usize] != generation {
                return false;
            }
            if let Keyword::Text(glob) = keyword
                && !glob.cased
                && glob.required().1
            {
                return true;
            }
        }
        let folded = &mut state.folded;
        any_text(source, &mut |text| match keyword {
            Keyword::Regex(regex) => regex.is_match(text),
            Keyword::Text(glob) if glob.cased => glob.matches(text),
            Keyword::Text(glob) => {
                folded.clear();
                fold_into(text, folded);
                glob.matches(folded)
            }
        })
    }

    /// Finds the necessary parts of all keywords, unless that is done for this event.
    fn read(&self, source: &dyn FieldSource, state: &mut KeywordState, generation: u64) {
        if state.generation == generation {
            return;
        }
        state.generation = generation;
        state.candidate.resize(self.keywords.len(), 0);
        let Some(automaton) = &self.automaton else { return };
        let KeywordState { candidate, folded, .. } = state;
        any_text(source, &mut |text| {
            folded.clear();
            fold_into(text, folded);
            for found in automaton.find_overlapping_iter(folded.as_str()) {
                for id in &self.needing[found.pattern().as_usize()] {
                    candidate[*id as usize] = generation;
                }
            }
            false
        });
    }
}

fn build(patterns: &[String]) -> Result<AhoCorasick, BuildError> {
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(patterns)
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
