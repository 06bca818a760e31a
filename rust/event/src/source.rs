//! How a rule looks at an event.

use crate::{FieldName, Record, Value};

/// Anything a rule can be evaluated on. Names are the vendor's (`CommandLine`), never OCSF.
///
/// [`Record`](crate::Record) and [`EventRow`](crate::EventRow) implement it and answer alike for
/// the same event; a test of this crate holds them to it.
pub trait FieldSource {
    /// Visits the values under `name` in the record's order until `visit` answers `true`.
    ///
    /// The elements of a list repeat the name. Empty lists and objects are visited with their
    /// kind. Returns whether `visit` answered `true`.
    fn visit(&self, name: &FieldName, visit: &mut dyn FnMut(Value<'_>) -> bool) -> bool;

    /// Visits every field (name, value) until `visit` answers `true`; returns whether it did.
    fn visit_all(&self, visit: &mut dyn FnMut(&str, Value<'_>) -> bool) -> bool;

    /// The text of the whole record, where it is at hand.
    fn raw(&self) -> Option<&str>;

    /// The id of the parser pack that read the record; `none` where nothing could.
    fn parser(&self) -> &str;

    /// The record, where it is one: its fields can be gone over by their hashes.
    fn as_record(&self) -> Option<&Record> {
        None
    }

    /// True where the record has the field, whatever its value.
    fn contains(&self, name: &FieldName) -> bool {
        self.visit(name, &mut |_| true)
    }
}
