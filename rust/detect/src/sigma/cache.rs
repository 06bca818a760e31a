//! The values of one event, each looked up and lower-cased once, in buffers that are reused.

use std::ops::Range;

use bigsec_event::{FieldName, FieldSource, Kind, Record};

use super::engine::Gathered;
use super::keyword::KeywordState;
use super::slot::{Slot, SlotId, Slots};
use crate::fold::fold_into;
use crate::log_source::Derivation;

/// Buffers that one huge event has grown beyond this are given back.
const KEPT_BYTES: usize = 4 << 20;

/// One value of a slot.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    text: Range<usize>,
    folded: Range<usize>,
    pub kind: Kind,
}

/// What is known of the event at hand.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// Counts events, so that nothing has to be cleared between them.
    generation: u64,
    slots: Vec<(u64, Range<usize>)>,
    values: Vec<Cached>,
    text: String,
    folded: String,
    /// A derived value while it is put together, and as it is made.
    joined: String,
    made: String,
    pub keywords: KeywordState,
}

impl Cache {
    /// Forgets the event before.
    pub fn begin(&mut self, slots: &Slots) {
        self.generation += 1;
        self.slots.resize(slots.list.len(), (0, 0..0));
        self.values.clear();
        for buffer in [&mut self.text, &mut self.folded, &mut self.joined, &mut self.made] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES);
        }
    }

    /// The number of the event at hand, never 0.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All texts of the event in lower case.
    pub fn folded_texts(&mut self, source: &dyn FieldSource) -> &KeywordState {
        self.keywords.read(source, self.generation);
        &self.keywords
    }

    /// The values of a slot.
    pub fn load(
        &mut self,
        slot: SlotId,
        slots: &Slots,
        source: &dyn FieldSource,
        gathered: Option<&Gathered>,
    ) -> Range<usize> {
        let (generation, known) = &self.slots[slot as usize];
        if *generation == self.generation {
            return known.clone();
        }
        let values = match &slots.list[slot as usize] {
            Slot::Field(name) => match source.as_record().zip(gathered) {
                Some((record, gathered)) => self.pick(gathered.fields(slot), record),
                None => self.read(name, source),
            },
            Slot::Derived { from, derivation } => {
                self.derive(from, derivation, slots, source, gathered)
            }
        };
        self.slots[slot as usize] = (self.generation, values.clone());
        values
    }

    fn pick(&mut self, places: impl Iterator<Item = usize>, record: &Record) -> Range<usize> {
        let start = self.values.len();
        for place in places {
            let value = record.field(place).1;
            self.push(value.text, value.kind);
        }
        start..self.values.len()
    }

    fn read(&mut self, name: &FieldName, source: &dyn FieldSource) -> Range<usize> {
        let start = self.values.len();
        source.visit(name, &mut |value| {
            self.push(value.text, value.kind);
            false
        });
        start..self.values.len()
    }

    fn derive(
        &mut self,
        from: &[SlotId],
        derivation: &Derivation,
        slots: &Slots,
        source: &dyn FieldSource,
        gathered: Option<&Gathered>,
    ) -> Range<usize> {
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        let complete = from.iter().enumerate().all(|(index, part)| {
            let values = self.load(*part, slots, source, gathered);
            let first = self.values[values].iter().find(|value| value.kind.has_text());
            let Some(first) = first else { return false };
            if index > 0 {
                joined.push_str(&derivation.with);
            }
            joined.push_str(&self.text[first.text.clone()]);
            true
        });
        let start = self.values.len();
        if complete {
            let mut made = std::mem::take(&mut self.made);
            made.clear();
            derivation.make(&joined, &mut made);
            self.push(&made, Kind::String);
            self.made = made;
        }
        self.joined = joined;
        start..self.values.len()
    }

    fn push(&mut self, text: &str, kind: Kind) {
        let (start, folded) = (self.text.len(), self.folded.len());
        if kind.has_text() {
            self.text.push_str(text);
            fold_into(text, &mut self.folded);
        }
        self.values.push(Cached {
            text: start..self.text.len(),
            folded: folded..self.folded.len(),
            kind,
        });
    }

    /// Values by their places.
    pub fn values(&self, range: Range<usize>) -> &[Cached] {
        &self.values[range]
    }

    /// A value as the event has it.
    pub fn text(&self, value: &Cached) -> &str {
        &self.text[value.text.clone()]
    }

    /// A value in lower case.
    pub fn folded(&self, value: &Cached) -> &str {
        &self.folded[value.folded.clone()]
    }
}
