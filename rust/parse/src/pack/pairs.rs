//! Fields that the record itself names: pairs in a text, and lists of names and values.

use std::ops::Range;

use bigsec_event::{FieldName, Kind, Record};

use super::apply::{Scratch, Source};
use super::condition::Condition;

/// Pairs of one value, or of one pair of lists; further ones are left in it.
const MAX_PAIRS: usize = 256;
/// Bytes that a name may have.
const MAX_NAME: usize = 64;

/// Where a record names its own fields.
#[derive(Debug)]
pub(super) enum Pairs {
    /// `Name: value, Other name: value` in a field.
    Text(TextPairs),
    /// `[{Name: a, Value: x}, {Name: b, Value: y}]`, which are two fields that repeat.
    Lists { names: FieldName, values: FieldName, below: Box<str> },
}

/// Pairs in a text.
#[derive(Debug)]
pub(super) struct TextPairs {
    pub field: FieldName,
    pub when: Condition,
    /// What stands between two pairs.
    pub between: Box<str>,
    /// What stands between a name and its value.
    pub is: Box<str>,
}

impl Pairs {
    /// Lists whose elements are the fields `names` and `values`; what they name stands below what
    /// the two have in common.
    pub fn lists(names: &str, values: &str) -> Self {
        let below = names.rfind('.').map_or("", |dot| &names[..=dot]);
        Self::Lists {
            names: FieldName::new(names),
            values: FieldName::new(values),
            below: below.into(),
        }
    }

    /// Adds the fields to the record.
    pub fn apply(&self, record: &mut Record, scratch: &mut Scratch) {
        match self {
            Self::Text(pairs) => pairs.apply(record, scratch),
            Self::Lists { names, values, below } => {
                for (name, value) in joined(record, names, values) {
                    let name = format!("{below}{}", record.field(name).1.text);
                    let value = record.field(value).1;
                    let (text, kind) = (value.text.to_owned(), value.kind);
                    record.push(&name, &text, kind);
                }
            }
        }
    }
}

/// The places of names and their values. Which of the two comes first, does so in every element.
fn joined(record: &Record, names: &FieldName, values: &FieldName) -> Vec<(usize, usize)> {
    let (mut pairs, mut open) = (Vec::new(), None);
    let mut names_first = None;
    for at in 0..record.len() {
        // Most fields are neither, which their hashes tell.
        let hash = record.name_hash(at);
        if hash != names.hash() && hash != values.hash() {
            continue;
        }
        let (field, value) = record.field(at);
        let is_name = names.is(field);
        if !is_name && !values.is(field) {
            continue;
        }
        let opens = *names_first.get_or_insert(is_name) == is_name;
        if opens {
            open = Some(at);
            continue;
        }
        let Some(first) = open.take() else { continue };
        let (name, value_at) = if is_name { (at, first) } else { (first, at) };
        let called = record.field(name).1.text;
        let is_sound = !called.is_empty() && called.len() <= MAX_NAME;
        if is_sound && value.kind.has_text() && pairs.len() < MAX_PAIRS {
            pairs.push((name, value_at));
        }
    }
    pairs
}

impl TextPairs {
    fn apply(&self, record: &mut Record, scratch: &mut Scratch) {
        if !self.when.holds(record) {
            return;
        }
        let Some(value) = record.get(&self.field) else { return };
        let found = self.find(value.text);
        if found.is_empty() {
            return;
        }
        let text = value.text.to_owned();
        let Some(source) = Source::of(record, &self.field, scratch.buffer()) else { return };
        for (name, value) in found {
            source.push(record, &text[name], value, Kind::String, scratch.buffer());
        }
    }

    /// Where the names and values stand. A value ends where the next pair begins: what looks like
    /// an end and has no name behind it belongs to the value.
    fn find(&self, text: &str) -> Vec<(Range<usize>, Range<usize>)> {
        let mut pairs: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let mut at = 0;
        while pairs.len() < MAX_PAIRS {
            if let Some((name, value)) = self.name_at(text, at) {
                pairs.push((name, value..text.len()));
                at = value;
            } else if pairs.is_empty() {
                return pairs;
            }
            let Some(end) = text[at..].find(&*self.between).map(|end| at + end) else { break };
            at = end + self.between.len();
            if self.name_at(text, at).is_some()
                && let Some(last) = pairs.last_mut()
            {
                last.1.end = end;
            }
        }
        pairs.retain(|(_, value)| !value.is_empty());
        pairs
    }

    /// A name that begins there, and where its value does.
    fn name_at(&self, text: &str, at: usize) -> Option<(Range<usize>, usize)> {
        let rest = &text[at..];
        let length = rest
            .bytes()
            .take(MAX_NAME + 1)
            .position(|byte| !(byte.is_ascii_alphanumeric() || b" _-.".contains(&byte)))?;
        let name = &rest[..length];
        let sound = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.ends_with(' ');
        let value = at + length + self.is.len();
        (sound && rest[length..].starts_with(&*self.is)).then_some((at..at + length, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs() -> TextPairs {
        TextPairs {
            field: FieldName::new("text"),
            when: Condition::default(),
            between: ", ".into(),
            is: ": ".into(),
        }
    }

    fn told(text: &str) -> Vec<(&str, &str)> {
        let found = pairs().find(text);
        found.into_iter().map(|(name, value)| (&text[name], &text[value])).collect()
    }

    #[test]
    fn a_value_ends_where_the_next_pair_begins() {
        let text = "SrcIP: 192.0.2.7, User Agent: Mozilla/5.0 (KHTML, like Gecko) X, Client: , \
                    URL: https://a.example/?x: y, z";
        let expected = [
            ("SrcIP", "192.0.2.7"),
            ("User Agent", "Mozilla/5.0 (KHTML, like Gecko) X"),
            ("URL", "https://a.example/?x: y, z"),
        ];
        assert_eq!(told(text), expected);
        assert!(told("no pairs, here").is_empty());
    }

    #[test]
    fn lists_of_names_and_values_are_joined() {
        let mut record = Record::new();
        let fields = [("p.Name", "a"), ("p.Value", "x"), ("p.Name", "lost"), ("p.Name", "b")];
        for (name, value) in fields.into_iter().chain([("p.Value", "y"), ("p.Value", "z")]) {
            record.push(name, value, Kind::String);
        }
        Pairs::lists("p.Name", "p.Value").apply(&mut record, &mut Scratch::default());
        let found: Vec<_> = record.iter().skip(6).map(|(name, value)| (name, value.text)).collect();
        assert_eq!(found, [("p.a", "x"), ("p.b", "y")]);
    }

    proptest! {
        #[test]
        fn any_text_has_pairs_that_stand_in_it(text in "[a-c:, é]{0,40}") {
            for (name, value) in pairs().find(&text) {
                prop_assert!(text.get(name.clone()).is_some() && text.get(value.clone()).is_some());
                prop_assert!(name.end < value.start);
            }
        }
    }
}
