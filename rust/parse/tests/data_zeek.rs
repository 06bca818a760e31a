//! Zeek's logs of the same traffic as TSV and as JSON give equal records, and the baselines of its
//! own tests, of all shapes, are read to the last column.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use std::collections::BTreeMap;

use bigsec_event::Kind;
use bigsec_parse::{Outcome, Parsed};
use serde_json::Value;
use support::{RECEIVED_US, fields, packs, parser, shared, shared_text};

type Fields = BTreeMap<String, Vec<(String, Kind)>>;

/// What TSV cannot say, by log and field, with the reason.
const DATA_DIFFERS: [(&str, &str, &str); 1] =
    [("known_services", "service", "a set with one empty string is written as an empty set")];

fn by_name(parsed: &Parsed) -> Fields {
    let mut map = Fields::new();
    for (name, text, kind) in fields(parsed) {
        map.entry(name).or_default().push((text, kind));
    }
    map.remove("_path");
    map.remove("_write_ts");
    map
}

/// TSV has six digits behind the point, JSON all of them.
fn same(tsv: &(String, Kind), json: &(String, Kind)) -> bool {
    let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    tsv == json
        || tsv.1 == Kind::Number
            && json.1 == Kind::Number
            && (number(&tsv.0) - number(&json.0)).abs() <= 0.000_001
}

#[test]
fn tsv_and_json_give_equal_records() {
    let Some(folder) = shared("zeek-tsv-json") else { return };
    let packs = packs();
    let mut logs: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".log.zst").map(str::to_owned)
        })
        .collect();
    logs.sort();
    assert!(logs.len() >= 18, "{logs:?}");
    let mut differences = BTreeMap::new();
    for log in &logs {
        let tsv = shared_text(&format!("zeek-tsv-json/{log}.log.zst")).unwrap();
        let json = shared_text(&format!("zeek-tsv-json/{log}.json.zst")).unwrap();
        let (mut tsv_parser, mut json_parser) = (parser(&packs), parser(&packs));
        let (mut left, mut right) = (Parsed::new(), Parsed::new());
        let mut json_lines = json.lines();
        for line in tsv.lines() {
            match tsv_parser.parse(line.as_bytes(), RECEIVED_US, &mut left) {
                Outcome::Directive => continue,
                outcome => assert_eq!(outcome, Outcome::Event, "{log}: {line}"),
            }
            let twin = json_lines.next().expect("as many records in JSON");
            json_parser.parse(twin.as_bytes(), RECEIVED_US, &mut right);
            assert_eq!(left.map.id(), right.map.id(), "{log}: {line}");
            assert_eq!(left.derived, right.derived, "{log}: {line}");
            assert_eq!(left.time_us, right.time_us, "{log}: {line}");
            let (tsv_fields, json_fields) = (by_name(&left), by_name(&right));
            let names: std::collections::BTreeSet<_> =
                tsv_fields.keys().chain(json_fields.keys()).collect();
            for name in names {
                let (one, two) = (tsv_fields.get(name), json_fields.get(name));
                let equal = one.zip(two).is_some_and(|(one, two)| {
                    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
                });
                if !equal {
                    let entry = differences.entry((log.clone(), name.clone()));
                    entry.or_insert_with(|| (0, format!("{one:?} {two:?}"))).0 += 1;
                }
            }
        }
        assert_eq!(json_lines.next(), None, "as many records in TSV: {log}");
    }
    for (log, name, why) in DATA_DIFFERS {
        if let Some((count, _)) = differences.remove(&(log.to_owned(), name.to_owned())) {
            eprintln!("the data differ in {count} records of {log}, field {name}: {why}");
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn every_baseline_is_read_to_the_last_column() {
    let Some(text) = shared_text("zeek-baselines/files.jsonl.zst") else { return };
    let packs = packs();
    let mut faults = Vec::new();
    for line in text.lines() {
        let file: Value = serde_json::from_str(line).unwrap();
        let (id, text) = (file["id"].as_str().unwrap(), file["text"].as_str().unwrap());
        let mut parser = parser(&packs);
        let mut parsed = Parsed::new();
        let mut records = 0;
        let mut names: Vec<&str> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(list) = line.trim_end_matches('\r').strip_prefix("#fields") {
                let separator = if list.starts_with("||") { "||" } else { "\t" };
                names = list.split(separator).skip(1).collect();
            }
            let outcome = parser.parse(line.as_bytes(), RECEIVED_US, &mut parsed);
            match outcome {
                Outcome::Directive => assert!(line.starts_with('#'), "{id}: {line}"),
                Outcome::Event => {
                    records += 1;
                    let separator = if line.contains("||") { "||" } else { "\t" };
                    let values = line.trim_end_matches('\r').split(separator);
                    for (name, value) in names.iter().zip(values) {
                        let is_there = parsed.record.iter().any(|(other, _)| other == *name);
                        if value != "-" && !is_there && line.starts_with(|c: char| c != '{') {
                            faults.push(format!("{id}: {name} is missing in {line}"));
                        }
                    }
                }
                // A comment before any header could stand in any text: it is none of Zeek's.
                Outcome::Unparsed(_) if line.starts_with("###") && names.is_empty() => {}
                Outcome::Unparsed(code) => faults.push(format!("{id}: {} {line}", code.name)),
            }
        }
        let expected = file["records"].as_u64().unwrap();
        if records != expected {
            faults.push(format!("{id}: {records} records, not {expected}"));
        }
    }
    assert!(faults.is_empty(), "{} faults: {:#?}", faults.len(), &faults[..faults.len().min(20)]);
}
