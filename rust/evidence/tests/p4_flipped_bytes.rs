//! P4: a flipped byte costs at most one record, is named, and nothing after it is lost.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use bigsec_evidence::clock::Clock;
use bigsec_evidence::sealed::seal_segment;
use bigsec_evidence::simulator::{Random, SimStorage};
use bigsec_evidence::storage::{Storage, read_full_at};
use bigsec_evidence::verify::{Report, Severity, VerifyOptions, verify};
use bigsec_evidence::{Flags, LogError, LogReader, LogWriter, Next, Record};
use forge::log::{TestClock, append, keys, list, look, options};
use tempfile::TempDir;

const DIR: &str = "/log";
const RECORDS: u64 = 230;
/// Each byte in soak, each fifth otherwise, so that every field of every frame is met.
const STEP: usize = 5;

struct Store {
    storage: SimStorage,
    files: Vec<(PathBuf, usize)>,
    records: Vec<Vec<u8>>,
}

fn is_sealed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "segz")
}

/// The records of a log, `None` for those that the reader says are lost.
fn read(storage: &SimStorage) -> Vec<Option<Vec<u8>>> {
    let log = LogReader::open(Arc::new(storage.clone()), Path::new(DIR)).unwrap();
    let mut cursor = log.at(0).unwrap();
    let mut records = Vec::new();
    while let Some(next) = cursor.next(RECORDS).unwrap() {
        match next {
            Next::Record { sequence, bytes, .. } => {
                assert_eq!(sequence, records.len() as u64);
                records.push(Some(bytes.to_vec()));
            }
            Next::Lost { first, end, .. } => {
                assert!(first == records.len() as u64 && end > first);
                records.resize(end as usize, None);
            }
        }
    }
    assert_eq!(records.len() as u64, RECORDS);
    records
}

fn open(storage: &SimStorage) -> (LogWriter, bigsec_evidence::Recovery) {
    let clock: Arc<dyn Clock> = TestClock::new();
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    LogWriter::open(storage, clock, Path::new(DIR), options(8 << 10, 1)).unwrap()
}

fn read_file(storage: &SimStorage, path: &Path) -> Vec<u8> {
    let file = storage.open_read(path).unwrap();
    let mut bytes = vec![0; file.size().unwrap() as usize];
    read_full_at(file.as_ref(), &mut bytes, 0).unwrap();
    bytes
}

fn files(storage: &SimStorage, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = storage.list(Path::new(folder)).unwrap_or_default();
    paths
        .into_iter()
        .filter(|path| storage.stat(path).unwrap().is_regular)
        .map(|path| (path.clone(), read_file(storage, &path)))
        .collect()
}

impl Store {
    /// A log of some 64 KiB in several segments, all raw or all but the last sealed.
    fn make(sealed: bool) -> Self {
        let storage = SimStorage::new(1);
        let clock = TestClock::new();
        let shared: (Arc<dyn Storage>, Arc<dyn Clock>) = (Arc::new(storage.clone()), clock.clone());
        let options = options(8 << 10, 1);
        let (mut log, _) = LogWriter::open(shared.0, shared.1, Path::new(DIR), options).unwrap();
        append(&mut log, &clock, 0..RECORDS);
        if sealed {
            for pair in log.segments().windows(2) {
                seal_segment(&storage, Path::new(DIR), &pair[0], pair[1].first, 1).unwrap();
            }
        }
        assert!(log.segments().len() >= 3);
        let files = files(&storage, DIR);
        let files = files.into_iter().map(|(path, bytes)| (path, bytes.len())).collect();
        let records = read(&storage).into_iter().map(Option::unwrap).collect();
        Self { storage, files, records }
    }

    fn verified(storage: &SimStorage) -> Report {
        let options = VerifyOptions { keys: keys(1), threads: 1, ..VerifyOptions::default() };
        verify(storage, Path::new(DIR), &options).unwrap()
    }

