//! One decoded record: field name to value slices over the record's text.
//!
//! A record is made once and reused: [`Record::reset`] keeps the buffers, so a stream allocates
//! only while its longest record grows. A value that stands literally in the text is kept as a
//! slice of it; what had to be unescaped or composed is copied once into a scratch buffer.

use std::ops::Range;
use std::sync::Arc;

use crate::name::{name_hash, same_name};
use crate::{FieldName, FieldSource, Kind, Value};

/// Where a text lies: in the record's own text or in the scratch buffer.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    scratch: bool,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    name: Span,
    value: Span,
    kind: Kind,
}

/// The fields of a record while a decoder fills them.
#[derive(Debug, Default, Clone)]
pub struct Fields {
    /// Address range of the record's text, to recognise slices of it; never dereferenced.
    text: Range<usize>,
    scratch: String,
    hashes: Vec<u64>,
    list: Vec<Field>,
    /// Fields of another decoder, with their hashes: see [`Record::set_aside`].
    aside: (Vec<u64>, Vec<Field>),
}

impl Fields {
    /// Adds a field. Slices of the record's text are kept as such, anything else is copied.
    #[inline]
    pub fn push(&mut self, name: &str, value: &str, kind: Kind) {
        self.hashes.push(name_hash(name));
        let name = self.keep(name);
        let value = self.keep(value);
        self.list.push(Field { name, value, kind });
    }

    /// Adds a text field.
    #[inline]
    pub fn push_str(&mut self, name: &str, value: &str) {
        self.push(name, value, Kind::String);
    }

    /// Number of fields so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True where no field was added yet.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Forgets the fields after the first `len`: a decoder that gave up cleans up after itself.
    pub fn truncate(&mut self, len: usize) {
        self.list.truncate(len);
        self.hashes.truncate(len);
    }

    #[inline]
    fn keep(&mut self, text: &str) -> Span {
        let start = text.as_ptr() as usize;
        if start >= self.text.start && start + text.len() <= self.text.end {
            let start = start - self.text.start;
            return Span { start: start as u32, end: (start + text.len()) as u32, scratch: false };
        }
        let start = self.scratch.len() as u32;
        self.scratch.push_str(text);
        Span { start, end: self.scratch.len() as u32, scratch: true }
    }
}

/// One decoded record. Its text is at most 64 MiB: what is longer is split before it gets here.
#[derive(Debug, Clone)]
pub struct Record {
    text: String,
    parser: Arc<str>,
    fields: Fields,
}

impl Default for Record {
    fn default() -> Self {
        Self::new()
    }
}

impl Record {
    /// A record without text and fields.
    pub fn new() -> Self {
        Self { text: String::new(), parser: Arc::from("none"), fields: Fields::default() }
    }

    /// Starts over with another text, keeping the buffers.
    pub fn reset(&mut self, text: &str) {
        self.text.clear();
        self.text.push_str(text);
        self.clear_fields();
    }

    /// Forgets the fields and keeps the text, before another decoder tries.
    pub fn clear_fields(&mut self) {
        self.fields.list.clear();
        self.fields.hashes.clear();
        self.fields.scratch.clear();
    }

    /// Sets the fields aside, before another decoder reads a part of the text.
    pub fn set_aside(&mut self) {
        let Fields { hashes, list, aside, .. } = &mut self.fields;
        std::mem::swap(hashes, &mut aside.0);
        std::mem::swap(list, &mut aside.1);
        hashes.clear();
        list.clear();
    }

    /// Has the fields again that were set aside, and no others.
    pub fn put_back(&mut self) {
        let Fields { hashes, list, aside, .. } = &mut self.fields;
        std::mem::swap(hashes, &mut aside.0);
        std::mem::swap(list, &mut aside.1);
    }

    /// Adds the fields that were set aside, save the last.
    pub fn append_aside(&mut self) {
        let Fields { hashes, list, aside, .. } = &mut self.fields;
        let count = aside.1.len().saturating_sub(1);
        hashes.extend_from_slice(&aside.0[..count]);
        list.extend_from_slice(&aside.1[..count]);
    }

    /// The text, and the fields to fill from it.
    pub fn split(&mut self) -> (&str, &mut Fields) {
        let start = self.text.as_ptr() as usize;
        self.fields.text = start..start + self.text.len();
        (&self.text, &mut self.fields)
    }

    /// The record's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The buffers in which all names and values lie: the text, and what had to be copied.
    pub fn buffers(&self) -> [&str; 2] {
        [&self.text, &self.fields.scratch]
    }

    /// Names the pack that read this record.
    pub fn set_parser(&mut self, parser: &Arc<str>) {
        if !Arc::ptr_eq(&self.parser, parser) {
            self.parser = Arc::clone(parser);
        }
    }

    /// The pack that read this record; `none` where nothing could.
    pub fn parser_id(&self) -> &Arc<str> {
        &self.parser
    }

    /// Number of fields; the elements of a list count each.
    #[inline]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True where no decoder found a field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The field at `index` in the record's order.
    ///
    /// # Panics
    /// Where `index` is not below [`len`](Self::len).
    #[inline]
    pub fn field(&self, index: usize) -> (&str, Value<'_>) {
        let field = self.fields.list[index];
        (self.slice(field.name), Value { text: self.slice(field.value), kind: field.kind })
    }

