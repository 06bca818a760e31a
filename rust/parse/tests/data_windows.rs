//! The same Windows events as an EVTX converter writes them and flattened by others have the same
//! vendor fields.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

use std::collections::BTreeMap;

use bigsec_event::Kind;
use bigsec_parse::{Outcome, Parsed};
use support::{RECEIVED_US, fields, packs, parser, shared_text};

const SETS: [&str; 4] = ["sigmahq-regression", "sbousseaden", "mdecrevoisier", "yamato-deepblue"];

/// Names that only the raw form has and the flattening of the data left out.
fn left_out(name: &str) -> bool {
    matches!(
        name,
        "Qualifiers"
            | "Execution_ThreadID"
            | "Execution_KernelTime"
            | "Execution_UserTime"
            | "Execution_ProcessorID"
            | "Correlation_ActivityID"
            | "Correlation_RelatedActivityID"
            | "Provider_EventSourceName"
            | "EventData_Name"
            | "EventData_Version"
            | "LogFileCleared_Channel"
            | "Event.EventData"
            | "Correlation"
            | "Security"
    ) || name.contains("xmlns")
        || name.starts_with("Event.ProcessingErrorData")
        || name.starts_with("Event.SubscriptionBookmarkEvent")
}

fn by_name(parsed: &Parsed) -> BTreeMap<String, Vec<String>> {
    let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, text, kind) in fields(parsed) {
        // A field without a value is left out by the flattening.
        if kind != Kind::Null {
            map.entry(name).or_default().push(text);
        }
    }
    map
}

#[test]
fn raw_and_flat_events_have_the_same_fields() {
    let packs = packs();
    let mut deviations: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut events = 0;
    for set in SETS {
        let Some(raw) = shared_text(&format!("windows-events/{set}/raw.ndjson.zst")) else {
            return;
        };
        let flat = shared_text(&format!("windows-events/{set}/flat.ndjson.zst")).unwrap();
        let mut parser = parser(&packs);
        let (mut left, mut right) = (Parsed::new(), Parsed::new());
        for (raw, flat) in raw.lines().zip(flat.lines()) {
            events += 1;
            assert_eq!(parser.parse(raw.as_bytes(), RECEIVED_US, &mut left), Outcome::Event);
            assert_eq!(parser.parse(flat.as_bytes(), RECEIVED_US, &mut right), Outcome::Event);
            for parsed in [&left, &right] {
                assert_eq!(&**parsed.record.parser_id(), "windows_event", "{raw}");
                assert!(parsed.time_us.is_some(), "{raw}");
            }
            let (raw_fields, flat_fields) = (by_name(&left), by_name(&right));
            let names: std::collections::BTreeSet<_> = raw_fields
                .keys()
                .chain(flat_fields.keys())
                .filter(|name| !left_out(name))
                .collect();
            for name in names {
                let (one, two) = (raw_fields.get(name), flat_fields.get(name));
                // Unnamed data are a list here; the flattening joined them by line ends.
                let joined = one.filter(|_| name == "Data").map(|list| vec![list.join("\n")]);
                if one != two && joined.as_ref() != two {
                    let entry = deviations.entry(name.clone());
                    let cut = |values: Option<&Vec<String>>| {
                        format!("{values:?}").chars().take(150).collect::<String>()
                    };
                    entry.or_insert_with(|| (0, format!("{} | {}", cut(one), cut(two)))).0 += 1;
                }
            }
            if left.map.id() != right.map.id() {
                deviations.entry("(field map)".into()).or_insert((0, raw.into())).0 += 1;
            }
        }
    }
    assert_eq!(events, 18_664);
    assert!(deviations.is_empty(), "{deviations:#?}");
}
