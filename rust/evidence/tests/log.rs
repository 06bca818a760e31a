//! Writing, recovering and reading a log, on a machine that fails.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bigsec_evidence::clock::Clock;
use bigsec_evidence::disk::Disk;
use bigsec_evidence::keys::Signer;
use bigsec_evidence::sealed::seal_segment;
use bigsec_evidence::segment::list_segments;
use bigsec_evidence::simulator::{Fault, Operation, SimClock, SimStorage};
use bigsec_evidence::storage::Storage;
use bigsec_evidence::{
    DamageKind, Flags, LogError, LogOptions, LogReader, LogWriter, Next, Record, Recovery,
};

const DIR: &str = "/log";
const NAME: &str = "relay-1.example.gov";

fn options(segment_bytes: u64) -> LogOptions {
    LogOptions {
        segment_bytes,
        new_id: Some([7; 16]),
        signer: Some(Signer::from_seed(NAME, &[1; 32]).unwrap()),
        ..LogOptions::new(NAME)
    }
}

fn open_with(storage: &SimStorage, options: LogOptions) -> Result<(LogWriter, Recovery), LogError> {
    let clock = Arc::new(SimClock::new(1_700_000_000_000_000));
    LogWriter::open(Arc::new(storage.clone()), clock, Path::new(DIR), options)
}

fn open(storage: &SimStorage) -> (LogWriter, Recovery) {
    open_with(storage, options(8192)).unwrap()
}

fn payload(sequence: u64) -> Vec<u8> {
    format!("record {sequence} ").repeat(1 + sequence as usize % 5).into_bytes()
}

fn append(writer: &mut LogWriter) -> u64 {
    append_bytes(writer, &payload(writer.size()))
}

fn append_bytes(writer: &mut LogWriter, payload: &[u8]) -> u64 {
    writer.append(&Record {
        flags: Flags::default(),
        received_us: 5,
        source: "syslog",
        peer: Some("192.0.2.1:514".parse().unwrap()),
        id: None,
        position: None,
        payload,
    })
}

type Records = Vec<(u64, Vec<u8>)>;
type Ranges = Vec<(u64, u64)>;

/// What a reader finds: sequences with payload, and lost ranges.
fn read(storage: &SimStorage, from: u64) -> (Records, Ranges) {
    let mut reader = LogReader::open(Arc::new(storage.clone()), Path::new(DIR)).unwrap();
    let end = reader.durable_size().unwrap();
    let mut cursor = reader.at(from).unwrap();
    let (mut records, mut lost) = (Vec::new(), Vec::new());
    while let Some(next) = cursor.next(end).unwrap() {
        match next {
            Next::Record { sequence, record, .. } => {
                records.push((sequence, record.payload.to_vec()));
            }
            Next::Lost { first, end, .. } => lost.push((first, end)),
        }
    }
    (records, lost)
}

fn assert_whole(storage: &SimStorage, at_least: u64, context: &str) {
    let (records, lost) = read(storage, 0);
    assert_eq!(lost, [], "{context}");
    assert!(records.len() as u64 >= at_least, "{context}: {} < {at_least}", records.len());
    for (index, (sequence, bytes)) in records.iter().enumerate() {
        assert_eq!((*sequence, bytes), (index as u64, &payload(*sequence)), "{context}");
    }
}

fn fill(storage: &SimStorage, groups: u64, records: u64) {
    let (mut writer, _) = open(storage);
    for _ in 0..groups {
        for _ in 0..records {
            append(&mut writer);
        }
        writer.commit().unwrap();
    }
}

fn live(storage: &SimStorage) -> PathBuf {
    list_segments(storage, Path::new(DIR)).unwrap().pop().unwrap().path
}

#[test]
fn what_was_committed_is_read_again_across_segments_and_restarts() {
    let storage = SimStorage::new(1);
    for round in 0..5 {
        let (mut writer, recovery) = open(&storage);
        assert_eq!(recovery, Recovery { created: round == 0, ..Recovery::default() });
        assert_eq!(writer.size(), round * 90);
        for _ in 0..30 {
            let records = [append(&mut writer), append(&mut writer), append(&mut writer)];
            assert_eq!(writer.commit().unwrap().size, records[2] + 1);
        }
    }
    assert!(list_segments(&storage, Path::new(DIR)).unwrap().len() > 3);
    assert_whole(&storage, 450, "");
    let (records, lost) = read(&storage, 333);
    assert_eq!((records.len(), records[0].0, lost.len()), (450 - 333, 333, 0));
}

