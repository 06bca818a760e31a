//! T2: the end of the live segment is cut off. Above the watermark a crash did it, and nothing is
//! said; below, somebody or something took what was acknowledged, and it is named.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bigsec_evidence::clock::Clock;
use bigsec_evidence::simulator::SimStorage;
use bigsec_evidence::storage::Storage;
use bigsec_evidence::verify::{Kind, Report, Severity, VerifyOptions, verify};
use bigsec_evidence::{LogWriter, Recovery, SegmentInfo};
use forge::log::{TestClock, append, keys, list, options};

const DIR: &str = "/log";
/// How much of the live segment's end is cut off byte by byte.
const END_BYTES: u64 = 64 << 10;

/// A log in memory whose watermark stands in the middle of what is to be cut.
struct Cut {
    storage: SimStorage,
    live: SegmentInfo,
    /// Bytes and records below the watermark.
    flushed: u64,
    marked: u64,
    /// Where each group ends, and how many records there are then.
    groups: Vec<(u64, u64)>,
}

fn writer(storage: &SimStorage, clock: &Arc<TestClock>) -> (LogWriter, Recovery) {
    let (storage, clock): (Arc<dyn Storage>, Arc<dyn Clock>) =
        (Arc::new(storage.clone()), clock.clone());
    LogWriter::open(storage, clock, Path::new(DIR), options(1 << 20, 1)).unwrap()
}

fn watermark() -> PathBuf {
    Path::new(DIR).join("watermark")
}

impl Cut {
    fn make() -> Self {
        let storage = SimStorage::new(1);
        let clock = TestClock::new();
        let (mut log, _) = writer(&storage, &clock);
        let notes = Path::new(DIR).join("checkpoints");
        let (mut mark, mut kept_notes) = (Vec::new(), Vec::new());
        let (mut flushed, mut marked) = (0, 0);
        let mut groups = vec![(0, 0)];
        for group in 0..105 {
            append(&mut log, &clock, group * 10..group * 10 + 10);
            let bytes = log.segments()[0].bytes;
            groups.push((bytes, log.durable().size));
            if group >= 5 && bytes < 60 << 10 {
                (flushed, marked) = (bytes, log.durable().size);
                storage.tamper(&watermark(), |bytes| mark.clone_from(bytes)).unwrap();
                storage.tamper(&notes, |bytes| kept_notes.clone_from(bytes)).unwrap();
            }
        }
        storage.tamper(&watermark(), |bytes| bytes.clone_from(&mark)).unwrap();
        // A later note would tell what the watermark does not.
        storage.tamper(&notes, |bytes| bytes.clone_from(&kept_notes)).unwrap();
        let live = log.segments()[0].clone();
        assert!(live.bytes > END_BYTES + 4096 && flushed > live.bytes - END_BYTES, "{live:?}");
        Self { storage, live, flushed, marked, groups }
    }

    fn check(&self, len: u64) {
        let storage = self.storage.killed();
        let cut = |bytes: &mut Vec<u8>| bytes.truncate(len as usize);
        storage.tamper(&self.live.path, cut).unwrap();
        let report = Self::look(&storage);
        let clock = TestClock::new();
        let (log, recovery) = writer(&storage, &clock);
        let group = self.groups.partition_point(|(bytes, _)| *bytes <= len) - 1;
        let (bytes, size) = self.groups[group];
        if len >= self.flushed {
            assert_eq!(report.count(Severity::Notice), report.findings.len(), "{}", list(&report));
            assert_eq!(recovery.damage, [], "cut to {len}");
            let torn = report.findings.iter().any(|finding| finding.kind == Kind::TornTail);
            assert_eq!(torn, bytes != len, "cut to {len}:\n{}", list(&report));
            assert!(log.durable().size >= size, "cut to {len}");
        } else {
            let found = report.findings.iter().find(|one| one.kind == Kind::Truncated).unwrap();
            assert_eq!((found.severity, found.end), (Severity::Damage, self.marked), "{found}");
            assert_eq!(found.segment, Some(self.live.number));
            assert!(found.first >= size && found.first < size + 11, "cut to {len}: {found}");
            let told = recovery.damage.iter().find(|one| one.end == self.marked);
            assert_eq!(told.map(|told| told.first), Some(found.first), "cut to {len}");
            assert!(log.durable().size >= self.marked, "no sequence is used twice");
        }
        drop(log);
        let after = Self::look(&storage);
        assert_eq!(after.count(Severity::Tamper), 0, "cut to {len}:\n{}", list(&after));
        assert_eq!(after.ok, len >= self.flushed, "cut to {len}:\n{}", list(&after));
    }

    fn look(storage: &SimStorage) -> Report {
        let options = VerifyOptions { keys: keys(1), threads: 1, ..VerifyOptions::default() };
        verify(storage, Path::new(DIR), &options).unwrap()
    }
}

#[test]
fn t2_the_live_segment_cut_near_each_frame_and_at_every_97th_byte() {
    let cut = Cut::make();
    let end = cut.live.bytes;
    let mut lengths: Vec<u64> = (end - END_BYTES..=end).step_by(97).collect();
    for (bytes, _) in &cut.groups {
        lengths.extend(bytes.saturating_sub(2)..=bytes + 2);
    }
    // The whole of the group that the watermark stands behind, and of the next.
    lengths.extend(cut.flushed - 600..cut.flushed + 600);
    for len in lengths.into_iter().filter(|len| (end - END_BYTES..=end).contains(len)) {
        cut.check(len);
    }
}

#[test]
#[ignore = "takes minutes; part of `make soak`"]
fn t2_the_live_segment_cut_at_every_byte() {
    let cut = Cut::make();
    for len in cut.live.bytes - END_BYTES..=cut.live.bytes {
        cut.check(len);
    }
}
