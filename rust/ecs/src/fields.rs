//! The source's own fields in a document.

use bigsec_event::{EventRow, Kind};

use crate::agent;
use crate::document::{Document, MAX_FIELDS, json};
use crate::names::NAMES;
use crate::related::{relate, relate_host};
use crate::shape::{self, Shape};
use crate::synonyms;

/// The source's own fields: a name of ECS keeps it, all others stand under `unmapped`.
pub(crate) fn of_fields(row: &EventRow<'_>, made: &mut Document) {
    let mut count = 0;
    row.visit_unmapped(&mut |name, value| {
        count += 1;
        if count > MAX_FIELDS || matches!(value.kind, Kind::Null) {
            return;
        }
        meant(name, value.text, made);
        let is_known = NAMES.iter().any(|(_, known)| *known == name);
        if is_known && !made.has(name) {
            made.put(name, json(value));
            return;
        }
        let name = format!("unmapped.{name}");
        if value.kind.has_text() {
            shaped(&name, value.text, made);
        }
        if !value.text.is_empty() {
            made.put(name, json(value));
        }
    });
}

/// Gives a value the names of ECS that its field's name stands for, where nothing has them yet.
pub(crate) fn meant(name: &str, text: &str, made: &mut Document) {
    for known in synonyms::of(name) {
        if !made.has(known) && synonyms::can_be(known, text) {
            made.text(*known, text);
        }
    }
}

/// Adds the parts of a value below its name.
pub(crate) fn shaped(name: &str, text: &str, made: &mut Document) {
    let Some(shape) = shape::of(text) else { return };
    relate(shape, text, made);
    if shape == Shape::Agent {
        for (part, value) in agent::parts(text) {
            made.text(format!("{name}.{part}"), &value);
        }
        return;
    }
    let mut parts = Vec::new();
    shape::parts(shape, text, &mut |part| parts.push(part));
    for (part, value) in parts {
        made.text(format!("{name}.{part}"), value);
        if part == "domain" || part == "address" {
            relate_host(value, made);
        }
    }
}