#[test]
fn long_records_come_back_whole_and_too_long_ones_cut() {
    let storage = SimStorage::new(1);
    let mut limited = options(1 << 20);
    limited.record_bytes_max = 1_000_000;
    let (mut writer, _) = open_with(&storage, limited).unwrap();
    for len in [0, 262_000, 262_144, 524_288, 1_000_000, 1_000_001] {
        append_bytes(&mut writer, &vec![b'x'; len]);
    }
    writer.commit().unwrap();
    let (records, lost) = read(&storage, 0);
    assert_eq!(lost, []);
    let lengths: Vec<usize> = records.iter().map(|(_, payload)| payload.len()).collect();
    assert_eq!(lengths, [0, 262_000, 262_144, 524_288, 1_000_000, 1_000_000]);
}

#[test]
fn a_second_writer_another_name_and_a_newer_format_are_refused() {
    let storage = SimStorage::new(1);
    let (writer, _) = open(&storage);
    assert!(matches!(open_with(&storage, options(8192)), Err(LogError::Locked { .. })));
    drop(writer);
    fill(&storage, 1, 1);
    let other = LogOptions::new("relay-2.example.gov");
    assert!(matches!(open_with(&storage, other), Err(LogError::OtherLog { .. })));
    let newer = |bytes: &mut Vec<u8>| {
        *bytes = br#"{"format":2,"name":"relay-1.example.gov","id":"00"}"#.to_vec();
    };
    storage.tamper(&Path::new(DIR).join("log.json"), newer).unwrap();
    assert!(matches!(open_with(&storage, options(8192)), Err(LogError::Newer { version: 2, .. })));
    assert!(matches!(open_with(&storage, LogOptions::new("a+b")), Err(LogError::Name { .. })));
}

#[test]
fn p10_a_segment_ages_by_the_clock_that_does_not_jump() {
    let storage = SimStorage::new(1);
    let clock = Arc::new(SimClock::new(0));
    let mut options = options(1 << 20);
    options.segment_age_us = 60_000_000;
    let log = Arc::new(storage.clone());
    let (mut writer, _) = LogWriter::open(log, clock.clone(), Path::new(DIR), options).unwrap();
    let segments = |writer: &mut LogWriter| {
        append(writer);
        writer.commit().unwrap();
        writer.segments().len()
    };
    assert_eq!(segments(&mut writer), 1);
    clock.jump(365 * 86_400_000_000);
    assert_eq!(segments(&mut writer), 1);
    clock.jump(-400 * 86_400_000_000);
    assert_eq!(segments(&mut writer), 1);
    clock.pass(Duration::from_mins(1));
    assert_eq!(segments(&mut writer), 2);
    assert_eq!(clock.elapsed(), Duration::from_mins(1));
}

/// Writes until the machine fails; gives the acknowledged size.
fn scenario(storage: &SimStorage) -> u64 {
    let mut acked = 0;
    for _ in 0..2 {
        let Ok((mut writer, recovery)) = open_with(storage, options(4096 + 700)) else { break };
        assert_eq!(recovery.damage, []);
        for group in 0..4 {
            for _ in 0..3 {
                append(&mut writer);
            }
            match writer.commit() {
                Ok(durable) => acked = durable.size,
                Err(_) if storage.is_down() => return acked,
                Err(_) => {}
            }
            if group % 2 == 1 {
                let _ = writer.checkpoint();
            }
        }
        let _ = writer.roll();
    }
    acked
}

#[test]
fn p3_a_crash_after_any_operation_loses_nothing_that_was_acknowledged() {
    let whole = SimStorage::new(1);
    assert_eq!(scenario(&whole), 24);
    for operation in 1..=whole.operations() {
        for seed in 0..12 {
            let before = SimStorage::new(seed);
            before.crash_at(operation);
            let acked = scenario(&before);
            let context = format!("crash after operation {operation}, seed {seed}");
            let after = if seed == 0 { before.killed() } else { before.crash(seed) };
            let (mut writer, recovery) = open_with(&after, options(4096 + 700)).unwrap();
            assert_eq!(recovery.damage, [], "{context}");
            assert!(writer.durable().size >= acked, "{context}");
            append(&mut writer);
            let size = writer.commit().unwrap().size;
            assert_eq!(size, writer.size());
            drop(writer);
            assert_whole(&after, size, &context);
            // A crash during or after recovery is no worse.
            let again = after.crash(seed + 1);
            let (writer, recovery) = open_with(&again, options(4096 + 700)).unwrap();
            assert_eq!((recovery.damage, writer.durable().size), (vec![], size), "{context}");
            assert_whole(&again, size, &context);
        }
    }
}

