//! One growing column of the event schema, filled from text.

use std::net::IpAddr;

use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, Int8BufferBuilder, Int8Builder, Int16Builder,
    Int32Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, Int8Array, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use std::sync::Arc;

use crate::schema::{LeafType, arrow_type, unmapped_fields};
use crate::{EventId, Value};

/// What became of a text that was offered to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The column gives the very same text back.
    Same,
    /// The column holds the value, but writes it otherwise.
    Changed,
    /// The text is no value of this column's type.
    Refused,
}

#[derive(Debug)]
enum Builder {
    Id(FixedSizeBinaryBuilder),
    IdList(ListBuilder<FixedSizeBinaryBuilder>),
    Time(TimestampMicrosecondBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Text(StringBuilder),
    Ip(StringBuilder),
    Boolean(BooleanBuilder),
    Unmapped(UnmappedBuilder),
}

/// A column that knows how many rows it has, so that unset rows cost nothing until the end.
#[derive(Debug)]
pub(crate) struct Column {
    builder: Builder,
    rows: usize,
    /// Rows and bytes of text that the last batch had: room for them is made with the first value.
    last: (usize, usize),
}

macro_rules! each_builder {
    ($builder:expr, $name:ident => $body:expr) => {
        match $builder {
            Builder::Id($name) => $body,
            Builder::IdList($name) => $body,
            Builder::Time($name) => $body,
            Builder::Int8($name) => $body,
            Builder::Int16($name) => $body,
            Builder::Int32($name) => $body,
            Builder::Int64($name) => $body,
            Builder::Text($name) | Builder::Ip($name) => $body,
            Builder::Boolean($name) => $body,
            Builder::Unmapped($name) => $body,
        }
    };
}

impl Column {
    pub fn new(leaf_type: LeafType) -> Self {
        let builder = match leaf_type {
            LeafType::Id => Builder::Id(FixedSizeBinaryBuilder::new(16)),
            LeafType::IdList => {
                let field = Field::new_list_field(DataType::FixedSizeBinary(16), false);
                Builder::IdList(ListBuilder::new(FixedSizeBinaryBuilder::new(16)).with_field(field))
            }
            LeafType::Time => Builder::Time(
                TimestampMicrosecondBuilder::new().with_data_type(arrow_type(leaf_type)),
            ),
            LeafType::Int8 => Builder::Int8(Int8Builder::new()),
            LeafType::Int16 => Builder::Int16(Int16Builder::new()),
            LeafType::Int32 => Builder::Int32(Int32Builder::new()),
            LeafType::Int64 => Builder::Int64(Int64Builder::new()),
            LeafType::Text => Builder::Text(StringBuilder::new()),
            LeafType::Ip => Builder::Ip(StringBuilder::new()),
            LeafType::Boolean => Builder::Boolean(BooleanBuilder::new()),
            LeafType::Unmapped => Builder::Unmapped(UnmappedBuilder::new()),
        };
        Self { builder, rows: 0, last: (0, 0) }
    }

    /// True where the column already has a value for `row`.
    pub fn is_set(&self, row: usize) -> bool {
        self.rows > row
    }

    fn pad(&mut self, rows: usize) {
        if let Some(missing @ 1..) = rows.checked_sub(self.rows) {
            each_builder!(&mut self.builder, builder => builder.append_nulls(missing));
            self.rows = rows;
        }
    }

    /// True where no row has a value, and so all of them are null.
    pub fn is_untouched(&self) -> bool {
        self.rows == 0 && !matches!(self.builder, Builder::Unmapped(_))
    }

    /// Offers a text; a row that has a value keeps it.
    pub fn set_text(&mut self, row: usize, text: &str) -> Stored {
        if self.is_set(row) {
            return Stored::Refused;
        }
        if self.rows == 0 && self.last.0 > 0 {
            self.make_room();
        }
        self.pad(row);
        let stored = append_text(&mut self.builder, text);
        if stored != Stored::Refused {
            self.rows = row + 1;
        }
        stored
    }