    /// Flips one bit and asserts what P4 promises.
    fn flip(&self, path: &Path, at: usize) {
        let storage = self.storage.killed();
        storage.tamper(path, |bytes| bytes[at] ^= 1 << (at % 8)).unwrap();
        let options = VerifyOptions { keys: keys(1), threads: 1, ..VerifyOptions::default() };
        let report = match verify(&storage, Path::new(DIR), &options) {
            Ok(report) => report,
            // The one file without a checksum may now tell of a later format. Then nothing is read.
            Err(LogError::Newer { path, .. }) if path.ends_with("log.json") => return,
            Err(error) => panic!("{} byte {at}: {error}", path.display()),
        };
        let place = format!("{} byte {at}:\n{}", path.display(), list(&report));
        assert!(!report.findings.is_empty(), "silent: {place}");
        let name = path.file_name().unwrap().to_str().unwrap();
        let named = report.findings.iter().any(|finding| finding.file == name);
        assert!(named, "not named: {place}");
        let lost: u64 = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Damage)
            .map(|finding| finding.end - finding.first)
            .sum();
        assert!(lost <= 1, "more than one record is lost: {place}");
        assert!(!name.contains(".segz") || lost == 0, "parity mends it: {place}");
        assert_eq!(report.records + lost, RECORDS, "{place}");
        let mut unread = 0;
        for (found, record) in read(&storage).iter().zip(&self.records) {
            unread += u64::from(found.is_none());
            assert!(found.as_ref().is_none_or(|found| found == record), "changed: {place}");
        }
        assert_eq!(unread, lost, "the reader lost others: {place}");
        if name.contains(".seg") {
            assert!(!report.ok, "health stays green: {place}");
            let tamper = report.count(Severity::Tamper);
            assert_eq!(tamper, 0, "a flipped byte is no tampering: {place}");
        }
    }

    fn flip_all(&self, step: usize) {
        let half = |odd: usize| {
            for (path, len) in &self.files {
                for at in (odd * step..*len).step_by(2 * step) {
                    self.flip(path, at);
                }
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| half(1));
            half(0);
        });
    }

    /// Damages one file, then asserts that verifying and opening tell, and overwrite no segment.
    fn damage(&self, path: &Path, what: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let storage = self.storage.killed();
        storage.tamper(path, change).unwrap();
        Self::look_and_open(&storage, path, what);
    }

    fn look_and_open(storage: &SimStorage, path: &Path, what: &str) {
        let report = Self::verified(storage);
        let place = format!("{what} {}:\n{}", path.display(), list(&report));
        assert!(!report.findings.is_empty(), "silent: {place}");
        let before = files(storage, DIR);
        let (mut log, recovery) = open(storage);
        let size = log.size();
        append(&mut log, &TestClock::new(), size..size + 3);
        drop(log);
        let after = files(storage, DIR);
        let aside = files(storage, "/log/damaged");
        let is_segment = |path: &&PathBuf| path.to_string_lossy().contains(".seg");
        for (path, bytes) in before.iter().filter(|(path, _)| is_segment(path)) {
            let name = path.file_name().unwrap();
            let kept = after.get(path).or_else(|| aside.get(&Path::new("/log/damaged").join(name)));
            let kept = kept.unwrap_or_else(|| panic!("{} is gone: {place}", path.display()));
            let common = kept.len().min(bytes.len());
            assert_eq!(kept[..common], bytes[..common], "{} overwritten", path.display());
            // Only the tail of the newest may be cut, and only as torn.
            let cut = (bytes.len() - common) as u64;
            assert!(cut <= recovery.cut_bytes, "{} cut: {place}", path.display());
        }
        let report = Self::verified(storage);
        let is_cache = !is_segment(&&path.to_owned());
        assert!(is_cache || !report.ok || report.count(Severity::Notice) > 0, "forgotten: {place}");
    }
}

#[test]
fn p4_flips_in_raw_segments_and_their_caches() {
    Store::make(false).flip_all(STEP);
}

#[test]
fn p4_flips_in_sealed_segments() {
    Store::make(true).flip_all(STEP);
}

#[test]
#[ignore = "takes minutes; part of `make soak`"]
fn p4_a_flip_at_every_byte() {
    Store::make(false).flip_all(1);
    Store::make(true).flip_all(1);
}

#[test]
fn p4_files_cut_at_many_places() {
    for sealed in [false, true] {
        let store = Store::make(sealed);
        for (path, len) in &store.files {
            let lens = (0..*len).step_by(211).chain(len.saturating_sub(3)..*len);
            for cut in lens.filter(|_| *len > 0) {
                if path.ends_with("log.json") && cut + 1 == *len {
                    continue; // All but the line end is all that counts.
                }
                let storage = store.storage.killed();
                storage.tamper(path, |bytes| bytes.truncate(cut)).unwrap();
                let report = Store::verified(&storage);
                let (name, text) = (path.display(), list(&report));
                assert!(!report.findings.is_empty(), "{name} cut to {cut}, silent:\n{text}");
            }
        }
    }
}

