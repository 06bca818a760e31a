//! Reads event batches: the second view that a rule can be evaluated on.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow_schema::DataType;

use crate::conform::conform;
use crate::schema::{FIELD_MAP_KEY_PREFIX, LEAVES, arrow_type};
use crate::{EventId, FieldMap, FieldMaps, FieldName, FieldSource, Kind, Value};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray, ListArray, RecordBatch, StringArray};

/// Why a batch cannot be read as events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// A column that every batch of events has is not there.
    #[error("the batch has no column `{0}`: it is not in the event schema")]
    MissingColumn(&'static str),
    /// A column is of another type than the schema says.
    #[error("the column `{path}` is {found}, the event schema has {expected}")]
    WrongType {
        /// The column.
        path: &'static str,
        /// The type found.
        found: String,
        /// The type of the schema.
        expected: String,
    },
    /// A row names a map that nobody has.
    #[error("row {row} names the field map `{id}`, which neither the batch nor the packs have")]
    UnknownFieldMap {
        /// The row, from 0.
        row: usize,
        /// The map's id.
        id: String,
    },
}

/// A batch of events with its columns found and its field maps resolved.
#[derive(Debug)]
pub struct EventView {
    rows: usize,
    leaves: Vec<Option<ArrayRef>>,
    ids: FixedSizeBinaryArray,
    unmapped: Option<Unmapped>,
    maps: Vec<Arc<FieldMap>>,
    map_of_row: Vec<u32>,
}

#[derive(Debug)]
struct Unmapped {
    list: ListArray,
    names: StringArray,
    values: StringArray,
    kinds: arrow_array::Int8Array,
}

impl EventView {
    /// Reads a batch. Maps come from its own metadata first, then from `known`.
    ///
    /// Columns may be missing (an older schema version). A type that holds the same values is taken
    /// (long offsets, views, dictionaries, binary for ids); another one is an error, and so is a row
    /// whose map is not at hand.
    pub fn new(batch: &RecordBatch, known: &FieldMaps) -> Result<Self, ViewError> {
        let mut leaves = Vec::with_capacity(LEAVES.len());
        for leaf in LEAVES {
            let Some(array) = find_column(batch, leaf.path) else {
                leaves.push(None);
                continue;
            };
            let expected = arrow_type(leaf.leaf_type);
            let Some(conformed) = conform(&array, &expected) else {
                return Err(ViewError::WrongType {
                    path: leaf.path,
                    found: array.data_type().to_string(),
                    expected: expected.to_string(),
                });
            };
            leaves.push(Some(conformed));
        }
        let at = |path: &'static str| {
            let index = LEAVES.iter().position(|leaf| leaf.path == path);
            index.and_then(|index| leaves[index].clone()).ok_or(ViewError::MissingColumn(path))
        };
        let ids = at("event_id")?.as_fixed_size_binary().clone();
        let field_maps = at("field_map")?.as_string::<i32>().clone();
        at("parser")?;
        let unmapped = at("unmapped").ok().and_then(|array| Unmapped::new(&array));
        let (maps, map_of_row) = resolve_maps(batch, &field_maps, known)?;
        Ok(Self { rows: batch.num_rows(), leaves, ids, unmapped, maps, map_of_row })
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The event at `row`, which must be below [`len`](Self::len).
    pub fn row(&self, row: usize) -> EventRow<'_> {
        EventRow { view: self, row }
    }

    fn text_at(&self, path: &str, row: usize) -> Option<&str> {
        let index = crate::schema::leaf_index(path)?;
        let array = self.leaves[usize::from(index)].as_ref()?.as_string_opt::<i32>()?;
        array.is_valid(row).then(|| array.value(row))
    }

    fn time_at(&self, path: &str, row: usize) -> Option<i64> {
        let index = crate::schema::leaf_index(path)?;
        let array = self.leaves[usize::from(index)]
            .as_ref()?
            .as_primitive_opt::<TimestampMicrosecondType>()?;
        array.is_valid(row).then(|| array.value(row))
    }
}

impl Unmapped {
    fn new(array: &ArrayRef) -> Option<Self> {
        let list = array.as_list_opt::<i32>()?.clone();
        let entries = list.values().as_struct_opt()?;
        let names = entries.column_by_name("name")?.as_string_opt::<i32>()?.clone();
        let values = entries.column_by_name("value")?.as_string_opt::<i32>()?.clone();
        let kinds = entries.column_by_name("kind")?.as_primitive_opt::<Int8Type>()?.clone();
        Some(Self { list, names, values, kinds })
    }

    fn entries(&self, row: usize) -> impl Iterator<Item = (&str, Value<'_>)> {
        let offsets = self.list.value_offsets();
        // Arrow's own checks keep offsets from being negative.
        let bound = |at: usize| usize::try_from(offsets[at]).unwrap_or_default();
        let (from, to) = (bound(row), bound(row + 1));
        (from..to).map(|at| {
            let kind = Kind::from_i8(self.kinds.value(at)).unwrap_or(Kind::String);
            let text = if self.values.is_valid(at) { self.values.value(at) } else { "" };
            (self.names.value(at), Value { text, kind })
        })
    }
}

/// One event of a batch.
#[derive(Debug, Clone, Copy)]
pub struct EventRow<'a> {
    view: &'a EventView,
    row: usize,
}

impl<'a> EventRow<'a> {
    /// Its identity.
    pub fn id(&self) -> EventId {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(self.view.ids.value(self.row));
        EventId::from_bytes(bytes)
    }

