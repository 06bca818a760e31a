//! Where the values of fields come from: a slot is looked up at most once an event.

use bigsec_event::FieldName;

use super::names::{FieldId, FieldTable};
use crate::log_source::{Alternative, Derivation};

/// A slot, by its place in the table. The first ones are the fields in order of their ids.
pub(super) type SlotId = u32;

/// What fills a slot.
#[derive(Debug)]
pub(super) enum Slot {
    Field(FieldName),
    Derived { from: Vec<SlotId>, derivation: Derivation },
}

/// The slots of a rule set.
#[derive(Debug)]
pub(super) struct Slots {
    pub list: Vec<Slot>,
}

/// Which slot answers for a field in the events of one alternative of a log source; without a
/// view every field answers for itself.
pub(super) type View = Option<Box<[SlotId]>>;

impl Slots {
    /// Slots for all fields, and a view for each alternative.
    pub fn new<'a>(
        fields: &mut FieldTable,
        alternatives: impl Iterator<Item = &'a Alternative> + Clone,
    ) -> (Self, Vec<View>) {
        // All names must have their ids before the first derived slot is numbered.
        for (name, derivation) in alternatives.clone().flat_map(|one| &one.fields) {
            fields.id(name);
            derivation.from.iter().for_each(|name| {
                fields.id(name);
            });
        }
        let names = fields.names().to_vec();
        let mut slots = Self { list: names.into_iter().map(Slot::Field).collect() };
        let plain = slots.list.len() as SlotId;
        let views = alternatives
            .map(|alternative| slots.view(plain, &alternative.fields, fields))
            .collect();
        (slots, views)
    }

    fn view(
        &mut self,
        plain: SlotId,
        derived: &[(String, Derivation)],
        fields: &mut FieldTable,
    ) -> View {
        if derived.is_empty() {
            return None;
        }
        let mut view: Box<[SlotId]> = (0..plain).collect();
        for (name, derivation) in derived {
            let from: Vec<SlotId> = derivation.from.iter().map(|name| fields.id(name)).collect();
            let slot = match from.as_slice() {
                [only] if derivation.is_rename() => *only,
                _ => {
                    self.list.push(Slot::Derived { from, derivation: derivation.clone() });
                    (self.list.len() - 1) as SlotId
                }
            };
            view[fields.id(name) as usize] = slot;
        }
        Some(view)
    }
}

/// The slot that answers for a field.
pub(super) fn slot_of(view: Option<&[SlotId]>, field: FieldId) -> SlotId {
    view.map_or(field, |view| view[field as usize])
}
