//! Sealing, retention, approvals and the reserve, on a simulated machine.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bigsec_evidence::approval::Approval;
use bigsec_evidence::clock::Clock as _;
use bigsec_evidence::housekeeping::{Done, Housekeeper, SEAL_LEVEL};
use bigsec_evidence::keys::Signer;
use bigsec_evidence::reserve::Reserve;
use bigsec_evidence::retention::{FLOOR_S, OWN_SOURCE, Retention};
use bigsec_evidence::simulator::{Fault, Operation, SimClock, SimStorage};
use bigsec_evidence::storage::Storage as _;
use bigsec_evidence::verify::{Finding, Kind, Severity, VerifyOptions, verify};
use bigsec_evidence::{Flags, LogError, LogOptions, LogReader, LogWriter, Next, Record};

const NAME: &str = "relay-1.example.gov";
const DIR: &str = "/log";
const NOW_US: i64 = 1_795_572_000_000_000;
const DAY: Duration = Duration::from_hours(24);
const YEAR_US: i64 = 365 * 86_400_000_000;

struct Machine {
    storage: SimStorage,
    clock: Arc<SimClock>,
    log: LogWriter,
    reserve: Reserve,
    keeper: Housekeeper,
}

fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name, &[seed; 32]).unwrap()
}

fn keep(keep_s: u64) -> Retention {
    Retention { keep_s, ..Retention::default() }
}

impl Machine {
    fn open(
        storage: SimStorage,
        clock: Arc<SimClock>,
        retention: Retention,
        level: Option<i32>,
    ) -> Result<Self, LogError> {
        let options = LogOptions {
            segment_bytes: 12_288,
            new_id: Some([7; 16]),
            signer: Some(signer(NAME, 1)),
            reserve_bytes: 32_768,
            min_free_bytes: 4_096,
            ..LogOptions::new(NAME)
        };
        let door = Arc::new(storage.clone());
        let dir = Path::new(DIR);
        let (log, _) = LogWriter::open(door.clone(), clock.clone(), dir, options)?;
        let reserve = Reserve::of(door.clone(), &log)?;
        let keeper = Housekeeper::open(door, clock.clone(), dir, retention, level)?;
        Ok(Self { storage, clock, log, reserve, keeper })
    }

    fn new(retention: Retention, level: Option<i32>) -> Self {
        let clock = Arc::new(SimClock::new(NOW_US));
        Self::open(SimStorage::new(1), clock, retention, level).unwrap()
    }

    /// The same disk after the process ended and another began.
    fn restarted(self, retention: Retention, level: Option<i32>) -> Self {
        let (storage, clock) = (self.storage.killed(), self.clock.clone());
        drop(self);
        Self::open(storage, clock, retention, level).unwrap()
    }

    fn append(&mut self, payload: &[u8]) {
        self.log.append(&Record {
            flags: Flags::default(),
            received_us: self.clock.now_us(),
            source: "relay",
            peer: None,
            id: None,
            position: None,
            payload,
        });
    }

    /// Records for somewhat more than `segments` segments, under a checkpoint.
    fn fill(&mut self, segments: u64) {
        for number in 0..segments * 14 {
            self.append(&[number as u8; 900]);
            self.log.commit().unwrap();
        }
        self.log.checkpoint().unwrap();
    }

    /// Time passes, with a checkpoint a day.
    fn age(&mut self, days: u32) {
        for _ in 0..days {
            self.clock.pass(DAY);
            self.log.checkpoint().unwrap();
        }
    }

    /// Does all there is to do; gives how many segments were sealed and deleted.
    fn tidy(&mut self) -> Result<(usize, usize), LogError> {
        let mut count = (0, 0);
        for _ in 0..100 {
            match self.keeper.step(&mut self.log, &mut self.reserve)? {
                Some(Done::Sealed(_)) => count.0 += 1,
                Some(Done::Deleted(_)) => count.1 += 1,
                Some(Done::Kept(_)) => {}
                None => return Ok(count),
            }
        }
        panic!("housekeeping never comes to an end");
    }

    fn deleted(&mut self) -> usize {
        self.tidy().unwrap().1
    }

    fn own_records(&self) -> Vec<serde_json::Value> {
        let mut own = Vec::new();
        self.each(|_, record| {
            if record.source == OWN_SOURCE {
                own.push(serde_json::from_slice(record.payload).unwrap());
            }
        });
        own
    }

