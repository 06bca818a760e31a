//! A simulated machine that runs one log, and what the senders of its records know.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bigsec_evidence::clock::Clock;
use bigsec_evidence::housekeeping::Housekeeper;
use bigsec_evidence::keys::Signer;
use bigsec_evidence::reserve::Reserve;
use bigsec_evidence::retention::{FLOOR_S, Retention};
use bigsec_evidence::simulator::{Random, SimClock, SimStorage};
use bigsec_evidence::verify::{VerifyOptions, verify};
use bigsec_evidence::{Flags, LogError, LogOptions, LogReader, LogWriter, Next, Record, Recovery};

pub const DIR: &str = "/data/log";
pub const SOURCE: &str = "relay";
/// 2026-11-25T02:00:00Z.
pub const NOW_US: i64 = 1_795_572_000_000_000;
/// So long records are kept: the floor.
pub const KEEP: Duration = Duration::from_secs(FLOOR_S);

/// Options with small segments, so that a short run has many.
pub fn options() -> LogOptions {
    LogOptions {
        segment_bytes: 12_288,
        new_id: Some([7; 16]),
        signer: Some(signer()),
        reserve_bytes: 131_072,
        ..LogOptions::new(NAME)
    }
}

/// The same, with a watermark that is brought up at a segment's begin only, or when it is told.
pub fn lagging_options() -> LogOptions {
    LogOptions { mark_interval: KEEP * 10, ..options() }
}

pub const NAME: &str = "relay-1.example.gov";

pub fn signer() -> Signer {
    Signer::from_seed(NAME, &[1; 32]).unwrap()
}

/// What the senders know: which records were acknowledged, and for which they still wait.
#[derive(Debug, Clone, Default)]
pub struct Senders {
    pub acked: Vec<u64>,
    pub waiting: Vec<u64>,
    sent: u64,
    /// So many of the acknowledged may have been deleted, because they are older than they are
    /// kept.
    pub expired: usize,
}

/// The bytes of the record with this number: each is different, and none is sent twice.
pub fn payload(number: u64) -> Vec<u8> {
    let mut random = Random::new(number);
    let len = match random.below(50) {
        0 => 0,
        1 => 9_000,
        _ => random.below(700),
    };
    let mut bytes = vec![0; len];
    random.fill(&mut bytes);
    [number.to_le_bytes().to_vec(), bytes].concat()
}

/// Says where a test was when it failed.
pub struct Doing(pub String);

impl Drop for Doing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("failed in {}", self.0);
        }
    }
}

/// The machine.
pub struct Machine {
    pub storage: SimStorage,
    pub clock: Arc<SimClock>,
    pub senders: Senders,
    pub options: fn() -> LogOptions,
}

impl Machine {
    pub fn new(seed: u64) -> Self {
        Self {
            storage: SimStorage::new(seed),
            clock: Arc::new(SimClock::new(NOW_US)),
            senders: Senders::default(),
            options,
        }
    }

    /// The same senders and the same time on a machine that has crashed.
    pub fn with(&self, storage: SimStorage) -> Self {
        let clock = Arc::clone(&self.clock);
        Self { storage, clock, senders: self.senders.clone(), options: self.options }
    }

    /// Opens the log.
    pub fn open(&self) -> Result<(LogWriter, Recovery), LogError> {
        let storage = Arc::new(self.storage.clone());
        LogWriter::open(storage, self.clock.clone(), Path::new(DIR), (self.options)())
    }

    /// The offline check has nothing to complain of: neither a crash nor a fault is damage.
    pub fn verify(&self) {
        let options = VerifyOptions {
            keys: vec![signer().verifier().clone()],
            name: Some(NAME.to_owned()),
            threads: 1,
            ..VerifyOptions::default()
        };
        match verify(&self.storage.killed(), Path::new(DIR), &options) {
            Ok(report) => assert!(report.ok, "a false alarm: {:#?}", report.findings),
            // The crash came before there was one.
            Err(_) if self.senders.acked.is_empty() => {}
            Err(error) => panic!("it cannot be verified: {error}"),
        }
    }

    /// Opens the log after a crash and holds it to its promise.
    pub fn reopen(&mut self) -> LogWriter {
        self.verify();
        let (writer, recovery) = self.open().expect("a log opens after a crash");
        assert!(recovery.damage.is_empty(), "a crash is no damage: {:?}", recovery.damage);
        assert_eq!(writer.durable().size, writer.size());
        self.check(&writer);
        self.verify();
        writer
    }

