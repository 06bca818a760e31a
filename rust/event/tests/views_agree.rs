//! A record and the row made from it answer alike, whatever the fields and the map.

use bigsec_event::{
    EventBatchBuilder, EventId, EventMeta, EventView, FieldMap, FieldMaps, FieldName, FieldSource,
    Kind, Origin, Record, TimeBound,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAMES: &[&str] =
    &["CommandLine", "commandline", "Image", "Src", "SrcAlt", "Port", "Other", "Threat Name"];

const PAIRS: &[(&str, &str)] = &[
    ("CommandLine", "process.cmd_line"),
    ("Image", "process.path"),
    ("Src", "src_endpoint.ip"),
    ("SrcAlt", "src_endpoint.ip"),
    ("Port", "src_endpoint.port"),
    ("Threat Name", "finding.title"),
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("443".to_owned()),
        Just("0443".to_owned()),
        Just("192.0.2.7".to_owned()),
        Just("2001:DB8::1".to_owned()),
        Just(String::new()),
        "\\PC{0,6}",
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::String),
        1 => Just(Kind::Number),
        1 => Just(Kind::Null),
        1 => Just(Kind::EmptyList),
    ]
}

fn meta(position: u64) -> EventMeta<'static> {
    EventMeta {
        id: EventId::new(Origin::File, 7, position, 0),
        time_us: None,
        tz_offset_min: None,
        received_us: 1,
        bound: TimeBound::None,
        source: "test",
        encoding: None,
        continued: false,
        keep_raw: true,
    }
}

/// What a rule could see under a name: kinds without text have none.
fn seen(source: &dyn FieldSource, name: &str) -> Vec<(String, bool)> {
    let mut seen = Vec::new();
    source.visit(&FieldName::new(name), &mut |value| {
        let text = if value.kind.has_text() { value.text } else { "" };
        seen.push((text.to_owned(), value.kind.has_text()));
        false
    });
    seen
}

/// Every value of the event, whatever the order in which a view walks the names.
fn all(source: &dyn FieldSource) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    source.visit_all(&mut |name, value| {
        if value.kind.has_text() {
            let name = name.to_lowercase().replace(' ', "");
            all.entry(name).or_default().push(value.text.to_owned());
        }
        false
    });
    all
}

proptest! {
    #[test]
    fn record_and_row_answer_alike(
        rows in prop::collection::vec(
            prop::collection::vec((prop::sample::select(NAMES), text(), kind()), 0..8), 1..4)
    ) {
        let map = FieldMap::new(PAIRS.iter().copied()).unwrap();
        let mut maps = FieldMaps::new();
        maps.add(Arc::new(map.clone()));
        let mut builder = EventBatchBuilder::new(&maps);
        let mut records = Vec::new();
        for (position, fields) in rows.iter().enumerate() {
            let mut record = Record::new();
            record.reset("raw");
            for (name, value, kind) in fields {
                record.push(name, if kind.has_text() { value } else { "" }, *kind);
            }
            builder.append(&record, &map, &meta(position as u64), []);
            records.push(record);
        }
        let batch = builder.finish();
        let view = EventView::new(&batch, &FieldMaps::new()).unwrap();
        prop_assert_eq!(view.len(), records.len());
        for (row, record) in records.iter().enumerate() {
            let event = view.row(row);
            prop_assert_eq!(event.id().position(), row as u64);
            prop_assert_eq!(event.raw(), Some("raw"));
            prop_assert_eq!(event.parser(), "none");
            for name in NAMES {
                prop_assert_eq!(seen(record, name), seen(&event, name), "{}", name);
            }
            prop_assert_eq!(all(record), all(&event));
        }
    }
}

#[test]
fn top_level_copies_and_derived_columns_are_filled() {
    let map = FieldMap::new([("Src", "src_endpoint.ip"), ("User", "user.name")]).unwrap();
    let mut builder = EventBatchBuilder::new(&FieldMaps::new());
    let mut record = Record::new();
    record.reset("");
    record.push("Src", "2001:DB8::1", Kind::String);
    record.push("User", "li", Kind::String);
    let class = bigsec_event::schema::leaf_index("class_uid").unwrap();
    builder.append(&record, &map, &meta(0), [(class, "3002")]);
    let batch = builder.finish();
    let text = |name: &str| {
        use arrow_array::cast::AsArray;
        batch.column_by_name(name).unwrap().as_string::<i32>().value(0).to_owned()
    };
    assert_eq!(text("src_ip"), "2001:db8::1");
    assert_eq!(text("user_name"), "li");
    let class = batch.column_by_name("class_uid").unwrap();
    assert_eq!(
        arrow_array::cast::as_primitive_array::<arrow_array::types::Int32Type>(class).value(0),
        3002
    );
}

#[test]
fn a_row_whose_map_nobody_has_is_an_error_with_its_row() {
    let map = FieldMap::new([("Src", "src_endpoint.ip")]).unwrap();
    let mut builder = EventBatchBuilder::new(&FieldMaps::new());
    builder.append(&Record::new(), &map, &meta(0), []);
    let batch = builder.finish();
    let error = EventView::new(&batch, &FieldMaps::new()).unwrap_err().to_string();
    assert!(error.contains("row 0") && error.contains(&**map.id()), "{error}");
}
