//! A scan keeps its records as evidence, under the ids of their events.

use std::path::Path;
use std::sync::Arc;

use bigsec_collect::daemon::{find_event, record_at};
use bigsec_collect::storage::Disk;
use bigsec_collect::{
    Detection, Evidence, Feed, FeedOptions, FileBook, Input, ScanOptions, Scanner,
};
use bigsec_detect::{Entities, LoadOptions, RuleSet};
use bigsec_event::{EventId, Origin, file_key, fingerprint};
use bigsec_evidence::LogReader;
use bigsec_parse::{PackSet, ParseOptions};

const TEXT: &str = "{\"user\": \"li\"}\n{\"user\": \"evil\"}\nplain words\n{\"user\": \"wang\"}\n";

const RULE: &str = "
title: Evil
id: 5f6f1b1e-6a3a-4b0e-9b8e-2f3f5f0f7a11
status: test
logsource: {product: any}
detection:
  who: {user: evil}
  condition: who
level: high
";

fn scan(folder: &Path, all: bool) -> LogReader {
    scan_text(folder, all, TEXT)
}

fn scan_text(folder: &Path, all: bool, text: &str) -> LogReader {
    let rules = folder.join("rules");
    std::fs::create_dir_all(&rules).expect("a folder");
    std::fs::write(rules.join("evil.yml"), RULE).expect("it can be written");
    let loaded = RuleSet::load(&[rules], &LoadOptions::default());
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/bigsec/packs/parsers");
    let packs = Arc::new(PackSet::load(&packs).expect("the packs load"));
    let input = Input::Bytes { name: "app.log".to_owned(), bytes: text.as_bytes().into() };
    let options = FeedOptions {
        parse: ParseOptions::new(None, "UTC").expect("UTC is known"),
        received_us: Some(1_700_000_000_000_000),
        keep_raw: false,
        book: FileBook::default(),
    };
    let evidence = Evidence::open(&folder.join("evidence"), all).expect("a new log");
    let feed = Feed::new(vec![input], Arc::clone(&packs), options)
        .expect("no format is named")
        .keeping(Some(evidence));
    let entities = Entities::from_text("entities", "{}").unwrap_or_else(|problems| {
        panic!("an empty table is one: {problems:?}");
    });
    let detection =
        Detection { rules: loaded.rules, entities: Arc::new(entities), indicators: None };
    let mut scanner = Scanner::new(feed, &detection, packs.maps(), ScanOptions::default());
    let mut signals = 0;
    while let Some(found) = scanner.next_chunk().expect("the disk takes it") {
        signals += found.signals.num_rows();
    }
    assert_eq!(signals, 1);
    drop(scanner);
    LogReader::open(Arc::new(Disk), &folder.join("evidence")).expect("a log")
}

/// The id of the record at an offset of the input.
fn id_at(offset: u64) -> EventId {
    EventId::new(Origin::File, file_key(&fingerprint(TEXT.as_bytes()), 0), offset, 0)
}

#[test]
fn all_records_are_kept_under_the_ids_of_their_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = scan(folder.path(), true);
    assert_eq!(log.durable_size().expect("it can be read"), 4);
    let place = folder.path().join("evidence");
    let found = find_event(Arc::new(Disk), &place, id_at(15)).expect("it can be read");
    assert_eq!(found, Some(1));
    let record = record_at(Arc::new(Disk), &place, 1).expect("it is there");
    assert_eq!(record.id, id_at(15));
    assert_eq!(record.payload, b"{\"user\": \"evil\"}");
    assert_eq!(record.source, "app.log");
    assert_eq!(find_event(Arc::new(Disk), &place, id_at(16)).expect("it can be read"), None);
    assert!(record_at(Arc::new(Disk), &place, 4).is_err());
}

#[test]
fn only_records_of_signals_are_kept_where_that_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = scan(folder.path(), false);
    assert_eq!(log.durable_size().expect("it can be read"), 1);
    let record =
        record_at(Arc::new(Disk), &folder.path().join("evidence"), 0).expect("it is there");
    assert_eq!(record.payload, b"{\"user\": \"evil\"}");
}

#[test]
fn a_file_scanned_again_is_not_kept_again() {
    for (all, count) in [(true, 4), (false, 1)] {
        let folder = tempfile::tempdir().expect("a folder");
        for _ in 0..3 {
            let mut log = scan(folder.path(), all);
            assert_eq!(log.durable_size().expect("it can be read"), count, "all: {all}");
        }
    }
}

#[test]
fn what_was_not_kept_before_is_kept_by_a_later_scan() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(scan(folder.path(), false));
    let mut log = scan(folder.path(), true);
    assert_eq!(log.durable_size().expect("it can be read"), 4);
}

/// Long enough that what is added leaves its fingerprint, and so its file key, as they were.
fn long_text() -> String {
    let mut text = String::new();
    for number in 0..20_000 {
        text.extend(["{\"user\": \"li\", \"number\": ", &number.to_string(), "}\n"]);
    }
    text + "{\"user\": \"evil\"}\nunfini"
}

#[test]
fn of_a_file_that_grew_only_the_new_records_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = scan_text(folder.path(), true, &long_text()).durable_size().expect("a size");
    assert_eq!(before, 20_002);
    let grown = long_text() + "shed\nplain words\n";
    let mut log = scan_text(folder.path(), true, &grown);
    // The whole of the line that was unfinished, and the new one.
    assert_eq!(log.durable_size().expect("it can be read"), before + 2);
}
