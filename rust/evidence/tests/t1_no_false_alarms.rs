//! T1: what a machine does by itself never looks like tampering or damage: power cuts, failed
//! writes and flushes, clocks that jump, keys that change, sealing stopped half-way.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod forge;

use std::path::Path;
use std::sync::Arc;

use bigsec_evidence::LogWriter;
use bigsec_evidence::clock::Clock;
use bigsec_evidence::note::{Note, rotate};
use bigsec_evidence::sealed::{adopt, prepare};
use bigsec_evidence::simulator::{Fault, Operation, Random, SimStorage};
use bigsec_evidence::storage::Storage;
use bigsec_evidence::verify::{Report, Severity, VerifyOptions, verify};
use forge::log::{TestClock, assert_clean, keys, list, options, signer};

const DIR: &str = "/log";

fn check(storage: &SimStorage, checkpoints: Vec<Note>) -> Report {
    let options =
        VerifyOptions { keys: keys(1), checkpoints, threads: 1, ..VerifyOptions::default() };
    verify(storage, Path::new(DIR), &options).unwrap()
}

#[track_caller]
fn assert_no_alarm(report: &Report, what: &str) {
    let notices = report.count(Severity::Notice);
    assert_eq!(notices, report.findings.len(), "{what}:\n{}", list(report));
}

/// What a machine lives through: appends, commits, notes, seals, while power and disk fail.
struct Life {
    random: Random,
    storage: SimStorage,
    clock: Arc<TestClock>,
    /// The notes that left the machine.
    notes: Vec<Note>,
    durable: u64,
}

impl Life {
    fn open(&self) -> Option<LogWriter> {
        let (storage, clock): (Arc<dyn Storage>, Arc<dyn Clock>) =
            (Arc::new(self.storage.clone()), self.clock.clone());
        let (writer, recovery) =
            LogWriter::open(storage, clock, Path::new(DIR), options(3000, 1)).ok()?;
        assert_eq!(recovery.damage, [], "recovery raises an alarm");
        assert!(writer.durable().size >= self.durable);
        Some(writer)
    }

    fn step(&mut self, writer: &mut LogWriter) {
        let jump = match self.random.below(10) {
            0 => -8 * 3_600_000_000,
            1 => 365 * 86_400_000_000,
            2 => -1_000_000,
            _ => 0,
        };
        self.clock.pass(1_000_000, jump);
        match self.random.below(6) {
            0 => {
                if let Ok(note) = writer.checkpoint() {
                    self.notes.push(note);
                }
            }
            1 => self.seal(writer),
            _ => {
                for _ in 0..self.random.below(8) {
                    let payload = vec![b'x'; self.random.below(300)];
                    let record = bigsec_evidence::Record {
                        flags: bigsec_evidence::Flags::default(),
                        received_us: self.clock.now_us(),
                        source: "auth",
                        peer: None,
                        id: None,
                        position: None,
                        payload: &payload,
                    };
                    writer.append(&record);
                }
                if let Ok(durable) = writer.commit() {
                    self.durable = durable.size;
                }
            }
        }
    }

    fn seal(&mut self, writer: &LogWriter) {
        let dir = Path::new(DIR);
        let Some(pair) = writer
            .segments()
            .windows(2)
            .find(|pair| !pair[0].sealed && self.storage.stat(&pair[0].path).is_ok())
        else {
            return;
        };
        if let Ok(prepared) = prepare(&self.storage, dir, &pair[0], pair[1].first, 1) {
            let _ = adopt(&self.storage, dir, &prepared);
        }
    }

    fn fail_something(&mut self) {
        let operations = [Operation::Write, Operation::Sync, Operation::Rename, Operation::SetLen];
        let operation = operations[self.random.below(operations.len())];
        let fault = [Fault::Before, Fault::After, Fault::Short, Fault::Full][self.random.below(4)];
        let at = 1 + self.random.below(8) as u64;
        self.storage.fail(operation, at..at + 1 + self.random.below(3) as u64, fault);
    }
}

