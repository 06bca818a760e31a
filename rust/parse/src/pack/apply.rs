//! Running a pack over a decoded record.

use std::ops::Range;

use bigsec_event::schema::LEAVES;
use bigsec_event::{FieldName, Kind, Record};

use super::{Derive, Pack, PatternGroup, TimeOf};
use crate::parsed::{DerivedText, Parsed};
use crate::pattern::Capture;
use crate::time::{Moment, Receipt};

/// Buffers that outlive a record.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    text: String,
    captures: Vec<Capture>,
    /// Parts of a value that is split: which, and where.
    parts: Vec<(usize, Range<usize>)>,
}

impl Scratch {
    /// A buffer for a text of the record.
    pub(super) fn buffer(&mut self) -> &mut String {
        &mut self.text
    }
}

/// Which leaves have been derived already.
#[derive(Default)]
struct Leaves([u64; 4]);

const _: () = assert!(LEAVES.len() <= 256, "`Leaves` has a bit for each leaf");

impl Leaves {
    /// Marks a leaf; true where it was not marked before.
    fn insert(&mut self, leaf: u16) -> bool {
        let (word, bit) = (usize::from(leaf) / 64, 1_u64 << (leaf % 64));
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }
}

impl Pack {
    /// True where it asks for something: a pack without conditions takes whatever is left.
    pub(crate) fn is_particular(&self) -> bool {
        !self.recognise.is_empty()
    }

    /// Normalises a record that the pack's decoder has read.
    pub(crate) fn apply(&self, receipt: &Receipt<'_>, scratch: &mut Scratch, out: &mut Parsed) {
        out.record.set_parser(&self.id);
        self.renames.apply(&mut out.record, &mut scratch.text);
        let mut filled = Leaves::default();
        // What is more particular comes first, and a column is filled once.
        for group in &self.patterns {
            if let Some(set) = group.apply(&mut out.record, scratch) {
                assign(set, &mut filled, &mut out.derived);
            }
        }
        for pairs in &self.pairs {
            pairs.apply(&mut out.record, scratch);
        }
        for derive in &self.derive {
            derive.apply(&mut out.record, scratch);
        }
        match self.variants.find(&out.record) {
            Some(variant) => {
                assign(&variant.set, &mut filled, &mut out.derived);
                out.set_map(&variant.map);
            }
            None => out.set_map(&self.map),
        }
        for map in &self.values {
            if let Some(value) = out.record.get(&map.field)
                && let Some(text) = map.get(value.text)
                && filled.insert(map.leaf)
            {
                out.derived.push((map.leaf, DerivedText::clone(text)));
            }
        }
        assign(&self.constants, &mut filled, &mut out.derived);
        self.read_time(receipt, scratch, out);
    }

    fn read_time(&self, receipt: &Receipt<'_>, scratch: &mut Scratch, out: &mut Parsed) {
        let record = &out.record;
        let moment =
            self.time.iter().find_map(|time| time.read(record, receipt, &mut scratch.text));
        out.time_us = moment.map(|moment| moment.us);
        out.tz_offset_min = moment.and_then(|moment| moment.offset_min);
    }
}

impl TimeOf {
    fn read(&self, record: &Record, receipt: &Receipt<'_>, buffer: &mut String) -> Option<Moment> {
        if let [field] = self.fields.as_slice() {
            return receipt.read(record.get(field)?.text, &self.format);
        }
        buffer.clear();
        for field in &self.fields {
            buffer.extend([record.get(field)?.text, " "]);
        }
        receipt.read(buffer, &self.format)
    }
}

fn assign(set: &[(u16, DerivedText)], filled: &mut Leaves, derived: &mut Vec<(u16, DerivedText)>) {
    for (leaf, text) in set {
        if filled.insert(*leaf) {
            derived.push((*leaf, DerivedText::clone(text)));
        }
    }
}

impl PatternGroup {
    /// Adds the values of the first pattern that fits, and says which columns it sets.
    fn apply(&self, record: &mut Record, scratch: &mut Scratch) -> Option<&[(u16, DerivedText)]> {
        if !self.when.holds(record) {
            return None;
        }
        let value = record.get(&self.field)?;
        let found = self.patterns.find(value.text, &mut scratch.captures)?;
        let source = Source::of(record, &self.field, &mut scratch.text)?;
        let pattern = self.patterns.get(found);
        for capture in &scratch.captures {
            let name = &pattern.names()[capture.name];
            source.push(record, name, capture.range.clone(), capture.kind, &scratch.text);
        }
        Some(&self.sets[found])
    }
}

impl Derive {
    fn apply(&self, record: &mut Record, scratch: &mut Scratch) {
        let Some(value) = record.get(&self.field).filter(|value| value.kind.has_text()) else {
            return;
        };
        let Scratch { text, parts, .. } = scratch;
        parts.clear();
        self.split.run(value.text, &mut |part, range| parts.push((part, range)));
        let Some(source) = Source::of(record, &self.field, text) else { return };
        for (part, name) in &self.into {
            for (_, range) in parts.iter().filter(|(found, _)| found == part) {
                source.push(record, name, range.clone(), Kind::String, text);
            }
        }
    }
}

/// Where a value lies, so that parts of it can be added without copying where it stands literally
/// in the record's text.
pub(super) enum Source {
    /// It begins at this byte of the record's text.
    InText(usize),
    /// It was copied into the scratch buffer.
    Copied,
}

impl Source {
    pub(super) fn of(record: &Record, field: &FieldName, buffer: &mut String) -> Option<Self> {
        let value = record.get(field)?.text;
        let (start, text) = (value.as_ptr() as usize, record.text());
        let begin = text.as_ptr() as usize;
        if start >= begin && start + value.len() <= begin + text.len() {
            return Some(Self::InText(start - begin));
        }
        buffer.clear();
        buffer.push_str(value);
        Some(Self::Copied)
    }

    pub(super) fn push(
        &self,
        record: &mut Record,
        name: &str,
        range: Range<usize>,
        kind: Kind,
        buffer: &str,
    ) {
        let (text, fields) = record.split();
        let part = match self {
            Self::InText(start) => text.get(start + range.start..start + range.end),
            Self::Copied => buffer.get(range),
        };
        if let Some(part) = part {
            fields.push(name, part, kind);
        }
    }
}
