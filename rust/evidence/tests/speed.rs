//! How many records a second of one processor takes in. Run with
//! `cargo test --release -p bigsec-evidence --test speed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::sync::Arc;
use std::time::Instant;

use bigsec_evidence::clock::SystemClock;
use bigsec_evidence::disk::Disk;
use bigsec_evidence::sealed::seal_segment;
use bigsec_evidence::verify::{VerifyOptions, verify};
use bigsec_evidence::{Flags, LogOptions, LogReader, LogWriter, Next, Record};

const RECORDS: u64 = 2_000_000;
const GROUP: u64 = 4096;

/// Seconds that this thread has had a processor for; by the clock where the system does not tell.
fn processor_s(began: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: Option<f64> = told.split(' ').next().and_then(|ns| ns.parse().ok());
    ns.map_or_else(|| began.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

#[test]
#[ignore = "a measurement"]
fn append_commit_and_read() {
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("log");
    let options = LogOptions::new("relay-1.example.gov");
    let (storage, clock) = (Arc::new(Disk), Arc::new(SystemClock));
    let (mut writer, _) = LogWriter::open(storage.clone(), clock, &dir, options).unwrap();
    let payload = vec![b'x'; 300];
    let record = Record {
        flags: Flags::default(),
        received_us: 1,
        source: "syslog",
        peer: Some("192.0.2.1:514".parse().unwrap()),
        id: None,
        position: None,
        payload: &payload,
    };
    let (mut appending, mut committing) = (0.0, 0.0);
    for _ in 0..RECORDS / GROUP {
        let start = processor_s(began);
        for _ in 0..GROUP {
            writer.append(&record);
        }
        let middle = processor_s(began);
        writer.commit().unwrap();
        appending += middle - start;
        committing += processor_s(began) - middle;
    }
    let count = writer.size();
    let rate = count as f64 / (appending + committing) / 1e6;
    println!(
        "append {appending:.3} s, commit {committing:.3} s: {rate:.2} M records/s of processor"
    );

    let mut reader = LogReader::open(storage, &dir).unwrap();
    let end = reader.durable_size().unwrap();
    let mut cursor = reader.at(0).unwrap();
    let start = processor_s(began);
    let mut read = 0;
    while let Some(Next::Record { .. }) = cursor.next(end).unwrap() {
        read += 1;
    }
    assert_eq!(read, count);
    let rate = count as f64 / (processor_s(began) - start) / 1e6;
    println!("read: {rate:.2} M records/s of processor");
}

/// Lines of `BIGSEC_SPEED_LINES` are kept, sealed and verified, as written and sealed.
#[test]
#[ignore = "a measurement"]
fn seal_and_verify() {
    let began = Instant::now();
    let file = std::env::var("BIGSEC_SPEED_LINES").unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("log");
    let mut options = LogOptions::new("relay-1.example.gov");
    options.segment_bytes = 32 << 20;
    let (storage, clock) = (Arc::new(Disk), Arc::new(SystemClock));
    let (mut writer, _) = LogWriter::open(storage, clock, &dir, options).unwrap();
    while writer.size() < 1_000_000 {
        for line in text.lines() {
            writer.append(&Record {
                flags: Flags::default(),
                received_us: 1,
                source: "syslog",
                peer: Some("192.0.2.1:514".parse().unwrap()),
                id: None,
                position: None,
                payload: line.as_bytes(),
            });
        }
        writer.commit().unwrap();
    }
    writer.roll().unwrap();
    let options = VerifyOptions { threads: 1, ..VerifyOptions::default() };
    let check = |what: &str| {
        let start = processor_s(began);
        let wall = Instant::now();
        let report = verify(&Disk, &dir, &options).unwrap();
        assert_eq!(report.records, writer.size());
        let (took, wall) = (processor_s(began) - start, wall.elapsed());
        println!("verified {what}: {} bytes in {wall:?} ({took:.3} s here)", report.bytes);
    };
    check("as written");
    let mut ends: Vec<u64> = writer.segments().iter().map(|segment| segment.first).collect();
    ends.push(writer.size());
    let (start, mut bytes) = (Instant::now(), 0);
    for (segment, end) in writer.segments().iter().zip(&ends[1..]) {
        seal_segment(&Disk, &dir, segment, *end, 1).unwrap();
        bytes += segment.bytes;
    }
    println!("sealed {bytes} bytes of {} records in {:?}", writer.size(), start.elapsed());
    check("sealed");
}
