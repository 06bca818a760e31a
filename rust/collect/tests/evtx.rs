//! Binary event logs of Windows: all records come out, whatever is damaged between them.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod support;

#[path = "../../parse/tests/support/mutate.rs"]
mod mutate;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use bigsec_collect::{Feed, FeedOptions, FileBook, Input, Ledger, read_record};
use bigsec_event::EventId;
use bigsec_parse::{PackSet, ParseOptions};
use proptest::prelude::*;
use support::evtx_writer::{
    CHUNK, CHUNK_HEADER, FILE_HEADER, Record, STRINGS, chunk, chunk_with, file, utf16,
};

const PACKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../python/bigsec/packs/parsers");

static PACK_SET: LazyLock<Arc<PackSet>> =
    LazyLock::new(|| Arc::new(PackSet::load(Path::new(PACKS)).unwrap()));

/// An event: id, pack, text, command line.
type Event = (EventId, String, String, Option<String>);

fn drain(input: Input) -> (Vec<Event>, Ledger) {
    let options = FeedOptions {
        parse: ParseOptions::new(None, "UTC").unwrap(),
        received_us: Some(1_768_003_200_000_000),
        keep_raw: true,
        book: FileBook::default(),
    };
    let mut feed = Feed::new(vec![input], Arc::clone(&PACK_SET), options).unwrap();
    let mut events = Vec::new();
    while let Some(event) = feed.next_event() {
        let parsed = event.parsed;
        events.push((
            event.meta.id,
            parsed.record.parser_id().to_string(),
            parsed.record.text().to_owned(),
            parsed.column("process.cmd_line").map(str::to_owned),
        ));
    }
    let ledger = feed.ledgers()[0].clone();
    assert_eq!(ledger.received, ledger.parsed + ledger.unparsed + ledger.quarantined);
    (events, ledger)
}

fn drain_bytes(bytes: &[u8]) -> (Vec<Event>, Ledger) {
    drain(Input::Bytes { name: "a.evtx".into(), bytes: bytes.into() })
}

fn commands(events: &[Event]) -> Vec<&str> {
    events.iter().map(|(.., command)| command.as_deref().unwrap_or("")).collect()
}

fn records(ids: std::ops::Range<u64>) -> Vec<Record> {
    let record = |id| Record {
        id,
        event_id: 1,
        computer: "ws07.example.net",
        command_line: format!("cmd /c \"{id} 中文\\x\""),
    };
    ids.map(record).collect()
}

fn expected(ids: std::ops::Range<u64>) -> Vec<String> {
    records(ids).into_iter().map(|record| record.command_line).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn records_are_events_of_windows_with_their_values() {
    let (events, ledger) = drain_bytes(&file(&[chunk(&records(1..4))]));
    assert_eq!(ledger.problems, []);
    assert_eq!(commands(&events), expected(1..4));
    assert_eq!(events[0].1, "windows_event");
    assert_eq!(
        events[0].2,
        "{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":\
         \"Microsoft-Windows-Sysmon\"}},\"EventID\":1,\"TimeCreated\":{\"#attributes\":\
         {\"SystemTime\":\"2026-01-09T03:04:05.000000Z\"}},\"EventRecordID\":1,\
         \"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Computer\":\"ws07.example.net\"},\
         \"EventData\":{\"CommandLine\":\"cmd /c \\\"1 中文\\\\x\\\"\"}}}"
    );
}

#[test]
fn name_and_compression_change_no_id_and_a_record_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = file(&[chunk(&records(1..30)), vec![0; CHUNK], chunk(&records(30..40))]);
    let (events, ledger) = drain(Input::Path(write(folder.path(), "a.evtx", &bytes)));
    assert_eq!((commands(&events), ledger.problems.len()), (commands(&events), 0));
    assert_eq!(commands(&events), expected(1..40));
    assert_eq!(ledger.bytes, bytes.len() as u64);
    let packed = write(folder.path(), "b.bin", &gzip(&bytes));
    assert_eq!(drain(Input::Path(packed.clone())).0, events);
    let reader = std::io::Cursor::new(bytes);
    let stream = Input::Stream { name: "stdin".into(), reader: Some(Box::new(reader)) };
    assert_eq!(drain(stream).0, events);
    for (id, _, text, _) in [&events[0], &events[28], &events[38]] {
        let again = read_record(&packed, id.position()).unwrap().unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), *text);
    }
    assert_eq!(read_record(&packed, 3).unwrap(), None);
    assert_eq!(read_record(&packed, 5_000).unwrap(), None);
}

