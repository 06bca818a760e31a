//! Makes logs to be tampered with, and looks at what a verification says of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bigsec_evidence::clock::Clock;
use bigsec_evidence::disk::Disk;
use bigsec_evidence::keys::{Signer, VerifierKey};
use bigsec_evidence::note::Note;
use bigsec_evidence::sealed::seal_segment;
use bigsec_evidence::verify::{Kind, Report, Severity, VerifyOptions, verify};
use bigsec_evidence::{Flags, LogOptions, LogWriter, Record};
use tempfile::TempDir;

use super::copy_folder;

pub const NAME: &str = "relay-1.example.gov";
pub const BEGAN_US: i64 = 1_795_572_000_000_000;

/// A clock that a test sets.
#[derive(Default)]
pub struct TestClock {
    pub now_us: AtomicI64,
    pub elapsed_us: AtomicI64,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { now_us: AtomicI64::new(BEGAN_US), elapsed_us: AtomicI64::new(0) })
    }

    /// Time goes by, and the wall clock jumps besides.
    pub fn pass(&self, us: i64, jump_us: i64) {
        self.elapsed_us.fetch_add(us, Ordering::Relaxed);
        self.now_us.fetch_add(us + jump_us, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.elapsed_us.load(Ordering::Relaxed).unsigned_abs())
    }
}

pub fn signer(seed: u8) -> Signer {
    Signer::from_seed(NAME, &[seed; 32]).expect("a name for a key")
}

pub fn options(segment_bytes: u64, seed: u8) -> LogOptions {
    let mut options = LogOptions::new(NAME);
    options.segment_bytes = segment_bytes;
    options.new_id = Some([seed; 16]);
    options.signer = Some(signer(seed));
    options
}

pub fn open(dir: &Path, options: LogOptions, clock: &Arc<TestClock>) -> LogWriter {
    let clock: Arc<dyn Clock> = clock.clone();
    LogWriter::open(Arc::new(Disk), clock, dir, options).expect("the log opens").0
}

/// Appends records in groups of 10, with a note after every fifth group.
pub fn append(
    writer: &mut LogWriter,
    clock: &TestClock,
    records: std::ops::Range<u64>,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let end = records.end;
    for n in records {
        let payload = format!("{n}: user li.wei logged in from 192.0.2.{}", n % 250);
        let record = Record {
            flags: Flags::default(),
            received_us: clock.now_us(),
            source: "auth",
            peer: None,
            id: None,
            position: None,
            payload: payload.as_bytes(),
        };
        writer.append(&record);
        if (n + 1) % 10 == 0 || n + 1 == end {
            clock.pass(10_000_000, 0);
            writer.commit().expect("a commit");
            if (n + 1) % 50 == 0 {
                notes.push(writer.checkpoint().expect("a note"));
            }
        }
    }
    notes
}

/// Seals the first `count` segments.
pub fn seal(writer: &LogWriter, dir: &Path, count: usize) {
    let segments = writer.segments();
    for pair in segments.windows(2).take(count) {
        seal_segment(&Disk, dir, &pair[0], pair[1].first, 1).expect("sealed");
    }
}

/// A log with its key, and the notes that left it.
pub struct Log {
    folder: TempDir,
    pub notes: Vec<Note>,
}

impl Log {
    /// 1,005 records in segments of 16 KiB, the first two of which are sealed.
    pub fn make() -> Self {
        let folder = TempDir::new().expect("a folder");
        let dir = folder.path().join("log");
        let clock = TestClock::new();
        let mut writer = open(&dir, options(16 << 10, 1), &clock);
        let notes = append(&mut writer, &clock, 0..1005);
        seal(&writer, &dir, 2);
        Self { folder, notes }
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A copy to be tampered with.
    pub fn copy(&self, name: &str) -> PathBuf {
        let to = self.folder.path().join(name);
        copy_folder(&self.dir(), &to);
        to
    }
}

pub fn keys(seed: u8) -> Vec<VerifierKey> {
    vec![signer(seed).verifier().clone()]
}

/// Verifies with the log's own key, without anything from outside.
pub fn inside(dir: &Path) -> Report {
    look(dir, keys(1), Vec::new())
}

/// Verifies with the log's own key and notes that were kept elsewhere.
pub fn outside(dir: &Path, notes: &[Note]) -> Report {
    look(dir, keys(1), notes.to_vec())
}

pub fn look(dir: &Path, keys: Vec<VerifierKey>, checkpoints: Vec<Note>) -> Report {
    let name = Some(NAME.to_owned());
    let options = VerifyOptions { keys, name, checkpoints, threads: 2, ..VerifyOptions::default() };
    verify(&Disk, dir, &options).expect("a log")
}

pub fn list(report: &Report) -> String {
    let lines: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Asserts a finding of a kind in a segment that takes in the given records.
#[track_caller]
pub fn assert_found(
    report: &Report,
    severity: Severity,
    kind: Kind,
    segment: Option<u64>,
    records: std::ops::Range<u64>,
) {
    let found = report.findings.iter().any(|finding| {
        finding.severity == severity
            && finding.kind == kind
            && finding.segment == segment
            && finding.first <= records.start
            && finding.end >= records.end
    });
    assert!(found, "no {severity:?} {kind} in {segment:?} at {records:?}:\n{}", list(report));
    assert!(!report.ok || severity == Severity::Notice);
}

#[track_caller]
pub fn assert_clean(report: &Report) {
    assert!(report.ok && report.findings.is_empty(), "{}", list(report));
}
