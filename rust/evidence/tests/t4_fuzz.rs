//! T4: no bytes make a reader of the log panic. Changed forms of the golden log, for a time.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_evidence::approval::Approval;
use bigsec_evidence::checkpoint::NoteReader;
use bigsec_evidence::disk::Disk;
use bigsec_evidence::frame::{Salt, parse_frame};
use bigsec_evidence::keys::Signer;
use bigsec_evidence::note::Note;
use bigsec_evidence::sealed::SealedFile;
use bigsec_evidence::verify::{VerifyOptions, verify};
use bigsec_evidence::{HEADER_BYTES, Header, LogReader, Record, Watermark};
use tempfile::TempDir;

#[path = "../../parse/tests/support/mutate.rs"]
mod mutate;

const GOLDEN: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/collect/evidence/golden/v1/log");

/// The files of the golden log whose name ends so.
fn golden(suffix: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(GOLDEN).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        names.filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
    found.sort();
    found
}

fn bytes_of(suffix: &str) -> Vec<Vec<u8>> {
    golden(suffix).iter().map(|path| fs::read(path).unwrap()).collect()
}

fn copy() -> TempDir {
    let folder = TempDir::new().unwrap();
    for path in golden("") {
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

/// Reads all of a log, by the verifier and by the reader of the daemon.
fn read_all(folder: &Path) {
    let options = VerifyOptions { threads: 1, ..VerifyOptions::default() };
    let _ = verify(&Disk, folder, &options);
    let Ok(mut reader) = LogReader::open(Arc::new(Disk), folder) else { return };
    let Ok(end) = reader.durable_size() else { return };
    let Ok(first) = reader.first() else { return };
    let Ok(mut cursor) = reader.at(first) else { return };
    while let Ok(Some(_)) = cursor.next(end) {}
}

#[test]
fn t4_no_small_reader_panics() {
    let segments = bytes_of(".seg");
    mutate::fuzz("t4-header", &segments, |input| {
        let _ = Header::decode(&input[..input.len().min(HEADER_BYTES)]);
    });
    let bodies: Vec<Vec<u8>> = segments.iter().map(|all| all[HEADER_BYTES..].to_vec()).collect();
    mutate::fuzz("t4-frame", &bodies, |input| {
        let _ = parse_frame(input, Salt::new(&[7; 16]));
    });
    // A record's bytes stand behind the head of its frame.
    let records: Vec<Vec<u8>> = bodies.iter().map(|all| all[17..].to_vec()).collect();
    mutate::fuzz("t4-record", &records, |input| {
        let _ = Record::decode(input);
    });
    mutate::fuzz("t4-watermark", &bytes_of("watermark"), |input| {
        let _ = Watermark::decode(input, None);
    });
    mutate::fuzz("t4-note", &bytes_of("checkpoints"), |input| drop(Note::parse(input)));
    let mut approval = Approval {
        log: "relay-1.example".into(),
        id: [7; 16],
        end: 30,
        time_us: 1_790_000_000_000_000,
        reason: "an order of a court".into(),
        signatures: Vec::new(),
    };
    approval.sign(&Signer::generate("approver-1.example").unwrap());
    let seeds = [approval.encode().into_bytes()];
    assert!(Approval::parse(&seeds[0]).is_ok());
    mutate::fuzz("t4-approval", &seeds, |input| drop(Approval::parse(input)));
}

#[test]
fn t4_no_file_of_a_log_makes_its_readers_panic() {
    for suffix in ["log.json", "watermark", "checkpoints", ".segz", "060.seg", "391.seg"] {
        let folder = copy();
        let original = golden(suffix).remove(0);
        let path = folder.path().join(original.file_name().unwrap());
        mutate::fuzz(&format!("t4-log-{suffix}"), &[fs::read(&original).unwrap()], |input| {
            fs::write(&path, input).unwrap();
            read_all(folder.path());
            if suffix == ".segz"
                && let Ok(sealed) = SealedFile::open(&Disk, &path)
            {
                let mut plain = Vec::new();
                let _ = sealed.check();
                for index in 0..sealed.blocks() {
                    let _ = sealed.block(index, &mut plain);
                }
            }
            if suffix == "checkpoints"
                && let Ok(Some(mut notes)) = NoteReader::open(&Disk, folder.path())
            {
                while let Ok(Some(_)) = notes.next_entry() {}
            }
        });
    }
}
