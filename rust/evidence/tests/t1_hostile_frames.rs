//! T1: whatever frames stand in a segment, with right checksums, nothing panics, and a log that was
//! changed is never called whole.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use bigsec_evidence::disk::Disk;
use bigsec_evidence::proof::{prove, roots};
use forge::log::{Log, inside};
use forge::{Frame, Segment, raw_segments};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A frame near what is expected, or far from it.
fn frame(first: u64) -> impl Strategy<Value = Frame> {
    let sequence = prop_oneof![
        4 => first..first + 60,
        1 => any::<u64>(),
        1 => Just((1 << 48) - 1),
        1 => Just(u64::MAX),
    ];
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        // The end of a range of lost records.
        any::<u64>().prop_map(|end| end.to_le_bytes().to_vec()),
        (first..first + 99).prop_map(|end| [end.to_le_bytes().as_slice(), b"why"].concat()),
    ];
    (sequence, 1_u8..=7, body).prop_map(|(sequence, kind, body)| Frame { sequence, kind, body })
}

#[test]
fn t1_hostile_frames_never_panic_and_never_pass() {
    let log = Log::make();
    let dir = log.copy("hostile");
    let paths = raw_segments(&dir);
    let (first, last) = (Segment::read(&paths[0]), Segment::read(&paths[paths.len() - 1]));
    let victims = prop_oneof![Just(first.clone()), Just(last.clone())];
    let strategy = victims.prop_flat_map(|segment| {
        let (begin, count) = (segment.first(), segment.frames.len());
        let forged = prop::collection::vec((0..=count, frame(begin)), 1..8);
        (Just(segment), forged)
    });
    let mut runner = TestRunner::new(Config { cases: 60, ..Config::default() });
    let result = runner.run(&strategy, |(segment, forged)| {
        let mut changed = segment.clone();
        for (at, frame) in forged {
            changed.frames.insert(at, frame);
        }
        changed.write();
        let report = inside(&dir);
        let _ = prove(&Disk, &dir, &[segment.first() + 3], 1000);
        let _ = roots(&Disk, &dir, &[1, 500, 1000, u64::MAX]);
        segment.write();
        // What looks like a failed flush changes nothing, and is no more than noticed.
        prop_assert!(!report.findings.is_empty());
        Ok(())
    });
    result.unwrap();
}

#[test]
fn t1_hostile_headers_never_panic() {
    let log = Log::make();
    let dir = log.copy("hostile");
    let segment = Segment::read(&raw_segments(&dir)[0]);
    let fields = (16_usize..72, any::<[u8; 8]>());
    let mut runner = TestRunner::new(Config { cases: 60, ..Config::default() });
    let result = runner.run(&fields, |(at, bytes)| {
        let mut changed = segment.clone();
        for copy in [0, 2048] {
            changed.header[copy + at..copy + at + 8].copy_from_slice(&bytes);
        }
        changed.mend_header();
        std::fs::write(&changed.path, changed.encode()).unwrap();
        let report = inside(&dir);
        let _ = prove(&Disk, &dir, &[segment.first() + 3], 1000);
        segment.write();
        // The time that the segment was made is told by nothing else.
        prop_assert!(changed.header == segment.header || !report.ok || (41..56).contains(&at));
        Ok(())
    });
    result.unwrap();
}
