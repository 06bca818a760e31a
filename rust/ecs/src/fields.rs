//! The source's own fields in a document.

use std::collections::BTreeSet;

use bigsec_event::{EventRow, FieldSource, Kind};

use crate::agent;
use crate::document::{Document, MAX_FIELDS, json};
use crate::names::{NAMES, PROCESS};
use crate::related::{relate, relate_host};
use crate::shape::{self, Shape};
use crate::synonyms;

/// The source's own fields: a name of ECS keeps it, all others stand under `unmapped`.
pub(crate) fn of_fields(row: &EventRow<'_>, made: &mut Document) {
    // What a column holds may have a second meaning in ECS.
    row.visit_all(&mut |name, value| {
        for known in synonyms::of(name).iter().filter(|known| synonyms::SECOND.contains(known)) {
            if !made.has(known) && synonyms::can_be(known, value.text) {
                made.text(*known, value.text);
            }
        }
        if synonyms::is_security_rule(name) {
            made.text("rule.name", value.text);
        }
        false
    });
    let (mut count, mut own) = (0, BTreeSet::new());
    row.visit_unmapped(&mut |name, value| {
        count += 1;
        if count > MAX_FIELDS || matches!(value.kind, Kind::Null) {
            return;
        }
        meant(name, value.text, made);
        // A source that speaks ECS knows best; of a list the first value replaces ours.
        if is_of_ecs(name) && value.kind.has_text() && !value.text.is_empty() {
            if own.insert(name.to_owned()) {
                made.remove(name);
            }
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

/// Whether a field has the very name that its value has in ECS.
fn is_of_ecs(name: &str) -> bool {
    let of_user = ["user.name", "user.id", "user.domain", "user.email"];
    let of_process = || {
        let part = name.strip_prefix("process.").unwrap_or_default();
        PROCESS.iter().any(|(_, known)| *known == part)
    };
    NAMES.iter().any(|(_, known)| *known == name && *known != "message")
        || of_user.contains(&name)
        || ["network.protocol", "network.transport", "host.hostname"].contains(&name)
        || of_process()
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