#[test]
fn p5_a_failed_operation_is_not_acknowledged_and_costs_nothing_later() {
    let operations = [
        Operation::Create,
        Operation::Write,
        Operation::Sync,
        Operation::SetLen,
        Operation::Rename,
        Operation::SyncFolder,
    ];
    for operation in operations {
        for fault in [Fault::Before, Fault::After, Fault::Short, Fault::Full] {
            for nth in 1..40 {
                let context = format!("{operation:?} {fault:?} {nth}");
                let storage = SimStorage::new(nth);
                let (mut writer, _) = open_with(&storage, options(4096 + 700)).unwrap();
                storage.fail(operation, nth..nth + 1, fault);
                if operation == Operation::SetLen {
                    // A file is cut only after a write has failed.
                    storage.fail(Operation::Write, nth..nth + 1, Fault::Before);
                }
                let mut acked = 0;
                for _ in 0..12 {
                    append(&mut writer);
                    if let Ok(durable) = writer.commit() {
                        assert_eq!(durable.size, writer.size(), "{context}");
                        acked = durable.size;
                    }
                }
                assert!(acked >= 11, "{context}: {acked}");
                let after = storage.crash(nth);
                let (mut writer, recovery) = open_with(&after, options(4096 + 700)).unwrap();
                assert_eq!(recovery.damage, [], "{context}");
                append(&mut writer);
                writer.commit().unwrap();
                assert_whole(&after, acked + 1, &context);
            }
        }
    }
}

#[test]
fn p5_a_failed_write_is_cut_off_and_a_failed_flush_ends_the_segment() {
    let storage = SimStorage::new(1);
    fill(&storage, 1, 1);
    let path = live(&storage);
    let size = || storage.stat(&path).unwrap().size;
    let before = size();
    let (mut writer, _) = open(&storage);
    append(&mut writer);
    storage.fail(Operation::Write, 1..2, Fault::Before);
    assert!(writer.commit().is_err());
    assert_eq!(size(), before);
    storage.heal();
    storage.fail(Operation::Sync, 1..2, Fault::Before);
    assert!(writer.commit().is_err());
    let given_up = size();
    assert_eq!(writer.live_segment(), None);
    storage.heal();
    writer.commit().unwrap();
    assert_eq!((size(), writer.segments().len()), (given_up, 2));
    assert_ne!(live(&storage), path);
}

#[test]
fn p6_a_full_disk_stops_commits_until_there_is_space() {
    let storage = SimStorage::new(3);
    let (mut writer, _) = open_with(&storage, options(100_000)).unwrap();
    for round in 0..20_u64 {
        storage.set_capacity(Some(1 << 20));
        storage.set_foreign(1 << 20);
        append_bytes(&mut writer, &[round as u8; 9000]);
        for _ in 0..3 {
            assert!(matches!(writer.commit(), Err(LogError::Full { .. })), "round {round}");
            assert_eq!(writer.pending().0, 1);
        }
        let (records, lost) = read(&storage, 0);
        assert_eq!((records.len() as u64, lost), (round, vec![]));
        storage.set_foreign(0);
        assert_eq!(writer.commit().unwrap().size, round + 1);
    }
    let segments = list_segments(&storage, Path::new(DIR)).unwrap();
    assert_eq!(segments.len(), 2, "retries leave no files: {segments:?}");
}

#[test]
fn t2_a_segment_cut_anywhere_is_torn_above_and_deleted_below_the_watermark() {
    let storage = SimStorage::new(1);
    fill(&storage, 4, 3);
    let path = live(&storage);
    let flushed = storage.stat(&path).unwrap().size;
    // A group whose flush never came about.
    let (mut writer, _) = open(&storage);
    append(&mut writer);
    storage.fail(Operation::Sync, 1..2, Fault::Before);
    assert!(writer.commit().is_err());
    drop(writer);
    let size = storage.stat(&path).unwrap().size;
    assert!(size > flushed);
    for len in 4096..=size {
        let machine = storage.killed();
        machine.tamper(&path, |bytes| bytes.truncate(len as usize)).unwrap();
        let (mut writer, recovery) = open(&machine);
        let damaged = recovery.damage.iter().any(|damage| damage.segment.is_some());
        assert_eq!(damaged, len < flushed, "cut at {len} of {flushed}: {recovery:?}");
        assert!(writer.durable().size >= 12, "{len}");
        append(&mut writer);
        writer.commit().unwrap();
        drop(writer);
        let (records, lost) = read(&machine, 0);
        let missing: u64 = lost.iter().map(|(first, end)| end - first).sum();
        // The last 57 bytes are the frame that ends the group.
        assert_eq!(missing > 0, len < flushed - 57, "{len}: {lost:?}");
        assert!(records.len() as u64 + missing >= 13);
        for (sequence, bytes) in records {
            assert_eq!(bytes, payload(sequence), "{len}");
        }
    }
}

