//! Builds Arrow batches of events from decoded records.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StructArray, new_null_array};
use arrow_buffer::NullBuffer;
use arrow_schema::{Schema, SchemaRef};

use crate::column::{Column, Stored};
use crate::field_map::Entry;
use crate::schema::{
    FIELD_MAP_KEY_PREFIX, LEAVES, Leaf, LeafType, Node, arrow_type, event_schema, fields_of,
    leaf_index, tree,
};
use crate::{EventId, FieldMap, FieldMaps, Record, TimeBound, time_effective};

/// Rows after which a batch should be finished.
const ROWS_FULL: usize = 8_192;
/// Bytes of text after which a batch should be finished: far below the 2 GiB of Arrow's offsets.
const BYTES_FULL: usize = 32 * 1024 * 1024;

/// What is known of an event beside its record.
#[derive(Debug, Clone, Copy)]
pub struct EventMeta<'a> {
    /// Identity.
    pub id: EventId,
    /// When it happened, by the device's clock (µs, UTC).
    pub time_us: Option<i64>,
    /// The device's offset from UTC, in minutes.
    pub tz_offset_min: Option<i16>,
    /// When it was received (µs, UTC).
    pub received_us: i64,
    /// How far the device's clock is believed.
    pub bound: TimeBound,
    /// Name of the source.
    pub source: &'a str,
    /// Encoding of the raw bytes where it was not UTF-8.
    pub encoding: Option<&'a str>,
    /// The record is the rest of one that exceeded the record limit.
    pub continued: bool,
    /// Keep the record's text beside the event.
    pub keep_raw: bool,
}

/// Indices of the leaves that the builder fills itself.
#[derive(Debug)]
struct Own {
    event_id: usize,
    time: usize,
    time_effective: usize,
    time_received: usize,
    tz_offset_min: usize,
    source: usize,
    parser: usize,
    field_map: usize,
    encoding: usize,
    continued: usize,
    unmapped: usize,
    raw_data: usize,
}

impl Own {
    fn new() -> Self {
        let at = |path| leaf_index(path).map(usize::from).expect("a path of the schema");
        Self {
            event_id: at("event_id"),
            time: at("time"),
            time_effective: at("time_effective"),
            time_received: at("time_received"),
            tz_offset_min: at("tz_offset_min"),
            source: at("source"),
            parser: at("parser"),
            field_map: at("field_map"),
            encoding: at("metadata.encoding"),
            continued: at("metadata.continued"),
            unmapped: at("unmapped"),
            raw_data: at("raw_data"),
        }
    }
}

/// A field of the present row that went to a leaf.
#[derive(Debug)]
struct Filled {
    leaf: u16,
    field: usize,
    /// It stands in `unmapped` too.
    kept: bool,
}

/// Builds batches in the event schema. Reused: [`finish`](Self::finish) starts it over.
#[derive(Debug)]
pub struct EventBatchBuilder {
    schema: SchemaRef,
    tree: Vec<Node>,
    columns: Vec<Column>,
    copies: Vec<Option<u16>>,
    own: Own,
    filled: Vec<Filled>,
    /// Alternates of the present row: leaf, place among the fields of that leaf, field.
    alternates: Vec<(u16, u16, usize)>,
    rows: usize,
    bytes: usize,
}