    /// Growing from nothing copies a long column several times, through memory that has to be
    /// cleared first.
    #[cold]
    fn make_room(&mut self) {
        let (rows, bytes) = std::mem::take(&mut self.last);
        if let Builder::Text(builder) | Builder::Ip(builder) = &mut self.builder {
            *builder = StringBuilder::with_capacity(rows, bytes + bytes / 8);
        }
    }

    pub fn set_i64(&mut self, row: usize, value: i64) {
        self.pad(row);
        match &mut self.builder {
            Builder::Time(builder) => builder.append_value(value),
            Builder::Int64(builder) => builder.append_value(value),
            Builder::Int16(builder) => builder.append_option(i16::try_from(value).ok()),
            _ => return,
        }
        self.rows = row + 1;
    }

    pub fn set_ids(&mut self, row: usize, ids: &[EventId]) {
        self.pad(row);
        match (&mut self.builder, ids) {
            (Builder::Id(builder), [id]) => append_id(builder, *id),
            (Builder::IdList(builder), ids) => {
                for id in ids {
                    append_id(builder.values(), *id);
                }
                builder.append(true);
            }
            _ => return,
        }
        self.rows = row + 1;
    }

    /// Adds one entry to the row's list of what no column took.
    pub fn push_unmapped(&mut self, row: usize, name: &str, value: Value<'_>) {
        self.pad(row);
        if let Builder::Unmapped(builder) = &mut self.builder {
            builder.push(name, value);
        }
    }

    /// Closes the row's list of what no column took.
    pub fn close_unmapped(&mut self, row: usize) {
        self.pad(row);
        if let Builder::Unmapped(builder) = &mut self.builder {
            builder.close();
            self.rows = row + 1;
        }
    }