#[test]
fn a_damaged_chunk_is_told_and_the_next_is_read() {
    let mut bytes = file(&[chunk(&records(1..4)), chunk(&records(4..7)), chunk(&records(7..9))]);
    bytes[FILE_HEADER + CHUNK..][..8].copy_from_slice(b"nonsense");
    let (events, ledger) = drain_bytes(&bytes);
    assert_eq!(commands(&events), [expected(1..4), expected(7..9)].concat());
    assert_eq!(ledger.problems.len(), 1);
    assert_eq!(ledger.problems[0].code.number, "BS1103");
    assert!(ledger.problems[0].message.starts_with("at byte 69632: "), "{:?}", ledger.problems);
}

#[test]
fn damage_in_a_record_leaves_the_others() {
    let good = file(&[chunk(&records(1..6))]);
    let second = FILE_HEADER + CHUNK_HEADER + record_length(&good);
    let third = second + record_length(&good);
    // The content, the magic, a length that is too long, and one that is too short.
    let damages: [(usize, &[u8]); 4] = [
        (second + 24, &[0xff]),
        (second, b"gone"),
        (second + 4, &[0xff; 4]),
        (second + 4, &[3, 0, 0, 0]),
    ];
    for (at, damage) in damages {
        let mut bytes = good.clone();
        bytes[at..at + damage.len()].copy_from_slice(damage);
        let (events, ledger) = drain_bytes(&bytes);
        let rest = [expected(1..2), expected(3..6)].concat();
        assert_eq!(commands(&events), rest, "{at} {damage:?}: {:?}", ledger.problems);
        assert_eq!(ledger.problems.len(), 1);
        let place = format!("at byte {second}: a record is damaged");
        assert!(ledger.problems[0].message.starts_with(&place), "{:?}", ledger.problems);
        assert_eq!(events[1].0.position(), third as u64);
    }
}

fn record_length(file: &[u8]) -> usize {
    let at = FILE_HEADER + CHUNK_HEADER + 4;
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize
}

#[test]
fn a_file_that_was_cut_gives_what_it_has() {
    let good = file(&[chunk(&records(1..6)), chunk(&records(6..8))]);
    for end in [FILE_HEADER + CHUNK + 100, FILE_HEADER + CHUNK + 2_000] {
        let (events, ledger) = drain_bytes(&good[..end]);
        assert_eq!(commands(&events)[..5], expected(1..6));
        assert!(!ledger.problems.is_empty(), "{end}");
    }
    for end in [8, 100, FILE_HEADER] {
        let (events, ledger) = drain_bytes(&good[..end]);
        assert!(events.is_empty());
        assert_eq!(ledger.problems[0].code.number, "BS1106", "{end}");
    }
}

#[test]
fn names_that_lead_in_a_circle_and_lists_that_multiply_are_no_trap() {
    let mut circle = chunk(&records(1..3));
    // Two names that point to each other.
    circle[128..132].copy_from_slice(&60_000_u32.to_le_bytes());
    circle[60_000..60_004].copy_from_slice(&60_100_u32.to_le_bytes());
    circle[60_100..60_104].copy_from_slice(&60_000_u32.to_le_bytes());
    let (events, _) = drain_bytes(&file(&[circle]));
    assert_eq!(commands(&events), expected(1..3));

    let list = |items: usize| chunk_with(STRINGS, &utf16(&"x\0".repeat(items)));
    let (events, ledger) = drain_bytes(&file(&[list(3)]));
    assert_eq!(events[0].2.matches("\"x\"").count(), 3, "{}", events[0].2);
    assert_eq!(ledger.problems, []);
    let (events, ledger) = drain_bytes(&file(&[list(10_000)]));
    assert_eq!((events.len(), ledger.problems.len()), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Every event is one of the file's, or the damage changed just it; nothing hangs or stops.
    #[test]
    fn any_damage_is_survived(
        damage in prop::collection::vec((0_usize..6_000, any::<u8>()), 1..12),
        end in 0_usize..CHUNK,
    ) {
        let mut bytes = file(&[chunk(&records(1..6)), chunk(&records(6..8))]);
        for (at, byte) in damage {
            bytes[FILE_HEADER + at] = byte;
        }
        let (events, _) = drain_bytes(&bytes);
        let found = commands(&events);
        prop_assert_eq!(&found[found.len() - 2..], expected(6..8));
        drain_bytes(&bytes[..FILE_HEADER + end]);
    }
}

#[test]
fn t4_no_event_log_makes_the_reader_panic() {
    let seeds = [file(&[chunk(&records(1..4)), chunk(&records(4..9))]), file(&[])];
    mutate::fuzz("t4-evtx", &seeds, |input| drop(drain_bytes(input)));
}
