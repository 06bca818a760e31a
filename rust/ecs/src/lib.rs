//! Events by the names of the Elastic Common Schema: a view, made when it is asked for.
//!
//! The stored event has OCSF's names and the source's own fields. Whoever comes from the Elastic
//! world, or asks across sources for what only a part of a value says (the registered domain of a
//! URL, the account in `CORP\li.wei`, an address in a sentence), takes this view.
//!
//! * [`names`]: which column has which ECS name.
//! * [`shape`]: what a value looks like, and the parts it has.
//! * [`prose`]: what stands in a sentence.
//! * [`synonyms`]: what vendors call the things that have a name in ECS.
//! * [`document`]: puts them together for one event: the columns, then [`fields`], [`parts`],
//!   the [`sentence`], and who and what is [`related`].
//!
//! Source: the Elastic Common Schema 8.17 reference. Keys are dotted, as Elasticsearch takes them.
//! Fields without an ECS name stand under `unmapped.`, parts of their values below them.

#![forbid(unsafe_code)]

mod agent;
mod document;
mod fields;
mod names;
mod parts;
mod prose;
mod related;
mod sentence;
mod shape;
mod synonyms;

pub use document::{Document, document};

use arrow_array::RecordBatch;
use bigsec_event::{EventView, FieldMaps, ViewError};

/// The events of a batch as documents, one JSON object a line.
///
/// # Errors
/// Where the batch is not of the event schema.
pub fn to_ndjson(batch: &RecordBatch, known: &FieldMaps) -> Result<Vec<u8>, ViewError> {
    let view = EventView::new(batch, known)?;
    let mut out = Vec::new();
    for row in 0..view.len() {
        document(&view.row(row)).write(&mut out);
        out.push(b'\n');
    }
    Ok(out)
}
