//! P5: a failed write or flush is never acknowledged and never comes back later.

use bigsec_evidence::LogWriter;
use bigsec_evidence::simulator::{Fault, Operation, Random};
use bigsec_evidence::storage::Storage;

use crate::machine::{Doing, Machine, lagging_options, options};

/// So often a caller tries again before the test takes the log for dead.
const TRIES: usize = 8;

fn open(machine: &mut Machine) -> LogWriter {
    for _ in 0..TRIES {
        if let Ok((writer, recovery)) = machine.open() {
            assert!(recovery.damage.is_empty(), "a fault is no damage: {:?}", recovery.damage);
            return writer;
        }
    }
    panic!("the log does not open: {:?}", machine.open().err());
}

fn commit(machine: &mut Machine, writer: &mut LogWriter) {
    let failures = (0..TRIES).take_while(|_| machine.commit(writer).is_err()).count();
    assert!(failures < TRIES, "the log does not heal: {:?}", machine.commit(writer).err());
}

/// A run that meets the fault somewhere, and in which every failure is tried again.
fn live(machine: &mut Machine) {
    let mut writer = open(machine);
    for round in 0..12 {
        for _ in 0..round % 5 * 4 {
            machine.append(&mut writer);
        }
        commit(machine, &mut writer);
        match round {
            3 | 8 => {
                // A failed note or a failed end of a segment is tried again at the next occasion.
                let _ = writer.checkpoint();
            }
            5 => {
                let _ = writer.roll();
            }
            10 => {
                drop(writer);
                writer = open(machine);
                machine.check(&writer);
            }
            _ => {}
        }
    }
}

/// What was told is so after the process is started again, after a crash, and after both.
fn hold_to_promises(machine: &Machine, seed: u64) {
    let mut killed = machine.with(machine.storage.killed());
    let writer = killed.reopen();
    let mut both = killed.with(killed.storage.crash(seed));
    drop(writer);
    let writer = both.reopen();
    both.go_on(writer);
    let mut crashed = machine.with(machine.storage.crash(seed));
    let writer = crashed.reopen();
    crashed.go_on(writer);
}

const FAULTS: &[(Operation, Fault)] = &[
    (Operation::Write, Fault::Before),
    (Operation::Write, Fault::After),
    (Operation::Write, Fault::Short),
    (Operation::Write, Fault::Full),
    (Operation::Sync, Fault::Before),
    (Operation::SyncFolder, Fault::Before),
    (Operation::SyncFolder, Fault::After),
    (Operation::Rename, Fault::Before),
    (Operation::Rename, Fault::After),
    (Operation::SetLen, Fault::Before),
    (Operation::SetLen, Fault::After),
    (Operation::Create, Fault::Before),
    (Operation::Create, Fault::After),
    (Operation::Create, Fault::Full),
    (Operation::Open, Fault::Before),
    (Operation::Read, Fault::Before),
    (Operation::Remove, Fault::Before),
    (Operation::Remove, Fault::After),
    (Operation::Reserve, Fault::Before),
    (Operation::Reserve, Fault::Full),
    (Operation::CreateFolder, Fault::Before),
];

#[test]
fn p5_a_call_that_fails_is_never_acknowledged_and_leaves_nothing_behind() {
    let seed = crate::seed();
    let mut runs = 0;
    for &(operation, fault) in FAULTS {
        for n in 1..=50 {
            for length in [1, 3] {
                let what = format!("{fault:?} at {length} {operation:?} from {n} on");
                let _doing = Doing(what);
                let mut met = false;
                for options in [options, lagging_options] {
                    let mut machine = Machine { options, ..Machine::new(seed ^ n) };
                    machine.storage.fail(operation, n..n + length, fault);
                    live(&mut machine);
                    met |= machine.storage.count(operation) >= n;
                    hold_to_promises(&machine, seed ^ (n << 8));
                    runs += 1;
                }
                if !met {
                    break;
                }
            }
        }
    }
    println!("{runs} runs");
}

#[test]
fn p5_many_faults_and_a_crash_among_them() {
    const LIVES: u64 = 1_000;
    let seed = crate::seed();
    for life in 0..LIVES {
        let _doing = Doing(format!("life {life}"));
        let mut random = Random::new(seed ^ (life << 20));
        let options = if life % 2 == 0 { options } else { lagging_options };
        let mut machine = Machine { options, ..Machine::new(random.next_u64()) };
        for _ in 0..=random.below(8) {
            let (operation, fault) = FAULTS[random.below(FAULTS.len())];
            let n = 1 + random.below(40) as u64;
            machine.storage.fail(operation, n..n + 1 + random.below(2) as u64, fault);
        }
        machine.storage.crash_at(20 + random.below(300) as u64);
        if let Ok((mut writer, _)) = machine.open() {
            while !machine.storage.is_down() {
                for _ in 0..random.below(6) {
                    machine.append(&mut writer);
                }
                let _ = machine.commit(&mut writer);
                if random.one_in(8) {
                    let _ = writer.checkpoint();
                }
                if random.one_in(8) {
                    let _ = writer.roll();
                }
                if random.one_in(8) {
                    let _ = machine.keep_house(&mut writer);
                }
                if random.one_in(16) {
                    machine.expire();
                }
            }
        }
        hold_to_promises(&machine, random.next_u64());
    }
    println!("{LIVES} lives");
}

#[test]
fn p5_what_a_failed_write_left_is_cut_off_before_the_next() {
    let mut machine = Machine::new(crate::seed());
    let mut writer = open(&mut machine);
    for _ in 0..4 {
        commit(&mut machine, &mut writer);
        machine.append_and_commit(&mut writer, 2).unwrap();
        let live = writer.segments().last().unwrap().clone();
        for fault in [Fault::Before, Fault::Full, Fault::After] {
            machine.append(&mut writer);
            machine.storage.fail(Operation::Write, 1..2, fault);
            assert!(machine.commit(&mut writer).is_err());
            assert_eq!(machine.storage.stat(&live.path).unwrap().size, live.bytes, "{fault:?}");
        }
        // What follows is shorter than what failed: the end of the segment is its end.
        writer.roll().unwrap();
        let ended = writer.segments().last().unwrap();
        assert_eq!(machine.storage.stat(&ended.path).unwrap().size, ended.bytes);
        hold_to_promises(&machine, ended.number);
        commit(&mut machine, &mut writer);
    }
}

#[test]
fn p5_a_segment_whose_flush_failed_is_never_written_to_again() {
    let mut machine = Machine::new(crate::seed());
    let mut writer = open(&mut machine);
    for round in 0..6 {
        machine.append_and_commit(&mut writer, 2).unwrap();
        let before = writer.segments().last().unwrap().clone();
        machine.append(&mut writer);
        // The segment's flush, or the watermark's after it.
        machine.storage.fail(Operation::Sync, 1 + round % 2..2 + round % 2, Fault::Before);
        assert!(machine.commit(&mut writer).is_err());
        let left = machine.storage.stat(&before.path).unwrap().size;
        machine.append_and_commit(&mut writer, 3).unwrap();
        let after = writer.segments().last().unwrap();
        assert!(after.number > before.number && after.first == before_size(&machine, 4));
        assert_eq!(machine.storage.stat(&before.path).unwrap().size, left);
        hold_to_promises(&machine, round);
    }
}

/// How many records there were before the last `count` that were acknowledged.
fn before_size(machine: &Machine, count: usize) -> u64 {
    (machine.senders.acked.len() - count) as u64
}
