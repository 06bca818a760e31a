//! Every case of `tests/parse/cases`: raw records and the complete result expected of them.
//!
//! A case is `<pack or decoder>/<what it shows>.log` (raw, as received, one record a line) with a
//! `.json` beside it. `BLESS=1` writes the expected files anew: look at the difference.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_event::Kind;
use bigsec_event::schema::LEAVES;
use bigsec_parse::{Outcome, PackSet, Parsed};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use support::{RECEIVED_US, packs, parser, repository};

fn logs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(logs(&path));
        } else if path.extension().is_some_and(|extension| extension == "log") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A field as one line: what is not text says so.
fn field(name: &str, text: &str, kind: Kind) -> String {
    match kind {
        Kind::String => format!("{name} = {text}"),
        Kind::Number => format!("{name} = {text} (number)"),
        Kind::Boolean => format!("{name} = {text} (boolean)"),
        Kind::Null => format!("{name} (null)"),
        Kind::EmptyList => format!("{name} (empty list)"),
        Kind::EmptyObject => format!("{name} (empty object)"),
    }
}

fn event(parsed: &Parsed) -> Value {
    let time = parsed.time_us.map(|us| Timestamp::from_microsecond(us).unwrap().to_string());
    let columns: Map<String, Value> = LEAVES
        .iter()
        .filter_map(|leaf| Some((leaf.path.to_owned(), parsed.column(leaf.path)?.into())))
        .collect();
    let fields: Vec<String> =
        parsed.record.iter().map(|(name, value)| field(name, value.text, value.kind)).collect();
    let mut event = json!({
        "parser": &**parsed.record.parser_id(),
        "columns": columns,
        "fields": fields,
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            event[name] = value;
        }
    };
    put("time", time.map(Value::from));
    put("tz_offset_min", parsed.tz_offset_min.map(Value::from));
    put("encoding", parsed.encoding.map(Value::from));
    put("reason", parsed.reason.map(|code| code.name.into()));
    put("offset", parsed.offset.map(Value::from));
    event
}

fn read(path: &Path, packs: &Arc<PackSet>) -> Value {
    let raw = std::fs::read(path).unwrap();
    let (mut parser, mut parsed) = (parser(packs), Parsed::new());
    let (mut events, mut directives, mut unparsed) = (Vec::new(), 0, 0);
    let lines = raw.strip_suffix(b"\n").unwrap_or(&raw).split(|byte| *byte == b'\n');
    for line in lines {
        match parser.parse(line, RECEIVED_US, &mut parsed) {
            Outcome::Directive => {
                directives += 1;
                continue;
            }
            Outcome::Unparsed(_) => unparsed += 1,
            Outcome::Event => {}
        }
        events.push(event(&parsed));
    }
    let parsed = events.len() - unparsed;
    json!({
        "ledger": {"events": parsed, "directives": directives, "unparsed": unparsed},
        "events": events,
    })
}

#[test]
fn every_case_gives_what_stands_beside_it() {
    let packs = packs();
    let folder = repository().join("tests/parse/cases");
    let cases = logs(&folder);
    assert!(!cases.is_empty());
    let mut faults = Vec::new();
    for log in &cases {
        let (got, beside) = (read(log, &packs), log.with_extension("json"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&beside, serde_json::to_string_pretty(&got).unwrap() + "\n").unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        let expected: Value = serde_json::from_str(&expected).unwrap_or_default();
        for difference in differences("", &expected, &got) {
            faults.push(format!("{}: {difference}", log.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_pack_has_cases_and_every_folder_of_cases_a_pack() {
    let packs = packs();
    let folder = repository().join("tests/parse/cases");
    let mut folders: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, packs.ids().collect::<Vec<_>>());
}

/// Where two values differ, one line each.
fn differences(path: &str, expected: &Value, got: &Value) -> Vec<String> {
    match (expected, got) {
        (Value::Object(left), Value::Object(right)) => {
            let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
            let of =
                |map: &Map<String, Value>, name: &str| map.get(name).cloned().unwrap_or_default();
            names
                .into_iter()
                .flat_map(|name| {
                    differences(&format!("{path}/{name}"), &of(left, name), &of(right, name))
                })
                .collect()
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs.flat_map(|(at, (l, r))| differences(&format!("{path}/{at}"), l, r)).collect()
        }
        _ if expected == got => Vec::new(),
        _ => vec![format!("{path} is {got}, not {expected}")],
    }
}