#[test]
fn t1_power_cuts_failed_flushes_and_jumping_clocks_raise_no_alarm() {
    for seed in 0..60 {
        let storage = SimStorage::new(seed);
        storage.create_folder(Path::new(DIR)).unwrap();
        storage.sync_folder(Path::new("/")).unwrap();
        let random = Random::new(seed);
        let clock = TestClock::new();
        let mut life = Life { random, storage, clock, notes: Vec::new(), durable: 0 };
        // A log that signs does so from its first minute on.
        life.notes.push(life.open().unwrap().checkpoint().unwrap());
        for round in 0..8 {
            if life.random.one_in(2) {
                life.fail_something();
            }
            let operations = life.storage.operations();
            life.storage.crash_at(operations + life.random.below(120) as u64);
            if let Some(mut writer) = life.open() {
                for _ in 0..25 {
                    life.step(&mut writer);
                }
            }
            life.storage = life.storage.crash(life.random.next_u64());
            let what = format!("seed {seed} round {round}, not recovered");
            if life.durable > 0 {
                assert_no_alarm(&check(&life.storage, life.notes.clone()), &what);
            }
            let writer = life.open();
            life.durable = writer.map_or(life.durable, |writer| writer.durable().size);
            let what = format!("seed {seed} round {round}, recovered");
            if life.durable > 0 {
                assert_no_alarm(&check(&life.storage, life.notes.clone()), &what);
            }
        }
    }
}

#[test]
fn t1_a_changed_key_raises_no_alarm() {
    let storage = SimStorage::new(1);
    let clock = TestClock::new();
    let open = |seed: u8| {
        let mut options = options(4000, 1);
        options.signer = Some(signer(seed));
        let (storage, clock): (Arc<dyn Storage>, Arc<dyn Clock>) =
            (Arc::new(storage.clone()), clock.clone());
        LogWriter::open(storage, clock, Path::new(DIR), options).unwrap().0
    };
    let mut writer = open(1);
    forge::log::append(&mut writer, &clock, 0..100);
    let change = rotate(writer.unsigned_note(), &signer(1), &signer(2));
    writer.keep_note(&change).unwrap();
    writer.roll().unwrap();
    drop(writer);
    let mut writer = open(2);
    forge::log::append(&mut writer, &clock, 100..200);
    let report = check(&storage, Vec::new());
    assert_clean(&report);
    assert_eq!(report.key, Some(signer(2).vkey()));
    // Whoever knows only the new key cannot check what stands before it, and is told.
    let options = VerifyOptions { keys: keys(2), ..VerifyOptions::default() };
    let report = verify(&storage, Path::new(DIR), &options).unwrap();
    assert_no_alarm(&report, "the new key alone");
    assert_eq!(report.findings.len(), 1, "{}", list(&report));
    // The old key signs nothing any more.
    let mut late = writer.unsigned_note();
    late.sign(&[&signer(1)]);
    writer.keep_note(&late).unwrap();
    assert_eq!(check(&storage, Vec::new()).count(Severity::Tamper), 1);
}

#[test]
fn t1_sealing_stopped_half_way_raises_no_alarm() {
    let storage = SimStorage::new(1);
    let clock = TestClock::new();
    let shared: (Arc<dyn Storage>, Arc<dyn Clock>) = (Arc::new(storage.clone()), clock.clone());
    let (mut writer, _) =
        LogWriter::open(shared.0, shared.1, Path::new(DIR), options(4000, 1)).unwrap();
    forge::log::append(&mut writer, &clock, 0..200);
    let segments = writer.segments().to_vec();
    let begins = storage.operations();
    let seal = |storage: &SimStorage| {
        let dir = Path::new(DIR);
        let prepared = prepare(storage, dir, &segments[0], segments[1].first, 1)?;
        adopt(storage, dir, &prepared)
    };
    let whole = storage.killed();
    seal(&whole).unwrap();
    let steps = whole.operations().max(begins) + 40;
    for step in 0..steps {
        let machine = storage.killed();
        machine.crash_at(machine.operations() + step);
        let done = seal(&machine).is_ok();
        for after in [machine.crash(step), machine.killed()] {
            assert_no_alarm(&check(&after, Vec::new()), &format!("step {step}"));
        }
        if done {
            return;
        }
    }
    panic!("sealing never ended");
}