    /// The hash of the name at `index`, equal to [`FieldName::hash`] of the same field.
    pub fn name_hash(&self, index: usize) -> u64 {
        self.fields.hashes[index]
    }

    /// All values in the record's order, without their names.
    pub fn values(&self) -> impl Iterator<Item = Value<'_>> {
        self.fields
            .list
            .iter()
            .map(|field| Value { text: self.slice(field.value), kind: field.kind })
    }

    /// All fields in the record's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        (0..self.len()).map(|index| self.field(index))
    }

    /// The first value under `name`.
    #[inline]
    pub fn get(&self, name: &FieldName) -> Option<Value<'_>> {
        self.find(name, 0).map(|index| self.field(index).1)
    }

    /// Gives the field at `index` another name: packs do this to arrive at the vendor's names.
    pub fn rename(&mut self, index: usize, name: &str) {
        self.split();
        self.fields.hashes[index] = name_hash(name);
        self.fields.list[index].name = self.fields.keep(name);
    }

    /// Shortens the name at `index` to what follows its first `bytes` bytes.
    ///
    /// Does nothing where that is not a character boundary within the name.
    pub fn strip_name(&mut self, index: usize, bytes: usize) {
        let name = self.slice(self.fields.list[index].name);
        let Some(rest) = name.get(bytes..) else { return };
        self.fields.hashes[index] = name_hash(rest);
        self.fields.list[index].name.start += bytes as u32;
    }

    /// Adds a field after decoding; for what a pack derives (a part of a message, a pair).
    pub fn push(&mut self, name: &str, value: &str, kind: Kind) {
        self.split();
        self.fields.push(name, value, kind);
    }

    /// Adds a field whose value is a range of bytes of the text, without copying it.
    ///
    /// Does nothing where the range is not on character boundaries of the text.
    pub fn push_range(&mut self, name: &str, range: Range<usize>) {
        if self.text.get(range.clone()).is_none() {
            return;
        }
        self.split();
        self.fields.hashes.push(name_hash(name));
        let name = self.fields.keep(name);
        let value = Span { start: range.start as u32, end: range.end as u32, scratch: false };
        self.fields.list.push(Field { name, value, kind: Kind::String });
    }

    #[inline]
    fn find(&self, name: &FieldName, from: usize) -> Option<usize> {
        let hashes = self.fields.hashes[from..].iter().enumerate();
        // Other names may have the hash, too: whoever writes the record can see to that.
        hashes
            .filter(|(_, hash)| **hash == name.hash())
            .map(|(index, _)| from + index)
            .find(|index| same_name(self.slice(self.fields.list[*index].name), name.as_str()))
    }

    #[inline]
    fn slice(&self, span: Span) -> &str {
        let buffer = if span.scratch { &self.fields.scratch } else { &self.text };
        // Spans are made from whole slices of these buffers, which only grow until reset.
        buffer.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

impl FieldSource for Record {
    fn visit(&self, name: &FieldName, visit: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let mut from = 0;
        while let Some(index) = self.find(name, from) {
            if visit(self.field(index).1) {
                return true;
            }
            from = index + 1;
        }
        false
    }

    fn visit_all(&self, visit: &mut dyn FnMut(&str, Value<'_>) -> bool) -> bool {
        self.iter().any(|(name, value)| visit(name, value))
    }

    fn raw(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn parser(&self) -> &str {
        &self.parser
    }

    fn as_record(&self) -> Option<&Record> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_the_text_are_not_copied_and_the_rest_is() {
        let mut record = Record::new();
        record.reset("user=root cmd=ls");
        let (text, fields) = record.split();
        let (name, value) = (&text[0..4], &text[5..9]);
        fields.push_str(name, value);
        fields.push_str("cmd.upper", &text[14..16].to_uppercase());
        assert_eq!(fields.scratch, "cmd.upperLS");
        assert_eq!(record.get(&FieldName::new("USER")), Some(Value::string("root")));
        assert_eq!(record.get(&FieldName::new("cmd.upper")), Some(Value::string("LS")));
    }

    #[test]
    fn a_list_repeats_the_name_in_order() {
        let mut record = Record::new();
        record.reset("");
        record.push("a", "1", Kind::Number);
        record.push("b", "x", Kind::String);
        record.push("A", "2", Kind::Number);
        let mut seen = Vec::new();
        record.visit(&FieldName::new("a"), &mut |value| {
            seen.push(value.text.to_owned());
            false
        });
        assert_eq!(seen, ["1", "2"]);
    }

    #[test]
    fn a_name_with_the_same_hash_hides_nothing() {
        let mut record = Record::new();
        record.reset("");
        record.push("user\x7fname", "other", Kind::String);
        record.push("user_name", "root", Kind::String);
        let name = FieldName::new("User_Name");
        assert_eq!(record.name_hash(0), name.hash());
        assert_eq!(record.get(&name), Some(Value::string("root")));
    }

    #[test]
    fn renaming_keeps_the_value() {
        let mut record = Record::new();
        record.reset("{\"Event.System.EventID\": 1}");
        let (text, fields) = record.split();
        let (name, value) = (&text[2..22], &text[25..26]);
        fields.push(name, value, Kind::Number);
        record.strip_name(0, "Event.System.".len());
        assert_eq!(record.field(0), ("EventID", Value { text: "1", kind: Kind::Number }));
        record.rename(0, "Id");
        assert_eq!(record.field(0).0, "Id");
        assert!(record.contains(&FieldName::new("id")));
    }
}
