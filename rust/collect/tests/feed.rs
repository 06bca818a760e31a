//! Inputs of every kind go through the feed: nothing is lost, ids do not depend on how a log lies.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_collect::{Feed, FeedOptions, FileBook, Input, Ledger};
use bigsec_event::EventId;
use bigsec_parse::{PackSet, ParseOptions};

const PACKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../python/bigsec/packs/parsers");

fn feed(inputs: Vec<Input>) -> Feed {
    let packs = PackSet::load(Path::new(PACKS)).expect("the packs of the repo load");
    let options = FeedOptions {
        parse: ParseOptions::new(None, "UTC").expect("UTC is a time zone"),
        received_us: Some(1_700_000_000_000_000),
        keep_raw: true,
        book: FileBook::default(),
    };
    Feed::new(inputs, Arc::new(packs), options).expect("no format was told")
}

/// The ids and texts of all events, and the accounts.
fn drain(mut feed: Feed) -> (Vec<(EventId, String)>, Vec<Ledger>) {
    let mut events = Vec::new();
    while let Some(event) = feed.next_event() {
        events.push((event.meta.id, event.parsed.record.text().to_owned()));
    }
    for ledger in feed.ledgers() {
        assert_eq!(ledger.received, ledger.parsed + ledger.unparsed + ledger.quarantined);
    }
    (events, feed.ledgers().to_vec())
}

fn log(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|n| format!("{{\"n\":{n},\"text\":\"line\"}}\n").into_bytes()).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a temporary folder can be written");
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

#[test]
fn compression_and_name_change_no_id() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plain = log(20_000);
    let zstd = zstd::encode_all(plain.as_slice(), 1).expect("memory takes all");
    let (whole, _) = drain(feed(vec![Input::Path(write(folder.path(), "a.log", &plain))]));
    assert_eq!(whole.len(), 20_000);
    for (name, bytes) in [("b.gz", gzip(&plain)), ("c", zstd), ("d.xz", xz(&plain))] {
        let path = write(folder.path(), name, &bytes);
        assert_eq!(drain(feed(vec![Input::Path(path)])).0, whole, "{name}");
    }
    let bytes = Input::Bytes { name: "memory".into(), bytes: plain.as_slice().into() };
    assert_eq!(drain(feed(vec![bytes])).0, whole);
    let reader = std::io::Cursor::new(plain);
    let stream = Input::Stream { name: "stdin".into(), reader: Some(Box::new(reader)) };
    assert_eq!(drain(feed(vec![stream])).0, whole);
}

#[test]
fn gzip_members_one_after_the_other_are_one_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut joined = gzip(b"{\"a\":1}\n");
    joined.extend(gzip(b"{\"a\":2}\n"));
    let path = write(folder.path(), "joined.gz", &joined);
    assert_eq!(drain(feed(vec![Input::Path(path)])).0.len(), 2);
}

#[test]
fn a_copy_in_the_same_run_is_read_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = write(folder.path(), "a.log", &log(100));
    let copy = write(folder.path(), "renamed.gz", &gzip(&log(100)));
    let (events, ledgers) = drain(feed(vec![Input::Path(first.clone()), Input::Path(copy)]));
    assert_eq!(events.len(), 100);
    assert_eq!(ledgers[1].duplicate_of.as_deref(), first.to_str());
}

#[test]
fn a_compressed_file_cut_in_half_gives_what_it_has_and_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plain = log(50_000);
    for (name, bytes) in [("cut.gz", gzip(&plain)), ("cut.xz", xz(&plain))] {
        let path = write(folder.path(), name, &bytes[..bytes.len() / 2]);
        let good = write(folder.path(), "good.log", b"{\"after\":1}\n");
        let (events, ledgers) = drain(feed(vec![Input::Path(path), Input::Path(good)]));
        assert!(events.len() > 1_000, "{name}: {}", events.len());
        assert_eq!(ledgers[0].problems.last().map(|problem| problem.code.number), Some("BS1104"));
        assert_eq!(ledgers[1].events, 1, "{name}: the next file is read");
    }
}

#[test]
fn a_bomb_is_stopped_and_what_came_before_is_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("memory takes all");
    encoder.write_all(b"{\"first\":1}\n").expect("memory takes all");
    for _ in 0..200 {
        encoder.write_all(&vec![b'\n'; 1 << 20]).expect("memory takes all");
    }
    let bomb = encoder.finish().expect("memory takes all");
    let (events, ledgers) = drain(feed(vec![Input::Path(write(folder.path(), "bomb.zst", &bomb))]));
    assert_eq!(events.len(), 1);
    assert_eq!(ledgers[0].problems[0].code.number, "BS1108");
}

#[test]
fn what_cannot_be_opened_is_told_and_the_rest_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = Input::Path(folder.path().join("missing.log"));
    let empty = Input::Path(write(folder.path(), "empty.log", b""));
    let good = Input::Path(write(folder.path(), "good.log", b"{\"a\":1}\n"));
    let (events, ledgers) = drain(feed(vec![missing, empty, good]));
    assert_eq!(events.len(), 1);
    let codes: Vec<_> =
        ledgers.iter().flat_map(|ledger| &ledger.problems).map(|one| one.code.number).collect();
    assert_eq!(codes, ["BS1101", "BS1106"]);
}

#[test]
fn what_nothing_can_read_stays_an_event_with_its_text() {
    let bytes = b"{\"cut\": \"in ha\nplain words\n{\"good\": 1}\n".as_slice().into();
    let (events, ledgers) = drain(feed(vec![Input::Bytes { name: "m".into(), bytes }]));
    let texts: Vec<_> = events.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["{\"cut\": \"in ha", "plain words", "{\"good\": 1}"]);
    assert_eq!((ledgers[0].parsed, ledgers[0].unparsed), (1, 2));
    assert_eq!(ledgers[0].reasons.get("BS1002"), Some(&1));
}

#[test]
fn json_documents_over_several_lines_are_records_and_are_found_again() {
    let text = "[\n  {\"a\": 1},\n  {\"a\":\n    2}\n]\n";
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "export.json", text.as_bytes());
    let (events, ledgers) = drain(feed(vec![Input::Path(path.clone())]));
    let texts: Vec<_> = events.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["{\"a\": 1}", "{\"a\":\n    2}"]);
    assert_eq!((ledgers[0].received, ledgers[0].parsed), (2, 2));
    let again = bigsec_collect::read_record(&path, 15).expect("it opens").expect("it is there");
    assert_eq!(again, b"{\"a\":\n    2}");
}