#[test]
fn p4_zeroed_pages() {
    for sealed in [false, true] {
        let store = Store::make(sealed);
        for (path, len) in store.files.iter().filter(|(_, len)| *len > 0) {
            for page in (0..*len).step_by(4096) {
                let page: Range<usize> = page..(page + 4096).min(*len);
                let zeros = |bytes: &[u8]| bytes[page.clone()].iter().all(|byte| *byte == 0);
                if zeros(&read_file(&store.storage, path)) {
                    continue;
                }
                store.damage(path, "zeroed", |bytes| bytes[page.clone()].fill(0));
            }
        }
    }
}

#[test]
fn p4_files_deleted_and_garbled_one_at_a_time() {
    for sealed in [false, true] {
        let store = Store::make(sealed);
        for (path, len) in store.files.iter().filter(|(_, len)| *len > 0) {
            store.damage(path, "garbled", |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0x5a));
            store.damage(path, "emptied", Vec::clear);
            let head = 4096.min(*len);
            store.damage(path, "beheaded", |bytes| bytes[..head].fill(0xff));
            let storage = store.storage.killed();
            storage.remove(path).unwrap();
            Store::look_and_open(&storage, path, "deleted");
        }
    }
}

/// Writes a log of at least so many bytes to disk, in segments of 16 MiB.
fn large_log(dir: &Path, bytes: u64) -> u64 {
    let clock = TestClock::new();
    let mut log = forge::log::open(dir, options(16 << 20, 1), &clock);
    let payload = vec![b'x'; 470];
    let mut records = 0;
    while records * 500 < bytes {
        for _ in 0..1000 {
            log.append(&Record {
                flags: Flags::default(),
                received_us: clock.now_us(),
                source: "auth",
                peer: None,
                id: None,
                position: None,
                payload: &payload,
            });
            records += 1;
        }
        log.commit().unwrap();
    }
    log.checkpoint().unwrap();
    records
}

#[test]
#[ignore = "takes minutes; part of `make soak`"]
fn p4_ten_thousand_flips_in_256_mib() {
    const FLIPS: usize = 10_000;
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("log");
    let records = large_log(&dir, 256 << 20);
    let paths = forge::raw_segments(&dir);
    let mut random = Random::new(4);
    // In rounds, each with its flips far apart, so that one verification judges many.
    let (rounds, each) = (10, FLIPS / 10);
    for round in 0..rounds {
        let mut flips: BTreeMap<(usize, u64), u8> = BTreeMap::new();
        while flips.len() < each {
            let file = random.below(paths.len());
            let len = std::fs::metadata(&paths[file]).unwrap().len();
            flips.insert((file, random.below(len as usize) as u64), 1 << random.below(8));
        }
        let flip_all = || {
            for ((file, at), bit) in &flips {
                let file =
                    std::fs::File::options().read(true).write(true).open(&paths[*file]).unwrap();
                let mut byte = [0];
                file.read_exact_at(&mut byte, *at).unwrap();
                file.write_all_at(&[byte[0] ^ bit], *at).unwrap();
            }
        };
        flip_all();
        let report = look(&dir, keys(1), Vec::new());
        let lost: u64 = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Damage)
            .map(|finding| finding.end - finding.first)
            .sum();
        assert_eq!(report.count(Severity::Tamper), 0, "round {round}");
        assert!(lost <= each as u64 && lost > each as u64 * 9 / 10, "round {round}: {lost} lost");
        assert_eq!(report.records + lost, records, "round {round}");
        flip_all();
    }
    assert!(look(&dir, keys(1), Vec::new()).ok, "all flips were taken back");
}

#[test]
fn p4_a_flip_in_the_log_file_is_no_newer_format() {
    for sealed in [false, true] {
        let store = Store::make(sealed);
        let (path, _) = store.files.iter().find(|(path, _)| path.ends_with("log.json")).unwrap();
        store.damage(path, "another version", |bytes| {
            let at = bytes.windows(9).position(|part| part == b"\"format\":").unwrap() + 9;
            bytes[at] = b'9';
        });
    }
}

#[test]
fn p4_a_sealed_segment_without_a_header_is_read() {
    let store = Store::make(true);
    let (path, _) = store.files.iter().find(|(path, _)| is_sealed(path)).unwrap();
    let storage = store.storage.killed();
    storage.tamper(path, |bytes| bytes[..4096].fill(0)).unwrap();
    assert_eq!(read(&storage), read(&store.storage));
}
