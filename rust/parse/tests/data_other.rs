//! Suricata's EVE, Apache's access log and Linux logs of real machines.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use bigsec_event::Kind;
use bigsec_parse::{Outcome, Parsed};
use serde_json::Value;
use support::{RECEIVED_US, fields, packs, parser, shared_text};

/// Every leaf of a JSON value as (dotted path, text, kind).
fn leaves(value: &Value, path: &str, out: &mut Vec<(String, String, Kind)>) {
    let mut push = |text: String, kind| out.push((path.to_owned(), text, kind));
    match value {
        Value::Null => push(String::new(), Kind::Null),
        Value::Bool(yes) => push(yes.to_string(), Kind::Boolean),
        Value::Number(number) => push(number.to_string(), Kind::Number),
        Value::String(text) => push(text.clone(), Kind::String),
        Value::Array(list) if list.is_empty() => push(String::new(), Kind::EmptyList),
        Value::Object(object) if object.is_empty() && !path.is_empty() => {
            push(String::new(), Kind::EmptyObject);
        }
        Value::Array(list) => list.iter().for_each(|element| leaves(element, path, out)),
        Value::Object(object) => {
            for (key, member) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(member, &path, out);
            }
        }
    }
}

#[test]
fn every_leaf_of_eve_is_in_the_record() {
    let Some(text) = shared_text("suricata-eve/eve.ndjson.zst") else { return };
    let packs = packs();
    let (mut parser, mut parsed) = (parser(&packs), Parsed::new());
    for line in text.lines() {
        assert_eq!(parser.parse(line.as_bytes(), RECEIVED_US, &mut parsed), Outcome::Event);
        assert_eq!(&**parsed.record.parser_id(), "suricata");
        assert!(parsed.time_us.is_some() && parsed.column("class_uid") != Some("0"), "{line}");
        let mut expected = Vec::new();
        leaves(&serde_json::from_str(line).unwrap(), "", &mut expected);
        let got = fields(&parsed);
        for leaf in &expected {
            assert!(got.contains(leaf), "{leaf:?} of {line}");
        }
    }
}

#[test]
fn every_field_of_an_access_log_is_as_expected() {
    let Some(text) = shared_text("real-logs/apache_access.jsonl.zst") else { return };
    let packs = packs();
    let (mut parser, mut parsed) = (parser(&packs), Parsed::new());
    let names = [
        ("remote_host", "c-ip"),
        ("ident", "ident"),
        ("user", "cs-username"),
        ("request", "request"),
        ("status", "sc-status"),
        ("bytes", "sc-bytes"),
        ("referer", "cs-referer"),
        ("agent", "cs-user-agent"),
    ];
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let line = case["line"].as_str().unwrap();
        assert_eq!(
            parser.parse(line.as_bytes(), RECEIVED_US, &mut parsed),
            Outcome::Event,
            "{line}"
        );
        assert_eq!(&**parsed.record.parser_id(), "apache_access");
        let expected = &case["expected"];
        if expected.is_null() {
            eprintln!("nothing is expected of {line}");
            continue;
        }
        let got: BTreeMap<_, _> =
            fields(&parsed).into_iter().map(|(n, text, _)| (n, text)).collect();
        for (theirs, ours) in names {
            let want = match &expected[theirs] {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            assert_eq!(got.get(ours), want.as_ref(), "{ours} of {line}");
        }
        let time: jiff::Timestamp = expected["time"].as_str().unwrap().parse().unwrap();
        assert_eq!(parsed.time_us, Some(time.as_microsecond()), "{line}");
    }
}

#[test]
fn lines_of_linux_logs_are_parsed_and_sshd_is_understood() {
    let packs = packs();
    for (system, sshd_share_min) in [("OpenSSH", 0.95), ("Linux", 0.95)] {
        let path = format!("loghub-2k/{system}/{system}_2k.log.zst");
        let Some(text) = shared_text(&path) else { return };
        let (mut parser, mut parsed) = (parser(&packs), Parsed::new());
        let (mut sshd, mut understood) = (0_u32, 0_u32);
        let mut missed = BTreeSet::new();
        for line in text.lines() {
            let outcome = parser.parse(line.as_bytes(), RECEIVED_US, &mut parsed);
            assert_eq!(outcome, Outcome::Event, "{line}");
            assert!(
                parsed.time_us.is_some() && parsed.column("device.hostname").is_some(),
                "{line}"
            );
            if parsed.column("metadata.log_provider").is_some_and(|name| name.starts_with("sshd")) {
                sshd += 1;
                // Beside the header a pattern adds at least the class.
                if parsed.column("class_uid") == Some("0") {
                    missed.insert(parsed.column("message").unwrap_or_default().to_owned());
                } else {
                    understood += 1;
                }
            }
        }
        let share = f64::from(understood) / f64::from(sshd);
        eprintln!("{system}: {understood} of {sshd} lines of sshd; not: {missed:?}");
        assert!(share >= sshd_share_min, "{system}: {share}");
    }
}