#[test]
fn p4_a_flipped_byte_costs_at_most_one_record_and_is_named() {
    let storage = SimStorage::new(1);
    fill(&storage, 4, 3);
    let path = live(&storage);
    let size = storage.stat(&path).unwrap().size as usize;
    let acknowledged = open(&storage.killed()).0.durable();
    for at in 0..size {
        let machine = storage.killed();
        machine.tamper(&path, |bytes| bytes[at] ^= 0x10).unwrap();
        let (mut writer, recovery) = open(&machine);
        assert_ne!(recovery.damage, [], "byte {at}");
        // The hashes of lost records are known by the watermark: the tree goes on as it was.
        assert_eq!(writer.durable(), acknowledged, "byte {at}: {recovery:?}");
        let append_at = append(&mut writer);
        writer.commit().unwrap();
        drop(writer);
        assert_eq!(machine.stat(&path).unwrap().size as usize, size, "byte {at}");
        let (records, lost) = read(&machine, 0);
        let missing: u64 = lost.iter().map(|(first, end)| end - first).sum();
        assert!(missing <= 1, "byte {at}: {lost:?}");
        assert_eq!(records.len() as u64 + missing, append_at + 1, "byte {at}");
        for (sequence, bytes) in records {
            assert_eq!(bytes, payload(sequence), "byte {at}");
        }
    }
}

#[test]
fn p4_metadata_missing_or_garbled_is_reported_and_loses_nothing() {
    let storage = SimStorage::new(1);
    fill(&storage, 60, 3);
    let (mut writer, _) = open(&storage);
    writer.checkpoint().unwrap();
    drop(writer);
    let names = |storage: &SimStorage| {
        let segments = list_segments(storage, Path::new(DIR)).unwrap();
        segments.into_iter().map(|segment| segment.path).collect::<Vec<_>>()
    };
    for (file, kind) in [
        ("watermark", DamageKind::Watermark),
        ("log.json", DamageKind::LogFile),
        ("checkpoints", DamageKind::Checkpoints),
    ] {
        for garbled in [None, Some(0), Some(1), Some(1 << 16)] {
            let context = format!("{file} {garbled:?}");
            let machine = storage.killed();
            let path = Path::new(DIR).join(file);
            match garbled {
                None => machine.remove(&path).unwrap(),
                Some(len) => machine.tamper(&path, |bytes| *bytes = vec![0xA5; len]).unwrap(),
            }
            let before = names(&machine);
            let (mut writer, recovery) = open(&machine);
            let reported = recovery.damage.iter().any(|damage| damage.what == kind);
            // Notes that are gone are for `verify` to miss; bytes that are none may be a torn note.
            let is_kept = garbled.is_none_or(|len| len < 2) || !recovery.moved.is_empty();
            let is_notes = kind == DamageKind::Checkpoints;
            assert!(reported || is_notes && is_kept, "{context}: {recovery:?}");
            assert!(recovery.damage.iter().all(|damage| damage.what == kind), "{context}");
            assert_eq!(writer.size(), 180, "{context}");
            append(&mut writer);
            writer.commit().unwrap();
            writer.roll().unwrap();
            append(&mut writer);
            writer.commit().unwrap();
            drop(writer);
            let after = names(&machine);
            assert_eq!(after[..before.len()], before[..], "{context}");
            assert_whole(&machine, 182, &context);
            let (_, recovery) = open(&machine);
            assert_eq!(recovery, Recovery::default(), "{context}");
        }
    }
}

