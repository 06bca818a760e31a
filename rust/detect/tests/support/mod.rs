//! Events for tests: JSON objects as records, and where the shared data stands.

#![allow(dead_code, reason = "each test uses its own part")]

pub mod oracle;
pub mod tar;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_event::{Kind, Record};
use serde_json::Value;

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The routing table that is shipped.
pub fn table() -> PathBuf {
    repository().join("python/bigsec/packs/tables/logsources.yaml")
}

/// A folder of the shared data; says so where it is absent.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BIGSEC_SHARED_DATA")
        .map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let path = root.join(folder);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var_os("BIGSEC_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!required, "{} is absent and BIGSEC_REQUIRE_ALL=1", path.display());
    println!("skipped: {} is absent", path.display());
    None
}

/// Reads a file compressed with zstd.
pub fn unpack(path: &Path) -> String {
    let file = std::fs::File::open(path).expect("the file opens");
    let bytes = zstd::decode_all(file).expect("the file is sound");
    String::from_utf8(bytes).expect("the file is text")
}

/// A record with the fields of a JSON object: members by dotted paths, elements repeating them.
pub fn record(object: &Value, parser: &str) -> Record {
    let mut record = Record::new();
    record.reset(&object.to_string());
    record.set_parser(&Arc::from(parser));
    fill(&mut record, object);
    record
}

/// Adds the fields of a JSON object to a record.
pub fn fill(record: &mut Record, object: &Value) {
    if let Value::Object(members) = object {
        for (name, value) in members {
            flatten(record, name, value);
        }
    }
}

fn flatten(record: &mut Record, name: &str, value: &Value) {
    match value {
        Value::Null => record.push(name, "", Kind::Null),
        Value::Bool(value) => record.push(name, &value.to_string(), Kind::Boolean),
        Value::Number(number) => record.push(name, &number.to_string(), Kind::Number),
        Value::String(text) => record.push(name, text, Kind::String),
        Value::Array(items) if items.is_empty() => record.push(name, "", Kind::EmptyList),
        Value::Array(items) => items.iter().for_each(|item| flatten(record, name, item)),
        Value::Object(members) if members.is_empty() => record.push(name, "", Kind::EmptyObject),
        Value::Object(members) => {
            for (member, value) in members {
                flatten(record, &format!("{name}.{member}"), value);
            }
        }
    }
}
