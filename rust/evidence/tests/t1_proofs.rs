//! T1: a third party can check a record with nothing but a key and Python's standard library.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use std::path::{Path, PathBuf};
use std::process::Command;

use bigsec_evidence::disk::Disk;
use bigsec_evidence::export::export;
use bigsec_evidence::proof::{prove, roots};
use bigsec_evidence::verify::{Kind, Severity};
use bigsec_evidence::{Hash, LogError, leaf_hash};
use forge::log::{Log, assert_found, keys, look, signer};
use forge::{Segment, copy_folder, raw_segments};
use tempfile::TempDir;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn golden() -> PathBuf {
    repository().join("tests/collect/evidence/golden/v1/log")
}

/// What the script says of a bundle, and whether it holds; `None` where there is no Python.
fn script(folder: &Path, bundle: &str, more: &[&str]) -> Option<(bool, String)> {
    let path = folder.join("bundle.json");
    std::fs::write(&path, bundle).unwrap();
    let output = Command::new("python3")
        .arg(repository().join("docs/evidence_verify.py"))
        .arg(&path)
        .args(more)
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn t1_every_record_is_proved_under_every_later_note() {
    let log = Log::make();
    for note in log.notes.iter().step_by(4) {
        let sequences: Vec<u64> = (0..note.size).collect();
        for proof in prove(&Disk, &log.dir(), &sequences, note.size).unwrap() {
            assert_eq!(proof.root(), Some(note.root), "{} of {}", proof.sequence, note.size);
        }
    }
    let out_of_range = prove(&Disk, &log.dir(), &[1005], 1005);
    assert!(matches!(out_of_range, Err(LogError::NoRecord { sequence: 1005, .. })));
    let hostile = prove(&Disk, &log.dir(), &[u64::MAX - 1], u64::MAX);
    assert!(hostile.is_err());
}

#[test]
fn t1_roots_of_older_sizes_show_that_the_log_only_grew() {
    let log = Log::make();
    let sizes: Vec<u64> = log.notes.iter().map(|note| note.size).collect();
    let found = roots(&Disk, &log.dir(), &sizes).unwrap();
    for note in &log.notes {
        assert_eq!(found.get(&note.size), Some(&note.root));
    }
}

#[test]
fn t1_a_damaged_neighbour_is_named_and_others_are_still_proved() {
    let log = Log::make();
    let dir = log.copy("damaged");
    let segment = Segment::read(&raw_segments(&dir)[0]);
    let record = segment.first() + 5;
    let mut bytes = segment.encode();
    bytes[segment.offsets()[segment.index_of(record)] + 30] ^= 1;
    std::fs::write(&segment.path, bytes).unwrap();
    let note = log.notes.last().unwrap();
    let far = prove(&Disk, &dir, &[0, record + 400], note.size).unwrap();
    assert!(far.iter().all(|proof| proof.root() == Some(note.root)));
    assert!(matches!(prove(&Disk, &dir, &[record], note.size), Err(LogError::Damaged { .. })));
}

#[test]
fn t1_the_script_proves_a_bundle_and_refuses_a_changed_one() {
    let log = Log::make();
    let folder = TempDir::new().unwrap();
    let bundle = export(&Disk, &log.dir(), &[0, 7, 500, 731]).unwrap();
    let (vkey, json) = (signer(1).vkey(), bundle.json());
    let Some((holds, text)) = script(folder.path(), &json, &["--key", &vkey]) else { return };
    assert!(holds && text.starts_with("4 records stand in"), "{text}");

    let other_key = signer(2).vkey();
    let changed_record = json.replacen(&bundle.records[2].record, "AAAA", 1);
    let changed_path = json.replacen(&bundle.records[1].path[0], &bundle.records[1].path[1], 1);
    let changed_sequence = json.replacen("\"sequence\": 500", "\"sequence\": 501", 1);
    let changed_note = json.replacen("elapsed", "Elapsed", 1);
    assert!(
        [&changed_record, &changed_path, &changed_sequence, &changed_note]
            .iter()
            .all(|one| **one != json)
    );
    for (what, json, key) in [
        ("another key", &json, &other_key),
        ("a record", &changed_record, &vkey),
        ("a path", &changed_path, &vkey),
        ("a sequence", &changed_sequence, &vkey),
        ("the note", &changed_note, &vkey),
        ("no JSON", &"{".to_owned(), &vkey),
    ] {
        let (holds, text) = script(folder.path(), json, &["--key", key]).unwrap();
        assert!(!holds && text.starts_with("NOT PROVED: "), "{what}: {text}");
    }
    // A note that was kept elsewhere: the same, and another.
    for (note, expected) in [(bundle.checkpoint.clone(), true), (log.notes[3].encode(), false)] {
        let path = folder.path().join("note");
        std::fs::write(&path, note).unwrap();
        let more = ["--key", &vkey, "--checkpoint", path.to_str().unwrap()];
        assert_eq!(script(folder.path(), &json, &more).unwrap().0, expected);
    }
}

#[test]
fn t1_the_script_follows_a_change_of_key_and_deletion_costs_no_proof() {
    let folder = TempDir::new().unwrap();
    // The first segment is gone; its hashes are not.
    let bundle = export(&Disk, &golden(), &[30, 231, 399]).unwrap();
    let first = signer(1).vkey();
    let Some((holds, text)) = script(folder.path(), &bundle.json(), &["--key", &first]) else {
        return;
    };
    assert!(holds, "{text}");
    let mut cheat = bundle.clone();
    cheat.key_changes.clear();
    assert!(!script(folder.path(), &cheat.json(), &["--key", &first]).unwrap().0);
    let gone = export(&Disk, &golden(), &[3]);
    assert!(matches!(gone, Err(LogError::NoRecord { sequence: 3, first: 30, .. })), "{gone:?}");
}

#[test]
fn t1_a_deletion_that_no_note_tells_of_is_found() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("log");
    copy_folder(&golden(), &dir);
    let paths = raw_segments(&dir);
    std::fs::remove_file(dir.join("00000002-00000000000000000030.segz")).unwrap();
    let report = look(&dir, keys(1), Vec::new());
    let number = Some(Segment::read(&paths[0]).number());
    assert_found(&report, Severity::Tamper, Kind::SegmentMissing, number, 30..60);
}

#[test]
fn t1_leaves_are_those_of_the_format_page() {
    let record = b"\x00\x00";
    assert_eq!(forge::leaf(record), leaf_hash(&[record]) as Hash);
}