    /// The finished column of `rows` rows; the column starts over.
    pub fn finish(&mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        self.rows = 0;
        if let Builder::Text(builder) | Builder::Ip(builder) = &self.builder {
            self.last = (rows, builder.values_slice().len());
        }
        match &mut self.builder {
            Builder::Id(builder) => Arc::new(builder.finish()),
            Builder::IdList(builder) => Arc::new(builder.finish()),
            Builder::Time(builder) => Arc::new(builder.finish()),
            Builder::Int8(builder) => Arc::new(builder.finish()),
            Builder::Int16(builder) => Arc::new(builder.finish()),
            Builder::Int32(builder) => Arc::new(builder.finish()),
            Builder::Int64(builder) => Arc::new(builder.finish()),
            Builder::Text(builder) | Builder::Ip(builder) => Arc::new(builder.finish()),
            Builder::Boolean(builder) => Arc::new(builder.finish()),
            Builder::Unmapped(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Whether a text is a value of a column of this type.
pub fn takes(leaf_type: LeafType, text: &str) -> bool {
    Column::new(leaf_type).set_text(0, text) != Stored::Refused
}

fn append_id(builder: &mut FixedSizeBinaryBuilder, id: EventId) {
    builder.append_value(id.to_bytes()).expect("the builder was made for 16 bytes");
}

fn append_text(builder: &mut Builder, text: &str) -> Stored {
    match builder {
        Builder::Text(builder) => {
            builder.append_value(text);
            Stored::Same
        }
        Builder::Ip(builder) => append_ip(builder, text),
        Builder::Boolean(builder) => match text {
            "true" | "false" => {
                builder.append_value(text == "true");
                Stored::Same
            }
            _ => Stored::Refused,
        },
        Builder::Int8(builder) => {
            integer(text, |number| i8::try_from(number).ok().map(|n| builder.append_value(n)))
        }
        Builder::Int16(builder) => {
            integer(text, |number| i16::try_from(number).ok().map(|n| builder.append_value(n)))
        }
        Builder::Int32(builder) => {
            integer(text, |number| i32::try_from(number).ok().map(|n| builder.append_value(n)))
        }
        Builder::Int64(builder) => integer(text, |number| {
            builder.append_value(number);
            Some(())
        }),
        Builder::Id(_) | Builder::IdList(_) | Builder::Time(_) | Builder::Unmapped(_) => {
            Stored::Refused
        }
    }
}

fn append_ip(builder: &mut StringBuilder, text: &str) -> Stored {
    let Ok(address) = text.parse::<IpAddr>() else { return Stored::Refused };
    let canonical = address.to_canonical().to_string();
    builder.append_value(&canonical);
    if canonical == text { Stored::Same } else { Stored::Changed }
}

fn integer(text: &str, append: impl FnOnce(i64) -> Option<()>) -> Stored {
    let (number, same) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (i64::from_str_radix(digits, 16).ok(), false),
        None => (text.parse().ok(), is_canonical(text)),
    };
    match number.and_then(append) {
        Some(()) if same => Stored::Same,
        Some(()) => Stored::Changed,
        None => Stored::Refused,
    }
}

/// True where printing the number gives the very text back.
fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text == "0" || !digits.starts_with(['0', '+'])
}

/// Builds the list of (name, value, kind).
#[derive(Debug)]
pub(crate) struct UnmappedBuilder {
    names: StringBuilder,
    values: StringBuilder,
    kinds: Int8BufferBuilder,
    offsets: Vec<i32>,
    entries: i32,
}

impl UnmappedBuilder {
    fn new() -> Self {
        Self {
            names: StringBuilder::new(),
            values: StringBuilder::new(),
            kinds: Int8BufferBuilder::new(0),
            offsets: vec![0],
            entries: 0,
        }
    }

    fn push(&mut self, name: &str, value: Value<'_>) {
        self.names.append_value(name);
        self.values.append_option(value.kind.has_text().then_some(value.text));
        self.kinds.append(value.kind as i8);
        self.entries += 1;
    }

    fn close(&mut self) {
        self.offsets.push(self.entries);
    }

    /// A row without entries is an empty list, never null.
    fn append_nulls(&mut self, rows: usize) {
        (0..rows).for_each(|_| self.close());
    }

    fn finish(&mut self) -> ListArray {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        self.entries = 0;
        let kinds = Int8Array::new(ScalarBuffer::from(self.kinds.finish()), None);
        let entries = StructArray::new(
            unmapped_fields(),
            vec![Arc::new(self.names.finish()), Arc::new(self.values.finish()), Arc::new(kinds)],
            None,
        );
        let field = Field::new_list_field(DataType::Struct(unmapped_fields()), false);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        ListArray::new(Arc::new(field), offsets, Arc::new(entries), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(leaf_type: LeafType, text: &str) -> Stored {
        Column::new(leaf_type).set_text(0, text)
    }

    #[test]
    fn a_changed_spelling_is_told() {
        assert_eq!(store(LeafType::Int32, "443"), Stored::Same);
        assert_eq!(store(LeafType::Int32, "-1"), Stored::Same);
        for text in ["0443", "+443", "0x1bb", "-0"] {
            assert_eq!(store(LeafType::Int32, text), Stored::Changed, "{text}");
        }
        for text in ["", "44.3", "4e2", "99999999999", "0x", "x"] {
            assert_eq!(store(LeafType::Int32, text), Stored::Refused, "{text}");
        }
        assert_eq!(store(LeafType::Ip, "192.0.2.1"), Stored::Same);
        assert_eq!(store(LeafType::Ip, "::ffff:192.0.2.1"), Stored::Changed);
        assert_eq!(store(LeafType::Ip, "2001:DB8::1"), Stored::Changed);
        assert_eq!(store(LeafType::Ip, "192.0.2.1:80"), Stored::Refused);
    }

    #[test]
    fn unset_rows_become_null_and_the_first_value_stays() {
        let mut column = Column::new(LeafType::Text);
        assert_eq!(column.set_text(2, "x"), Stored::Same);
        assert_eq!(column.set_text(2, "y"), Stored::Refused);
        let array = column.finish(4);
        assert_eq!((array.len(), array.null_count()), (4, 3));
        assert_eq!(column.finish(0).len(), 0);
    }
}