    /// Reads all records that are kept; gives how many.
    fn each(&self, mut see: impl FnMut(u64, &Record<'_>)) -> u64 {
        let mut reader = LogReader::open(Arc::new(self.storage.clone()), Path::new(DIR)).unwrap();
        let end = reader.durable_size().unwrap();
        let first = self.log.first();
        let mut cursor = reader.at(first).unwrap();
        let mut expected = first;
        while let Some(next) = cursor.next(end).unwrap() {
            match next {
                Next::Record { sequence, record, .. } => {
                    assert_eq!(sequence, expected);
                    expected += 1;
                    see(sequence, &record);
                }
                lost @ Next::Lost { .. } => panic!("{lost:?}"),
            }
        }
        assert_eq!(expected, end);
        expected - first
    }
}

fn check(storage: &SimStorage) {
    let options = VerifyOptions {
        keys: vec![signer(NAME, 1).verifier().clone()],
        name: Some(NAME.to_owned()),
        threads: 1,
        ..VerifyOptions::default()
    };
    let report = verify(storage, Path::new(DIR), &options).unwrap();
    assert!(report.ok, "{:#?}", report.findings);
}

fn names(storage: &SimStorage, suffix: &str) -> usize {
    let paths = storage.list(Path::new(DIR)).unwrap();
    paths.iter().filter(|path| path.to_str().is_some_and(|path| path.ends_with(suffix))).count()
}

#[test]
fn ended_segments_are_sealed_and_read_as_before() {
    let mut machine = Machine::new(keep(FLOOR_S), Some(SEAL_LEVEL));
    machine.fill(4);
    let before = machine.each(|_, _| {});
    let live = usize::from(machine.log.live_segment().is_some());
    let ended = machine.log.segments().len() - live;
    assert_eq!(machine.tidy().unwrap(), (ended, 0));
    assert_eq!(names(&machine.storage, ".seg"), live);
    assert_eq!(machine.each(|_, _| {}), before);
    machine.fill(1);
    check(&machine.storage);
}

#[test]
fn nothing_goes_before_its_time_and_all_of_it_after() {
    let mut machine = Machine::new(keep(FLOOR_S), Some(SEAL_LEVEL));
    machine.fill(3);
    machine.age(182);
    assert_eq!(machine.deleted(), 0);
    machine.age(1);
    let ended = machine.log.segments().len() - 1;
    // The record about the first deletion ends the segment that was written to, for its age.
    assert_eq!(machine.deleted(), ended + 1);
    let own = machine.own_records();
    assert_eq!(own.len(), ended + 1);
    assert_eq!(own[0]["first"], 0);
    assert_eq!(own.last().unwrap()["end"], machine.log.first());
    check(&machine.storage);
    let machine = machine.restarted(keep(FLOOR_S), Some(SEAL_LEVEL));
    machine.each(|_, _| {});
}

#[test]
fn p5_a_void_segment_goes_with_the_one_that_stands_for_it() {
    let mut machine = Machine::new(keep(FLOOR_S), None);
    machine.fill(2);
    let void = Path::new(DIR).join("00000000-00000000000000000000.seg");
    machine.storage.create(&void).unwrap();
    machine.age(184);
    assert!(machine.deleted() > 0);
    assert!(machine.storage.stat(&void).is_err());
    assert!(machine.log.first() > 0);
    check(&machine.storage);
}

#[test]
fn a_log_without_checkpoints_over_a_segment_keeps_it() {
    let mut machine = Machine::new(keep(FLOOR_S), None);
    for _ in 0..40 {
        machine.append(&[1; 900]);
        machine.log.commit().unwrap();
    }
    machine.clock.pass(400 * DAY);
    assert_eq!(machine.deleted(), 0);
}

#[test]
fn p10_no_jump_of_the_clock_deletes_early() {
    let jumps = [YEAR_US, -8 * 3_600_000_000, 10 * YEAR_US, -YEAR_US];
    for restart in [false, true] {
        for jump in jumps {
            let mut machine = Machine::new(keep(FLOOR_S), None);
            machine.fill(3);
            machine.clock.jump(jump);
            if restart {
                machine = machine.restarted(keep(FLOOR_S), None);
            }
            machine.log.checkpoint().unwrap();
            assert_eq!(machine.deleted(), 0, "after {jump} µs");
            // A restart may count for a day.
            machine.age(181);
            assert_eq!(machine.deleted(), 0, "181 days after {jump} µs");
        }
    }
}

#[test]
fn p10_a_record_received_under_a_clock_ahead_keeps_its_segment() {
    let mut machine = Machine::new(keep(FLOOR_S), None);
    machine.clock.jump(YEAR_US);
    machine.append(b"received in the year to come");
    machine.clock.jump(-YEAR_US);
    machine.fill(2);
    machine.age(190);
    assert_eq!(machine.deleted(), 0);
    machine.age(370);
    assert!(machine.deleted() > 0);
}

fn approval(end: u64, signers: &[&Signer]) -> Approval {
    let mut approval = Approval {
        log: NAME.to_owned(),
        id: [7; 16],
        end,
        time_us: NOW_US,
        reason: "personal data received by mistake".to_owned(),
        signatures: Vec::new(),
    };
    for signer in signers {
        approval.sign(signer);
    }
    approval
}

#[test]
fn t1_the_floor_is_undercut_only_by_two_people_and_only_so_far() {
    let (wang, li) = (signer("wang", 2), signer("li", 3));
    let mut machine = Machine::new(keep(0), None);
    machine.fill(4);
    machine.age(2);
    assert_eq!(machine.deleted(), 0, "a setting alone does not undercut the floor");
    let end = machine.log.segments()[2].first;
    let approvers = vec![wang.verifier().clone(), li.verifier().clone()];
    let with = |approvals| Retention { keep_s: 86_400, approvers: approvers.clone(), approvals };
    machine.keeper.set_retention(with(vec![approval(end, &[&wang]), approval(end, &[&wang])]));
    assert_eq!(machine.deleted(), 0, "one person twice");
    machine.keeper.set_retention(with(vec![approval(end, &[&wang]), approval(end, &[&li])]));
    assert_eq!(machine.deleted(), 2);
    assert_eq!(machine.log.first(), end);
    let told = machine.own_records();
    assert_eq!(told[0]["approved_by"].as_array().unwrap().len(), 2);
    check(&machine.storage);
    let early = |approvers: &[&Signer]| {
        let approvers = approvers.iter().map(|signer| signer.verifier().clone()).collect();
        let options = VerifyOptions { approvers, threads: 1, ..VerifyOptions::default() };
        let report = verify(&machine.storage, Path::new(DIR), &options).unwrap();
        let of_deletions = |finding: &&Finding| finding.kind == Kind::EarlyDeletion;
        report.findings.iter().filter(of_deletions).map(|finding| finding.severity).collect()
    };
    let said: Vec<Severity> = early(&[&wang, &li]);
    assert_eq!(said, [Severity::Notice; 2], "both approved");
    assert_eq!(early(&[]), [Severity::Notice; 2], "their keys were not given");
    assert_eq!(early(&[&wang, &signer("zhao", 4)]), [Severity::Tamper; 2], "zhao did not");
}

#[test]
fn t1_an_early_deletion_that_nobody_approved_is_told() {
    let mut machine = Machine::new(keep(FLOOR_S), None);
    machine.fill(2);
    for kept_s in [FLOOR_S - 1, FLOOR_S] {
        let told = serde_json::json!({"event": "segment deleted", "end": 0, "kept_s": kept_s});
        machine.log.append(&Record {
            flags: Flags::default(),
            received_us: NOW_US,
            source: OWN_SOURCE,
            peer: None,
            id: None,
            position: None,
            payload: told.to_string().as_bytes(),
        });
    }
    machine.log.commit().unwrap();
    let options = VerifyOptions { threads: 1, ..VerifyOptions::default() };
    let report = verify(&machine.storage, Path::new(DIR), &options).unwrap();
    let told: Vec<&Finding> =
        report.findings.iter().filter(|one| one.severity == Severity::Tamper).collect();
    assert!(told.len() == 1 && told[0].kind == Kind::EarlyDeletion, "{told:?}");
}

#[test]
fn p3_a_crash_after_any_operation_of_housekeeping_is_safe() {
    let mut machine = Machine::new(keep(FLOOR_S), None);
    machine.fill(2);
    machine.age(184);
    machine.fill(1);
    let (base, clock) = (machine.storage.killed(), machine.clock.clone());
    drop(machine);
    let tidy = |storage: &SimStorage| {
        Machine::open(storage.clone(), clock.clone(), keep(FLOOR_S), Some(SEAL_LEVEL))
            .and_then(|mut machine| machine.tidy())
    };
    for operation in 1.. {
        let storage = base.killed();
        storage.crash_at(operation);
        let done = tidy(&storage).is_ok();
        for seed in 0..3 {
            let after = storage.crash(seed);
            check(&after);
            tidy(&after).unwrap();
            check(&after);
            assert_eq!(names(&after, ".tmp"), 0);
            let keep = keep(FLOOR_S);
            let machine = Machine::open(after.clone(), clock.clone(), keep, None).unwrap();
            assert!(machine.log.first() > 0, "what had expired is gone");
            machine.each(|_, _| {});
        }
        if done && !storage.is_down() {
            assert!(operation > 20, "the crashes came to an end too soon");
            return;
        }
    }
}

#[test]
fn p6_on_a_full_disk_the_reserve_lets_own_records_and_checkpoints_in() {
    let mut machine = Machine::new(keep(FLOOR_S), None);
    machine.fill(1);
    assert!(machine.reserve.is_held());
    assert!(machine.reserve.has_room(10_000).unwrap());
    let space = machine.storage.space(Path::new(DIR)).unwrap();
    machine.storage.set_capacity(Some(1 << 20));
    let used = machine.storage.space(Path::new(DIR)).unwrap();
    assert!(space.free > used.free);
    machine.storage.set_foreign(used.free);
    assert!(!machine.reserve.has_room(1).unwrap());
    machine.append(b"an own record");
    while machine.log.commit().is_ok() {
        machine.append(&[1; 900]);
    }
    machine.reserve.commit(&mut machine.log).unwrap();
    machine.reserve.checkpoint(&mut machine.log).unwrap();
    assert!(!machine.reserve.is_held());
    assert!(!machine.reserve.has_room(1).unwrap(), "no intake while the reserve is given away");
    machine.storage.set_foreign(0);
    assert!(machine.reserve.has_room(10_000).unwrap());
    assert!(machine.reserve.is_held());
    check(&machine.storage);
}

#[test]
fn p6_a_reserve_that_is_not_had_is_taken_later() {
    let mut machine = Machine::new(keep(FLOOR_S), None);
    machine.fill(1);
    machine.storage.set_capacity(Some(1 << 20));
    let free = machine.storage.space(Path::new(DIR)).unwrap().free;
    machine.storage.set_foreign(free + 20_000);
    let mut machine = machine.restarted(keep(FLOOR_S), None);
    assert!(!machine.reserve.is_held());
    machine.storage.set_foreign(0);
    assert!(machine.reserve.has_room(1).unwrap());
}

#[test]
fn p4_a_damaged_segment_is_left_alone() {
    let mut machine = Machine::new(keep(FLOOR_S), Some(SEAL_LEVEL));
    machine.fill(3);
    let path = machine.log.segments()[0].path.clone();
    machine.storage.tamper(&path, |bytes| bytes[6_000] ^= 1).unwrap();
    let damaged = machine.storage.stat(&path).unwrap().size;
    assert!(machine.tidy().is_err());
    let sealed = machine.tidy().unwrap().0;
    assert_eq!(sealed, machine.log.segments().len() - 2);
    assert_eq!(machine.storage.stat(&path).unwrap().size, damaged);
}

/// P5: whichever call fails while a segment is sealed, the next turns do what is left.
#[test]
fn p5_sealing_that_failed_half_way_is_done_the_next_time() {
    use Operation::{Create, Open, Read, Remove, Rename, Sync, SyncFolder, Write};
    let mut failures = 0;
    for operation in [Open, Read, Create, Write, Sync, Rename, Remove, SyncFolder] {
        for fault in [Fault::Before, Fault::After] {
            for nth in 1.. {
                let mut machine = Machine::new(keep(FLOOR_S), Some(SEAL_LEVEL));
                machine.fill(2);
                machine.storage.fail(operation, nth..nth + 1, fault);
                if machine.tidy().is_ok() {
                    // It was let pass, or there are not so many.
                    if nth > 40 {
                        break;
                    }
                    continue;
                }
                let told = format!("{operation:?} {nth} {fault:?}");
                machine.tidy().unwrap_or_else(|error| panic!("{told}: {error}"));
                let live = machine.log.live_segment();
                let open = machine.log.segments().iter().filter(|segment| !segment.sealed);
                assert!(open.map(|segment| segment.number).all(|one| Some(one) == live), "{told}");
                assert!(machine.each(|_, _| {}) >= 28, "{told}");
                check(&machine.storage);
                failures += 1;
            }
        }
    }
    assert!(failures > 50, "{failures} calls failed");
}