#[test]
fn p4_a_segment_deleted_whole_is_reported_and_its_name_is_not_used_again() {
    let storage = SimStorage::new(1);
    fill(&storage, 60, 3);
    let path = live(&storage);
    storage.remove(&path).unwrap();
    let number = |path: &Path| path.file_name().unwrap().to_str().unwrap()[..8].to_owned();
    let (mut writer, recovery) = open(&storage);
    let lost: Vec<_> = recovery.damage.iter().map(|damage| (damage.what, damage.end)).collect();
    assert_eq!(lost, [(DamageKind::Missing, 180)]);
    assert_eq!(append(&mut writer), 180);
    writer.commit().unwrap();
    drop(writer);
    assert!(number(&live(&storage)) > number(&path));
    let (records, lost) = read(&storage, 0);
    assert_eq!(
        lost.iter().map(|(first, end)| end - first).sum::<u64>() + records.len() as u64,
        181
    );
}

#[test]
fn p4_damage_at_every_other_record_costs_no_more_than_reading() {
    let storage = SimStorage::new(1);
    let (mut writer, _) = open_with(&storage, options(64 << 20)).unwrap();
    let count = 60_000;
    for _ in 0..count {
        append_bytes(&mut writer, b"short");
    }
    writer.commit().unwrap();
    let damage = |bytes: &mut Vec<u8>| {
        let frame = (bytes.len() - 4096 - 57) / count;
        for byte in bytes[4096 + 20..].iter_mut().step_by(2 * frame).take(count / 2) {
            *byte ^= 1;
        }
    };
    storage.tamper(&live(&storage), damage).unwrap();
    let (records, lost) = read(&storage, 0);
    assert_eq!((records.len(), lost.len()), (count / 2, count / 2));
    drop(writer);
    let (_, recovery) = open(&storage);
    assert!((1..=1001).contains(&recovery.damage.len()));
}

#[test]
fn a_reader_follows_the_writer() {
    let storage = SimStorage::new(1);
    let (mut writer, _) = open(&storage);
    let mut reader = LogReader::open(Arc::new(storage.clone()), Path::new(DIR)).unwrap();
    assert_eq!((reader.name(), reader.key()), (NAME, writer.key()));
    let mut cursor = reader.at(0).unwrap();
    let mut seen = 0;
    for round in 0..200 {
        for _ in 0..round % 4 {
            append(&mut writer);
        }
        writer.commit().unwrap();
        let end = reader.durable_size().unwrap();
        assert_eq!(end, writer.durable().size);
        while let Some(next) = cursor.next(end).unwrap() {
            let Next::Record { sequence, record, .. } = next else { panic!("{next:?}") };
            assert_eq!((sequence, record.payload), (seen, &payload(seen)[..]));
            seen += 1;
        }
        assert_eq!(seen, end);
    }
    assert_eq!(cursor.position(), seen);
}

#[test]
fn a_reader_beside_a_writer_that_rolls_and_seals_sees_each_record_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("log");
    let clock = Arc::new(SimClock::new(0));
    let storage: Arc<dyn Storage> = Arc::new(Disk);
    let (mut writer, _) = LogWriter::open(storage.clone(), clock, &dir, options(200_000)).unwrap();
    let total = 20_000;
    let writing = std::thread::spawn(move || {
        while writer.size() < total {
            for _ in 0..=(writer.size() % 97) {
                append(&mut writer);
            }
            writer.commit().unwrap();
            let segments = writer.segments();
            if let [.., last, next] = segments
                && !last.sealed
            {
                let (last, end) = (last.clone(), next.first);
                seal_segment(writer.storage().as_ref(), writer.dir(), &last, end, 1).unwrap();
                writer.relist().unwrap();
            }
        }
        writer
    });
    let mut reader = LogReader::open(storage, &dir).unwrap();
    let mut cursor = reader.at(0).unwrap();
    let mut seen = 0;
    while seen < total {
        let end = reader.durable_size().unwrap();
        while let Some(next) = cursor.next(end).unwrap() {
            let Next::Record { sequence, record, .. } = next else { panic!("{next:?}") };
            assert_eq!((sequence, record.payload), (seen, &payload(seen)[..]));
            seen += 1;
        }
    }
    let writer = writing.join().unwrap();
    assert!(writer.segments().iter().filter(|segment| segment.sealed).count() > 2);
    // The sealed part reads the same from the beginning.
    let end = reader.durable_size().unwrap();
    let mut again = reader.at(0).unwrap();
    for sequence in 0..end {
        let Some(Next::Record { record, .. }) = again.next(end).unwrap() else { panic!() };
        assert_eq!(record.payload, payload(sequence));
    }
}