impl EventBatchBuilder {
    /// A builder whose batches carry the given field maps in their metadata.
    ///
    /// Give it every map that may come: all batches of a stream must have one schema.
    pub fn new(maps: &FieldMaps) -> Self {
        Self {
            schema: schema_with(maps),
            tree: tree(),
            columns: LEAVES.iter().map(|leaf| Column::new(leaf.leaf_type)).collect(),
            copies: LEAVES.iter().map(|leaf| leaf.copied_to.and_then(leaf_index)).collect(),
            own: Own::new(),
            filled: Vec::new(),
            alternates: Vec::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Number of rows so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True where no row was added since the last batch.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// True where the batch should be finished before the next row.
    pub fn is_full(&self) -> bool {
        self.rows >= ROWS_FULL || self.bytes >= BYTES_FULL
    }

    /// Adds an event: the record's fields by `map`, and what the pack derived (leaf, text).
    ///
    /// Derived texts go first and are not kept in `unmapped`; a leaf that `map` fills must not be
    /// among them. A text that is no value of its leaf is left out (derived) or kept (mapped).
    pub fn append<'d>(
        &mut self,
        record: &Record,
        map: &FieldMap,
        meta: &EventMeta<'_>,
        derived: impl IntoIterator<Item = (u16, &'d str)>,
    ) {
        self.append_own(record, map, meta);
        for (leaf, text) in derived {
            self.store(leaf, text);
        }
        self.filled.clear();
        for index in 0..record.len() {
            self.append_field(record, map, index);
        }
        self.store_alternates(record);
        self.columns[self.own.unmapped].close_unmapped(self.rows);
        self.rows += 1;
        self.bytes += record.text().len();
    }

    /// Marks the event just added as joined from several records.
    pub fn set_record_ids(&mut self, ids: &[EventId]) {
        let leaf = leaf_index("record_ids").expect("a path of the schema");
        if let Some(row) = self.rows.checked_sub(1) {
            self.columns[usize::from(leaf)].set_ids(row, ids);
        }
    }

    /// The batch of all rows since the last one.
    pub fn finish(&mut self) -> RecordBatch {
        let mut nulls = Nulls { rows: self.rows, arrays: Vec::new() };
        let finish = |(column, leaf): (&mut Column, &Leaf)| {
            if column.is_untouched() && self.rows > 0 {
                nulls.of(leaf.leaf_type)
            } else {
                column.finish(self.rows)
            }
        };
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().zip(LEAVES).map(finish).collect();
        let columns = self.tree.iter().map(|node| assemble(node, &arrays)).collect();
        self.rows = 0;
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("the columns were made from the schema's own table")
    }

    fn append_own(&mut self, record: &Record, map: &FieldMap, meta: &EventMeta<'_>) {
        let row = self.rows;
        let effective = time_effective(meta.time_us, meta.received_us, meta.bound);
        let own = &self.own;
        self.columns[own.event_id].set_ids(row, &[meta.id]);
        if let Some(time) = meta.time_us {
            self.columns[own.time].set_i64(row, time);
        }
        self.columns[own.time_effective].set_i64(row, effective);
        self.columns[own.time_received].set_i64(row, meta.received_us);
        if let Some(minutes) = meta.tz_offset_min {
            self.columns[own.tz_offset_min].set_i64(row, i64::from(minutes));
        }
        self.columns[own.source].set_text(row, meta.source);
        self.columns[own.parser].set_text(row, crate::FieldSource::parser(record));
        self.columns[own.field_map].set_text(row, map.id());
        if let Some(encoding) = meta.encoding {
            self.columns[own.encoding].set_text(row, encoding);
        }
        if meta.continued {
            self.columns[own.continued].set_text(row, "true");
        }
        if meta.keep_raw {
            self.columns[own.raw_data].set_text(row, record.text());
            self.bytes += record.text().len();
        }
    }

    fn append_field(&mut self, record: &Record, map: &FieldMap, index: usize) {
        let (name, value) = record.field(index);
        let Some(entry) = map.find(record.name_hash(index), name) else {
            self.columns[self.own.unmapped].push_unmapped(self.rows, name, value);
            return;
        };
        if let Some(at) = self.filled.iter().position(|filled| filled.leaf == entry.leaf) {
            if !self.filled[at].kept {
                self.filled[at].kept = true;
                let (name, value) = record.field(self.filled[at].field);
                self.columns[self.own.unmapped].push_unmapped(self.rows, name, value);
            }
            if value.kind.has_text() && entry.primary() {
                self.store(entry.leaf, value.text);
            }
            self.keep_alternate(entry, index);
            self.columns[self.own.unmapped].push_unmapped(self.rows, name, value);
            return;
        }
        if !entry.primary() {
            self.keep_alternate(entry, index);
            self.columns[self.own.unmapped].push_unmapped(self.rows, name, value);
            return;
        }
        let stored = if value.kind.has_text() {
            self.store(entry.leaf, value.text)
        } else {
            Stored::Refused
        };
        let leaf = entry.leaf;
        let kept = stored != Stored::Same || self.alternates.iter().any(|one| one.0 == leaf);
        if kept {
            self.columns[self.own.unmapped].push_unmapped(self.rows, name, value);
        }
        self.filled.push(Filled { leaf, field: index, kept });
    }

    fn keep_alternate(&mut self, entry: &Entry, index: usize) {
        if !entry.primary() {
            self.alternates.push((entry.leaf, entry.rank, index));
        }
    }

    /// Fills the leaves whose primary is not there, or is no value of them, from the first of their
    /// alternates that is, in the order of the pack.
    fn store_alternates(&mut self, record: &Record) {
        let mut alternates = std::mem::take(&mut self.alternates);
        alternates.sort_unstable();
        for (leaf, _, index) in alternates.drain(..) {
            let value = record.field(index).1;
            if value.kind.has_text() {
                self.store(leaf, value.text);
            }
        }
        self.alternates = alternates;
    }

    fn store(&mut self, leaf: u16, text: &str) -> Stored {
        let stored = self.columns[usize::from(leaf)].set_text(self.rows, text);
        if stored != Stored::Refused
            && let Some(copy) = self.copies[usize::from(leaf)]
        {
            self.columns[usize::from(copy)].set_text(self.rows, text);
        }
        stored
    }
}

/// Columns without a value: those of one type are one array.
struct Nulls {
    rows: usize,
    arrays: Vec<(LeafType, ArrayRef)>,
}

impl Nulls {
    fn of(&mut self, leaf_type: LeafType) -> ArrayRef {
        if let Some((_, array)) = self.arrays.iter().find(|(of, _)| *of == leaf_type) {
            return Arc::clone(array);
        }
        let array = new_null_array(&arrow_type(leaf_type), self.rows);
        self.arrays.push((leaf_type, Arc::clone(&array)));
        array
    }
}

/// The event schema with field maps in its metadata.
fn schema_with(maps: &FieldMaps) -> SchemaRef {
    let base = event_schema();
    let mut metadata = base.metadata().clone();
    for map in maps.iter() {
        metadata.insert(format!("{FIELD_MAP_KEY_PREFIX}{}", map.id()), map.to_text());
    }
    Arc::new(Schema::new(base.fields().clone()).with_metadata(metadata))
}

/// A column, or a struct that is null where all of its children are.
fn assemble(node: &Node, arrays: &[ArrayRef]) -> ArrayRef {
    match node {
        Node::Leaf(_, index) => Arc::clone(&arrays[usize::from(*index)]),
        Node::Struct(_, children) => {
            let columns: Vec<ArrayRef> =
                children.iter().map(|child| assemble(child, arrays)).collect();
            let nulls = any_valid(&columns);
            Arc::new(StructArray::new(fields_of(children), columns, nulls))
        }
    }
}

fn any_valid(columns: &[ArrayRef]) -> Option<NullBuffer> {
    let rows = columns.first().map_or(0, Array::len);
    let mut valid = arrow_buffer::BooleanBuffer::new_unset(rows);
    for column in columns {
        match column.logical_nulls() {
            None => return None,
            Some(nulls) => valid = &valid | nulls.inner(),
        }
    }
    Some(NullBuffer::new(valid))
}
