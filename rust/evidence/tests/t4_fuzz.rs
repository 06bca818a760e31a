//! T4: no bytes make a reader of the log panic. Changed forms of the golden log, for a time.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_evidence::approval::Approval;
use bigsec_evidence::checkpoint::NoteReader;
use bigsec_evidence::clock::SystemClock;
use bigsec_evidence::disk::Disk;
use bigsec_evidence::frame::{FRAME_HEADER_BYTES, Salt, parse_frame};
use bigsec_evidence::keys::Signer;
use bigsec_evidence::note::Note;
use bigsec_evidence::sealed::SealedFile;
use bigsec_evidence::verify::{VerifyOptions, verify};
use bigsec_evidence::{
    Flags, HEADER_BYTES, Header, LogOptions, LogReader, LogWriter, Next, Record, Watermark,
};
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

/// In half of all cases makes the checksums right again, so that what lies behind them is met, too.
/// Which half, the bytes say: a saved input does the same again.
fn resealed(suffix: &str, input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    if input.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) & 1 == 0 {
        return bytes;
    }
    match suffix {
        "watermark" => seal_blocks(&mut bytes, 4096),
        "060.seg" | "391.seg" if bytes.len() >= HEADER_BYTES => {
            seal_blocks(&mut bytes[..HEADER_BYTES], HEADER_BYTES / 2);
            let id: [u8; 16] = bytes[16..32].try_into().unwrap();
            seal_frames(&mut bytes[HEADER_BYTES..], Salt::new(&id));
        }
        _ => {}
    }
    bytes
}

/// Blocks that end in the checksum of what is before it.
fn seal_blocks(bytes: &mut [u8], size: usize) {
    for block in bytes.chunks_exact_mut(size) {
        let (content, checksum) = block.split_at_mut(size - 4);
        checksum.copy_from_slice(&crc32c::crc32c(content).to_le_bytes());
    }
}

fn seal_frames(mut bytes: &mut [u8], salt: Salt) {
    while bytes.len() >= FRAME_HEADER_BYTES {
        let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        let end = (FRAME_HEADER_BYTES.saturating_add(length)).min(bytes.len());
        let body = (end - FRAME_HEADER_BYTES) as u32;
        bytes[4..8].copy_from_slice(&body.to_le_bytes());
        let checksum = salt.checksum(&bytes[4..end]);
        bytes[..4].copy_from_slice(&checksum.to_le_bytes());
        bytes = &mut bytes[end..];
    }
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
            fs::write(&path, resealed(suffix, input)).unwrap();
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

/// What the writer makes of a folder is a log: it takes records, and they are read back.
#[test]
fn t4_no_damaged_folder_makes_the_writer_panic_or_refuse_records_after_it_opened() {
    let header = Header::decode(&bytes_of(".seg")[0]).unwrap().0;
    for suffix in ["log.json", "watermark", "checkpoints", ".segz", "060.seg", "391.seg"] {
        let original = golden(suffix).remove(0);
        let mut opened = 0;
        mutate::fuzz(&format!("t4-open-{suffix}"), &[fs::read(&original).unwrap()], |input| {
            let folder = copy();
            let path = folder.path().join(original.file_name().unwrap());
            fs::write(&path, resealed(suffix, input)).unwrap();
            let options = LogOptions::new(&header.name);
            let (disk, clock) = (Arc::new(Disk), Arc::new(SystemClock));
            let Ok((mut log, _)) = LogWriter::open(disk, clock, folder.path(), options) else {
                return;
            };
            opened += 1;
            let sequence = log.append(&Record {
                flags: Flags::default(),
                received_us: 1,
                source: "after",
                peer: None,
                id: None,
                position: None,
                payload: b"the log goes on",
            });
            log.commit().unwrap();
            drop(log);
            let mut reader = LogReader::open(Arc::new(Disk), folder.path()).unwrap();
            let end = reader.durable_size().unwrap();
            assert_eq!(end, sequence + 1);
            let mut cursor = reader.at(sequence).unwrap();
            let next = cursor.next(end).unwrap();
            assert!(
                matches!(&next, Some(Next::Record { record, .. }) if record.source == "after"),
                "the record after the damage is not read back"
            );
        });
        assert!(opened > 0, "no folder with a changed {suffix} could be opened");
    }
}
