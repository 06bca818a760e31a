//! What comes out of reading one record.

use std::sync::Arc;

use bigsec_event::schema::{LEAVES, leaf_index};
use bigsec_event::{Code, FieldMap, FieldName, Record, codes, takes};

use crate::encoding::TextReader;

/// The text of a column that no field of the record holds: a class, a translated severity.
///
/// Shared with the pack, so that setting it costs no allocation.
pub type DerivedText = Arc<str>;

/// A record read and normalised. Made once and reused: see [`Parser::parse`](crate::Parser::parse).
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The fields under the vendor's names, over the record's text. Its parser is the id of the
    /// pack that read it, `none` where nothing could.
    pub record: Record,
    /// Which of the fields stand in which column.
    pub map: Arc<FieldMap>,
    /// When it happened by the device's own clock, µs since 1970 UTC.
    pub time_us: Option<i64>,
    /// The device's offset from UTC in minutes, where the record or the source says it.
    pub tz_offset_min: Option<i16>,
    /// Columns that the pack fills by itself: index into
    /// [`LEAVES`](bigsec_event::schema::LEAVES) and text. No column stands here twice, nor in
    /// `map`.
    pub derived: Vec<(u16, DerivedText)>,
    /// The encoding of the raw bytes where it was not UTF-8.
    pub encoding: Option<&'static str>,
    /// What was wrong with the record, if anything: why nothing could read it, or that bytes of
    /// it fitted no encoding.
    pub reason: Option<&'static Code>,
    /// The byte of the text that the reason is about.
    pub offset: Option<usize>,
    nothing_mapped: Arc<FieldMap>,
    nobody: Arc<str>,
}

impl Default for Parsed {
    fn default() -> Self {
        Self::new()
    }
}

impl Parsed {
    /// An empty one to be filled.
    pub fn new() -> Self {
        let nothing_mapped = Arc::new(FieldMap::empty());
        Self {
            record: Record::new(),
            map: Arc::clone(&nothing_mapped),
            time_us: None,
            tz_offset_min: None,
            derived: Vec::new(),
            encoding: None,
            reason: None,
            offset: None,
            nothing_mapped,
            nobody: Arc::from("none"),
        }
    }

    /// The derived columns as the batch builder takes them: leaf and text.
    pub fn derived(&self) -> impl Iterator<Item = (u16, &str)> {
        self.derived.iter().map(|(leaf, text)| (*leaf, &**text))
    }

    /// The text that a column gets, as the source wrote it: derived, or that of the first field, in
    /// the order of the pack, which is mapped to it and has a value of its type.
    pub fn column(&self, path: &str) -> Option<&str> {
        let leaf = leaf_index(path)?;
        if let Some((_, text)) = self.derived().find(|(derived, _)| *derived == leaf) {
            return Some(text);
        }
        let leaf_type = LEAVES[usize::from(leaf)].leaf_type;
        let offered = self.record.iter().filter_map(|(name, value)| {
            let name = FieldName::new(name);
            let goes_there = self.map.column_of(&name) == Some(path);
            let can = goes_there && value.kind.has_text() && takes(leaf_type, value.text);
            can.then(|| (self.map.rank_of(&name), value.text))
        });
        offered.min_by_key(|(rank, _)| *rank).map(|(_, text)| text)
    }

    /// Makes it a record that is its text alone, not parsed: the rest of one that was too long.
    pub fn set_plain(&mut self, raw: &[u8]) {
        self.start(raw, &mut TextReader::default());
        self.refuse(codes::PARSE_NO_DECODER, None);
    }

    /// Takes the text of a record and forgets the one before.
    pub(crate) fn start(&mut self, raw: &[u8], reader: &mut TextReader) {
        let text = reader.read(raw);
        self.record.reset(text.text);
        self.encoding = text.encoding;
        self.reason = text.is_lossy().then_some(codes::PARSE_ENCODING);
        self.offset = None;
        self.time_us = None;
        self.tz_offset_min = None;
        self.derived.clear();
    }

    /// Leaves the text alone, with the reason.
    pub(crate) fn refuse(&mut self, code: &'static Code, offset: Option<usize>) {
        self.record.clear_fields();
        let nobody = Arc::clone(&self.nobody);
        self.record.set_parser(&nobody);
        let nothing = Arc::clone(&self.nothing_mapped);
        self.set_map(&nothing);
        self.derived.clear();
        self.reason = Some(code);
        self.offset = offset;
    }

    pub(crate) fn set_map(&mut self, map: &Arc<FieldMap>) {
        if !Arc::ptr_eq(&self.map, map) {
            self.map = Arc::clone(map);
        }
    }
}