    /// The time it is sorted by (µs, UTC).
    pub fn time_effective_us(&self) -> Option<i64> {
        self.view.time_at("time_effective", self.row)
    }

    /// Name of its source.
    pub fn source(&self) -> &'a str {
        self.view.text_at("source", self.row).unwrap_or_default()
    }

    /// Every column that has a value, by its path; times and lists aside.
    pub fn visit_columns(&self, visit: &mut dyn FnMut(&'static str, Value<'_>)) {
        for (index, leaf) in LEAVES.iter().enumerate() {
            self.leaf(index as u16, &mut |value| {
                visit(leaf.path, value);
                false
            });
        }
    }

    /// Every field that has no column, in the record's order.
    pub fn visit_unmapped(&self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for (name, value) in self.unmapped() {
            visit(name, value);
        }
    }

    fn map(&self) -> &'a FieldMap {
        &self.view.maps[self.view.map_of_row[self.row] as usize]
    }

    fn unmapped(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let row = self.row;
        self.view.unmapped.iter().flat_map(move |unmapped| unmapped.entries(row))
    }

    /// True where the leaf was filled from an alternate, so it does not speak for its primary.
    fn is_from_alternate(&self, leaf: u16) -> bool {
        let map = self.map();
        self.unmapped().any(|(name, _)| {
            map.find(crate::name::name_hash(name), name)
                .is_some_and(|entry| entry.leaf == leaf && !entry.primary())
        })
    }

    fn leaf(&self, leaf: u16, visit: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let Some(array) = &self.view.leaves[usize::from(leaf)] else { return false };
        if array.is_null(self.row) {
            return false;
        }
        let number = |number: i64, visit: &mut dyn FnMut(Value<'_>) -> bool| {
            let mut text = String::new();
            write!(text, "{number}").expect("a String takes all");
            visit(Value { text: &text, kind: Kind::Number })
        };
        let row = self.row;
        match array.data_type() {
            DataType::Utf8 => visit(Value::string(array.as_string::<i32>().value(row))),
            DataType::Int8 => number(array.as_primitive::<Int8Type>().value(row).into(), visit),
            DataType::Int16 => number(array.as_primitive::<Int16Type>().value(row).into(), visit),
            DataType::Int32 => number(array.as_primitive::<Int32Type>().value(row).into(), visit),
            DataType::Int64 => number(array.as_primitive::<Int64Type>().value(row), visit),
            DataType::Boolean => {
                let text = if array.as_boolean().value(row) { "true" } else { "false" };
                visit(Value { text, kind: Kind::Boolean })
            }
            _ => false,
        }
    }
}

impl FieldSource for EventRow<'_> {
    fn visit(&self, name: &FieldName, visit: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let mut kept = false;
        for (_, value) in self.unmapped().filter(|(other, _)| name.is(other)) {
            kept = true;
            if visit(value) {
                return true;
            }
        }
        if kept {
            return false;
        }
        match self.map().find(name.hash(), name.as_str()) {
            Some(entry)
                if entry.primary() && !(entry.shared && self.is_from_alternate(entry.leaf)) =>
            {
                self.leaf(entry.leaf, visit)
            }
            _ => false,
        }
    }

    fn visit_all(&self, visit: &mut dyn FnMut(&str, Value<'_>) -> bool) -> bool {
        if self.unmapped().any(|(name, value)| visit(name, value)) {
            return true;
        }
        self.map().entries().iter().filter(|entry| entry.primary()).any(|entry| {
            let name = entry.name.as_str();
            !self.unmapped().any(|(other, _)| entry.name.is(other))
                && self.visit(&entry.name, &mut |value| visit(name, value))
        })
    }

    fn raw(&self) -> Option<&str> {
        self.view.text_at("raw_data", self.row)
    }

    fn parser(&self) -> &str {
        self.view.text_at("parser", self.row).unwrap_or("none")
    }
}

fn find_column(batch: &RecordBatch, path: &str) -> Option<ArrayRef> {
    let mut parts = path.split('.');
    let mut array = Arc::clone(batch.column_by_name(parts.next()?)?);
    for part in parts {
        let parent = array.as_struct_opt()?;
        let child = parent.column_by_name(part)?;
        // A null parent hides its children, whatever their own buffers say.
        let nulls = arrow_buffer::NullBuffer::union(parent.nulls(), child.nulls());
        array = arrow_array::make_array(child.to_data().into_builder().nulls(nulls).build().ok()?);
    }
    Some(array)
}

fn resolve_maps(
    batch: &RecordBatch,
    field_maps: &StringArray,
    known: &FieldMaps,
) -> Result<(Vec<Arc<FieldMap>>, Vec<u32>), ViewError> {
    let schema = batch.schema_ref();
    let mut maps: Vec<Arc<FieldMap>> = Vec::new();
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut map_of_row = Vec::with_capacity(field_maps.len());
    for row in 0..field_maps.len() {
        let id = if field_maps.is_valid(row) { field_maps.value(row) } else { "" };
        if let Some(index) = seen.get(id) {
            map_of_row.push(*index);
            continue;
        }
        let own = schema.metadata().get(&format!("{FIELD_MAP_KEY_PREFIX}{id}"));
        let map = own
            .and_then(|text| FieldMap::from_text(text).ok())
            .filter(|map| &**map.id() == id)
            .map(Arc::new)
            .or_else(|| known.get(id).cloned())
            .ok_or_else(|| ViewError::UnknownFieldMap { row, id: id.into() })?;
        let index = maps.len() as u32;
        maps.push(map);
        seen.insert(id, index);
        map_of_row.push(index);
    }
    Ok((maps, map_of_row))
}