    /// All that was acknowledged is there, in order, once; then perhaps some that was not.
    pub fn check(&mut self, writer: &LogWriter) {
        let kept = self.kept(writer.durable().size);
        let first = kept.first().copied();
        let gone = match first {
            Some(first) => self.senders.acked.iter().take_while(|number| **number < first).count(),
            None => self.senders.acked.len(),
        };
        let allowed = self.senders.expired;
        assert!(gone <= allowed, "{gone} acknowledged records are gone, {allowed} may be");
        let acked = &self.senders.acked[gone..];
        assert_eq!(&kept[..acked.len().min(kept.len())], acked, "what was acknowledged");
        let adopted = &kept[acked.len()..];
        assert!(
            self.senders.waiting.starts_with(adopted),
            "{adopted:?} were not sent so: {:?}",
            self.senders.waiting
        );
        self.senders.acked.extend_from_slice(adopted);
        self.senders.waiting.clear();
    }

    /// The numbers of the senders' records, read as another process would.
    fn kept(&self, end: u64) -> Vec<u64> {
        // Whatever calls are planned to fail, they do not fail here.
        let storage = Arc::new(self.storage.killed());
        let mut reader = LogReader::open(storage, Path::new(DIR)).expect("a reader opens the log");
        assert_eq!(reader.durable_size().unwrap(), end, "reader and writer agree");
        let mut expected = reader.first().unwrap();
        let mut cursor = reader.at(expected).unwrap();
        let mut kept = Vec::new();
        while let Some(next) = cursor.next(end).unwrap() {
            let Next::Record { sequence, record, .. } = next else {
                panic!("records are lost from {expected} on: {next:?}");
            };
            assert_eq!(sequence, expected, "sequences without a hole");
            expected += 1;
            if record.source == SOURCE {
                let number = u64::from_le_bytes(*record.payload.first_chunk().unwrap());
                assert!(record.payload == payload(number), "record {number} byte for byte");
                kept.push(number);
            }
        }
        assert_eq!(expected, end, "all is read");
        kept
    }

    /// A sender's record.
    pub fn append(&mut self, writer: &mut LogWriter) {
        self.senders.sent += 1;
        let number = self.senders.sent;
        let payload = payload(number);
        writer.append(&Record {
            flags: Flags::default(),
            received_us: self.clock.now_us(),
            source: SOURCE,
            peer: None,
            id: None,
            position: None,
            payload: &payload,
        });
        self.senders.waiting.push(number);
    }

    /// A group: when it is flushed, the senders are told.
    pub fn commit(&mut self, writer: &mut LogWriter) -> Result<(), LogError> {
        let durable = writer.commit()?;
        assert_eq!(durable.size, writer.size());
        self.senders.acked.append(&mut self.senders.waiting);
        Ok(())
    }

    pub fn append_and_commit(
        &mut self,
        writer: &mut LogWriter,
        count: usize,
    ) -> Result<(), LogError> {
        for _ in 0..count {
            self.append(writer);
        }
        self.commit(writer)
    }

    /// Housekeeping until nothing is left to be done: ended segments are sealed, expired ones
    /// deleted.
    pub fn keep_house(&mut self, writer: &mut LogWriter) -> Result<(), LogError> {
        let (storage, dir) = (Arc::new(self.storage.clone()), Path::new(DIR));
        let retention = Retention { keep_s: KEEP.as_secs(), ..Retention::default() };
        let mut reserve = Reserve::of(storage.clone(), writer)?;
        let clock = self.clock.clone();
        let mut keeper = Housekeeper::open(storage, clock, dir, retention, Some(1))?;
        while keeper.step(writer, &mut reserve)?.is_some() {}
        Ok(())
    }

    /// Time passes until all that is in the log now may be deleted.
    pub fn expire(&mut self) {
        self.clock.pass(KEEP);
        // What waits may be durable already: the record of a deletion is committed with it.
        self.senders.expired = self.senders.acked.len() + self.senders.waiting.len();
    }

    /// The log goes on: it takes, keeps and signs further records.
    pub fn go_on(&mut self, mut writer: LogWriter) {
        self.append_and_commit(&mut writer, 2).expect("a log goes on");
        writer.checkpoint().expect("a log signs");
        self.append_and_commit(&mut writer, 1).expect("a log goes on");
        drop(writer);
        self.reopen();
    }
}
