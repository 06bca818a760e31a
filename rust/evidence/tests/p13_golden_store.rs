//! P13: a store of format 1 opens in every later version, with the same records and roots; a store
//! of a later format is refused, and no byte of it is changed.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bigsec_evidence::clock::Clock;
use bigsec_evidence::disk::Disk;
use bigsec_evidence::note::rotate;
use bigsec_evidence::reserve::Reserve;
use bigsec_evidence::retention::{FLOOR_S, Retention};
use bigsec_evidence::storage::Storage;
use bigsec_evidence::verify::{Finding, Report, VerifyOptions, verify};
use bigsec_evidence::{LogError, LogReader, LogWriter, Next};
use forge::log::{TestClock, append, keys, list, look, open, options, signer};
use forge::{copy_folder, raw_segments};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const SEGMENT_BYTES: u64 = 6 << 10;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/collect/evidence/golden/v1")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// All that must stay the same, as the present program sees it.
fn seen(dir: &Path) -> Value {
    let report = look(dir, keys(1), Vec::new());
    let log = LogReader::open(Arc::new(Disk), dir).unwrap();
    let mut cursor = log.at(log.first().unwrap()).unwrap();
    let (mut hash, mut lost, mut records) = (Sha256::new(), Vec::new(), 0_u64);
    while let Some(next) = cursor.next(report.size).unwrap() {
        match next {
            Next::Record { sequence, bytes, .. } => {
                hash.update(sequence.to_le_bytes());
                hash.update(bytes);
                records += 1;
            }
            Next::Lost { first, end, .. } => lost.push([first, end]),
        }
    }
    json!({
        "name": report.name,
        "id": report.id,
        "key": log.key(),
        "verifier_key": signer(1).vkey(),
        "signs_now": report.key,
        "first": report.first,
        "size": report.size,
        "root": report.root,
        "checkpoint": report.checkpoint,
        "records": records,
        "records_sha256": hex(&hash.finalize()),
        "lost": lost,
        "findings": findings(&report),
    })
}

/// What is found and where, without the words.
fn findings(report: &Report) -> Value {
    let told = |one: &Finding| json!([one.severity, one.kind, one.segment, one.first, one.end]);
    report.findings.iter().map(told).collect()
}

fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
#[ignore = "makes the store; only for a new format"]
fn p13_make_the_golden_store() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("log");
    let clock = TestClock::new();
    let shared: Arc<dyn Clock> = clock.clone();
    let storage: Arc<dyn Storage> = Arc::new(Disk);
    let mut log = open(&dir, options(SEGMENT_BYTES, 1), &clock);
    append(&mut log, &clock, 0..150);
    // The key changes.
    let change = rotate(log.unsigned_note(), &signer(1), &signer(2));
    log.keep_note(&change).unwrap();
    drop(log);
    let second_key = || {
        let mut second = options(SEGMENT_BYTES, 1);
        second.signer = Some(signer(2));
        second
    };
    let mut log = open(&dir, second_key(), &clock);
    append(&mut log, &clock, 150..230);
    drop(log);
    // The disk loses what was acknowledged.
    let path = raw_segments(&dir).pop().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1000]).unwrap();
    let (mut log, recovery) = LogWriter::open(storage.clone(), shared, &dir, second_key()).unwrap();
    assert_eq!(recovery.damage.len(), 1, "{:?}", recovery.damage);
    append(&mut log, &clock, 230..300);
    // Half a year goes by, and the oldest segment goes.
    clock.pass(200 * 86_400_000_000, 0);
    append(&mut log, &clock, 300..350);
    let mut reserve = Reserve::of(storage, &log).unwrap();
    let retention = Retention { keep_s: FLOOR_S, ..Retention::default() };
    let expired = retention.expired(&log, &*clock).unwrap().unwrap();
    expired.delete(&Disk, &mut log, &mut reserve, &*clock).unwrap();
    append(&mut log, &clock, 350..400);
    forge::log::seal(&log, &dir, 1);
    assert!(clock.now_us.load(Ordering::Relaxed) > 0);
    drop(log);

    let _ = std::fs::remove_dir_all(golden());
    copy_folder(&dir, &golden().join("log"));
    let text = serde_json::to_string_pretty(&seen(&dir)).unwrap();
    std::fs::write(golden().join("expected.json"), text + "\n").unwrap();
}

#[test]
fn p13_the_golden_store_reads_as_it_was_written() {
    let dir = golden().join("log");
    let before = contents(&dir);
    let size: usize = before.values().map(Vec::len).sum();
    assert!(size <= 200 << 10, "{size} bytes are too many for the repository");
    let text = std::fs::read_to_string(golden().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(seen(&dir), expected);
    assert_eq!(contents(&dir), before, "reading and verifying change nothing");
}

#[test]
fn p13_the_golden_store_can_be_gone_on_with() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("log");
    copy_folder(&golden().join("log"), &dir);
    let before = seen(&dir);
    let mut options = options(SEGMENT_BYTES, 1);
    options.signer = Some(signer(2));
    let clock = TestClock::new();
    let mut log = open(&dir, options, &clock);
    let size = log.size();
    assert_eq!(Some(size), before["size"].as_u64());
    append(&mut log, &clock, size..size + 60);
    let after = look(&dir, keys(1), Vec::new());
    assert_eq!(after.size, size + 60);
    assert_eq!(findings(&after), before["findings"], "{}", list(&after));
}

/// The store as a later version might have written it.
fn of_format_2(dir: &Path) {
    let segments = contents(dir).into_iter().filter(|(path, _)| {
        path.extension().is_some_and(|ending| ending == "seg" || ending == "segz")
    });
    for (path, mut bytes) in segments {
        for copy in bytes[..4096].chunks_mut(2048) {
            copy[8] = 2;
            let checksum = crc32c::crc32c(&copy[..2044]);
            copy[2044..].copy_from_slice(&checksum.to_le_bytes());
        }
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn p13_a_later_format_is_refused_and_no_byte_is_changed() {
    let by_headers = |dir: &Path| of_format_2(dir);
    let by_log_file = |dir: &Path| {
        let path = dir.join("log.json");
        let text = std::fs::read_to_string(&path).unwrap().replace("\"format\":1", "\"format\":2");
        std::fs::write(path, text).unwrap();
    };
    for upgrade in [&by_headers as &dyn Fn(&Path), &by_log_file] {
        let folder = TempDir::new().unwrap();
        let dir = folder.path().join("log");
        copy_folder(&golden().join("log"), &dir);
        upgrade(&dir);
        let before = contents(&dir);
        let verified = verify(&Disk, &dir, &VerifyOptions::default());
        assert!(matches!(verified, Err(LogError::Newer { version: 2, .. })), "{verified:?}");
        let read = LogReader::open(Arc::new(Disk), &dir);
        assert!(matches!(read, Err(LogError::Newer { version: 2, .. })), "the reader");
        let clock: Arc<dyn Clock> = TestClock::new();
        let written = LogWriter::open(Arc::new(Disk), clock, &dir, options(SEGMENT_BYTES, 1));
        assert!(matches!(written, Err(LogError::Newer { version: 2, .. })), "the writer");
        assert_eq!(contents(&dir), before);
    }
}
